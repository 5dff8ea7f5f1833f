//! Starts the process, gives it orders and keeps what it answers.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use pki_tokens::wire::{LoginOrder, Message, ObjectAnswer, Order, Pin, Value};
use zeroize::Zeroizing;

/// The PIN that the misbehaving module takes.
pub const RIGHT: &str = "1234";

/// Nothing here takes longer but what hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running process.
pub struct Process {
    pub child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    patience: Duration,
}

/// What a whole conversation gave.
#[derive(Debug, Default)]
pub struct Heard {
    pub messages: Vec<Message>,
    /// Lines that are no answers.
    pub garbage: usize,
    /// All of it, as it came.
    pub raw: Vec<u8>,
    pub status: Option<ExitStatus>,
    /// What the module took note of.
    pub notes: String,
}

/// How to speak with the misbehaving module.
pub struct Conversation<'a> {
    pub mode: &'a str,
    pub pin: Option<&'a str>,
    pub at_device: bool,
    pub parameters: Option<&'a str>,
    pub memory_mib: u64,
    pub max_objects: u64,
    pub patience: Duration,
}

impl Default for Conversation<'_> {
    fn default() -> Self {
        Self {
            mode: "",
            pin: None,
            at_device: false,
            parameters: None,
            memory_mib: 1024,
            max_objects: 10_000,
            patience: PATIENCE,
        }
    }
}

impl Conversation<'_> {
    /// Has it.
    pub fn have(&self) -> Heard {
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes");
        let variables = [
            ("PKIMM_MISBEHAVE", self.mode.to_owned()),
            ("PKIMM_ATTEMPTS", notes.display().to_string()),
        ];
        let mut process = Process::start(&variables);
        process.patience = self.patience;
        let mut heard = process.all(&misbehaving(), self, || match self.pin {
            Some(pin) => Some(pin_of(pin)),
            None => self.at_device.then_some(LoginOrder::Device),
        });
        heard.notes = std::fs::read_to_string(notes).unwrap_or_default();
        heard
    }
}

/// The conversation with the module that misbehaves so, without a login.
pub fn hear(mode: &str) -> Heard {
    Conversation { mode, ..Conversation::default() }.have()
}

/// The same with the right PIN.
pub fn hear_as_user(mode: &str) -> Heard {
    Conversation { mode, pin: Some(RIGHT), ..Conversation::default() }.have()
}

/// To log in with this PIN.
pub fn pin_of(pin: &str) -> LoginOrder {
    LoginOrder::Pin(Pin(Zeroizing::new(pin.to_owned())))
}

impl Process {
    pub fn start(variables: &[(&str, String)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pki-module-alone"))
            .envs(variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = Vec::new();
                match output.read_until(b'\n', &mut line) {
                    Ok(1..) if sender.send(line).is_ok() => {}
                    _ => break,
                }
            }
        });
        Self { child, input, lines, patience: PATIENCE }
    }

    /// Gives an order; a process that is gone takes none.
    pub fn say(&mut self, order: &Order) {
        let mut line = serde_json::to_vec(order).unwrap();
        line.push(b'\n');
        self.write(&line);
    }

    pub fn write(&mut self, octets: &[u8]) {
        let _ = self.input.as_mut().unwrap().write_all(octets);
    }

    /// There will be no more orders.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Listens up to such an answer; says whether it came.
    pub fn until(&mut self, heard: &mut Heard, last: impl Fn(&Message) -> bool) -> bool {
        while let Ok(line) = self.lines.recv_timeout(self.patience) {
            heard.raw.extend(&line);
            match serde_json::from_slice(&line) {
                Ok(message) => {
                    heard.messages.push(message);
                    if heard.messages.last().is_some_and(&last) {
                        return true;
                    }
                }
                Err(_) => heard.garbage += 1,
            }
        }
        false
    }

    /// Waits for the process to end, or ends it where it does not.
    pub fn over(&mut self, heard: &mut Heard) {
        self.until(heard, |_| false);
        heard.status = self.child.try_wait().unwrap();
        if heard.status.is_none() {
            // What closed its output is about to end.
            std::thread::sleep(self.patience.min(Duration::from_millis(500)));
            heard.status = self.child.try_wait().unwrap();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// All there is to be heard of a module: its slots, then each of its tokens, then the end.
    pub fn all(
        mut self,
        module: &Path,
        how: &Conversation,
        login: impl Fn() -> Option<LoginOrder>,
    ) -> Heard {
        let mut heard = Heard::default();
        self.say(&Order::Start {
            module: module.display().to_string(),
            parameters: how.parameters.map(str::to_owned),
            memory_mib: how.memory_mib,
        });
        if self.until(&mut heard, |message| *message == Message::SlotsEnd) {
            for slot in heard.tokens() {
                self.say(&Order::Read { slot, login: login(), max_objects: how.max_objects });
                if !self.until(&mut heard, |message| matches!(message, Message::ReadEnd { .. })) {
                    break;
                }
            }
        }
        self.say(&Order::End);
        self.over(&mut heard);
        heard
    }
}

impl Heard {
    /// The slots with a token that was initialised.
    pub fn tokens(&self) -> Vec<u64> {
        let slot = |message: &Message| match message {
            Message::Slot(slot) => {
                let token = slot.token.as_ref().filter(|token| token.flags & 0x400 != 0);
                token.map(|_| slot.id)
            }
            _ => None,
        };
        self.messages.iter().filter_map(slot).collect()
    }

    pub fn objects(&self) -> Vec<&ObjectAnswer> {
        let objects = self.messages.iter().filter_map(|message| match message {
            Message::Object(object) => Some(&**object),
            _ => None,
        });
        objects.collect()
    }

    /// The labels of its objects with their classes, in their order.
    pub fn labels(&self) -> Vec<(u64, String)> {
        let label = |object: &&ObjectAnswer| match value(object, 3) {
            Value::Octets(octets) => (object.class, String::from_utf8(octets.0.clone()).unwrap()),
            other => (object.class, format!("{other:?}")),
        };
        self.objects().iter().map(label).collect()
    }

    /// Function, `CK_RV` and detail of each call that failed.
    pub fn failures(&self) -> Vec<(&str, Option<u64>, &str)> {
        let failures = self.messages.iter().filter_map(|message| match message {
            Message::Failed { call, returned, detail, .. } => {
                Some((call.as_str(), *returned, detail.as_str()))
            }
            _ => None,
        });
        failures.collect()
    }

    /// Whether this was heard.
    pub fn has(&self, message: &Message) -> bool {
        self.messages.contains(message)
    }

    /// How many functions were called, when it came to its end in order.
    pub fn calls(&self) -> Option<u64> {
        match self.messages.last() {
            Some(Message::End { calls }) if self.status.is_some_and(|s| s.success()) => {
                Some(*calls)
            }
            _ => None,
        }
    }
}

/// What was answered about an attribute of an object.
pub fn value(object: &ObjectAnswer, attribute: u64) -> &Value {
    let found = object.attributes.iter().find(|(number, _)| *number == attribute);
    &found.unwrap_or_else(|| panic!("{attribute:#x} is not in {object:?}")).1
}

/// The module that misbehaves, compiled once.
pub fn misbehaving() -> PathBuf {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    let module = MODULE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/modules/misbehaving.c");
        let library = folder.join(format!("misbehaving-{}.so", std::process::id()));
        let done = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
            .args([&library, &source])
            .status()
            .expect("cc, which tests/run installs");
        assert!(done.success());
        let one = folder.join("misbehaving.so");
        std::fs::rename(library, &one).unwrap();
        one
    });
    module.clone()
}
