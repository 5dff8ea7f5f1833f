//! What a keystore turned out to hold, until all of it is known.

use pki_encodings::tlv::{Element, INTEGER, SEQUENCE};
use pki_encodings::{Report, public_key};
use pki_inventory::{
    AssetId, Digest, Encryption, GapReason, Half, Holds, Key, KeyForm, Keystore, Kind, Lock,
    Object, Raw, StoreEntry, Time,
};

/// Objects of one store that are reported one by one. The largest real trust stores have a few
/// hundred.
const MOST_OBJECTS: usize = 20_000;

/// Characters of an alias or a label that are kept: a stranger can write megabytes of them.
pub(crate) const LONGEST_NAME: usize = 256;

/// Certificates above one key. Real chains have four; what says more is damaged or hostile.
pub(crate) const MOST_CHAIN: u32 = 1000;

/// Collects the store itself and what lies in it.
pub(crate) struct Contents {
    format: &'static str,
    pub(crate) integrity: Option<String>,
    protection: Vec<Encryption>,
    count: Option<u32>,
    entries: Vec<StoreEntry>,
    objects: Vec<Object>,
    left_out: usize,
    secret: bool,
    gaps: Vec<(GapReason, String)>,
}

impl Contents {
    pub(crate) fn of(format: &'static str) -> Self {
        Self {
            format,
            integrity: None,
            protection: Vec::new(),
            count: None,
            entries: Vec::new(),
            objects: Vec::new(),
            left_out: 0,
            secret: false,
            gaps: Vec::new(),
        }
    }

    /// A way in which parts of it are encrypted.
    pub(crate) fn protected(&mut self, encryption: &Encryption) {
        // A few dozen at most are told; a file could name millions.
        if self.protection.len() < 32 && !self.protection.contains(encryption) {
            self.protection.push(encryption.clone());
        }
    }

    /// Entries are countable, even if there is none.
    pub(crate) fn countable(&mut self) {
        self.count = self.count.or(Some(0));
    }

    pub(crate) fn entry(&mut self, mut entry: StoreEntry) {
        self.count = Some(self.count.unwrap_or(0).saturating_add(1));
        if entry.holds == Holds::PrivateKey || entry.holds == Holds::SecretKey {
            self.secret = true;
        }
        if self.entries.len() < Keystore::MOST_ENTRIES {
            entry.alias = entry.alias.as_deref().map(shown);
            self.entries.push(entry);
        }
    }

    /// Something that lies in it.
    pub(crate) fn object(&mut self, raw: Raw, form: Option<KeyForm>, label: Option<&str>) {
        if self.objects.len() == MOST_OBJECTS {
            self.left_out += 1;
            return;
        }
        let object = Object { key: form, ..Object::of(raw) };
        self.objects.push(match label {
            Some(label) => object.called(shown(label)),
            None => object,
        });
    }

    pub(crate) fn certificate(&mut self, octets: &[u8], label: Option<&str>) -> AssetId {
        self.object(Raw::Certificate(octets.to_vec()), None, label);
        AssetId::new(Kind::Certificate, Digest::of(octets))
    }

    pub(crate) fn key(&mut self, known: Known, form: KeyForm, label: Option<&str>) -> AssetId {
        self.object(Raw::Key { id: known.0, key: known.1 }, Some(form), label);
        AssetId::new(Kind::Key, known.0)
    }

    /// There is, or may be, a private key in it.
    pub(crate) fn secret(&mut self) {
        self.secret = true;
    }

    /// It does not hold what its format promises. One sentence is enough.
    pub(crate) fn damaged(&mut self, detail: &str) {
        if !self.is_damaged() {
            self.gaps.push((GapReason::Damaged, format!("{} keystore: {detail}", self.format)));
        }
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.gaps.iter().any(|(reason, _)| *reason == GapReason::Damaged)
    }

    /// A limit kept something from being read.
    pub(crate) fn limited(&mut self, detail: &str) {
        self.gaps.push((GapReason::LimitReached, format!("{} keystore: {detail}", self.format)));
    }

    /// Reports all of it. The octets are those of the store.
    pub(crate) fn report(mut self, octets: &[u8], lock: Lock, report: &mut dyn Report) {
        if self.left_out > 0 {
            let left_out = self.left_out;
            self.limited(&format!(
                "{left_out} objects beyond the first {MOST_OBJECTS} were not read"
            ));
        }
        let format = self.format.to_owned();
        let Self { integrity, protection, count, entries, objects, gaps, .. } = self;
        let keystore = Keystore { format, lock, integrity, protection, count, entries };
        if self.secret {
            report.secret();
        }
        report.object(Raw::Keystore { id: Digest::of(octets), keystore }.into());
        for object in objects {
            // Asking is what counts it as left out.
            if !report.is_full() {
                report.object(object);
            }
        }
        gaps.into_iter().for_each(|(reason, detail)| report.gap(reason, detail));
    }
}

/// A name as it can be kept and shown: of bounded length, and without characters that steer a
/// terminal.
fn shown(name: &str) -> String {
    let printable = |one: char| if one.is_control() { char::REPLACEMENT_CHARACTER } else { one };
    let mut kept: String = name.chars().take(LONGEST_NAME).map(printable).collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// Identity and public facts of a key.
pub(crate) type Known = (Digest, Key);

/// A key of which nothing is visible but its encryption: the digest of the encrypted octets tells it
/// apart.
pub(crate) fn hidden(encrypted: &[u8]) -> Known {
    (Digest::of(encrypted), Key { spki: None, algorithm: None })
}

pub(crate) fn private(encoding: &str, encryption: Encryption) -> KeyForm {
    KeyForm { half: Half::Private, encoding: encoding.to_owned(), encryption }
}

/// The key that a certificate is for (RFC 5280, 4.1).
pub(crate) fn certified_key(certificate: &[u8]) -> Option<Known> {
    let mut fields = Element::first(certificate)?.inside().take(SEQUENCE)?.inside();
    fields.take(0xa0);
    fields.take(INTEGER)?;
    // Signature, issuer, validity, subject.
    for _ in 0..4 {
        fields.take(SEQUENCE)?;
    }
    public_key::read(fields.take(SEQUENCE)?.whole)
}

/// Milliseconds since 1970, as Java counts.
pub(crate) fn from_millis(millis: i64) -> Time {
    Time(millis.div_euclid(1000))
}
