//! What many handshakes with one server show: versions, suites, groups, habits.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// A question with three answers. Whoever did not look says so, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Seen to be so.
    Yes,
    /// Seen not to be so.
    No,
    /// Not seen; the reason.
    NotObserved(String),
}

/// What a server does when asked in many ways. The names are those of IANA and of the RFCs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Posture {
    /// Every protocol version from `SSLv2` to `TLSv1.3`.
    pub versions: BTreeMap<String, VersionFacts>,
    /// Key exchange groups of TLS 1.3 (RFC 8446, 4.2.7), hybrids with ML-KEM included.
    pub groups: BTreeMap<String, Fact>,
    /// Application protocols by ALPN (RFC 7301).
    pub alpn: BTreeMap<String, Fact>,
    /// The certificates it has for each family of signatures: `RSA`, `ECDSA`, `EdDSA`, `ML-DSA`.
    pub deployments: BTreeMap<String, Deployment>,
    /// It resumes by session identifier (RFC 5246, 7.3), TLS 1.2 and older.
    pub resumption_id: Fact,
    /// It resumes by ticket (RFC 5077; RFC 8446, 4.6.1).
    pub resumption_ticket: Fact,
    /// It takes data before the handshake is complete (RFC 8446, 2.3).
    pub early_data: Fact,
    /// It says which handshake a renegotiation belongs to (RFC 5746).
    pub secure_renegotiation: Fact,
    /// It binds the master secret to the handshake (RFC 7627).
    pub extended_master_secret: Fact,
    /// It compresses (RFC 3749).
    pub compression: Fact,
    /// It notices a version that somebody lowered on the way (RFC 7507).
    pub fallback_scsv: Fact,
    /// The alert with which it refused a complete handshake without a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_refusal: Option<String>,
}

/// One protocol version at one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionFacts {
    /// Whether it speaks this version.
    pub offered: Fact,
    /// The suite it chose when all were offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_suite: Option<String>,
    /// All suites it accepts, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suites: Option<Suites>,
}

/// The cipher suites of one version at one server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suites {
    /// In the order in which the server chose them.
    pub accepted: Vec<String>,
    /// Whether these are all.
    pub complete: Fact,
    /// Whether the server insists on its own order.
    pub server_order: Fact,
}

/// The chain a server shows to those who can verify only one family of signatures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Deployment {
    /// Whether it has a certificate of that family.
    pub offered: Fact,
    /// The chain, by SHA-256 of the encodings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Digest>,
}

impl Fact {
    /// The word for it: `yes`, `no`, `not-observed`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotObserved(_) => "not-observed",
        }
    }

    /// Why it was not observed, if it was not.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::NotObserved(why) => Some(why),
            Self::Yes | Self::No => None,
        }
    }
}

impl From<bool> for Fact {
    fn from(seen: bool) -> Self {
        if seen { Self::Yes } else { Self::No }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes | Self::No => f.write_str(self.name()),
            Self::NotObserved(why) => write!(f, "not observed: {why}"),
        }
    }
}
