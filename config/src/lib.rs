//! What a user may set: what to look at ([`Settings`]) and the policy that things are judged by
//! ([`Policy`]).
//!
//! A written file is checked as a whole before anything runs: all its problems come at once, each
//! with file, line and key; unknown keys are problems. What is checked needs no second look.
//!
//! What to look at on the network is a list of [`Target`]s, at the times of [`Windows`]; ports go
//! by number or by [`PortProfile`], and what comes before TLS by [`StartTls`]. What to look at on disk
//! is a list of trees, less paths and [`Globs`]; directories are [`DirectoryServer`]s and files that were
//! exported from some; tokens are those of PKCS #11 modules, chosen by [`TokenUri`]s; passwords come from
//! where a [`SecretSource`] says, and PINs from a [`PinSource`].
//!
//! What this crate does not do: it opens no file (text comes in, and the time zones are built in),
//! reads no clock, and knows no certificate, no rule and no requirement.
//!
//! ```
//! use pki_config::Settings;
//!
//! let problems = Settings::parse("pkimm-agent.toml", "[tls]\ntarget = []\n").unwrap_err();
//! assert!(problems.to_string().starts_with("pkimm-agent.toml:2: tls.target: is not a key here"));
//! ```

mod directory;
mod globs;
mod pkcs11;
mod policy;
mod problem;
mod reader;
mod scope;
mod settings;
mod starttls;
mod target;
mod token_uri;
mod window;

pub use directory::{
    AuthorityRecords, Bind, DirectoryAddress, DirectoryAddressError, DirectoryDump,
    DirectoryPassword, DirectoryScope, DirectoryServer, Transport,
};
pub use globs::{GlobError, Globs};
pub use pkcs11::{PinSource, Pkcs11Module, Pkcs11Scope, TokenLogin};
pub use policy::{
    Algorithms, BlankRule, Contradicted, DEFAULT_POLICY, DEFAULT_POLICY_NAME, Directory, Exception,
    Issuer, KeyKind, Keys, Lifetime, Ownership, Policy, Scale, Step, Thresholds,
};
pub use problem::{Problem, Problems};
pub use reader::Origin;
pub use scope::{
    Archives, Depth, DepthError, FilesystemScope, IoPriority, IoPriorityError, PasswordFor,
    SecretSource, TargetsFile, TlsScope,
};
pub use settings::{DEFAULT_ROOTS, DEFAULT_SETTINGS, Settings};
pub use starttls::{StartTls, StartTlsError};
pub use target::{
    Addresses, DEFAULT_PORT, Hosts, KNOWN_PORTS, KnownPort, Opening, PortProfile, Ports, Target,
    TargetError,
};
pub use token_uri::{TokenDescription, TokenUri, TokenUriError};
pub use window::{WindowError, Windows};
