//! vsftpd: the FTP server.
//!
//! ## What it reads
//! `vsftpd.conf`, by the rules of vsftpd 3.0. Its switches of versions are kept as written: which are
//! on without a word changed from release to release.
//! ## What it cannot see
//! Settings of single users and of single addresses.

use std::collections::BTreeMap;
use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::numbered;
use crate::tell::{self, Kind, Tell};

pub(super) const PROGRAM: Program =
    Program { name: "vsftpd", recognise: |name, _| name == "vsftpd.conf", read };

/// Switches and words that are kept.
const SETTINGS: &[&str] = &[
    "force_local_data_ssl",
    "force_local_logins_ssl",
    "implicit_ssl",
    "require_cert",
    "require_ssl_reuse",
    "ssl_enable",
    "ssl_sslv2",
    "ssl_sslv3",
    "ssl_tlsv1",
    "ssl_tlsv1_1",
    "ssl_tlsv1_2",
    "ssl_tlsv1_3",
    "validate_cert",
];

/// Settings of files.
const FILES: &[(&str, Kind)] = &[
    ("ca_certs_file", Kind::Trust),
    ("dsa_cert_file", Kind::Certificate),
    ("dsa_private_key_file", Kind::Key),
    ("rsa_cert_file", Kind::Certificate),
    ("rsa_private_key_file", Kind::Key),
];

fn read(_: &Path, text: &str, _: &dyn Files) -> Vec<Configuration> {
    let mut values = BTreeMap::new();
    let mut first = None;
    for (line, text) in numbered(text) {
        // A space on either side of `=` is an error to vsftpd.
        let Some((name, value)) = text.trim().split_once('=') else { continue };
        let of_tls = SETTINGS.contains(&name) || FILES.iter().any(|(known, _)| *known == name);
        if of_tls || name == "ssl_ciphers" {
            first.get_or_insert(line);
        }
        if of_tls
            || ["listen_address", "listen_address6", "listen_port", "ssl_ciphers"].contains(&name)
        {
            values.insert(name.to_owned(), tell::clipped(value));
        }
    }
    let Some(line) = first else { return Vec::new() };
    let mut made = Configuration::of(PROGRAM.name, None, line);
    for name in SETTINGS {
        if let Some(value) = values.get(*name) {
            made.setting(name, value);
        }
    }
    for (name, kind) in FILES {
        if let Some(path) = values.get(*name) {
            made.absolute(*kind, name, path);
        }
    }
    // A key that is not said is with its certificate.
    if made.keys.is_empty() {
        made.keys.clone_from(&made.certificates);
    }
    if let Some(suites) = values.get("ssl_ciphers") {
        made.suites(suites);
    }
    let is_on =
        |name: &str| values.get(name).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    if is_on("ssl_enable") {
        let port = values.get("listen_port").and_then(|port| port.parse().ok()).unwrap_or(21);
        let starttls = if is_on("implicit_ssl") { None } else { Some("ftp") };
        let address = values.get("listen_address").or_else(|| values.get("listen_address6"));
        made.listens(address.and_then(|address| tell::address(address)), port, starttls);
    }
    vec![made]
}
