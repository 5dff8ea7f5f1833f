//! Takes what collectors hand in to where it is kept: as lines, and into the store.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;
use std::thread;

use anyhow::Context as _;
use pki_collectors::Source;
use pki_inventory::{Gap, GapReason, Kind, Time};
use pki_store::{Batch, RunId, StoreError, Unchanged};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::portions::{self, Line, Login, Portion};
use crate::interrupt::Interrupt;
use crate::stream::Stream;

/// The collector whose places are files.
const FILES: &str = "filesystem";

/// What came of it.
pub(super) struct Kept {
    /// Whether any place was read.
    pub(super) anything_read: bool,
    /// Why not every line was written, as a sentence without its end.
    pub(super) untold: Option<String>,
    /// Files that were read.
    pub(super) read: u64,
    /// Files that were not read again.
    pub(super) unchanged: u64,
    /// Whether a collector stopped as a whole.
    pub(super) broken_down: bool,
}

/// Where what lies in unchanged files is taken over from.
pub(super) struct Before<'a> {
    pub(super) run: RunId,
    /// When it is seen again.
    pub(super) clock: &'a dyn Fn() -> Time,
    /// What it is, for the lines.
    pub(super) load: &'a dyn Fn(&Unchanged) -> Result<Batch, StoreError>,
}

/// Takes observations until every collector is done, and writes what there is at once.
///
/// The lines come first: what is in the store is not asked again when the run is gone on with, so
/// that a line which is missing then would be missing for good. A line may come twice instead, when
/// the agent is killed between the two. When lines can be written no more, the run ends as if it
/// had been interrupted, and the places without theirs are marked as broken off.
///
/// A login comes before everything: it is kept even if nothing else ever is.
pub(super) fn keep(
    observations: Source,
    runtime: &Handle,
    interrupt: &Interrupt,
    write: &mut dyn FnMut(&Batch) -> Result<(), StoreError>,
    note: &mut dyn FnMut(Login) -> Result<(), StoreError>,
    mut stream: Option<&mut Stream>,
    before: Option<Before<'_>>,
) -> anyhow::Result<Kept> {
    let (anything_read, broken_down) = (false, false);
    let mut kept = Kept { anything_read, untold: None, read: 0, unchanged: 0, broken_down };
    thread::scope(|scope| {
        // Whoever returns from here lets go of the portions, which ends the thread that makes them.
        let (hand, mut portions) = mpsc::channel(portions::AHEAD);
        thread::Builder::new()
            .name("parsing".to_owned())
            .spawn_scoped(scope, move || {
                portions::hand_on(observations, runtime, interrupt, &hand);
            })
            .context("the operating system gave no thread to parse on")?;
        while let Some(portion) = portions.blocking_recv() {
            let Portion { logins, mut batch, order, unchanged } = portion;
            logins.into_iter().try_for_each(&mut *note)?;
            // Nothing is known as unchanged where there is no run that read it.
            if let Some(before) = before.as_ref().filter(|_| !unchanged.is_empty()) {
                let (run, at) = (before.run, (before.clock)());
                batch.unchanged = Some(Unchanged { run, at, places: unchanged });
            }
            let taken_over = match (&stream, &batch.unchanged, &before) {
                (Some(_), Some(unchanged), Some(before)) => (before.load)(unchanged)?,
                _ => Batch::default(),
            };
            if let Some(lines) = stream.as_deref_mut()
                && let Err(error) =
                    tell_all(lines, &taken_over).and_then(|()| tell(lines, &batch, &order))
            {
                interrupt.flag().store(true, Ordering::Relaxed);
                stream = None;
                kept.untold = Some(match error.kind() {
                    io::ErrorKind::BrokenPipe => "Nobody reads the lines any more".to_owned(),
                    _ => format!("The records could not be written as lines ({error})"),
                });
            }
            if kept.untold.is_some() {
                break_off(&mut batch);
            }
            kept.count(&batch);
            write(&batch)?;
        }
        Ok(kept)
    })
}

impl Kept {
    fn count(&mut self, batch: &Batch) {
        for (collector, _, coverage) in &batch.coverage {
            self.anything_read |= coverage.read > 0;
            if collector == FILES {
                self.unchanged += coverage.unchanged;
                self.read += coverage.read.saturating_sub(coverage.unchanged);
            }
        }
        self.broken_down |= batch.gaps.iter().any(|gap| gap.reason == GapReason::CollectorFailed);
    }
}

