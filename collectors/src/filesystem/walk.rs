//! Walks the trees with several threads and opens what lies in them.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pki_encodings::Report as _;
use pki_inventory::{Coverage, FileFacts, Gap, GapReason, Observation, Place, Time};
use pki_keystores::Purse;
use rustix::fs::FileType;
use rustix::io::Errno;

use super::NAME;
use super::boundaries::{Boundaries, Entry, Root};
use super::content::{Eye, Look};
use super::layout::{self, Folder, Image};
use super::opening::{self, Unopened};
use super::owners::Owners;
use super::parallel::{self, Visitor};
use super::report::{FileReport, Reported};
use super::state::{self, Above};
use super::{archive, declared, links, priority};
use crate::{CollectError, Context, FileState, Seen, Sink};

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
    unchanged: AtomicU64,
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
    // Threads take over the priority of the one that starts them. This one is lent to us and will
    // have other things to do.
    std::thread::scope(|scope| {
        let all = || {
            priority::lower(&cx.filesystem);
            shared.walk_roots(&roots)
        };
        match std::thread::Builder::new().spawn_scoped(scope, all) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => shared.walk_roots(&roots),
        }
    })
}

impl Counts {
    fn take(&self, finished: Time) -> Coverage {
        let [read, not_read, octets, unchanged] =
            [&self.read, &self.not_read, &self.octets, &self.unchanged]
                .map(|count| count.swap(0, Ordering::Relaxed));
        Coverage { finished, asked: read + not_read, read, not_read, octets, unchanged }
    }
}

impl Shared {
    fn walk_roots(&self, roots: &[Root]) -> Result<(), CollectError> {
        for root in roots {
            self.walk_root(root);
            if self.closed.load(Ordering::Relaxed) {
                return Err(CollectError::SinkClosed);
            }
            let coverage = self.counts.take(self.cx.now());
            let (collector, scope) = (NAME.to_owned(), root.written.clone());
            self.out.send_blocking(Observation::Covered { collector, scope, coverage })?;
        }
        Ok(())
    }

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

    fn look<'w>(&'w self, path: &'w Path, purse: &'w Purse) -> Look<'w> {
        Look { cx: &self.cx, out: &self.out, boundaries: &self.boundaries, path, purse }
    }

    fn facts(&self, file: &File, metadata: &Metadata, above: Option<&Path>) -> FileFacts {
        state::facts(file, metadata, &self.owners, &self.boundaries.mounts, above)
    }

    fn is_over(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.cx.is_cancelled()
    }
}

