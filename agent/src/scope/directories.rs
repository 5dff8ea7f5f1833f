//! Which directories a run reads, and which files that were exported from some.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pki_config::{Bind, DirectoryScope, DirectoryServer};
use serde_json::{Value, json};

use super::{MOST_LISTED, holds_all, strings};

/// What settings say about directories, as far as it decides what is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Directories {
    servers: Vec<Server>,
    dumps: Vec<String>,
    /// Exports of authorities' databases, by path.
    records: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Server {
    name: String,
    transport: String,
    /// As whom it is asked, as a sentence has it.
    account: String,
    /// Empty for everywhere.
    bases: Vec<String>,
    accounts: bool,
    referrals: Vec<String>,
    max_entries: u64,
}

impl Directories {
    pub(super) fn of(scope: &DirectoryScope) -> Self {
        let path = |path: &Path| path.display().to_string();
        Self {
            servers: scope.servers.iter().map(Server::of).collect(),
            dumps: scope.dumps.iter().map(|dump| path(&dump.path)).collect(),
            records: scope.records.iter().map(|records| path(&records.path)).collect(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let servers = self.servers.iter().map(|server| {
            json!({
                "name": server.name,
                "transport": server.transport,
                "account": server.account,
                "bases": server.bases,
                "accounts": server.accounts,
                "referrals": server.referrals,
                "max_entries": server.max_entries,
            })
        });
        json!({
            "servers": servers.collect::<Vec<_>>(),
            "dumps": self.dumps,
            "records": self.records,
        })
    }

    /// As it was recorded; agents that recorded nothing of it read no directory.
    pub(super) fn from_json(value: &Value) -> Self {
        let list = |value: &Value, key: &str| strings(&value[key]).unwrap_or_default();
        let server = |value: &Value| {
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            Server {
                name: text("name"),
                transport: text("transport"),
                account: text("account"),
                bases: list(value, "bases"),
                accounts: value["accounts"].as_bool().unwrap_or_default(),
                referrals: list(value, "referrals"),
                max_entries: value["max_entries"].as_u64().unwrap_or_default(),
            }
        };
        let servers = value["servers"].as_array().map_or(&[][..], Vec::as_slice);
        Self {
            servers: servers.iter().map(server).collect(),
            dumps: list(value, "dumps"),
            records: list(value, "records"),
        }
    }

    /// Whether everything that the other one reads is read with this one, by the same accounts:
    /// another one may see less.
    pub(super) fn covers(&self, other: &Self) -> bool {
        other.servers.iter().all(|other| self.servers.iter().any(|own| own.covers(other)))
            && holds_all(&self.dumps, &other.dumps)
            && holds_all(&self.records, &other.records)
    }

    /// As reports tell it.
    pub(super) fn sentences(&self) -> Vec<String> {
        let more = self.servers.len().saturating_sub(MOST_LISTED);
        let shown = &self.servers[..self.servers.len() - more];
        let mut told: Vec<String> = shown.iter().map(Server::sentence).collect();
        if more > 0 {
            told.push(format!("And {more} more directories."));
        }
        told
    }

    pub(super) fn dumps(&self) -> &[String] {
        &self.dumps
    }

    pub(super) fn records(&self) -> &[String] {
        &self.records
    }

    /// The files that are read as a whole because they are named, whatever else is said of files.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        self.dumps.iter().chain(&self.records).map(PathBuf::from).collect()
    }
}

impl Server {
    fn of(server: &DirectoryServer) -> Self {
        Self {
            name: server.name(),
            transport: server.transport.to_string(),
            account: account(&server.bind),
            bases: server.bases.clone(),
            accounts: server.accounts,
            referrals: server.referrals.clone(),
            max_entries: server.max_entries,
        }
    }

    fn covers(&self, other: &Self) -> bool {
        let reaches = self.bases.is_empty()
            || (!other.bases.is_empty() && holds_all(&self.bases, &other.bases));
        // How the connection is protected changes nothing of what is seen.
        (&self.name, &self.account) == (&other.name, &other.account)
            && reaches
            && (self.accounts || !other.accounts)
            && holds_all(&self.referrals, &other.referrals)
            && self.max_entries >= other.max_entries
    }

    fn sentence(&self) -> String {
        let mut told = format!("Directory {} over {}, {}", self.name, self.transport, self.account);
        if !self.bases.is_empty() {
            told.push_str(&format!(", below {}", self.bases.join("; ")));
        }
        if !self.accounts {
            told.push_str(", without accounts");
        }
        let base = DirectoryServer::default();
        if self.max_entries != base.max_entries {
            told.push_str(&format!(", at most {} entries", self.max_entries));
        }
        told.push('.');
        told
    }
}

/// As whom a directory is asked. The name is no secret; nothing of a password is in it.
pub fn account(bind: &Bind) -> String {
    match bind {
        Bind::Anonymous => "as nobody".to_owned(),
        Bind::Simple { name, .. } => format!("as {name}"),
        Bind::External { certificate, .. } => {
            format!("by the certificate {}", certificate.display())
        }
        Bind::Kerberos => "by Kerberos".to_owned(),
    }
}
