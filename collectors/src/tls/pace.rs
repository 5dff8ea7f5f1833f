//! New connections per second, over everything that is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Hands out turns at even distances. Turns that nobody took are not saved up: a pause is not
/// followed by a burst.
#[derive(Debug)]
pub(super) struct Pace {
    distance: Duration,
    next: Mutex<Instant>,
}

/// How often one who waits looks whether the run was ended.
const GLANCE: Duration = Duration::from_millis(100);

impl Pace {
    pub(super) fn per_second(connections: u32) -> Self {
        let distance = Duration::from_secs(1) / connections.max(1);
        Self { distance, next: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn and returns how long that took; `None` when the run was ended meanwhile,
    /// which with few turns and many waiting must not take until the turn.
    pub(super) async fn turn(&self, cancelled: &AtomicBool) -> Option<Duration> {
        let asked = Instant::now();
        let mine = {
            // Held for an addition; an error there is impossible, and would spoil nothing.
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = (*next).max(asked);
            *next = mine + self.distance;
            mine
        };
        while !cancelled.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= mine {
                return Some(asked.elapsed());
            }
            sleep_until(mine.min(now + GLANCE)).await;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_no_faster_than_asked_and_none_is_saved_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let (pace, going) = (Pace::per_second(100), AtomicBool::new(false));
            tokio::time::sleep(Duration::from_millis(200)).await;
            let start = Instant::now();
            for _ in 0..11 {
                assert!(pace.turn(&going).await.is_some());
            }
            assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
            assert_eq!(pace.turn(&AtomicBool::new(true)).await, None);
        });
    }
}
