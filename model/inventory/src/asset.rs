//! Assets: one record per thing, under the hash of its encoding.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    Authority, Automation, Certificate, Configuration, Digest, DirectoryObject, Endpoint, Issuance,
    Key, Keystore, Place, RevocationList, SecretKey, Sighting, SigningRequest, Template, Time,
    Token, TrustStore, Unparsed,
};

/// The kinds of assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Certification authority, as a directory registers it.
    Authority,
    /// Trace of automatic issuance or renewal.
    Automation,
    /// X.509 certificate.
    Certificate,
    /// Cryptography that settings ask for.
    Configuration,
    /// Another object of a directory that a PKI rests on.
    DirectoryObject,
    /// TLS endpoint.
    Endpoint,
    /// Row of an authority's own records.
    Issuance,
    /// Key outside a certificate.
    Key,
    /// Container of keys and certificates with a lock of its own.
    Keystore,
    /// Certificate revocation list.
    RevocationList,
    /// Symmetric key on a token.
    SecretKey,
    /// PKCS#10 certification request.
    SigningRequest,
    /// Certificate template.
    Template,
    /// Cryptographic token.
    Token,
    /// Bundle of trust anchors.
    TrustStore,
    /// Something that could not be parsed.
    Unparsed,
}

/// Kind and digest; prints as `certificate:9f86d0…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetId {
    /// Kind.
    pub kind: Kind,
    /// SHA-256 of the encoding; for a key of the SPKI, where that is visible; for endpoints,
    /// configurations, traces of automation, tokens and symmetric keys of the place; for a trust store of its members; for
    /// what a directory holds of its distinguished name.
    pub sha256: Digest,
}

/// One thing, with every place it was seen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Identity.
    pub id: AssetId,
    /// Facts.
    pub body: Body,
    /// By place and collector.
    pub(crate) sightings: BTreeMap<(Place, String), Sighting>,
}

/// The facts, by kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::large_enum_variant, reason = "endpoints are what most of a network scan keeps")]
pub enum Body {
    /// Certification authority, as a directory registers it.
    Authority(Box<Authority>),
    /// Trace of automatic issuance or renewal.
    Automation(Box<Automation>),
    /// X.509 certificate.
    Certificate(Box<Certificate>),
    /// Cryptography that settings ask for.
    Configuration(Box<Configuration>),
    /// Another object of a directory that a PKI rests on.
    DirectoryObject(Box<DirectoryObject>),
    /// TLS endpoint.
    Endpoint(Endpoint),
    /// Row of an authority's own records.
    Issuance(Box<Issuance>),
    /// Key outside a certificate.
    Key(Key),
    /// Container of keys and certificates with a lock of its own.
    Keystore(Keystore),
    /// Certificate revocation list.
    RevocationList(Box<RevocationList>),
    /// Symmetric key on a token.
    SecretKey(SecretKey),
    /// PKCS#10 certification request.
    SigningRequest(Box<SigningRequest>),
    /// Certificate template.
    Template(Box<Template>),
    /// Cryptographic token.
    Token(Box<Token>),
    /// Bundle of trust anchors.
    TrustStore(TrustStore),
    /// Something that could not be parsed.
    Unparsed(Unparsed),
}

impl Kind {
    /// All kinds, in the order in which reports list them.
    pub const ALL: &'static [Self] = &[
        Self::Certificate,
        Self::Endpoint,
        Self::Key,
        Self::SecretKey,
        Self::Token,
        Self::Keystore,
        Self::RevocationList,
        Self::SigningRequest,
        Self::TrustStore,
        Self::Authority,
        Self::Template,
        Self::DirectoryObject,
        Self::Issuance,
        Self::Automation,
        Self::Configuration,
        Self::Unparsed,
    ];

    /// The name used in ids, files and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Automation => "automation",
            Self::Certificate => "certificate",
            Self::Configuration => "configuration",
            Self::DirectoryObject => "directory-object",
            Self::Endpoint => "endpoint",
            Self::Issuance => "issuance",
            Self::Key => "key",
            Self::Keystore => "keystore",
            Self::RevocationList => "revocation-list",
            Self::SecretKey => "secret-key",
            Self::SigningRequest => "signing-request",
            Self::Template => "template",
            Self::Token => "token",
            Self::TrustStore => "trust-store",
            Self::Unparsed => "unparsed",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("`{text}` is not a kind of asset; kinds are {}", names.join(", "))
        })
    }
}

