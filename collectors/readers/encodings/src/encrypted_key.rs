//! Private keys under a passphrase: what the format says about how, and nothing is tried.
//!
//! The identity is the digest of the encrypted encoding, because the public half cannot be seen.

use pki_inventory::{Digest, Encryption, Half, Key, KeyAlgorithm, KeyForm};

use crate::private_key::Found;
use crate::tlv::{Element, INTEGER, OCTET_STRING, Reader, SEQUENCE};

/// Pseudorandom functions of PBKDF2 (RFC 8018, B.1.2).
const FUNCTIONS: &[(&str, &str)] = &[
    ("1.2.840.113549.2.10", "HMAC-SHA384"),
    ("1.2.840.113549.2.11", "HMAC-SHA512"),
    ("1.2.840.113549.2.7", "HMAC-SHA1"),
    ("1.2.840.113549.2.8", "HMAC-SHA224"),
    ("1.2.840.113549.2.9", "HMAC-SHA256"),
];

/// Ciphers of PBES2 (RFC 8018, B.2; NIST's and OpenSSL's registrations).
const CIPHERS: &[(&str, &str)] = &[
    ("1.2.392.200011.61.1.1.1.2", "CAMELLIA-128-CBC"),
    ("1.2.392.200011.61.1.1.1.4", "CAMELLIA-256-CBC"),
    ("1.2.840.113549.3.2", "RC2-CBC"),
    ("1.2.840.113549.3.7", "DES-EDE3-CBC"),
    ("1.3.14.3.2.7", "DES-CBC"),
    ("1.3.6.1.4.1.3029.1.2", "BF-CBC"),
    ("2.16.840.1.101.3.4.1.2", "AES-128-CBC"),
    ("2.16.840.1.101.3.4.1.22", "AES-192-CBC"),
    ("2.16.840.1.101.3.4.1.26", "AES-192-GCM"),
    ("2.16.840.1.101.3.4.1.42", "AES-256-CBC"),
    ("2.16.840.1.101.3.4.1.46", "AES-256-GCM"),
    ("2.16.840.1.101.3.4.1.6", "AES-128-GCM"),
];

/// Schemes that fix derivation and cipher at once: PBES1 (RFC 8018, A.3) and PKCS#12 (RFC 7292, C).
const SCHEMES: &[(&str, &str, &str)] = &[
    ("1.2.840.113549.1.12.1.1", "PKCS12-SHA1", "RC4-128"),
    ("1.2.840.113549.1.12.1.2", "PKCS12-SHA1", "RC4-40"),
    ("1.2.840.113549.1.12.1.3", "PKCS12-SHA1", "DES-EDE3-CBC"),
    ("1.2.840.113549.1.12.1.4", "PKCS12-SHA1", "DES-EDE-CBC"),
    ("1.2.840.113549.1.12.1.5", "PKCS12-SHA1", "RC2-128-CBC"),
    ("1.2.840.113549.1.12.1.6", "PKCS12-SHA1", "RC2-40-CBC"),
    ("1.2.840.113549.1.5.1", "PBKDF1-MD2", "DES-CBC"),
    ("1.2.840.113549.1.5.10", "PBKDF1-SHA1", "DES-CBC"),
    ("1.2.840.113549.1.5.11", "PBKDF1-SHA1", "RC2-CBC"),
    ("1.2.840.113549.1.5.3", "PBKDF1-MD5", "DES-CBC"),
    ("1.2.840.113549.1.5.4", "PBKDF1-MD2", "RC2-CBC"),
    ("1.2.840.113549.1.5.6", "PBKDF1-MD5", "RC2-CBC"),
];

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const SCRYPT: &str = "1.3.6.1.4.1.11591.4.11";

/// The shortest key that OpenSSL writes like this, on a curve of 112 bits, is longer.
const LEAST_ENCRYPTED: usize = 32;

/// Reads `EncryptedPrivateKeyInfo` (RFC 5958, section 3).
///
/// # Errors
///
/// A sentence, when the octets do not have that form.
pub fn pkcs8(octets: &[u8]) -> Result<Found, String> {
    let broken = || "not an encrypted private key in the form of PKCS#8".to_owned();
    let whole = Element::first(octets).filter(|whole| whole.tag == SEQUENCE).ok_or_else(broken)?;
    let mut fields = whole.inside();
    let (scheme, parameters) = fields.algorithm().ok_or_else(broken)?;
    fields.take(OCTET_STRING).ok_or_else(broken)?;
    let encryption = if scheme == PBES2 { pbes2(parameters) } else { fixed(&scheme, parameters) };
    let key = Key { spki: None, algorithm: None };
    Ok(found(Digest::of(whole.whole), key, "PKCS#8", encryption))
}

