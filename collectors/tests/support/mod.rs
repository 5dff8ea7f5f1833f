//! What the tests of both collectors share: running one, and material made by OpenSSL.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of this")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use pki_collectors::{COLLECTORS, Context, Sink};
use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{Asset, Coverage, Gap, GapReason, Inventory, Kind, Observation, Raw, Time};

/// The instant of every test run.
pub const NOW: Time = Time(1_800_000_000);

/// Everything one collector reported, in order and laid together.
pub struct Seen {
    pub observations: Vec<Observation>,
    pub inventory: Inventory,
}

/// A context with these scopes.
pub fn context(tls: TlsScope, filesystem: FilesystemScope) -> Context {
    Context {
        tls,
        filesystem,
        directory: pki_config::DirectoryScope::default(),
        directory_passwords: Arc::default(),
        pkcs11: pki_config::Pkcs11Scope::default(),
        pins: Arc::default(),
        refused_logins: Arc::default(),
        noted_logins: None,
        module_command: Arc::default(),
        secret_variables: Arc::default(),
        clock: Arc::new(|| NOW),
        wall_clock: Arc::new(|| NOW),
        cancelled: Arc::default(),
        progress: Arc::default(),
        done: Arc::default(),
        seen: Arc::new(pki_collectors::Seen::new([1, 2], Vec::new())),
        passwords: Arc::default(),
    }
}

/// Runs one collector on this thread's runtime.
pub fn collect(name: &str, cx: &Context) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let collector = COLLECTORS.iter().find(|collector| collector.name() == name).unwrap();
        let (sink, mut receiver) = Sink::bounded(16);
        let take = async {
            let mut observations = Vec::new();
            while let Some(observation) = receiver.recv().await {
                observations.push(observation);
            }
            observations
        };
        let (result, observations) = tokio::join!(collector.collect(cx, sink), take);
        result.unwrap();
        let mut inventory = Inventory::default();
        for observation in &observations {
            inventory.absorb(observation.clone());
        }
        Seen { observations, inventory }
    })
}

impl Seen {
    /// Assets of a kind.
    pub fn of(&self, kind: Kind) -> Vec<&Asset> {
        self.inventory.assets().filter(|asset| asset.id.kind == kind).collect()
    }

    /// How many assets of each kind there are, those that there are.
    pub fn kinds(&self) -> Vec<(Kind, usize)> {
        let count = |kind: &Kind| (*kind, self.of(*kind).len());
        Kind::ALL.iter().map(count).filter(|(_, count)| *count > 0).collect()
    }

    /// Gaps with a reason.
    pub fn gaps(&self, reason: GapReason) -> Vec<&Gap> {
        self.inventory.gaps().filter(|gap| gap.reason == reason).collect()
    }

    /// Reasons of all gaps.
    pub fn reasons(&self) -> Vec<GapReason> {
        self.inventory.gaps().map(|gap| gap.reason).collect()
    }

    /// The only coverage.
    pub fn coverage(&self) -> &Coverage {
        let mut all = self.inventory.coverage();
        let (_, _, first) = all.next().unwrap();
        assert!(all.next().is_none(), "one scope, one coverage");
        assert_eq!(first.asked, first.read + first.not_read);
        first
    }
}

/// Places of an asset as text.
pub fn places(asset: &Asset) -> Vec<String> {
    asset.places().map(ToString::to_string).collect()
}

/// Runs the OpenSSL command in a folder and returns what it printed.
pub fn openssl(folder: &Path, command: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(command.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "openssl {command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A folder that is removed at the end.
pub struct Tree(tempfile::TempDir);

impl Tree {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Without links, as the collector reports it.
    pub fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn openssl(&self, command: &str) -> Vec<u8> {
        openssl(&self.path(), command)
    }

    /// Walks it with the filesystem collector.
    pub fn scan(&self) -> Seen {
        scan(|scope| scope.roots = vec![self.path()])
    }
}

/// Runs the filesystem collector over a scope.
pub fn scan(set: impl FnOnce(&mut FilesystemScope)) -> Seen {
    let mut scope = FilesystemScope::default();
    set(&mut scope);
    collect("filesystem", &context(TlsScope::default(), scope))
}

/// The claimed kinds and errors of everything unparsed, by object number.
pub fn unparsed(seen: &Seen) -> Vec<(String, String)> {
    let all = seen.observations.iter().filter_map(|observation| match observation {
        Observation::Found { raw: Raw::Unparsed { unparsed, .. }, .. } => Some(unparsed),
        _ => None,
    });
    all.map(|unparsed| (unparsed.claimed.clone(), unparsed.error.clone())).collect()
}

/// A list with an issuer, dates, enough entries and no signature worth the name.
pub fn large_revocation_list(octets: usize) -> Vec<u8> {
    let element = |tag: u8, value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap().to_be_bytes();
        [&[tag, 0x84][..], &length, value].concat()
    };
    let algorithm =
        [&[0x30, 0x0c, 0x06, 0x08][..], &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], &[5, 0]]
            .concat();
    let name = element(0x30, &element(0x31, &element(0x30, b"\x06\x03\x55\x04\x03\x0c\x01x")));
    let date = b"\x17\x0d260101000000Z";
    let entry = [&b"\x30\x18\x02\x07\x01\x02\x03\x04\x05\x06\x07"[..], date].concat();
    assert_eq!(entry.len(), 26);
    let entries = element(0x30, &entry.repeat(octets / entry.len()));
    let signed = element(0x30, &[&[2, 1, 1][..], &algorithm, &name, date, date, &entries].concat());
    element(0x30, &[&signed[..], &algorithm, &[3, 2, 0, 1]].concat())
}
