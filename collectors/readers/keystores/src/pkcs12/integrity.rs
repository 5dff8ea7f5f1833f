//! What keeps a PKCS#12 store from being changed: a MAC under the password (RFC 7292, 4 and
//! appendix A; RFC 9579), or a signature.

use std::fmt;

use pki_encodings::tlv::{INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};

use crate::ber::Node;
use crate::derivation::{Hash, Purpose};
use crate::passwords::Candidate;
use crate::scheme::Pbkdf2;

/// Derived key of a PBMAC1; more than the largest block of a hash makes no difference.
const MOST_KEY: u32 = 1024;

pub(super) enum Integrity {
    /// The MAC of PKCS#12 itself.
    Mac { function: Hash, salt: Vec<u8>, iterations: u32, mac: Vec<u8> },
    /// PBMAC1 (RFC 9579): PBKDF2, then HMAC with this function.
    Pbmac1 { derivation: Pbkdf2, length: usize, function: Hash, mac: Vec<u8> },
    /// A signature; nothing here verifies it.
    Signature,
    /// A MAC that is not computed here, by the identifier of its algorithm.
    Other(Option<String>),
}

impl Integrity {
    /// Reads `MacData`.
    pub(super) fn read(data: Node<'_>) -> Self {
        let mut fields = data.inside();
        let mut digest = fields.take(SEQUENCE).map_or(crate::ber::Nodes(&[]), Node::inside);
        let Some(algorithm) = digest.take(SEQUENCE) else { return Self::Other(None) };
        let mut identifier = algorithm.inside();
        let oid = identifier.take(OBJECT_IDENTIFIER).and_then(Node::oid);
        let mac = digest.take(OCTET_STRING).map(|mac| mac.octets().to_vec()).unwrap_or_default();
        if oid.as_deref() == Some("1.2.840.113549.1.5.14") {
            return pbmac1(identifier.take(SEQUENCE), mac).unwrap_or(Self::Other(oid));
        }
        let salt = fields.take(OCTET_STRING).map(|salt| salt.octets().to_vec());
        // "iterations INTEGER DEFAULT 1".
        let iterations = fields.take(INTEGER).map_or(Some(1), Node::number);
        match (oid.as_deref().and_then(Hash::by_oid), salt, iterations) {
            (Some(function), Some(salt), Some(iterations))
                if iterations > 0 && salt.len() <= 1024 && mac.len() == function.size() =>
            {
                Self::Mac { function, salt, iterations, mac }
            }
            _ => Self::Other(oid),
        }
    }

    /// What a try costs, in iterations; `None` when there is nothing to try.
    pub(super) fn work(&self, octets: usize) -> Option<u64> {
        let derivation = match self {
            Self::Mac { function, iterations, .. } => function.work(*iterations, function.size()),
            Self::Pbmac1 { derivation, length, .. } => {
                derivation.function.work(derivation.iterations, *length)
            }
            Self::Signature | Self::Other(_) => return None,
        };
        Some(derivation + octets as u64 / 128)
    }

    pub(super) fn verifies(&self, password: Candidate<'_>, octets: &[u8]) -> bool {
        match self {
            Self::Mac { function, salt, iterations, mac } => {
                let password = password.bmp();
                let purpose = Purpose::Mac;
                let key = function.pkcs12(purpose, &password, salt, *iterations, function.size());
                function.hmac(&key, octets) == *mac
            }
            Self::Pbmac1 { derivation, length, function, mac } => {
                let Pbkdf2 { function: derive, salt, iterations, .. } = derivation;
                let password = password.text().as_bytes();
                let key = derive.pbkdf2(password, salt, *iterations, *length);
                function.hmac(&key, octets) == *mac
            }
            Self::Signature | Self::Other(_) => false,
        }
    }
}

/// RFC 8018, A.5: the derivation, then the MAC.
fn pbmac1(parameters: Option<Node<'_>>, mac: Vec<u8>) -> Option<Integrity> {
    let mut fields = parameters?.inside();
    let derivation = Pbkdf2::read(fields.take(SEQUENCE)?)?;
    let function = Hash::by_hmac(&fields.take(SEQUENCE)?.inside().take(OBJECT_IDENTIFIER)?.oid()?)?;
    // RFC 9579, section 4: the length of the key must be stated.
    let length = derivation.length.filter(|length| (1..=MOST_KEY).contains(length))?;
    let length = usize::try_from(length).ok()?;
    Some(Integrity::Pbmac1 { derivation, length, function, mac })
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac { function, iterations, .. } => {
                write!(f, "HMAC-{}, {iterations} iterations", function.name())
            }
            Self::Pbmac1 {
                derivation: Pbkdf2 { function, iterations, .. }, function: mac, ..
            } => {
                write!(
                    f,
                    "PBMAC1 with HMAC-{}, PBKDF2-HMAC-{}, {iterations} iterations",
                    mac.name(),
                    function.name()
                )
            }
            Self::Signature => f.write_str("signature"),
            Self::Other(Some(oid)) => write!(f, "MAC {oid}"),
            Self::Other(None) => f.write_str("MAC, not readable"),
        }
    }
}
