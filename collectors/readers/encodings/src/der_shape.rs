//! Tells by the first tags what a DER encoding is, whatever its file is called.
//!
//! A shape is a claim, not a verdict: the inventory parses what is handed over and keeps what does
//! not parse as unparsed. Shapes are narrow enough that no other common file format has one of
//! them: every one needs an algorithm identifier, or several numbers in a row, at a fixed place.

use crate::ber;
use crate::pkcs7::{CONTENT_TYPES, MORE_CONTENT_TYPES};
use crate::tlv::{
    BIT_STRING, Element, GENERALIZED_TIME, Header, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING,
    Reader, SEQUENCE, UTC_TIME,
};

/// What an encoding looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An X.509 certificate (RFC 5280, 4.1).
    Certificate,
    /// A certificate revocation list (RFC 5280, 5.1).
    RevocationList,
    /// PKCS#10 (RFC 2986).
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
    /// A message of PKCS#7 or CMS (RFC 5652), in DER or in BER.
    Pkcs7,
}

/// The length the outermost element announces, if these octets begin with a DER sequence. One that
/// leaves its length open (BER) has to be there to its end.
#[must_use]
pub fn announced(prefix: &[u8]) -> Option<usize> {
    if is_open(prefix) {
        return ber::Element::first(prefix).map(|message| message.whole.len());
    }
    Header::read(prefix)
        .filter(|header| header.tag == SEQUENCE && header.value > 0)
        .map(Header::total)
}

/// Whether these octets begin with a sequence whose length is left open (BER), so that only reading
/// to its end tells how long it is.
#[must_use]
pub fn is_open(prefix: &[u8]) -> bool {
    prefix.starts_with(&[SEQUENCE, 0x80])
}

/// Whether this is one whole PKCS#12 store as far as its first fields tell (RFC 7292, section 4):
/// version 3 and a message around its contents.
pub(crate) fn is_pkcs12(octets: &[u8]) -> bool {
    let fields = || {
        let whole = Element::first(octets).filter(|whole| whole.tag == SEQUENCE)?;
        let mut fields = whole.inside();
        let version = fields.take(INTEGER)?.number()?;
        let message = fields.take(SEQUENCE)?;
        let mac = fields.0.is_empty() || fields.take(SEQUENCE).is_some();
        let framed = fields.is_empty() && mac && whole.whole.len() == octets.len();
        Some(version == 3 && framed && self::message(message.whole).is_some())
    };
    fields().unwrap_or(false)
}

/// What these octets begin with. Signed objects and messages are told by their first fields, so
/// that a large or truncated one is known too; everything else has to be complete.
#[must_use]
pub fn shape(octets: &[u8]) -> Option<Shape> {
    message(octets).or_else(|| signed(octets)).or_else(|| complete(octets))
}

/// Whether this is one whole certificate and nothing else, followed field by field: for places
/// where a wrong guess is worse than none.
#[must_use]
pub fn is_certificate(octets: &[u8]) -> bool {
    // RFC 5280, 4.1.
    let fields = || {
        let mut outer = Reader(octets);
        let mut fields = outer.take(SEQUENCE)?.inside();
        let mut signed = fields.take(SEQUENCE)?.inside();
        fields.algorithm()?;
        fields.take(BIT_STRING)?;
        signed.take(0xa0);
        signed.take(INTEGER)?;
        signed.algorithm()?;
        signed.take(SEQUENCE)?;
        let mut validity = signed.take(SEQUENCE)?.inside();
        let instants = time(&mut validity) && time(&mut validity) && validity.is_empty();
        signed.take(SEQUENCE)?;
        let mut key = signed.take(SEQUENCE)?.inside();
        key.algorithm()?;
        key.take(BIT_STRING)?;
        // Identifiers and extensions are `[1]`, `[2]` and `[3]`.
        while let Some(field) = signed.any() {
            matches!(field.tag, 0x81 | 0x82 | 0xa1 | 0xa2 | 0xa3).then_some(())?;
        }
        (instants && outer.is_empty() && fields.is_empty() && signed.is_empty()).then_some(())
    };
    fields().is_some()
}

/// Messages. They may be BER with lengths left open, which is how streaming writers leave them.
fn message(octets: &[u8]) -> Option<Shape> {
    let rest = open_sequence(octets)?;
    let content = Reader(rest).take(OBJECT_IDENTIFIER)?;
    let explicit = rest.get(content.whole.len()) == Some(&0xa0);
    let known = [CONTENT_TYPES, MORE_CONTENT_TYPES];
    let is_message = known
        .iter()
        .any(|types| content.value.len() == types.len() + 1 && content.value.starts_with(types));
    (is_message && explicit).then_some(Shape::Pkcs7)
}

/// What follows the header of a sequence, its length known or left open.
fn open_sequence(octets: &[u8]) -> Option<&[u8]> {
    if is_open(octets) {
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
