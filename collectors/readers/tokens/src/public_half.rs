//! The public half of a key, from whatever attributes tell it.

use pki_encodings::public_key;
use pki_encodings::tlv::{self, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use pki_inventory::{Digest, KeyAlgorithm};

use crate::answers::Answers;
use crate::attributes::*;
use crate::names;
use crate::points::Curve;

/// What an object says of the key that it is or that it certifies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PublicHalf {
    /// SHA-256 of the `SubjectPublicKeyInfo`, where the object tells all of it.
    pub(crate) spki: Option<Digest>,
    /// The algorithm, as far as it is told.
    pub(crate) algorithm: Option<KeyAlgorithm>,
    /// Digest of the modulus of RSA without leading zeros, where it is told.
    pub(crate) modulus: Option<Digest>,
}

/// The public half of a public or private key.
pub(crate) fn of_key(answers: &Answers<'_>) -> PublicHalf {
    let key_type = answers.number(CKA_KEY_TYPE);
    let modulus = answers.octets(CKA_MODULUS).map(tlv::significant);
    let modulus = modulus.filter(|digits| !digits.is_empty() && key_type == Some(CKK_RSA));
    let algorithm = key_type.map(|key_type| algorithm(key_type, answers));
    // What the attributes say is encoded as certificates are. CKA_PUBLIC_KEY_INFO comes second: some
    // modules leave it empty, and some keep there what they were given.
    let built = key_type.and_then(|key_type| build(key_type, answers));
    let read = built.as_deref().and_then(public_key::read).or_else(|| {
        let (id, key) = public_key::read(answers.octets(CKA_PUBLIC_KEY_INFO)?)?;
        let fits = agree(algorithm.as_ref(), key.algorithm.as_ref());
        fits.then_some((id, key))
    });
    let (spki, told) = read.map_or((None, None), |(id, key)| (Some(id), key.algorithm));
    // The encoding does not tell the size of DSA, the attributes do.
    let algorithm = match (told, algorithm) {
        (Some(told), Some(own)) if told.name == own.name && told.bits.is_none() => Some(own),
        (Some(told), _) => Some(told),
        (None, own) => own,
    };
    PublicHalf { spki, algorithm, modulus: modulus.map(Digest::of) }
}

/// The key in a certificate (RFC 5280, 4.1).
pub(crate) fn of_certificate(der: &[u8]) -> PublicHalf {
    let spki = || {
        let mut fields = Element::first(der)?.inside().take(SEQUENCE)?.inside();
        fields.take(VERSION);
        fields.take(INTEGER)?;
        // Algorithm of the signature, issuer, validity, subject.
        for _ in 0..4 {
            fields.take(SEQUENCE)?;
        }
        fields.take(SEQUENCE).map(|spki| spki.whole)
    };
    let Some(spki) = spki() else { return PublicHalf::default() };
    let Some((id, key)) = public_key::read(spki) else { return PublicHalf::default() };
    let rsa = key.algorithm.as_ref().is_some_and(|algorithm| algorithm.name == "RSA");
    let modulus = if rsa { modulus(spki) } else { None };
    PublicHalf { spki: Some(id), algorithm: key.algorithm, modulus }
}

/// Whether a key of which the object itself tells `own` can be one of `other`.
pub(crate) fn agree(own: Option<&KeyAlgorithm>, other: Option<&KeyAlgorithm>) -> bool {
    let (Some(own), Some(other)) = (own, other) else { return true };
    let same_name = own.name == other.name
        // The number of a vendor's type says nothing.
        || own.name.starts_with("0x")
        // The family alone is known where the parameter set is not.
        || (FAMILIES.contains(&own.name.as_str()) && other.name.starts_with(&own.name))
        || (own.name == EDDSA && other.name.starts_with("Ed"))
        || (own.name == XDH && other.name.starts_with('X') && !other.name.starts_with("XMSS"));
    let same_bits = own.bits.is_none() || other.bits.is_none() || own.bits == other.bits;
    let same_curve = own.curve.is_none() || other.curve.is_none() || own.curve == other.curve;
    same_name && same_bits && same_curve
}

