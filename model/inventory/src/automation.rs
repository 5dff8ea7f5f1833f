//! What a host's files say about who renews its certificates.

use serde::{Deserialize, Serialize};

use crate::Time;

/// One trace that a tool for automatic issuance or renewal left: the settings of one certificate,
/// a timer, a monitor. Where it was seen is its identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Automation {
    /// The tool, as its makers write it, such as `certbot` or `acme.sh`.
    pub tool: String,
    /// What the trace is about.
    pub role: AutomationRole,
    /// What the tool calls it, such as the name of a lineage, a unit or a secret.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The names the certificate is for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub domains: Vec<String>,
    /// Where the certificates lie that it manages: absolute paths of files, or of folders (ending
    /// in `/`) with all below them, encoded as in [`Place::file`](crate::Place::file).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub manages: Vec<String>,
    /// The authority it asks, as the tool has it: a URL or a name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub issuer: Option<String>,
    /// How control over the names is shown, such as `webroot`, `http-01` or `dns_cf`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authenticator: Option<String>,
    /// Algorithm or size of the key it makes, as the tool has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_type: Option<String>,
    /// Whether a renewal keeps the key; absent where the tool's files do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reuses_key: Option<bool>,
    /// Whether it renews by itself as set up here; absent where that is not to be seen. A timer
    /// that is not enabled says no.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active: Option<bool>,
    /// When it means to renew next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_renewal: Option<Time>,
    /// How often it has renewed so far.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renewals: Option<u32>,
    /// Whether something is done after a renewal, such as reloading a server. What is done is not
    /// kept: commands may hold secrets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hook: Option<bool>,
    /// When it runs, as written: a calendar expression, a line of a crontab without its command.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schedule: Option<String>,
}

/// What a trace of automation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutomationRole {
    /// Settings or state of one certificate.
    Lineage,
    /// Something that starts a tool: a timer, a cron entry, a service that stays.
    Schedule,
    /// Something that watches for expiry.
    Monitor,
}

impl AutomationRole {
    /// The word for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lineage => "lineage",
            Self::Schedule => "schedule",
            Self::Monitor => "monitor",
        }
    }
}

impl Automation {
    /// A trace of this tool that says nothing else yet.
    #[must_use]
    pub fn of(tool: &str, role: AutomationRole) -> Self {
        Self {
            tool: tool.to_owned(),
            role,
            name: None,
            domains: Vec::new(),
            manages: Vec::new(),
            issuer: None,
            authenticator: None,
            key_type: None,
            reuses_key: None,
            active: None,
            next_renewal: None,
            renewals: None,
            hook: None,
            schedule: None,
        }
    }
}
