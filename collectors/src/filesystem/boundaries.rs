//! What belongs to the scope: roots, exclusions, and the filesystems in between.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pki_config::{FilesystemScope, Globs};

use super::links;
use super::mounts::{Mounts, Nature};

/// A tree to walk.
#[derive(Debug)]
pub(super) struct Root {
    /// As the user wrote it.
    pub(super) written: String,
    /// Absolute and without links, or why it could not be made so.
    pub(super) path: Result<PathBuf, io::Error>,
}

/// The borders of the walk. Paths given to it are absolute and without links, which holds for
/// everything that is reached from a root without following one.
#[derive(Debug)]
pub(super) struct Boundaries {
    pub(super) roots: BTreeSet<PathBuf>,
    root_devices: BTreeSet<u64>,
    excluded: BTreeSet<PathBuf>,
    excluded_globs: Globs,
    included: Globs,
    one_filesystem: bool,
    network_filesystems: bool,
    pub(super) mounts: Mounts,
}

/// Whether a folder is entered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is.
    Enter,
    /// It is not, and that was asked for or goes without saying.
    Leave,
    /// It is not, which has to be said.
    Report(String),
}

impl Boundaries {
    /// Draws the borders, and resolves the roots on the way.
    pub(super) fn of(scope: &FilesystemScope) -> (Self, Vec<Root>) {
        Self::among(scope, Mounts::of_this_process())
    }

    /// The same with a given mount table.
    pub(super) fn among(scope: &FilesystemScope, mounts: Mounts) -> (Self, Vec<Root>) {
        let mut roots: Vec<Root> = Vec::new();
        for written in &scope.roots {
            let path = written.canonicalize();
            let again = |root: &Root| matches!((&root.path, &path), (Ok(a), Ok(b)) if a == b);
            // One tree under two names is walked once, under the first.
            if !roots.iter().any(again) {
                roots.push(Root { written: written.display().to_string(), path });
            }
        }
        let resolved: BTreeSet<PathBuf> =
            roots.iter().filter_map(|root| root.path.as_ref().ok().cloned()).collect();
        let root_devices = resolved
            .iter()
            .filter_map(|path| path.symlink_metadata().ok())
            .map(|metadata| metadata.dev())
            .collect();
        // Both the path as written and where it leads: a link in it must not void an exclusion. A
        // dead share is what one excludes, so it is not touched.
        let excluded = scope
            .exclude
            .iter()
            .filter_map(|path| std::path::absolute(path).ok())
            .flat_map(|path| [links::destination(&path, &mounts, &resolved), path])
            .collect();
        let boundaries = Self {
            roots: resolved,
            root_devices,
            excluded,
            excluded_globs: scope.exclude_globs.clone(),
            included: scope.include.clone(),
            one_filesystem: scope.one_filesystem,
            network_filesystems: scope.network_filesystems,
            mounts,
        };
        (boundaries, roots)
    }

    /// Whether this very path is excluded.
    pub(super) fn excludes(&self, path: &Path) -> bool {
        (!self.excluded.is_empty() && self.excluded.contains(path))
            || self.excluded_globs.matches(path)
    }

    /// Whether this path or one above it is excluded.
    pub(super) fn excludes_above(&self, path: &Path) -> bool {
        (!self.excluded.is_empty() || !self.excluded_globs.is_empty())
            && path.ancestors().any(|path| self.excludes(path))
    }

    /// Whether files of this path are asked for; folders are, if they are not excluded.
    pub(super) fn asks_for(&self, path: &Path) -> bool {
        !self.excludes(path) && (self.included.is_empty() || self.included.matches(path))
    }

    /// Whether a path lies on a filesystem that is not looked at.
    pub(super) fn is_elsewhere(&self, path: &Path) -> bool {
        let within_a_root = path.ancestors().any(|path| self.roots.contains(path));
        !within_a_root
            && self.mounts.above(path).is_some_and(|nature| !matches!(nature, Nature::Local))
    }

    /// Whether a path lies in one of the trees that are walked.
    pub(super) fn contains(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.roots.contains(path)) && !self.excludes_above(path)
    }

    /// Whether a root is entered. It is on the network if the user says so; a tree that the kernel
    /// makes up is not entered even then, because reading there can change the host.
    pub(super) fn enter_root(&self, path: &Path) -> Entry {
        if self.excludes_above(path) {
            return Entry::Leave;
        }
        let above = self.mounts.above(path).cloned();
        let nature = above.unwrap_or_else(|| self.nature(path));
        match nature {
            Nature::Pseudo(name) => Entry::Report(format!(
                "a filesystem of the kernel ({name}); its files are made up when they are read, so none is"
            )),
            _ => Entry::Enter,
        }
    }

    /// Whether a folder below a root is entered. Filesystems of the kernel are left out without a
    /// word: they hold no file that anybody put there, and lie below `/` on every host.
    pub(super) fn enter(&self, path: &Path) -> Entry {
        // Walked on its own, and counted there.
        if self.excludes(path) || self.roots.contains(path) {
            return Entry::Leave;
        }
        match self.mounts.at(path) {
            Some(Nature::Pseudo(_)) => return Entry::Leave,
            Some(Nature::Foreign(name)) if !self.network_filesystems => {
                return Entry::Report(foreign(name));
            }
            Some(Nature::Foreign(_)) => return Entry::Enter,
            Some(Nature::Local) | None => {}
        }
        let Ok(metadata) = path.symlink_metadata() else { return Entry::Enter };
        if self.root_devices.contains(&metadata.dev()) {
            return Entry::Enter;
        }
        match self.mounts.of_device(metadata.dev(), path) {
            Nature::Pseudo(_) => Entry::Leave,
            Nature::Foreign(name) if !self.network_filesystems => Entry::Report(foreign(&name)),
            Nature::Foreign(_) => Entry::Enter,
            Nature::Local if self.one_filesystem => Entry::Report(
                "another filesystem begins here; add it to the roots, or switch `one_filesystem` off".to_owned(),
            ),
            Nature::Local => Entry::Enter,
        }
    }

    /// What an existing path lies on.
    pub(super) fn nature(&self, path: &Path) -> Nature {
        path.symlink_metadata()
            .map_or(Nature::Local, |metadata| self.mounts.of_device(metadata.dev(), path))
    }
}

fn foreign(name: &str) -> String {
    format!(
        "a filesystem that is not on this host's disks ({name}) begins here; add it to the roots to have it read, or switch `network_filesystems` on"
    )
}
