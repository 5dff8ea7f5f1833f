//! HAProxy: each `bind` with TLS of a frontend.
//!
//! ## What it reads
//! `haproxy.cfg`, by the rules of HAProxy 2.2 to 3.1, with the lists of `crt-list`. A file of `crt`
//! holds certificate and key together.
//! ## What it cannot see
//! Variables of the environment it is started with, and other files that the command line names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{numbered, words};
use crate::sources::{Sources, folder, resolved};
use crate::tell::{self, Found, Kind, Tell};
use crate::variables::{self, Syntax};
use crate::versions::{Version, Versions, between};

pub(super) const PROGRAM: Program =
    Program { name: "HAProxy", recognise: |name, _| name == "haproxy.cfg", read };

/// Words of a `bind` line that are followed by a value and are kept.
const WITH_VALUE: &[&str] = &[
    "alpn",
    "ca-verify-file",
    "ciphersuites",
    "client-sigalgs",
    "crl-file",
    "curves",
    "ecdhe",
    "sigalgs",
    "verify",
];

/// Words of a `bind` line that stand alone and are kept.
const ALONE: &[&str] = &["allow-0rtt", "no-tls-tickets", "prefer-client-ciphers", "strict-sni"];

/// The other words with values, so that a value is not taken for a word.
const OTHER_VALUES: &[&str] = &[
    "accept-netscaler-cip",
    "backlog",
    "crt-ignore-err",
    "ca-ignore-err",
    "gid",
    "group",
    "id",
    "interface",
    "level",
    "maxconn",
    "mode",
    "mss",
    "name",
    "namespace",
    "nbconn",
    "nice",
    "npn",
    "ocsp-update",
    "proto",
    "severity-output",
    "shards",
    "tcp-ut",
    "thread",
    "tls-ticket-keys",
    "uid",
    "user",
    "ca-sign-file",
    "ca-sign-pass",
    "default-crt",
    "process",
    "tfo",
    "tls-tickets",
];

/// How many lines of lists of certificates are read for one main file: many listeners may name one.
const LISTED: usize = 20_000;

/// How many variables `global` may set.
const VARIABLES: usize = 256;

/// What `global` says for all.
#[derive(Default)]
struct Global {
    options: Vec<String>,
    values: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        global: Global::default(),
        section: (String::new(), String::new()),
        found: Found::default(),
        left: LISTED,
    };
    // `global` counts wherever it stands.
    for round in [Round::Global, Round::Binds] {
        for (line, text) in numbered(text) {
            let written = words(text);
            reading.line(round, line, &written);
        }
    }
    reading.found.with(PROGRAM.name, &[])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Global,
    Binds,
}

struct Reading<'f> {
    sources: Sources<'f>,
    global: Global,
    /// Its kind and name.
    section: (String, String),
    found: Found,
    /// How many more lines of lists are read.
    left: usize,
}

/// The versions a `bind` line, a list or `global` allows.
#[derive(Default, Clone)]
struct Bounds {
    lowest: Option<Version>,
    highest: Option<Version>,
    not: Versions,
}

