//! One place where an asset was seen, when, by whom, and under which circumstances.

use serde::{Deserialize, Serialize};

use crate::{Digest, Place, Time, TokenObject};

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
    /// What it is called there: the alias in a keystore, the comment of an SSH key, the field of a
    /// document it stands in. People wrote it; it may hold any character.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// The layer of a container image it lies in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub layer: Option<Layer>,
    /// For keys: what an SSH certificate says of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ssh_certificate: Option<SshCertificate>,
    /// What the token it lies on says of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<Box<TokenObject>>,
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
    /// The type of filesystem it lies on, such as `ext4` or `nfs4`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filesystem: Option<String>,
    /// Whether an access control list says more about who may read it than the mode does.
    #[serde(skip_serializing_if = "is_false", default)]
    pub access_list: bool,
    /// The nearest folder above that only its owner may enter, where there is one: it hides the
    /// file from others whatever the file's own mode says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub behind: Option<String>,
}

/// One layer of a container image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Layer {
    /// The digest that the image's manifest calls it by, such as `sha256:9f86…`.
    pub digest: String,
    /// Its number from the bottom, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// What became of the file in the layers above.
    pub fate: Fate,
}

/// What upper layers of an image do to a file of a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is there in a running container.
    Kept,
    /// This layer deletes it; whoever has the image can read it all the same.
    DeletedIn(u32),
    /// This layer has another file in its place; whoever has the image can read it all the same.
    ReplacedIn(u32),
}

/// What a certificate of OpenSSH says (PROTOCOL.certkeys).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SshCertificate {
    /// Whether it is for a host; otherwise for a user.
    pub host: bool,
    /// The name its issuer gave it.
    pub key_id: String,
    /// For whom; none means for everybody.
    pub principals: Vec<String>,
    /// From when on.
    pub valid_after: Time,
    /// Until when; absent where it never ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub valid_before: Option<Time>,
    /// SHA-256 of the `SubjectPublicKeyInfo` of the key that signed it, where it could be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authority: Option<Digest>,
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
    /// By the token it lies on, as far as the attributes of the object say so.
    Token,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_false(value: &bool) -> bool {
    !value
}

impl FileFacts {
    /// A file of which `stat` told these, and nothing else is known.
    #[must_use]
    pub fn of(mode: u32, uid: u32, gid: u32, modified: Time) -> Self {
        let (owner, group, filesystem, behind) = (None, None, None, None);
        Self { mode, uid, gid, owner, group, modified, filesystem, access_list: false, behind }
    }

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
