//! Postfix: the SMTP servers of `master.cf` and the SMTP client.
//!
//! ## What it reads
//! `main.cf` and the `master.cf` beside it, by the rules of Postfix 3.7. A server is told of when
//! it offers TLS.
//! ## What it cannot see
//! Policies by destination (`smtp_tls_policy_maps`), and values in tables.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{joined_by_indent, key_and_value, words};
use crate::sources::{At, Sources, folder, resolved};
use crate::tell::{self, Found, Kind, Tell};
use crate::variables::{self, Syntax};
use crate::versions::{Version, Versions, between};

pub(super) const PROGRAM: Program =
    Program { name: "Postfix", recognise: |name, _| name == "main.cf", read };

/// Parameters of cryptography that are kept, after `smtpd_tls_`, `smtp_tls_` or `tls_`.
const SETTINGS: &[&str] = &[
    "CApath",
    "ask_ccert",
    "auth_only",
    "ciphers",
    "dh1024_param_file",
    "dh512_param_file",
    "eecdh_grade",
    "exclude_ciphers",
    "fingerprint_digest",
    "mandatory_ciphers",
    "mandatory_exclude_ciphers",
    "policy_maps",
    "req_ccert",
    "secure_cert_match",
    "security_level",
    "verify_cert_match",
    "wrappermode",
];

/// How deep variables may name each other, and how many are replaced for one main file: a few that
/// name each other many times would never end.
const DEPTH: usize = 8;
const REPLACED: usize = 100_000;

/// How many parameters and services are kept.
const KEPT: usize = 4_000;

type Parameters = BTreeMap<String, String>;

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut sources = Sources::new(path, files);
    let mut main = Main { parameters: Parameters::new(), first: [1, 1], left: Cell::new(REPLACED) };
    for (line, text) in joined_by_indent(text) {
        let Some((name, value)) = key_and_value(&text) else { continue };
        for (index, start) in ["smtpd_", "smtp_tls_"].iter().enumerate() {
            if name.starts_with(start) && main.first[index] == 1 {
                main.first[index] = line;
            }
        }
        if main.parameters.len() < KEPT {
            main.parameters.insert(name.to_owned(), tell::clipped(value));
        }
    }
    // Other programs have a main.cf of their own; Postfix's is full of names like these.
    if !main.parameters.keys().any(|name| name.starts_with("smtp") || name == "myhostname") {
        return Vec::new();
    }

    let mut found = Found::default();
    let server = Values { own: &Parameters::new(), main: &main };
    let place = folder(path).join("master.cf");
    match sources.enter(&place) {
        Ok(text) => {
            services(&main, &sources, &text, &mut found);
            sources.leave();
        }
        Err(why) => {
            let at = sources.at(main.first[0]);
            if let Some(mut made) = server.server("smtpd", &at, &sources) {
                made.unresolved(&why);
                found.push(made);
            }
        }
    }
    let client = server.client(&sources.at(main.first[1]), &sources);
    client.into_iter().for_each(|made| found.push(made));
    found.with(PROGRAM.name, &[])
}

/// What `main.cf` says, and the lines where servers and the client begin in it.
struct Main {
    parameters: Parameters,
    first: [u32; 2],
    /// How many more variables are replaced.
    left: Cell<usize>,
}

/// The servers of `master.cf` (`master(5)`).
fn services(main: &Main, sources: &Sources<'_>, text: &str, found: &mut Found) {
    for (line, text) in joined_by_indent(text).into_iter().take(KEPT) {
        let fields = braced(&text);
        let [service, kind, _, _, _, _, _, command, arguments @ ..] = fields.as_slice() else {
            continue;
        };
        // What listens may be `postscreen`, which hands connections over with TLS as set here.
        if kind != "inet" || !matches!(command.as_str(), "smtpd" | "postscreen") {
            continue;
        }
        let mut own = Parameters::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let written = match argument.strip_prefix("-o") {
                Some("") => arguments.next().map_or("", String::as_str),
                Some(rest) => rest,
                None => continue,
            };
            if let Some((name, value)) = key_and_value(written) {
                own.insert(name.to_owned(), tell::clipped(value));
            }
        }
        let values = Values { own: &own, main };
        let at = sources.at(line);
        let Some(mut made) = values.server(service, &at, sources) else { continue };
        values.listens(&mut made, service);
        found.push(made);
    }
}

