//! The only wiring: collectors see, the inventory keeps, the store remembers.

mod earlier;
mod incremental;
mod portions;
mod records;

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use pki_collectors::{COLLECTORS, Collector, Context, Done, NotedLogins, Progress, Sink};
use pki_config::{Settings, Target, TlsScope};
use pki_inventory::{Coverage, Digest, Gap, GapReason, Observation, Place, Time};
use pki_store::{Batch, RunEnd, RunId, RunStart, SqliteStore, Store as _, Unchanged};
use tokio::runtime::Runtime;

use self::earlier::{expected_places, unfinished};
use self::incremental::{Incremental, nothing_seen};
use self::portions::Login;
use self::records::{Before, Kept, keep};
use crate::interrupt::Interrupt;
use crate::passwords::Passwords;
use crate::progress::Shown;
use crate::scope::Scope;
use crate::stream::Stream;
use crate::{cli, limits, output};

/// Observations under way between collectors and store.
const IN_FLIGHT: usize = 512;

/// Why a run failed that went through all it was asked for. There is nothing in it to go on with.
const NOTHING_READ: &str = "nothing could be read";

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
    /// What listens on loopback, to be asked besides.
    pub loopback: &'a [Target],
    /// Our own files, left out without being part of the recorded scope.
    pub own_files: &'a [PathBuf],
    pub fixed_clock: Option<Time>,
    /// Whether to go on with the latest run, if it did not complete.
    pub resume: bool,
    /// Whether to read every file, also where an earlier run has read it as it is.
    pub full: bool,
    /// For keystores and directories.
    pub passwords: &'a Passwords,
    /// Where records go besides the store.
    pub jsonl: Option<&'a Path>,
    /// Whether to show progress on a terminal.
    pub show: bool,
}

/// What a scan came to.
pub struct Scanned {
    pub run: RunId,
    /// Whether any place at all was read, by this run or the one that it goes on with.
    pub anything_read: bool,
    pub cancelled: bool,
    /// How many files were not read again, where an earlier run had read some.
    pub files: Option<Files>,
}

/// Files of a run that builds on an earlier one.
pub struct Files {
    pub read: u64,
    /// Not read again.
    pub unchanged: u64,
    /// The run that what lies in these was taken over from.
    pub since: RunId,
}