/// A key in a form of OpenSSL's own, under `DEK-Info: cipher,salt`.
pub(crate) fn legacy(label: &str, dek_info: &str, octets: &[u8]) -> Result<Found, String> {
    if octets.is_empty() {
        return Err("an encrypted private key without content".to_owned());
    }
    // The digest below must not be one of a secret that somebody put there in the clear.
    if octets.len() < LEAST_ENCRYPTED {
        return Err("an encrypted private key that is too short to be one".to_owned());
    }
    let (name, encoding) = match label {
        "RSA PRIVATE KEY" => (Some("RSA"), "PKCS#1"),
        "EC PRIVATE KEY" => (Some("EC"), "SEC1"),
        "DSA PRIVATE KEY" => (Some("DSA"), "OpenSSL DSA"),
        _ => (None, "PKCS#8"),
    };
    let cipher = dek_info.split(',').next().unwrap_or_default().trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let encryption = Encryption::Passphrase {
        // PEM_do_header(3): one round of MD5 over passphrase and salt, whatever the cipher.
        kdf: Some("EVP_BytesToKey MD5".to_owned()),
        cipher: (!cipher.is_empty() && cipher.len() <= 32 && cipher.chars().all(plain))
            .then(|| cipher.to_owned()),
        iterations: Some(1),
    };
    let key = Key { spki: None, algorithm: name.map(KeyAlgorithm::named) };
    Ok(found(Digest::of(octets), key, encoding, encryption))
}

fn found(id: Digest, key: Key, encoding: &str, encryption: Encryption) -> Found {
    Found {
        id,
        key,
        form: KeyForm { half: Half::Private, encoding: encoding.to_owned(), encryption },
    }
}

/// RFC 8018, A.4. What cannot be read is left out; that a passphrase is needed stays true.
fn pbes2(mut outer: Reader<'_>) -> Encryption {
    let mut fields = outer.take(SEQUENCE).map_or(Reader(&[]), Element::inside);
    let (kdf, iterations) = match fields.algorithm() {
        Some((oid, parameters)) if oid == PBKDF2 => pbkdf2(parameters),
        Some((oid, parameters)) if oid == SCRYPT => (scrypt(parameters), None),
        other => (other.map(|(oid, _)| oid), None),
    };
    let cipher = fields.algorithm().map(|(oid, _)| named(CIPHERS, oid));
    Encryption::Passphrase { kdf, cipher, iterations }
}

/// RFC 8018, A.2: salt, iterations, perhaps a key length, perhaps a function.
fn pbkdf2(mut outer: Reader<'_>) -> (Option<String>, Option<u32>) {
    let mut fields = outer.take(SEQUENCE).map_or(Reader(&[]), Element::inside);
    fields.any();
    let iterations = fields.take(INTEGER).and_then(Element::number);
    fields.take(INTEGER);
    // "prf … DEFAULT algid-hmacWithSHA1".
    let function =
        fields.algorithm().map_or_else(|| "HMAC-SHA1".to_owned(), |(oid, _)| named(FUNCTIONS, oid));
    (Some(format!("PBKDF2-{function}")), iterations)
}

/// RFC 7914, section 7. Its cost is no count of iterations, so it is part of the name.
fn scrypt(mut outer: Reader<'_>) -> Option<String> {
    let mut fields = outer.take(SEQUENCE)?.inside();
    fields.any();
    let mut number = || fields.take(INTEGER).and_then(Element::number);
    Some(match (number(), number(), number()) {
        (Some(n), Some(r), Some(p)) => format!("scrypt (N={n}, r={r}, p={p})"),
        _ => "scrypt".to_owned(),
    })
}

fn fixed(scheme: &str, mut outer: Reader<'_>) -> Encryption {
    let mut fields = outer.take(SEQUENCE).map_or(Reader(&[]), Element::inside);
    fields.any();
    let iterations = fields.take(INTEGER).and_then(Element::number);
    match SCHEMES.iter().find(|(oid, ..)| *oid == scheme) {
        Some((_, kdf, cipher)) => Encryption::Passphrase {
            kdf: Some((*kdf).to_owned()),
            cipher: Some((*cipher).to_owned()),
            iterations,
        },
        None => {
            Encryption::Passphrase { kdf: None, cipher: Some(scheme.to_owned()), iterations: None }
        }
    }
}

fn named(table: &[(&str, &str)], oid: String) -> String {
    table.iter().find(|(known, _)| *known == oid).map_or(oid, |(_, name)| (*name).to_owned())
}
