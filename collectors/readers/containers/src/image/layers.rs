//! What upper layers do to the files of lower ones (image-spec 1.1, "Image Layer Filesystem
//! Changeset").

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _, RandomState};
use std::io::Read;

use pki_inventory::{Fate, GapReason, Layer};

use super::plan::{Listed, Plan};
use crate::Entry;
use crate::members::{Handed, Kind, Members, Stop};

/// What is remembered of all layers of an archive, at about 40 octets each.
const MARKS: usize = 2 << 20;

/// What the layers do to names. Names are kept as hashes with a key that nobody knows: nobody can
/// make two of them meet.
pub(super) struct Marks {
    key: RandomState,
    /// By hash of image, word and name, then by the place of the layer.
    all: BTreeMap<(u64, u32), bool>,
    pub(super) is_full: bool,
}

/// The words for names.
#[derive(Clone, Copy)]
enum Word {
    /// No folder of lower layers is seen there any more: deleted (`true`) or another file.
    Gone,
    /// What lower layers have in the folder is not seen any more.
    Opaque,
    /// A folder.
    Folder,
}

/// One layer's word about one name.
pub(super) enum Mark<'n> {
    Deleted(&'n [u8]),
    File(&'n [u8]),
    Folder(&'n [u8]),
    Opaque(&'n [u8]),
}

impl<'n> Mark<'n> {
    /// What a member says. Names that begin with `.wh.` are none of files.
    pub(super) fn of(name: &'n [u8], kind: Option<Kind>) -> Option<Self> {
        let (folder, last) = split(name);
        let Some(hidden) = last.strip_prefix(b".wh.") else {
            return Some(match kind {
                Some(Kind::Folder) => Self::Folder(name),
                _ => Self::File(name),
            });
        };
        if hidden == b".wh..opq" {
            return Some(Self::Opaque(folder));
        }
        // Others that begin like this are of aufs itself.
        (!hidden.starts_with(b".wh.") && !hidden.is_empty()).then_some(Self::Deleted(name))
    }
}

impl Marks {
    pub(super) fn new() -> Self {
        Self { key: RandomState::new(), all: BTreeMap::new(), is_full: false }
    }

    /// Hashes go on from folder to folder, so that a path costs no more than its length.
    fn hash(&self, image: usize, word: Word, name: &[u8]) -> u64 {
        let mut state = self.root(image);
        parts(name).for_each(|part| below(&mut state, part));
        said(&state, word)
    }

    fn root(&self, image: usize) -> DefaultHasher {
        let mut state = self.key.build_hasher();
        state.write_usize(image);
        state
    }

    /// Notes what a layer says, for the layers below it.
    pub(super) fn note(&mut self, mark: &Mark<'_>, uses: &[(usize, usize)]) {
        let whole;
        let (word, name, is_deleted) = match mark {
            Mark::Deleted(name) => {
                let (folder, last) = split(name);
                let last = last.strip_prefix(b".wh.").unwrap_or(last);
                whole =
                    if folder.is_empty() { last.to_vec() } else { [folder, b"/", last].concat() };
                (Word::Gone, whole.as_slice(), true)
            }
            Mark::File(name) => (Word::Gone, *name, false),
            Mark::Folder(name) => (Word::Folder, *name, false),
            Mark::Opaque(name) => (Word::Opaque, *name, true),
        };
        // Nothing lies below the lowest one.
        for (image, place) in uses.iter().filter(|(_, place)| *place > 0) {
            if self.all.len() >= MARKS {
                self.is_full = true;
                return;
            }
            let at = (self.hash(*image, word, name), place_of(*place));
            // Deleted and made again by one layer: it is another file.
            let there = self.all.entry(at).or_insert(is_deleted);
            *there &= is_deleted;
        }
    }

    fn next_above(&self, key: u64, place: u32) -> Option<(u32, bool)> {
        let mut above = self.all.range((key, place + 1)..=(key, u32::MAX));
        above.next().map(|((_, layer), is_deleted)| (*layer, *is_deleted))
    }

    /// The nearest layer above that takes away a folder or what lies in it.
    fn folder_taken(&self, image: usize, folder: &[u8], place: u32) -> Option<u32> {
        if self.all.is_empty() {
            return None;
        }
        let mut state = self.root(image);
        let mut nearest: Option<u32> = None;
        let mut look = |state: &DefaultHasher| {
            for word in [Word::Gone, Word::Opaque] {
                if let Some((layer, _)) = self.next_above(said(state, word), place) {
                    nearest = Some(nearest.map_or(layer, |nearest| nearest.min(layer)));
                }
            }
        };
        look(&state);
        for part in parts(folder) {
            below(&mut state, part);
            look(&state);
        }
        nearest
    }

    /// What becomes of a file. `folder_taken` is the answer for the folder it lies in.
    fn fate(&self, image: usize, name: &[u8], place: u32, folder_taken: Option<u32>) -> Fate {
        let gone = self.next_above(self.hash(image, Word::Gone, name), place);
        let folder = self.next_above(self.hash(image, Word::Folder, name), place);
        // The nearest one; of one layer that deletes and makes anew, what it makes.
        let nearest = [gone, folder, folder_taken.map(|layer| (layer, true))];
        match nearest.into_iter().flatten().min() {
            None => Fate::Kept,
            Some((layer, true)) => Fate::DeletedIn(layer + 1),
            Some((layer, false)) => Fate::ReplacedIn(layer + 1),
        }
    }
}

fn parts(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|octet| *octet == b'/').filter(|part| !part.is_empty())
}

fn below(state: &mut DefaultHasher, part: &[u8]) {
    state.write(part);
    state.write_u8(b'/');
}

fn said(state: &DefaultHasher, word: Word) -> u64 {
    let mut state = state.clone();
    state.write_u8(word as u8);
    state.finish()
}

/// Hands out the files of one layer, and notes what it does to those below.
pub(super) struct LayerMembers<'a, 'h> {
    handed: &'a mut Handed<'h>,
    marks: &'a mut Marks,
    images: &'a [Vec<usize>],
    layer: &'a Listed,
    /// Off where all was noted before.
    notes: bool,
    /// The folder that was asked about last, and the answers for the images.
    folder: Option<(Vec<u8>, Vec<Option<u32>>)>,
}

impl<'a, 'h> LayerMembers<'a, 'h> {
    pub(super) fn new(
        handed: &'a mut Handed<'h>,
        marks: &'a mut Marks,
        plan: &'a Plan,
        layer: &'a Listed,
        notes: bool,
    ) -> Self {
        Self { handed, marks, images: &plan.images, layer, notes, folder: None }
    }

    /// Kept in one image is kept; else the first image tells.
    fn look(&mut self, name: &[u8]) -> Layer {
        let folder = split(name).0;
        if self.folder.as_ref().is_none_or(|(known, _)| known != folder) {
            let taken = self.layer.uses.iter();
            let taken = taken
                .map(|(image, place)| self.marks.folder_taken(*image, folder, place_of(*place)));
            let taken = taken.collect();
            self.folder = Some((folder.to_vec(), taken));
        }
        let taken = self.folder.as_ref().map_or(&[][..], |(_, taken)| taken);
        let mut told: Option<(Fate, usize, usize)> = None;
        for ((image, place), taken) in self.layer.uses.iter().zip(taken) {
            let fate = self.marks.fate(*image, name, place_of(*place), *taken);
            if told.is_none() || fate == Fate::Kept {
                told = Some((fate, *image, *place));
            }
            if fate == Fate::Kept {
                break;
            }
        }
        let (fate, image, place) = told.unwrap_or((Fate::Kept, 0, 0));
        let of = self.images.get(image).map_or(0, Vec::len);
        let digest = self.layer.digest.clone();
        Layer { digest, number: place_of(place) + 1, of: place_of(of), fate }
    }

    fn note(&mut self, name: &[u8], kind: Option<Kind>) -> bool {
        let mark = Mark::of(name, kind);
        let is_file = matches!(mark, Some(Mark::File(_)));
        if let Some(mark) = mark.filter(|_| self.notes) {
            self.marks.note(&mark, &self.layer.uses);
        }
        is_file
    }
}

impl Members for LayerMembers<'_, '_> {
    fn file(&mut self, name: &[u8], size: Option<u64>, content: &mut dyn Read) -> Result<(), Stop> {
        if !self.note(name, None) {
            return self.handed.other(name, Kind::Other, b"");
        }
        let layer = self.look(name);
        self.handed.entry(&Entry { name, size, layer: Some(&layer), repeat: 0 }, content)
    }

    fn other(&mut self, name: &[u8], kind: Kind, target: &[u8]) -> Result<(), Stop> {
        self.note(name, Some(kind));
        self.handed.other(name, kind, target)
    }

    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String) {
        let detail = format!("layer {}: {detail}", self.layer.digest);
        self.handed.gap(name, reason, detail);
    }
}

/// Notes what a layer does, and hands out nothing.
pub(super) struct Noting<'a> {
    pub(super) marks: &'a mut Marks,
    pub(super) layer: &'a Listed,
}

impl Members for Noting<'_> {
    fn file(&mut self, name: &[u8], _: Option<u64>, _: &mut dyn Read) -> Result<(), Stop> {
        if let Some(mark) = Mark::of(name, None) {
            self.marks.note(&mark, &self.layer.uses);
        }
        Ok(())
    }

    fn other(&mut self, name: &[u8], kind: Kind, _: &[u8]) -> Result<(), Stop> {
        if let Some(mark) = Mark::of(name, Some(kind)) {
            self.marks.note(&mark, &self.layer.uses);
        }
        Ok(())
    }

    fn gap(&mut self, _: Option<&[u8]>, _: GapReason, _: String) {}
}

/// The folder and the last part of a name.
pub(super) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|octet| *octet == b'/') {
        Some(slash) => (&name[..slash], &name[slash + 1..]),
        None => (b"", name),
    }
}

fn place_of(place: usize) -> u32 {
    // Manifests have a limit far below.
    u32::try_from(place).unwrap_or(u32::MAX - 1)
}
