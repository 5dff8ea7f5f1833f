//! What the pipeline hands to a collector, and what a collector hands back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{Observation, Time};
use tokio::sync::mpsc;

/// Scope, clock, cancellation and progress of a run. Collectors have no other source of these.
#[derive(Clone)]
pub struct Context {
    /// What the TLS collector is to ask.
    pub tls: TlsScope,
    /// What the filesystem collector is to walk.
    pub filesystem: FilesystemScope,
    /// The clock of the run. Deadlines are the runtime's business; this one stamps sightings.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// Set when the run is to end early; collectors look at it between targets.
    pub cancelled: Arc<AtomicBool>,
    /// Counted by the collectors, shown by the agent.
    pub progress: Arc<Progress>,
}

/// How far a run is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Places known to be asked for, so far.
    pub asked: AtomicU64,
    /// Places done with, read or not.
    pub done: AtomicU64,
}

/// Where a collector puts what it sees. It holds a bounded number of observations, so a collector
/// that is faster than the store waits instead of filling the memory.
#[derive(Debug, Clone)]
pub struct Sink(mpsc::Sender<Observation>);

/// Why a collector could not work at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The receiving side ended first.
    #[error("the run was ended while the collector was still reading")]
    SinkClosed,
    /// The operating system refused what the collector cannot do without.
    #[error("{what} is not possible on this host: {source}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Context {
    /// The present instant, by the clock of the run.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// Whether the run is to end early.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Progress {
    /// Adds to the places known to be asked for.
    pub fn ask(&self, places: u64) {
        self.asked.fetch_add(places, Ordering::Relaxed);
    }

    /// Adds to the places done with.
    pub fn finish(&self, places: u64) {
        self.done.fetch_add(places, Ordering::Relaxed);
    }
}

impl Sink {
    /// A sink that holds this many observations, and the end to take them from.
    #[must_use]
    pub fn bounded(observations: usize) -> (Self, mpsc::Receiver<Observation>) {
        let (sender, receiver) = mpsc::channel(observations);
        (Self(sender), receiver)
    }

    /// Hands in one observation, waiting for room.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub async fn send(&self, observation: Observation) -> Result<(), CollectError> {
        self.0.send(observation).await.map_err(|_| CollectError::SinkClosed)
    }

    /// Hands in one observation from a thread of its own, waiting for room.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub fn send_blocking(&self, observation: Observation) -> Result<(), CollectError> {
        self.0.blocking_send(observation).map_err(|_| CollectError::SinkClosed)
    }
}
