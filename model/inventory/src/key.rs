//! A key, by its public half or, where that is not visible, by its encrypted encoding.

use serde::{Deserialize, Serialize};

use crate::{Digest, KeyAlgorithm};

/// A key pair of which at least one half was seen outside a certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// SHA-256 of the `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7), which joins keys and
    /// certificates. Absent when the key is encrypted and its format shows no public half.
    pub spki: Option<Digest>,
    /// Absent when the key is encrypted and its format does not say.
    pub algorithm: Option<KeyAlgorithm>,
}
