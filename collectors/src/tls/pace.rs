//! New connections per second, over everything that is asked.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pki_config::Windows;
use pki_inventory::Time;
use tokio::time::{Instant, sleep_until};

/// Hands out turns at even distances, each a little earlier or later by chance: what comes to the
/// beat of a clock looks like an attack, and meets whatever else runs to the same beat. Turns that
/// nobody took are not saved up: a pause is not followed by a burst.
pub(super) struct Pace {
    distance: Duration,
    /// Share of the distance by which a turn may be moved.
    jitter: f64,
    next: Mutex<Instant>,
    windows: Windows,
    wall_clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// When the windows were last looked at and found open.
    open: Mutex<Option<Instant>>,
}

/// How often one who waits looks whether the run was ended.
const GLANCE: Duration = Duration::from_millis(100);

impl Pace {
    pub(super) fn new(
        connections_per_sec: u32,
        jitter_percent: u32,
        windows: Windows,
        wall_clock: Arc<dyn Fn() -> Time + Send + Sync>,
    ) -> Self {
        let distance = Duration::from_secs(1) / connections_per_sec.max(1);
        let jitter = f64::from(jitter_percent.min(100)) / 100.0;
        let next = Mutex::new(Instant::now());
        Self { distance, jitter, next, windows, wall_clock, open: Mutex::new(None) }
    }

    /// Waits for a turn and returns how long that took; `None` when the run was ended meanwhile,
    /// which with few turns and many waiting must not take until the turn.
    pub(super) async fn turn(&self, cancelled: &AtomicBool) -> Option<Duration> {
        let asked = Instant::now();
        if !self.windows.is_always() {
            self.wait_for_window(cancelled).await;
        }
        let base = {
            // Held for an addition; an error there is impossible, and would spoil nothing.
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let base = (*next).max(Instant::now());
            *next = base + self.distance;
            base
        };
        // Later only: the distances still come to the rate, and nothing comes too early.
        let mine = base + self.distance.mul_f64(self.jitter * chance());
        wait(mine, cancelled).await.then(|| asked.elapsed())
    }

    /// Waits while connections may not be opened. The clock is the one on the wall: a run may have
    /// its own set to another instant.
    async fn wait_for_window(&self, cancelled: &AtomicBool) {
        let open = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = open().is_none();
        while !cancelled.load(Ordering::Relaxed) {
            if open().is_some_and(|at| at.elapsed() < GLANCE) {
                return;
            }
            match self.windows.open_at((self.wall_clock)().0) {
                Ok(()) => *open() = Some(Instant::now()),
                Err(next) => {
                    *open() = None;
                    if told {
                        told = false;
                        let opens = Time(next);
                        tracing::warn!(%opens, "Outside of the windows; waiting for the next one.");
                    }
                    sleep_until(Instant::now() + GLANCE).await;
                }
            }
        }
    }
}

/// Waits until an instant; false when the run was ended meanwhile.
pub(super) async fn wait(until: Instant, cancelled: &AtomicBool) -> bool {
    while !cancelled.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now >= until {
            return true;
        }
        sleep_until(until.min(now + GLANCE)).await;
    }
    false
}

/// A number from 0 to 1 that nobody needs to be unable to guess.
pub(super) fn chance() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double has")]
    let share = bits as f64 / (1_u64 << 53) as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: u32, jitter: u32) -> Pace {
        Pace::new(rate, jitter, Windows::default(), Arc::new(|| Time(0)))
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(test);
    }

    #[test]
    fn turns_come_no_faster_than_asked_and_none_is_saved_up() {
        run(async {
            let (pace, going) = (pace(100, 0), AtomicBool::new(false));
            tokio::time::sleep(Duration::from_millis(200)).await;
            let start = Instant::now();
            for _ in 0..11 {
                assert!(pace.turn(&going).await.is_some());
            }
            assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
            assert_eq!(pace.turn(&AtomicBool::new(true)).await, None);
        });
    }

    #[test]
    fn jitter_moves_turns_and_keeps_the_rate() {
        run(async {
            let (pace, going) = (pace(1000, 100), AtomicBool::new(false));
            let start = Instant::now();
            for _ in 0..200 {
                assert!(pace.turn(&going).await.is_some());
            }
            // Two hundred turns of a millisecond, the last one moved by less than one more.
            assert!(start.elapsed() >= Duration::from_millis(199), "{:?}", start.elapsed());
        });
        let shares: Vec<f64> = (0..1000).map(|_| chance()).collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        assert!(shares.iter().any(|share| *share < 0.2) && shares.iter().any(|s| *s > 0.8));
    }
}