/// Words; what is between braces is one (`-o { name = a b }`).
fn braced(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = line;
    while let Some((before, inside)) = rest.split_once("{ ") {
        fields.extend(before.split_whitespace().map(str::to_owned));
        let (inside, after) = inside.split_once('}').unwrap_or((inside, ""));
        fields.push(inside.trim().to_owned());
        rest = after;
    }
    fields.extend(rest.split_whitespace().map(str::to_owned));
    fields
}

/// The parameters of a service: its own, then those of `main.cf`.
struct Values<'a> {
    own: &'a Parameters,
    main: &'a Main,
}

impl Values<'_> {
    fn raw(&self, name: &str) -> Option<&String> {
        self.own.get(name).or_else(|| self.main.parameters.get(name))
    }

    /// A parameter with its variables replaced; those that are set nowhere stay.
    fn value(&self, name: &str) -> Option<String> {
        let written = self.raw(name)?;
        Some(self.expanded(written, DEPTH).trim().to_owned())
    }

    fn expanded(&self, written: &str, depth: usize) -> String {
        let syntax = Syntax { bare: true, sections: false, round: true, doubled: true };
        variables::expanded(written, syntax, |name| {
            if name == "$" {
                return Some(name.to_owned().into());
            }
            if name.is_empty() || depth == 0 || !self.spend() {
                return None;
            }
            // `${name?text}` is the text where the parameter has a value, `${name:text}` where not.
            if let Some(start) = name.find(['?', ':']) {
                let is_set = self.raw(&name[..start]).is_some_and(|value| !value.is_empty());
                let counts = is_set == name[start..].starts_with('?');
                let text = if counts { &name[start + 1..] } else { "" };
                return Some(self.expanded(text, depth - 1).into());
            }
            self.raw(name).map(|value| self.expanded(value, depth - 1).into())
        })
    }

    /// Whether one more variable may be replaced.
    fn spend(&self) -> bool {
        self.main.left.set(self.main.left.get().saturating_sub(1));
        self.main.left.get() > 0
    }

    fn is(&self, name: &str, wanted: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    }

    fn server(&self, name: &str, at: &At, sources: &Sources<'_>) -> Option<Configuration> {
        // Where TLS comes first it is mandatory, whatever the level says. Levels of the client mean
        // `encrypt` to the server (`postconf(5)`, `smtpd_tls_security_level`).
        let wrapped = self.is("smtpd_tls_wrappermode", "yes");
        let level = self.level("smtpd", "smtpd_use_tls", "smtpd_enforce_tls");
        let mandatory = wrapped
            || matches!(level.as_deref(), Some("encrypt" | "fingerprint" | "secure" | "verify"));
        if !mandatory && level.as_deref() != Some("may") {
            return None;
        }
        let mut made = tell::part(PROGRAM.name, "smtpd", name, at, sources);
        if name == "smtpd" {
            made.part = Some("smtpd".to_owned());
        }
        self.tell(&mut made, "smtpd", mandatory);
        if let Some(host) = self.value("myhostname").filter(|host| !host.contains('$')) {
            made.server_name(&host);
        }
        Some(made)
    }

    fn client(&self, at: &At, sources: &Sources<'_>) -> Option<Configuration> {
        if !self
            .main
            .parameters
            .keys()
            .any(|name| name.starts_with("smtp_tls_") || name == "smtp_use_tls")
        {
            return None;
        }
        let level = self.level("smtp", "smtp_use_tls", "smtp_enforce_tls");
        let mandatory = !matches!(level.as_deref(), None | Some("none" | "may" | "dane"));
        let mut made = tell::part(PROGRAM.name, "smtp", "client", at, sources);
        self.tell(&mut made, "smtp", mandatory);
        Some(made)
    }

    /// The level of security; older files say it in two switches.
    fn level(&self, program: &str, used: &str, enforced: &str) -> Option<String> {
        let level = self.value(&format!("{program}_tls_security_level"));
        level.filter(|level| !level.is_empty()).or_else(|| {
            let switches = [(enforced, "encrypt"), (used, "may")];
            let on = switches.iter().find(|(switch, _)| self.is(switch, "yes"));
            on.map(|(_, level)| (*level).to_owned())
        })
    }

    fn tell(&self, made: &mut Configuration, program: &str, mandatory: bool) {
        let name = |end: &str| format!("{program}_tls_{end}");
        let kind = if mandatory { "mandatory_" } else { "" };
        if let Some(written) = self.value(&name(&format!("{kind}protocols"))) {
            made.versions(&protocols(&written));
        }
        if let Some(grade) = self.value(&name(&format!("{kind}ciphers"))) {
            let list = self.value(&format!("tls_{grade}_cipherlist"));
            made.suites(list.as_deref().unwrap_or(&grade));
        }
        for end in SETTINGS {
            if let Some(value) = self.value(&name(end)) {
                made.setting(&name(end), &value);
            }
        }
        for whole in ["tls_eecdh_auto_curves", "tls_preempt_cipherlist", "tls_ssl_options"] {
            if let Some(value) = self.value(whole) {
                made.setting(whole, &value);
            }
        }
        self.files(made, program);
    }

    /// Files; a key that is not said is with its certificate. Relative paths begin where the
    /// servers run, in the folder of the queue.
    fn files(&self, made: &mut Configuration, program: &str) {
        let base = self.value("queue_directory").unwrap_or_else(|| "/var/spool/postfix".to_owned());
        let base: PathBuf = resolved(Path::new("/"), &base);
        let chains = format!("{program}_tls_chain_files");
        let mut known: Vec<(String, String, Kind)> = Vec::new();
        for path in self.value(&chains).iter().flat_map(|list| apart(list)) {
            known.push((chains.clone(), path, Kind::Both));
        }
        if known.is_empty() {
            for algorithm in ["", "d", "ec"] {
                let certificate = format!("{program}_tls_{algorithm}cert_file");
                let key = format!("{program}_tls_{algorithm}key_file");
                let Some(path) = self.value(&certificate) else { continue };
                let key_path = self.value(&key).unwrap_or_else(|| path.clone());
                known.push((certificate, path, Kind::Certificate));
                known.push((key, key_path, Kind::Key));
            }
        }
        let trusted = format!("{program}_tls_CAfile");
        known.extend(self.value(&trusted).map(|path| (trusted, path, Kind::Trust)));
        for (name, path, kind) in known {
            if path.is_empty() || path.eq_ignore_ascii_case("none") {
                continue;
            }
            made.file(kind, &name, &base, &path);
        }
    }

    fn listens(&self, made: &mut Configuration, service: &str) {
        let starttls = if self.is("smtpd_tls_wrappermode", "yes") { None } else { Some("smtp") };
        let (host, port) = service.rsplit_once(':').unwrap_or(("", service));
        let port = match port {
            "smtp" => 25,
            "submission" => 587,
            "smtps" | "submissions" | "urd" => 465,
            other => match other.parse() {
                Ok(port) => port,
                Err(_) => return made.unresolved(&format!("service {service}")),
            },
        };
        let interfaces = self.value("inet_interfaces").unwrap_or_default();
        if !host.is_empty() {
            made.listens(tell::address(host), port, starttls);
        } else if matches!(interfaces.as_str(), "" | "all") {
            made.listens(None, port, starttls);
        } else {
            for host in apart(&interfaces) {
                // `loopback-only` is no address, and nobody else reaches it.
                let host = if host == "loopback-only" { "localhost".to_owned() } else { host };
                made.listens(tell::address(&host), port, starttls);
            }
        }
    }
}

fn apart(list: &str) -> Vec<String> {
    words(&list.replace(',', " "))
}

/// A list of protocols: `!` excludes, a name without a sign includes only what is named, `>=` and
/// `<=` are bounds (Postfix 3.6). What is left open goes from SSL 3.0 to TLS 1.3: SSL 2.0 is in no
/// Postfix since then.
fn protocols(written: &str) -> Versions {
    let mut enabled = between(Version::Ssl3, Version::Tls13);
    let mut included = Versions::new();
    for word in written.split([' ', '\t', ',', ':']).filter(|word| !word.is_empty()) {
        let bound = |word: &str| Version::read(word.trim_start());
        if let Some(lowest) = word.strip_prefix(">=").and_then(bound) {
            enabled.retain(|version| *version >= lowest);
        } else if let Some(highest) = word.strip_prefix("<=").and_then(bound) {
            enabled.retain(|version| *version <= highest);
        } else if let Some(excluded) = word.strip_prefix('!').and_then(bound) {
            enabled.remove(&excluded);
        } else {
            included.extend(Version::read(word));
        }
    }
    if !included.is_empty() {
        enabled.retain(|version| included.contains(version));
    }
    enabled
}
