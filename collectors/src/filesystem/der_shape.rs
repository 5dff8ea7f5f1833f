//! Tells by the first tags what a DER encoding is, whatever its file is called.
//!
//! A shape is a claim, not a verdict: the inventory parses what is handed over and keeps what does
//! not parse as unparsed. Shapes are narrow enough that no other common file format has one of
//! them: every one needs an algorithm identifier, or several numbers in a row, at a fixed place.

use super::tlv::{
    BIT_STRING, Element, GENERALIZED_TIME, Header, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING,
    Reader, SEQUENCE, UTC_TIME,
};

/// What an encoding looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Certificate,
    RevocationList,
    SigningRequest,
    /// PKCS#8 in the clear.
    PrivateKey,
    /// PKCS#8 under a passphrase.
    EncryptedPrivateKey,
    /// PKCS#1.
    RsaPrivateKey,
    /// SEC 1.
    EcPrivateKey,
    /// The six numbers OpenSSL writes.
    DsaPrivateKey,
    /// `SubjectPublicKeyInfo`.
    PublicKey,
    /// Recognised, not read.
    Container(&'static str),
}

/// The length the outermost element announces, if these octets begin with a DER sequence.
pub(super) fn announced(prefix: &[u8]) -> Option<usize> {
    Header::read(prefix)
        .filter(|header| header.tag == SEQUENCE && header.value > 0)
        .map(Header::total)
}

/// What these octets begin with. Signed objects are told by their first fields, so that a large or
/// truncated one is known too; everything else has to be complete.
pub(super) fn shape(octets: &[u8]) -> Option<Shape> {
    container(octets).or_else(|| signed(octets)).or_else(|| complete(octets))
}

/// Keystores and message formats. The first two may be BER with lengths left open, which is how
/// Java and Windows write them.
fn container(octets: &[u8]) -> Option<Shape> {
    // Version 1 or 2 follows the magic number.
    let java = |magic: u8, second: u8| {
        octets.starts_with(&[magic, second, magic, second, 0, 0, 0])
            && matches!(octets.get(7), Some(1 | 2))
    };
    if java(0xfe, 0xed) {
        return Some(Shape::Container("a Java keystore (JKS)"));
    }
    if java(0xce, 0xce) {
        return Some(Shape::Container("a Java keystore (JCEKS)"));
    }
    // 1.2.840.113549.1.7: PKCS#7, RFC 5652.
    const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    let mut rest = open_sequence(octets)?;
    if let Some(version) = Reader(rest).take(INTEGER) {
        // RFC 7292, section 4: version 3, then a content type.
        rest = open_sequence(&rest[version.whole.len()..])?;
        let content = Reader(rest).take(OBJECT_IDENTIFIER)?;
        return (version.number() == Some(3) && content.value.starts_with(PKCS7))
            .then_some(Shape::Container("a PKCS#12 keystore"));
    }
    let content = Reader(rest).take(OBJECT_IDENTIFIER)?;
    let explicit = rest.get(content.whole.len()) == Some(&0xa0);
    (content.value.starts_with(PKCS7) && explicit)
        .then_some(Shape::Container("a PKCS#7 (CMS) message"))
}

/// What follows the header of a sequence, its length known or left open.
fn open_sequence(octets: &[u8]) -> Option<&[u8]> {
    if octets.starts_with(&[SEQUENCE, 0x80]) {
        return octets.get(2..);
    }
    let header = Header::read(octets).filter(|header| header.tag == SEQUENCE)?;
    octets.get(header.header..)
}

/// Certificates, revocation lists and requests: a sequence that begins with the sequence that was
/// signed (RFC 5280, 4.1 and 5.1; RFC 2986, 4.2).
fn signed(octets: &[u8]) -> Option<Shape> {
    let mut first = Reader(open(open(octets)?)?);
    let head = first.0;
    // The version of a certificate is tagged; nothing else in the field begins like this, so what
    // follows may be as broken as it wants.
    if head.starts_with(&[0xa0, 0x03, 0x02, 0x01]) && head.get(5) == Some(&INTEGER) {
        return Some(Shape::Certificate);
    }
    let number = first.take(INTEGER);
    let mut list = first;
    if list.algorithm().is_some() {
        let name = list.take(SEQUENCE)?;
        // A name is a list of sets, and may be empty where it must not be.
        let is_name = matches!(name.value.first(), None | Some(0x31));
        if is_name && matches!(list.0.first(), Some(&(UTC_TIME | GENERALIZED_TIME))) {
            return Some(Shape::RevocationList);
        }
        let mut validity = list.take(SEQUENCE)?.inside();
        return (number.is_some() && time(&mut validity) && time(&mut validity))
            .then_some(Shape::Certificate);
    }
    first.take(SEQUENCE)?;
    let mut key = first.take(SEQUENCE)?.inside();
    let is_key = key.algorithm().is_some() && key.take(BIT_STRING).is_some();
    (is_key && number.is_some()).then_some(Shape::SigningRequest)
}

fn time(reader: &mut Reader<'_>) -> bool {
    reader.any().is_some_and(|element| matches!(element.tag, UTC_TIME | GENERALIZED_TIME))
}

/// What follows the header of a sequence, complete or not.
fn open(octets: &[u8]) -> Option<&[u8]> {
    let header =
        Header::read(octets).filter(|header| header.tag == SEQUENCE && header.value > 0)?;
    let inside = octets.get(header.header..)?;
    Some(inside.get(..header.value).unwrap_or(inside))
}

fn complete(octets: &[u8]) -> Option<Shape> {
    let mut outer = Element::first(octets).filter(|outer| outer.tag == SEQUENCE)?.inside();
    if let Some((oid, _)) = outer.algorithm() {
        let body = outer.any()?;
        // A digest (RFC 8017, 9.2) is built like an encrypted key: only the identifier tells.
        let wrapped =
            oid.starts_with("1.2.840.113549.1.5.") || oid.starts_with("1.2.840.113549.1.12.1.");
        return match body.tag {
            OCTET_STRING if wrapped && outer.is_empty() => Some(Shape::EncryptedPrivateKey),
            BIT_STRING if body.value.first() == Some(&0) && outer.is_empty() => {
                Some(Shape::PublicKey)
            }
            _ => None,
        };
    }
    let version = outer.take(INTEGER)?.number()?;
    let mut key = outer;
    if key.algorithm().is_some() {
        // RFC 5958, section 2: version 1 is 0, version 2 is 1.
        return (version <= 1 && key.take(OCTET_STRING).is_some()).then_some(Shape::PrivateKey);
    }
    if version == 1 && outer.take(OCTET_STRING).is_some_and(|scalar| scalar.value.len() >= 14) {
        // RFC 5915, section 3; the smallest standard curve has 112 bits.
        let only_tagged = outer.is_empty() || matches!(outer.0.first(), Some(0xa0 | 0xa1));
        return only_tagged.then_some(Shape::EcPrivateKey);
    }
    let mut numbers = 0;
    while outer.take(INTEGER).is_some() {
        numbers += 1;
    }
    match (version, numbers, outer.is_empty()) {
        // RFC 8017, A.1.2: version 0 has eight numbers; version 1 adds more primes.
        (0, 8, true) | (1, 8, false) => Some(Shape::RsaPrivateKey),
        (0, 5, true) => Some(Shape::DsaPrivateKey),
        _ => None,
    }
}
