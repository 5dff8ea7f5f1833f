//! nginx: the servers of the contexts `http`, `stream` and `mail`.
//!
//! ## What it reads
//! `nginx.conf` and what it includes, by the rules of nginx 1.27: what a server does not say comes
//! from the context around it, a list as a whole; relative paths begin at the folder of
//! `nginx.conf`; TLS on an address is on for every server that listens there.
//! ## What it cannot see
//! Values of variables: they are known when a client is there. `set` does not help, since it works
//! on requests, after the certificate was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::sources::{At, Sources, folder, resolved};
use crate::tell::{self, CONFIGURATIONS, Found, Kind, Tell};
use crate::versions::{self, Version};

mod tokens;

use tokens::{Token, Tokens};

pub(super) const PROGRAM: Program =
    Program { name: "nginx", recognise: |name, _| name == "nginx.conf", read };

/// Settings of cryptography that are kept by their own names.
const SETTINGS: &[&str] = &[
    "proxy_ssl",
    "ssl_conf_command",
    "ssl_crl",
    "ssl_dhparam",
    "ssl_early_data",
    "ssl_ecdh_curve",
    "ssl_ocsp",
    "ssl_prefer_server_ciphers",
    "ssl_reject_handshake",
    "ssl_session_cache",
    "ssl_session_tickets",
    "ssl_session_timeout",
    "ssl_stapling",
    "ssl_stapling_verify",
    "ssl_verify_client",
    "ssl_verify_depth",
];

/// Modules that speak TLS to the servers behind, and what is kept of them.
const CLIENTS: &[&str] = &["grpc_ssl_", "proxy_ssl_", "uwsgi_ssl_"];
const CLIENT: &[&str] = &[
    "certificate",
    "certificate_key",
    "ciphers",
    "conf_command",
    "crl",
    "protocols",
    "server_name",
    "trusted_certificate",
    "verify",
    "verify_depth",
];

/// What counts of a server, and how often it may be written in one context.
const SERVER: &[&str] = &[
    "protocol",
    "server_name",
    "ssl",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_ciphers",
    "ssl_client_certificate",
    "ssl_protocols",
    "ssl_trusted_certificate",
    "starttls",
];

/// How many directives of one name are kept in one context.
const REPEATED: usize = 256;

/// How many ports of a range are told, and how many of one server are looked at.
const RANGE: u16 = 256;
const SOCKETS: usize = 1_024;

/// The directives of a context by their names, with their words.
type Directives = BTreeMap<String, Vec<Vec<String>>>;

/// A context that is open.
struct Context {
    kind: String,
    at: At,
    directives: Directives,
    /// Only of servers.
    listens: Vec<Vec<String>>,
    servers: Vec<Context>,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut sources = Sources::new(path, files);
    let whole = Context::new("main", sources.at(1));
    let mut reading =
        Reading { open: vec![whole], found: Found::default(), servers: 0, contexts: 0 };
    reading.file(&mut sources, text);
    reading.close_to(&sources, 1);
    let unresolved = reading.open.remove(0).unresolved;
    if reading.contexts == 0 {
        return Vec::new();
    }
    reading.found.with(PROGRAM.name, &unresolved)
}

struct Reading {
    open: Vec<Context>,
    found: Found,
    servers: usize,
    /// How many of `http`, `stream` and `mail` there were.
    contexts: usize,
}

impl Context {
    fn new(kind: &str, at: At) -> Self {
        Self {
            kind: kind.to_owned(),
            at,
            directives: Directives::new(),
            listens: Vec::new(),
            servers: Vec::new(),
            unresolved: Vec::new(),
        }
    }

    fn is_protocol(&self) -> bool {
        matches!(self.kind.as_str(), "http" | "mail" | "stream")
    }
}

