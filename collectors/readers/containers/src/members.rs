//! What a reader of a format hands its members to, and how reading ends.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read};
use std::ops::ControlFlow;

use pki_inventory::GapReason;

use crate::{Budget, Entry, Visit};

/// Why an archive was not read to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The visitor has enough.
    Enough,
    /// A limit was reached; the meter knows which one.
    Limit,
    /// Reading or unpacking failed.
    Failed(io::Error),
    /// It does not hold what its format promises.
    Damaged(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// What is no regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    /// A link or a device.
    Other,
}

/// Takes the members of an archive.
pub(crate) trait Members {
    /// A regular file.
    fn file(&mut self, name: &[u8], size: Option<u64>, content: &mut dyn Read) -> Result<(), Stop>;

    /// The content of the next file is not stored as it comes out.
    fn has_holes(&mut self) {}

    /// Anything else. `target` is where a link leads.
    fn other(&mut self, name: &[u8], kind: Kind, target: &[u8]) -> Result<(), Stop>;

    /// Something that is not read, while the rest is.
    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String);
}

/// Hands what comes to the visitor.
pub(crate) struct Handed<'a> {
    pub(crate) budget: &'a mut Budget,
    pub(crate) visit: &'a mut dyn Visit,
    pub(crate) names: Names,
}

/// Names of one archive that are remembered, at about 30 octets each.
const MOST_NAMES: usize = 1 << 20;

/// Counts how often each name came out of an archive. Names are kept as hashes with a key that nobody
/// knows: nobody can make two of them meet.
#[derive(Default)]
pub(crate) struct Names {
    key: RandomState,
    seen: BTreeMap<u64, u32>,
}

impl Names {
    /// How often it came before.
    fn count(&mut self, entry: &Entry<'_>) -> u32 {
        let layer = entry.layer.map(|layer| layer.digest.as_str());
        let hash = self.key.hash_one((layer, entry.name));
        if self.seen.len() >= MOST_NAMES && !self.seen.contains_key(&hash) {
            return 0;
        }
        let times = self.seen.entry(hash).or_insert(0);
        let before = *times;
        *times = before.saturating_add(1);
        before
    }
}

impl Handed<'_> {
    /// Hands over one entry with what is known of it; how often its name came before is counted here.
    pub(crate) fn entry(&mut self, entry: &Entry<'_>, content: &mut dyn Read) -> Result<(), Stop> {
        if self.budget.meter.enter().is_err() {
            return Err(Stop::Limit);
        }
        let mut noted = Noted { inner: content, error: None };
        let entry = Entry { repeat: self.names.count(entry), ..*entry };
        let flow = self.visit.entry(&entry, &mut noted, self.budget);
        if self.budget.is_spent() {
            return Err(Stop::Limit);
        }
        match (noted.error, flow) {
            (Some(error), _) => Err(Stop::Failed(error)),
            (None, ControlFlow::Break(())) => Err(Stop::Enough),
            (None, ControlFlow::Continue(())) => Ok(()),
        }
    }
}

impl Members for Handed<'_> {
    fn file(&mut self, name: &[u8], size: Option<u64>, content: &mut dyn Read) -> Result<(), Stop> {
        self.entry(&Entry { name, size, layer: None, repeat: 0 }, content)
    }

    fn other(&mut self, _: &[u8], _: Kind, _: &[u8]) -> Result<(), Stop> {
        self.budget.meter.enter().map_err(|_| Stop::Limit)
    }

    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String) {
        self.visit.gap(name, reason, detail);
    }
}

/// Puts a folder before every name.
pub(crate) struct Within<'a> {
    pub(crate) folder: &'static [u8],
    pub(crate) members: &'a mut dyn Members,
}

impl Members for Within<'_> {
    fn file(&mut self, name: &[u8], size: Option<u64>, content: &mut dyn Read) -> Result<(), Stop> {
        self.members.file(&[self.folder, name].concat(), size, content)
    }

    fn other(&mut self, name: &[u8], kind: Kind, target: &[u8]) -> Result<(), Stop> {
        self.members.other(&[self.folder, name].concat(), kind, target)
    }

    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String) {
        let name = name.map(|name| [self.folder, name].concat());
        self.members.gap(name.as_deref(), reason, detail);
    }
}

/// Keeps the error that a visitor was given: the reader of the archive tells it, in its own words.
struct Noted<'a> {
    inner: &'a mut dyn Read,
    error: Option<io::Error>,
}

impl Read for Noted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.error {
            return Err(error.kind().into());
        }
        self.inner.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}

/// A name without what stands before it in archives, and without the `/` after it.
pub(crate) fn cleaned(mut name: &[u8]) -> &[u8] {
    loop {
        if let Some(rest) = name.strip_prefix(b"/").or_else(|| name.strip_prefix(b"./")) {
            name = rest;
        } else if let Some(rest) = name.strip_suffix(b"/") {
            name = rest;
        } else if name == b"." {
            return b"";
        } else {
            return name;
        }
    }
}

/// A name as it can be shown in a sentence.
pub(crate) fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 200;
    let dots = if name.len() > LONGEST { "…" } else { "" };
    let text: String = String::from_utf8_lossy(&name[..name.len().min(LONGEST)])
        .chars()
        .map(|character| if character.is_control() { '\u{FFFD}' } else { character })
        .collect();
    format!("`{text}{dots}`")
}
