//! One record per certificate, key, keystore, endpoint, request, revocation list, trust store, trace
//! of automation and configuration, and who saw it where and when.
//!
//! Collectors hand in [`Observation`]s; [`Inventory::absorb`] parses each encoding once and files
//! it under the SHA-256 of that encoding; what has no encoding of its own (an endpoint, a trace of
//! automation, a configuration) it files under its place. Two inventories [merge](Inventory::merge) in any order
//! and any number of times to the same result, so the records of many runs and many agents can
//! be laid together.
//!
//! A certificate, a revocation list and a stapled status ([`Staple`]) say what they say in fields
//! of their own; what follows from several records together is computed when it is asked for: the
//! joins of a [`View`], the [`ChainFacts`] of an endpoint, how it [differs](compared) from its
//! settings, the [`signs`] of automatic renewal, the [`members`] of a trust store. Whoever did not
//! look says so: a [`Fact`] is yes, no, or not observed with the reason.
//!
//! Two lists lie in this crate: keys whose private half is [`published`], and authorities that a root
//! program has [`distrusted`]. Both name their sources, and neither is complete.
//!
//! What this crate does not do: it reads no file, opens no socket, asks no clock, logs nothing and
//! judges nothing; no signature is verified. It never holds a private key: collectors hand in the public half.
//!
//! ```
//! use pki_inventory::{Inventory, Observation, Place, Raw, Sighting, Time};
//!
//! let mut inventory = Inventory::default();
//! let seen = Sighting::at(Place::file("/etc/ssl/broken.der"), "filesystem", Time(1_700_000_000));
//! inventory.absorb(Observation::found(Raw::Certificate(vec![0x30, 0x03, 0x02, 0x01]), seen));
//! assert_eq!(inventory.assets().count(), 1, "what does not parse is kept as unparsed");
//! ```

mod access;
mod algorithm;
mod anchoring;
mod asked;
mod asset;
mod authority;
mod automation;
mod automations;
mod certificate;
mod chain;
mod configuration;
mod der;
mod digest;
mod directories;
mod directory_object;
mod disk;
mod drift;
mod endpoint;
mod gap;
mod hierarchy;
mod host_name;
mod inventory;
mod issuance;
mod issuers;
mod key;
mod keystore;
mod lineage;
mod members;
mod object;
mod observation;
mod place;
mod posture;
mod published;
mod quirks;
mod revocation_list;
mod settings;
mod sighting;
mod signing_request;
mod signs;
mod staple;
mod starting;
mod suite_names;
mod template;
mod time;
mod timestamps;
mod token;
mod token_object;
mod tokens;
mod trust_store;
mod unparsed;
mod view;

pub use access::{Access, Grant, Ordinary, Right, Standing, Trustee};
pub use algorithm::{KeyAlgorithm, RsaNumbers, SignatureAlgorithm};
pub use anchoring::{AnchorPath, Anchoring, anchorings};
pub use asset::{Asset, AssetId, Body, Kind};
pub use authority::Authority;
pub use automation::{Automation, AutomationRole};
pub use automations::Managed;
pub use certificate::{AlternativeName, Certificate, DistinguishedName};
pub use chain::{ChainFacts, chain_facts};
pub use configuration::{Configuration, Listens};
pub use digest::{Digest, DigestError};
pub use directory_object::{DirectoryObject, DirectoryRole, LinkedGroup, Mapping, MappingForm};
pub use drift::{Comparison, Drift, compared, drifts};
pub use endpoint::{ClientCertificate, Endpoint, Handshake, Session};
pub use gap::{Coverage, Gap, GapReason};
pub use hierarchy::{Node, hierarchy};
pub use inventory::Inventory;
pub use issuance::{Disposition, Issuance};
pub use key::Key;
pub use keystore::{Holds, Keystore, Lock, StoreEntry};
pub use members::{Dates, Distrusted, Member, MemberFacts, distrusted, members};
pub use object::Object;
pub use observation::{Observation, Raw};
pub use place::{Place, PlaceError};
pub use posture::{Deployment, Fact, Posture, Suites, VersionFacts};
pub use published::{published, snakeoil};
pub use quirks::{Oddity, Quirk, quirks};
pub use revocation_list::RevocationList;
pub use sighting::{
    Circumstances, Encryption, Fate, FileFacts, Half, KeyForm, Layer, Sighting, SshCertificate,
};
pub use signing_request::SigningRequest;
pub use signs::{Direction, Renewal, Sign, Strength, renewal, renewal_by, signs};
pub use staple::{CertificateStatus, IssuerHashes, RevocationStatus, Staple, StapleContent};
pub use starting::Start;
pub use template::{Template, enrolment_flag, general_flag, name_flag, private_key_flag};
pub use time::{Time, TimeError};
pub use timestamps::sct_log_ids;
pub use token::{
    KeptIn, Login, Mechanism, Module, PinState, SecretKey, Slot, Token, TokenFlags, Validation,
};
pub use token_object::{ObjectClass, TokenObject, Usage};
pub use tokens::{Held, TokenKey};
pub use trust_store::TrustStore;
pub use unparsed::Unparsed;
pub use view::{KeyUse, Role, View};
