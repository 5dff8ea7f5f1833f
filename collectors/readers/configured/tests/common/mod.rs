//! Files in memory, and on a disk.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pki_configured::Files;
use pki_inventory::{Configuration, Listens};

/// Files by their paths.
#[derive(Debug, Clone, Default)]
pub struct Memory(pub BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| (path.into(), text.as_bytes().to_vec()));
        Self(files.collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.0.get(path).cloned()
    }

    fn matching(&self, pattern: &str) -> Vec<PathBuf> {
        let fits = |path: &&PathBuf| fits(pattern.as_bytes(), path.to_str().unwrap().as_bytes());
        self.0.keys().filter(fits).cloned().collect()
    }
}

/// Files of this machine.
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        fs::read(path).ok()
    }

    /// Patterns in the last part only, which is all that Debian's packages use.
    fn matching(&self, pattern: &str) -> Vec<PathBuf> {
        let folder = Path::new(pattern).parent().unwrap();
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        let fits = |path: &PathBuf| fits(pattern.as_bytes(), path.to_str().unwrap().as_bytes());
        let mut paths: Vec<PathBuf> = paths.filter(fits).collect();
        paths.sort();
        paths
    }
}

/// `*` and `?` within one part of a path.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            fits(rest, path)
                || matches!(path, [letter, more @ ..] if *letter != b'/' && fits(pattern, more))
        }
        ([b'?', rest @ ..], [letter, more @ ..]) => *letter != b'/' && fits(rest, more),
        ([one, rest @ ..], [letter, more @ ..]) => one == letter && fits(rest, more),
        _ => false,
    }
}

/// What the settings say whose main file is the first one.
pub fn read(files: &[(&str, &str)]) -> Vec<Configuration> {
    let path = Path::new(files[0].0);
    assert!(pki_configured::recognise(path), "{path:?} is not recognised");
    pki_configured::read(path, files[0].1.as_bytes(), &Memory::of(files))
}

/// What the settings of this machine say.
pub fn read_disk(path: &str) -> Vec<Configuration> {
    let octets = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let path = Path::new(path);
    assert!(pki_configured::recognise(path), "{path:?} is not recognised");
    pki_configured::read(path, &octets, &Disk)
}

/// The part of this name.
pub fn part<'a>(found: &'a [Configuration], name: &str) -> &'a Configuration {
    let named = found.iter().find(|one| one.part.as_deref().unwrap_or("") == name);
    named.unwrap_or_else(|| panic!("no part `{name}` in {found:#?}"))
}

/// Ports with their protocol, `143/imap`, and the address before, if there is one.
pub fn ports(configuration: &Configuration) -> Vec<String> {
    let shown = |one: &Listens| {
        let address = one.address.iter().map(|address| format!("{address} "));
        let starttls = one.starttls.iter().map(|name| format!("/{name}"));
        let port = [one.port.to_string()].into_iter();
        address.chain(port).chain(starttls).collect::<String>()
    };
    configuration.listens.iter().map(shown).collect()
}

/// The versions in one text, or `None`.
pub fn versions(configuration: &Configuration) -> Option<String> {
    configuration.versions.as_ref().map(|versions| versions.join(" "))
}
