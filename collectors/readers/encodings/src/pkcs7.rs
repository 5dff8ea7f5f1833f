//! Certificates and revocation lists that travel in messages: PKCS#7 and CMS (RFC 2315, RFC 5652).
//!
//! Signatures are not verified and contents are not read; what is inside an envelope stays there.
//! Whose certificate signed is told from what the message says of its signers (RFC 5652, 5.3).

use std::collections::BTreeSet;

use pki_inventory::{Kind, Object, Raw};

use crate::Report;
use crate::ber::{Element, Reader};
use crate::der_shape::{Shape, shape};
use crate::objects;
use crate::tlv::{self, INTEGER, OCTET_STRING, SEQUENCE};

/// 1.2.840.113549.1.7: the content types of PKCS#7, one arc before each.
pub(crate) const CONTENT_TYPES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
/// 1.2.840.113549.1.9.16.1: those that S/MIME added (RFC 5083, RFC 3274).
pub(crate) const MORE_CONTENT_TYPES: &[u8] =
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// Unsigned attributes that hold a message of their own, and what its signer is called.
const NESTED: &[(&[u8], &str)] = &[
    // 1.2.840.113549.1.9.16.2.14: a time-stamp token (RFC 3161, appendix A).
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0e], "timestamp signer"),
    // 1.3.6.1.4.1.311.3.3.1: the same under Microsoft's name for it.
    (&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x03, 0x03, 0x01], "timestamp signer"),
    // 1.3.6.1.4.1.311.2.4.1: a second signature beside the first.
    (&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x04, 0x01], "signer"),
];

/// 1.2.840.113549.1.9.6: a signature over the signature (RFC 5652, 11.4).
const COUNTERSIGNATURE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x06];
/// 2.5.29.14: the subject key identifier (RFC 5280, 4.2.1.2).
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];

const SET: u8 = 0x31;
/// `[0]` and `[1]`, with elements inside.
const FIRST: u8 = 0xa0;
const SECOND: u8 = 0xa1;

/// The most messages inside of one, in signers' attributes and as its content.
const MOST_NESTED: usize = 64;

/// The most signers of one message that are told from others.
const MOST_SIGNERS: usize = 1024;

/// The most broken members of a set; a set of nothing else is no set.
const MOST_BROKEN: usize = 64;

/// Reads a whole message, in DER or in BER, and reports the certificates and revocation lists in
/// it. The certificates of those who signed it are called `signer`, `countersigner` or
/// `timestamp signer`. A message that carries none, or hides them, is only `known`.
pub fn pkcs7(octets: &[u8], report: &mut dyn Report) {
    let (mut found, mut nested) = (false, Vec::new());
    let read = message(octets, "signer", report, &mut found, &mut Some(&mut nested));
    if read.is_none() {
        let error = "the message (PKCS#7, CMS) does not hold what its form promises".to_owned();
        report.unparsed(Kind::Unparsed, octets, error);
        return;
    }
    for (inner, label) in nested {
        // What a stranger put into an attribute may be anything.
        let _ = message(&inner, label, report, &mut found, &mut None);
    }
    if !found {
        report.known();
    }
}

/// Messages inside of one, each with what its signer is called.
type Nested = Vec<(Vec<u8>, &'static str)>;

/// One level of messages. `None` when the form is broken; what was found before is reported.
fn message(
    octets: &[u8],
    label: &'static str,
    report: &mut dyn Report,
    found: &mut bool,
    nested: &mut Option<&mut Nested>,
) -> Option<()> {
    let mut info = Reader(octets).take(SEQUENCE)?.inside();
    let content_type = info.oid()?;
    if content_type != SIGNED_DATA {
        return Some(());
    }
    // RFC 5652, 5.1.
    let mut fields = info.take(FIRST)?.inside().take(SEQUENCE)?.inside();
    fields.take(INTEGER)?;
    fields.take(SET)?;
    let mut content = fields.take(SEQUENCE)?.inside();
    if content.oid()? == SIGNED_DATA
        && let Some(nested) = nested
        && let Some(inner) = content.take(FIRST).and_then(|content| content.inside().any())
    {
        // An octet string in CMS, the message itself in PKCS#7 (RFC 5652, 5.2.1).
        let inner = match inner.tag & !0x20 {
            OCTET_STRING => inner.string().map(|octets| octets.to_vec()),
            _ => wrapped(inner),
        };
        nested.extend(inner.map(|inner| (inner, "signer")));
    }
    let certificates = fields.take(FIRST);
    let lists = fields.take(SECOND);
    let named = fields.take(SET).and_then(|set| Signers::read(set, label, nested));
    let whole = named.is_some();
    let signers = named.unwrap_or_default();
    // RFC 5652, 10.2: other choices are attribute certificates, status answers and their like.
    for (set, wanted) in [(certificates, Shape::Certificate), (lists, Shape::RevocationList)] {
        let Some(mut members) = set.map(Element::inside) else { continue };
        let mut broken = 0;
        while let Some(member) = members.any() {
            if member.tag == SEQUENCE {
                *found = true;
                broken += usize::from(!one(member, wanted, &signers, report));
            }
            (broken <= MOST_BROKEN).then_some(())?;
        }
        members.0.is_empty().then_some(())?;
    }
    whole.then_some(())
}

/// The content of a message in PKCS#7 is without the header that makes it a message.
fn wrapped(content: Element<'_>) -> Option<Vec<u8>> {
    if content.tag != SEQUENCE || content.open {
        return None;
    }
    let content_type = tlv::element(tlv::OBJECT_IDENTIFIER, &[SIGNED_DATA]);
    let explicit = tlv::element(FIRST, &[content.whole]);
    Some(tlv::element(SEQUENCE, &[&content_type, &explicit]))
}

/// Reports one member of a set; whether it is what it should be.
fn one(
    element: Element<'_>,
    wanted: Shape,
    signers: &Signers<'_>,
    report: &mut dyn Report,
) -> bool {
    let octets = element.whole;
    let seen = shape(octets);
    if seen.and_then(objects::format).is_some() {
        report.secret();
    }
    // Only what begins like one is handed on: anything may lie here, a private key too.
    if element.open || seen != Some(wanted) {
        let claimed = objects::kind(wanted).unwrap_or(Kind::Unparsed);
        report.unparsed(claimed, octets, "in a message: it does not begin like one".to_owned());
        return false;
    }
    if !report.is_full() {
        report.object(match wanted {
            Shape::RevocationList => Raw::RevocationList(octets.to_vec()).into(),
            _ => {
                let label = Names::read(octets).and_then(|names| signers.label(&names));
                let label = label.map(str::to_owned);
                Object { label, ..Object::of(Raw::Certificate(octets.to_vec())) }
            }
        });
    }
    true
}

/// How a message names those who signed it.
#[derive(Debug, Default)]
struct Signers<'a> {
    label: &'static str,
    /// Issuer and serial number, or key identifier and nothing.
    signed: BTreeSet<(&'a [u8], &'a [u8])>,
    countersigned: BTreeSet<(&'a [u8], &'a [u8])>,
}

