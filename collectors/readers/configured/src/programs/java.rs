//! Java: the algorithms the platform refuses.
//!
//! ## What it reads
//! `java.security` with what it includes (JDK 24 and later). The versions are those of the JDK from
//! SSL 3.0 to TLS 1.3 that `jdk.tls.disabledAlgorithms` does not name.
//! ## What it cannot see
//! Properties on a command line, which may add to this file or replace it.

use std::collections::BTreeMap;
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::numbered;
use crate::sources::{Sources, folder, resolved};
use crate::tell::{self, Found, Tell};
use crate::versions::{Version, between};

pub(super) const PROGRAM: Program =
    Program { name: "Java", recognise: |name, _| name == "java.security", read };

/// What is kept, of the some dozens of properties.
const SETTINGS: &[&str] = &[
    "crypto.policy",
    "jdk.certpath.disabledAlgorithms",
    "jdk.disabled.namedCurves",
    "jdk.jar.disabledAlgorithms",
    "jdk.security.legacyAlgorithms",
    "jdk.tls.disabledAlgorithms",
    "jdk.tls.legacyAlgorithms",
    "keystore.type",
    "ocsp.enable",
    "securerandom.drbg.config",
    "securerandom.source",
    "securerandom.strongAlgorithms",
    "security.provider.1",
    "security.provider.2",
];

/// How many properties are kept.
const KEPT: usize = 1_000;

struct Reading<'f> {
    sources: Sources<'f>,
    properties: BTreeMap<String, String>,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        properties: BTreeMap::new(),
        unresolved: Vec::new(),
    };
    reading.file(text);
    let mut made = Configuration::of(PROGRAM.name, None, 1);
    for name in SETTINGS {
        if let Some(value) = reading.properties.get(*name).filter(|value| !value.is_empty()) {
            made.setting(name, value);
        }
    }
    if let Some(disabled) = reading.properties.get("jdk.tls.disabledAlgorithms") {
        let mut enabled = between(Version::Ssl3, Version::Tls13);
        for word in disabled.split(',') {
            Version::read(word.trim()).into_iter().for_each(|version| {
                enabled.remove(&version);
            });
        }
        made.versions(&enabled);
    }
    let mut found = Found::default();
    if !made.settings.is_empty() {
        found.push(made);
    }
    found.with(PROGRAM.name, &reading.unresolved)
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        for line in logical(text) {
            let end =
                line.find(|letter: char| matches!(letter, '=' | ':') || letter.is_whitespace());
            let (name, rest) = line.split_at(end.unwrap_or(line.len()));
            let rest = rest.trim_start();
            let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
            if name == "include" {
                self.include(value);
            } else if self.properties.len() < KEPT || self.properties.contains_key(name) {
                self.properties.insert(tell::clipped(name), tell::clipped(value));
            }
        }
    }

    fn include(&mut self, written: &str) {
        if written.contains("${") {
            return tell::add(&mut self.unresolved, format!("include {written}"));
        }
        let path = resolved(folder(self.sources.current()), written);
        match self.sources.enter(&path) {
            Ok(text) => {
                self.file(&text);
                self.sources.leave();
            }
            Err(why) => tell::add(&mut self.unresolved, why),
        }
    }
}

/// Lines as `java.util.Properties` joins them: the spaces before what goes on are none of it, and a
/// comment never goes on.
fn logical(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (_, line) in numbered(text) {
        let line = line.trim_start();
        if !goes_on && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let more = (line.len() - line.trim_end_matches('\\').len()) % 2 == 1;
        let line = if more { &line[..line.len() - 1] } else { line };
        match lines.last_mut() {
            Some(last) if goes_on => last.push_str(line),
            _ => lines.push(line.to_owned()),
        }
        goes_on = more;
    }
    lines
}
