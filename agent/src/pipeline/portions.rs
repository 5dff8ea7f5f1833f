//! Takes what collectors hand in and parses it, on a thread of its own: the one that writes need not
//! wait for it, nor it for the writes.

use std::time::Duration;

use pki_collectors::Source;
use pki_inventory::{Digest, Observation, Place, Raw};
use pki_store::Batch;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout, timeout_at};

use crate::intake::Intake;
use crate::interrupt::Interrupt;

/// What is written at once, at most.
const BATCH: usize = 1000;
/// The same in octets of encodings, the last of them not counted: a revocation list may be large.
const BATCH_OCTETS: usize = 4 * 1024 * 1024;
/// Portions that may wait while one is being written. More would only be more memory.
pub(super) const AHEAD: usize = 1;
/// What is seen is written as soon as it is seen, and in a rush no sooner than this after the last
/// write: a transaction for each of thousands of records a second costs more than seeing them.
const PAUSE: Duration = Duration::from_millis(5);
/// How often somebody looks whether the run is to end.
const LOOK: Duration = Duration::from_millis(20);
/// A collector that hangs in the operating system may not hold up a run that is to end.
const GRACE: Duration = Duration::from_secs(10);

/// What is written together.
#[derive(Default)]
pub(super) struct Portion {
    /// What is known of logins.
    pub(super) logins: Vec<Login>,
    /// Everything but what is taken over from an earlier run.
    pub(super) batch: Batch,
    /// What came after what, for the lines.
    pub(super) order: Vec<Line>,
    /// Files that an earlier run has read and that are as they were.
    pub(super) unchanged: Vec<Place>,
}

/// What is known of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// It is about to be tried.
    Tried(Digest),
    /// It worked, or was not tried after all.
    Cleared(Digest),
}

/// What the next line is about.
pub(super) enum Line {
    Asset,
    Gap,
    Coverage,
}

/// Takes observations until every collector is done or nobody wants portions any more, parses each
/// encoding once, and hands on portions in the order in which everything came.
pub(super) fn hand_on(
    mut observations: Source,
    runtime: &Handle,
    interrupt: &Interrupt,
    portions: &Sender<Portion>,
) {
    let mut intake = Intake::default();
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
                    return;
                }
            }
            if portions.is_closed() {
                return;
            }
            continue;
        }
        let portion = portion(gathered.taken, &mut intake);
        if portions.blocking_send(portion).is_err() || gathered.is_last {
            return;
        }
        not_before = Instant::now() + PAUSE;
    }
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
    let mut octets = taken.iter().map(length).sum::<usize>();
    // A login that is about to be tried is kept at once: somebody waits for that.
    let is_login = |one: Option<&Observation>| matches!(one, Some(Observation::LoginTried(_)));
    while taken.len() < BATCH && octets < BATCH_OCTETS && !is_login(taken.last()) {
        // An instant that has passed means what is there already and no waiting.
        match timeout_at(not_before, observations.recv()).await {
            Ok(Some(next)) => {
                octets = octets.saturating_add(length(&next));
                taken.push(next);
            }
            Ok(None) => return Gathered { taken, is_last: true },
            Err(_) => break,
        }
    }
    Gathered { taken, is_last: false }
}

/// The octets of an encoding. Whatever else is in an observation is small.
fn length(observation: &Observation) -> usize {
    let Observation::Found { raw, .. } = observation else { return 0 };
    match raw {
        Raw::Certificate(der) | Raw::RevocationList(der) | Raw::SigningRequest(der) => der.len(),
        _ => 0,
    }
}

/// Sorts observations into a batch, and says in which order they came.
fn portion(taken: Vec<Observation>, intake: &mut Intake) -> Portion {
    let mut portion = Portion::default();
    let Portion { logins, batch, order, unchanged } = &mut portion;
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
            Observation::Unchanged(place) => unchanged.push(place),
            Observation::LoginTried(login) => logins.push(Login::Tried(login)),
            Observation::LoginCleared(login) => logins.push(Login::Cleared(login)),
            Observation::Covered { collector, scope, coverage } => {
                batch.coverage.push((collector, scope, coverage));
                order.push(Line::Coverage);
            }
        }
    }
    portion
}
