//! openCryptoki with its token in software.
//!
//! Its daemon keeps one state for the whole machine, in fixed places and in shared memory, so it runs
//! in a mount and IPC namespace of its own, with empty folders in those places. Whoever is to see it
//! enters both: see [`Opencryptoki::moved_inside`]. Everything ends with the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::library;
use crate::agent::{Running, is_root};
use crate::certificates::path;
use crate::tools;

/// From its start until it answers.
const START: Duration = Duration::from_secs(20);
/// What every new token of its has; it is to be changed.
const SO_PIN: &str = "87654321";

/// A daemon of its own, with one token.
pub struct Opencryptoki {
    running: Running,
    log: PathBuf,
}

impl Opencryptoki {
    /// The label of the token.
    pub const TOKEN: &'static str = "Lab Soft";

    /// Whether one can be started here.
    #[must_use]
    pub fn is_possible() -> bool {
        // It makes its shared memory for a group, and the folders are in the system's places.
        is_root()
    }

    /// Starts it with files in this folder, and initialises its token with this PIN.
    #[must_use]
    pub fn start(folder: &Path, pin: &str) -> Self {
        assert!(Self::is_possible(), "openCryptoki is started by root only");
        let folder = folder.join("opencryptoki");
        fs::create_dir_all(&folder).unwrap();
        let configuration = folder.join("opencryptoki.conf");
        let text = "version opencryptoki-3.1\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n";
        fs::write(&configuration, text).unwrap();
        let script = format!(
            "set -e\nmount -t tmpfs tmpfs /var/lib/opencryptoki\nmount -t tmpfs tmpfs /run\n\
             state=/var/lib/opencryptoki/swtok locks=/run/lock/opencryptoki/swtok\n\
             mkdir -p $state/TOK_OBJ $locks\n\
             chgrp -R pkcs11 /var/lib/opencryptoki /run/lock/opencryptoki\n\
             chmod -R g+rwX /var/lib/opencryptoki /run/lock/opencryptoki\n\
             mount --bind {} /etc/opencryptoki/opencryptoki.conf\nexec pkcsslotd -f\n",
            path(&configuration)
        );
        let log = folder.join("log");
        let printed = fs::File::create(&log).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--ipc", "--propagation", "private", "--", "sh", "-c", &script]);
        command.env("PATH", programs()).stdin(Stdio::null());
        command.stdout(printed.try_clone().unwrap()).stderr(printed);
        let mut lab = Self { running: Running::start(&mut command), log };
        lab.wait();
        lab.tool(&["--init-token", "--label", Self::TOKEN, "--so-pin", SO_PIN]);
        let so = ["--login", "--login-type", "so", "--so-pin", SO_PIN];
        lab.tool(&[&so[..], &["--init-pin", "--new-pin", pin]].concat());
        lab
    }

    /// The module that speaks for it.
    #[must_use]
    pub fn module() -> PathBuf {
        library("PKCS11_API.so")
    }

    fn wait(&mut self) {
        let begin = Instant::now();
        loop {
            let mut asked = self.inside("pkcs11-tool");
            asked.arg("--module").arg(Self::module()).arg("--list-slots").stderr(Stdio::null());
            // Before it has entered its namespaces there is nothing to enter, or another one.
            if asked
                .output()
                .is_ok_and(|output| output.stdout.starts_with(b"Available slots:\nSlot"))
            {
                return;
            }
            let ended = self.running.child().try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < START,
                "pkcsslotd does not answer; it needs namespaces of its own (CAP_SYS_ADMIN):\n{}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What `pkcs11-tool` prints about it.
    pub fn tool(&self, arguments: &[&str]) -> String {
        let mut command = self.inside("pkcs11-tool");
        command.arg("--module").arg(Self::module()).args(["--slot-index", "0"]).args(arguments);
        String::from_utf8_lossy(&tools::finish(command)).into_owned()
    }

    fn inside(&self, program: &str) -> Command {
        self.moved_inside(&Command::new(program))
    }

    /// A command that was made for outside, where the daemon is to be seen.
    #[must_use]
    pub fn moved_inside(&self, outside: &Command) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--ipc", "--target", &self.running.id().to_string()]);
        // Whoever enters a mount namespace is in its root.
        let folder = outside.get_current_dir().map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| std::env::current_dir().unwrap());
        command.arg("--").args(["env", "-C"]).arg(folder);
        command.arg(outside.get_program()).args(outside.get_args());
        for (name, value) in outside.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null());
        command
    }
}

/// Daemons are in sbin, which is not in everybody's path.
fn programs() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}
