//! Progress on a terminal: done, known, rate and time left. Silent in a pipe.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use pki_collectors::Progress;

/// Shows the progress of a run until it is dropped.
pub struct Shown(Option<(ProgressBar, tokio::task::JoinHandle<()>)>);

impl Shown {
    /// Begins to show, if standard error is a terminal.
    pub fn begin(progress: Arc<Progress>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new(0);
        let style = "{spinner} {human_pos} of {human_len} places read, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        let shown = bar.clone();
        let ticker = tokio::spawn(async move {
            loop {
                shown.set_length(progress.asked.load(Ordering::Relaxed));
                shown.set_position(progress.done.load(Ordering::Relaxed));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self(Some((bar, ticker)))
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some((bar, ticker)) = self.0.take() {
            ticker.abort();
            bar.finish_and_clear();
        }
    }
}
