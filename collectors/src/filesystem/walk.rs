//! Walks the trees with several threads and opens what lies in them.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pki_inventory::{Coverage, Gap, GapReason, Observation, Place};
use rustix::fs::FileType;
use rustix::io::Errno;

use super::NAME;
use super::boundaries::{Boundaries, Entry, Root};
use super::content::Eye;
use super::links;
use super::opening::{self, Unopened};
use super::owners::Owners;
use super::parallel::{self, Visitor};
use super::report::FileReport;
use crate::{CollectError, Context, Sink};

/// What the threads of one walk share.
struct Shared {
    cx: Context,
    out: Sink,
    boundaries: Boundaries,
    owners: Owners,
    counts: Counts,
    /// Nobody takes observations any more.
    closed: AtomicBool,
}

/// Places of one root.
#[derive(Debug, Default)]
struct Counts {
    read: AtomicU64,
    not_read: AtomicU64,
    octets: AtomicU64,
}

/// Places after which a thread adds to the shared counts.
const BATCH: u64 = 256;

/// Walks every root of the scope, one after the other.
///
/// # Errors
///
/// When nobody takes observations any more.
pub(super) fn walk(cx: &Context, out: &Sink) -> Result<(), CollectError> {
    let (boundaries, roots) = Boundaries::of(&cx.filesystem);
    let shared = Shared {
        cx: cx.clone(),
        out: out.clone(),
        boundaries,
        owners: Owners::of_this_host(),
        counts: Counts::default(),
        closed: AtomicBool::new(false),
    };
    for root in &roots {
        shared.walk_root(root);
        if shared.closed.load(Ordering::Relaxed) {
            return Err(CollectError::SinkClosed);
        }
        let coverage = shared.counts.take(cx.now());
        let (collector, scope) = (NAME.to_owned(), root.written.clone());
        out.send_blocking(Observation::Covered { collector, scope, coverage })?;
    }
    Ok(())
}

impl Counts {
    fn take(&self, finished: pki_inventory::Time) -> Coverage {
        let [read, not_read, octets] = [&self.read, &self.not_read, &self.octets]
            .map(|count| count.swap(0, Ordering::Relaxed));
        Coverage { finished, asked: read + not_read, read, not_read, octets }
    }
}

impl Shared {
    fn walk_root(&self, root: &Root) {
        let path = match &root.path {
            Ok(path) => path,
            Err(error) => {
                let place = std::path::absolute(&root.written)
                    .unwrap_or_else(|_| root.written.clone().into());
                let (reason, detail) = match error.kind() {
                    io::ErrorKind::NotFound => (
                        GapReason::ReadFailed,
                        "does not exist; check the path in the scope".to_owned(),
                    ),
                    _ => failure(error),
                };
                return self.missed(&place, reason, detail);
            }
        };
        match self.boundaries.enter_root(path) {
            Entry::Enter => {}
            Entry::Leave => return,
            Entry::Report(detail) => return self.missed(path, GapReason::OtherFilesystem, detail),
        }
        match path.symlink_metadata() {
            _ if self.is_over() => {}
            Ok(metadata) if metadata.is_dir() => {
                let threads = self.cx.filesystem.threads.max(1);
                parallel::walk(path, threads, || Worker::new(self));
            }
            Ok(metadata) => {
                Worker::new(self).visit(path, FileType::from_raw_mode(metadata.mode()));
            }
            Err(error) => {
                let (reason, detail) = failure(&error);
                self.missed(path, reason, detail);
            }
        }
        if self.cx.is_cancelled() {
            let detail = "the run was ended before all of it was read".to_owned();
            self.missed(path, GapReason::RunEnded, detail);
        }
    }

    /// Reports a place that was not read, and counts it.
    fn missed(&self, path: &Path, reason: GapReason, detail: String) {
        self.counts.not_read.fetch_add(1, Ordering::Relaxed);
        self.cx.progress.ask(1);
        self.cx.progress.finish(1);
        self.gap(path, reason, detail);
    }

    fn gap(&self, path: &Path, reason: GapReason, detail: String) {
        let now = self.cx.now();
        let gap = Gap {
            place: Place::file(path),
            collector: NAME.to_owned(),
            reason,
            detail,
            first_seen: now,
            last_seen: now,
        };
        self.check(self.out.send_blocking(Observation::Missed(gap)));
    }

    fn check(&self, sent: Result<(), CollectError>) {
        if sent.is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.cx.is_cancelled()
    }
}

/// One thread, with counts that are not shared yet.
struct Worker<'s> {
    shared: &'s Shared,
    eye: Eye,
    places: u64,
    read: u64,
    octets: u64,
}

