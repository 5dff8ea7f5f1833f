//! What collectors hand in.

use crate::{
    Authority, Automation, Configuration, Coverage, Digest, DirectoryObject, Endpoint, Gap,
    Issuance, Key, Keystore, Place, SecretKey, Sighting, Template, Token, Unparsed,
};

/// One thing a collector reports. Encodings come as they were received; [`crate::Inventory`]
/// parses them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all observations are of the large variant")]
pub enum Observation {
    /// Something was there.
    Found {
        /// What.
        raw: Raw,
        /// Where, when, how.
        sighting: Sighting,
    },
    /// Something was asked for and not read.
    Missed(Gap),
    /// An earlier run read this file, and it has not changed since: whatever that run saw in it is
    /// there still. Only whoever keeps earlier runs can file it.
    Unchanged(Place),
    /// A login is about to be tried, named by a digest of everything but the PIN itself. It counts as
    /// refused until it is cleared: whoever is killed meanwhile must not try it again.
    LoginTried(Digest),
    /// The login worked, or was not tried after all.
    LoginCleared(Digest),
    /// A scope is done with.
    Covered {
        /// The collector.
        collector: String,
        /// The scope as the user wrote it.
        scope: String,
        /// How much of it was read.
        coverage: Coverage,
    },
}

/// An encoding as received, or, where the encoding must not be kept, its public facts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "few are on their way at a time and none is kept")]
pub enum Raw {
    /// DER of a certificate, or what was presented as one.
    Certificate(Vec<u8>),
    /// DER of a certificate revocation list.
    RevocationList(Vec<u8>),
    /// DER of a PKCS#10 certification request.
    SigningRequest(Vec<u8>),
    /// The public facts of a key. `id` is the SHA-256 of its SPKI or, where that is not visible,
    /// of its encrypted encoding.
    Key {
        /// Identity.
        id: Digest,
        /// Facts.
        key: Key,
    },
    /// A container with a lock of its own.
    Keystore {
        /// SHA-256 of its octets.
        id: Digest,
        /// Facts.
        keystore: Keystore,
    },
    /// A cryptographic token; the sighting's place is its identity.
    Token(Box<Token>),
    /// A symmetric key on a token; the sighting's place is its identity.
    SecretKey(SecretKey),
    /// An authority that a directory registers.
    Authority(Box<Authority>),
    /// A certificate template.
    Template(Box<Template>),
    /// Another object of a directory that a PKI rests on.
    DirectoryObject(Box<DirectoryObject>),
    /// A row of an authority's own records.
    Issuance(Box<Issuance>),
    /// A trace of automation; the sighting's place is its identity.
    Automation(Box<Automation>),
    /// What settings ask for; the sighting's place is its identity.
    Configuration(Box<Configuration>),
    /// An endpoint's answer; the sighting's place is its identity.
    Endpoint(Endpoint),
    /// A file held these certificates and no private key. Whether that makes it a trust store is
    /// decided where the certificates are known.
    Bundle(Vec<Digest>),
    /// Something that claimed to be an object of the field but is not readable as one.
    Unparsed {
        /// SHA-256 of the octets.
        id: Digest,
        /// Facts.
        unparsed: Unparsed,
    },
}

impl Observation {
    /// Something was there.
    #[must_use]
    pub fn found(raw: Raw, sighting: Sighting) -> Self {
        Self::Found { raw, sighting }
    }
}
