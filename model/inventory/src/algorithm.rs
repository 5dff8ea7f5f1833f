//! Names and sizes of public-key and signature algorithms.
//!
//! x509-parser names the classical algorithms; the post-quantum OIDs are listed here, because a
//! dotted number in a report helps nobody.

use serde::{Deserialize, Serialize};
use x509_parser::asn1_rs::{FromDer as _, Integer, Tag};
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// A public-key algorithm with the size or curve that decides its strength.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyAlgorithm {
    /// `RSA`, `EC`, `Ed25519`, `ML-DSA-65`, or the dotted OID of one without a name here.
    pub name: String,
    /// Size of the modulus or field in bits, where the algorithm has one to choose.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bits: Option<u32>,
    /// Named curve, `explicit` for spelled-out parameters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub curve: Option<String>,
}

/// A signature algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SignatureAlgorithm {
    /// `sha256WithRSAEncryption`, `ecdsa-with-SHA384`, or the dotted OID.
    pub name: String,
    /// Hash function, where the algorithm names one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hash: Option<String>,
}

/// The numbers of an RSA key (RFC 8017, A.1.1), big-endian, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaNumbers {
    /// Modulus.
    pub modulus: Vec<u8>,
    /// Public exponent.
    pub exponent: Vec<u8>,
}

/// Curves by OID, with the bits of their field: RFC 5480 section 2.1.1.1, RFC 5639 section 4.1, SEC 2.
const CURVES: &[(&str, &str, u32)] = &[
    ("1.2.840.10045.3.1.1", "P-192", 192),
    ("1.2.840.10045.3.1.7", "P-256", 256),
    ("1.3.132.0.1", "sect163k1", 163),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.132.0.15", "sect163r2", 163),
    ("1.3.132.0.16", "sect283k1", 283),
    ("1.3.132.0.17", "sect283r1", 283),
    ("1.3.132.0.2", "sect163r1", 163),
    ("1.3.132.0.22", "sect131r1", 131),
    ("1.3.132.0.23", "sect131r2", 131),
    ("1.3.132.0.24", "sect193r1", 193),
    ("1.3.132.0.25", "sect193r2", 193),
    ("1.3.132.0.26", "sect233k1", 233),
    ("1.3.132.0.27", "sect233r1", 233),
    ("1.3.132.0.28", "secp128r1", 128),
    ("1.3.132.0.29", "secp128r2", 128),
    ("1.3.132.0.3", "sect239k1", 239),
    ("1.3.132.0.30", "secp160r2", 160),
    ("1.3.132.0.31", "secp192k1", 192),
    ("1.3.132.0.32", "secp224k1", 224),
    ("1.3.132.0.33", "P-224", 224),
    ("1.3.132.0.34", "P-384", 384),
    ("1.3.132.0.35", "P-521", 521),
    ("1.3.132.0.36", "sect409k1", 409),
    ("1.3.132.0.37", "sect409r1", 409),
    ("1.3.132.0.38", "sect571k1", 571),
    ("1.3.132.0.39", "sect571r1", 571),
    ("1.3.132.0.4", "sect113r1", 113),
    ("1.3.132.0.5", "sect113r2", 113),
    ("1.3.132.0.6", "secp112r1", 112),
    ("1.3.132.0.7", "secp112r2", 112),
    ("1.3.132.0.8", "secp160r1", 160),
    ("1.3.132.0.9", "secp160k1", 160),
    ("1.3.36.3.3.2.8.1.1.1", "brainpoolP160r1", 160),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
    ("1.3.36.3.3.2.8.1.1.3", "brainpoolP192r1", 192),
    ("1.3.36.3.3.2.8.1.1.5", "brainpoolP224r1", 224),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1", 320),
];

/// Keys for agreement, by PKCS #3 and by X9.42 (RFC 3279, 2.3.3); there is a prime to choose, which is
/// not read.
const DIFFIE_HELLMAN: [&str; 2] = ["1.2.840.113549.1.3.1", "1.2.840.10046.2.1"];

