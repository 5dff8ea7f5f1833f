//! OpenLDAP: the server `slapd`.
//!
//! ## What it reads
//! `slapd.conf` with what it includes, and the entry `cn=config` of the folder that replaces it, by
//! the rules of OpenLDAP 2.6.
//! ## What it cannot see
//! Where it listens: the command line says that.

use std::collections::BTreeMap;
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{numbered, words};
use crate::sources::Sources;
use crate::tell::{self, Found, Kind, Tell};
use crate::versions::{Version, between};

pub(super) const PROGRAM: Program = Program {
    name: "OpenLDAP",
    recognise: |name, _| matches!(name, "slapd.conf" | "cn=config.ldif"),
    read,
};

/// Directives that are kept.
const SETTINGS: &[&str] = &[
    "TLSCACertificatePath",
    "TLSCRLCheck",
    "TLSCRLFile",
    "TLSDHParamFile",
    "TLSECName",
    "TLSProtocolMin",
    "TLSRandFile",
    "TLSVerifyClient",
];

/// Directives of files.
const FILES: &[(&str, Kind)] = &[
    ("TLSCACertificateFile", Kind::Trust),
    ("TLSCertificateFile", Kind::Certificate),
    ("TLSCertificateKeyFile", Kind::Key),
];

struct Reading<'f> {
    sources: Sources<'f>,
    /// By the name in small letters, with the line.
    values: BTreeMap<String, (u32, String)>,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        values: BTreeMap::new(),
        unresolved: Vec::new(),
    };
    if path.extension().is_some_and(|end| end == "ldif") {
        reading.entry(text);
    } else {
        reading.file(text);
    }
    let mut found = Found::default();
    if let Some(line) = reading.values.values().map(|(line, _)| *line).min() {
        found.push(reading.configuration(line));
    }
    let notes = if reading.values.is_empty() { &[][..] } else { &reading.unresolved };
    found.with(PROGRAM.name, notes)
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        for (line, text) in numbered(text) {
            let words = words(text);
            let [name, value, ..] = words.as_slice() else { continue };
            if !name.eq_ignore_ascii_case("include") {
                self.value(line, name, value);
                continue;
            }
            match self.sources.enter(Path::new(value)) {
                Ok(text) => {
                    self.file(&text);
                    self.sources.leave();
                }
                Err(why) => tell::add(&mut self.unresolved, why),
            }
        }
    }

    /// LDIF (RFC 2849): a line that begins with a space goes on with the one before.
    fn entry(&mut self, text: &str) {
        let mut lines: Vec<(u32, String)> = Vec::new();
        for (line, text) in numbered(text) {
            match (text.strip_prefix(' '), lines.last_mut()) {
                (Some(more), Some((_, last))) => last.push_str(more),
                _ => lines.push((line, text.to_owned())),
            }
        }
        for (line, text) in lines {
            // What is in base64 is no path and no word.
            if let Some((name, value)) = text.split_once(": ")
                && let Some(name) = name.strip_prefix("olc")
            {
                self.value(line, name, value.trim());
            }
        }
    }

    fn value(&mut self, line: u32, name: &str, value: &str) {
        let known = SETTINGS.iter().chain(FILES.iter().map(|(known, _)| known));
        if { known }.any(|known| known.eq_ignore_ascii_case(name))
            || name.eq_ignore_ascii_case("TLSCipherSuite")
        {
            self.values.insert(name.to_ascii_lowercase(), (line, tell::clipped(value)));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&name.to_ascii_lowercase()).map(|(_, value)| value.as_str())
    }

    fn configuration(&self, line: u32) -> Configuration {
        let mut made = Configuration::of(PROGRAM.name, None, line);
        for name in SETTINGS {
            if let Some(value) = self.get(name) {
                made.setting(name, value);
            }
        }
        for (name, kind) in FILES {
            if let Some(path) = self.get(name) {
                made.absolute(*kind, name, path);
            }
        }
        if let Some(suites) = self.get("TLSCipherSuite") {
            made.suites(suites);
        }
        // Numbers as in the record layer: 3.1 is TLS 1.0.
        let lowest = match self.get("TLSProtocolMin") {
            Some("3.0") => Some(Version::Ssl3),
            Some("3.1") => Some(Version::Tls10),
            Some("3.2") => Some(Version::Tls11),
            Some("3.3") => Some(Version::Tls12),
            Some("3.4") => Some(Version::Tls13),
            _ => None,
        };
        if let Some(lowest) = lowest {
            made.versions(&between(lowest, Version::Tls13));
        }
        made
    }
}
