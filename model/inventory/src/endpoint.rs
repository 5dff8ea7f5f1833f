//! What a network service answered when it was offered TLS.

use serde::{Deserialize, Serialize};

use crate::{Digest, Time};

/// A service that answered. One that did not is a [`Gap`](crate::Gap).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// When it was last asked; the later of two answers is the one that is kept.
    pub observed: Time,
    /// What came of it.
    pub handshake: Handshake,
}

/// How far a handshake went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Handshake {
    /// The server sent its certificates.
    Shown(Session),
    /// The server answered in TLS but agreed to nothing that was offered, with the alert it sent.
    Declined {
        /// The alert's name as in RFC 8446, section 6, such as `protocol_version`.
        alert: String,
        /// The protocol versions that were offered to it.
        offered: Vec<String>,
    },
    /// The service answered, but not in TLS.
    NoTls {
        /// What it said instead.
        reason: String,
    },
}

/// The parameters two peers agreed on, and the chain the server presented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// `TLSv1.2` or `TLSv1.3`; absent when the handshake broke before it was settled.
    pub version: Option<String>,
    /// IANA name of the cipher suite.
    pub cipher_suite: Option<String>,
    /// IANA name of the key exchange group.
    pub group: Option<String>,
    /// The groups that were offered to the server, most wanted first.
    pub offered_groups: Vec<String>,
    /// Protocol chosen by ALPN (RFC 7301).
    pub alpn: Option<String>,
    /// Stapled certificate status (RFC 6066, section 8).
    pub staple: Option<Staple>,
    /// The presented certificates in the order they were sent, by SHA-256 of their encoding.
    pub chain: Vec<Digest>,
    /// Why the handshake did not complete although the chain was shown, if it did not.
    pub ended: Option<String>,
}

/// A stapled OCSP response as it was received; it is not interpreted here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Staple {
    /// Octets received.
    pub length: usize,
    /// SHA-256 of the response.
    pub sha256: Digest,
}

impl Endpoint {
    /// The session, when certificates were shown.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.handshake {
            Handshake::Shown(session) => Some(session),
            Handshake::Declined { .. } | Handshake::NoTls { .. } => None,
        }
    }
}
