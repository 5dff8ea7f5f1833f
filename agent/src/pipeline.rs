//! The only wiring: collectors see, the inventory keeps, the store remembers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pki_collectors::{COLLECTORS, Collector, Context, Progress, Sink, Source};
use pki_config::Settings;
use pki_inventory::{Asset, Coverage, Digest, Gap, GapReason, Inventory, Observation, Place, Time};
use pki_store::{
    Batch, Outcome, RunEnd, RunId, RunRecord, RunStart, SqliteStore, Store as _, StoreError,
};

use crate::interrupt::Interrupt;
use crate::progress::Shown;
use crate::scope::Scope;

/// Observations under way between collectors and store.
const IN_FLIGHT: usize = 4096;
/// A batch is written when it is this large or this old: a crash loses what was seen in the last
/// moment and nothing before.
const BATCH: usize = 1000;
const BATCH_AGE: Duration = Duration::from_millis(20);

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

/// What a scan came to.
pub struct Scanned {
    pub run: RunId,
    /// Whether any place at all was read.
    pub anything_read: bool,
    pub cancelled: bool,
}

/// Runs every collector that has a scope and writes what they see as they see it. Our own files are
/// left out without being part of the recorded scope.
pub fn scan(
    store: &mut SqliteStore,
    settings: &Settings,
    own_files: &[PathBuf],
    fixed_clock: Option<Time>,
) -> anyhow::Result<Scanned> {
    let clock = clock(fixed_clock);
    let run = store.begin_run(&RunStart {
        started: clock(),
        config_digest: Digest::of(format!("{settings:?}").as_bytes()),
        scope: Scope::of(settings, fixed_clock).to_json(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the operating system gave no threads")?;
    let expected = expected_places(store, &Scope::of(settings, None), run)?;
    let mut filesystem = settings.filesystem.clone();
    filesystem.exclude.extend_from_slice(own_files);
    let interrupt = Interrupt::watch();
    let (sink, observations) = Sink::bounded(IN_FLIGHT);
    let context = Arc::new(Context {
        tls: settings.tls.clone(),
        filesystem,
        clock: Arc::clone(&clock),
        cancelled: interrupt.flag(),
        progress: Arc::new(Progress::default()),
    });
    let shown = {
        let _entered = runtime.enter();
        for &collector in COLLECTORS {
            runtime.spawn(collect(collector, Arc::clone(&context), sink.clone()));
        }
        drop(sink);
        Shown::begin(Arc::clone(&context.progress), expected)
    };
    let kept = keep(store, run, observations, runtime.handle(), &interrupt);
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

/// Takes observations until every collector is done, parses each encoding once, and writes
/// batches. Gives whether any place was read.
fn keep(
    store: &mut SqliteStore,
    run: RunId,
    mut observations: Source,
    runtime: &tokio::runtime::Handle,
    interrupt: &Interrupt,
) -> anyhow::Result<bool> {
    let mut inventory = Inventory::default();
    let mut batch = Batch::default();
    let mut size = 0;
    let mut began = Instant::now();
    let mut anything_read = false;
    let mut cancelled_at = None;
    loop {
        if size >= BATCH || (size > 0 && began.elapsed() >= BATCH_AGE) {
            store.record(run, &batch)?;
            batch = Batch::default();
            size = 0;
        }
        let next = async { tokio::time::timeout(BATCH_AGE, observations.recv()).await };
        let observation = match runtime.block_on(next) {
            Ok(Some(observation)) => observation,
            Ok(None) => break,
            Err(_) if cancelled_at.is_some_and(|at: Instant| at.elapsed() > GRACE) => break,
            Err(_) => {
                if interrupt.is_cancelled() {
                    cancelled_at.get_or_insert_with(Instant::now);
                }
                continue;
            }
        };
        if size == 0 {
            began = Instant::now();
        }
        size += 1;
        match observation {
            Observation::Found { raw, sighting } => {
                let seen = sighting.clone();
                if let Some(id) = inventory.absorb(Observation::Found { raw, sighting })
                    && let Some(known) = inventory.get(id)
                {
                    let mut asset = Asset::new(id, known.body.clone());
                    asset.see(seen);
                    batch.assets.push(asset);
                }
            }
            Observation::Missed(gap) => batch.gaps.push(gap),
            Observation::Covered { collector, scope, coverage } => {
                anything_read |= coverage.read > 0;
                batch.coverage.push((collector, scope, coverage));
            }
        }
    }
    store.record(run, &batch)?;
    Ok(anything_read)
}
