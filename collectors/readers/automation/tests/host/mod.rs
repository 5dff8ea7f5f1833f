//! A host of which the test says what is on it.

#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pki_automation::Host;
use pki_inventory::Automation;

#[derive(Default)]
pub struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Memory {
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), content.as_ref().to_vec());
        self
    }

    pub fn files(self, folder: &str, names: &[&str]) -> Self {
        names.iter().fold(self, |host, name| host.file(&format!("{folder}/{name}"), ""))
    }

    pub fn link(mut self, path: &str, to: &str) -> Self {
        self.links.insert(path.into(), to.into());
        self
    }

    /// What the file that lies there says.
    pub fn read_at(&self, path: &str) -> Vec<Automation> {
        let path = Path::new(path);
        assert!(pki_automation::recognise(path), "{} is not recognised", path.display());
        pki_automation::read(path, &self.files[path], self)
    }

    pub fn one(&self, path: &str) -> Automation {
        let found = self.read_at(path);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.into_iter().next().expect("there is one")
    }
}

impl Host for Memory {
    fn list(&self, folder: &Path) -> Vec<OsString> {
        let all = self.files.keys().chain(self.links.keys());
        let below = all.filter_map(|path| path.strip_prefix(folder).ok()?.components().next());
        let names: BTreeSet<OsString> = below.map(|name| name.as_os_str().to_owned()).collect();
        names.into_iter().collect()
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.files.get(path).cloned()
    }

    fn link(&self, path: &Path) -> Option<PathBuf> {
        self.links.get(path).cloned()
    }
}

/// One file, and nothing else on the host.
pub fn alone(path: &str, content: &str) -> Automation {
    Memory::default().file(path, content).one(path)
}

/// That nothing of a command, an account or a secret came along.
#[track_caller]
pub fn no_canary(found: &[Automation]) {
    let all = format!("{found:?}").to_lowercase();
    assert!(!all.contains("canary"), "{all}");
}
