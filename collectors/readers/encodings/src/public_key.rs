//! Public keys as certificates carry them.
//!
//! Keys and certificates are joined by the SHA-256 of the `SubjectPublicKeyInfo`, so what is built
//! here has to equal, octet for octet, what a CA puts into a certificate: RSA with NULL parameters
//! (RFC 3279, 2.3.1), curves by name and points uncompressed (RFC 5480, 2.1.1 and 2.2).

use pki_inventory::{Digest, Key, KeyAlgorithm};

use crate::tlv::{self, BIT_STRING, Element, INTEGER, NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE};

/// RFC 8017, A.1.
pub const RSA: &str = "1.2.840.113549.1.1.1";
/// RFC 8017, A.2.3.
pub const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
/// RFC 5480, 2.1.1.
pub const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
/// RFC 3279, 2.3.2.
pub const DSA: &str = "1.2.840.10040.4.1";

const RSA_OCTETS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_OCTETS: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const DSA_OCTETS: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];

/// The `SubjectPublicKeyInfo` of an RSA key.
pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = tlv::element(SEQUENCE, &[&tlv::unsigned(modulus), &tlv::unsigned(exponent)]);
    assemble(&algorithm(RSA_OCTETS, &[NULL, 0]), &key)
}

/// The `SubjectPublicKeyInfo` of a point on a curve.
pub fn elliptic(parameters: &[u8], point: &[u8]) -> Vec<u8> {
    assemble(&algorithm(EC_OCTETS, parameters), point)
}

/// The `SubjectPublicKeyInfo` of a DSA key (RFC 3279, 2.3.2).
pub fn dsa(parameters: &[Element<'_>; 3], public: &[u8]) -> Vec<u8> {
    let [p, q, g] = parameters.map(|number| tlv::unsigned(number.value));
    let parameters = tlv::element(SEQUENCE, &[&p, &q, &g]);
    assemble(&algorithm(DSA_OCTETS, &parameters), &tlv::unsigned(public))
}

/// A `SubjectPublicKeyInfo` from a whole `AlgorithmIdentifier` and the octets of the key.
pub fn assemble(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    tlv::element(SEQUENCE, &[algorithm, &tlv::element(BIT_STRING, &[&[0], key])])
}

fn algorithm(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
    tlv::element(SEQUENCE, &[&tlv::element(OBJECT_IDENTIFIER, &[oid]), parameters])
}

/// Identity and facts of the key in a `SubjectPublicKeyInfo`; `None` when it is none.
pub fn read(spki: &[u8]) -> Option<(Digest, Key)> {
    let outer = Element::first(spki).filter(|outer| outer.tag == SEQUENCE)?;
    let mut fields = outer.inside();
    let (oid, parameters) = fields.algorithm()?;
    let key = fields.take(BIT_STRING)?.value;
    let modulus = || {
        let mut numbers = Element::first(key.get(1..)?)?.inside();
        let modulus = numbers.take(INTEGER)?;
        numbers.take(INTEGER).map(|_| modulus.value)
    };
    let algorithm = match oid.as_str() {
        RSA | RSASSA_PSS => KeyAlgorithm::rsa(bits(modulus()?)),
        other => named(other, parameters),
    };
    let id = Digest::of(outer.whole);
    Some((id, Key { spki: Some(id), algorithm: Some(algorithm) }))
}

/// The algorithm that an identifier and its parameters name, as far as they do.
pub fn named(oid: &str, mut parameters: Reader<'_>) -> KeyAlgorithm {
    match oid {
        RSA | RSASSA_PSS => KeyAlgorithm::named("RSA"),
        EC_PUBLIC_KEY => {
            let curve = parameters.take(OBJECT_IDENTIFIER).and_then(Element::oid);
            KeyAlgorithm::elliptic(curve.as_deref())
        }
        DSA => KeyAlgorithm::named("DSA"),
        other => KeyAlgorithm::by_oid(other),
    }
}

/// The size of a number in bits.
fn bits(octets: &[u8]) -> u32 {
    let digits = tlv::significant(octets);
    digits.first().map_or(0, |first| {
        u32::try_from(digits.len()).unwrap_or(u32::MAX / 8) * 8 - first.leading_zeros()
    })
}