// PKCS #11 v3.2, the types of keys.
pub(crate) const CKK_RSA: u64 = 0x00;
const CKK_DSA: u64 = 0x01;
const CKK_DH: u64 = 0x02;
const CKK_EC: u64 = 0x03;
const CKK_X9_42_DH: u64 = 0x04;
const CKK_EC_EDWARDS: u64 = 0x40;
const CKK_EC_MONTGOMERY: u64 = 0x41;
const CKK_HSS: u64 = 0x46;
const CKK_XMSS: u64 = 0x47;
const CKK_XMSSMT: u64 = 0x48;
const CKK_ML_KEM: u64 = 0x49;
const CKK_ML_DSA: u64 = 0x4a;
const CKK_SLH_DSA: u64 = 0x4b;

/// Algorithms whose parameter set is part of the name.
const FAMILIES: [&str; 3] = [ML_DSA_NAME, ML_KEM_NAME, SLH_DSA_NAME];
const ML_DSA_NAME: &str = "ML-DSA";
const ML_KEM_NAME: &str = "ML-KEM";
const SLH_DSA_NAME: &str = "SLH-DSA";

/// Keys on a curve of RFC 8032 or RFC 7748 that is not told.
const EDDSA: &str = "EdDSA";
const XDH: &str = "XDH";

/// `[0]` around the version of a certificate.
const VERSION: u8 = 0xa0;

/// A parameter set (PKCS #11 v3.2, `CKP_…`) with the last part of its object identifier under
/// [`NIST`], and the octets of a public key.
type ParameterSet = (u64, [u8; 2], usize);

/// `2.16.840.1.101.3.4`: signatures are in its arc 3, encapsulation is in its arc 4.
const NIST: [u8; 7] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04];

/// RFC 9881, 2.
const ML_DSA: &[ParameterSet] = &[(1, [3, 17], 1312), (2, [3, 18], 1952), (3, [3, 19], 2592)];

/// RFC 9935, 3.
const ML_KEM: &[ParameterSet] = &[(1, [4, 1], 800), (2, [4, 2], 1184), (3, [4, 3], 1568)];

/// RFC 9909, 3. The numbers of PKCS #11 take SHA2 and SHAKE in turn, those of NIST all of SHA2 first.
const SLH_DSA: &[ParameterSet] = &[
    (1, [3, 20], 32),
    (2, [3, 26], 32),
    (3, [3, 21], 32),
    (4, [3, 27], 32),
    (5, [3, 22], 48),
    (6, [3, 28], 48),
    (7, [3, 23], 48),
    (8, [3, 29], 48),
    (9, [3, 24], 64),
    (10, [3, 30], 64),
    (11, [3, 25], 64),
    (12, [3, 31], 64),
];

/// Signatures by hashes alone (RFC 9802, 3): type of the key, object identifier.
const BY_HASHES: [(u64, &[u8]); 3] = [
    (CKK_HSS, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 3, 17]),
    (CKK_XMSS, &[0x2b, 6, 1, 5, 5, 7, 6, 34]),
    (CKK_XMSSMT, &[0x2b, 6, 1, 5, 5, 7, 6, 35]),
];

/// The algorithm by the type of the key and the attributes that say more.
fn algorithm(key_type: u64, answers: &Answers<'_>) -> KeyAlgorithm {
    let curve = || answers.octets(CKA_EC_PARAMS).and_then(Curve::read);
    let on_curve = |unknown: &str| {
        curve().map_or_else(|| KeyAlgorithm::named(unknown), |curve| curve.algorithm())
    };
    let bits_of = |number: u64| answers.octets(number).map(bits);
    match key_type {
        CKK_RSA => {
            let told = || answers.number(CKA_MODULUS_BITS).and_then(|bits| bits.try_into().ok());
            KeyAlgorithm { bits: bits_of(CKA_MODULUS).or_else(told), ..KeyAlgorithm::named("RSA") }
        }
        CKK_DSA => KeyAlgorithm { bits: bits_of(CKA_PRIME), ..KeyAlgorithm::named("DSA") },
        CKK_DH | CKK_X9_42_DH => {
            KeyAlgorithm { bits: bits_of(CKA_PRIME), ..KeyAlgorithm::named("DH") }
        }
        CKK_EC => on_curve("EC"),
        CKK_EC_EDWARDS => on_curve(EDDSA),
        CKK_EC_MONTGOMERY => on_curve(XDH),
        CKK_ML_DSA | CKK_ML_KEM | CKK_SLH_DSA => {
            let name = match key_type {
                CKK_ML_DSA => ML_DSA_NAME,
                CKK_ML_KEM => ML_KEM_NAME,
                _ => SLH_DSA_NAME,
            };
            let set = parameter_set(key_type, answers);
            set.map_or_else(|| KeyAlgorithm::named(name), |(_, arc, _)| of_oid(&nist(*arc)))
        }
        other => match BY_HASHES.iter().find(|(known, _)| *known == other) {
            Some((_, oid)) => of_oid(oid),
            None => KeyAlgorithm::named(names::key_type(other)),
        },
    }
}

