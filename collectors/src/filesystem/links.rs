//! Symbolic links: never followed, and said where that leaves something unread.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use pki_inventory::GapReason;
use rustix::io::Errno;

use super::boundaries::Boundaries;
use super::mounts::{Mounts, Nature};

/// The most links on the way from one to its end (path_resolution(7)).
const MOST_HOPS: u32 = 40;

/// Where a path leads when every link in it is followed.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Here: absolute, without links, and it exists.
    To(PathBuf),
    /// Onto a filesystem that is not looked at; what lies behind is as the links say it.
    Onto(Nature, PathBuf),
    /// Nowhere.
    Lost,
    Forbidden,
    Loop,
}

/// What is to be said about a link: nothing, when what it leads to is read at its own place, does
/// not exist, or is nothing that could be read.
pub(super) fn judge(link: &Path, boundaries: &Boundaries) -> Option<(GapReason, String)> {
    let written = link.read_link().ok()?;
    // The way to the link itself was walked: it has no links in it, and may be looked at.
    let (folder, name) = (link.parent()?, link.file_name()?);
    let target = match follow(folder, name.as_ref(), &boundaries.mounts, &boundaries.roots) {
        Way::To(target) => target,
        // The filesystem is a gap itself where it begins, if it is in the scope.
        Way::Onto(Nature::Foreign(_), target) if !boundaries.contains(&target) => {
            return Some(out_of_scope(&target));
        }
        // Leads nowhere: there is nothing to read.
        Way::Onto(..) | Way::Lost => return None,
        Way::Loop => {
            return Some((GapReason::LinkLoop, "the link leads back to itself".to_owned()));
        }
        Way::Forbidden => {
            let shown = written.display();
            return Some((
                GapReason::PermissionDenied,
                format!(
                    "the link leads to {shown}, which we may not reach; run as root or give the agent CAP_DAC_READ_SEARCH"
                ),
            ));
        }
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
    let metadata = target.symlink_metadata().ok()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return None;
    }
    match boundaries.nature(&target) {
        Nature::Pseudo(_) => None,
        Nature::Local | Nature::Foreign(_) => Some(out_of_scope(&target)),
    }
}

/// Where an absolute path leads, as far as that can be told without touching a filesystem that is
/// not this host's; the path itself where it leads nowhere.
pub(super) fn destination(path: &Path, mounts: &Mounts, roots: &BTreeSet<PathBuf>) -> PathBuf {
    match follow(Path::new("/"), path, mounts, roots) {
        Way::To(target) | Way::Onto(_, target) => target,
        Way::Lost | Way::Forbidden | Way::Loop => path.to_path_buf(),
    }
}

/// Follows a path, name by name, from a folder without links. Before each name is looked at the
/// mount table is asked: looking onto a dead share blocks for good, and looking at an automount
/// point mounts it. The kernel would follow all links at once, without asking.
fn follow(from: &Path, path: &Path, mounts: &Mounts, roots: &BTreeSet<PathBuf>) -> Way {
    let mut reached = from.to_path_buf();
    let mut ahead: VecDeque<OsString> = names(path).collect();
    let mut hops = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            reached.pop();
            continue;
        }
        let next = reached.join(&name);
        match mounts.at(&next) {
            Some(Nature::Local) | None => {}
            // A share that was asked for is looked at anyway.
            Some(Nature::Foreign(_)) if roots.iter().any(|root| root.starts_with(&next)) => {}
            Some(nature) => return Way::Onto(nature.clone(), lexically(next, ahead)),
        }
        match rustix::fs::readlink(&next, Vec::new()) {
            Ok(text) => {
                hops += 1;
                if hops > MOST_HOPS {
                    return Way::Loop;
                }
                let text = PathBuf::from(OsString::from_vec(text.into_bytes()));
                if text.is_absolute() {
                    reached = PathBuf::from("/");
                }
                for name in names(&text).collect::<Vec<_>>().into_iter().rev() {
                    ahead.push_front(name);
                }
            }
            // readlink(2): "the named file is not a symbolic link".
            Err(Errno::INVAL) => reached = next,
            Err(Errno::ACCESS | Errno::PERM) => return Way::Forbidden,
            Err(Errno::LOOP) => return Way::Loop,
            Err(_) => return Way::Lost,
        }
    }
    Way::To(reached)
}

