//! Apache HTTP Server: the main server and its virtual hosts.
//!
//! ## What it reads
//! `apache2.conf` and `httpd.conf` with what they include, by the rules of Apache 2.4: what a
//! virtual host does not say comes from the main server. `IfModule` is taken as if the module were
//! there, `IfDefine` by the `Define`s that were read.
//! ## What it cannot see
//! Variables of the environment, definitions on the command line, and macros.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{joined_by_backslash, words};
use crate::sources::{At, Sources, folder, resolved};
use crate::tell::{self, CONFIGURATIONS, Found, Kind, Tell};
use crate::variables::{self, Syntax};
use crate::versions::{self, Bare, Versions};

pub(super) const PROGRAM: Program = Program {
    name: "Apache",
    recognise: |name, _| matches!(name, "apache2.conf" | "httpd.conf"),
    read,
};

/// Directives of cryptography that are kept by their own names, in small letters here.
const SETTINGS: &[&str] = &[
    "SSLCACertificatePath",
    "SSLCARevocationCheck",
    "SSLCARevocationFile",
    "SSLCompression",
    "SSLEngine",
    "SSLFIPS",
    "SSLHonorCipherOrder",
    "SSLInsecureRenegotiation",
    "SSLOCSPEnable",
    "SSLOpenSSLConfCmd",
    "SSLProxyCACertificateFile",
    "SSLProxyCipherSuite",
    "SSLProxyEngine",
    "SSLProxyMachineCertificateFile",
    "SSLProxyProtocol",
    "SSLProxyVerify",
    "SSLSessionTickets",
    "SSLStrictSNIVHostCheck",
    "SSLUseStapling",
    "SSLVerifyClient",
    "SSLVerifyDepth",
];

/// Directives of servers that are read for what they mean.
const SERVER: &[&str] = &[
    "serveralias",
    "servername",
    "sslcacertificatefile",
    "sslcertificatechainfile",
    "sslcertificatefile",
    "sslcertificatekeyfile",
    "sslciphersuite",
    "sslprotocol",
];

/// How many values of one directive are kept of one server.
const REPEATED: usize = 256;

/// The main server or a virtual host.
struct Server {
    /// What the virtual host says it is for.
    addresses: Vec<String>,
    at: At,
    /// By the name in small letters.
    directives: BTreeMap<String, Vec<Vec<String>>>,
    unresolved: Vec<String>,
}

struct Reading {
    root: PathBuf,
    defined: BTreeMap<String, String>,
    /// The main server comes first.
    servers: Vec<Server>,
    current: usize,
    listens: Vec<Vec<String>>,
    /// The managed domains of `mod_md`, and by name in small letters which one it is of.
    managed: Vec<String>,
    managed_names: BTreeMap<String, usize>,
    /// The sections that are open, and whether what they hold counts.
    sections: Vec<(String, bool)>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut sources = Sources::new(path, files);
    // Where no `ServerRoot` is written, the one it was built with counts: Debian's is the folder of
    // apache2.conf, others keep httpd.conf in `conf` below it.
    let near = folder(path);
    let root = if near.ends_with("conf") { folder(near) } else { near };
    let main = Server::new(Vec::new(), sources.at(1));
    let mut reading = Reading {
        root: root.to_owned(),
        defined: BTreeMap::new(),
        servers: vec![main],
        current: 0,
        listens: Vec::new(),
        managed: Vec::new(),
        managed_names: BTreeMap::new(),
        sections: Vec::new(),
    };
    reading.file(&mut sources, text);
    let all = 0..reading.servers.len();
    let mut found = Found::default();
    for index in all {
        if found.is_full() {
            break;
        }
        reading.configuration(index, &sources).into_iter().for_each(|made| found.push(made));
    }
    let unresolved = &reading.servers[0].unresolved;
    let uses_tls = reading.listens.iter().any(|words| is_https(words));
    found.with(PROGRAM.name, if uses_tls { unresolved } else { &[] })
}

impl Server {
    fn new(addresses: Vec<String>, at: At) -> Self {
        Self { addresses, at, directives: BTreeMap::new(), unresolved: Vec::new() }
    }

    fn all(&self, name: &str) -> &[Vec<String>] {
        self.directives.get(name).map_or(&[], Vec::as_slice)
    }
}

impl Reading {
    fn file(&mut self, sources: &mut Sources<'_>, text: &str) {
        let depth = self.sections.len();
        for (line, text) in joined_by_backslash(text) {
            let text = text.trim();
            // Only a whole line is a comment.
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if let Some(name) = text.strip_prefix("</") {
                let name = name.trim_end_matches('>').trim().to_ascii_lowercase();
                if self.sections.len() > depth {
                    self.close(&name);
                }
            } else if let Some(section) = text.strip_prefix('<') {
                let section = words(section.strip_suffix('>').unwrap_or(section));
                self.open(sources, line, &section);
            } else if self.counts() {
                self.directive(sources, &words(text));
            }
        }
        // Sections end in the file they began in.
        while self.sections.len() > depth {
            let (name, _) = self.sections.last().expect("its length was just compared").clone();
            self.close(&name);
        }
    }