impl AssetId {
    /// The id of a thing of this kind.
    #[must_use]
    pub fn new(kind: Kind, sha256: Digest) -> Self {
        Self { kind, sha256 }
    }

    /// The id of an object of a directory: names there are equal whatever their case.
    #[must_use]
    pub fn named(kind: Kind, dn: &str) -> Self {
        Self::new(kind, Digest::of(dn.to_lowercase().as_bytes()))
    }

    /// The id of a thing that its place identifies.
    #[must_use]
    pub fn at(kind: Kind, place: &Place) -> Self {
        Self::new(kind, Digest::of(place.to_string().as_bytes()))
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.sha256)
    }
}

impl TryFrom<String> for AssetId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AssetId> for String {
    fn from(id: AssetId) -> Self {
        id.to_string()
    }
}

impl FromStr for AssetId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, sha256) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}` is not an asset id (kind:sha256)"))?;
        Ok(Self::new(kind.parse()?, sha256.parse().map_err(|error| format!("{error}"))?))
    }
}

impl Body {
    /// The kind of thing this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Authority(_) => Kind::Authority,
            Self::Automation(_) => Kind::Automation,
            Self::Certificate(_) => Kind::Certificate,
            Self::Configuration(_) => Kind::Configuration,
            Self::DirectoryObject(_) => Kind::DirectoryObject,
            Self::Endpoint(_) => Kind::Endpoint,
            Self::Issuance(_) => Kind::Issuance,
            Self::Key(_) => Kind::Key,
            Self::Keystore(_) => Kind::Keystore,
            Self::RevocationList(_) => Kind::RevocationList,
            Self::SecretKey(_) => Kind::SecretKey,
            Self::SigningRequest(_) => Kind::SigningRequest,
            Self::Template(_) => Kind::Template,
            Self::Token(_) => Kind::Token,
            Self::TrustStore(_) => Kind::TrustStore,
            Self::Unparsed(_) => Kind::Unparsed,
        }
    }
}

impl Asset {
    /// A thing under its identity, not seen anywhere yet.
    #[must_use]
    pub fn new(id: AssetId, body: Body) -> Self {
        Self { id, body, sightings: BTreeMap::new() }
    }

    /// Adds a sighting, or joins it with the one already there.
    pub fn see(&mut self, sighting: Sighting) {
        match self.sightings.entry((sighting.place.clone(), sighting.collector.clone())) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(sighting);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                entry.get_mut().join(sighting)
            }
        }
    }

    /// Every sighting, by place.
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.sightings.values()
    }

    /// Every place, sorted, each once.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let mut last = None;
        self.sightings.keys().map(|(place, _)| place).filter(move |place| {
            let new = last != Some(*place);
            last = Some(*place);
            new
        })
    }

    /// When any collector first saw it.
    #[must_use]
    pub fn first_seen(&self) -> Option<Time> {
        self.sightings().map(|sighting| sighting.first_seen).min()
    }

    /// When any collector last saw it.
    #[must_use]
    pub fn last_seen(&self) -> Option<Time> {
        self.sightings().map(|sighting| sighting.last_seen).max()
    }

    /// The certificate, if it is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.body {
            Body::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The key, if it is one.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match &self.body {
            Body::Key(key) => Some(key),
            _ => None,
        }
    }

    /// The endpoint, if it is one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match &self.body {
            Body::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    /// Lays another record of the same thing over this one. Of what a place identifies the later body
    /// wins, of two of one instant always the same one; of a keystore the one that was opened further.
    /// Sightings are joined.
    pub(crate) fn merge(&mut self, other: Self) {
        let is_later = match &other.body {
            // An endpoint says itself when it was asked.
            Body::Authority(_)
            | Body::Automation(_)
            | Body::Configuration(_)
            | Body::DirectoryObject(_)
            | Body::Issuance(_)
            | Body::SecretKey(_)
            | Body::Template(_)
            | Body::Token(_) => (other.last_seen(), &other.body) > (self.last_seen(), &self.body),
            _ => other.body > self.body,
        };
        if is_later {
            self.body = other.body;
        }
        for sighting in other.sightings.into_values() {
            self.see(sighting);
        }
    }
}
