//! Cryptography as a program's settings ask for it: stage `configured`, not `observed`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one part of a settings file says about cryptography: one server of a web server, one
/// listener, one client library. Where it was seen is its identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Configuration {
    /// The program, such as `nginx` or `OpenSSL`.
    pub software: String,
    /// Which part of the settings, such as `server www.example.org`; absent for the whole file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<String>,
    /// The line where that part begins.
    pub line: u32,
    /// Where it listens with TLS (for `sshd`, with SSH).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub listens: Vec<Listens>,
    /// The names it answers to.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub server_names: Vec<String>,
    /// The protocol versions that are enabled, named as in a [`Session`](crate::Session)
    /// (`TLSv1.2`), sorted; absent where the settings leave them to the program.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub versions: Option<Vec<String>>,
    /// The suites as written; absent where the settings leave them to the program.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suites: Option<String>,
    /// The files of certificates it presents, as absolute paths.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub certificates: Vec<String>,
    /// The files of private keys it uses, as absolute paths.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub keys: Vec<String>,
    /// The files of CA certificates it trusts, as absolute paths.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub trusts: Vec<String>,
    /// Other settings of cryptography, by their own names, as written. Never a password.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub settings: BTreeMap<String, String>,
    /// What could not be followed: an included file that is not there, a variable.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unresolved: Vec<String>,
}

/// Where a server listens, as its settings say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listens {
    /// The address; absent for all of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// TCP port.
    pub port: u16,
    /// The protocol inside of which TLS is offered, as in [`Place::Tls`](crate::Place::Tls).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub starttls: Option<String>,
}

impl Configuration {
    /// A part of this program's settings that says nothing else yet.
    #[must_use]
    pub fn of(software: &str, part: Option<String>, line: u32) -> Self {
        Self {
            software: software.to_owned(),
            part,
            line,
            listens: Vec::new(),
            server_names: Vec::new(),
            versions: None,
            suites: None,
            certificates: Vec::new(),
            keys: Vec::new(),
            trusts: Vec::new(),
            settings: BTreeMap::new(),
            unresolved: Vec::new(),
        }
    }
}
