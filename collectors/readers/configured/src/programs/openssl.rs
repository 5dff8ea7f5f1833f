//! OpenSSL: what `openssl.cnf` sets for every program that loads it, and the CAs it describes.
//!
//! ## What it reads
//! The sections that `openssl_conf` leads to, and the sections of `openssl ca`, by the rules of
//! OpenSSL 3.0 (`config(5)`).
//! ## What it cannot see
//! Which programs load this file, and where a command is started that finds relative paths.

use std::collections::BTreeMap;
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{joined_by_backslash, key_and_value, unquoted};
use crate::sources::{At, Sources, resolved};
use crate::tell::{self, Found, Kind, Tell};
use crate::variables::{self, Syntax};
use crate::versions::{self, Bare, Version, Versions, between};

pub(super) const PROGRAM: Program = Program {
    name: "OpenSSL",
    recognise: |name, _| name.starts_with("openssl") && name.ends_with(".cnf"),
    read,
};

/// What is kept of a CA.
const OF_A_CA: &[&str] = &[
    "copy_extensions",
    "crl_extensions",
    "database",
    "default_crl_days",
    "default_crl_hours",
    "default_days",
    "default_enddate",
    "default_md",
    "email_in_dn",
    "policy",
    "preserve",
    "rand_serial",
    "unique_subject",
    "x509_extensions",
];

/// What is kept of the defaults of TLS, besides versions and suites.
const OF_TLS: &[&str] = &[
    "CipherString",
    "Ciphersuites",
    "ClientSignatureAlgorithms",
    "Curves",
    "DHParameters",
    "Groups",
    "MinProtocol",
    "MaxProtocol",
    "Options",
    "Protocol",
    "SignatureAlgorithms",
    "VerifyMode",
];

/// How many sections and values are kept, how long a value gets, and how deep sections lead.
const SECTIONS: usize = 4_000;
const VALUES: usize = 20_000;

/// The section of what stands before any section.
const DEFAULT: &str = "default";

struct Section {
    at: At,
    values: BTreeMap<String, String>,
}

