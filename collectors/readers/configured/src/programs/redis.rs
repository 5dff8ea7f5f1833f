//! Redis and Valkey: the server.
//!
//! ## What it reads
//! `redis.conf` and `valkey.conf` with what they include, by the rules of Redis 7: the last value
//! counts.
//! ## What it cannot see
//! What `CONFIG SET` changed since, and what the command line says.

use std::collections::BTreeMap;
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{numbered, words};
use crate::sources::Sources;
use crate::tell::{self, Found, Kind, Tell};
use crate::versions;

pub(super) const PROGRAM: Program = Program {
    name: "Redis",
    recognise: |name, _| matches!(name, "redis.conf" | "valkey.conf"),
    read,
};

/// Directives that are kept. Those of passwords are not.
const SETTINGS: &[&str] = &[
    "tls-auth-clients",
    "tls-ca-cert-dir",
    "tls-ciphersuites",
    "tls-cluster",
    "tls-dh-params-file",
    "tls-prefer-server-ciphers",
    "tls-replication",
    "tls-session-caching",
];

/// Directives of files.
const FILES: &[(&str, Kind)] = &[
    ("tls-ca-cert-file", Kind::Trust),
    ("tls-cert-file", Kind::Certificate),
    ("tls-client-cert-file", Kind::Certificate),
    ("tls-client-key-file", Kind::Key),
    ("tls-key-file", Kind::Key),
];

struct Reading<'f> {
    sources: Sources<'f>,
    values: BTreeMap<String, String>,
    first: Option<u32>,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        values: BTreeMap::new(),
        first: None,
        unresolved: Vec::new(),
    };
    reading.file(text);
    let mut found = Found::default();
    if reading.values.keys().any(|name| name.starts_with("tls-")) {
        found.push(reading.configuration());
        return found.with(PROGRAM.name, &reading.unresolved);
    }
    Vec::new()
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        for (line, text) in numbered(text) {
            let words = words(text);
            let [name, values @ ..] = words.as_slice() else { continue };
            let name = name.to_ascii_lowercase();
            if name == "include" {
                values.iter().for_each(|pattern| self.include(pattern));
                continue;
            }
            let others = ["bind", "tls-ciphers", "tls-port", "tls-protocols"];
            if SETTINGS.contains(&&*name)
                || others.contains(&&*name)
                || FILES.iter().any(|(known, _)| *known == name)
            {
                if name.starts_with("tls-") && **self.sources.current() == *self.sources.main() {
                    self.first.get_or_insert(line);
                }
                self.values.insert(name, tell::clipped(&values.join(" ")));
            }
        }
    }

    fn include(&mut self, pattern: &str) {
        if !pattern.starts_with('/') {
            return tell::add(&mut self.unresolved, format!("include {pattern}"));
        }
        for path in self.sources.matching(Path::new(pattern)) {
            match self.sources.enter(&path) {
                Ok(text) => {
                    self.file(&text);
                    self.sources.leave();
                }
                Err(why) => tell::add(&mut self.unresolved, why),
            }
        }
    }

    fn configuration(&self) -> Configuration {
        let mut made = Configuration::of(PROGRAM.name, None, self.first.unwrap_or(1));
        let get = |name: &str| self.values.get(name).filter(|value| !value.is_empty());
        for name in SETTINGS {
            if let Some(value) = get(name) {
                made.setting(name, value);
            }
        }
        for (name, kind) in FILES {
            if let Some(path) = get(name) {
                made.absolute(*kind, name, path);
            }
        }
        if let Some(written) = get("tls-protocols") {
            made.versions(&versions::listed(written));
        }
        if let Some(suites) = get("tls-ciphers") {
            made.suites(suites);
        }
        if let Some(port) =
            get("tls-port").and_then(|port| port.parse().ok()).filter(|port| *port != 0)
        {
            for address in get("bind").map_or("*", String::as_str).split(' ').take(64) {
                // A minus says that the address may be missing on the machine.
                made.listens(tell::address(address.trim_start_matches('-')), port, None);
            }
        }
        made
    }
}
