//! Certificates and revocation lists in the attributes of RFC 4523.

use pki_encodings::der_shape::{Shape, announced, shape};
use pki_encodings::tlv::{Reader, SEQUENCE};
use pki_encodings::{Report, objects, pkcs7};
use pki_inventory::{Digest, GapReason, Kind, Object, Raw};

use crate::Entry;

/// The attributes that hold any (RFC 4523, 2; `userSMIMECertificate`: RFC 2798, 2.8).
pub const ATTRIBUTES: &[&str] = &[
    "authorityRevocationList",
    "cACertificate",
    "certificateRevocationList",
    "crossCertificatePair",
    "deltaRevocationList",
    "userCertificate",
    "userSMIMECertificate",
];

/// What was found, by the digests that the objects are known by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) certificates: Vec<Digest>,
    pub(crate) lists: Vec<Digest>,
}

/// What the attributes hold, one value each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Certificate,
    RevocationList,
    /// Two of them, one for each direction (RFC 4523, 2.3).
    Pair,
    Message,
}

/// Reads every certificate, revocation list and cross-certificate of an entry, each under the name
/// of its attribute.
pub fn read(entry: &Entry, report: &mut dyn Report) {
    of(entry, ATTRIBUTES, report);
}

/// Reads these attributes, and says what was in them.
pub(crate) fn of(entry: &Entry, attributes: &[&'static str], report: &mut dyn Report) -> Found {
    let mut found = Found::default();
    for &attribute in attributes {
        let form = match attribute {
            "authorityRevocationList" | "certificateRevocationList" | "deltaRevocationList" => {
                Form::RevocationList
            }
            "crossCertificatePair" => Form::Pair,
            "userSMIMECertificate" => Form::Message,
            _ => Form::Certificate,
        };
        for value in entry.values(attribute) {
            let mut called = Called { report: &mut *report, attribute, found: &mut found };
            self::value(form, value, &mut called);
        }
    }
    found.certificates.sort();
    found.certificates.dedup();
    found.lists.sort();
    found.lists.dedup();
    found
}

fn value(form: Form, octets: &[u8], called: &mut Called<'_>) {
    // Active Directory demands a value of some attributes: a single zero stands for none.
    if octets.iter().all(|octet| *octet == 0) && octets.len() <= 1 {
        return called.known();
    }
    if called.is_full() {
        return;
    }
    let seen = shape(octets).filter(|_| announced(octets) == Some(octets.len()));
    match (form, seen) {
        (_, Some(Shape::Certificate)) => {
            called.object(Raw::Certificate(octets.to_vec()).into());
        }
        (_, Some(Shape::RevocationList)) => {
            called.object(Raw::RevocationList(octets.to_vec()).into());
        }
        (Form::Message, Some(Shape::Pkcs7)) => pkcs7(octets, called),
        (Form::Pair, _) if let Some(pair) = pair(octets) => {
            for one in pair {
                value(Form::Certificate, one, called);
            }
        }
        (_, Some(shape)) if objects::kind(shape) == Some(Kind::Key) => {
            // Somebody put a key where everybody may read it; what it is worth is not kept.
            called.secret();
            called.unparsed(Kind::Key, octets, "a key where a certificate belongs".to_owned());
        }
        (form, _) => {
            if octets.windows(11).any(|window| window == b"PRIVATE KEY") {
                called.secret();
            }
            called.unparsed(form.kind(), octets, broken(form, octets));
        }
    }
}

/// The certificates of a pair: `forward [0]` and `reverse [1]`, each of them optional and explicit
/// (RFC 4523, 2.3; X.509, 11.2.3). One that holds neither is none.
fn pair(octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut outer = Reader(octets);
    let mut inside = outer.take(SEQUENCE).filter(|_| outer.is_empty())?.inside();
    let both = [0xa0, 0xa1].map(|tag| inside.take(tag).map(|element| element.value));
    let found: Vec<&[u8]> = both.into_iter().flatten().collect();
    (inside.is_empty() && !found.is_empty()).then_some(found)
}

fn broken(form: Form, octets: &[u8]) -> String {
    let what = form.name();
    if octets.trim_ascii_start().starts_with(b"-----BEGIN") {
        return format!("PEM, where the DER of {what} belongs");
    }
    match announced(octets) {
        Some(length) if length < octets.len() => {
            format!("{} octets follow the end of the encoding", octets.len() - length)
        }
        Some(length) if length > octets.len() => {
            format!("the encoding announces {length} octets and only {} are there", octets.len())
        }
        Some(_) => format!("another encoding than that of {what}"),
        None => format!("no encoding of {what}"),
    }
}

impl Form {
    fn kind(self) -> Kind {
        match self {
            Self::RevocationList => Kind::RevocationList,
            Self::Certificate | Self::Pair => Kind::Certificate,
            Self::Message => Kind::Unparsed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::RevocationList => "a revocation list",
            Self::Pair => "a pair of certificates",
            Self::Message => "a message (PKCS#7, CMS)",
        }
    }
}

/// A report of what lies in an attribute, which takes note of it.
struct Called<'a> {
    report: &'a mut dyn Report,
    attribute: &'static str,
    found: &'a mut Found,
}

impl Report for Called<'_> {
    fn is_full(&mut self) -> bool {
        self.report.is_full()
    }

    fn object(&mut self, object: Object) {
        match &object.raw {
            Raw::Certificate(der) => self.found.certificates.push(Digest::of(der)),
            Raw::RevocationList(der) => self.found.lists.push(Digest::of(der)),
            _ => {}
        }
        let label = match &object.label {
            Some(own) => format!("{} ({own})", self.attribute),
            None => self.attribute.to_owned(),
        };
        self.report.object(object.called(label));
    }

    fn unparsed_as(&mut self, id: Digest, claimed: Kind, length: usize, error: String) {
        self.report.unparsed_as(id, claimed, length, format!("`{}`: {error}", self.attribute));
    }

    fn not_read(&mut self, format: String) {
        self.report.not_read(format);
    }

    fn gap(&mut self, reason: GapReason, detail: String) {
        self.report.gap(reason, format!("`{}`: {detail}", self.attribute));
    }

    fn secret(&mut self) {
        self.report.secret();
    }

    fn known(&mut self) {
        self.report.known();
    }
}

#[cfg(test)]
mod tests;
