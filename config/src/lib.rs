//! What a user may set: what to look at ([`Settings`]) and the policy that things are judged by
//! ([`Policy`]).
//!
//! A written file is checked as a whole before anything runs: all its problems come at once, each
//! with file, line and key; unknown keys are problems. What is checked needs no second look.
//!
//! What this crate does not do: it opens no file (text comes in) and knows no certificate, no rule
//! and no requirement.
//!
//! ```
//! use pki_config::Settings;
//!
//! let problems = Settings::parse("pkimm-agent.toml", "[tls]\ntarget = []\n").unwrap_err();
//! assert!(problems.to_string().starts_with("pkimm-agent.toml:2: tls.target: is not a key here"));
//! ```

mod policy;
mod problem;
mod reader;
mod scope;
mod settings;
mod target;

pub use policy::{
    Algorithms, BlankRule, Contradicted, DEFAULT_POLICY, DEFAULT_POLICY_NAME, Exception, Issuer,
    KeyKind, Lifetime, Ownership, Policy, Scale, Step, Thresholds,
};
pub use problem::{Problem, Problems};
pub use reader::Origin;
pub use scope::{FilesystemScope, TlsScope};
pub use settings::{DEFAULT_ROOTS, DEFAULT_SETTINGS, Settings};
pub use target::{DEFAULT_PORT, Hosts, Target, TargetError};
