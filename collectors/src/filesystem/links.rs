//! Symbolic links: never followed, and said where that leaves something unread.

use std::io;
use std::path::{Component, Path, PathBuf};

use pki_inventory::GapReason;
use rustix::io::Errno;

use super::boundaries::Boundaries;
use super::mounts::Nature;

/// What is to be said about a link: nothing, when what it leads to is read at its own place, does
/// not exist, or is nothing that could be read.
pub(super) fn judge(link: &Path, boundaries: &Boundaries) -> Option<(GapReason, String)> {
    let written = link.read_link().ok()?;
    let target = lexically(link, &written);
    // By the mount table first: following a link onto a dead share would block for good.
    match boundaries.mounts.above(&target) {
        Some(Nature::Pseudo(_)) => return None,
        // The filesystem is a gap itself where it begins, if it is in the scope.
        Some(Nature::Foreign(_)) if !boundaries.contains(&target) => {
            return Some(out_of_scope(&target));
        }
        Some(Nature::Foreign(_)) => return None,
        Some(Nature::Local) | None => {}
    }
    let target = match link.canonicalize() {
        Ok(target) => target,
        Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
            return Some((GapReason::LinkLoop, "the link leads back to itself".to_owned()));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let shown = written.display();
            return Some((
                GapReason::PermissionDenied,
                format!(
                    "the link leads to {shown}, which we may not reach; run as root or give the agent CAP_DAC_READ_SEARCH"
                ),
            ));
        }
        // Leads nowhere: there is nothing to read.
        Err(_) => return None,
    };
    if link.starts_with(&target) {
        let shown = target.display();
        return Some((
            GapReason::LinkLoop,
            format!("the link leads back to {shown}, a folder it lies in"),
        ));
    }
    if boundaries.contains(&target) {
        return None;
    }
    let metadata = target.metadata().ok()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return None;
    }
    match boundaries.nature(&target) {
        Nature::Pseudo(_) => None,
        Nature::Local | Nature::Foreign(_) => Some(out_of_scope(&target)),
    }
}

fn out_of_scope(target: &Path) -> (GapReason, String) {
    let shown = target.display();
    (
        GapReason::LinkOutOfScope,
        format!(
            "the link leads to {shown}, which is not in the scope; add it to the roots to have it read"
        ),
    )
}

/// Where a link leads by its text alone.
fn lexically(link: &Path, written: &Path) -> PathBuf {
    let mut target = link.parent().unwrap_or(Path::new("/")).to_path_buf();
    for component in written.components() {
        match component {
            Component::RootDir => target = PathBuf::from("/"),
            Component::ParentDir => {
                target.pop();
            }
            Component::Normal(name) => target.push(name),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    target
}
