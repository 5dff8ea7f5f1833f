//! The path of a file, cut up once for all the questions about it, and the file to be read.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::Host;

/// The last names of a path, as octets.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'p> {
    /// The whole path.
    pub(crate) path: &'p [u8],
    /// The name of the file.
    pub(crate) name: &'p [u8],
    /// The name of its folder; empty where there is none.
    pub(crate) parent: &'p [u8],
    /// The name of the folder of its folder.
    pub(crate) grand: &'p [u8],
}

impl<'p> Spot<'p> {
    pub(crate) fn of(path: &'p Path) -> Self {
        let path = path.as_os_str().as_encoded_bytes();
        let (rest, name) = split(path);
        let (rest, parent) = split(rest);
        let (_, grand) = split(rest);
        Self { path, name, parent, grand }
    }

    /// Whether the name ends in a dot and these letters.
    pub(crate) fn has_extension(&self, extension: &[u8]) -> bool {
        self.stem(extension).is_some()
    }

    /// The name without a dot and these letters at its end; `None` when nothing would be left.
    pub(crate) fn stem(&self, extension: &[u8]) -> Option<&'p [u8]> {
        let stem = self.name.strip_suffix(extension)?.strip_suffix(b".")?;
        (!stem.is_empty()).then_some(stem)
    }

    /// Whether the file may be YAML or JSON.
    pub(crate) fn is_data(&self) -> bool {
        [&b"yaml"[..], b"yml", b"json"].iter().any(|extension| self.has_extension(extension))
    }
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

/// A recognised file.
pub(crate) struct Artefact<'a> {
    pub(crate) path: &'a Path,
    pub(crate) spot: Spot<'a>,
    pub(crate) octets: &'a [u8],
    pub(crate) host: &'a dyn Host,
}

impl<'a> Artefact<'a> {
    /// The content as text; octets that are no UTF-8 are replaced, a mark of UTF-8 is dropped.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        text(self.octets)
    }

    /// Whether these octets occur in the content. Asked before anything is parsed: most files
    /// whose names may be anything are somebody else's.
    pub(crate) fn mentions(&self, needle: &[u8]) -> bool {
        memchr::memmem::find(self.octets, needle).is_some()
    }

    /// The folder that the file lies in.
    pub(crate) fn folder(&self) -> &'a Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The folder of that folder.
    pub(crate) fn folder_above(&self) -> &'a Path {
        self.folder().parent().unwrap_or(Path::new("/"))
    }

    /// The name of the file, for people.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(self.spot.name).into_owned()
    }

    /// The name of its folder, for people.
    pub(crate) fn parent(&self) -> String {
        String::from_utf8_lossy(self.spot.parent).into_owned()
    }

    /// The names in a folder that are UTF-8; all that tools make are.
    pub(crate) fn list(&self, folder: &Path) -> Vec<String> {
        let names = self.host.list(folder).into_iter();
        names.filter_map(|name| name.into_string().ok()).take(MOST_NAMES).collect()
    }

    /// A file beside it, as text.
    pub(crate) fn beside(&self, path: &Path) -> Option<String> {
        let octets = self.host.read(path)?;
        Some(text(&octets).into_owned())
    }

    /// A path as a tool's file has it: a relative one starts at the folder of that file.
    pub(crate) fn resolve(&self, written: &str) -> Option<PathBuf> {
        crate::places::resolve(self.folder(), written)
    }
}

/// So many names of a folder are looked at.
const MOST_NAMES: usize = 20_000;

fn text(octets: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets))
}
