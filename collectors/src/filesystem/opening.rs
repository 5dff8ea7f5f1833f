//! Opens what was listed, and nothing that took its place since.
//!
//! Whoever owns a folder can swap it for a link while it is walked, and a link to `/dev` would make
//! us open a terminal or a tape. No part of a path may therefore be a link (openat2(2)); where the
//! kernel or its filter does not know that call, at least the last part is none.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Why there is no file to read.
#[derive(Debug)]
pub(super) enum Unopened {
    /// It vanished, or became a link, since it was listed: not there, so nothing was missed.
    Gone,
    /// It is no regular file any more.
    Irregular,
    /// The operating system did not let us.
    Failed(io::Error),
}

/// Opens a regular file for reading, without waiting for a writer, without becoming the terminal's
/// owner, and without leaving a trace in its access time where that is allowed.
pub(super) fn file(path: &Path) -> Result<(File, Metadata), Unopened> {
    let file = match open(path, OFlags::NONBLOCK | OFlags::NOCTTY) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Err(Unopened::Gone),
        Err(Errno::NXIO | Errno::NODEV) => return Err(Unopened::Irregular),
        Err(error) => return Err(Unopened::Failed(error.into())),
    };
    let metadata = file.metadata().map_err(Unopened::Failed)?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(Unopened::Irregular) }
}

/// Opens a folder to list it.
pub(super) fn folder(path: &Path) -> Result<OwnedFd, Unopened> {
    match open(path, OFlags::DIRECTORY) {
        Ok(folder) => Ok(folder),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Err(Unopened::Gone),
        Err(error) => Err(Unopened::Failed(error.into())),
    }
}

fn open(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    // open(2): only the owner may leave the access time alone.
    let attempt =
        |open: &dyn Fn(OFlags) -> Result<OwnedFd, Errno>| match open(flags | OFlags::NOATIME) {
            Err(Errno::PERM) => open(flags),
            other => other,
        };
    let strict =
        |flags| rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    match attempt(&strict) {
        // Older than Linux 5.6, or kept back by a filter on system calls.
        Err(Errno::NOSYS | Errno::PERM) => {
            attempt(&|flags| rustix::fs::open(path, flags, Mode::empty()))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_path_may_have_become_a_link() {
        let tree = tempfile::tempdir().expect("a folder");
        let top = tree.path().canonicalize().expect("its path");
        std::fs::create_dir_all(top.join("real/deep")).expect("folders");
        std::fs::write(top.join("real/deep/file"), "x").expect("a file");
        std::os::unix::fs::symlink("real", top.join("link")).expect("a link");
        assert!(file(&top.join("real/deep/file")).is_ok());
        assert!(folder(&top.join("real/deep")).is_ok());
        assert!(matches!(file(&top.join("link/deep/file")), Err(Unopened::Gone)));
        assert!(matches!(folder(&top.join("link/deep")), Err(Unopened::Gone)));
        assert!(matches!(folder(&top.join("link")), Err(Unopened::Gone)));
        assert!(matches!(file(&top.join("real")), Err(Unopened::Irregular)));
    }
}
