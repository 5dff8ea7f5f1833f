//! Private keys: the public half is derived, the secret is dropped.
//!
//! Nothing that leaves this module holds a secret octet. Errors are sentences about the form and
//! never quote content.

use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair};
use aws_lc_rs::{agreement, digest};
use pki_inventory::{Digest, Encryption, Half, Key, KeyAlgorithm, KeyForm, Object, Raw};
use zeroize::Zeroizing;

use crate::encrypted_key;
use crate::modular;
use crate::public_key::{self, DSA, EC_PUBLIC_KEY, RSA, RSASSA_PSS};
use crate::tlv::{self, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};

/// What is kept of a key: its identity, its public facts and the form it lay in.
#[derive(Debug)]
pub struct Found {
    /// SHA-256 of the public half, or of the encoding where that is hidden.
    pub id: Digest,
    /// What is public of it.
    pub key: Key,
    /// How it lay there.
    pub form: KeyForm,
}

/// The formats that private keys lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 5958, in the clear.
    Pkcs8,
    /// RFC 5958, under a passphrase.
    EncryptedPkcs8,
    /// RFC 8017, A.1.2.
    Pkcs1,
    /// RFC 5915.
    Sec1,
    /// The six numbers that OpenSSL writes.
    Dsa,
}

impl From<Found> for Object {
    fn from(found: Found) -> Self {
        let Found { id, key, form } = found;
        Self { key: Some(form), ..Self::of(Raw::Key { id, key }) }
    }
}

impl Format {
    /// As it is named in reports.
    fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 | Self::EncryptedPkcs8 => "PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
            Self::Dsa => "OpenSSL DSA",
        }
    }
}

/// Reads a private key.
///
/// # Errors
///
/// A sentence about the form, when the octets do not have it.
pub fn read(format: Format, octets: &[u8]) -> Result<Found, String> {
    if format == Format::EncryptedPkcs8 {
        return encrypted_key::pkcs8(octets);
    }
    let broken = || format!("not a private key in the form of {}", format.name());
    let whole = Element::first(octets).filter(|whole| whole.tag == SEQUENCE).ok_or_else(broken)?;
    let public = match format {
        Format::Pkcs8 | Format::EncryptedPkcs8 => pkcs8(whole.inside()),
        Format::Pkcs1 => rsa(whole.inside()).map(Public::Spki),
        Format::Sec1 => elliptic(whole.inside(), None),
        Format::Dsa => dsa(whole.inside()).map(Public::Spki),
    };
    let known = match public.ok_or_else(broken)? {
        Public::Spki(spki) => public_key::read(&spki).ok_or_else(broken)?,
        // The digest of the whole encoding: it tells the key apart without its public half, and
        // gives nothing away, because nobody can search through the keys that could be behind it.
        Public::Hidden(algorithm) => {
            (Digest::of(whole.whole), Key { spki: None, algorithm: Some(algorithm) })
        }
    };
    let form = KeyForm {
        half: Half::Private,
        encoding: format.name().to_owned(),
        encryption: Encryption::None,
    };
    Ok(Found { id: known.0, key: known.1, form })
}

/// Reads a public key; `pkcs1` for the bare RSA form (RFC 8017, A.1.1).
///
/// # Errors
///
/// When the octets are no public key.
pub fn read_public(octets: &[u8], pkcs1: bool) -> Result<Found, String> {
    let broken = || "not a public key".to_owned();
    let spki = if pkcs1 {
        let mut numbers = Element::first(octets).ok_or_else(broken)?.inside();
        let (modulus, exponent) = (numbers.take(INTEGER), numbers.take(INTEGER));
        let (modulus, exponent) = modulus.zip(exponent).ok_or_else(broken)?;
        public_key::rsa(modulus.value, exponent.value)
    } else {
        octets.to_vec()
    };
    let (id, key) = public_key::read(&spki).ok_or_else(broken)?;
    let encoding = if pkcs1 { "PKCS#1" } else { "SPKI" }.to_owned();
    Ok(Found {
        id,
        key,
        form: KeyForm { half: Half::Public, encoding, encryption: Encryption::None },
    })
}

enum Public {
    Spki(Vec<u8>),
    Hidden(KeyAlgorithm),
}

