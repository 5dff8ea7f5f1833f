//! MariaDB and MySQL: the server and the clients.
//!
//! ## What it reads
//! `my.cnf` and `mariadb.cnf` with what they include, by the rules of MariaDB 11 and MySQL 8: the
//! last value counts, `-` and `_` are the same, relative paths begin at the data.
//! ## What it cannot see
//! Certificates that a server makes for itself, and files that the command line names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::{numbered, unquoted};
use crate::sources::{Sources, folder, resolved};
use crate::tell::{self, Found, Kind, Tell};
use crate::versions;

pub(super) const PROGRAM: Program = Program {
    name: "MariaDB",
    recognise: |name, _| matches!(name, "my.cnf" | "mariadb.cnf"),
    read,
};

/// Options of cryptography that are kept, with `_`.
const SETTINGS: &[&str] = &[
    "admin_tls_version",
    "aria_encrypt_tables",
    "default_authentication_plugin",
    "disable_ssl",
    "encrypt_binlog",
    "encrypt_tmp_files",
    "file_key_management_encryption_algorithm",
    "innodb_encrypt_log",
    "innodb_encrypt_tables",
    "require_secure_transport",
    "skip_ssl",
    "ssl",
    "ssl_capath",
    "ssl_crl",
    "ssl_crlpath",
    "ssl_fips_mode",
    "ssl_mode",
    "ssl_verify_server_cert",
    "tls_ciphersuites",
];

/// Options that say where the server listens or are read for what they mean.
const OTHERS: &[&str] = &[
    "bind_address",
    "datadir",
    "port",
    "skip_networking",
    "ssl_ca",
    "ssl_cert",
    "ssl_cipher",
    "ssl_key",
    "tls_version",
];

/// Which program a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Server,
    Client,
    Both,
    Nobody,
}

#[derive(Default)]
struct Options {
    line: Option<(PathBuf, u32)>,
    values: BTreeMap<String, String>,
}

struct Reading<'f> {
    sources: Sources<'f>,
    server: Options,
    client: Options,
    unresolved: Vec<String>,
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let mut reading = Reading {
        sources: Sources::new(path, files),
        server: Options::default(),
        client: Options::default(),
        unresolved: Vec::new(),
    };
    reading.file(text);
    let mut found = Found::default();
    for (name, options) in [("server", &reading.server), ("client", &reading.client)] {
        let Some(mut made) = options.configuration(name, &reading.sources) else { continue };
        if name == "server" {
            options.listens(&mut made);
        }
        found.push(made);
    }
    found.with(PROGRAM.name, &reading.unresolved)
}

impl Reading<'_> {
    fn file(&mut self, text: &str) {
        let mut of = Of::Nobody;
        for (line, text) in numbered(text) {
            let text = text.trim();
            if let Some(folder) = text.strip_prefix("!includedir") {
                let inside = resolved(self.base(), folder.trim());
                for path in self.sources.inside(&inside, "*.cnf") {
                    self.follow(&path);
                }
            } else if let Some(path) = text.strip_prefix("!include") {
                let path = resolved(self.base(), path.trim());
                self.follow(&path);
            } else if let Some(group) = text.strip_prefix('[') {
                of = group_of(group.split(']').next().unwrap_or(group).trim());
            } else if !text.starts_with(['#', ';']) && !text.is_empty() {
                self.option(of, line, text);
            }
        }
    }

    fn base(&self) -> &Path {
        folder(self.sources.current())
    }

    fn follow(&mut self, path: &Path) {
        match self.sources.enter(path) {
            Ok(text) => {
                self.file(&text);
                self.sources.leave();
            }
            Err(why) => tell::add(&mut self.unresolved, why),
        }
    }

    fn option(&mut self, of: Of, line: u32, text: &str) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        let name = name.strip_prefix("loose_").unwrap_or(&name);
        if !SETTINGS.contains(&name) && !OTHERS.contains(&name) {
            return;
        }
        // `#` begins a comment in the middle of a line, too.
        let value = value.trim();
        let value = match value.chars().next() {
            Some('"' | '\'') => unquoted(value.split(" #").next().unwrap_or(value)),
            _ => value.split('#').next().unwrap_or(value).trim(),
        };
        for (whose, options) in [(Of::Server, &mut self.server), (Of::Client, &mut self.client)] {
            if of == whose || of == Of::Both {
                if SETTINGS.contains(&name) || name.starts_with("ssl_") || name == "tls_version" {
                    let file = self.sources.current().to_path_buf();
                    options.line.get_or_insert((file, line));
                }
                options.values.insert(name.to_owned(), tell::clipped(value));
            }
        }
    }
}

impl Options {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn configuration(&self, name: &str, sources: &Sources<'_>) -> Option<Configuration> {
        let (file, line) = self.line.as_ref()?;
        let at = crate::sources::At { file: file.as_path().into(), line: *line };
        let mut made = tell::part(PROGRAM.name, name, "", &at, sources);
        for name in SETTINGS {
            if let Some(value) = self.values.get(*name) {
                // An option without a value is on.
                made.setting(name, if value.is_empty() { "on" } else { value });
            }
        }
        let data = resolved(Path::new("/"), self.get("datadir").unwrap_or("/var/lib/mysql"));
        for (name, kind) in
            [("ssl_cert", Kind::Certificate), ("ssl_key", Kind::Key), ("ssl_ca", Kind::Trust)]
        {
            if let Some(path) = self.get(name) {
                made.file(kind, name, &data, path);
            }
        }
        if let Some(written) = self.get("tls_version") {
            made.versions(&versions::listed(written));
        }
        if let Some(suites) = self.get("ssl_cipher") {
            made.suites(suites);
        }
        Some(made)
    }

    fn listens(&self, made: &mut Configuration) {
        let is_off = |name: &str| {
            let says =
                |value: &String| ["0", "off", "false"].map(|no| value.eq_ignore_ascii_case(no));
            self.values.get(name).is_some_and(|value| says(value).contains(&true))
        };
        let is_set = |name: &str| self.values.contains_key(name) && !is_off(name);
        if is_off("ssl") || is_set("skip_ssl") || is_set("disable_ssl") || is_set("skip_networking")
        {
            return;
        }
        let port = self.get("port").and_then(|port| port.parse().ok()).unwrap_or(3306);
        for address in self.get("bind_address").unwrap_or("*").split(',') {
            made.listens(tell::address(address.trim()), port, Some("mysql"));
        }
    }
}

/// Groups may end in the version of the program they are for.
fn group_of(name: &str) -> Of {
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    match bare.trim_end_matches('-') {
        "client-server" => Of::Both,
        "mysqld" | "mariadb" | "mariadbd" | "server" | "galera" => Of::Server,
        "client" | "client-mariadb" | "mysql" | "mariadb-client" => Of::Client,
        _ => Of::Nobody,
    }
}