struct Reading<'f> {
    sources: Sources<'f>,
    sections: BTreeMap<String, Section>,
    current: String,
    kept: usize,
    /// Where relative includes begin, once a pragma says it.
    include_folder: Option<String>,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        sections: BTreeMap::new(),
        current: DEFAULT.to_owned(),
        kept: 0,
        include_folder: None,
        unresolved: Vec::new(),
    };
    reading.enter_section(DEFAULT, 1);
    reading.file(text);
    let mut found = Found::default();
    reading.library(&mut found);
    reading.authorities(&mut found);
    found.with(PROGRAM.name, &reading.unresolved)
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        for (line, text) in joined_by_backslash(text) {
            let text = without_comment(&text).trim();
            if let Some(rest) = text.strip_prefix(".include") {
                let written = rest.trim_start().trim_start_matches('=').trim();
                let written = self.expanded(unquoted(written));
                self.include(&written);
            } else if let Some(pragma) = text.strip_prefix(".pragma") {
                let pragma = pragma.trim_start().trim_start_matches('=').trim();
                if let Some(folder) = pragma.strip_prefix("includedir:") {
                    self.include_folder = Some(folder.trim().to_owned());
                }
            } else if let Some(name) = text.strip_prefix('[') {
                let name = name.split(']').next().unwrap_or(name).trim().to_owned();
                self.enter_section(&name, line);
            } else if let Some((name, value)) = key_and_value(text) {
                self.value(name, value);
            }
        }
    }

    fn enter_section(&mut self, name: &str, line: u32) {
        let name = tell::clipped(name);
        if self.sections.len() < SECTIONS || self.sections.contains_key(&name) {
            let at = self.sources.at(line);
            let section = || Section { at, values: BTreeMap::new() };
            self.sections.entry(name.clone()).or_insert_with(section);
            self.current = name;
        }
    }

    fn value(&mut self, name: &str, value: &str) {
        // `section::name = value` sets it elsewhere.
        let (section, name) = match name.split_once("::") {
            Some((section, name)) => (section.to_owned(), name),
            None => (self.current.clone(), name),
        };
        let value = self.expanded(unquoted(value));
        self.kept += 1;
        if self.kept <= VALUES
            && let Some(section) = self.sections.get_mut(&section)
        {
            section.values.insert(tell::clipped(name), value);
        }
    }

    /// `$name`, `${name}`, `$(name)` and `$section::name`, as they are at this line.
    fn expanded(&self, written: &str) -> String {
        let syntax = Syntax { bare: true, sections: true, round: true, doubled: false };
        variables::expanded(written, syntax, |name| self.variable(name).map(Into::into))
    }

    fn variable(&self, name: &str) -> Option<&String> {
        let value = |section: &str, name: &str| self.sections.get(section)?.values.get(name);
        match name.split_once("::") {
            Some((section, name)) => value(section, name),
            None => value(&self.current, name).or_else(|| value(DEFAULT, name)),
        }
    }

    fn include(&mut self, written: &str) {
        let base = match &self.include_folder {
            Some(folder) => folder.clone(),
            None if written.starts_with('/') => "/".to_owned(),
            // It begins where the program was started, or where its environment says.
            None => return tell::add(&mut self.unresolved, format!(".include {written}")),
        };
        let path = resolved(Path::new(&base), written);
        // A folder stands for its files `*.cnf` and `*.conf`.
        let mut paths = self.sources.inside(&path, "*.cnf");
        paths.extend(self.sources.inside(&path, "*.conf"));
        paths.sort();
        if paths.is_empty() {
            paths.push(path);
        }
        for path in paths {
            match self.sources.enter(&path) {
                Ok(text) => {
                    self.file(&text);
                    self.sources.leave();
                }
                Err(why) => tell::add(&mut self.unresolved, why),
            }
        }
    }

    fn get(&self, section: &str, name: &str) -> Option<&String> {
        self.sections.get(section)?.values.get(name)
    }

    /// What every program gets that loads the library with this file.
    fn library(&self, found: &mut Found) {
        let Some(init) = self.get(DEFAULT, "openssl_conf") else { return };
        let tls = self.get(init, "ssl_conf").and_then(|name| self.sections.get(name));
        let mut whole = Configuration::of(PROGRAM.name, None, 1);
        if let Some(section) = self.sections.get(init) {
            whole = tell::part(PROGRAM.name, "", "", &section.at, &self.sources);
        }
        self.providers(&mut whole, init);
        for (name, section) in tls.iter().flat_map(|section| &section.values) {
            let Some(section) = self.sections.get(section) else {
                whole.unresolved(&format!("section {section}"));
                continue;
            };
            if name == "system_default" {
                defaults(&mut whole, section);
            } else if !found.is_full() {
                let mut made =
                    tell::part(PROGRAM.name, "ssl_conf", name, &section.at, &self.sources);
                defaults(&mut made, section);
                found.push(made);
            }
        }
        if whole != Configuration::of(PROGRAM.name, whole.part.clone(), whole.line) {
            found.push(whole);
        }
    }

    fn providers(&self, whole: &mut Configuration, init: &str) {
        let providers = self.get(init, "providers").and_then(|name| self.sections.get(name));
        for (name, section) in providers.iter().flat_map(|section| &section.values) {
            let active = self.get(section, "activate").is_some_and(|value| {
                // OpenSSL 3.0 took every value for yes; since 3.2 these are no.
                !matches!(value.to_ascii_lowercase().as_str(), "0" | "no" | "off" | "false")
            });
            if active {
                whole.further("providers", name);
            }
        }
        let algorithms = self.get(init, "alg_section");
        for name in ["default_properties", "fips_mode"] {
            if let Some(value) = algorithms.and_then(|section| self.get(section, name)) {
                whole.setting(name, value);
            }
        }
    }

    /// The sections of `openssl ca`: the usual one, and those of the same shape.
    fn authorities(&self, found: &mut Found) {
        let usual = self.get("ca", "default_ca");
        for (name, section) in &self.sections {
            let has = |key: &str| section.values.contains_key(key);
            let is_one =
                has("private_key") && has("certificate") && (has("database") || has("policy"));
            if found.is_full() || !is_one && usual != Some(name) {
                continue;
            }
            let mut made = tell::part(PROGRAM.name, "ca", name, &section.at, &self.sources);
            for key in OF_A_CA {
                if let Some(value) = section.values.get(*key) {
                    made.setting(key, value);
                }
            }
            for (key, kind) in [("certificate", Kind::Certificate), ("private_key", Kind::Key)] {
                if let Some(path) = section.values.get(key) {
                    // A relative one begins where the command is started.
                    made.absolute(kind, key, path);
                }
            }
            found.push(made);
        }
    }
}

/// Commands of `SSL_CONF_cmd(3)`; what is before a dot in a name only tells names apart.
fn defaults(made: &mut Configuration, section: &Section) {
    let mut bounds = (None, None);
    let mut enabled: Option<Versions> = None;
    for (written, value) in &section.values {
        let (prefix, name) = written.split_once('.').unwrap_or(("", written));
        if prefix.eq_ignore_ascii_case("DTLS") || value.starts_with("DTLS") {
            continue;
        }
        let Some(name) = OF_TLS.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            continue;
        };
        // `None` as a bound leaves it to the library.
        match *name {
            "MinProtocol" => bounds.0 = Some(Version::read(value).unwrap_or(Version::Tls10)),
            "MaxProtocol" => bounds.1 = Some(Version::read(value).unwrap_or(Version::Tls13)),
            "Protocol" => enabled = Some(protocols(value)),
            "CipherString" => made.suites(value),
            name => made.setting(name, value),
        }
    }
    if bounds != (None, None) || enabled.is_some() {
        // Lower than TLS 1.0 is not built in since OpenSSL 1.1.0 unless asked for.
        let lowest = bounds.0.unwrap_or(Version::Tls10);
        let mut versions = between(lowest, bounds.1.unwrap_or(Version::Tls13));
        if let Some(enabled) = enabled {
            versions.retain(|version| enabled.contains(version));
        }
        made.versions(&versions);
    }
}

/// `Protocol = ALL, -TLSv1`.
fn protocols(written: &str) -> Versions {
    let words = written.split([',', ' ']).filter(|word| !word.is_empty());
    versions::signed(words, Versions::new(), Bare::Adds)
}

/// A `#` begins a comment anywhere outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (index, letter) in line.char_indices() {
        match (letter, quote) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            ('"' | '\'', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            ('#', None) => return &line[..index],
            _ => {}
        }
    }
    line
}
