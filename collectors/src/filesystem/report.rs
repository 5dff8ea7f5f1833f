//! Everything that is said about one file, in the order in which it has to be said.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pki_inventory::{
    Circumstances, Digest, FileFacts, Gap, GapReason, KeyForm, Kind, Observation, Place, Raw,
    Sighting, Time, TrustStore, Unparsed,
};

use super::NAME;
use super::private_key::Found;
use crate::{CollectError, Context, Sink};

/// Broken objects of one file that are listed one by one; a file may be made of nothing else.
const MOST_UNPARSED: u64 = 16;

/// Objects of one file that are reported. The largest collections of certificates have a few
/// thousand; a file may be made of millions.
const MOST_OBJECTS: u32 = 20_000;

/// Hands in what one file holds.
///
/// The place of an object says its number only when the file holds several, so the first one is
/// held back until there is a second.
pub(super) struct FileReport<'a> {
    cx: &'a Context,
    out: &'a Sink,
    path: &'a Path,
    /// Made when it is needed: hardly a file holds anything.
    place: Option<Place>,
    facts: Option<FileFacts>,
    first: Option<(Raw, Option<KeyForm>)>,
    objects: u32,
    /// Objects beyond the most that are reported.
    left_out: u64,
    unparsed: u64,
    certificates: Vec<Digest>,
    /// Blocks and containers that are known and not read, by name.
    not_read: BTreeSet<String>,
    gaps: Vec<(GapReason, String)>,
    /// A private key was in the file, readable or not.
    pub(super) private_key: bool,
    /// Something was there that is known and means no object, such as parameters.
    pub(super) known_otherwise: bool,
    closed: bool,
    now: Option<Time>,
}

impl<'a> FileReport<'a> {
    pub(super) fn new(cx: &'a Context, out: &'a Sink, path: &'a Path) -> Self {
        Self {
            cx,
            out,
            path,
            place: None,
            facts: None,
            first: None,
            objects: 0,
            left_out: 0,
            unparsed: 0,
            certificates: Vec::new(),
            not_read: BTreeSet::new(),
            gaps: Vec::new(),
            private_key: false,
            known_otherwise: false,
            closed: false,
            now: None,
        }
    }

    /// Who owns the file; said with every object of it.
    pub(super) fn describe(
        &mut self,
        metadata: &std::fs::Metadata,
        owners: &super::owners::Owners,
    ) {
        self.facts = Some(FileFacts {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            owner: owners.user(metadata.uid()),
            group: owners.group(metadata.gid()),
            modified: Time(metadata.mtime()),
        });
    }

    /// Whether no object more will be reported; then this one is counted.
    pub(super) fn is_full(&mut self) -> bool {
        let full = self.objects >= MOST_OBJECTS;
        self.left_out += u64::from(full);
        full
    }

    /// An encoding that the inventory will parse.
    pub(super) fn encoding(&mut self, raw: Raw) {
        if let Raw::Certificate(der) = &raw {
            self.certificates.push(Digest::of(der));
        }
        self.found(raw, None);
    }

    /// A key.
    pub(super) fn key(&mut self, found: Found) {
        self.found(Raw::Key { id: found.id, key: found.key }, Some(found.form));
    }

    /// Something that claims to be of this kind and is not readable as one.
    pub(super) fn unparsed(&mut self, claimed: Kind, octets: &[u8], error: String) {
        if self.unparsed < MOST_UNPARSED {
            // A block that holds nothing is known by what is wrong with it: all nothings are alike.
            let id = match octets {
                [] => Digest::of(format!("{claimed}: {error}").as_bytes()),
                octets => Digest::of(octets),
            };
            self.unparsed_as(id, claimed, octets.len(), error);
        } else {
            self.unparsed += 1;
        }
    }

    /// The same under an identity of its own.
    pub(super) fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String) {
        self.unparsed += 1;
        if self.unparsed <= MOST_UNPARSED {
            let unparsed = Unparsed { claimed: claimed.name().to_owned(), length, error };
            self.found(Raw::Unparsed { id, unparsed }, None);
        }
    }

    /// A format that is recognised and not read.
    pub(super) fn not_read(&mut self, format: impl Into<String>) {
        // Labels come from the file: as many as one could ever be interested in.
        if self.not_read.len() < 8 {
            self.not_read.insert(format.into());
        }
    }

    /// A reason why not all of the file was read.
    pub(super) fn gap(&mut self, reason: GapReason, detail: impl Into<String>) {
        self.gaps.push((reason, detail.into()));
    }

    /// Whether nothing at all was recognised.
    pub(super) fn is_blank(&self) -> bool {
        self.objects == 0 && self.unparsed == 0 && self.not_read.is_empty() && !self.known_otherwise
    }

    /// Says what is left to say. Returns whether all of the file was read.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub(super) fn finish(mut self) -> Result<bool, CollectError> {
        if let Some((raw, form)) = self.first.take() {
            let place = self.place();
            self.send(raw, form, place);
        }
        if self.certificates.len() >= TrustStore::LEAST_MEMBERS && !self.private_key {
            let members = std::mem::take(&mut self.certificates);
            let place = self.place();
            self.send(Raw::Bundle(members), None, place);
        }
        if !self.not_read.is_empty() {
            let formats: Vec<String> = std::mem::take(&mut self.not_read).into_iter().collect();
            self.gap(
                GapReason::FormatNotRead,
                format!("holds {}, which is not read yet", formats.join(", ")),
            );
        }
        if self.left_out > 0 {
            let more = self.left_out;
            self.gap(
                GapReason::LimitReached,
                format!("{more} more objects; the first {MOST_OBJECTS} are in the inventory"),
            );
        }
        let read = self.gaps.is_empty();
        // A file with more faults than are listed was read all the same.
        if self.unparsed > MOST_UNPARSED {
            let more = self.unparsed - MOST_UNPARSED;
            self.gap(
                GapReason::LimitReached,
                format!(
                    "{more} more broken objects; the first {MOST_UNPARSED} are listed as unparsed"
                ),
            );
        }
        for (reason, detail) in std::mem::take(&mut self.gaps) {
            let now = self.now();
            let gap = Gap {
                place: self.place(),
                collector: NAME.to_owned(),
                reason,
                detail,
                first_seen: now,
                last_seen: now,
            };
            self.hand_in(Observation::Missed(gap));
        }
        if self.closed { Err(CollectError::SinkClosed) } else { Ok(read) }
    }

    fn found(&mut self, raw: Raw, form: Option<KeyForm>) {
        self.objects = self.objects.saturating_add(1);
        match self.objects {
            1 => self.first = Some((raw, form)),
            number => {
                let place = self.place();
                if let Some((raw, form)) = self.first.take() {
                    self.send(raw, form, place.object(1));
                }
                self.send(raw, form, place.object(number));
            }
        }
    }

    fn send(&mut self, raw: Raw, key: Option<KeyForm>, place: Place) {
        let mut sighting = Sighting::at(place, NAME, self.now());
        sighting.circumstances =
            Circumstances { file: self.facts.clone(), key, chain_position: None };
        self.hand_in(Observation::found(raw, sighting));
    }

    fn hand_in(&mut self, observation: Observation) {
        self.closed = self.closed || self.out.send_blocking(observation).is_err();
    }

    fn place(&mut self) -> Place {
        self.place.get_or_insert_with(|| Place::file(self.path)).clone()
    }

    /// One instant for all of a file.
    fn now(&mut self) -> Time {
        *self.now.get_or_insert_with(|| self.cx.now())
    }
}
