//! OpenSSH: the server `sshd` and the client `ssh`.
//!
//! ## What it reads
//! `sshd_config` and `ssh_config` with what they include, by the rules of OpenSSH 9.9: the first
//! value of a keyword counts, and relative includes begin at `/etc/ssh` (for a user at `~/.ssh`).
//! ## What it cannot see
//! What the command line says, and which client a `Match` will meet.

use std::collections::BTreeMap;
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{numbered, words};
use crate::sources::{At, Sources, folder, resolved};
use crate::tell::{self, CONFIGURATIONS, Found, Kind, Tell};

pub(super) const PROGRAM: Program = Program { name: "OpenSSH", recognise, read };

/// Keywords of cryptography, as they are spelled.
const SETTINGS: &[&str] = &[
    "CASignatureAlgorithms",
    "CheckHostIP",
    "Ciphers",
    "FingerprintHash",
    "GSSAPIKexAlgorithms",
    "GlobalKnownHostsFile",
    "HostKeyAgent",
    "HostKeyAlgorithms",
    "HostbasedAcceptedAlgorithms",
    "IdentityAgent",
    "KexAlgorithms",
    "KnownHostsCommand",
    "MACs",
    "ModuliFile",
    "PKCS11Provider",
    "Protocol",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAcceptedKeyTypes",
    "RekeyLimit",
    "RequiredRSASize",
    "RevokedHostKeys",
    "RevokedKeys",
    "StrictHostKeyChecking",
    "VerifyHostKeyDNS",
    "WarnWeakCrypto",
];

/// Keywords that name files: those of certificates, of keys and of what is trusted.
const CERTIFICATES: &[&str] = &["hostcertificate", "certificatefile"];
const KEYS: &[&str] = &["hostkey", "identityfile"];
const TRUSTS: &[&str] = &["trustedusercakeys"];

/// Where included files are looked for.
const FOLDER: &str = "/etc/ssh";

/// How many values of one keyword are kept.
const REPEATED: usize = 256;

fn recognise(name: &str, path: &Path) -> bool {
    match name {
        "sshd_config" | "ssh_config" => true,
        "config" => folder(path).ends_with(".ssh"),
        _ => false,
    }
}

/// The whole file, or a block `Host` or `Match`.
struct Block {
    written: String,
    at: At,
    /// By the keyword in small letters; the first one counts where only one may.
    values: BTreeMap<String, Vec<String>>,
    unresolved: Vec<String>,
}

struct Reading<'p> {
    base: &'p Path,
    blocks: Vec<Block>,
    current: usize,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let server = path.ends_with("sshd_config");
    let of_a_user = path.ends_with("config");
    let mut sources = Sources::new(path, files);
    let base = if of_a_user { folder(path) } else { Path::new(FOLDER) };
    let whole = Block::new(String::new(), sources.at(1));
    let mut reading = Reading { base, blocks: vec![whole], current: 0 };
    reading.file(&mut sources, text);

    let mut found = Found::default();
    for (index, block) in reading.blocks.iter().enumerate() {
        let configuration = block.configuration(if server { "sshd" } else { "ssh" }, &sources);
        let says_something = Configuration { part: None, line: 0, ..configuration.clone() }
            != Configuration::of(PROGRAM.name, None, 0);
        if found.is_full() {
            break;
        }
        if server && index == 0 {
            found.push(block.listening(configuration));
        } else if says_something {
            found.push(configuration);
        }
    }
    found.with(PROGRAM.name, &[])
}

impl Reading<'_> {
    fn file(&mut self, sources: &mut Sources<'_>, text: &str) {
        let outside = self.current;
        for (line, text) in numbered(text) {
            let Some((keyword, values)) = statement(text) else { continue };
            match keyword.as_str() {
                "include" => values.iter().for_each(|pattern| self.include(sources, pattern)),
                "match" | "host" => {
                    let all = matches!(values.as_slice(), [one] if one.eq_ignore_ascii_case("all"));
                    if keyword == "match" && all && outside == 0 {
                        self.current = 0;
                        continue;
                    }
                    if self.blocks.len() < CONFIGURATIONS {
                        let written = match keyword.as_str() {
                            "match" => format!("Match {}", criteria(&values).join(" ")),
                            _ => format!("Host {}", values.join(" ")),
                        };
                        self.blocks.push(Block::new(written, sources.at(line)));
                    }
                    self.current = self.blocks.len() - 1;
                }
                _ => self.blocks[self.current].says(keyword, values),
            }
        }
        // A block that an included file begins ends with it.
        self.current = outside;
    }

    fn include(&mut self, sources: &mut Sources<'_>, pattern: &str) {
        let home = pattern.strip_prefix("~/");
        if home.is_some() && !self.base.ends_with(".ssh") {
            tell::add(&mut self.blocks[self.current].unresolved, format!("Include {pattern}"));
            return;
        }
        let pattern = match home {
            Some(rest) => resolved(folder(self.base), rest),
            None => resolved(self.base, pattern),
        };
        for path in sources.matching(&pattern) {
            match sources.enter(&path) {
                Ok(text) => {
                    self.file(sources, &text);
                    sources.leave();
                }
                Err(why) => tell::add(&mut self.blocks[self.current].unresolved, why),
            }
        }
    }
}

