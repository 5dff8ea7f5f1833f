//! Container images that lie in folders (OCI image layout), told by their file `oci-layout`.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::boundaries::Boundaries;
use super::opening::{self, Unopened};
use pki_containers::{ImageFiles, Source};

/// The file that marks such a folder (OCI image layout, "oci-layout file").
const MARK: &str = "oci-layout";

/// Where the images of the folder are listed. What they consist of is named by digests, so whatever
/// changes in an image changes here.
pub(super) const INDEX: &str = "index.json";

/// The folder that this file marks as an image.
pub(super) fn marked(path: &Path) -> Option<&Path> {
    path.parent().filter(|_| path.ends_with(MARK))
}

/// The folder of the image that a file of this path would be a part of: `blobs/<algorithm>/<digest>`
/// below it.
pub(super) fn around(path: &Path) -> Option<&Path> {
    let blobs = path.parent()?.parent()?;
    blobs.parent().filter(|_| blobs.ends_with("blobs"))
}

/// An image in a folder, by what it names.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) folder: PathBuf,
    /// The parts that its index names, and what those name. None where nobody will read the image:
    /// its mark or its index is not there, is none, or was not asked for.
    pub(super) parts: BTreeSet<PathBuf>,
}

/// The most octets of an index or a manifest that are looked through for names.
const LARGEST_LIST: u64 = 4 * 1024 * 1024;

/// The most parts that are looked for in a folder.
const MOST_PARTS: usize = 20_000;

impl Image {
    pub(super) fn of(folder: &Path, boundaries: &Boundaries) -> Self {
        let mut parts = BTreeSet::new();
        let (mark, index) = (folder.join(MARK), folder.join(INDEX));
        let asked = |path: &Path| boundaries.asks_for(path) && boundaries.contains(path);
        if asked(&mark) && asked(&index) && opening::file(&mark).is_ok() {
            let mut lists = vec![index];
            while let Some(list) = lists.pop() {
                for part in named(&list, folder) {
                    if parts.len() < MOST_PARTS && part.is_file() && parts.insert(part.clone()) {
                        lists.push(part);
                    }
                }
            }
        }
        Self { folder: folder.to_path_buf(), parts }
    }

    /// Whether a file is one of its parts.
    pub(super) fn names(&self, path: &Path) -> bool {
        self.parts.contains(path)
    }
}

/// The parts whose digests stand in a file, if it is JSON. Nothing is parsed: what is named too much
/// is read as a file by itself.
fn named(list: &Path, folder: &Path) -> Vec<PathBuf> {
    const DIGEST: &[u8] = b"sha256:";
    let Ok((file, metadata)) = opening::file(list) else { return Vec::new() };
    let mut text = Vec::new();
    if metadata.len() > LARGEST_LIST || (&file).take(1).read_to_end(&mut text).is_err() {
        return Vec::new();
    }
    if text != b"{" || file.take(LARGEST_LIST).read_to_end(&mut text).is_err() {
        return Vec::new();
    }
    let at = memchr::memmem::find_iter(&text, DIGEST).map(|at| at + DIGEST.len());
    let digests = at.filter_map(|at| text.get(at..at + 64)).filter_map(|digest| {
        let is_hex = digest.iter().all(u8::is_ascii_hexdigit);
        std::str::from_utf8(digest).ok().filter(|_| is_hex)
    });
    digests.map(|digest| folder.join("blobs/sha256").join(digest)).collect()
}

/// The files of an image in a folder. Links in it are not followed.
pub(super) struct Folder<'f> {
    pub(super) path: &'f Path,
    pub(super) boundaries: &'f Boundaries,
}

impl ImageFiles for Folder<'_> {
    fn open(&mut self, path: &str) -> io::Result<Option<Box<dyn Source + '_>>> {
        let path = self.path.join(path);
        if !self.boundaries.asks_for(&path) || !self.boundaries.contains(&path) {
            return Ok(None);
        }
        match opening::file(&path) {
            Ok((file, _)) => Ok(Some(Box::new(file))),
            Err(Unopened::Gone | Unopened::Irregular) => Ok(None),
            Err(Unopened::Failed(error)) => Err(error),
        }
    }
}
