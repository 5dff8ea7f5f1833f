//! What readers find in one entry or row, as observations of its place.

use pki_encodings::Report;
use pki_inventory::{
    Circumstances, Digest, FileFacts, GapReason, Kind, Object, Observation, Place, Raw, Sighting,
    Time, Unparsed,
};

use super::NAME;
use super::session::Tally;

/// Objects of one entry that are reported.
const MOST_OBJECTS: u32 = 20_000;

/// Characters of a name that are kept.
const LONGEST_LABEL: usize = 256;

/// Takes what one entry holds. The entry as such has its place, and each certificate or list in it
/// has a number.
pub(super) struct EntryReport<'a> {
    place: Place,
    now: Time,
    facts: Option<&'a FileFacts>,
    out: &'a mut Vec<Observation>,
    tally: &'a mut Tally,
    objects: u32,
    left_out: u32,
    /// Whether the place is that of a row: what lies in it has no number of its own.
    is_row: bool,
}

impl<'a> EntryReport<'a> {
    pub(super) fn new(
        place: Place,
        now: Time,
        facts: Option<&'a FileFacts>,
        out: &'a mut Vec<Observation>,
        tally: &'a mut Tally,
    ) -> Self {
        Self { place, now, facts, out, tally, objects: 0, left_out: 0, is_row: false }
    }

    /// What one row of an export holds.
    pub(super) fn row(self) -> Self {
        Self { is_row: true, ..self }
    }

    /// Says what is left to say.
    pub(super) fn finish(self) {
        if self.left_out > 0 {
            let detail = format!(
                "{} more objects in the entry; the first {MOST_OBJECTS} are in the inventory",
                self.left_out
            );
            self.tally.gap(self.place, GapReason::LimitReached, detail);
        }
    }

    fn numbered(&mut self) -> Option<Place> {
        if self.objects >= MOST_OBJECTS {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.objects += 1;
        Some(if self.is_row { self.place.clone() } else { self.place.object(self.objects) })
    }

    fn send(&mut self, object: Object, place: Place) {
        let Object { raw, key, label, ssh_certificate, layer } = object;
        let mut sighting = Sighting::at(place, NAME, self.now);
        sighting.circumstances = Circumstances {
            file: self.facts.cloned(),
            key,
            chain_position: None,
            label: label.map(|label| label.chars().take(LONGEST_LABEL).collect()),
            layer,
            ssh_certificate,
            token: None,
        };
        self.out.push(Observation::found(raw, sighting));
    }
}

impl Report for EntryReport<'_> {
    fn is_full(&mut self) -> bool {
        let full = self.objects >= MOST_OBJECTS;
        self.left_out += u32::from(full);
        full
    }

    fn object(&mut self, object: Object) {
        let whole = matches!(
            object.raw,
            Raw::Authority(_) | Raw::Template(_) | Raw::DirectoryObject(_) | Raw::Issuance(_)
        );
        if whole {
            let place = self.place.clone();
            self.send(object, place);
        } else if let Some(place) = self.numbered() {
            self.send(object, place);
        }
    }

    fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String) {
        if let Some(place) = self.numbered() {
            let unparsed = Unparsed { claimed: claimed.name().to_owned(), length, error };
            self.send(Raw::Unparsed { id, unparsed }.into(), place);
        }
    }

    fn not_read(&mut self, format: String) {
        let detail = format!("holds {format}, which is not read yet");
        self.tally.gap(self.place.clone(), GapReason::FormatNotRead, detail);
    }

    fn gap(&mut self, reason: GapReason, detail: String) {
        self.tally.gap(self.place.clone(), reason, detail);
    }

    fn secret(&mut self) {}

    fn known(&mut self) {}
}
