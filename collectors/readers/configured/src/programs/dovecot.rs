//! Dovecot: its servers, and what it says for single names, addresses and protocols.
//!
//! ## What it reads
//! `dovecot.conf` with what it includes, in the words of Dovecot 2.3 and 2.4. A value `<path` is
//! the file; what stands in place of it is not kept.
//! ## What it cannot see
//! Services of other programs that use its settings, and files of passwords.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{joined_by_backslash, key_and_value, unquoted, words};
use crate::sources::{At, Sources, folder, resolved};
use crate::tell::{self, CONFIGURATIONS, Found, Kind, Tell};
use crate::versions::{self, Bare, Version, Versions, between};

pub(super) const PROGRAM: Program =
    Program { name: "Dovecot", recognise: |name, _| name == "dovecot.conf", read };

/// Settings of cryptography that are kept. Those of keys with a password in place are not.
const SETTINGS: &[&str] = &[
    "auth_ssl_require_client_cert",
    "disable_plaintext_auth",
    "ssl",
    "ssl_cipher_suites",
    "ssl_client_ca_dir",
    "ssl_client_ca_file",
    "ssl_client_require_valid_cert",
    "ssl_curve_list",
    "ssl_dh",
    "ssl_min_protocol",
    "ssl_options",
    "ssl_prefer_server_ciphers",
    "ssl_protocols",
    "ssl_require_crl",
    "ssl_server_dh_file",
    "ssl_server_prefer_ciphers",
    "ssl_server_request_client_cert",
    "ssl_verify_client_cert",
];

/// Names of files of certificates, of keys and of what is trusted, in 2.3 and in 2.4.
const CERTIFICATES: &[&str] = &[
    "ssl_alt_cert",
    "ssl_cert",
    "ssl_cert_file",
    "ssl_server_alt_cert_file",
    "ssl_server_cert_file",
];
const KEYS: &[&str] =
    &["ssl_alt_key", "ssl_key", "ssl_key_file", "ssl_server_alt_key_file", "ssl_server_key_file"];
const TRUSTS: &[&str] = &["ssl_ca", "ssl_ca_file", "ssl_server_ca_file"];

/// What listens unless a setting says otherwise: service, listener, protocol that turns it on, port,
/// and what changes to TLS.
const LISTENERS: &[(&str, &str, &str, u16, Option<&str>)] = &[
    ("imap-login", "imap", "imap", 143, Some("imap")),
    ("imap-login", "imaps", "imap", 993, None),
    ("managesieve-login", "sieve", "sieve", 4190, Some("sieve")),
    ("pop3-login", "pop3", "pop3", 110, Some("pop3")),
    ("pop3-login", "pop3s", "pop3", 995, None),
    ("submission-login", "submission", "submission", 587, Some("smtp")),
    ("submission-login", "submissions", "submission", 465, None),
];

/// How many values and blocks are kept, and how deep blocks go.
const KEPT: usize = 4_000;
const DEPTH: usize = 64;

/// Settings with the folder of the file they are in.
type Values = BTreeMap<String, String>;

/// The whole, or a block for one name, address or protocol.
struct Block {
    written: String,
    at: At,
    values: Values,
    /// The block it is in; the whole is in itself.
    around: usize,
}

#[derive(Default, Clone)]
struct Listener {
    port: Option<u16>,
    tls: Option<bool>,
    addresses: Vec<String>,
}

