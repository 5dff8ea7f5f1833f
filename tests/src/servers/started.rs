//! How a real server is started, waited for and ended.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Door;
use crate::agent::{Running, is_root};
use crate::certificates::Issued;

/// A server may take this long until it listens.
const START: Duration = Duration::from_secs(20);
/// And this long until it has ended its children.
const END: Duration = Duration::from_secs(5);
/// A child that serves a connection may take this long to see that it is over.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// `nobody`, as whom servers run when root starts them: some refuse to run as root.
const NOBODY: u32 = 65_534;

/// A real TLS server, with one door or many.
pub struct TlsServer {
    running: Running,
    doors: Vec<Door>,
    /// The signal at which it ends its children, where it has some.
    farewell: Option<&'static str>,
    /// Configuration and log.
    folder: tempfile::TempDir,
}

/// The folder of a server that is about to be started.
pub(super) struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    pub(super) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pkimm-lab-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let setup = Self { folder };
        setup.give(setup.path());
        setup
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a folder below.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(&path).unwrap();
        self.give(&path);
        path
    }

    /// Writes a file below that only the server may read.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.give(&path);
        path
    }

    /// Copies a certificate with what is above it, and its key.
    pub(super) fn certificate(&self, issued: &Issued) -> (PathBuf, PathBuf) {
        let files = std::iter::once(&issued.certificate).chain(&issued.chain);
        let texts: Vec<String> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
        let key = fs::read(&issued.key).unwrap();
        (self.write("certificate.pem", texts.concat()), self.write("key.pem", key))
    }

    /// A program of this machine, run as somebody who is not root.
    pub(super) fn command(&self, program: &str) -> Command {
        let program = program_of(program);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
        command.args(user).args(["--clear-groups", "--"]).arg(program);
        command
    }

    /// Starts it and waits until it listens at every door.
    pub(super) fn start(self, mut command: Command, doors: Vec<Door>) -> TlsServer {
        let folder = self.folder;
        let log = fs::File::create(folder.path().join("printed")).unwrap();
        command.current_dir(folder.path());
        // Some end as soon as standard input does: it stays open as long as the value lives.
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let running = Running::start(&mut command);
        let mut server = TlsServer { running, doors, farewell: None, folder };
        let begin = Instant::now();
        for door in server.doors.clone() {
            while TcpStream::connect(door.address).is_err() {
                let ended = server.running.child().try_wait().unwrap();
                assert!(
                    ended.is_none() && begin.elapsed() < START,
                    "{command:?} does not listen at {}:\n{}",
                    door.address,
                    server.log()
                );
                thread::sleep(Duration::from_millis(20));
            }
        }
        server
    }

    fn give(&self, path: &Path) {
        if is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}

impl TlsServer {
    /// Ends it with this signal, at which it ends its children as well.
    pub(super) fn ending_with(mut self, farewell: &'static str) -> Self {
        self.farewell = Some(farewell);
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// The door for a protocol.
    #[must_use]
    pub fn door(&self, opening: &str) -> &Door {
        let found = self.doors.iter().find(|door| door.opening == Some(opening));
        found.unwrap_or_else(|| panic!("{opening} is not among {:?}", self.doors))
    }

    /// `127.0.0.1:4433`.
    #[must_use]
    pub fn address(&self) -> String {
        self.doors[0].address.to_string()
    }

    /// The place as the inventory writes it.
    #[must_use]
    pub fn place(&self) -> String {
        self.doors[0].place()
    }

    /// What it printed so far, and wrote to a file `log`.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("printed"), read("log")].concat()).into_owned()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let process = self.running.child().id();
        let begin = Instant::now();
        let Some(signal) = self.farewell else {
            // One that still serves a connection which is over would write to a folder that is gone.
            let children = format!("/proc/{process}/task/{process}/children");
            let has_some = || fs::read_to_string(&children).is_ok_and(|list| !list.is_empty());
            while has_some() && begin.elapsed() < LAST_WORDS {
                thread::sleep(Duration::from_millis(10));
            }
            return;
        };
        // It may have ended by itself. Whoever does not listen is killed with the value.
        let mut kill = Command::new("kill");
        let _ = kill.args([signal, &process.to_string()]).stderr(Stdio::null()).status();
        while matches!(self.running.child().try_wait(), Ok(None)) && begin.elapsed() < END {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Daemons are in sbin, which is not in everybody's path.
pub(super) fn program_of(name: &str) -> PathBuf {
    let usual = Path::new("/usr/sbin").join(name);
    if usual.exists() { usual } else { PathBuf::from(name) }
}