impl Reading {
    fn file(&mut self, sources: &mut Sources<'_>, text: &str) {
        let depth = self.open.len();
        let mut tokens = Tokens::new(text);
        let mut words: Vec<String> = Vec::new();
        let mut line = 1;
        while let Some((at, token)) = tokens.next() {
            if words.is_empty() {
                line = at;
            }
            match token {
                Token::Word(word) => {
                    if words.len() < REPEATED {
                        words.push(word);
                    }
                }
                Token::Semicolon => self.directive(sources, &std::mem::take(&mut words)),
                Token::Open => {
                    let kind = words.first().cloned().unwrap_or_default();
                    words.clear();
                    if kind.ends_with("_by_lua_block") {
                        // Lua, not nginx, up to the brace that closes it.
                        tokens.skip_block();
                    } else {
                        self.open(Context::new(&kind, sources.at(line)));
                    }
                }
                Token::Close => {
                    words.clear();
                    if self.open.len() > depth {
                        self.close(sources);
                    }
                }
            }
        }
        // Blocks end in the file they began in.
        self.close_to(sources, depth);
    }

    fn open(&mut self, context: Context) {
        self.contexts += usize::from(context.is_protocol());
        self.open.push(context);
    }

    fn close_to(&mut self, sources: &Sources<'_>, depth: usize) {
        while self.open.len() > depth {
            self.close(sources);
        }
    }

    fn close(&mut self, sources: &Sources<'_>) {
        let Some(context) = self.open.pop() else { return };
        let Some(parent) = self.open.last_mut() else {
            self.open.push(context);
            return;
        };
        if context.is_protocol() {
            self.resolve(sources, &context);
        } else if context.kind == "server" && parent.is_protocol() {
            self.servers += 1;
            if self.servers <= CONFIGURATIONS {
                parent.servers.push(context);
            }
        } else {
            // What a location asks of the servers behind it is said of its server.
            for (name, values) in context.directives {
                if CLIENTS.iter().any(|client| name.starts_with(client)) {
                    let known = parent.directives.entry(name).or_default();
                    known.extend(values.into_iter().take(REPEATED - known.len().min(REPEATED)));
                }
            }
            parent.unresolved.extend(context.unresolved);
        }
    }

    fn directive(&mut self, sources: &mut Sources<'_>, words: &[String]) {
        let Some((name, values)) = words.split_first() else { return };
        if name == "include" {
            if let Some(pattern) = values.first() {
                self.include(sources, pattern);
            }
            return;
        }
        let context = self.open.last_mut().expect("the outermost context is never closed");
        if name == "listen" {
            if context.listens.len() < REPEATED {
                context.listens.push(values.to_vec());
            }
            return;
        }
        let client = CLIENTS
            .iter()
            .any(|client| name.strip_prefix(client).is_some_and(|end| CLIENT.contains(&end)));
        if client || SETTINGS.contains(&name.as_str()) || SERVER.contains(&name.as_str()) {
            let known = context.directives.entry(name.clone()).or_default();
            if known.len() < REPEATED {
                known.push(values.to_vec());
            }
        }
    }

    fn include(&mut self, sources: &mut Sources<'_>, pattern: &str) {
        let pattern = resolved(folder(sources.main()), pattern);
        for path in sources.matching(&pattern) {
            match sources.enter(&path) {
                Ok(text) => {
                    self.file(sources, &text);
                    sources.leave();
                }
                Err(why) => {
                    let context = self.open.last_mut().expect("one context is always open");
                    tell::add(&mut context.unresolved, why);
                }
            }
        }
    }

    /// Tells of the servers of `http`, `stream` or `mail`, now that all of it was read.
    fn resolve(&mut self, sources: &Sources<'_>, outer: &Context) {
        let with_tls: BTreeSet<Socket<'_>> = outer
            .servers
            .iter()
            .flat_map(|server| sockets(&server.listens))
            .filter(|(.., ssl)| *ssl)
            .map(|(socket, ..)| socket)
            .collect();
        let base = folder(sources.main());
        // Told once: there may be thousands of servers that take it over.
        let told = outer.directives.iter();
        let inherited =
            told.map(|(name, values)| (name.as_str(), directive(name, values, base))).collect();
        for server in &outer.servers {
            let resolving = Server { outer, server, with_tls: &with_tls, inherited: &inherited };
            if self.found.is_full() {
                return;
            }
            resolving.configuration(sources).into_iter().for_each(|made| self.found.push(made));
        }
    }
}

