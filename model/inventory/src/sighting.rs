//! One place where an asset was seen, when, by whom, and under which circumstances.

use serde::{Deserialize, Serialize};

use crate::{Place, Time};

/// An asset was at this place from the first to the last time it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sighting {
    /// Where.
    pub place: Place,
    /// The collector that saw it, by its name in the list of collectors.
    pub collector: String,
    /// When it was first seen there.
    pub first_seen: Time,
    /// When it was last seen there.
    pub last_seen: Time,
    /// What the place told besides the asset itself, as last seen.
    pub circumstances: Circumstances,
}

/// Facts about the place and form, not about the asset: they never change its identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Circumstances {
    /// The file it lay in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<FileFacts>,
    /// For keys: which half, in which form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyForm>,
    /// For certificates a TLS server sent: 0 for the first one of its list (RFC 8446, 4.4.2).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chain_position: Option<u16>,
}

/// Who owns a file and who may read it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileFacts {
    /// Permission bits as in `stat`, without the file type.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// The owner's name, where the host's user database knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// The group's name, where the host's group database knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<String>,
    /// When the content last changed.
    pub modified: Time,
}

/// Which half of a key pair was seen and how it was wrapped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyForm {
    /// Public or private.
    pub half: Half,
    /// The format it was written in, such as `PKCS#8`, `PKCS#1` or `SEC1`.
    pub encoding: String,
    /// Whether reading the file is enough to use the key.
    pub encryption: Encryption,
}

/// The halves of a key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// Only the public key was there.
    Public,
    /// The private key was there (its octets stayed there).
    Private,
}

/// How a key at rest is protected by its own format.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// In the clear.
    None,
    /// Wrapped under a passphrase; what the format says about how.
    Passphrase {
        /// Key derivation, such as `PBKDF2-HMAC-SHA256`, where stated.
        kdf: Option<String>,
        /// Cipher, such as `AES-256-CBC`, where stated.
        cipher: Option<String>,
        /// Iterations of the derivation, where stated.
        iterations: Option<u32>,
    },
}

impl Sighting {
    /// Seen once, at this time, with nothing more to say about the place.
    #[must_use]
    pub fn at(place: Place, collector: impl Into<String>, time: Time) -> Self {
        Self {
            place,
            collector: collector.into(),
            first_seen: time,
            last_seen: time,
            circumstances: Circumstances::default(),
        }
    }

    /// Joins two sightings of one asset at one place by one collector: earliest first, latest last,
    /// circumstances of the later one. Commutative and idempotent.
    pub(crate) fn join(&mut self, other: Self) {
        if (other.last_seen, &other.circumstances) > (self.last_seen, &self.circumstances) {
            self.circumstances = other.circumstances;
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

impl FileFacts {
    /// The classes of users beyond the owner that the permission bits let read the file.
    #[must_use]
    pub fn readable_by_group(&self) -> bool {
        self.mode & 0o040 != 0
    }

    /// Whether every user of the host may read the file.
    #[must_use]
    pub fn readable_by_others(&self) -> bool {
        self.mode & 0o004 != 0
    }
}