impl Block {
    fn new(written: String, at: At) -> Self {
        Self { written, at, values: BTreeMap::new(), unresolved: Vec::new() }
    }

    fn says(&mut self, keyword: String, values: Vec<String>) {
        if self.values.len() >= REPEATED && !self.values.contains_key(&keyword) {
            return;
        }
        let known = self.values.entry(keyword.clone()).or_default();
        let files = [CERTIFICATES, KEYS].iter().any(|names| names.contains(&keyword.as_str()));
        let several = files || matches!(keyword.as_str(), "port" | "listenaddress");
        if several && known.len() < REPEATED {
            known.extend(values.into_iter().next());
        } else if known.is_empty() {
            known.push(values.join(" "));
        }
    }

    fn configuration(&self, program: &str, sources: &Sources<'_>) -> Configuration {
        let mut made = tell::part(PROGRAM.name, program, &self.written, &self.at, sources);
        for name in SETTINGS {
            if let Some(value) = self.values(&name.to_ascii_lowercase()).first() {
                // A command line may hold a token.
                let is_command = name.ends_with("Command") && !value.eq_ignore_ascii_case("none");
                made.setting(name, if is_command { "set" } else { value });
            }
        }
        for (names, kind) in
            [(CERTIFICATES, Kind::Certificate), (KEYS, Kind::Key), (TRUSTS, Kind::Trust)]
        {
            for (name, path) in names
                .iter()
                .flat_map(|name| self.values(name).iter().map(move |path| (*name, path)))
            {
                if path.eq_ignore_ascii_case("none") {
                    continue;
                }
                // Where a home is, and what a token stands for, depends on the user.
                if !tell::elsewhere(path) && (path.starts_with('~') || path.contains('%')) {
                    made.unresolved(&format!("{name} {path}"));
                } else {
                    made.file(kind, name, Path::new(FOLDER), path);
                }
            }
        }
        self.unresolved.iter().for_each(|what| made.unresolved(what));
        made
    }

    /// Where the server listens: port 22 of every address unless it says otherwise.
    fn listening(&self, mut made: Configuration) -> Configuration {
        let ports = self.values("port").iter().filter_map(|port| port.parse().ok());
        let mut ports: Vec<u16> = ports.collect();
        if ports.is_empty() {
            ports.push(22);
        }
        for written in self.values("listenaddress") {
            match tell::address_and_port(written) {
                // Only a number would be a port, and it cannot stand here alone.
                (address, Some(port)) if written.contains(':') => made.listens(address, port, None),
                _ => {
                    let address = tell::address(written);
                    ports.iter().for_each(|port| made.listens(address, *port, None));
                }
            }
        }
        if self.values("listenaddress").is_empty() {
            ports.iter().for_each(|port| made.listens(None, *port, None));
        }
        made
    }

    fn values(&self, keyword: &str) -> &[String] {
        self.values.get(keyword).map_or(&[], Vec::as_slice)
    }
}

/// The criteria of `Match` without the command lines in them, which may hold a token. Words behind
/// one that was not put in quotes belong to it, so that all ends at what is no criterion.
fn criteria(written: &[String]) -> Vec<&str> {
    const ALONE: &[&str] = &["all", "canonical", "final", "invalid-user"];
    const WITH_VALUE: &[&str] = &[
        "address",
        "group",
        "host",
        "localaddress",
        "localnetwork",
        "localport",
        "localuser",
        "originalhost",
        "rdomain",
        "sessiontype",
        "tagged",
        "user",
        "version",
    ];
    let mut told = Vec::new();
    let mut words = written.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (criterion, value) = word.split_once('=').map_or((word, None), |(c, v)| (c, Some(v)));
        let name = criterion.trim_start_matches('!').to_ascii_lowercase();
        if matches!(name.as_str(), "command" | "exec") {
            told.push(criterion);
            if value.is_none() {
                words.next();
            }
        } else if ALONE.contains(&name.as_str()) {
            told.push(criterion);
        } else if WITH_VALUE.contains(&name.as_str()) {
            told.push(word);
            told.extend(words.next().filter(|_| value.is_none()));
        } else {
            break;
        }
    }
    told
}

/// A keyword in small letters and its values; `=` may stand between them.
fn statement(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '=')?;
    let rest = line[end..].trim_start();
    let values = words(rest.strip_prefix('=').unwrap_or(rest));
    let keyword = line[..end].trim_matches('"').to_ascii_lowercase();
    (!keyword.starts_with('#') && !values.is_empty()).then_some((keyword, values))
}
