//! Everything that is said about one file, in the order in which it has to be said.

use std::collections::BTreeSet;

use pki_encodings::Report;
use pki_inventory::{
    Circumstances, Digest, FileFacts, Gap, GapReason, Kind, Layer, Object, Observation, Place, Raw,
    Sighting, Time, TrustStore, Unparsed,
};

use super::NAME;
use crate::{CollectError, Context, Sink};

/// Broken objects of one file that are listed one by one; a file may be made of nothing else.
const MOST_UNPARSED: u64 = 16;

/// Objects of one file that are reported. The largest collections of certificates have a few
/// thousand; a file may be made of millions.
const MOST_OBJECTS: u32 = 20_000;

/// Characters of a name or comment that are kept.
const LONGEST_LABEL: usize = 256;

/// Hands in what one file holds, or one entry of an archive.
///
/// The place of an object says its number only when there are several, so the first one is held
/// back until there is a second.
pub(super) struct FileReport<'a> {
    cx: &'a Context,
    out: &'a Sink,
    place: PlaceOf<'a>,
    facts: Option<FileFacts>,
    layer: Option<Layer>,
    first: Option<Object>,
    objects: u32,
    keystores: u32,
    /// Objects beyond the most that are reported.
    left_out: u64,
    unparsed: u64,
    certificates: Vec<Digest>,
    /// Blocks and containers that are known and not read, by name.
    not_read: BTreeSet<String>,
    gaps: Vec<(GapReason, String)>,
    /// A private key was in the octets, readable or not.
    pub(super) secret: bool,
    /// Something was there that is known and means no object, such as parameters.
    known: bool,
    closed: bool,
    now: Option<Time>,
    /// What came of the entries, if it is an archive.
    inside: Reported,
}

/// A place that is made when it is needed: hardly a file holds anything.
enum PlaceOf<'a> {
    Path(&'a std::path::Path),
    Made(Place),
}

/// What came of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported {
    /// All of it was read.
    pub(super) whole: bool,
    /// Anything was said about it.
    pub(super) anything: bool,
    /// Whatever kept it from being read whole lies in the file and in our settings: to read it again
    /// would come to the same.
    pub(super) lasting: bool,
}

impl<'a> FileReport<'a> {
    pub(super) fn new(cx: &'a Context, out: &'a Sink, path: &'a std::path::Path) -> Self {
        Self::at(cx, out, PlaceOf::Path(path))
    }

    /// What lies in an archive.
    pub(super) fn inside(
        cx: &'a Context,
        out: &'a Sink,
        place: Place,
        facts: Option<FileFacts>,
        layer: Option<Layer>,
    ) -> Self {
        Self { facts, layer, ..Self::at(cx, out, PlaceOf::Made(place)) }
    }

    fn at(cx: &'a Context, out: &'a Sink, place: PlaceOf<'a>) -> Self {
        Self {
            cx,
            out,
            place,
            facts: None,
            layer: None,
            first: None,
            objects: 0,
            keystores: 0,
            left_out: 0,
            unparsed: 0,
            certificates: Vec::new(),
            not_read: BTreeSet::new(),
            gaps: Vec::new(),
            secret: false,
            known: false,
            closed: false,
            now: None,
            inside: Reported { whole: true, anything: false, lasting: true },
        }
    }

    /// Who owns the file; said with every object of it.
    pub(super) fn describe(&mut self, facts: FileFacts) {
        self.facts = Some(facts);
    }

    /// What came of one entry of this archive.
    pub(super) fn contains(&mut self, entry: Reported) {
        self.inside.whole &= entry.whole;
        self.inside.lasting &= entry.lasting;
        self.inside.anything |= entry.anything;
    }

    /// What was said of it rests on other files as well.
    pub(super) fn depends_on_others(&mut self) {
        self.inside.lasting = false;
    }

