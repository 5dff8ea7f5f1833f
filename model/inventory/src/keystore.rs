//! A container of keys and certificates with a lock of its own.

use serde::{Deserialize, Serialize};

use crate::{AssetId, Encryption, Time};

/// A keystore or key database, with what its format shows without a password or with one that was
/// known. What lies in it is in the inventory under its own identity, as far as it could be read.
///
/// Its identity is the SHA-256 of its octets. Locked stores are assets like any other: that there
/// is one, of which kind and how it is protected, has to be known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Keystore {
    /// The format, such as `PKCS#12`, `JKS`, `JCEKS`, `BKS`, `UBER`, `BCFKS` or `NSS key4.db`.
    pub format: String,
    /// Whether its lock was opened.
    pub lock: Lock,
    /// How the content is checked against changes, such as `HMAC-SHA256, 10000 iterations`, where
    /// the format says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub integrity: Option<String>,
    /// How the parts that are encrypted are protected, each way once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub protection: Vec<Encryption>,
    /// Entries in all, where the format shows the number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u32>,
    /// The entries that could be seen, at most [`Keystore::MOST_ENTRIES`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub entries: Vec<StoreEntry>,
}

/// How far a keystore was opened; of the same octets, read twice, the further one counts: what was
/// seen once stays true, whichever passwords were at hand the other time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lock {
    /// It stayed closed, and why. Certificates may have been outside of the lock all the same.
    Closed(String),
    /// A password of the configuration opened it.
    Configured,
    /// A password that is written in manuals opened it: this one. It protects nothing.
    WellKnown(String),
    /// It has none: reading the file is enough for all of it.
    None,
}

/// One entry of a keystore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StoreEntry {
    /// The name people gave it, as the format keeps it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alias: Option<String>,
    /// What it holds.
    pub holds: Holds,
    /// The certificates and keys of the inventory that lie in it, the own certificate first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub assets: Vec<AssetId>,
    /// When it was put in, where the format says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Time>,
}

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// A private key, with or without its certificates.
    PrivateKey,
    /// A certificate that is trusted or kept.
    Certificate,
    /// A symmetric key.
    SecretKey,
    /// Something else, or nothing that can be told without the password.
    Unknown,
}

impl Keystore {
    /// Entries that are kept one by one; the count says how many there are.
    pub const MOST_ENTRIES: usize = 2000;
}