/// Marks the network places of a batch as broken off, so that they are asked again when the run is
/// gone on with, and their lines written then. Files are read again in any case.
fn break_off(batch: &mut Batch) {
    let mut marked = BTreeSet::new();
    let endpoints = batch.assets.iter().filter(|asset| asset.id.kind == Kind::Endpoint);
    let seen = endpoints
        .flat_map(|asset| asset.sightings())
        .map(|sighting| (sighting.place.clone(), sighting.collector.clone(), sighting.last_seen));
    let missed = batch.gaps.iter().filter(|gap| gap.reason != GapReason::RunEnded);
    let missed = missed.map(|gap| (gap.place.clone(), gap.collector.clone(), gap.last_seen));
    marked.extend(seen.chain(missed).filter(|(place, ..)| place.is_network()));
    batch.gaps.extend(marked.into_iter().map(|(place, collector, time): (_, _, Time)| Gap {
        place,
        collector,
        reason: GapReason::RunEnded,
        detail: "the run was ended before its line could be written".to_owned(),
        first_seen: time,
        last_seen: time,
    }));
}

/// Writes a line for every asset and every gap that is taken over. They come before what else is in
/// the batch: the line about a scope is the last one of it.
fn tell_all(stream: &mut Stream, taken_over: &Batch) -> io::Result<()> {
    taken_over.assets.iter().try_for_each(|asset| stream.seen(asset))?;
    taken_over.gaps.iter().try_for_each(|gap| stream.missed(gap))
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
    use std::cell::RefCell;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use pki_collectors::Sink;
    use pki_inventory::{Coverage, Digest, Endpoint, Handshake, Observation, Place, Raw, Sighting};
    use pki_store::{Outcome, RunId, RunStart, Selection, SqliteStore, Store as _};

    /// More than any of these tests hands in before anybody takes.
    const IN_FLIGHT: usize = 4096;
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Runtime::new().expect("a runtime")
    }

    fn no_login(login: Login) -> Result<(), StoreError> {
        panic!("nobody logged in: {login:?}")
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
        keep(
            source,
            runtime().handle(),
            &Interrupt::watch(),
            &mut write,
            &mut no_login,
            None,
            None,
        )
        .expect("keeps");
        assert_eq!(sizes.iter().sum::<usize>(), 2500);
        assert_eq!(sizes[..2], [1000, 1000], "{sizes:?}");
    }

    #[test]
    fn a_login_is_kept_before_anything_that_came_with_it_or_after_it() {
        let login = Digest::of(b"how it was tried");
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let accepted = Observation::LoginCleared(login);
        let all = [found(1), Observation::LoginTried(login), found(2), accepted];
        all.into_iter().for_each(|one| sink.send_blocking(one).expect("there is room"));
        drop(sink);
        let told = RefCell::new(Vec::new());
        let mut write = |batch: &Batch| {
            told.borrow_mut().push(format!("{} assets", batch.assets.len()));
            Ok(())
        };
        let mut note = |login: Login| {
            told.borrow_mut().push(format!("{login:?}"));
            Ok(())
        };
        let interrupt = Interrupt::watch();
        keep(source, runtime().handle(), &interrupt, &mut write, &mut note, None, None)
            .expect("keeps");
        // The portion ends with it, so that nothing else is waited for.
        let tried = format!("{:?}", Login::Tried(login));
        let accepted = format!("{:?}", Login::Cleared(login));
        let expected = [tried, "1 assets".into(), accepted, "1 assets".into()];
        assert_eq!(*told.borrow(), expected);
    }

    #[test]
    fn a_store_that_takes_nothing_ends_the_run_though_collectors_go_on() {
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let collector =
            thread::spawn(move || (0..).find(|number| sink.send_blocking(found(*number)).is_err()));
        let mut write = |_: &Batch| Err(StoreError::RunEnded { run: RunId(1) });
        let runtime = runtime();
        let interrupt = Interrupt::watch();
        let kept =
            keep(source, runtime.handle(), &interrupt, &mut write, &mut no_login, None, None);
        assert!(kept.is_err());
        assert!(collector.join().expect("ends").is_some());
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
        keep(
            source,
            runtime().handle(),
            &Interrupt::watch(),
            &mut write,
            &mut no_login,
            None,
            None,
        )
        .expect("keeps");
        assert_eq!(sizes.iter().filter(|size| **size == 1).count(), RECORDS as usize, "{sizes:?}");
        // Twenty milliseconds each, as long as the pipeline sleeps between looks, would be four
        // seconds.
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    }

    /// Takes so many lines, and then there is this error.
    struct Head(usize, io::ErrorKind);

    impl io::Write for Head {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(self.1)?;
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_cannot_be_written_end_the_run_and_lose_nothing() {
        for (kind, why) in [
            (io::ErrorKind::BrokenPipe, "Nobody reads the lines any more"),
            (
                io::ErrorKind::StorageFull,
                "The records could not be written as lines (no storage space)",
            ),
        ] {
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
            let (interrupt, mut stream) = (Interrupt::watch(), Stream::to(Head(3, kind)));
            let kept = keep(
                source,
                runtime().handle(),
                &interrupt,
                &mut write,
                &mut no_login,
                Some(&mut stream),
                None,
            );
            assert_eq!(kept.expect("keeps").untold.as_deref(), Some(why));
            assert!(interrupt.is_cancelled());
            assert_eq!(count, 1500, "what collectors had handed in already is kept");
        }
    }

    #[test]
    fn places_without_their_line_are_asked_again() {
        let place = |number: u16| Place::tls(([192, 0, 2, 1], number).into(), None);
        let endpoint = |number: u16| {
            let raw = Raw::Endpoint(Endpoint::new(
                Time(0),
                Handshake::NoTls { reason: "SSH".to_owned() },
            ));
            Observation::found(raw, Sighting::at(place(number), "tls", Time(0)))
        };
        let refused = |number: u16| {
            Observation::Missed(Gap {
                place: place(number),
                collector: "tls".to_owned(),
                reason: GapReason::Refused,
                detail: String::new(),
                first_seen: Time(0),
                last_seen: Time(0),
            })
        };
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let take = |observation| sink.send_blocking(observation).expect("there is room");
        // A portion whose lines are all written, one whose lines are not, and what comes after it.
        (0..998).for_each(|number| take(found(number)));
        [endpoint(1), refused(2), endpoint(3), refused(4), found(7)].into_iter().for_each(take);
        drop(sink);
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = SqliteStore::open(folder.path().join("store.sqlite")).expect("opens");
        let run = begin(&mut store);
        let mut stream = Stream::to(Head(1000, io::ErrorKind::BrokenPipe));
        let mut write = |batch: &Batch| store.record(run, batch);
        let interrupt = Interrupt::watch();
        keep(
            source,
            runtime().handle(),
            &interrupt,
            &mut write,
            &mut no_login,
            Some(&mut stream),
            None,
        )
        .expect("keeps");
        let answered = store.answered(run).expect("loads");
        assert_eq!(answered, [(place(1), None), (place(2), Some(GapReason::Refused))]);
        let seen = store.inventory(Selection::Run(run)).expect("loads");
        assert_eq!(seen.assets().count(), 998 + 2, "and what they showed is kept");
    }

    #[test]
    fn a_line_is_written_before_its_record_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.jsonl");
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        for number in 0..7 {
            sink.send_blocking(found(number)).expect("there is room");
        }
        let coverage =
            Coverage { finished: Time(0), asked: 7, read: 7, not_read: 0, octets: 0, unchanged: 0 };
        let (collector, scope) = ("test".to_owned(), "/srv".to_owned());
        let covered = Observation::Covered { collector, scope, coverage };
        sink.send_blocking(covered).expect("there is room");
        drop(sink);
        let mut stream = Stream::open(&path, false).expect("opens");
        let mut kept = 0;
        let mut write = |batch: &Batch| {
            kept += batch.assets.len() + batch.coverage.len();
            let lines = std::fs::read_to_string(&path).expect("reads");
            assert_eq!(lines.lines().count(), kept, "whoever is killed now has lost lines");
            Ok(())
        };
        let interrupt = Interrupt::watch();
        let all = keep(
            source,
            runtime().handle(),
            &interrupt,
            &mut write,
            &mut no_login,
            Some(&mut stream),
            None,
        );
        assert!(all.expect("keeps").anything_read);
        assert_eq!(kept, 8);
    }

    #[test]
    fn what_lies_in_unchanged_files_is_told_and_kept_as_if_it_had_been_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.jsonl");
        let mut store = SqliteStore::open(folder.path().join("store.sqlite")).expect("opens");
        let first = begin(&mut store);
        let mut seen = pki_inventory::Inventory::default();
        for number in 0..3 {
            seen.absorb(found(number));
        }
        store.record(first, &Batch::from(&seen)).expect("records");
        store.end_run(first, Time(1), pki_store::RunEnd::Completed).expect("ends");

        let second = begin(&mut store);
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let unchanged =
            |number: u32| Observation::Unchanged(Place::file(format!("/srv/{number}.pem")));
        let coverage =
            Coverage { finished: Time(9), asked: 4, read: 4, not_read: 0, octets: 0, unchanged: 2 };
        let (collector, scope) = (FILES.to_owned(), "/srv".to_owned());
        for observation in [
            unchanged(0),
            found(7),
            unchanged(2),
            found(8),
            Observation::Covered { collector, scope, coverage },
        ] {
            sink.send_blocking(observation).expect("there is room");
        }
        drop(sink);
        let mut stream = Stream::open(&path, false).expect("opens");
        let kept = {
            let store = RefCell::new(&mut store);
            let load = |unchanged: &Unchanged| store.borrow().taken_over(unchanged);
            let before = Some(Before { run: first, clock: &|| Time(9), load: &load });
            let write = &mut |batch: &Batch| store.borrow_mut().record(second, batch);
            let interrupt = Interrupt::watch();
            keep(
                source,
                runtime().handle(),
                &interrupt,
                write,
                &mut no_login,
                Some(&mut stream),
                before,
            )
        };
        let kept = kept.expect("keeps");
        assert_eq!((kept.read, kept.unchanged, kept.broken_down), (2, 2, false));
        let seen = store.inventory(Selection::Run(second)).expect("loads");
        let mut known: Vec<(String, Option<Time>)> = seen
            .assets()
            .flat_map(|asset| asset.sightings().map(|s| (s.place.to_string(), asset.last_seen())))
            .collect();
        known.sort();
        let expected = [(0, 9), (2, 9), (7, 0), (8, 0)];
        let expected = expected.map(|(n, at)| (format!("file:///srv/{n}.pem"), Some(Time(at))));
        assert_eq!(known, expected);
        let lines = std::fs::read_to_string(&path).expect("reads");
        let lines: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mut places: Vec<&str> = lines.iter().filter_map(|l| l["places"][0].as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, expected.each_ref().map(|(place, _)| place.as_str()));
        assert_eq!(lines.last().map(|line| &line["kind"]), Some(&"coverage".into()));
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn a_collector_that_broke_down_is_known() {
        let (sink, source) = Sink::bounded(IN_FLIGHT);
        let gap = Gap {
            place: Place::Scope(FILES.to_owned()),
            collector: FILES.to_owned(),
            reason: GapReason::CollectorFailed,
            detail: String::new(),
            first_seen: Time(0),
            last_seen: Time(0),
        };
        sink.send_blocking(Observation::Missed(gap)).expect("there is room");
        drop(sink);
        let mut write = |_: &Batch| Ok(());
        let kept = keep(
            source,
            runtime().handle(),
            &Interrupt::watch(),
            &mut write,
            &mut no_login,
            None,
            None,
        );
        assert!(kept.expect("keeps").broken_down);
    }

    fn begin(store: &mut SqliteStore) -> RunId {
        let start = RunStart {
            started: Time(0),
            scope: "{}".to_owned(),
            config_digest: Digest::of(b""),
            agent_version: "0".to_owned(),
        };
        store.begin_run(&start).expect("begins")
    }

    /// Set in the child: the store it is to record into until it is killed.
    const CHILD: &str = "PKIMM_TEST_RECORD_INTO";
    const TEST: &str = "pipeline::records::tests::a_killed_agent_loses_at_most_what_was_in_flight";

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
        let run = begin(&mut store);
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
        keep(
            source,
            runtime().handle(),
            &Interrupt::watch(),
            &mut write,
            &mut no_login,
            None,
            None,
        )
        .expect("keeps");
        unreachable!("the sink is never closed")
    }
}