    fn counts(&self) -> bool {
        self.sections.iter().all(|(_, counts)| *counts)
    }

    fn open(&mut self, sources: &Sources<'_>, line: u32, section: &[String]) {
        let Some((name, values)) = section.split_first() else { return };
        let name = name.to_ascii_lowercase();
        let value = values.first().map_or("", String::as_str);
        let negated = value.starts_with('!');
        let counts = match name.as_str() {
            "ifmodule" => !negated,
            "ifdefine" => self.defined.contains_key(value.trim_start_matches('!')) != negated,
            // A macro is a text for later, not settings.
            "macro" => false,
            _ => true,
        };
        if name == "virtualhost" && counts && self.counts() && self.servers.len() < CONFIGURATIONS {
            let addresses = values.iter().take(64).map(|value| self.expanded(value)).collect();
            self.servers.push(Server::new(addresses, sources.at(line)));
            self.current = self.servers.len() - 1;
        }
        if name == "mdomainset" && counts && self.counts() {
            self.manage(values, true);
        }
        // As deep as any tree of sections; a hostile one ends here.
        if self.sections.len() < REPEATED {
            self.sections.push((name, counts));
        }
    }

    fn close(&mut self, name: &str) {
        let Some(index) = self.sections.iter().rposition(|(open, _)| open == name) else { return };
        self.sections.truncate(index);
        if !self.sections.iter().any(|(open, _)| open == "virtualhost") {
            self.current = 0;
        }
    }

    fn directive(&mut self, sources: &mut Sources<'_>, written: &[String]) {
        let Some((name, values)) = written.split_first() else { return };
        let name = name.to_ascii_lowercase();
        let values: Vec<String> = values.iter().map(|value| self.expanded(value)).collect();
        let first = values.first().cloned().unwrap_or_default();
        match name.as_str() {
            "include" | "includeoptional" => self.include(sources, &first, name == "include"),
            "serverroot" => self.root = resolved(&self.root, &first),
            "define" if self.defined.len() < REPEATED => {
                self.defined.insert(first, values.get(1).cloned().unwrap_or_default());
            }
            "undefine" => {
                self.defined.remove(&first);
            }
            "listen" if self.listens.len() < REPEATED => self.listens.push(values),
            "mdomain" => self.manage(&values, true),
            "mdmember" | "mdmembers" => self.manage(&values, false),
            // What a macro is given may be a password.
            "use" => self.note(format!("Use {first}")),
            _ => {
                let known = SERVER.contains(&name.as_str())
                    || SETTINGS.iter().any(|setting| setting.eq_ignore_ascii_case(&name));
                if known {
                    let directives = &mut self.servers[self.current].directives;
                    let known = directives.entry(name).or_default();
                    if known.len() < REPEATED {
                        known.push(values);
                    }
                }
            }
        }
    }

    /// A text with what was defined for `${name}`; what was not stays as it is written.
    fn expanded(&self, written: &str) -> String {
        let defined = |name: &str| self.defined.get(name).map(Into::into);
        variables::expanded(written, Syntax::default(), defined)
    }

    fn include(&mut self, sources: &mut Sources<'_>, written: &str, has_to_be: bool) {
        if written.contains("${") {
            self.note(format!("Include {written}"));
            return;
        }
        let pattern = resolved(&self.root, written);
        let mut paths = sources.matching(&pattern);
        // A folder stands for all files in it.
        let inside = if paths.len() == 1 { sources.inside(&paths[0], "*") } else { Vec::new() };
        if !inside.is_empty() {
            paths = inside;
        }
        for path in paths {
            match sources.enter(&path) {
                Ok(text) => {
                    self.file(sources, &text);
                    sources.leave();
                }
                Err(why) if has_to_be => self.note(why),
                Err(_) => {}
            }
        }
    }

    fn note(&mut self, what: String) {
        tell::add(&mut self.servers[self.current].unresolved, what);
    }

    fn configuration(&self, index: usize, sources: &Sources<'_>) -> Option<Configuration> {
        let server = &self.servers[index];
        let is_main = index == 0;
        let names = server.all("servername").last().and_then(|words| words.first());
        let name = names.map_or_else(String::new, |name| tell::kept(name));
        let name = bare_name(&name);
        let kind = if is_main { "" } else { "VirtualHost" };
        let label =
            if is_main || !name.is_empty() { name.to_owned() } else { server.addresses.join(" ") };
        let label = if is_main { "" } else { &label };
        let mut made = tell::part(PROGRAM.name, kind, label, &server.at, sources);
        if !name.is_empty() {
            made.server_name(name);
        }
        for alias in server.all("serveralias").iter().flatten() {
            made.server_name(alias);
        }
        self.domains(&mut made);

        // Without the directive it is off, on a port of `https` too.
        let engine = self.last(server, "sslengine").and_then(|words| words.first());
        let offers = engine.is_some_and(|word| {
            ["on", "optional"].iter().any(|yes| word.eq_ignore_ascii_case(yes))
        });
        let own_certificate = !server.all("sslcertificatefile").is_empty();
        // A main server that only hands its settings to virtual hosts is none of its own.
        if !offers || is_main && self.servers.len() > 1 && !own_certificate {
            return None;
        }
        self.listens(server, is_main, &mut made);
        self.files(server, &mut made);
        self.settings(server, &mut made);
        for what in &server.unresolved {
            made.unresolved(what);
        }
        Some(made)
    }