/// RFC 5958, section 2.
fn pkcs8(mut fields: Reader<'_>) -> Option<Public> {
    fields.take(INTEGER)?;
    let identifier = fields;
    let (oid, parameters) = fields.algorithm()?;
    let identifier = Element::first(identifier.0)?.whole;
    let secret = fields.take(OCTET_STRING)?.value;
    let hidden = || Public::Hidden(public_key::named(&oid, parameters));
    match oid.as_str() {
        RSA => rsa(Element::first(secret)?.inside()).map(Public::Spki),
        RSASSA_PSS => {
            let (modulus, exponent) = rsa_numbers(Element::first(secret)?.inside())?;
            let numbers = [tlv::unsigned(modulus), tlv::unsigned(exponent)];
            let key = tlv::element(SEQUENCE, &[&numbers[0], &numbers[1]]);
            Some(Public::Spki(public_key::assemble(identifier, &key)))
        }
        EC_PUBLIC_KEY => elliptic(Element::first(secret)?.inside(), Some(parameters.0)),
        DSA => {
            let spki = dsa_public(parameters, secret);
            Some(
                spki.map_or_else(hidden, |key| {
                    Public::Spki(public_key::assemble(identifier, &key))
                }),
            )
        }
        _ => {
            let derived = derived(&oid, secret).or_else(|| attached(fields).map(<[u8]>::to_vec));
            let spki = derived.map(|key| Public::Spki(public_key::assemble(identifier, &key)));
            Some(spki.unwrap_or_else(hidden))
        }
    }
}

/// The public key that version 2 of PKCS#8 may carry. Some libraries tag it as RFC 5958 says,
/// others wrapped a whole bit string.
fn attached(mut fields: Reader<'_>) -> Option<&[u8]> {
    while let Some(field) = fields.any() {
        let bits = match field.tag {
            0x81 => field.value,
            0xa1 => Element::first(field.value)?.value,
            _ => continue,
        };
        return bits.split_first().filter(|(unused, _)| **unused == 0).map(|(_, key)| key);
    }
    None
}

/// The public key of algorithms whose private key is a short string.
fn derived(oid: &str, secret: &[u8]) -> Option<Vec<u8>> {
    let seed =
        || Element::first(secret).filter(|seed| seed.tag == OCTET_STRING).map(|seed| seed.value);
    match KeyAlgorithm::by_oid(oid).name.as_str() {
        "Ed25519" => {
            let pair = Ed25519KeyPair::from_seed_unchecked(seed()?).ok()?;
            Some(pair.public_key().as_ref().to_vec())
        }
        "X25519" => {
            let key = agreement::PrivateKey::from_private_key(&agreement::X25519, seed()?).ok()?;
            key.compute_public_key().ok().map(|key| key.as_ref().to_vec())
        }
        "ML-DSA-44" => ml_dsa(&signature::ML_DSA_44_SIGNING, secret),
        "ML-DSA-65" => ml_dsa(&signature::ML_DSA_65_SIGNING, secret),
        "ML-DSA-87" => ml_dsa(&signature::ML_DSA_87_SIGNING, secret),
        "ML-KEM-512" => ml_kem(2, secret),
        "ML-KEM-768" => ml_kem(3, secret),
        "ML-KEM-1024" => ml_kem(4, secret),
        _ => None,
    }
}

/// RFC 9881, section 6: the seed, the expanded key, or both.
fn ml_dsa(algorithm: &'static signature::PqdsaSigningAlgorithm, secret: &[u8]) -> Option<Vec<u8>> {
    let choice = Element::first(secret)?;
    let pair = match choice.tag {
        0x80 => PqdsaKeyPair::from_seed(algorithm, choice.value),
        OCTET_STRING => PqdsaKeyPair::from_raw_private_key(algorithm, choice.value),
        SEQUENCE => PqdsaKeyPair::from_seed(algorithm, choice.inside().take(OCTET_STRING)?.value),
        _ => return None,
    };
    pair.ok().map(|pair| pair.public_key().as_ref().to_vec())
}

/// The public number of DSA: the generator raised to the secret one (FIPS 186-4, 4.1).
fn dsa_public(mut parameters: Reader<'_>, secret: &[u8]) -> Option<Vec<u8>> {
    // RFC 3279, 2.3.2: p, q, g.
    let mut parameters = parameters.take(SEQUENCE)?.inside();
    let mut number = || parameters.take(INTEGER).map(|number| tlv::significant(number.value));
    let (modulus, _, generator) = (number()?, number()?, number()?);
    let exponent = Reader(secret).take(INTEGER)?.value;
    let public = modular::power(generator, tlv::significant(exponent), modulus)?;
    Some(tlv::unsigned(&public))
}

