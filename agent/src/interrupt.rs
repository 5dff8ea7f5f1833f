//! Interrupts: the first one during a scan ends it in good order, any other ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a program ended by an interrupt, as shells count (128 + SIGINT).
const INTERRUPTED: i32 = 130;

/// Watches for SIGINT and SIGTERM from a thread of its own, for as long as the program runs.
pub struct Interrupt {
    scanning: Arc<AtomicBool>,
    cancelled: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to watch, with a scan under way.
    pub fn watch() -> Self {
        let (scanning, cancelled) =
            (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let (during, cancel) = (Arc::clone(&scanning), Arc::clone(&cancelled));
        // Without the thread an interrupt ends the program at once, which loses nothing either.
        let _ = std::thread::Builder::new()
            .name("interrupts".to_owned())
            .spawn(move || watch(&during, &cancel));
        Self { scanning, cancelled }
    }

    /// Set by the first interrupt of a scan.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Whether the scan is to end early.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// The scan is over: from now on an interrupt ends the program.
    pub fn scan_is_over(&self) {
        self.scanning.store(false, Ordering::Relaxed);
    }
}

fn watch(scanning: &AtomicBool, cancelled: &AtomicBool) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !scanning.load(Ordering::Relaxed) || cancelled.swap(true, Ordering::Relaxed) {
                #[expect(clippy::disallowed_methods, reason = "the store survives it, by design")]
                std::process::exit(INTERRUPTED);
            }
            tracing::warn!("Ending early; what was found is kept. Once more ends at once.");
        }
    });
}
