//! The state of a file: what `stat` tells, where it lies, and what is above it.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pki_inventory::{FileFacts, Time};
use rustix::fs::{AtFlags, CWD, FileType, Stat};

use super::mounts::Mounts;
use super::owners::Owners;
use crate::FileState;

/// A file may be written again within one tick of the clock that its times are taken from. One that
/// changed this shortly before it was read is read again next time (seconds).
const TOO_FRESH: i64 = 2;

/// The folder that files are read in and those above it, remembered from one file to the next: whole
/// trees lie behind the same few.
#[derive(Debug, Default)]
pub(super) struct Above {
    /// From the root on, each with whether nobody but its owner may enter it.
    folders: Vec<(PathBuf, bool)>,
}

impl Above {
    /// The nearest folder above a file that nobody but its owner may enter.
    pub(super) fn of(&mut self, path: &Path) -> Option<&Path> {
        let folder = path.parent()?;
        while self.folders.pop_if(|(known, _)| !folder.starts_with(known)).is_some() {}
        let known = self.folders.last().map(|(known, _)| known.as_path());
        let new: Vec<&Path> =
            folder.ancestors().take_while(|above| Some(*above) != known).collect();
        for above in new.into_iter().rev() {
            let closed = above.symlink_metadata().is_ok_and(|facts| facts.mode() & 0o011 == 0);
            self.folders.push((above.to_path_buf(), closed));
        }
        self.folders.iter().rev().find(|(_, closed)| *closed).map(|(above, _)| above.as_path())
    }
}

/// The state of a regular file, without opening it. `None` when it is none, or cannot be asked:
/// then opening it tells why.
pub(super) fn of(path: &Path) -> Option<FileState> {
    let facts: Stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return None;
    }
    // The widths of these fields are those of the machine.
    Some(FileState {
        device: facts.st_dev as u64,
        inode: facts.st_ino as u64,
        length: u64::try_from(facts.st_size).ok()?,
        written: (facts.st_mtime as i64, facts.st_mtime_nsec as u64),
        changed: (facts.st_ctime as i64, facts.st_ctime_nsec as u64),
    })
}

/// The same of a file that is open.
pub(super) fn of_open(facts: &Metadata) -> FileState {
    let part = |nanoseconds: i64| u64::try_from(nanoseconds).unwrap_or_default();
    FileState {
        device: facts.dev(),
        inode: facts.ino(),
        length: facts.len(),
        written: (facts.mtime(), part(facts.mtime_nsec())),
        changed: (facts.ctime(), part(facts.ctime_nsec())),
    }
}

/// Whether the file changed so shortly before that it could change again without a trace.
pub(super) fn is_too_fresh(state: &FileState, now: Time) -> bool {
    state.changed.0.max(state.written.0) > now.0 - TOO_FRESH
}

/// What is said of a file with everything that was found in it.
pub(super) fn facts(
    file: &File,
    metadata: &Metadata,
    owners: &Owners,
    mounts: &Mounts,
    above: Option<&Path>,
) -> FileFacts {
    FileFacts {
        owner: owners.user(metadata.uid()),
        group: owners.group(metadata.gid()),
        filesystem: mounts.type_of(metadata.dev()),
        access_list: has_access_list(file),
        behind: above.map(|folder| folder.to_string_lossy().into_owned()),
        ..FileFacts::of(
            metadata.mode() & 0o7777,
            metadata.uid(),
            metadata.gid(),
            Time(metadata.mtime()),
        )
    }
}

/// acl(5): lists that say more than the mode are kept in this attribute.
fn has_access_list(file: &File) -> bool {
    let mut nothing: [u8; 0] = [];
    rustix::fs::fgetxattr(file, "system.posix_acl_access", &mut nothing)
        .is_ok_and(|length| length > 0)
}