    /// Nobody takes observations any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn layer(&self) -> Option<&Layer> {
        self.layer.as_ref()
    }

    pub(super) fn facts(&self) -> Option<&FileFacts> {
        self.facts.as_ref()
    }

    /// Whether nothing at all was recognised.
    pub(super) fn is_blank(&self) -> bool {
        self.objects == 0
            && self.keystores == 0
            && self.unparsed == 0
            && self.not_read.is_empty()
            && self.gaps.is_empty()
            && !self.known
            && !self.inside.anything
    }

    /// Says what is left to say.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub(super) fn finish(mut self) -> Result<Reported, CollectError> {
        if let Some(object) = self.first.take() {
            let place = self.place();
            self.send(object, place);
        }
        if self.certificates.len() >= TrustStore::LEAST_MEMBERS && !self.secret {
            let members = std::mem::take(&mut self.certificates);
            let place = self.place();
            self.send(Raw::Bundle(members).into(), place);
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
        let whole = self.gaps.is_empty() && self.inside.whole;
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
        let lasting =
            self.inside.lasting && self.gaps.iter().all(|(reason, _)| lies_in_the_file(*reason));
        let anything =
            self.objects > 0 || self.keystores > 0 || !self.gaps.is_empty() || self.inside.anything;
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
        if self.closed {
            Err(CollectError::SinkClosed)
        } else {
            Ok(Reported { whole, anything, lasting })
        }
    }

    fn found(&mut self, object: Object) {
        // A keystore is the whole file, and what lies in it is counted.
        if matches!(object.raw, Raw::Keystore { .. }) {
            self.keystores += 1;
            let place = self.place();
            return self.send(object, place);
        }
        self.objects = self.objects.saturating_add(1);
        match self.objects {
            1 => self.first = Some(object),
            number => {
                let place = self.place();
                if let Some(first) = self.first.take() {
                    self.send(first, place.object(1));
                }
                self.send(object, place.object(number));
            }
        }
    }

    fn send(&mut self, object: Object, place: Place) {
        let Object { raw, key, label, ssh_certificate, layer } = object;
        let mut sighting = Sighting::at(place, NAME, self.now());
        sighting.circumstances = Circumstances {
            file: self.facts.clone(),
            key,
            chain_position: None,
            label: label.map(|label| label.chars().take(LONGEST_LABEL).collect()),
            layer: layer.or_else(|| self.layer.clone()),
            ssh_certificate,
            token: None,
        };
        self.hand_in(Observation::found(raw, sighting));
    }

    fn hand_in(&mut self, observation: Observation) {
        self.closed = self.closed || self.out.send_blocking(observation).is_err();
    }

    pub(super) fn place(&mut self) -> Place {
        if let PlaceOf::Path(path) = self.place {
            self.place = PlaceOf::Made(Place::file(path));
        }
        match &self.place {
            PlaceOf::Made(place) => place.clone(),
            PlaceOf::Path(path) => Place::file(path),
        }
    }

    /// One instant for all of a file.
    fn now(&mut self) -> Time {
        *self.now.get_or_insert_with(|| self.cx.now())
    }
}

impl Report for FileReport<'_> {
    fn is_full(&mut self) -> bool {
        let full = self.objects >= MOST_OBJECTS;
        self.left_out += u64::from(full);
        full
    }

    fn object(&mut self, object: Object) {
        if let Raw::Certificate(der) = &object.raw {
            self.certificates.push(Digest::of(der));
        }
        if self.objects >= MOST_OBJECTS {
            self.left_out += 1;
        } else {
            self.found(object);
        }
    }

    fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String) {
        self.unparsed += 1;
        if self.unparsed <= MOST_UNPARSED {
            let unparsed = Unparsed { claimed: claimed.name().to_owned(), length, error };
            self.found(Raw::Unparsed { id, unparsed }.into());
        }
    }

    fn not_read(&mut self, format: String) {
        // Labels come from the file: as many as one could ever be interested in.
        if self.not_read.len() < 8 {
            self.not_read.insert(format);
        }
    }

    fn gap(&mut self, reason: GapReason, detail: String) {
        // One sentence for each reason: the place has one gap for it.
        match self.gaps.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, said)) if said.len() < 512 => {
                said.push_str("; ");
                said.push_str(&detail);
            }
            Some(_) => {}
            None => self.gaps.push((reason, detail)),
        }
    }

    fn secret(&mut self) {
        self.secret = true;
    }

    fn known(&mut self) {
        self.known = true;
    }
}

/// Whether this reason stays as long as the file and the settings stay as they are.
fn lies_in_the_file(reason: GapReason) -> bool {
    matches!(
        reason,
        GapReason::Damaged
            | GapReason::FormatNotRead
            | GapReason::LimitReached
            | GapReason::TooLarge
            | GapReason::Unrecognised
    )
}