impl<'a> Signers<'a> {
    fn read(
        set: Element<'a>,
        label: &'static str,
        nested: &mut Option<&mut Nested>,
    ) -> Option<Self> {
        let mut signers = Self { label, ..Self::default() };
        let mut infos = set.inside();
        while let Some(info) = infos.take(SEQUENCE) {
            let mut fields = info.inside();
            if signers.signed.len() < MOST_SIGNERS {
                signers.signed.extend(signer(&mut fields));
            }
            let Some(attributes) = std::iter::from_fn(|| fields.any()).find(unsigned) else {
                continue;
            };
            let mut attributes = attributes.inside();
            while let Some(attribute) = attributes.take(SEQUENCE) {
                signers.attribute(attribute, nested);
            }
        }
        infos.0.is_empty().then_some(signers)
    }

    /// RFC 5652, 5.3: a type and a set of values.
    fn attribute(&mut self, attribute: Element<'a>, nested: &mut Option<&mut Nested>) {
        let mut fields = attribute.inside();
        let (Some(oid), Some(values)) = (fields.oid(), fields.take(SET)) else { return };
        let mut values = values.inside();
        let label = NESTED.iter().find(|(known, _)| *known == oid).map(|(_, label)| *label);
        while let Some(value) = values.take(SEQUENCE) {
            if oid == COUNTERSIGNATURE && self.countersigned.len() < MOST_SIGNERS {
                self.countersigned.extend(signer(&mut value.inside()));
            } else if let (Some(label), Some(nested)) = (label, nested.as_mut())
                && nested.len() < MOST_NESTED
            {
                nested.push((value.whole.to_vec(), label));
            }
        }
    }

    fn label(&self, names: &Names<'_>) -> Option<&'static str> {
        let keys = [Some((names.issuer, names.serial)), names.key.map(|key| (key, &[][..]))];
        let among =
            |set: &BTreeSet<(&[u8], &[u8])>| keys.iter().flatten().any(|key| set.contains(key));
        if among(&self.signed) {
            Some(self.label)
        } else {
            among(&self.countersigned).then_some("countersigner")
        }
    }
}

/// `unsignedAttrs`, which is `[1]` and comes last. The attributes that were signed are `[0]`.
fn unsigned(field: &Element<'_>) -> bool {
    field.tag == SECOND
}

/// RFC 5652, 5.3: version, then `issuerAndSerialNumber` or `subjectKeyIdentifier`.
fn signer<'a>(fields: &mut Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    fields.take(INTEGER)?;
    let named = fields.any()?;
    match named.tag {
        SEQUENCE => {
            let mut inside = named.inside();
            let issuer = inside.take(SEQUENCE)?.whole;
            Some((issuer, inside.take(INTEGER)?.value))
        }
        0x80 => Some((named.value, &[])),
        _ => None,
    }
}

/// By what a certificate can be named.
struct Names<'a> {
    issuer: &'a [u8],
    serial: &'a [u8],
    key: Option<&'a [u8]>,
}

impl<'a> Names<'a> {
    /// RFC 5280, 4.1.
    fn read(certificate: &'a [u8]) -> Option<Self> {
        let mut fields = tlv::Element::first(certificate)?.inside().take(SEQUENCE)?.inside();
        fields.take(FIRST);
        let serial = fields.take(INTEGER)?.value;
        fields.take(SEQUENCE)?;
        let issuer = fields.take(SEQUENCE)?.whole;
        let extensions = std::iter::from_fn(|| fields.any()).find(|field| field.tag == 0xa3);
        let key = extensions.and_then(|tagged| {
            let mut extensions = tagged.inside().take(SEQUENCE)?.inside();
            std::iter::from_fn(|| extensions.take(SEQUENCE)).find_map(|extension| {
                let mut fields = extension.inside();
                let oid = fields.take(tlv::OBJECT_IDENTIFIER)?.value;
                (oid == SUBJECT_KEY_IDENTIFIER).then_some(())?;
                fields.take(tlv::BOOLEAN);
                let wrapped = fields.take(OCTET_STRING)?.inside().take(OCTET_STRING)?;
                Some(wrapped.value)
            })
        });
        Some(Self { issuer, serial, key })
    }
}