/// Algorithms whose OID alone says everything, for keys and signatures alike: RFC 8410, RFC 9881,
/// RFC 9909, RFC 9935, RFC 9802.
const WHOLE: &[(&str, &str)] = &[
    ("1.2.840.113549.1.9.16.3.17", "HSS-LMS"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.3.6.1.5.5.7.6.34", "XMSS"),
    ("1.3.6.1.5.5.7.6.35", "XMSS-MT"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
    ("2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f"),
    ("2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s"),
    ("2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f"),
    ("2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s"),
    ("2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f"),
    ("2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s"),
    ("2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f"),
    ("2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s"),
    ("2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f"),
    ("2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s"),
    ("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f"),
    ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
    ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
    ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
];

/// Signature algorithms with their hash: RFC 3279, RFC 4055, RFC 5758, RFC 8702.
const SIGNATURES: &[(&str, &str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", "MD2"),
    ("1.2.840.113549.1.1.3", "md4WithRSAEncryption", "MD4"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", "MD5"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", "SHA-1"),
    ("1.3.14.3.2.29", "sha1WithRSASignature", "SHA-1"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption", "SHA-224"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", "SHA-256"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", "SHA-384"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", "SHA-512"),
    ("1.2.840.10040.4.3", "dsa-with-SHA1", "SHA-1"),
    ("2.16.840.1.101.3.4.3.1", "dsa-with-SHA224", "SHA-224"),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-SHA256", "SHA-256"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", "SHA-1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224", "SHA-224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", "SHA-256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", "SHA-384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", "SHA-512"),
];

/// Hash functions as they appear in RSASSA-PSS parameters (RFC 4055, section 2.1).
const HASHES: &[(&str, &str)] = &[
    ("1.3.14.3.2.26", "SHA-1"),
    ("2.16.840.1.101.3.4.2.1", "SHA-256"),
    ("2.16.840.1.101.3.4.2.2", "SHA-384"),
    ("2.16.840.1.101.3.4.2.3", "SHA-512"),
    ("2.16.840.1.101.3.4.2.4", "SHA-224"),
];

const RSA: &str = "1.2.840.113549.1.1.1";
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const DSA: &str = "1.2.840.10040.4.1";

impl KeyAlgorithm {
    /// An algorithm with nothing to choose.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), bits: None, curve: None }
    }

    /// RSA with a modulus of this size.
    #[must_use]
    pub fn rsa(bits: u32) -> Self {
        Self { name: "RSA".to_owned(), bits: Some(bits), curve: None }
    }

    /// An elliptic curve by its OID in dotted form; `None` for spelled-out parameters.
    #[must_use]
    pub fn elliptic(curve_oid: Option<&str>) -> Self {
        let known = CURVES.iter().find(|(oid, ..)| Some(*oid) == curve_oid);
        let curve = known.map_or_else(
            || curve_oid.unwrap_or("explicit").to_owned(),
            |(_, name, _)| (*name).to_owned(),
        );
        Self { name: "EC".to_owned(), bits: known.map(|(.., bits)| *bits), curve: Some(curve) }
    }

    /// An algorithm by its OID in dotted form, where the OID says everything.
    #[must_use]
    pub fn by_oid(oid: &str) -> Self {
        let name = WHOLE.iter().find(|(known, _)| *known == oid).map_or(oid, |(_, name)| name);
        Self::named(name)
    }

    /// Reads the algorithm of a `SubjectPublicKeyInfo`.
    pub(crate) fn of(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        let oid = spki.algorithm.algorithm.to_id_string();
        match oid.as_str() {
            RSA | RSASSA_PSS => {
                let bits = RsaNumbers::of(spki).map(|key| modulus_bits(&key.modulus));
                Self { name: "RSA".to_owned(), bits, curve: None }
            }
            EC_PUBLIC_KEY => {
                // Spelled-out parameters are a SEQUENCE, whose octets must not be read as an OID.
                let named = spki.algorithm.parameters.as_ref().filter(|any| any.tag() == Tag::Oid);
                let curve = named.and_then(|any| any.as_oid().ok());
                Self::elliptic(curve.map(|oid| oid.to_id_string()).as_deref())
            }
            DSA => {
                // Dss-Parms begins with the prime p (RFC 3279, 2.3.2); absent ones are inherited.
                let parameters = spki.algorithm.parameters.as_ref();
                let parameters = parameters.filter(|any| any.tag() == Tag::Sequence);
                let prime = parameters.and_then(|any| Integer::from_der(any.data).ok());
                Self { bits: prime.map(|(_, p)| modulus_bits(p.as_ref())), ..Self::named("DSA") }
            }
            other if DIFFIE_HELLMAN.contains(&other) => Self::named("DH"),
            other => Self::by_oid(other),
        }
    }

    /// `RSA-2048`, `P-256`, `Ed25519`: what a person calls it.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.curve, self.bits) {
            (Some(curve), _) => curve.clone(),
            (None, Some(bits)) => format!("{}-{bits}", self.name),
            (None, None) => self.name.clone(),
        }
    }
}

