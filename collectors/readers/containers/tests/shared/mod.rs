//! What the tests have in common: a visitor that keeps everything, and a few lines of tar.
#![allow(dead_code, reason = "each test uses its part")]

use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use pki_containers::{Budget, Entry, Limits, Visit, open, open_stream, recognise};
use pki_inventory::{GapReason, Layer};
use sha2::{Digest as _, Sha256};

/// One entry: where it lay (archives separated by `!/`), what it held, in which layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub name: String,
    pub sha256: String,
    pub octets: u64,
    pub layer: Option<Layer>,
}

/// Keeps all entries and gaps, of archives in archives too.
#[derive(Default)]
pub struct Everything {
    pub entries: Vec<Found>,
    pub gaps: Vec<(String, GapReason, String)>,
    pub around: String,
    /// Ends after so many entries.
    pub most: Option<usize>,
}

impl Visit for Everything {
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn Read,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        let name = format!("{}{}", self.around, String::from_utf8_lossy(entry.name));
        let mut prefix = Vec::new();
        let _ = content.take(600).read_to_end(&mut prefix);
        if let Some(format) = recognise(&prefix) {
            let around = std::mem::replace(&mut self.around, format!("{name}!/"));
            open_stream(format, &mut prefix.as_slice().chain(content), budget, self);
            self.around = around;
        } else {
            let mut hash = Sha256::new_with_prefix(&prefix);
            let mut octets = prefix.len() as u64;
            let mut buffer = vec![0; 1 << 16];
            while let Ok(read @ 1..) = content.read(&mut buffer) {
                hash.update(&buffer[..read]);
                octets += read as u64;
            }
            let layer = entry.layer.cloned();
            self.entries.push(Found { name, sha256: hexadecimal(&hash.finalize()), octets, layer });
        }
        if self.most.is_some_and(|most| self.entries.len() >= most) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String) {
        let name = name.map_or_else(String::new, |name| String::from_utf8_lossy(name).into_owned());
        self.gaps.push((format!("{}{name}", self.around), reason, detail));
    }
}

impl Everything {
    pub fn names(&self) -> Vec<&str> {
        self.entries.iter().map(|found| found.name.as_str()).collect()
    }

    /// Names and digests, sorted, with the names of the tools.
    pub fn sorted(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> =
            self.entries.iter().map(|f| (f.name.clone(), f.sha256.clone())).collect();
        all.sort();
        all
    }

    pub fn reasons(&self) -> Vec<GapReason> {
        self.gaps.iter().map(|(_, reason, _)| *reason).collect()
    }

    pub fn find(&self, name: &str) -> &Found {
        let found = self.entries.iter().find(|found| found.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {:?}, {:?}", self.names(), self.gaps))
    }
}

pub fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub fn sha256(octets: &[u8]) -> String {
    hexadecimal(&Sha256::digest(octets))
}

pub const LIMITS: Limits = Limits { depth: 4, ratio: 250, octets: 16 << 30, entries: 2_000_000 };

/// All there is in an archive in memory.
pub fn everything(archive: &[u8]) -> Everything {
    within(archive, LIMITS)
}

pub fn within(archive: &[u8], limits: Limits) -> Everything {
    let mut all = Everything::default();
    let format = recognise(&archive[..archive.len().min(600)]).expect("it is an archive");
    open(format, &mut Cursor::new(archive), &mut Budget::new(limits), &mut all);
    all
}

/// The same read only once.
pub fn streamed(archive: &[u8], limits: Limits) -> Everything {
    let mut all = Everything::default();
    let format = recognise(&archive[..archive.len().min(600)]).expect("it is an archive");
    open_stream(format, &mut &*archive, &mut Budget::new(limits), &mut all);
    all
}

/// Runs a shell command in a folder. A tool that is missing fails the test.
pub fn shell(folder: &Path, command: &str) -> String {
    let run = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .current_dir(folder)
        .env("LC_ALL", "C")
        .output()
        .expect("bash runs");
    let error = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{command}\n{error}\nis the tool installed? see tests/run");
    String::from_utf8_lossy(&run.stdout).into_owned()
}

/// A tree with names and contents of several kinds.
pub fn tree(folder: &Path) {
    shell(
        folder,
        "mkdir -p tree/etc/ssl/private tree/empty
         seq 1 20000 > tree/etc/numbers
         head -c 300000 /dev/urandom > tree/etc/ssl/private/noise.bin
         : > tree/etc/nothing
         printf 'key' > 'tree/etc/ssl/private/a key with blanks.pem'
         long=$(printf 'n%.0s' $(seq 120)); mkdir -p tree/$long/$long
         printf long > tree/$long/$long/$long
         ln -s ../etc/numbers tree/empty/link",
    );
}

/// The digests of all regular files below a folder by the tools.
pub fn by_tools(folder: &Path, below: &str) -> Vec<(String, String)> {
    let lines = shell(folder, &format!("cd {below} && find . -type f -exec sha256sum {{}} +"));
    let line = |line: &str| {
        let (digest, name) = line.split_once("  ./").expect("a digest and a name");
        (name.to_owned(), digest.to_owned())
    };
    let mut all: Vec<_> = lines.lines().map(line).collect();
    all.sort();
    all
}

/// A member of a tar: name, type, content.
pub fn member(name: &str, kind: u8, size: &[u8; 12], content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(size);
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend_from_slice(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

pub fn octal(size: usize) -> [u8; 12] {
    let text = format!("{size:011o}\0");
    text.as_bytes().try_into().expect("twelve octets")
}

pub fn file(name: &str, content: &str) -> Vec<u8> {
    member(name, b'0', &octal(content.len()), content.as_bytes())
}

pub fn folder(name: &str) -> Vec<u8> {
    member(name, b'5', &octal(0), b"")
}

pub fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    let mut all = members.concat();
    all.resize(all.len() + 1024, 0);
    all
}