/// A server within its context.
struct Server<'a> {
    outer: &'a Context,
    server: &'a Context,
    with_tls: &'a BTreeSet<Socket<'a>>,
    /// What the directives around it tell of files and settings.
    inherited: &'a BTreeMap<&'a str, Configuration>,
}

impl Server<'_> {
    fn configuration(&self, sources: &Sources<'_>) -> Option<Configuration> {
        let name = self.own("server_name").first().and_then(|words| words.first());
        let name = name.map_or("", String::as_str);
        let mut made = tell::part(PROGRAM.name, self.kind(), name, &self.server.at, sources);
        self.listens(&mut made);
        let own = |name| self.server.directives.contains_key(name);
        let offers = !made.listens.is_empty() || made.settings.contains_key("listen");
        if !offers && !own("ssl_certificate") && !own("ssl_reject_handshake") {
            return None;
        }
        for names in self.own("server_name") {
            // `""` and `_` stand for no name at all.
            let names = names.iter().filter(|name| !matches!(name.as_str(), "" | "_"));
            names.for_each(|name| made.server_name(name));
        }
        if let Some(words) = self.last("ssl_ciphers") {
            made.suites(&words.join(" "));
        }
        self.directives(&mut made, folder(sources.main()));
        self.versions(&mut made);
        for what in self.outer.unresolved.iter().chain(&self.server.unresolved) {
            made.unresolved(what);
        }
        Some(made)
    }

    fn kind(&self) -> &'static str {
        match self.outer.kind.as_str() {
            "mail" => "mail server",
            "stream" => "stream server",
            _ => "server",
        }
    }

    fn listens(&self, made: &mut Configuration) {
        let always = self.says("ssl", "on");
        // A server of `http` that says nothing listens on port 80.
        let usual = [vec!["80".to_owned()]];
        let none = self.server.listens.is_empty() && self.outer.kind == "http";
        let written = if none { &usual[..] } else { &self.server.listens };
        for words in written.iter().filter(|words| has(words, "quic")) {
            // QUIC is not on TCP.
            made.further("listen", &words.join(" "));
        }
        for (socket, words, ssl) in sockets(written) {
            let tls = ssl || always || self.with_tls.contains(&socket);
            let starttls = if tls { None } else { self.starttls(words) };
            if !tls && starttls.is_none() {
                continue;
            }
            match socket {
                Socket::Port(host, port) => {
                    made.listens(tell::address(host), port, starttls.as_deref());
                }
                Socket::Local(_) => made.further("listen", &words.join(" ")),
                Socket::Unknown(place) => made.unresolved(&format!("listen {place}")),
            }
        }
    }

    /// The protocol that changes to TLS, where it does (`ngx_mail_ssl_module`).
    fn starttls(&self, words: &[String]) -> Option<String> {
        let wanted = self.says("starttls", "on") || self.says("starttls", "only");
        if self.outer.kind != "mail" || !wanted {
            return None;
        }
        if let Some(protocol) = self.last("protocol").and_then(|words| words.first()) {
            return Some(protocol.clone());
        }
        // Without a directive the usual port tells the protocol.
        match tell::address_and_port(words.first()?).1? {
            110 | 995 => Some("pop3".to_owned()),
            143 | 993 => Some("imap".to_owned()),
            25 | 465 | 587 => Some("smtp".to_owned()),
            _ => None,
        }
    }

    fn directives(&self, made: &mut Configuration, base: &Path) {
        let own = &self.server.directives;
        for (name, told) in self.inherited {
            if !own.contains_key(*name) {
                made.take_in(told);
            }
        }
        own.iter().for_each(|(name, values)| made.take_in(&directive(name, values, base)));
    }

    /// `ssl_protocols`, within the bounds of `ssl_conf_command`, which OpenSSL is told after it.
    fn versions(&self, made: &mut Configuration) {
        let Some(words) = self.last("ssl_protocols") else { return };
        let mut enabled = versions::listed(&words.join(" "));
        for command in self.all("ssl_conf_command") {
            let [name, value] = command.as_slice() else { continue };
            let Some(bound) = Version::read(value) else { continue };
            match name.to_ascii_lowercase().as_str() {
                "minprotocol" => enabled.retain(|version| *version >= bound),
                "maxprotocol" => enabled.retain(|version| *version <= bound),
                _ => {}
            }
        }
        made.versions(&enabled);
    }

    fn own(&self, name: &str) -> &[Vec<String>] {
        self.server.directives.get(name).map_or(&[], Vec::as_slice)
    }

    /// All directives of a name: those of the server, or else those around it.
    fn all(&self, name: &str) -> &[Vec<String>] {
        let outer = || self.outer.directives.get(name).map_or(&[][..], Vec::as_slice);
        self.server.directives.get(name).map_or_else(outer, Vec::as_slice)
    }

    fn last(&self, name: &str) -> Option<&Vec<String>> {
        self.all(name).last()
    }

    fn says(&self, name: &str, value: &str) -> bool {
        self.last(name).is_some_and(|words| has(words, value))
    }
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|known| known == word)
}

