//! Walks one tree with several threads, in memory that does not grow with the largest folder.
//!
//! Folders are listed as a stream. Of those still to be listed only the names are kept, the deepest
//! taken first; files are handled by whoever lists their folder. In a large folder the names of
//! files are handed to other threads in parcels, as long as few enough lie waiting. Published
//! walkers keep every entry of a folder before they hand out the first.

use std::ffi::{CStr, OsStr};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, FileType, RawDir};
use rustix::io::Errno;

use super::opening::{self, Unopened};

/// What one thread does with what it is shown. Paths are the root's with names behind it.
pub(super) trait Visitor {
    /// Whether the walk is to end.
    fn is_over(&self) -> bool;

    /// Whether to list this folder, which is not the root.
    fn enters(&mut self, folder: &Path) -> bool;

    /// Something that is not a folder.
    fn visit(&mut self, path: &Path, kind: FileType);

    /// A folder that could not be listed, or not to its end.
    fn unlisted(&mut self, path: &Path, error: &io::Error);
}

/// Names in one parcel.
const PARCEL: usize = 64;

/// Parcels of files that wait, for each thread.
const WAITING: usize = 4;

/// Octets for the names that the kernel gives at once.
const LISTING: usize = 32 * 1024;

/// Shows everything below a folder to the visitors of so many threads, this one among them. Returns
/// when all have ended; a panic in one ends the others and goes on here.
pub(super) fn walk<V: Visitor>(root: &Path, threads: usize, visitor: impl Fn() -> V + Sync) {
    let queue = Queue {
        state: Mutex::new(State { root: Some(root.to_path_buf()), ..State::default() }),
        change: Condvar::new(),
        most_parcels: threads * WAITING,
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let (queue, visitor) = (&queue, &visitor);
            let work = move || Worker::new(queue, visitor()).run();
            if let Err(error) = std::thread::Builder::new().spawn_scoped(scope, work) {
                tracing::warn!(%error, "Reading with fewer threads than asked for.");
                break;
            }
        }
        Worker::new(&queue, visitor()).run();
    });
}

/// What is still to do, shared by all threads.
struct Queue {
    state: Mutex<State>,
    change: Condvar,
    most_parcels: usize,
}

#[derive(Default)]
struct State {
    root: Option<PathBuf>,
    folders: Vec<Parcel>,
    files: Vec<Parcel>,
    /// Threads that have something to do, and may find more.
    busy: usize,
    waiting: usize,
    /// A thread broke down.
    broken: bool,
}

/// Names in one folder, packed: a folder may hold millions.
struct Parcel {
    folder: Arc<Path>,
    /// Each name with its kind before it and a zero behind it.
    packed: Vec<u8>,
    names: usize,
}

enum Task {
    Root(PathBuf),
    Folder(PathBuf),
    Files(Parcel),
}

/// A task under way. Dropping it says that it is done, also when it panics.
struct UnderWay<'q>(&'q Queue);

