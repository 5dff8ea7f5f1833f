//! What readers of settings may ask of this host beside the file they were given.
//!
//! They name paths that were written by strangers: no path is touched that leads onto a filesystem
//! that is not this host's, devices are not opened, and what lies outside of the roots, or is excluded,
//! is not there.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rustix::fs::{FileType, RawDir};

use super::boundaries::Boundaries;
use super::{links, opening};

/// The most octets of one file.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Names of one folder, and paths that match a pattern.
const MOST_NAMES: usize = 10_000;

/// Folders that are listed for one pattern.
const MOST_FOLDERS: usize = 1_000;

/// Files and folders that one reader may ask for.
const MOST_QUESTIONS: u32 = 5_000;

/// This host, as the readers of one file may ask it.
pub(super) struct Host<'b> {
    boundaries: &'b Boundaries,
    questions: Cell<u32>,
}

impl<'b> Host<'b> {
    pub(super) fn new(boundaries: &'b Boundaries) -> Self {
        Self { boundaries, questions: Cell::new(0) }
    }

    /// Whether anything was asked at all.
    pub(super) fn was_asked(&self) -> bool {
        self.questions.get() > 0
    }

    /// Where a path leads, links followed; `None` where it must not be touched, and when enough was
    /// asked.
    fn reachable(&self, path: &Path) -> Option<PathBuf> {
        self.questions.set(self.questions.get() + 1);
        let path = std::path::absolute(path).ok()?;
        let target = links::destination(&path, &self.boundaries.mounts, &self.boundaries.roots);
        let allowed = self.questions.get() <= MOST_QUESTIONS
            && !self.boundaries.is_elsewhere(&target)
            && !self.boundaries.excludes_above(&path)
            && !self.boundaries.excludes_above(&target);
        allowed.then_some(target)
    }

    /// The same, where it lies in what the user asked to be read.
    fn readable(&self, path: &Path) -> Option<PathBuf> {
        self.reachable(path).filter(|target| self.boundaries.contains(target))
    }

    /// Where a path leads in the end, as text; the path itself where it leads nowhere.
    pub(super) fn resolved(&self, path: &str) -> String {
        match self.reachable(Path::new(path)) {
            Some(target) if target.is_absolute() => target.to_string_lossy().into_owned(),
            _ => path.to_owned(),
        }
    }

    fn small_file(&self, path: &Path) -> Option<Vec<u8>> {
        let (file, metadata) = opening::file(&self.readable(path)?).ok()?;
        if metadata.len() > LARGEST {
            return None;
        }
        let mut octets = Vec::new();
        file.take(LARGEST).read_to_end(&mut octets).ok()?;
        Some(octets)
    }

    fn names(&self, folder: &Path) -> Vec<OsString> {
        let Some(folder) = self.readable(folder) else { return Vec::new() };
        let Ok(opened) = opening::folder(&folder) else { return Vec::new() };
        let mut listing = Vec::with_capacity(32 * 1024);
        let mut entries = RawDir::new(&opened, listing.spare_capacity_mut());
        let mut names = Vec::new();
        while let Some(Ok(entry)) = entries.next() {
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") && names.len() < MOST_NAMES {
                names.push(std::ffi::OsStr::from_bytes(name).to_os_string());
            }
        }
        names.sort();
        names
    }
}

impl pki_automation::Host for Host<'_> {
    fn list(&self, folder: &Path) -> Vec<OsString> {
        self.names(folder)
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.small_file(path)
    }

    fn link(&self, path: &Path) -> Option<PathBuf> {
        let facts = path.symlink_metadata().ok()?;
        let is_link = FileType::from_raw_mode(std::os::unix::fs::MetadataExt::mode(&facts))
            == FileType::Symlink;
        if is_link { self.reachable(path) } else { None }
    }
}

impl pki_configured::Files for Host<'_> {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.small_file(path)
    }

    /// Part by part, so that only folders are listed that a pattern leads through.
    fn matching(&self, pattern: &str) -> Vec<PathBuf> {
        let Some(relative) = pattern.strip_prefix('/') else { return Vec::new() };
        let mut reached = vec![PathBuf::from("/")];
        for part in relative.split('/').filter(|part| !part.is_empty()) {
            if !part.contains(['*', '?', '[']) {
                for path in &mut reached {
                    path.push(part);
                }
                continue;
            }
            let Some(matcher) = matcher(part) else { return Vec::new() };
            let mut next = Vec::new();
            for folder in reached.iter().take(MOST_FOLDERS) {
                for name in self.names(folder) {
                    // glob(7): a leading period has to be matched explicitly.
                    let hidden = name.as_bytes().first() == Some(&b'.') && !part.starts_with('.');
                    if !hidden && matcher.is_match(&name) && next.len() < MOST_NAMES {
                        next.push(folder.join(name));
                    }
                }
            }
            reached = next;
        }
        reached.retain(|path| path.symlink_metadata().is_ok());
        reached.sort();
        reached
    }
}

fn matcher(part: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(part).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}
