//! From the numbers and points of other forms to what a certificate would carry.
//!
//! The digest of it joins a key with certificates and with the same key in other files, so what
//! cannot be a key of its algorithm makes none: a placeholder in a manual would join with others.

use pki_encodings::public_key;
use pki_encodings::tlv::{self, Element, INTEGER, OBJECT_IDENTIFIER, SEQUENCE};
use pki_inventory::KeyAlgorithm;

/// Curves by the octets of their object identifier, with the octets of a coordinate: RFC 5480
/// section 2.1.1.1, RFC 5639, SEC 2.
pub const CURVES: &[(Curve, &[u8], usize)] = &[
    (Curve::P256, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 32),
    (Curve::P384, &[0x2b, 0x81, 0x04, 0x00, 0x22], 48),
    (Curve::P521, &[0x2b, 0x81, 0x04, 0x00, 0x23], 66),
    (Curve::Secp256k1, &[0x2b, 0x81, 0x04, 0x00, 0x0a], 32),
    (Curve::Brainpool256, &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07], 32),
    (Curve::Brainpool384, &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b], 48),
    (Curve::Brainpool512, &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d], 64),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
    Brainpool256,
    Brainpool384,
    Brainpool512,
}

/// Algorithms whose public key is a string of one length (RFC 8410, 3; RFC 9881, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    X25519,
    X448,
    Ed25519,
    Ed448,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// The smallest modulus that is taken for a key: SSH and OpenPGP once had 512 bits.
const LEAST_MODULUS: usize = 512 / 8;
/// The largest: nothing computes with more, and identities are not made of megabytes.
const LARGEST_MODULUS: usize = 32_768 / 8;

/// RSA, if the numbers can be a key: both odd, the modulus of a size that was ever used.
pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let (modulus, exponent) = (tlv::significant(modulus), tlv::significant(exponent));
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    let sized = (LEAST_MODULUS..=LARGEST_MODULUS).contains(&modulus.len());
    let possible = sized && odd(modulus) && odd(exponent) && exponent.len() <= modulus.len();
    possible.then(|| public_key::rsa(modulus, exponent))
}

/// DSA, if the numbers can be a key.
pub fn dsa([p, q, g, y]: [&[u8]; 4]) -> Option<Vec<u8>> {
    let [p, q, g, y] = [p, q, g, y].map(tlv::significant);
    let sized =
        (LEAST_MODULUS..=LARGEST_MODULUS).contains(&p.len()) && (20..=64).contains(&q.len());
    let possible = sized && (1..=p.len()).contains(&g.len()) && (1..=p.len()).contains(&y.len());
    let number = |value| Element { tag: INTEGER, value, whole: &[] };
    possible.then(|| public_key::dsa(&[p, q, g].map(number), y))
}

/// A point on a named curve, uncompressed.
pub fn elliptic(curve: Curve, point: &[u8]) -> Option<Vec<u8>> {
    let (_, oid, length) = CURVES.iter().find(|(known, ..)| *known == curve)?;
    let possible = point.first() == Some(&4) && point.len() == 1 + 2 * length;
    possible.then(|| public_key::elliptic(&tlv::element(OBJECT_IDENTIFIER, &[oid]), point))
}

/// A key that is a plain string.
pub fn plain(algorithm: Plain, key: &[u8]) -> Option<Vec<u8>> {
    let (oid, length): (&[u8], usize) = match algorithm {
        Plain::X25519 => (&[0x2b, 0x65, 0x6e], 32),
        Plain::X448 => (&[0x2b, 0x65, 0x6f], 56),
        Plain::Ed25519 => (&[0x2b, 0x65, 0x70], 32),
        Plain::Ed448 => (&[0x2b, 0x65, 0x71], 57),
        Plain::MlDsa44 => (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11], 1312),
        Plain::MlDsa65 => (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12], 1952),
        Plain::MlDsa87 => (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13], 2592),
    };
    let identifier = tlv::element(SEQUENCE, &[&tlv::element(OBJECT_IDENTIFIER, &[oid])]);
    // A string of one octet repeated is an example, not a key.
    let possible = key.len() == length && key.iter().any(|octet| *octet != key[0]);
    possible.then(|| public_key::assemble(&identifier, key))
}

/// The public key of an X25519 secret (RFC 7748, 6.1), as WireGuard and age keep it.
pub fn of_x25519_secret(secret: &[u8]) -> Option<Vec<u8>> {
    use aws_lc_rs::agreement::{PrivateKey, X25519};
    if secret.iter().all(|octet| Some(octet) == secret.first()) {
        return None;
    }
    let key = PrivateKey::from_private_key(&X25519, secret).ok()?;
    plain(Plain::X25519, key.compute_public_key().ok()?.as_ref())
}

/// The algorithm on a curve that nothing is assembled for, by the octets of its identifier.
pub fn named_curve(oid: &[u8]) -> Option<KeyAlgorithm> {
    let whole = tlv::element(OBJECT_IDENTIFIER, &[oid]);
    let dotted = Element::first(&whole)?.oid()?;
    Some(KeyAlgorithm::elliptic(Some(&dotted)))
}