impl RsaNumbers {
    /// Reads them from a `SubjectPublicKeyInfo`; `None` where it holds no such key.
    pub(crate) fn of(spki: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let oid = spki.algorithm.algorithm.to_id_string();
        if !matches!(oid.as_str(), RSA | RSASSA_PSS) {
            return None;
        }
        // A key restricted to RSASSA-PSS is encoded like any RSA key (RFC 4055, 1.2), but the parser
        // knows only the general OID.
        let algorithm = AlgorithmIdentifier::new(OID_PKCS1_RSAENCRYPTION, None);
        let general = SubjectPublicKeyInfo { algorithm, ..spki.clone() };
        let Ok(PublicKey::RSA(key)) = general.parsed() else { return None };
        let number = |octets: &[u8]| {
            octets.iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<u8>>()
        };
        Some(Self { modulus: number(key.modulus), exponent: number(key.exponent) })
    }
}

impl SignatureAlgorithm {
    /// Reads a signature algorithm with the parameters that decide its hash.
    pub(crate) fn of(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let oid = identifier.algorithm.to_id_string();
        if oid == RSASSA_PSS {
            // The strength of RSASSA-PSS is in its parameters; absent ones mean SHA-1 (RFC 4055, 3.1).
            let hash =
                match x509_parser::signature_algorithm::SignatureAlgorithm::try_from(identifier) {
                    Ok(x509_parser::signature_algorithm::SignatureAlgorithm::RSASSA_PSS(pss)) => {
                        let hash = pss.hash_algorithm_oid().to_id_string();
                        let known = HASHES.iter().find(|(oid, _)| *oid == hash);
                        Some(known.map_or(hash.clone(), |(_, name)| (*name).to_owned()))
                    }
                    _ => None,
                };
            return Self { name: "rsassaPss".to_owned(), hash };
        }
        if let Some((_, name, hash)) = SIGNATURES.iter().find(|(known, ..)| *known == oid) {
            return Self { name: (*name).to_owned(), hash: Some((*hash).to_owned()) };
        }
        Self { name: KeyAlgorithm::by_oid(&oid).name, hash: None }
    }
}

/// Bits of an unsigned big-endian number, leading zeros not counted.
pub(crate) fn modulus_bits(octets: &[u8]) -> u32 {
    let significant =
        octets.iter().position(|octet| *octet != 0).map_or(&[][..], |at| &octets[at..]);
    significant.first().map_or(0, |first| {
        u32::try_from(significant.len()).unwrap_or(u32::MAX / 8) * 8 - first.leading_zeros()
    })
}