impl Reading<'_> {
    fn line(&mut self, round: Round, line: u32, written: &[String]) {
        let Some((name, values)) = written.split_first() else { return };
        let sections = [
            "backend",
            "cache",
            "crt-store",
            "defaults",
            "frontend",
            "global",
            "http-errors",
            "listen",
            "log-forward",
            "mailers",
            "peers",
            "program",
            "resolvers",
            "ring",
            "traces",
            "userlist",
        ];
        if sections.contains(&name.as_str()) {
            self.section = (name.clone(), values.first().cloned().unwrap_or_default());
        } else if self.section.0 == "global" && round == Round::Global {
            self.global_line(name, values);
        } else if name == "bind" && round == Round::Binds && !self.found.is_full() {
            let values: Vec<String> = values.iter().map(|value| self.expanded(value)).collect();
            if alone(&values).any(|word| word == "ssl") {
                self.bind(line, &values);
            }
        }
    }

    fn global_line(&mut self, name: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|value| self.expanded(value)).collect();
        match name {
            "ssl-default-bind-options" => self.global.options = values,
            "setenv" | "presetenv" => {
                if let [name, value, ..] = values.as_slice()
                    && self.global.environment.len() < VARIABLES
                {
                    self.global.environment.insert(tell::clipped(name), tell::clipped(value));
                }
            }
            "ca-base"
            | "crt-base"
            | "key-base"
            | "ssl-default-bind-ciphers"
            | "ssl-default-bind-ciphersuites"
            | "ssl-default-bind-curves"
            | "ssl-default-bind-sigalgs"
            | "ssl-dh-param-file"
            | "ssl-server-verify"
            | "tune.ssl.default-dh-param"
            | "ssl-load-extra-files" => {
                self.global.values.insert(name.to_owned(), values.join(" "));
            }
            _ => {}
        }
    }

    /// Variables of the environment, where `global` sets them.
    fn expanded(&self, written: &str) -> String {
        let set = |name: &str| self.global.environment.get(name).map(Into::into);
        variables::expanded(written, Syntax::default(), set)
    }

    fn bind(&mut self, line: u32, values: &[String]) {
        let Some((place, options)) = values.split_first() else { return };
        let (kind, name) = &self.section;
        let name = format!("{name} bind {place}");
        let at = self.sources.at(line);
        let mut made = tell::part(PROGRAM.name, kind, &name, &at, &self.sources);
        listens(&mut made, place);

        let mut bounds = Bounds::default();
        self.options(&mut made, &mut bounds, options);
        let mut usual = Bounds::default();
        usual.options(&self.global.options);
        if let Some(enabled) = bounds.or(&usual).versions() {
            made.versions(&enabled);
        }
        self.usual(&mut made);
        self.found.push(made);
    }

    fn options(&mut self, made: &mut Configuration, bounds: &mut Bounds, options: &[String]) {
        bounds.options(options);
        let mut options = options.iter();
        while let Some(name) = options.next() {
            let name = name.as_str();
            match name {
                "crt" | "ca-file" | "crt-list" | "ciphers" => {
                    let Some(value) = options.next() else { return };
                    match name {
                        "crt-list" if value.contains('$') => {
                            made.unresolved(&format!("{name} {value}"));
                        }
                        "crt" => self.crt(made, value),
                        "crt-list" => self.list(made, bounds, value),
                        "ca-file" if value.starts_with('@') => made.setting(name, value),
                        "ca-file" => made.file(Kind::Trust, name, &self.base("ca-base"), value),
                        _ => made.suites(value),
                    }
                }
                _ if WITH_VALUE.contains(&name) => {
                    options.next().into_iter().for_each(|value| made.setting(name, value));
                }
                _ if ALONE.contains(&name) => made.setting(name, "on"),
                _ if OTHER_VALUES.contains(&name) => drop(options.next()),
                _ => {}
            }
        }
    }

    /// A file of certificate and key, or a folder of such files.
    fn crt(&self, made: &mut Configuration, written: &str) {
        let base = self.base("crt-base");
        if tell::elsewhere(written) || written.contains('$') {
            return made.file(Kind::Both, "crt", &base, written);
        }
        let path = resolved(&base, written);
        let inside = self.sources.inside(&path, "*");
        let list = if inside.is_empty() { vec![path] } else { inside };
        for path in list {
            let text = path.to_string_lossy().into_owned();
            if let Some("issuer" | "ocsp" | "sctl" | "key") = extension(&path) {
                continue;
            }
            made.file(Kind::Certificate, "crt", &base, &text);
            // `ssl-load-extra-files`: a key may be in a file beside.
            let beside = format!("{text}.key");
            let is_there = beside.len() < 4096
                && !beside.contains(['*', '?', '['])
                && !self.sources.inside(folder(&path), &name_of(&beside)).is_empty();
            made.file(Kind::Key, "crt", &base, if is_there { &beside } else { &text });
        }
    }

    /// A list of certificates, each with options of its own and the names it is for.
    fn list(&mut self, made: &mut Configuration, bounds: &mut Bounds, written: &str) {
        let base = self.base("crt-base");
        let path = resolved(&base, written);
        let text = match self.sources.enter(&path) {
            Ok(text) => text,
            Err(why) => return made.unresolved(&why),
        };
        self.sources.leave();
        for (_, line) in numbered(&text) {
            let Some(left) = self.left.checked_sub(1) else {
                return made.unresolved(&format!("{} is longer than is read", path.display()));
            };
            self.left = left;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (before, rest) = line.split_once('[').unwrap_or((line, ""));
            let (options, names) = rest.split_once(']').unwrap_or(("", rest));
            let mut written = before.split_whitespace();
            let Some(file) = written.next() else { continue };
            self.crt(made, file);
            for name in written.chain(names.split_whitespace()) {
                if !name.starts_with('!') && name != "*" {
                    made.server_name(name);
                }
            }
            if !options.is_empty() {
                // One line speaks for its certificate, not for the whole of the listener. A
                // password has no place in it and is left out all the same.
                let (told, _) = options.split_once("ca-sign-pass").unwrap_or((options, ""));
                made.further("crt-list", &format!("{file} [{}]", told.trim_end()));
                let mut own = Bounds::default();
                own.options(&words(options));
                bounds.widen(&own);
            }
        }
    }

    /// What `global` says where the line says nothing.
    fn usual(&self, made: &mut Configuration) {
        let value = |name: &str| self.global.values.get(name);
        if let (None, Some(ciphers)) = (&made.suites, value("ssl-default-bind-ciphers")) {
            made.suites(ciphers);
        }
        for (global, own) in [
            ("ssl-default-bind-ciphersuites", "ciphersuites"),
            ("ssl-default-bind-curves", "curves"),
            ("ssl-default-bind-sigalgs", "sigalgs"),
            ("ssl-dh-param-file", "ssl-dh-param-file"),
            ("tune.ssl.default-dh-param", "tune.ssl.default-dh-param"),
        ] {
            if let (false, Some(written)) = (made.settings.contains_key(own), value(global)) {
                made.setting(own, written);
            }
        }
        for option in self.global.options.iter().filter(|word| ALONE.contains(&word.as_str())) {
            made.setting(option, "on");
        }
    }

    fn base(&self, name: &str) -> PathBuf {
        let near = folder(self.sources.main());
        self.global.values.get(name).map_or(near.to_owned(), |written| resolved(near, written))
    }
}

