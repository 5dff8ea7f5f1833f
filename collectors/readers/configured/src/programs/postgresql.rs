//! PostgreSQL: the server.
//!
//! ## What it reads
//! `postgresql.conf` with what it includes, `postgresql.auto.conf` in the folder of the data, which
//! counts last, and which kinds of connection `pg_hba.conf` lets in, by the rules of PostgreSQL 17.
//! ## What it cannot see
//! What the command line says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::numbered;
use crate::sources::{Sources, folder, resolved};
use crate::tell::{self, Found, Kind, Tell};
use crate::versions::{Version, between};

pub(super) const PROGRAM: Program =
    Program { name: "PostgreSQL", recognise: |name, _| name == "postgresql.conf", read };

/// Settings of cryptography that are kept. `ssl_passphrase_command` may hold a passphrase.
const SETTINGS: &[&str] = &[
    "password_encryption",
    "ssl",
    "ssl_crl_dir",
    "ssl_crl_file",
    "ssl_dh_params_file",
    "ssl_ecdh_curve",
    "ssl_groups",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "ssl_prefer_server_ciphers",
    "ssl_tls13_ciphers",
];

/// How many settings are kept, and how many lines of `pg_hba.conf` are read.
const KEPT: usize = 4_000;

struct Reading<'f> {
    sources: Sources<'f>,
    values: BTreeMap<String, String>,
    unresolved: Vec<String>,
    /// Where the first setting of TLS is in the main file.
    line: Option<u32>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        values: BTreeMap::new(),
        unresolved: Vec::new(),
        line: None,
    };
    reading.file(text);
    let data = reading.values.get("data_directory").filter(|written| !written.is_empty());
    let data = data.map_or(folder(path).to_owned(), |written| resolved(folder(path), written));
    let last = data.join("postgresql.auto.conf");
    if let Ok(text) = reading.sources.enter(&last) {
        reading.file(&text);
        reading.sources.leave();
    }
    let mut found = Found::default();
    if reading.values.keys().any(|name| name.starts_with("ssl")) {
        found.push(reading.configuration(&data));
    }
    found.with(PROGRAM.name, &reading.unresolved)
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        for (line, text) in numbered(text) {
            let Some((name, value)) = statement(text) else { continue };
            match name.as_str() {
                "include" => self.include(&value, true),
                "include_if_exists" => self.include(&value, false),
                "include_dir" => {
                    let inside = resolved(folder(self.sources.current()), &value);
                    for path in self.sources.inside(&inside, "*.conf") {
                        self.follow(&path, true);
                    }
                }
                _ => {
                    if name.starts_with("ssl") && **self.sources.current() == *self.sources.main() {
                        self.line.get_or_insert(line);
                    }
                    if self.values.len() < KEPT || self.values.contains_key(&name) {
                        self.values.insert(name, value);
                    }
                }
            }
        }
    }

    fn include(&mut self, written: &str, has_to_be: bool) {
        let path = resolved(folder(self.sources.current()), written);
        self.follow(&path, has_to_be);
    }

    fn follow(&mut self, path: &Path, has_to_be: bool) {
        match self.sources.enter(path) {
            Ok(text) => {
                self.file(&text);
                self.sources.leave();
            }
            Err(why) if has_to_be => tell::add(&mut self.unresolved, why),
            Err(_) => {}
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn configuration(&mut self, data: &Path) -> Configuration {
        let mut made = Configuration::of(PROGRAM.name, None, self.line.unwrap_or(1));
        for name in SETTINGS {
            if let Some(value) = self.get(name) {
                made.setting(name, value);
            }
        }
        if let Some(suites) = self.get("ssl_ciphers") {
            made.suites(suites);
        }
        if self.get("ssl").is_some_and(is_on) {
            self.tls(&mut made, data);
        }
        self.connections(&mut made, data);
        made
    }

    fn tls(&self, made: &mut Configuration, data: &Path) {
        let port = self.get("port").and_then(|port| port.parse().ok()).unwrap_or(5432);
        let addresses = self.values.get("listen_addresses").map_or("localhost", String::as_str);
        for address in addresses.split(',').map(str::trim).filter(|address| !address.is_empty()) {
            made.listens(tell::address(address), port, Some("postgres"));
        }
        // Relative paths begin at the data, and these two have a name when none is said.
        for (name, usual, kind) in [
            ("ssl_cert_file", Some("server.crt"), Kind::Certificate),
            ("ssl_key_file", Some("server.key"), Kind::Key),
            ("ssl_ca_file", None, Kind::Trust),
        ] {
            if let Some(path) = self.get(name).or(usual) {
                made.file(kind, name, data, path);
            }
        }
        let bound = |name| self.values.get(name).map(|value| Version::read(value));
        let (lowest, highest) =
            (bound("ssl_min_protocol_version"), bound("ssl_max_protocol_version"));
        if lowest.is_some() || highest.is_some() {
            // PostgreSQL 13 and later begin at TLS 1.2; an empty maximum is none.
            let lowest = lowest.flatten().unwrap_or(Version::Tls12);
            made.versions(&between(lowest, highest.flatten().unwrap_or(Version::Tls13)));
        }
    }

    /// Which kinds of connection are let in, in `pg_hba.conf`.
    fn connections(&mut self, made: &mut Configuration, data: &Path) {
        let near = folder(self.sources.main()).join("pg_hba.conf");
        let path: PathBuf = self.get("hba_file").map_or(near, |written| resolved(data, written));
        let Ok(text) = self.sources.enter(&path) else { return };
        self.sources.leave();
        let mut kinds = BTreeSet::new();
        for (_, line) in numbered(&text) {
            let mut fields = line.split_whitespace();
            let Some(kind @ ("host" | "hostssl" | "hostnossl")) = fields.next() else { continue };
            let address = fields.nth(2).unwrap_or("");
            let local =
                address.starts_with("127.") || matches!(address, "::1/128" | "localhost" | "::1");
            kinds.insert(if local { format!("{kind} on loopback") } else { kind.to_owned() });
        }
        let kinds: Vec<String> = kinds.into_iter().collect();
        if !kinds.is_empty() {
            made.setting("pg_hba.conf", &kinds.join(", "));
        }
    }
}

/// A name in small letters and its value; `=` may stand between them.
fn statement(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '=')?;
    let name = line[..end].to_ascii_lowercase();
    if name.is_empty() || name.contains('#') {
        return None;
    }
    let rest = line[end..].trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let value = match rest.strip_prefix('\'') {
        Some(quoted) => quoted_value(quoted),
        None => {
            let ends = |letter: char| letter.is_whitespace() || letter == '#';
            rest[..rest.find(ends).unwrap_or(rest.len())].to_owned()
        }
    };
    Some((tell::clipped(&name), tell::clipped(&value)))
}

/// Up to the quote that ends it: two of them, or a backslash before one, stand for one.
fn quoted_value(text: &str) -> String {
    let mut value = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' if letters.next_if_eq(&'\'').is_some() => value.push('\''),
            '\'' => break,
            '\\' => value.extend(letters.next()),
            letter => value.push(letter),
        }
    }
    value
}

/// Words for yes, of which the beginning is enough.
fn is_on(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value == "1" || value == "on" || "true".starts_with(&value) || "yes".starts_with(&value)
}