/// RFC 9935, section 6: the seed, the expanded key, or both. An expanded key contains the public
/// one and its hash (FIPS 203, 7.1); no provider of ours expands a seed.
fn ml_kem(rank: usize, secret: &[u8]) -> Option<Vec<u8>> {
    let choice = Element::first(secret)?;
    let expanded = match choice.tag {
        OCTET_STRING => choice,
        SEQUENCE => {
            let mut both = choice.inside();
            both.take(OCTET_STRING)?;
            both.take(OCTET_STRING)?
        }
        _ => return None,
    };
    let start = 384 * rank;
    let end = start + 384 * rank + 32;
    let (public, hash) = (expanded.value.get(start..end)?, expanded.value.get(end..end + 32)?);
    let same = digest::digest(&digest::SHA3_256, public).as_ref() == hash;
    (same && expanded.value.len() == end + 64).then(|| public.to_vec())
}

/// RFC 8017, A.1.2: version, modulus, public exponent, and then the secrets, which are not touched.
fn rsa(fields: Reader<'_>) -> Option<Vec<u8>> {
    rsa_numbers(fields).map(|(modulus, exponent)| public_key::rsa(modulus, exponent))
}

fn rsa_numbers<'a>(mut fields: Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    fields.take(INTEGER)?;
    let (modulus, exponent) = (fields.take(INTEGER)?, fields.take(INTEGER)?);
    fields.take(INTEGER)?;
    Some((modulus.value, exponent.value))
}

/// RFC 5915, section 3. The curve stands here, or around it when it lies in PKCS#8.
fn elliptic<'a>(mut fields: Reader<'a>, outer: Option<&'a [u8]>) -> Option<Public> {
    fields.take(INTEGER)?;
    let scalar = fields.take(OCTET_STRING)?.value;
    let parameters = outer.or_else(|| fields.take(0xa0).map(|parameters| parameters.value))?;
    let stated = std::iter::from_fn(|| fields.any())
        .find(|field| field.tag == 0xa1)
        .and_then(|field| Element::first(field.value))
        .and_then(|bits| bits.value.split_first())
        .filter(|(unused, _)| **unused == 0)
        .map(|(_, point)| point);
    let curve = Element::first(parameters).and_then(Element::oid);
    // As it is stated, compressed or not: certificates have it in the same form.
    let point = match stated.filter(|point| !point.is_empty()) {
        Some(point) => Some(point.to_vec()),
        None => curve.as_deref().and_then(|curve| multiplied(curve, parameters, scalar)),
    };
    Some(match point {
        Some(point) => Public::Spki(public_key::elliptic(parameters, &point)),
        None => Public::Hidden(public_key::named(EC_PUBLIC_KEY, Reader(parameters))),
    })
}

/// The public point of a scalar, on the curves that aws-lc-rs computes.
fn multiplied(curve: &str, parameters: &[u8], scalar: &[u8]) -> Option<Vec<u8>> {
    let (algorithm, length) = match curve {
        "1.2.840.10045.3.1.7" => (&signature::ECDSA_P256_SHA256_ASN1_SIGNING, 32),
        "1.3.132.0.10" => (&signature::ECDSA_P256K1_SHA256_ASN1_SIGNING, 32),
        "1.3.132.0.34" => (&signature::ECDSA_P384_SHA384_ASN1_SIGNING, 48),
        "1.3.132.0.35" => (&signature::ECDSA_P521_SHA512_ASN1_SIGNING, 66),
        _ => return None,
    };
    // RFC 5915 wants leading zeros kept, some writers drop them.
    let digits = tlv::significant(scalar);
    let mut padded = Zeroizing::new(vec![0; length]);
    padded.get_mut(length.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    let named = Element::first(parameters).filter(|name| name.tag == OBJECT_IDENTIFIER)?;
    let secret = Zeroizing::new(tlv::element(OCTET_STRING, &[&padded]));
    let tagged = tlv::element(0xa0, &[named.whole]);
    let key = Zeroizing::new(tlv::element(SEQUENCE, &[&[INTEGER, 1, 1], &secret, &tagged]));
    let pair = EcdsaKeyPair::from_private_key_der(algorithm, &key).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// The form OpenSSL writes under `DSA PRIVATE KEY`: version, p, q, g, y, x.
fn dsa(mut fields: Reader<'_>) -> Option<Vec<u8>> {
    fields.take(INTEGER)?;
    let parameters = [fields.take(INTEGER)?, fields.take(INTEGER)?, fields.take(INTEGER)?];
    let public = fields.take(INTEGER)?;
    fields.take(INTEGER)?;
    Some(public_key::dsa(&parameters, public.value))
}