/// The names in a path; `..` is one.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

/// A path by its text alone.
fn lexically(start: PathBuf, names: impl IntoIterator<Item = OsString>) -> PathBuf {
    names.into_iter().fold(start, |mut path, name| {
        if name == ".." {
            path.pop();
        } else {
            path.push(name);
        }
        path
    })
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use pki_config::FilesystemScope;

    use super::*;

    #[test]
    fn a_share_behind_any_number_of_links_is_not_touched() {
        let tree = tempfile::tempdir().expect("a folder");
        let top = tree.path().canonicalize().expect("its path");
        std::fs::create_dir_all(top.join("root/folder")).expect("folders");
        let share = top.join("share");
        symlink("folder/hop", top.join("root/link")).expect("a link");
        symlink("../../root/last", top.join("root/folder/hop")).expect("a link");
        // Nothing lies there: who looks sees that, and says nothing.
        symlink(share.join("a/../b"), top.join("root/last")).expect("a link");
        let table = format!("22 1 0:99 / {} rw - nfs4 gone:/ rw\n", share.display());
        let mounts = || Mounts::of_table(table.as_bytes());
        let foreign = Nature::Foreign("nfs4".into());
        let onto = Way::Onto(foreign, share.join("b"));
        for link in ["root/link", "root/folder/hop", "root/last"] {
            assert_eq!(
                follow(Path::new("/"), &top.join(link), &mounts(), &BTreeSet::new()),
                onto,
                "{link}"
            );
        }
        assert_eq!(
            follow(&top, "root/link".as_ref(), &Mounts::default(), &BTreeSet::new()),
            Way::Lost
        );
        let scope = FilesystemScope {
            roots: vec![top.join("root")],
            exclude: vec![top.join("root/link")],
            ..FilesystemScope::default()
        };
        let (boundaries, _) = Boundaries::among(&scope, mounts());
        assert!(
            boundaries.excludes(&share.join("b")) && boundaries.excludes(&top.join("root/link"))
        );
        let (reason, detail) = judge(&top.join("root/link"), &boundaries).expect("a gap");
        assert_eq!(reason, GapReason::LinkOutOfScope);
        assert!(detail.contains(&share.join("b").display().to_string()), "{detail}");
    }

    #[test]
    fn a_link_on_a_share_that_was_asked_for_does_not_void_an_exclusion() {
        let tree = tempfile::tempdir().expect("a folder");
        let top = tree.path().canonicalize().expect("its path");
        std::fs::create_dir_all(top.join("share/real")).expect("folders");
        symlink("real", top.join("share/link")).expect("a link");
        let table = format!("22 1 0:99 / {}/share rw - nfs4 there:/ rw\n", top.display());
        for root in ["share", "share/real"] {
            let scope = FilesystemScope {
                roots: vec![top.join(root)],
                exclude: vec![top.join("share/link")],
                ..FilesystemScope::default()
            };
            let (boundaries, _) = Boundaries::among(&scope, Mounts::of_table(table.as_bytes()));
            assert!(boundaries.excludes(&top.join("share/real")), "{root}");
        }
    }

    #[test]
    fn links_lead_where_the_kernel_says() {
        let tree = tempfile::tempdir().expect("a folder");
        let top = tree.path().canonicalize().expect("its path");
        std::fs::create_dir_all(top.join("a/b/c")).expect("folders");
        std::fs::write(top.join("a/file"), "").expect("a file");
        for (link, target) in [
            ("up", "a/b/.."),
            ("through", "up/b/c/../../file"),
            ("absolute", &*top.join("through").to_string_lossy()),
            ("around", "around"),
            ("nowhere", "a/none"),
            ("file", "a/file/below"),
        ] {
            symlink(target, top.join(link)).expect("a link");
            let link = top.join(link);
            let way = follow(Path::new("/"), &link, &Mounts::default(), &BTreeSet::new());
            match link.canonicalize() {
                Ok(target) => assert_eq!(way, Way::To(target)),
                Err(_) => assert!(matches!(way, Way::Lost | Way::Loop), "{link:?}: {way:?}"),
            }
        }
        assert_eq!(
            follow(&top, "around".as_ref(), &Mounts::default(), &BTreeSet::new()),
            Way::Loop
        );
    }
}
