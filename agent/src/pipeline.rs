//! The only wiring: collectors see, the inventory keeps, the store remembers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use pki_collectors::{COLLECTORS, Collector, Context, Done, Progress, Sink, Source};
use pki_config::Settings;
use pki_inventory::{Coverage, Digest, Gap, GapReason, Observation, Place, Time};
use pki_store::{
    Batch, Outcome, RunEnd, RunId, RunRecord, RunStart, SqliteStore, Store as _, StoreError,
};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::intake::Intake;
use crate::interrupt::Interrupt;
use crate::limits;
use crate::progress::Shown;
use crate::scope::Scope;
use crate::stream::Stream;

/// Observations under way between collectors and store.
const IN_FLIGHT: usize = 4096;
/// What is written at once, at most.
const BATCH: usize = 1000;
/// What is seen is written as soon as it is seen, and in a rush no sooner than this after the last
/// write: a transaction for each of thousands of records a second costs more than seeing them.
const PAUSE: Duration = Duration::from_millis(5);
/// How often somebody looks whether the run is to end.
const LOOK: Duration = Duration::from_millis(20);

/// A collector that hangs in the operating system may not hold up a run that is to end.
const GRACE: Duration = Duration::from_secs(10);

/// The clock of a run: the real one, or one that stands still for runs that can be repeated.
pub fn clock(fixed: Option<Time>) -> Arc<dyn Fn() -> Time + Send + Sync> {
    match fixed {
        Some(time) => Arc::new(move || time),
        None => Arc::new(now),
    }
}

/// The present instant.
pub fn now() -> Time {
    Time(jiff::Timestamp::now().as_second())
}

/// What is to be scanned, and how.
pub struct Order<'a> {
    pub settings: &'a Settings,
    /// Our own files, left out without being part of the recorded scope.
    pub own_files: &'a [PathBuf],
    pub fixed_clock: Option<Time>,
    /// Whether to go on with the latest run.
    pub resume: bool,
    /// Where records go besides the store.
    pub stream: Option<Stream>,
    /// Whether to show progress on a terminal.
    pub show: bool,
}

/// What a scan came to.
pub struct Scanned {
    pub run: RunId,
    /// Whether any place at all was read.
    pub anything_read: bool,
    pub cancelled: bool,
}