struct Reading<'f> {
    sources: Sources<'f>,
    blocks: Vec<Block>,
    /// The blocks that are open, with the kind and name of each.
    open: Vec<(String, String)>,
    /// Which of `blocks` what is read belongs to.
    current: Vec<usize>,
    listeners: BTreeMap<(String, String), Listener>,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let sources = Sources::new(path, files);
    let whole =
        Block { written: String::new(), at: sources.at(1), values: Values::new(), around: 0 };
    let mut reading = Reading {
        sources,
        blocks: vec![whole],
        open: Vec::new(),
        current: vec![0],
        listeners: BTreeMap::new(),
        unresolved: Vec::new(),
    };
    reading.file(text);
    let mut found = Found::default();
    for index in 0..reading.blocks.len() {
        if found.is_full() {
            break;
        }
        reading.configuration(index).into_iter().for_each(|made| found.push(made));
    }
    found.with(PROGRAM.name, &reading.unresolved)
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        let depth = self.open.len();
        for (line, text) in joined_by_backslash(text) {
            let text = without_comment(&text);
            if let Some(rest) = text.strip_prefix('!') {
                let (kind, pattern) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if matches!(kind, "include" | "include_try") {
                    self.include(pattern.trim(), kind == "include");
                }
            } else if text == "}" {
                if self.open.len() > depth {
                    self.close();
                }
            } else if let Some(head) = text.strip_suffix('{') {
                self.open(line, head.trim());
            } else if let Some((name, value)) = key_and_value(text) {
                self.value(name, value);
            } else if let Some((head, inside)) = text.split_once('{') {
                // A block on one line, `name { key = value }`, holds nothing of ours but this.
                self.open(line, head.trim());
                let inside = inside.trim_end_matches('}').trim();
                if let Some((name, value)) = key_and_value(inside) {
                    self.value(name, value);
                }
                self.close();
            }
        }
        // Blocks end in the file they began in.
        while self.open.len() > depth {
            self.close();
        }
    }

    fn open(&mut self, line: u32, head: &str) {
        if self.open.len() >= DEPTH {
            return;
        }
        let head = words(head);
        let kind = head.first().cloned().unwrap_or_default();
        let name = head.get(1..).unwrap_or_default().join(" ");
        let mut current = *self.current.last().expect("the whole is never closed");
        if matches!(kind.as_str(), "local" | "local_name" | "protocol" | "remote")
            && self.blocks.len() < CONFIGURATIONS
        {
            let written = format!("{kind} {name}");
            let at = self.sources.at(line);
            self.blocks.push(Block { written, at, values: Values::new(), around: current });
            current = self.blocks.len() - 1;
        }
        self.open.push((kind, name));
        self.current.push(current);
    }

    fn close(&mut self) {
        if self.open.pop().is_some() {
            self.current.pop();
        }
    }

    fn value(&mut self, name: &str, value: &str) {
        let current = *self.current.last().expect("the whole is never closed");
        let open: Vec<&str> = self.open.iter().map(|(kind, _)| kind.as_str()).collect();
        if let ["service", "inet_listener"] = open[..] {
            let key = (self.open[0].1.clone(), self.open[1].1.clone());
            if self.listeners.len() < KEPT || self.listeners.contains_key(&key) {
                self.listeners.entry(key).or_default().says(name, unquoted(value));
            }
            return;
        }
        // 2.4 writes `ssl_server { cert_file = … }` as well as `ssl_server_cert_file`.
        let prefix: String = match self.open.last() {
            Some((kind, _)) if kind.starts_with("ssl") => format!("{kind}_"),
            Some((kind, _))
                if !matches!(kind.as_str(), "local" | "local_name" | "protocol" | "remote") =>
            {
                return;
            }
            _ => String::new(),
        };
        let name = prefix + name;
        let known =
            [SETTINGS, CERTIFICATES, KEYS, TRUSTS].iter().any(|list| list.contains(&&*name))
                || matches!(name.as_str(), "listen" | "protocols" | "ssl_cipher_list");
        if !known {
            return;
        }
        let values = &mut self.blocks[current].values;
        let before = values.get(&name).cloned().unwrap_or_default();
        let value = tell::clipped(unquoted(value)).replace(&format!("${name}"), &before);
        let value = match value.strip_prefix('<') {
            // A file; relative to the file that names it.
            Some(path) => {
                let base = folder(self.sources.current());
                format!("<{}", resolved(base, path.trim()).display())
            }
            None => value,
        };
        values.insert(name, tell::clipped(&value));
    }

    fn include(&mut self, written: &str, has_to_be: bool) {
        let pattern = resolved(folder(self.sources.current()), unquoted(written));
        for path in self.sources.matching(&pattern) {
            match self.sources.enter(&path) {
                Ok(text) => {
                    self.file(&text);
                    self.sources.leave();
                }
                Err(why) if has_to_be => tell::add(&mut self.unresolved, why),
                Err(_) => {}
            }
        }
    }

    fn get(&self, index: usize, name: &str) -> Option<&str> {
        let mut index = index;
        loop {
            let block = &self.blocks[index];
            match block.values.get(name) {
                Some(value) => return Some(value),
                // A block is behind the one it is in, so that this ends.
                None if index == 0 => return None,
                None => index = block.around,
            }
        }
    }

    fn configuration(&self, index: usize) -> Option<Configuration> {
        let block = &self.blocks[index];
        let of_tls = |name: &&String| name.contains("ssl");
        if index > 0 && !block.values.keys().any(|name| of_tls(&name)) {
            return None;
        }
        let mut made = tell::part(PROGRAM.name, &block.written, "", &block.at, &self.sources);
        for name in SETTINGS {
            if let Some(value) = self.get(index, name) {
                made.setting(name, value.trim_start_matches('<'));
            }
        }
        self.files(&mut made, index);
        if let Some(suites) = self.get(index, "ssl_cipher_list") {
            made.suites(suites);
        }
        self.versions(&mut made, index);
        let offers = self.get(index, "ssl") != Some("no") && !made.certificates.is_empty();
        let protocol = block.written.strip_prefix("protocol ");
        if offers {
            self.listens(&mut made, protocol);
        }
        if let Some(names) = block.written.strip_prefix("local_name ") {
            names.split_whitespace().for_each(|name| made.server_name(name));
        }
        let says_nothing = made == Configuration::of(PROGRAM.name, made.part.clone(), made.line);
        (!says_nothing).then_some(made)
    }

    fn files(&self, made: &mut Configuration, index: usize) {
        for (names, kind) in
            [(CERTIFICATES, Kind::Certificate), (KEYS, Kind::Key), (TRUSTS, Kind::Trust)]
        {
            for name in names {
                let Some(written) = self.get(index, name).filter(|value| !value.is_empty()) else {
                    continue;
                };
                let path = written.strip_prefix('<').or(name.ends_with("_file").then_some(written));
                match path {
                    Some(path) if !path.contains(['$', '%']) && !tell::elsewhere(path) => {
                        made.file(kind, name, Path::new("/etc/dovecot"), path);
                    }
                    // What is not a file may be the key itself.
                    _ => made.unresolved(&format!("{name} is not a file")),
                }
            }
        }
    }

    fn versions(&self, made: &mut Configuration, index: usize) {
        if let Some(lowest) = self.get(index, "ssl_min_protocol") {
            let lowest = match lowest {
                "ANY" => Version::Ssl3,
                "LATEST" => Version::Tls13,
                other => match Version::read(other) {
                    Some(version) => version,
                    None => return made.unresolved(&format!("ssl_min_protocol = {other}")),
                },
            };
            made.versions(&between(lowest, Version::Tls13));
        } else if let Some(written) = self.get(index, "ssl_protocols") {
            // Dovecot 2.2: names, or what is left without those with `!`; these count last.
            let (excluded, included): (Vec<_>, Vec<_>) =
                written.split_whitespace().partition(|word| word.starts_with('!'));
            let begin = match included.as_slice() {
                [] => between(Version::Ssl3, Version::Tls13),
                _ => Versions::new(),
            };
            let words = included.into_iter().chain(excluded);
            made.versions(&versions::signed(words, begin, Bare::Adds));
        }
    }

    fn listens(&self, made: &mut Configuration, protocol: Option<&str>) {
        let protocols = self.get(0, "protocols").unwrap_or("imap pop3 lmtp");
        let protocols: BTreeSet<&str> = protocols.split_whitespace().collect();
        let listen = self.get(0, "listen").unwrap_or("*");
        let usual: Vec<String> = apart(listen);
        let mut known = self.listeners.clone();
        for (service, listener, of, port, starttls) in LISTENERS {
            let key = ((*service).to_owned(), (*listener).to_owned());
            let said = known.remove(&key);
            let submissions = *listener == "submissions" && said.is_none();
            let wanted = protocol.is_none_or(|wanted| wanted == *of);
            if !protocols.contains(of) || !wanted || submissions {
                continue;
            }
            let said = said.unwrap_or_default();
            let tls = said.tls.unwrap_or(starttls.is_none());
            let inside = if tls { None } else { Some(starttls.unwrap_or(of)) };
            said.tell(made, &usual, *port, inside);
        }
        // Listeners that only these settings know.
        for ((service, _), said) in known {
            let named = LISTENERS.iter().find(|(known, ..)| *known == service);
            let (of, starttls) = match (named, service.as_str()) {
                (Some((_, _, of, _, starttls)), _) => (*of, *starttls),
                (None, "lmtp") => ("lmtp", Some("lmtp")),
                _ => continue,
            };
            if protocols.contains(of) && protocol.is_none_or(|wanted| wanted == of) {
                let inside = if said.tls == Some(true) { None } else { starttls };
                said.tell(made, &usual, 0, inside);
            }
        }
    }
}

impl Listener {
    fn says(&mut self, name: &str, value: &str) {
        match name {
            "port" => self.port = value.parse().ok(),
            "ssl" => self.tls = Some(value == "yes"),
            "address" | "listen" => self.addresses = apart(value),
            _ => {}
        }
    }

    /// Port 0 turns a listener off.
    fn tell(&self, made: &mut Configuration, usual: &[String], port: u16, inside: Option<&str>) {
        let port = self.port.unwrap_or(port);
        let addresses = if self.addresses.is_empty() { usual } else { &self.addresses };
        for address in addresses.iter().filter(|_| port != 0) {
            made.listens(tell::address(address), port, inside);
        }
    }
}

fn apart(list: &str) -> Vec<String> {
    list.split([',', ' ']).filter(|word| !word.is_empty()).take(64).map(str::to_owned).collect()
}

/// A line without what follows `#` at its start or after a space.
fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    line.find(" #").or_else(|| line.find("\t#")).map_or(line, |end| line[..end].trim_end())
}