impl Queue {
    /// The next task; `None` when there is none and nobody is left to find one.
    fn next(&self) -> Option<(Task, UnderWay<'_>)> {
        let mut state = self.lock();
        loop {
            if state.broken {
                return None;
            }
            if let Some(task) = state.take() {
                state.busy += 1;
                return Some((task, UnderWay(self)));
            }
            if state.busy == 0 {
                return None;
            }
            state.waiting += 1;
            state = self.change.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    fn add_folders(&self, parcel: Parcel) {
        let mut state = self.lock();
        state.folders.push(parcel);
        self.tell(&state);
    }

    /// Gives the parcel back when there are enough.
    fn add_files(&self, parcel: Parcel) -> Result<(), Parcel> {
        let mut state = self.lock();
        if state.files.len() >= self.most_parcels {
            return Err(parcel);
        }
        state.files.push(parcel);
        self.tell(&state);
        Ok(())
    }

    fn tell(&self, state: &State) {
        if state.waiting > 0 {
            self.change.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can break off half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Task> {
        if let Some(parcel) = self.files.pop() {
            return Some(Task::Files(parcel));
        }
        if let Some(root) = self.root.take() {
            return Some(Task::Root(root));
        }
        let parcel = self.folders.last_mut()?;
        let folder = parcel.pop();
        if parcel.names == 0 {
            self.folders.pop();
        }
        Some(Task::Folder(folder))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.busy -= 1;
        state.broken |= std::thread::panicking();
        if state.busy == 0 || state.broken {
            self.0.change.notify_all();
        }
    }
}

impl Parcel {
    fn new(folder: &Arc<Path>) -> Self {
        Self { folder: Arc::clone(folder), packed: Vec::new(), names: 0 }
    }

    fn push(&mut self, kind: FileType, name: &CStr) {
        self.packed.push(code(kind));
        self.packed.extend_from_slice(name.to_bytes_with_nul());
        self.names += 1;
    }

    /// Takes the last name off, as a path. There has to be one.
    fn pop(&mut self) -> PathBuf {
        self.packed.pop();
        let start = memchr::memrchr(0, &self.packed).map_or(0, |end| end + 1);
        let path = self.folder.join(OsStr::from_bytes(&self.packed[start + 1..]));
        self.packed.truncate(start);
        self.names -= 1;
        path
    }

    /// Every name with its kind, in the order they were put in.
    fn names(&self) -> impl Iterator<Item = (FileType, &OsStr)> {
        let mut rest = self.packed.as_slice();
        std::iter::from_fn(move || {
            let (&code, tail) = rest.split_first()?;
            let end = memchr::memchr(0, tail)?;
            rest = &tail[end + 1..];
            Some((kind(code), OsStr::from_bytes(&tail[..end])))
        })
    }
}

/// A kind as it stands in a parcel.
fn code(kind: FileType) -> u8 {
    match kind {
        FileType::RegularFile => b'f',
        FileType::Directory => b'd',
        FileType::Symlink => b'l',
        FileType::Fifo => b'p',
        FileType::Socket => b's',
        FileType::CharacterDevice => b'c',
        FileType::BlockDevice => b'b',
        FileType::Unknown => b'?',
    }
}

fn kind(code: u8) -> FileType {
    match code {
        b'f' => FileType::RegularFile,
        b'd' => FileType::Directory,
        b'l' => FileType::Symlink,
        b'p' => FileType::Fifo,
        b's' => FileType::Socket,
        b'c' => FileType::CharacterDevice,
        b'b' => FileType::BlockDevice,
        _ => FileType::Unknown,
    }
}

/// One thread of the walk.
struct Worker<'q, V> {
    queue: &'q Queue,
    visitor: V,
}

impl<'q, V: Visitor> Worker<'q, V> {
    fn new(queue: &'q Queue, visitor: V) -> Self {
        Self { queue, visitor }
    }

    fn run(mut self) {
        let mut listing = Vec::with_capacity(LISTING);
        while let Some((task, _under_way)) = self.queue.next() {
            if self.visitor.is_over() {
                return;
            }
            match task {
                Task::Root(root) => self.list(&root, &mut listing),
                Task::Folder(folder) if self.visitor.enters(&folder) => {
                    self.list(&folder, &mut listing);
                }
                Task::Folder(_) => {}
                Task::Files(parcel) => {
                    let _ = self.handle(&parcel);
                }
            }
        }
    }

    fn list(&mut self, path: &Path, listing: &mut Vec<u8>) {
        let opened = match opening::folder(path) {
            Ok(opened) => opened,
            Err(Unopened::Failed(error)) => return self.visitor.unlisted(path, &error),
            Err(Unopened::Gone | Unopened::Irregular) => return,
        };
        let folder: Arc<Path> = path.into();
        let mut folders = Parcel::new(&folder);
        let mut files = Parcel::new(&folder);
        let mut entries = RawDir::new(&opened, listing.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::NOENT) => break,
                Err(error) => {
                    self.visitor.unlisted(path, &error.into());
                    break;
                }
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                // readdir(3): not every filesystem says it.
                match rustix::fs::statat(&opened, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(facts) => kind = FileType::from_raw_mode(facts.st_mode),
                    Err(Errno::NOENT) => continue,
                    Err(error) => {
                        let path = path.join(OsStr::from_bytes(name.to_bytes()));
                        self.visitor.unlisted(&path, &error.into());
                        continue;
                    }
                }
            }
            if kind == FileType::Directory {
                folders.push(kind, name);
            } else {
                files.push(kind, name);
            }
            if folders.names >= PARCEL {
                let full = std::mem::replace(&mut folders, Parcel::new(&folder));
                self.queue.add_folders(full);
            }
            if files.names >= PARCEL {
                let full = std::mem::replace(&mut files, Parcel::new(&folder));
                let Err(full) = self.queue.add_files(full) else { continue };
                if folders.names > 0 {
                    // For others, while this one is busy.
                    let found = std::mem::replace(&mut folders, Parcel::new(&folder));
                    self.queue.add_folders(found);
                }
                if self.handle(&full).is_break() {
                    return;
                }
            }
        }
        if folders.names > 0 {
            self.queue.add_folders(folders);
        }
        // Not held open while the files are read: trees may be deep and limits low.
        drop(opened);
        let _ = self.handle(&files);
    }

    fn handle(&mut self, parcel: &Parcel) -> ControlFlow<()> {
        let mut path = parcel.folder.to_path_buf();
        for (kind, name) in parcel.names() {
            if self.visitor.is_over() {
                return ControlFlow::Break(());
            }
            path.push(name);
            self.visitor.visit(&path, kind);
            path.pop();
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::ThreadId;
    use std::time::Duration;

    use super::*;

    /// Writes down what it is shown, and by which thread.
    struct Log<'a> {
        seen: &'a Mutex<BTreeMap<PathBuf, Vec<ThreadId>>>,
        pause: Duration,
        /// Files until it breaks down, and until it wants no more.
        breaks: &'a AtomicUsize,
        over: &'a AtomicUsize,
    }

    impl Visitor for Log<'_> {
        fn is_over(&self) -> bool {
            self.over.load(Ordering::SeqCst) == 0
        }

        fn enters(&mut self, folder: &Path) -> bool {
            !folder.ends_with("left out")
        }

        fn visit(&mut self, path: &Path, _kind: FileType) {
            std::thread::sleep(self.pause);
            let _ =
                self.over.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            assert!(self.breaks.fetch_sub(1, Ordering::SeqCst) > 0, "it was told to break down");
            let mut seen = self.seen.lock().expect("nobody breaks down with it");
            seen.entry(path.to_path_buf()).or_default().push(std::thread::current().id());
        }

        fn unlisted(&mut self, path: &Path, error: &io::Error) {
            panic!("{path:?}: {error}");
        }
    }

    fn go(
        root: &Path,
        threads: usize,
        pause: Duration,
        breaks: usize,
        over: usize,
    ) -> (BTreeMap<PathBuf, Vec<ThreadId>>, bool) {
        let (seen, breaks, over) =
            (Mutex::default(), AtomicUsize::new(breaks), AtomicUsize::new(over));
        let log = || Log { seen: &seen, pause, breaks: &breaks, over: &over };
        let ended = catch_unwind(AssertUnwindSafe(|| walk(root, threads, log))).is_ok();
        (seen.into_inner().expect("nobody holds it"), ended)
    }

    /// 500 files in one folder, 300 folders beside each other, and 60 inside of each other.
    fn tree() -> (tempfile::TempDir, BTreeSet<PathBuf>) {
        let tree = tempfile::tempdir().expect("a folder");
        let mut files = BTreeSet::new();
        let mut write = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            std::fs::write(&path, "").expect("a file");
            files.insert(path);
        };
        let mut deep = tree.path().to_path_buf();
        for number in 0..500 {
            write(tree.path().join("many").join(number.to_string()));
            if number < 300 {
                write(tree.path().join(format!("wide/{number}/a name with\nall kinds of \u{fc}")));
            }
            if number < 60 {
                deep.push("deep");
                write(deep.join("file"));
            }
        }
        std::fs::create_dir(tree.path().join("left out")).expect("a folder");
        std::fs::write(tree.path().join("left out/file"), "").expect("a file");
        (tree, files)
    }

