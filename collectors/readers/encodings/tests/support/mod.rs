//! Material made by OpenSSL, and a look at what was found in it.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of this")]

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pki_encodings::{Collected, everything};
use pki_inventory::{Digest, Object, Raw};

/// A folder that goes away.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Runs OpenSSL in it and hands back what it prints.
    pub fn openssl(&self, arguments: &str) -> Vec<u8> {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("openssl is installed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
        output.stdout
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    /// `NAME.key` and `NAME.crt`, which signs itself.
    pub fn identity(&self, name: &str, more: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={name} -keyout {name}.key -out {name}.crt {more}"
        ));
    }

    /// The DER in a file of PEM.
    pub fn der(&self, name: &str) -> Vec<u8> {
        der(&self.text(name))
    }
}

/// The octets of one block.
pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64_STANDARD.decode(body).unwrap()
}

pub fn encoded(octets: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(octets)
}

/// Everything in these octets.
pub fn found(octets: impl AsRef<[u8]>) -> Collected {
    let mut report = Collected::default();
    everything(octets.as_ref(), &mut report);
    report
}

/// What each object is called, with what it is.
pub fn labels(report: &Collected) -> Vec<String> {
    report.objects.iter().map(|object| format!("{} {:?}", kind(object), object.label)).collect()
}

pub fn kind(object: &Object) -> &'static str {
    match &object.raw {
        Raw::Certificate(_) => "certificate",
        Raw::RevocationList(_) => "list",
        Raw::SigningRequest(_) => "request",
        Raw::Key { .. } => "key",
        Raw::Unparsed { .. } => "unparsed",
        _ => "other",
    }
}

/// The certificates, by label.
pub fn certificates(report: &Collected) -> Vec<(Digest, Option<&str>)> {
    let digest = |object: &Object| match &object.raw {
        Raw::Certificate(der) => Some(Digest::of(der)),
        _ => None,
    };
    report
        .objects
        .iter()
        .filter_map(|object| Some((digest(object)?, object.label.as_deref())))
        .collect()
}