/// Runs every collector that has a scope and writes what they see as they see it.
pub fn scan(store: &mut SqliteStore, order: Order<'_>) -> anyhow::Result<Scanned> {
    let Order { settings, loopback, fixed_clock, resume, show, .. } = order;
    let clock = clock(fixed_clock);
    let scope = Scope::of(settings, loopback, fixed_clock);
    let earlier = store.runs()?;
    let previous = if resume { unfinished(store, &earlier, &scope)? } else { None };
    let may_use = previous.is_none() && !order.full;
    let mut incremental = Incremental::of(store, &settings.filesystem, order.passwords, may_use)?;
    let start = RunStart {
        started: clock(),
        config_digest: Digest::of(format!("{settings:?}").as_bytes()),
        scope: scope.to_json(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let run = match previous {
        Some(previous) => store.continue_run(previous, &start)?,
        None => store.begin_run(&start)?,
    };
    if resume && previous.is_none() {
        output::remark("There is nothing to go on with; a new run begins.");
    }
    // Nothing that lies where the lines go may be touched before this run has the right to run.
    let prepared = Prepared::of(store, run, previous.is_some(), order.jsonl);
    let Prepared { mut stream, done, carried_over, runtime } = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            store.end_run(run, clock(), RunEnd::Cancelled)?;
            return Err(error);
        }
    };
    let expected = expected_places(store, &earlier, &scope)?;
    let refused_logins = store.refused_logins()?.into_iter().collect();
    let noted_logins = Arc::new(NotedLogins::default());
    let mut filesystem = settings.filesystem.clone();
    filesystem.exclude.extend_from_slice(order.own_files);
    let interrupt = Interrupt::watch();
    let (sink, observations) = Sink::bounded(IN_FLIGHT);
    let seen = Arc::new(incremental.as_mut().map_or_else(nothing_seen, Incremental::seen));
    let context = Arc::new(Context {
        tls: within_limits(&settings.tls, loopback),
        filesystem,
        directory: settings.directory.clone(),
        directory_passwords: Arc::clone(&order.passwords.directory),
        pkcs11: settings.pkcs11.clone(),
        pins: Arc::clone(&order.passwords.pins),
        refused_logins: Arc::new(refused_logins),
        noted_logins: Some(Arc::clone(&noted_logins)),
        module_command: Arc::new(module_command()),
        secret_variables: Arc::new(settings.secret_variables()),
        clock: Arc::clone(&clock),
        wall_clock: self::clock(None),
        cancelled: interrupt.flag(),
        progress: Arc::new(Progress::default()),
        done: Arc::new(done),
        seen: Arc::clone(&seen),
        passwords: Arc::clone(&order.passwords.tried),
    });
    let shown = {
        let _entered = runtime.enter();
        for &collector in COLLECTORS {
            runtime.spawn(collect(collector, Arc::clone(&context), sink.clone()));
        }
        drop(sink);
        show.then(|| Shown::begin(Arc::clone(&context.progress), expected))
    };
    let since = incremental.as_ref().and_then(|incremental| incremental.since);
    let kept = {
        // What is to be kept is written, and what is taken over with it is read, one after the other.
        let store = RefCell::new(&mut *store);
        let load = |unchanged: &Unchanged| store.borrow().taken_over(unchanged);
        let before = since.map(|run| Before { run, clock: &*clock, load: &load });
        let write = &mut |batch: &Batch| store.borrow_mut().record(run, batch);
        let note = &mut |login| match login {
            Login::Tried(login) => {
                store.borrow_mut().add_refused_login(login, clock())?;
                noted_logins.add(login);
                Ok(())
            }
            Login::Cleared(login) => store.borrow_mut().remove_refused_login(login),
        };
        keep(observations, runtime.handle(), &interrupt, write, note, stream.as_mut(), before)
    };
    interrupt.scan_is_over();
    drop(shown);
    // A collector that outlives its sink has nobody to report to.
    runtime.shutdown_timeout(Duration::from_secs(5));
    let cancelled = interrupt.is_cancelled();
    let end = match &kept {
        Ok(_) if cancelled => RunEnd::Cancelled,
        Ok(kept) if kept.anything_read || carried_over => RunEnd::Completed,
        Ok(_) => RunEnd::Failed(NOTHING_READ.to_owned()),
        Err(error) => RunEnd::Failed(error.to_string()),
    };
    let is_completed = end == RunEnd::Completed;
    let ended = store.end_run(run, clock(), end);
    // A store that took no records may take no end either; the first of the two is why.
    let Kept { anything_read, untold, read, unchanged, broken_down } = kept?;
    ended?;
    if let Some(incremental) = incremental.filter(|_| is_completed && !broken_down) {
        incremental.keep(store, run, &seen);
    }
    if let Some(why) = untold {
        output::remark(&format!("{why}; the run was ended. Go on with --resume."));
    }
    let files = since.map(|since| Files { read, unchanged, since });
    Ok(Scanned { run, anything_read: anything_read || carried_over, cancelled, files })
}

/// This very program serves as the process of a PKCS #11 module. Where the operating system does not say
/// which program this is, no module can be loaded.
fn module_command() -> Vec<OsString> {
    let program = std::env::current_exe().map(PathBuf::into_os_string);
    program.map_or_else(|_| Vec::new(), |program| vec![program, cli::SERVE_MODULE.into()])
}

/// What a run that was begun needs before anything is looked at.
struct Prepared {
    stream: Option<Stream>,
    done: Done,
    /// Whether the run that this one goes on with has read anything.
    carried_over: bool,
    runtime: Runtime,
}

impl Prepared {
    fn of(
        store: &SqliteStore,
        run: RunId,
        goes_on: bool,
        jsonl: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let stream = jsonl.map(|path| Stream::open(path, goes_on)).transpose()?;
        let places = if goes_on { store.answered(run)? } else { Vec::new() };
        let carried_over = places.iter().any(|(_, gap)| gap.is_none());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("the operating system gave no threads")?;
        Ok(Self { stream, done: Done::of(places), carried_over, runtime })
    }
}

/// Everything that is asked, with no more connections at the same time than this process may have
/// open.
fn within_limits(scope: &TlsScope, loopback: &[Target]) -> TlsScope {
    let mut scope = scope.clone();
    scope.targets.extend_from_slice(loopback);
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
    let coverage =
        Coverage { finished: time, asked: 1, read: 0, not_read: 1, octets: 0, unchanged: 0 };
    // Nobody takes observations any more when the store failed; that is the error to show.
    let _ = sink.send(Observation::Missed(gap)).await;
    let scope = "the whole collector".to_owned();
    let _ = sink.send(Observation::Covered { collector: name, scope, coverage }).await;
}