    #[test]
    fn everything_is_shown_once_whatever_the_number_of_threads() {
        let (tree, files) = tree();
        for threads in [1, 2, 7] {
            let (seen, ended) = go(tree.path(), threads, Duration::ZERO, usize::MAX, usize::MAX);
            assert!(ended && seen.values().all(|threads| threads.len() == 1));
            assert_eq!(seen.into_keys().collect::<BTreeSet<_>>(), files, "{threads}");
        }
    }

    #[test]
    fn one_large_folder_is_handled_by_several_threads() {
        let (tree, _) = tree();
        let (seen, _) =
            go(&tree.path().join("many"), 4, Duration::from_millis(1), usize::MAX, usize::MAX);
        let threads: BTreeSet<String> =
            seen.values().flatten().map(|thread| format!("{thread:?}")).collect();
        assert_eq!(seen.len(), 500);
        assert!(threads.len() > 1);
    }

    #[test]
    fn a_thread_that_breaks_down_ends_the_walk_and_hangs_nobody() {
        let (tree, files) = tree();
        for threads in [1, 2, 7] {
            let (seen, ended) = go(tree.path(), threads, Duration::ZERO, 100, usize::MAX);
            assert!(!ended && seen.len() < files.len(), "{threads}");
            let (seen, ended) = go(tree.path(), threads, Duration::ZERO, usize::MAX, 100);
            assert!(ended && seen.len() < 100 + threads, "{threads}: {}", seen.len());
        }
    }
}
