//! Where readers put what they find.

use std::collections::BTreeSet;

use pki_inventory::{Digest, GapReason, Kind, Object, Raw, Unparsed};

/// Takes what readers find in one file, or in one entry of an archive.
///
/// Readers know octets. Whoever implements this knows where they lie, counts the objects of one
/// place and keeps its limits.
pub trait Report {
    /// Whether no more objects are taken. Asked before each object that is costly to read; then
    /// that object is counted as left out.
    fn is_full(&mut self) -> bool;

    /// One thing.
    fn object(&mut self, object: Object);

    /// Something that claims to be of this kind and is not readable as one, under this identity.
    fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String);

    /// A format that is recognised and not read, such as `an OpenPGP keyring`.
    fn not_read(&mut self, format: String);

    /// A reason why not all of the octets were read.
    fn gap(&mut self, reason: GapReason, detail: String);

    /// A private key or another secret was in the octets, readable or not: buffers have to be
    /// wiped, and what lies beside it makes no trust store.
    fn secret(&mut self);

    /// Something was there that is known and means no object, such as parameters.
    fn known(&mut self);

    /// Something that claims to be of this kind and is not readable as one. Its octets make its
    /// identity, unless it claims to be a key: broken keys that are alike are told apart by their
    /// places.
    fn unparsed(&mut self, claimed: Kind, octets: &[u8], error: String) {
        // What claims to be a key may be a secret that is short enough to be searched for by its
        // digest. So a broken key is known by what is wrong with it, and by about how long it is.
        let id = match (claimed, octets) {
            (Kind::Key, _) | (_, []) => {
                let about = octets.len().next_power_of_two();
                Digest::of(format!("{claimed}: {error} ({about})").as_bytes())
            }
            (_, octets) => Digest::of(octets),
        };
        self.unparsed_as(id, claimed, octets.len(), error);
    }
}

/// A report of things that lie under a name.
pub(crate) struct Called<'a, 'b> {
    pub(crate) report: &'a mut dyn Report,
    pub(crate) label: Option<&'b str>,
}

impl Report for Called<'_, '_> {
    fn is_full(&mut self) -> bool {
        self.report.is_full()
    }

    fn object(&mut self, object: Object) {
        let label = match (self.label, &object.label) {
            (Some(label), Some(own)) => Some(format!("{label} ({own})")),
            (label, _) => label.map(str::to_owned),
        };
        self.report.object(match label {
            Some(label) => object.called(label),
            None => object,
        });
    }

    fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String) {
        let error = match self.label {
            Some(label) => format!("{label}: {error}"),
            None => error,
        };
        self.report.unparsed_as(id, claimed, length, error);
    }

    fn not_read(&mut self, format: String) {
        self.report.not_read(format);
    }

    fn gap(&mut self, reason: GapReason, detail: String) {
        self.report.gap(reason, detail);
    }

    fn secret(&mut self) {
        self.report.secret();
    }

    fn known(&mut self) {
        self.report.known();
    }
}

/// A report that keeps everything, for tests and for octets without a place.
#[derive(Debug, Default)]
pub struct Collected {
    /// Everything found, in order; what could not be parsed among it.
    pub objects: Vec<Object>,
    /// Formats that are recognised and not read.
    pub not_read: BTreeSet<String>,
    /// Reasons why not all was read.
    pub gaps: Vec<(GapReason, String)>,
    /// Whether a secret was in the octets.
    pub secret: bool,
    /// Whether something known was there that means no object.
    pub known: bool,
}

impl Report for Collected {
    fn is_full(&mut self) -> bool {
        false
    }

    fn object(&mut self, object: Object) {
        self.objects.push(object);
    }

    fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String) {
        let unparsed = Unparsed { claimed: claimed.name().to_owned(), length, error };
        self.objects.push(Raw::Unparsed { id, unparsed }.into());
    }

    fn not_read(&mut self, format: String) {
        self.not_read.insert(format);
    }

    fn gap(&mut self, reason: GapReason, detail: String) {
        self.gaps.push((reason, detail));
    }

    fn secret(&mut self) {
        self.secret = true;
    }

    fn known(&mut self) {
        self.known = true;
    }
}