impl Visitor for Worker<'_> {
    fn is_over(&self) -> bool {
        self.shared.is_over()
    }

    fn enters(&mut self, folder: &Path) -> bool {
        match self.shared.boundaries.enter(folder) {
            Entry::Enter => true,
            Entry::Leave => false,
            Entry::Report(detail) => {
                self.shared.missed(folder, GapReason::OtherFilesystem, detail);
                false
            }
        }
    }

    /// A panic costs one file: strangers wrote what is read here.
    fn visit(&mut self, path: &Path, kind: FileType) {
        if self.shared.boundaries.excludes(path) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| self.entry(path, kind))).is_err() {
            // The next file does not look at what this one left behind, but it may be a secret.
            self.eye.wipe();
            let detail = "the reader broke down on this file; please report it".to_owned();
            self.shared.missed(path, GapReason::CollectorFailed, detail);
        }
        if self.places >= BATCH {
            self.settle();
        }
    }

    fn unlisted(&mut self, path: &Path, error: &io::Error) {
        let (reason, detail) = failure(error);
        self.shared.missed(path, reason, detail);
    }
}

impl<'s> Worker<'s> {
    fn new(shared: &'s Shared) -> Self {
        Self { shared, eye: Eye::new(), places: 0, read: 0, octets: 0 }
    }

    fn entry(&mut self, path: &Path, kind: FileType) {
        let what = match kind {
            // Its content comes by itself.
            FileType::Directory => return,
            FileType::Symlink => return self.link(path),
            FileType::RegularFile => return self.file(path),
            FileType::Fifo => "a FIFO",
            FileType::Socket => "a socket",
            FileType::BlockDevice | FileType::CharacterDevice => "a device",
            FileType::Unknown => "not a file",
        };
        self.shared.missed(path, GapReason::NotRegularFile, irregular(what));
    }

    /// What lies behind a link out of the scope was not asked for, and behind a loop lies nothing:
    /// neither counts as a place, or a walk of `/etc` alone would seem to have missed most of it.
    fn link(&self, path: &Path) {
        match links::judge(path, &self.shared.boundaries) {
            None => {}
            Some((reason @ (GapReason::LinkOutOfScope | GapReason::LinkLoop), detail)) => {
                self.shared.gap(path, reason, detail);
            }
            Some((reason, detail)) => self.shared.missed(path, reason, detail),
        }
    }

    fn file(&mut self, path: &Path) {
        let (mut file, metadata) = match opening::file(path) {
            Ok(opened) => opened,
            Err(Unopened::Gone) => return,
            Err(Unopened::Irregular) => {
                let detail = irregular("no longer a regular file");
                return self.shared.missed(path, GapReason::NotRegularFile, detail);
            }
            Err(Unopened::Failed(error)) => {
                let (reason, detail) = failure(&error);
                return self.shared.missed(path, reason, detail);
            }
        };
        let shared = self.shared;
        let mut report = FileReport::new(&shared.cx, &shared.out, path);
        let describe = |report: &mut FileReport<'_>| report.describe(&metadata, &shared.owners);
        let most = shared.cx.filesystem.max_file_bytes;
        match self.eye.look(&mut file, &metadata, path, most, describe, &mut report) {
            Ok(octets) => self.octets += octets,
            Err(error) => {
                let (reason, detail) = failure(&error);
                report.gap(reason, detail);
            }
        }
        let read = report.finish();
        self.places += 1;
        match read {
            Ok(read) => self.read += u64::from(read),
            Err(closed) => shared.check(Err(closed)),
        }
    }

    /// Adds what this thread counted to what all count.
    fn settle(&mut self) {
        let shared = self.shared;
        let not_read = self.places - self.read;
        shared.counts.read.fetch_add(self.read, Ordering::Relaxed);
        shared.counts.not_read.fetch_add(not_read, Ordering::Relaxed);
        shared.counts.octets.fetch_add(self.octets, Ordering::Relaxed);
        shared.cx.progress.ask(self.places);
        shared.cx.progress.finish(self.places);
        (self.places, self.read, self.octets) = (0, 0, 0);
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.settle();
    }
}

fn irregular(what: &str) -> String {
    format!("{what}; opening it could wait for ever or change something")
}

/// Reason and sentence for an error of the operating system.
fn failure(error: &io::Error) -> (GapReason, String) {
    match error.kind() {
        io::ErrorKind::PermissionDenied => (
            GapReason::PermissionDenied,
            "permission denied; run as root or give the agent CAP_DAC_READ_SEARCH".to_owned(),
        ),
        _ if Errno::from_io_error(error) == Some(Errno::LOOP) => {
            (GapReason::LinkLoop, "too many links on the way to it".to_owned())
        }
        _ => (GapReason::ReadFailed, format!("could not be read: {error}")),
    }
}
