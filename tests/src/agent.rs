//! Runs the agent as a user does, and reads what it exports.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// No single command of these tests takes longer on a slow machine.
const DEADLINE: Duration = Duration::from_secs(600);

/// A folder that a user works in. It goes away with the value.
pub struct Home {
    folder: tempfile::TempDir,
}

/// What one command came to.
#[derive(Debug)]
pub struct Outcome {
    /// The arguments, for messages.
    pub arguments: Vec<String>,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    /// The most memory it held, as the kernel counted (`VmHWM`).
    pub peak_rss: u64,
}

/// A process that ends with the value.
pub struct Running(Child);

impl Home {
    /// A new folder, which every user may read.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pkimm-tests-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// The same for many files: in memory where the machine has a filesystem there, because some
    /// disks take minutes to remove what was written in seconds.
    #[must_use]
    pub fn for_many_files() -> Self {
        let memory = Path::new("/dev/shm");
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let is_mounted = mounts.lines().any(|line| line.split(' ').nth(1) == memory.to_str());
        let mut builder = tempfile::Builder::new();
        match builder.prefix("pkimm-tests-").tempdir_in(memory) {
            Ok(folder) if is_mounted => {
                fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
                Self { folder }
            }
            _ => Self::new(),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder below it, made if it is not there.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Writes a file below it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file below it as text.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A command of the agent in this folder.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// The same as a user who may not read everything. Root becomes `nobody`; everybody else
    /// already is such a user.
    #[must_use]
    pub fn command_as_nobody(&self, arguments: &[&str]) -> Command {
        let agent = self.path().join("pkimm-agent");
        if !agent.exists() {
            // The build folder may lie where nobody else may look.
            fs::copy(binary(), &agent).unwrap();
        }
        let report = self.folder("pkimm-report");
        fs::set_permissions(report, fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(agent);
            command
        } else {
            Command::new(agent)
        };
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command.current_dir(self.path()).env_remove("PKIMM_DIR").env_remove("PKIMM_LOG");
        command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    }

    /// Runs a command to its end.
    pub fn agent(&self, arguments: &[&str]) -> Outcome {
        finish(self.command(arguments))
    }

    /// The inventory of the latest run, a value an asset.
    #[must_use]
    pub fn inventory(&self) -> Vec<Value> {
        self.agent(&["inventory", "export", "--format", "jsonl"]).expect_code(0).lines()
    }

    /// The gaps of the latest run.
    #[must_use]
    pub fn gaps(&self) -> Vec<Value> {
        self.agent(&["inventory", "export", "--gaps"]).expect_code(0).lines()
    }

    /// All findings about the latest run, as of an instant.
    #[must_use]
    pub fn findings(&self, as_of: &str) -> Vec<Value> {
        let arguments = ["findings", "export", "--format", "jsonl", "--as-of", as_of];
        self.agent(&arguments).expect_code(0).lines()
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Outcome {
    /// Insists on an exit code.
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "pkimm-agent {}\n--- standard output\n{}\n--- standard error\n{}",
            self.arguments.join(" "),
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON, a value a line.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}"))
        };
        self.stdout.lines().map(parse).collect()
    }
}

impl Running {
    /// Starts a command.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn();
        Self(child.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())))
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) -> ExitStatus {
        self.0.kill().unwrap();
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command to its end and measures it.
pub fn finish(mut command: Command) -> Outcome {
    let arguments =
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let begin = Instant::now();
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let stdout = drain(running.child().stdout.take().unwrap());
    let stderr = drain(running.child().stderr.take().unwrap());
    let mut peak_rss = 0;
    let status = loop {
        peak_rss = peak_rss.max(resident_peak(running.child().id()));
        if let Some(status) = running.child().try_wait().unwrap() {
            break status;
        }
        assert!(begin.elapsed() < DEADLINE, "{command:?} did not end within {DEADLINE:?}");
        thread::sleep(Duration::from_millis(5));
    };
    let took = begin.elapsed();
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().unwrap());
    Outcome { arguments, code: status.code(), stdout, stderr, took, peak_rss }
}

/// The program under test, as fresh as its sources.
#[must_use]
pub fn binary() -> PathBuf {
    // Whether it can be built or not: once is enough.
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY.get_or_init(build).clone().unwrap()
}

/// Whether we may read everything.
#[must_use]
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// `tests/run` has built it; whoever runs `cargo test` by hand has not.
fn build() -> Result<PathBuf, String> {
    // target/debug/deps/end_to_end-0123456789abcdef
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    if std::env::var_os("PKIMM_AGENT_IS_BUILT").is_none()
        && let Some(cargo) = std::env::var_os("CARGO")
    {
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--locked", "--package", "pkimm-agent"]);
        if folder.ends_with("release") {
            command.arg("--release");
        }
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the agent could not be built:\n{told}"));
        }
    }
    let binary = folder.join("pkimm-agent");
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!("{} is missing; tests/run builds it", binary.display()))
}

fn drain(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        from.read_to_end(&mut octets).unwrap();
        String::from_utf8_lossy(&octets).into_owned()
    })
}

/// The most memory a process held so far, in octets; 0 once it is over.
fn resident_peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes * 1024)
}
