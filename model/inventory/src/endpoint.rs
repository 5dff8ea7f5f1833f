//! What a network service answered when it was offered TLS.

use serde::{Deserialize, Serialize};

use crate::{Digest, Fact, Posture, Staple, Time};

/// A service that answered. One that did not is a [`Gap`](crate::Gap).
///
/// Of two answers the later one counts as a whole: one handshake of tonight hides what many
/// handshakes showed last week, posture included. The older posture would have to be judged as if
/// it were of tonight, and a server that was put in order since would be blamed for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// When it was last asked; the later of two answers is the one that is kept. Written beside the
    /// rest and not with it, so that the same answer at two times is the same text.
    #[serde(skip, default = "never")]
    pub observed: Time,
    /// What came of it.
    #[serde(flatten)]
    pub handshake: Handshake,
    /// Connections that were opened to learn this. The figure tells what a scan cost the server; it
    /// may differ from run to run where a server was slow.
    #[serde(default)]
    pub connections: u32,
    /// What more than one handshake showed; absent where no more was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posture: Option<Box<Posture>>,
}

/// How far a handshake went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
#[expect(clippy::large_enum_variant, reason = "nearly all handshakes are of the large variant")]
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
    /// `SSLv2`, `SSLv3`, `TLSv1.0` to `TLSv1.3`; absent when the handshake broke before it was
    /// settled.
    pub version: Option<String>,
    /// IANA name of the cipher suite.
    pub cipher_suite: Option<String>,
    /// IANA name of the key exchange group; `DHE 1024 bit` for a finite field that has none, by the
    /// length of its prime.
    pub group: Option<String>,
    /// The groups that were offered to the server, most wanted first.
    pub offered_groups: Vec<String>,
    /// Protocol chosen by ALPN (RFC 7301).
    pub alpn: Option<String>,
    /// Stapled certificate status (RFC 6066, section 8).
    pub staple: Option<Staple>,
    /// The logs whose signed certificate timestamps came with the handshake itself (RFC 6962, 3.3),
    /// by their ids; those in the certificate are facts of the certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sct_logs: Vec<String>,
    /// Whether the server asked for a certificate of ours.
    #[serde(default)]
    pub client_certificate: ClientCertificate,
    /// The authorities whose certificates it says it accepts, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_authorities: Vec<String>,
    /// The presented certificates in the order they were sent, by SHA-256 of their encoding.
    pub chain: Vec<Digest>,
    /// Why the handshake did not complete although the chain was shown, if it did not. Ending it
    /// ourselves, once the chain was shown, is no reason.
    pub ended: Option<String>,
}

impl Session {
    /// Whether a certificate status was stapled.
    #[must_use]
    pub fn stapled(&self) -> Fact {
        self.extension(self.staple.is_some())
    }

    /// Whether signed certificate timestamps came with the handshake itself.
    #[must_use]
    pub fn timestamped(&self) -> Fact {
        self.extension(!self.sct_logs.is_empty())
    }

    /// Whether an application protocol was chosen.
    #[must_use]
    pub fn chose_protocol(&self) -> Fact {
        self.extension(self.alpn.is_some())
    }

    /// Whether something was in an extension: what is not there is missing only from a handshake
    /// that was read to where it would be.
    fn extension(&self, seen: bool) -> Fact {
        match (self.version.as_deref(), &self.ended) {
            _ if seen => Fact::Yes,
            (Some(version @ ("SSLv2" | "SSLv3")), _) => {
                Fact::NotObserved(format!("{version} has no place for it"))
            }
            (_, Some(_)) => Fact::NotObserved("the handshake ended before it".to_owned()),
            (_, None) => Fact::No,
        }
    }
}

/// What a server wants of its clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// The part of the handshake where it would ask was not reached or could not be read.
    #[default]
    NotObserved,
    /// It did not ask for a certificate.
    NotAsked,
    /// It asked; whether it goes on without one was not tried.
    Asked,
    /// It asked, and goes on without one.
    Optional,
    /// It asked, and refuses those who have none.
    Required,
}

impl ClientCertificate {
    /// The word for it: `not-observed`, `not-asked`, `asked`, `optional`, `required`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotObserved => "not-observed",
            Self::NotAsked => "not-asked",
            Self::Asked => "asked",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

fn never() -> Time {
    Time(i64::MIN)
}

impl Endpoint {
    /// What one connection came to.
    #[must_use]
    pub fn new(observed: Time, handshake: Handshake) -> Self {
        Self { observed, handshake, connections: 1, posture: None }
    }

    /// The session, when certificates were shown.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.handshake {
            Handshake::Shown(session) => Some(session),
            Handshake::Declined { .. } | Handshake::NoTls { .. } => None,
        }
    }

    /// Whether it speaks a protocol version: what the posture found, else what the one handshake
    /// settled on.
    #[must_use]
    pub fn speaks(&self, version: &str) -> Fact {
        if let Some(found) = self.posture.as_ref().and_then(|posture| posture.versions.get(version))
        {
            return found.offered.clone();
        }
        match self.session().and_then(|session| session.version.as_deref()) {
            Some(settled) if settled == version => Fact::Yes,
            _ => Fact::NotObserved("only one handshake was asked for".to_owned()),
        }
    }
}
