//! A process that answers as the one of a module does, from lines that were written before. What a real
//! module does is tested where there is one; here it is what none can be brought to do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pki_collectors::{Context, TokenPin};
use pki_config::{
    FilesystemScope, PinSource, Pkcs11Module, Pkcs11Scope, SecretSource, TlsScope, TokenLogin,
};
use pki_tokens::wire::{Message, ObjectAnswer, Octets, SlotAnswer, TokenAnswer, Value};
use zeroize::Zeroizing;

use crate::support::context;

/// `CKF_LOGIN_REQUIRED`, `CKF_USER_PIN_INITIALIZED`, `CKF_TOKEN_INITIALIZED`.
pub const READY: u64 = 0x4 | 0x8 | 0x400;

/// What the process says, part by part: one before the first order to read, one after each.
pub struct Script {
    folder: tempfile::TempDir,
    parts: usize,
    /// What is played for `/opt/other.so`.
    other: Option<Box<Script>>,
}

/// Ends a part: how the process goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It waits for the next order.
    Waits,
    /// It ends.
    Ends,
    /// It hangs.
    Hangs,
    /// It starts a program that outlives it, and ends; `forked` holds its number.
    Forks,
}

impl Script {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), parts: 0, other: None }
    }

    /// Adds a second module.
    pub fn beside(self, other: Script) -> Self {
        Self { other: Some(Box::new(other)), ..self }
    }

    /// The process breaks when it is let go.
    pub fn parts_badly(self) -> Self {
        std::fs::write(self.file("badly"), "").unwrap();
        self
    }

    /// Adds a part.
    pub fn part(self, messages: &[Message], then: Then) -> Self {
        let lines: Vec<String> =
            messages.iter().map(|it| serde_json::to_string(it).unwrap() + "\n").collect();
        self.text(&lines.concat(), then)
    }

    /// Adds a part of any text.
    pub fn text(mut self, text: &str, then: Then) -> Self {
        let path = self.folder.path().join(format!("part{}", self.parts));
        std::fs::write(path, text).unwrap();
        let then = match then {
            Then::Waits => "",
            Then::Ends => "exit 3",
            Then::Hangs => "exec sleep 600",
            Then::Forks => "sleep 600 < /dev/null > /dev/null & echo $! > forked; exit 3",
        };
        std::fs::write(self.folder.path().join(format!("then{}", self.parts)), then).unwrap();
        self.parts += 1;
        self
    }

    /// The command that plays it. A process that is started anew goes on where the last one ended.
    fn command(&self) -> Vec<OsString> {
        let script = r#"
            cd "$0" || exit 9
            env > environment
            n=$(cat at 2>/dev/null || echo 0)
            while read -r order; do
                case "$order" in *Start*/opt/other.so*) cd "$1" || exit 9
                    n=$(cat at 2>/dev/null || echo 0) ;; esac
                printf '%s\n' "$order" >> orders
                case "$order" in
                    *Start*) if [ "$n" != 0 ]; then cat part0; continue; fi ;;
                    *End*) test -e badly && kill -SEGV $$; echo '{"End":{"calls":1}}'; exit 0 ;;
                esac
                echo $((n + 1)) > at
                cat "part$n"
                . "./then$n"
                n=$((n + 1))
            done
        "#;
        let folder = self.folder.path().as_os_str().to_owned();
        let other = self.other.as_ref().map(|other| other.folder.path().as_os_str().to_owned());
        let mut command: Vec<OsString> = vec!["sh".into(), "-c".into(), script.into(), folder];
        command.extend(other);
        command
    }

    /// The orders that were given, each as its JSON text.
    pub fn orders(&self) -> Vec<String> {
        let of =
            |script: &Script| std::fs::read_to_string(script.file("orders")).unwrap_or_default();
        let all = of(self) + &self.other.as_deref().map(of).unwrap_or_default();
        all.lines().map(str::to_owned).collect()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A context for one module that this plays.
    pub fn context(&self, scope: Pkcs11Scope, pins: &[Option<&str>]) -> Context {
        let module = |path: &str| Pkcs11Module {
            path: Path::new(path).to_owned(),
            parameters: None,
            origin: None,
        };
        let mut modules = vec![module("/opt/module.so")];
        modules.extend(self.other.iter().map(|_| module("/opt/other.so")));
        let pin = |pin: &str| TokenPin { pin: Zeroizing::new(pin.to_owned()), mark: "file".into() };
        Context {
            pkcs11: Pkcs11Scope { modules, ..scope },
            pins: Arc::new(pins.iter().map(|it| it.map(pin)).collect()),
            module_command: Arc::new(self.command()),
            ..context(TlsScope::default(), FilesystemScope::default())
        }
    }
}

