//! Progress on a terminal: done, rate and, where it can be told, time left. Silent in a pipe.
//!
//! How many files a tree holds is known when it has been walked. What the run before found in the
//! same scope tells it well enough; without one no time is promised.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use pki_collectors::Progress;

/// Shows the progress of a run until it is dropped.
pub struct Shown(Option<(ProgressBar, tokio::task::JoinHandle<()>)>);

impl Shown {
    /// Begins to show, if standard error is a terminal. `expected` is how many places there may be.
    pub fn begin(progress: Arc<Progress>, expected: Option<u64>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(0);
        let style = match expected {
            Some(_) => "{spinner} {human_pos} of about {human_len} places, {rate}/s, {eta} left",
            None => "{spinner} {human_pos} places, {rate}/s, {elapsed} so far",
        };
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.with_key("rate", rate));
        }
        let shown = bar.clone();
        let ticker = tokio::spawn(async move {
            loop {
                let asked = progress.asked.load(Ordering::Relaxed);
                shown.set_length(asked.max(expected.unwrap_or(0)));
                shown.set_position(progress.done.load(Ordering::Relaxed));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self(Some((bar, ticker)))
    }
}

/// Places a second, without the decimals that nobody reads.
fn rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // A text for a person that cannot be written is not worth ending a run.
    let _ = write!(out, "{:.0}", state.per_sec());
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some((bar, ticker)) = self.0.take() {
            ticker.abort();
            bar.finish_and_clear();
        }
    }
}