/// What a directive tells of files and settings, with all that was written of it.
fn directive(name: &str, values: &[Vec<String>], base: &Path) -> Configuration {
    let mut told = Configuration::of(PROGRAM.name, None, 1);
    let kind = match name {
        "ssl_certificate" => Some(Kind::Certificate),
        "ssl_certificate_key" => Some(Kind::Key),
        "ssl_client_certificate" | "ssl_trusted_certificate" => Some(Kind::Trust),
        _ => None,
    };
    for words in values {
        match (kind, words.first()) {
            (Some(kind), Some(written)) => told.file(kind, name, base, written),
            (None, _) if !SERVER.contains(&name) => told.further(name, &words.join(" ")),
            _ => {}
        }
    }
    told
}

/// Where a server listens. One that is written in different ways is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Socket<'w> {
    /// An address, and a port of TCP.
    Port(&'w str, u16),
    /// A socket of the host itself.
    Local(&'w str),
    /// What a variable decides, or what is no place.
    Unknown(&'w str),
}

/// The sockets of `listen` directives, each with the words of its own and whether they ask for TLS.
fn sockets(listens: &[Vec<String>]) -> impl Iterator<Item = (Socket<'_>, &[String], bool)> {
    let each = listens.iter().filter_map(|words| Some((words.first()?.as_str(), &words[..])));
    let each = each.flat_map(|(place, words)| {
        let ssl = has(words, "ssl");
        ports(place).map(move |socket| (socket, words, ssl))
    });
    each.take(SOCKETS)
}

fn ports(place: &str) -> impl Iterator<Item = Socket<'_>> {
    let (host, ports) = match place.rsplit_once(':') {
        Some((host, ports)) if host.ends_with(']') || !host.contains(':') => (host, ports),
        _ if place.bytes().all(|octet| octet.is_ascii_digit() || octet == b'-') => ("", place),
        _ => (place, "80"),
    };
    // Every address of IPv4; that of IPv6 is another socket, whatever is written beside it.
    let host = if matches!(host, "" | "*") { "0.0.0.0" } else { host };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (range, other) = match (first.parse::<u16>(), last.parse::<u16>()) {
        _ if place.starts_with("unix:") => (None, Some(Socket::Local(place))),
        _ if place.contains('$') => (None, Some(Socket::Unknown(place))),
        (Ok(first), Ok(last)) if last >= first && last - first < RANGE => {
            (Some(first..=last), None)
        }
        _ => (None, Some(Socket::Unknown(place))),
    };
    range.into_iter().flatten().map(move |port| Socket::Port(host, port)).chain(other)
}
