//! Walks the trees with several threads and opens what lies in them.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use pki_inventory::{Coverage, Gap, GapReason, Observation, Place};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::NAME;
use super::boundaries::{Boundaries, Entry, Root};
use super::content::Eye;
use super::links;
use super::owners::Owners;
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
    let shared = Arc::new(Shared {
        cx: cx.clone(),
        out: out.clone(),
        boundaries,
        owners: Owners::of_this_host(),
        counts: Counts::default(),
        closed: AtomicBool::new(false),
    });
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
    fn walk_root(self: &Arc<Self>, root: &Root) {
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
        let filter = Arc::clone(self);
        WalkBuilder::new(path)
            // Hidden files and what a version control ignores are where keys lie.
            .standard_filters(false)
            .follow_links(false)
            .threads(self.cx.filesystem.threads.max(1))
            .filter_entry(move |entry| filter.admits(entry))
            .build_parallel()
            .visit(&mut Workers { shared: Arc::clone(self) });
        if self.cx.is_cancelled() {
            let detail = "the run was ended before all of it was read".to_owned();
            self.missed(path, GapReason::LimitReached, detail);
        }
    }

    /// Asked for every entry before it is visited, and before a folder is opened. Crossing onto
    /// another filesystem is decided here rather than by the walker, which would do it silently.
    fn admits(&self, entry: &DirEntry) -> bool {
        if entry.file_type().is_none_or(|kind| !kind.is_dir()) {
            return !self.boundaries.excludes(entry.path());
        }
        match self.boundaries.enter(entry.path()) {
            Entry::Enter => true,
            Entry::Leave => false,
            Entry::Report(detail) => {
                self.missed(entry.path(), GapReason::OtherFilesystem, detail);
                false
            }
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

struct Workers {
    shared: Arc<Shared>,
}

impl<'s> ParallelVisitorBuilder<'s> for Workers {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 's> {
        let shared = Arc::clone(&self.shared);
        Box::new(Worker { shared, eye: Eye::new(), places: 0, read: 0, octets: 0 })
    }
}

/// One thread, with counts that are not shared yet.
struct Worker {
    shared: Arc<Shared>,
    eye: Eye,
    places: u64,
    read: u64,
    octets: u64,
}

impl ParallelVisitor for Worker {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.shared.is_over() {
            return WalkState::Quit;
        }
        match entry {
            Ok(entry) => self.entry(&entry),
            Err(error) => self.unlisted(&error),
        }
        if self.places >= BATCH {
            self.settle();
        }
        WalkState::Continue
    }
}

impl Worker {
    fn entry(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            // Its content comes by itself.
        } else if kind.is_symlink() {
            self.link(path);
        } else if kind.is_file() {
            self.file(path);
        } else {
            let what = match () {
                () if kind.is_fifo() => "a FIFO",
                () if kind.is_socket() => "a socket",
                () if kind.is_block_device() || kind.is_char_device() => "a device",
                () => "not a file",
            };
            self.shared.missed(path, GapReason::NotRegularFile, irregular(what));
        }
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
        let (mut file, metadata) = match open(path) {
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
        self.places += 1;
        if metadata.len() == 0 {
            self.read += 1;
            return;
        }
        let shared = &*self.shared;
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
        match report.finish() {
            Ok(true) => self.read += 1,
            Ok(false) => {}
            Err(closed) => shared.check(Err(closed)),
        }
    }

    /// A folder or an entry that the walker could not look at.
    fn unlisted(&mut self, error: &ignore::Error) {
        let (path, error) = dissect(error);
        let Some(error) = error else { return };
        if error.kind() == io::ErrorKind::NotFound {
            return;
        }
        let (reason, detail) = failure(error);
        let path = path.unwrap_or(Path::new("/"));
        self.shared.missed(path, reason, detail);
    }

    /// Adds what this thread counted to what all count.
    fn settle(&mut self) {
        let shared = &self.shared;
        let not_read = self.places - self.read;
        shared.counts.read.fetch_add(self.read, Ordering::Relaxed);
        shared.counts.not_read.fetch_add(not_read, Ordering::Relaxed);
        shared.counts.octets.fetch_add(self.octets, Ordering::Relaxed);
        shared.cx.progress.ask(self.places);
        shared.cx.progress.finish(self.places);
        (self.places, self.read, self.octets) = (0, 0, 0);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.settle();
    }
}

/// Why there is no file to read.
enum Unopened {
    /// It vanished, or became a link, since it was listed: not there, so nothing was missed.
    Gone,
    Irregular,
    Failed(io::Error),
}

/// Opens a regular file for reading, without waiting for a writer, without becoming the terminal's
/// owner, and without leaving a trace in its access time where that is allowed.
fn open(path: &Path) -> Result<(File, Metadata), Unopened> {
    let flags =
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let attempt = |flags| rustix::fs::open(path, flags, Mode::empty());
    // open(2): only the owner may leave the access time alone.
    let opened = match attempt(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => attempt(flags),
        other => other,
    };
    let file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Err(Unopened::Gone),
        Err(Errno::NXIO | Errno::NODEV) => return Err(Unopened::Irregular),
        Err(error) => return Err(Unopened::Failed(error.into())),
    };
    let metadata = file.metadata().map_err(Unopened::Failed)?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(Unopened::Irregular) }
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

/// Path and cause inside of the walker's error.
fn dissect(error: &ignore::Error) -> (Option<&Path>, Option<&io::Error>) {
    match error {
        ignore::Error::WithPath { path, err } => {
            let (inner, cause) = dissect(err);
            (inner.or(Some(path)), cause)
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            dissect(err)
        }
        ignore::Error::Io(cause) => (None, Some(cause)),
        _ => (None, None),
    }
}