impl Bounds {
    fn options(&mut self, options: &[String]) {
        for (index, word) in options.iter().enumerate() {
            let next = || options.get(index + 1).and_then(|word| Version::read(word));
            match word.as_str() {
                "ssl-min-ver" => self.lowest = next().or(self.lowest),
                "ssl-max-ver" => self.highest = next().or(self.highest),
                word => {
                    if let Some(version) = word.strip_prefix("no-").and_then(Version::read) {
                        self.not.insert(version);
                    }
                    if let Some(version) = word.strip_prefix("force-").and_then(Version::read) {
                        (self.lowest, self.highest) = (Some(version), Some(version));
                    }
                }
            }
        }
    }

    /// These bounds, and where they leave it open, the usual ones.
    fn or(&self, usual: &Self) -> Self {
        Self {
            lowest: self.lowest.or(usual.lowest),
            highest: self.highest.or(usual.highest),
            not: self.not.union(&usual.not).copied().collect(),
        }
    }

    /// Takes in what one certificate of a list allows more.
    fn widen(&mut self, own: &Self) {
        self.lowest = match (self.lowest, own.lowest) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other.filter(|version| *version < Version::Tls12)),
        };
    }

    /// `no-…` is set aside where a bound is given, and the lowest is TLS 1.2 where none is
    /// (HAProxy since 2.2).
    fn versions(&self) -> Option<Versions> {
        if self.lowest.is_none() && self.highest.is_none() && self.not.is_empty() {
            return None;
        }
        let highest = self.highest.unwrap_or(Version::Tls13);
        let lowest = self.lowest.unwrap_or_else(|| Version::Tls12.min(highest));
        let mut enabled = between(lowest, highest);
        if self.lowest.is_none() && self.highest.is_none() {
            enabled.retain(|version| !self.not.contains(version));
        }
        Some(enabled)
    }
}

/// The words that are no value of the word before.
fn alone(options: &[String]) -> impl Iterator<Item = &str> {
    let mut value = false;
    options.iter().map(String::as_str).filter(move |word| {
        let is_value = std::mem::take(&mut value);
        value = !is_value
            && (WITH_VALUE.contains(word)
                || OTHER_VALUES.contains(word)
                || matches!(*word, "crt" | "ca-file" | "crt-list" | "ciphers"));
        !is_value
    })
}

fn listens(made: &mut Configuration, places: &str) {
    for place in places.split(',') {
        let bare = ["ipv4@", "ipv6@", "tcp4@", "tcp6@", "tcp@"]
            .iter()
            .find_map(|prefix| place.strip_prefix(prefix))
            .unwrap_or(place);
        let (host, ports) = bare.rsplit_once(':').unwrap_or((bare, ""));
        // Sockets, descriptors and QUIC are not TCP.
        if bare.contains(['@', '/']) {
            made.further("bind", place);
            continue;
        }
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        match (first.parse::<u16>(), last.parse::<u16>()) {
            (Ok(first), Ok(last)) if first <= last && last - first < 256 => {
                (first..=last).for_each(|port| made.listens(tell::address(host), port, None));
            }
            _ => made.unresolved(&format!("bind {place}")),
        }
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|end| end.to_str())
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