/// A login of the settings, its PIN from a file.
pub fn login(token: &str) -> TokenLogin {
    TokenLogin {
        token: token.parse().unwrap(),
        pin: PinSource::Kept(SecretSource::File("/etc/pin".into())),
        although_count_low: false,
        attempt: 1,
        origin: None,
    }
}

pub fn padded(text: &str, length: usize) -> Octets {
    Octets(format!("{text:<length$}").into_bytes())
}

pub fn library() -> Message {
    Message::Library {
        manufacturer: padded("Makers", 32),
        description: padded("A module", 32),
        version: (1, 2),
        interface: (2, 40),
    }
}

/// A slot with a token.
pub fn slot(id: u64, label: &str, flags: u64) -> Message {
    Message::Slot(Box::new(SlotAnswer {
        id,
        description: padded("A slot", 64),
        manufacturer: padded("Makers", 32),
        flags: 1,
        token: Some(TokenAnswer {
            label: padded(label, 32),
            manufacturer: padded("Makers", 32),
            model: padded("M1", 16),
            serial: padded("77", 16),
            flags,
            sessions: 0,
            max_pin: 8,
            min_pin: 4,
            total_public: u64::MAX,
            free_public: u64::MAX,
            total_private: u64::MAX,
            free_private: u64::MAX,
            hardware: (1, 0),
            firmware: (3, 4),
            clock: padded("", 16),
        }),
        mechanisms: Some(Vec::new()),
    }))
}

/// What a module says before it is told to read.
pub fn begins(slots: &[Message]) -> Vec<Message> {
    let mut all = vec![library()];
    all.extend_from_slice(slots);
    all.push(Message::SlotsEnd);
    all
}

/// A symmetric key with this identifier (`CKO_SECRET_KEY`, `CKA_CLASS`, `CKA_ID`, `CKA_KEY_TYPE`:
/// `CKK_AES`).
pub fn key(slot: u64, id: u8) -> Message {
    let number = |number: u64| Value::Octets(Octets(number.to_ne_bytes().to_vec()));
    let attributes =
        vec![(0x0, number(4)), (0x100, number(0x1f)), (0x102, Value::Octets(Octets(vec![id])))];
    Message::Object(Box::new(ObjectAnswer { slot, class: 4, attributes }))
}

/// A certificate (`CKO_CERTIFICATE`, `CKA_CLASS`, `CKA_CERTIFICATE_TYPE`: `CKC_X_509`, `CKA_ID`,
/// `CKA_VALUE`).
pub fn certificate(slot: u64, id: u8, der: Vec<u8>) -> Message {
    let number = |number: u64| Value::Octets(Octets(number.to_ne_bytes().to_vec()));
    let attributes = vec![
        (0x0, number(1)),
        (0x80, number(0)),
        (0x102, Value::Octets(Octets(vec![id]))),
        (0x11, Value::Octets(Octets(der))),
    ];
    Message::Object(Box::new(ObjectAnswer { slot, class: 1, attributes }))
}

pub fn read_end(slot: u64, keys: u64) -> Message {
    Message::ReadEnd { slot, counts: vec![(1, 0), (4, keys)], truncated: false }
}

pub fn logged_in(slot: u64, returned: u64) -> [Message; 2] {
    [Message::LoginBegins { slot }, Message::Login { slot, returned }]
}
