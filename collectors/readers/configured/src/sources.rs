//! The files that settings consist of, and the limits on following them.

use std::cell::Cell;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::{Files, tell};

/// How deep files may include each other. Apache itself ends at 128 and OpenSSH at 16; real trees
/// are four deep.
const DEPTH: usize = 16;

/// How many files may be opened for one main file, so that files that name each other in ever new
/// chains end.
const OPENED: usize = 2_000;

/// How many patterns are looked up for one main file: each may list folders.
const PATTERNS: usize = 10_000;

/// How many octets of settings are read for one main file.
const OCTETS: usize = 16 << 20;

/// How many octets of one file are read.
const FILE_OCTETS: usize = 4 << 20;

/// A line of a file.
#[derive(Debug, Clone)]
pub(crate) struct At {
    pub(crate) file: Rc<Path>,
    pub(crate) line: u32,
}

/// The chain of files that are being read, the main one first.
pub(crate) struct Sources<'f> {
    files: &'f dyn Files,
    chain: Vec<Rc<Path>>,
    opened: usize,
    octets: usize,
    patterns: Cell<usize>,
}

impl<'f> Sources<'f> {
    pub(crate) fn new(main: &Path, files: &'f dyn Files) -> Self {
        Self { files, chain: vec![Rc::from(main)], opened: 0, octets: 0, patterns: Cell::new(0) }
    }

    /// The main file.
    pub(crate) fn main(&self) -> &Path {
        self.chain.first().expect("the main file is never left")
    }

    /// The file that is being read.
    pub(crate) fn current(&self) -> &Rc<Path> {
        self.chain.last().expect("the main file is never left")
    }

    /// A line of the file that is being read.
    pub(crate) fn at(&self, line: u32) -> At {
        At { file: Rc::clone(self.current()), line }
    }

    /// Goes into an included file; [`leave`](Self::leave) goes back. The error says why it cannot
    /// be followed.
    pub(crate) fn enter(&mut self, path: &Path) -> Result<String, String> {
        let shown = path.display();
        if self.chain.iter().any(|known| **known == *path) {
            return Err(format!("{shown} includes itself"));
        }
        if self.chain.len() > DEPTH {
            return Err(format!("{shown} is included too deep"));
        }
        if self.opened >= OPENED || self.octets >= OCTETS {
            return Err(format!("{shown} is one file too many"));
        }
        self.opened += 1;
        let octets = self.files.read(path).ok_or_else(|| format!("{shown} cannot be read"))?;
        self.octets += octets.len();
        self.chain.push(Rc::from(path));
        Ok(text(&octets))
    }

    pub(crate) fn leave(&mut self) {
        if self.chain.len() > 1 {
            self.chain.pop();
        }
    }

    /// What a pattern stands for; a path without wildcards stands for itself.
    pub(crate) fn matching(&self, pattern: &Path) -> Vec<PathBuf> {
        match pattern.to_str() {
            Some(text) if text.contains(['*', '?', '[']) => self.below(text),
            _ => vec![pattern.to_owned()],
        }
    }

    /// The files of a folder that match; names that begin with a dot do not, as in the shell.
    pub(crate) fn inside(&self, folder: &Path, pattern: &str) -> Vec<PathBuf> {
        folder.join(pattern).to_str().map(|text| self.below(text)).unwrap_or_default()
    }

    fn below(&self, pattern: &str) -> Vec<PathBuf> {
        let hidden = |path: &Path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with('.'))
        };
        self.patterns.set(self.patterns.get() + 1);
        if self.patterns.get() > PATTERNS {
            return Vec::new();
        }
        let hidden_wanted = hidden(Path::new(pattern));
        let mut found = self.files.matching(pattern);
        found.retain(|path| hidden_wanted || !hidden(path));
        found.truncate(OPENED);
        found
    }
}

/// The text of a file of settings. Octets that are no UTF-8 can only be in comments and names.
pub(crate) fn text(octets: &[u8]) -> String {
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    String::from_utf8_lossy(octets.get(..FILE_OCTETS).unwrap_or(octets)).into_owned()
}

/// A path as the program opens it, from where relative ones begin. `..` goes up by the text of the
/// path: where links lead is not known here. Without secrets before anything else: a path has no two
/// slashes in a row, by which a URL would be known.
pub(crate) fn resolved(base: &Path, written: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in base.join(tell::kept(written)).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            other => whole.push(other),
        }
    }
    whole
}

/// The folder a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