/// Runs every collector that has a scope and writes what they see as they see it.
pub fn scan(store: &mut SqliteStore, order: Order<'_>) -> anyhow::Result<Scanned> {
    let Order { settings, own_files, fixed_clock, resume, mut stream, show } = order;
    let clock = clock(fixed_clock);
    let mut scope = Scope::of(settings, fixed_clock);
    let previous = if resume { Some(unfinished(store, &scope)?) } else { None };
    scope.goes_on_with(previous);
    let start = RunStart {
        started: clock(),
        config_digest: Digest::of(format!("{settings:?}").as_bytes()),
        scope: scope.to_json(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let (run, done) = match previous {
        Some(previous) => {
            let run = store.continue_run(previous, &start)?;
            let places = store.answered(run)?;
            (run, Done::of(places))
        }
        None => (store.begin_run(&start)?, Done::default()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the operating system gave no threads")?;
    let expected = expected_places(store, &scope, run)?;
    let mut filesystem = settings.filesystem.clone();
    filesystem.exclude.extend_from_slice(own_files);
    let interrupt = Interrupt::watch();
    let (sink, observations) = Sink::bounded(IN_FLIGHT);
    let context = Arc::new(Context {
        tls: within_limits(&settings.tls),
        filesystem,
        clock: Arc::clone(&clock),
        wall_clock: self::clock(None),
        cancelled: interrupt.flag(),
        progress: Arc::new(Progress::default()),
        done: Arc::new(done),
    });
    let shown = {
        let _entered = runtime.enter();
        for &collector in COLLECTORS {
            runtime.spawn(collect(collector, Arc::clone(&context), sink.clone()));
        }
        drop(sink);
        show.then(|| Shown::begin(Arc::clone(&context.progress), expected))
    };
    let write = &mut |batch: &Batch| store.record(run, batch);
    let kept = keep(observations, runtime.handle(), &interrupt, write, stream.as_mut());
    interrupt.scan_is_over();
    drop(shown);
    // A collector that outlives its sink has nobody to report to.
    runtime.shutdown_timeout(Duration::from_secs(5));
    let cancelled = interrupt.is_cancelled();
    let end = match &kept {
        Ok(_) if cancelled => RunEnd::Cancelled,
        Ok(true) => RunEnd::Completed,
        Ok(false) => RunEnd::Failed("nothing could be read".to_owned()),
        Err(error) => RunEnd::Failed(error.to_string()),
    };
    store.end_run(run, clock(), end)?;
    Ok(Scanned { run, anything_read: kept?, cancelled })
}

/// The latest run, which did not complete and was asked for the same.
fn unfinished(store: &SqliteStore, scope: &Scope) -> anyhow::Result<RunId> {
    let runs = store.runs()?;
    let Some(latest) = runs.last() else {
        anyhow::bail!("there is no run to go on with; leave out --resume");
    };
    let run = latest.id;
    match &latest.outcome {
        Outcome::Interrupted | Outcome::Cancelled => {}
        Outcome::Running => anyhow::bail!("run {run} is still going on; wait until it is done"),
        ended @ (Outcome::Completed | Outcome::Failed(_)) => anyhow::bail!(
            "run {run}, the latest, is not one to go on with, it ended as {ended}; leave out \
             --resume to begin a new one"
        ),
    }
    let its = Scope::from_json(&latest.start.scope);
    anyhow::ensure!(
        its.is_same_work_as(scope),
        "run {run} was asked for something else and cannot be gone on with: {} Give the same \
         settings and options, or leave out --resume to begin a new run",
        its.sentences().join(" ")
    );
    Ok(run)
}

/// No more connections at the same time than this process may have open.
fn within_limits(scope: &pki_config::TlsScope) -> pki_config::TlsScope {
    let mut scope = scope.clone();
    let room = limits::raise_open_files();
    if scope.concurrency > room {
        tracing::warn!(
            concurrency = scope.concurrency,
            room,
            "Fewer connections at the same time than asked for: the limit of open files is lower."
        );
        scope.concurrency = room;
    }
    scope
}

/// How many places the latest completed run with the same scope asked for.
fn expected_places(
    store: &SqliteStore,
    scope: &Scope,
    run: RunId,
) -> Result<Option<u64>, StoreError> {
    let same = |record: &RunRecord| {
        let its = Scope::from_json(&record.start.scope);
        let alike = its.covers(scope) && scope.covers(&its);
        record.id < run && record.outcome == Outcome::Completed && alike
    };
    let runs = store.runs()?;
    let Some(before) = runs.iter().rev().find(|record| same(record)) else { return Ok(None) };
    let coverage = store.coverage(before.id)?;
    Ok(Some(coverage.iter().map(|(_, _, coverage)| coverage.asked).sum()))
}

/// Runs one collector. What goes wrong with it as a whole, a panic included, is a gap of its own.
async fn collect(collector: &'static dyn Collector, context: Arc<Context>, sink: Sink) {
    let (inner, its_sink) = (Arc::clone(&context), sink.clone());
    let task = tokio::spawn(async move { collector.collect(&inner, its_sink).await });
    let detail = match task.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the collector broke down; please report this with the log".to_owned(),
    };
    tracing::error!(collector = collector.name(), %detail, "A collector could not work.");
    let (name, time) = (collector.name().to_owned(), context.now());
    let gap = Gap {
        place: Place::Scope(name.clone()),
        collector: name.clone(),
        reason: GapReason::CollectorFailed,
        detail,
        first_seen: time,
        last_seen: time,
    };
    let coverage = Coverage { finished: time, asked: 1, read: 0, not_read: 1, octets: 0 };
    // Nobody takes observations any more when the store failed; that is the error to show.
    let _ = sink.send(Observation::Missed(gap)).await;
    let scope = "the whole collector".to_owned();
    let _ = sink.send(Observation::Covered { collector: name, scope, coverage }).await;
}

/// Takes observations until every collector is done, parses each encoding once, and writes what
/// there is at once. Gives whether any place was read.
fn keep(
    mut observations: Source,
    runtime: &Handle,
    interrupt: &Interrupt,
    write: &mut dyn FnMut(&Batch) -> Result<(), StoreError>,
    mut stream: Option<&mut Stream>,
) -> anyhow::Result<bool> {
    let mut intake = Intake::default();
    let mut anything_read = false;
    let mut cancelled_at = None;
    let mut not_before = Instant::now();
    loop {
        // Whoever takes many in a row would be made to wait for others, of which there are none on
        // this thread.
        let next = tokio::task::unconstrained(gather(&mut observations, not_before));
        let gathered = runtime.block_on(next);
        if gathered.taken.is_empty() && !gathered.is_last {
            if interrupt.is_cancelled() {
                let at = *cancelled_at.get_or_insert_with(Instant::now);
                if at.elapsed() > GRACE {
                    break;
                }
            }
            continue;
        }
        let (batch, order) = portion(gathered.taken, &mut intake);
        anything_read |= batch.coverage.iter().any(|(_, _, coverage)| coverage.read > 0);
        write(&batch)?;
        not_before = Instant::now() + PAUSE;
        if let Some(lines) = stream.as_deref_mut() {
            match tell(lines, &batch, &order) {
                Ok(()) => {}
                // Nobody listens any more. The run ends as if it had been interrupted.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    interrupt.flag().store(true, Ordering::Relaxed);
                    stream = None;
                }
                Err(error) => return Err(error).context("could not write the records as lines"),
            }
        }
        if gathered.is_last {
            break;
        }
    }
    Ok(anything_read)
}

/// What was there to be taken.
struct Gathered {
    taken: Vec<Observation>,
    /// Every collector is done.
    is_last: bool,
}

/// Waits for an observation and takes all that is there with it, and what else comes until writing
/// is due. Comes back with nothing after a while.
async fn gather(observations: &mut Source, not_before: Instant) -> Gathered {
    let mut taken = Vec::new();
    match timeout(LOOK, observations.recv()).await {
        Ok(Some(first)) => taken.push(first),
        Ok(None) => return Gathered { taken, is_last: true },
        Err(_) => return Gathered { taken, is_last: false },
    }
    while taken.len() < BATCH {
        // An instant that has passed means what is there already and no waiting.
        match timeout_at(not_before, observations.recv()).await {
            Ok(Some(next)) => taken.push(next),
            Ok(None) => return Gathered { taken, is_last: true },
            Err(_) => break,
        }
    }
    Gathered { taken, is_last: false }
}

/// What the next line is about.
enum Line {
    Asset,
    Gap,
    Coverage,
}

/// Sorts observations into a batch, and says in which order they came.
fn portion(taken: Vec<Observation>, intake: &mut Intake) -> (Batch, Vec<Line>) {
    let mut batch = Batch::default();
    let mut order = Vec::with_capacity(taken.len());
    for observation in taken {
        match observation {
            Observation::Found { raw, sighting } => {
                if let Some(asset) = intake.take(raw, sighting) {
                    batch.assets.push(asset);
                    order.push(Line::Asset);
                }
            }
            Observation::Missed(gap) => {
                batch.gaps.push(gap);
                order.push(Line::Gap);
            }
            Observation::Covered { collector, scope, coverage } => {
                batch.coverage.push((collector, scope, coverage));
                order.push(Line::Coverage);
            }
        }
    }
    (batch, order)
}

/// Writes a line for everything in a batch, in the order in which it came.
fn tell(stream: &mut Stream, batch: &Batch, order: &[Line]) -> io::Result<()> {
    let (mut assets, mut gaps) = (batch.assets.iter(), batch.gaps.iter());
    let mut coverage = batch.coverage.iter();
    for line in order {
        match line {
            Line::Asset => assets.next().map_or(Ok(()), |asset| stream.seen(asset))?,
            Line::Gap => gaps.next().map_or(Ok(()), |gap| stream.missed(gap))?,
            Line::Coverage => coverage
                .next()
                .map_or(Ok(()), |(collector, scope, c)| stream.covered(collector, scope, c))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::thread;

    use pki_inventory::{Raw, Sighting};
    use pki_store::Selection;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Runtime::new().expect("a runtime")
    }

    fn found(number: u32) -> Observation {
        let place = Place::file(format!("/srv/{number}.pem"));
        let der = number.to_be_bytes().to_vec();
        Observation::found(Raw::Certificate(der), Sighting::at(place, "test", Time(0)))
    }

    #[test]
    fn what_is_there_is_written_at_once_up_to_a_bound() {
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        for number in 0..2500 {
            sink.send_blocking(found(number)).expect("there is room");
        }
        drop(sink);
        let mut sizes = Vec::new();
        let mut write = |batch: &Batch| {
            sizes.push(batch.assets.len());
            Ok(())
        };
        keep(source, runtime().handle(), &Interrupt::watch(), &mut write, None).expect("keeps");
        assert_eq!(sizes.iter().sum::<usize>(), 2500);
        assert_eq!(sizes[..2], [1000, 1000], "{sizes:?}");
    }

    #[test]
    fn a_record_waits_for_no_other() {
        const RECORDS: u32 = 200;
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let (say, done) = mpsc::channel();
        thread::spawn(move || {
            for number in 0..RECORDS {
                sink.send_blocking(found(number)).expect("sends");
                done.recv().expect("is written");
            }
        });
        let mut sizes = Vec::new();
        let mut write = |batch: &Batch| {
            sizes.push(batch.assets.len());
            // The last one has nobody to wait for it.
            let _ = say.send(());
            Ok(())
        };
        let begin = Instant::now();
        keep(source, runtime().handle(), &Interrupt::watch(), &mut write, None).expect("keeps");
        assert_eq!(sizes.iter().filter(|size| **size == 1).count(), RECORDS as usize, "{sizes:?}");
        // Twenty milliseconds each, as long as the pipeline sleeps between looks, would be four
        // seconds.
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_reader_of_lines_that_goes_away_ends_the_run_and_loses_nothing() {
        /// Takes three lines.
        struct Head(usize);
        impl io::Write for Head {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 3 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(octets.len()) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        for number in 0..1500 {
            sink.send_blocking(found(number)).expect("there is room");
        }
        drop(sink);
        let mut count = 0;
        let mut write = |batch: &Batch| {
            count += batch.assets.len();
            Ok(())
        };
        let (interrupt, mut stream) = (Interrupt::watch(), Stream::to(Head(0)));
        keep(source, runtime().handle(), &interrupt, &mut write, Some(&mut stream)).expect("keeps");
        assert!(interrupt.is_cancelled());
        assert_eq!(count, 1500, "what collectors had handed in already is kept");
    }

    #[test]
    fn only_an_unfinished_run_of_the_same_scope_is_gone_on_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = SqliteStore::open(folder.path().join("store.sqlite")).expect("opens");
        let mut settings = Settings::default();
        settings.tls.targets = vec!["a.test:443".parse().expect("a target")];
        let scope = Scope::of(&settings, None);
        let refused = |store: &SqliteStore, scope: &Scope| {
            unfinished(store, scope).expect_err("must be refused").to_string()
        };
        assert!(refused(&store, &scope).contains("no run to go on with"));
        let start = RunStart {
            started: Time(0),
            scope: scope.to_json(),
            config_digest: Digest::of(b""),
            agent_version: "0".to_owned(),
        };
        let run = store.begin_run(&start).expect("begins");
        assert!(refused(&store, &scope).contains("still going on"));
        store.end_run(run, Time(1), RunEnd::Cancelled).expect("ends");
        assert_eq!(unfinished(&store, &scope).ok(), Some(run));
        settings.tls.targets.clear();
        let other = refused(&store, &Scope::of(&settings, None));
        assert!(other.contains("TLS at a.test:443."), "{other}");
        let run = store.continue_run(run, &start).expect("begins");
        store.end_run(run, Time(2), RunEnd::Completed).expect("ends");
        assert!(refused(&store, &scope).contains("ended as completed"));
    }

    /// Set in the child: the store it is to record into until it is killed.
    const CHILD: &str = "PKIMM_TEST_RECORD_INTO";
    const TEST: &str = "pipeline::tests::a_killed_agent_loses_at_most_what_was_in_flight";

    #[test]
    fn a_killed_agent_loses_at_most_what_was_in_flight() {
        if let Some(path) = std::env::var_os(CHILD) {
            record_until_killed(Path::new(&path));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.sqlite");
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", TEST, "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut lines = lines.map_while(Result::ok).filter(|line| line.ends_with(" written"));
        assert_eq!(lines.by_ref().take(25).count(), 25, "the child ended by itself");
        child.kill().expect("sends SIGKILL");
        child.wait().expect("ends");
        let told = 25 + lines.count();

        let store = SqliteStore::open_read_only(&path).expect("opens");
        let run = store.runs().expect("lists").pop().expect("one run");
        assert_eq!(run.outcome, Outcome::Interrupted);
        let kept = store.inventory(Selection::Run(run.id)).expect("loads").assets().count();
        assert!((told..=told + 1).contains(&kept), "{kept} are kept of {told} and one in flight");
    }

    fn record_until_killed(path: &Path) -> ! {
        let mut store = SqliteStore::open(path).expect("opens");
        let run = store
            .begin_run(&RunStart {
                started: Time(0),
                scope: "{}".to_owned(),
                config_digest: Digest::of(b""),
                agent_version: "0".to_owned(),
            })
            .expect("begins");
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let (say, done) = mpsc::channel();
        thread::spawn(move || {
            for number in 0.. {
                sink.send_blocking(found(number)).expect("sends");
                done.recv().expect("is written");
            }
        });
        let mut write = |batch: &Batch| {
            store.record(run, batch)?;
            // Not `println!`: the harness would keep it to itself.
            writeln!(io::stdout(), "\n{} written", batch.assets.len()).expect("is heard");
            say.send(()).expect("is awaited");
            Ok(())
        };
        keep(source, runtime().handle(), &Interrupt::watch(), &mut write, None).expect("keeps");
        unreachable!("the sink is never closed")
    }
}
