//! Tokens in software, and modules that behave badly.
//!
//! SoftHSM keeps its tokens in a folder that `SOFTHSM2_CONF` names, so each test has its own. What is
//! on them is put there by a process of its own, see `make.rs`. NSS softokn reads a folder that its
//! parameters name, and openCryptoki has places of its own. The misbehaving module is compiled from `tests/modules`.

mod misbehaving;
mod nss;
mod objects;
mod opencryptoki;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

pub use misbehaving::{misbehaving, processes_with};
pub use nss::NssDatabase;
pub use objects::{Object, certify, hex};
pub use opencryptoki::Opencryptoki;
use serde_json::{Value, json};

use crate::certificates::path;
use crate::tools;

/// The PIN of the security officer of every token; nobody but the initialisation needs it.
const SO_PIN: &str = "5120-Unused-Officer";

/// A SoftHSM with tokens of its own.
pub struct SoftHsm {
    folder: PathBuf,
}

/// The files of tokens with their content and the time of the last write.
pub type Contents = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

/// A library of this machine that is no program.
///
/// # Panics
///
/// When it is not installed.
#[must_use]
pub fn library(name: &str) -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.filter(|folder| folder.is_dir()) {
        for within in ["softhsm", "pkcs11", "nss", ""] {
            let found = folder.join(within).join(name);
            if found.is_file() {
                return found;
            }
        }
    }
    panic!("{name} is nowhere below /usr/lib; tests/run installs it")
}

/// The module of SoftHSM.
#[must_use]
pub fn softhsm() -> PathBuf {
    library("libsofthsm2.so")
}

/// Where cargo puts what it builds: the folder above the one that the test lies in.
fn built(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join(name)
}

impl SoftHsm {
    /// Without tokens, in a folder below this one.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let folder = folder.join("softhsm");
        fs::create_dir_all(folder.join("tokens")).unwrap();
        let hsm = Self { folder };
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            path(&hsm.folder.join("tokens"))
        );
        fs::write(hsm.configuration(), text).unwrap();
        hsm
    }

    /// What `SOFTHSM2_CONF` is to be.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    /// Tells a command about these tokens.
    pub fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SOFTHSM2_CONF", self.configuration())
    }

    /// Initialises a token.
    pub fn add_token(&self, label: &str, pin: &str) {
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", label, "--so-pin", SO_PIN]);
        command.args(["--pin", pin]);
        self.tell(&mut command);
        tools::finish(command);
    }

    /// Puts objects on a token.
    pub fn put(&self, token: &str, pin: &str, objects: &[Object]) {
        let objects: Vec<&Value> = objects.iter().map(Object::plan).collect();
        self.work(token, pin, &json!({"objects": objects}));
    }

    /// Removes the objects with this label from a token.
    pub fn remove(&self, token: &str, pin: &str, label: &str) {
        self.work(token, pin, &json!({"remove": [label]}));
    }

    /// Reads a token as barely as it can be done; gives the number of objects and the seconds it took.
    #[must_use]
    pub fn floor(&self, token: &str, pin: &str) -> (usize, f64) {
        let told = self.work(token, pin, &json!({"read": true}));
        let (count, seconds) = told.trim().split_once(' ').unwrap();
        (count.parse().unwrap(), seconds.parse().unwrap())
    }

    fn work(&self, token: &str, pin: &str, plan: &Value) -> String {
        let mut plan = plan.clone();
        plan["module"] = json!(softhsm());
        plan["token"] = token.into();
        plan["pin"] = pin.into();
        let program = built("pkimm-make-objects");
        let mut command = Command::new(&program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.tell(&mut command).spawn();
        let mut child = child.unwrap_or_else(|error| {
            panic!("{}: {error}; cargo builds it with the tests", program.display())
        });
        child.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{token} was not filled:\n{told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `pkcs11-tool` prints about a token, logged in with a PIN or not.
    #[must_use]
    pub fn tool(&self, token: &str, pin: Option<&str>, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("pkcs11-tool");
        command.arg("--module").arg(softhsm()).args(["--token-label", token]).args(arguments);
        if let Some(pin) = pin {
            command.args(["--login", "--pin", pin]);
        }
        self.tell(&mut command);
        tools::finish(command)
    }

    /// The public key with this label, as `pkcs11-tool` writes it: the encoding of its SPKI.
    #[must_use]
    pub fn public_key(&self, token: &str, label: &str) -> Vec<u8> {
        self.tool(token, None, &["--read-object", "--type", "pubkey", "--label", label])
    }

    /// Every file of the tokens.
    #[must_use]
    pub fn contents(&self) -> Contents {
        contents_below(&self.folder.join("tokens"))
    }
}

fn contents_below(folder: &Path) -> Contents {
    let mut found = Contents::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let at = entry.unwrap().path();
            if at.is_dir() {
                folders.push(at);
            } else {
                let written = fs::metadata(&at).unwrap().modified().unwrap();
                found.insert(at.clone(), (fs::read(&at).unwrap(), written));
            }
        }
    }
    found
}

/// The calls that `pkcs11-spy` saw, from what it wrote: names of functions, in order.
#[must_use]
pub fn calls(written: &str) -> Vec<String> {
    // `12: C_Login`
    let call = |line: &str| {
        let (number, name) = line.split_once(": ")?;
        let is_call = number.parse::<u64>().is_ok() && name.starts_with("C_");
        is_call.then(|| name.trim().to_owned())
    };
    written.lines().filter_map(call).collect()
}