/// The `SubjectPublicKeyInfo`, where the attributes tell all that is in it.
fn build(key_type: u64, answers: &Answers<'_>) -> Option<Vec<u8>> {
    // The value of a private key is the key: it is neither asked for nor kept.
    let value = || answers.octets(CKA_VALUE).filter(|_| answers.class == CKO_PUBLIC_KEY);
    match key_type {
        CKK_RSA => {
            let numbers = [CKA_MODULUS, CKA_PUBLIC_EXPONENT].map(|attribute| {
                let digits = tlv::significant(answers.octets(attribute)?);
                (!digits.is_empty()).then_some(digits)
            });
            let [Some(modulus), Some(exponent)] = numbers else { return None };
            Some(public_key::rsa(modulus, exponent))
        }
        CKK_DSA => {
            let number = |attribute: u64| {
                let value = answers.octets(attribute)?;
                Some(Element { tag: INTEGER, value, whole: value })
            };
            let domain = [number(CKA_PRIME)?, number(CKA_SUBPRIME)?, number(CKA_BASE)?];
            Some(public_key::dsa(&domain, value()?))
        }
        CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY => {
            let curve = Curve::read(answers.octets(CKA_EC_PARAMS)?)?;
            curve.key(answers.octets(CKA_EC_POINT)?)
        }
        CKK_ML_DSA | CKK_ML_KEM | CKK_SLH_DSA => {
            let (_, arc, length) = parameter_set(key_type, answers)?;
            let value = value()?;
            let wrapped = Element::first(value).filter(|inside| inside.tag == OCTET_STRING);
            let key = [Some(value), wrapped.map(|inside| inside.value)];
            let key = key.into_iter().flatten().find(|key| key.len() == *length)?;
            Some(assemble(&nist(*arc), key))
        }
        other => {
            let (_, oid) = BY_HASHES.iter().find(|(known, _)| *known == other)?;
            Some(assemble(oid, value()?))
        }
    }
}

fn parameter_set(key_type: u64, answers: &Answers<'_>) -> Option<&'static ParameterSet> {
    let sets = match key_type {
        CKK_ML_DSA => ML_DSA,
        CKK_ML_KEM => ML_KEM,
        _ => SLH_DSA,
    };
    let told = answers.number(CKA_PARAMETER_SET)?;
    sets.iter().find(|(number, ..)| *number == told)
}

fn nist(arc: [u8; 2]) -> Vec<u8> {
    NIST.into_iter().chain(arc).collect()
}

/// A key whose algorithm has no parameters.
fn assemble(oid: &[u8], key: &[u8]) -> Vec<u8> {
    let oid = tlv::element(OBJECT_IDENTIFIER, &[oid]);
    public_key::assemble(&tlv::element(SEQUENCE, &[&oid]), key)
}

fn of_oid(oid: &[u8]) -> KeyAlgorithm {
    let element = tlv::element(OBJECT_IDENTIFIER, &[oid]);
    let dotted = Element::first(&element).and_then(Element::oid);
    KeyAlgorithm::by_oid(&dotted.unwrap_or_default())
}

/// The modulus in the `SubjectPublicKeyInfo` of an RSA key (RFC 8017, A.1.1).
fn modulus(spki: &[u8]) -> Option<Digest> {
    let mut fields = Element::first(spki)?.inside();
    fields.take(SEQUENCE)?;
    let key = fields.any()?.value;
    let modulus = Element::first(key.get(1..)?)?.inside().take(INTEGER)?;
    Some(Digest::of(tlv::significant(modulus.value)))
}

/// The size of a number in bits.
fn bits(octets: &[u8]) -> u32 {
    let digits = tlv::significant(octets);
    digits.first().map_or(0, |first| {
        u32::try_from(digits.len()).unwrap_or(u32::MAX / 8) * 8 - first.leading_zeros()
    })
}