    /// Names of a managed domain, of a new one or of the last one.
    fn manage(&mut self, names: &[String], new: bool) {
        if self.managed.len() >= CONFIGURATIONS {
            return;
        }
        if new || self.managed.is_empty() {
            self.managed.push(String::new());
        }
        let index = self.managed.len() - 1;
        for name in names {
            let known = &mut self.managed[index];
            if known.len() < tell::TEXT {
                *known = tell::clipped([known, name.as_str()].join(" ").trim());
            }
            self.managed_names.entry(name.to_ascii_lowercase()).or_insert(index);
        }
    }

    fn domains(&self, made: &mut Configuration) {
        for name in made.server_names.clone() {
            if let Some(index) = self.managed_names.get(&name.to_ascii_lowercase()) {
                made.further("MDomain", &self.managed[*index]);
            }
        }
    }

    fn listens(&self, server: &Server, is_main: bool, made: &mut Configuration) {
        let listening = || {
            let words = self.listens.iter().filter(|words| is_https(words));
            words.filter_map(|words| Some(tell::address_and_port(words.first()?)))
        };
        if is_main {
            for (address, port) in listening() {
                port.into_iter().for_each(|port| made.listens(address, port, None));
            }
        }
        for written in &server.addresses {
            if written.contains("${") {
                made.unresolved(&format!("VirtualHost {written}"));
                continue;
            }
            match tell::address_and_port(written) {
                (address, Some(port)) => made.listens(address, port, None),
                // Every port of this address.
                (address, None) => {
                    let address = address.map(|name| name.trim_end_matches(":*"));
                    listening().filter_map(|(_, port)| port).for_each(|port| {
                        made.listens(address, port, None);
                    });
                }
            }
        }
    }

    fn files(&self, server: &Server, made: &mut Configuration) {
        for (name, kind) in [
            ("SSLCertificateFile", Kind::Certificate),
            ("SSLCertificateChainFile", Kind::Certificate),
            ("SSLCertificateKeyFile", Kind::Key),
            ("SSLCACertificateFile", Kind::Trust),
        ] {
            for written in self.all(server, name).iter().filter_map(|words| words.first()) {
                made.file(kind, name, &self.root, written);
            }
        }
    }

    fn settings(&self, server: &Server, made: &mut Configuration) {
        for words in self.all(server, "sslciphersuite") {
            match words.as_slice() {
                [kind, suites] if kind.eq_ignore_ascii_case("TLSv1.3") => {
                    made.setting("SSLCipherSuite TLSv1.3", suites);
                }
                [_, suites] | [suites] => made.suites(suites),
                _ => {}
            }
        }
        if let Some(words) = self.last(server, "sslprotocol") {
            // OpenSSL since 1.1.1, on which Apache 2.4 is built.
            let words = words.iter().map(String::as_str);
            made.versions(&versions::signed(words, Versions::new(), Bare::Replaces));
        }
        for name in SETTINGS {
            for words in self.all(server, name) {
                if *name == "SSLOpenSSLConfCmd" {
                    made.further(name, &words.join(" "));
                } else {
                    made.setting(name, &words.join(" "));
                }
            }
        }
    }

    /// All directives of a name: those of the virtual host, or else of the main server.
    fn all<'a>(&'a self, server: &'a Server, name: &str) -> &'a [Vec<String>] {
        let name = name.to_ascii_lowercase();
        let own = server.all(&name);
        if own.is_empty() { self.servers[0].all(&name) } else { own }
    }

    fn last<'a>(&'a self, server: &'a Server, name: &str) -> Option<&'a Vec<String>> {
        self.all(server, name).last()
    }
}

/// Whether `Listen` is for HTTPS: it says so, or has the port of it.
fn is_https(listen: &[String]) -> bool {
    match listen {
        [_, protocol, ..] => protocol.eq_ignore_ascii_case("https"),
        [place] => tell::address_and_port(place).1 == Some(443),
        [] => false,
    }
}

/// A name without scheme and port.
fn bare_name(written: &str) -> &str {
    let name = written.split_once("://").map_or(written, |(_, rest)| rest);
    let name = name.split('/').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => name,
    }
}