/// One thread, with counts that are not shared yet.
struct Worker<'s> {
    shared: &'s Shared,
    eye: Eye,
    above: Above,
    places: u64,
    read: u64,
    octets: u64,
    unchanged: u64,
    /// The image in a folder that was met last.
    image: Option<Image>,
    /// Files that need not be read again the next time, as the context remembers them.
    seen: Vec<u64>,
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
        if !self.shared.boundaries.asks_for(path) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| self.entry(path, kind))).is_err() {
            // Buffers that were in use are gone, and were wiped on the way.
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
        Self {
            shared,
            eye: Eye::default(),
            above: Above::default(),
            places: 0,
            read: 0,
            octets: 0,
            unchanged: 0,
            image: None,
            seen: Vec::new(),
        }
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
        if pki_automation::recognise_link(path) {
            let shared = self.shared;
            let mut report = FileReport::new(&shared.cx, &shared.out, path);
            declared::link(path, &shared.boundaries, &mut report);
            shared.check(report.finish().map(|_| ()));
        }
        match links::judge(path, &self.shared.boundaries) {
            None => {}
            Some((reason @ (GapReason::LinkOutOfScope | GapReason::LinkLoop), detail)) => {
                self.shared.gap(path, reason, detail);
            }
            Some((reason, detail)) => self.shared.missed(path, reason, detail),
        }
    }

    /// The parts of an image in a folder are read where it is marked, layer by layer; everything
    /// else in its folder is a file like any other.
    fn file(&mut self, path: &Path) {
        let folder = layout::marked(path).or_else(|| layout::around(path));
        let Some(folder) = folder.filter(|_| self.shared.cx.filesystem.archives.open) else {
            return self.plain(path);
        };
        let image = match self.image.take() {
            Some(image) if image.folder == folder => image,
            _ => Image::of(folder, &self.shared.boundaries),
        };
        if !image.names(path) {
            self.plain(path);
        }
        if layout::marked(path).is_some() && !image.parts.is_empty() {
            self.image(folder, &image.parts);
        }
        self.image = Some(image);
    }

    fn image(&mut self, folder: &Path, parts: &BTreeSet<PathBuf>) {
        let shared = self.shared;
        let now = (shared.cx.wall_clock)();
        let Some(state) = state::of(&folder.join(layout::INDEX)) else { return };
        if self.is_unchanged(folder, &state) {
            return;
        }
        let mut report = FileReport::new(&shared.cx, &shared.out, folder);
        if let Ok((file, metadata)) = opening::file(&folder.join(layout::INDEX)) {
            report.describe(self.facts(folder, &file, &metadata));
        }
        let purse = Purse::default();
        let look = self.shared.look(folder, &purse);
        let mut files = Folder { path: folder, boundaries: &shared.boundaries };
        let read = archive::image(&mut self.eye, &look, &mut files, &mut report);
        let unread: Vec<&PathBuf> =
            parts.iter().filter(|part| !read.iter().any(|read| part.ends_with(read))).collect();
        if !unread.is_empty() {
            // They may be of an image the next time.
            report.depends_on_others();
        }
        self.conclude(folder, (state, now), report.finish());
        for path in unread {
            self.plain(path);
        }
    }

    fn plain(&mut self, path: &Path) {
        let now = (self.shared.cx.wall_clock)();
        if !self.shared.cx.seen.is_empty()
            && state::of(path).is_some_and(|state| self.is_unchanged(path, &state))
        {
            return;
        }
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
        let above = &mut self.above;
        let describe = |file: &File| shared.facts(file, &metadata, above.of(path));
        let purse = Purse::default();
        let look = shared.look(path, &purse);
        match self.eye.look(&look, &mut file, metadata.len(), describe, &mut report) {
            Ok(octets) => self.octets += octets,
            Err(error) => {
                let (reason, detail) = failure(&error);
                report.gap(reason, detail);
            }
        }
        self.conclude(path, (state::of_open(&metadata), now), report.finish());
    }

    /// Counts a file that was read and, unless it is to be read again in any case, keeps its state.
    fn conclude(
        &mut self,
        path: &Path,
        (state, asked): (FileState, Time),
        reported: Result<Reported, CollectError>,
    ) {
        self.places += 1;
        let reported = match reported {
            Ok(reported) => reported,
            Err(closed) => return self.shared.check(Err(closed)),
        };
        self.read += u64::from(reported.whole);
        if reported.lasting && !state::is_too_fresh(&state, asked) {
            let hash = self.hash(path, &state);
            self.seen.push(Seen::marked(hash, reported.anything, reported.whole));
        }
    }

    /// Whether an earlier run read this very file. Then what it reported is taken over.
    fn is_unchanged(&mut self, path: &Path, state: &FileState) -> bool {
        let hash = self.hash(path, state);
        let Some(before) = self.shared.cx.seen.before(hash) else { return false };
        self.places += 1;
        self.unchanged += u64::from(before.whole);
        self.read += u64::from(before.whole);
        self.seen.push(Seen::marked(hash, before.anything, before.whole));
        if before.anything {
            let place = Place::file(path);
            self.shared.check(self.shared.out.send_blocking(Observation::Unchanged(place)));
        }
        true
    }

    fn facts(&mut self, path: &Path, file: &File, metadata: &Metadata) -> FileFacts {
        self.shared.facts(file, metadata, self.above.of(path))
    }

    /// Who may enter the folders above is said of what was found in a file, so it is part of its
    /// state.
    fn hash(&mut self, path: &Path, state: &FileState) -> u64 {
        let above = self.above.of(path).map(|folder| folder.as_os_str().as_bytes());
        self.shared.cx.seen.hash(path.as_os_str().as_bytes(), state, above)
    }

    /// Adds what this thread counted to what all count.
    fn settle(&mut self) {
        let shared = self.shared;
        let not_read = self.places - self.read;
        shared.counts.read.fetch_add(self.read, Ordering::Relaxed);
        shared.counts.not_read.fetch_add(not_read, Ordering::Relaxed);
        shared.counts.octets.fetch_add(self.octets, Ordering::Relaxed);
        shared.counts.unchanged.fetch_add(self.unchanged, Ordering::Relaxed);
        shared.cx.seen.add(std::mem::take(&mut self.seen));
        shared.cx.progress.ask(self.places);
        shared.cx.progress.finish(self.places);
        (self.places, self.read, self.octets, self.unchanged) = (0, 0, 0, 0);
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
