//! What the collectors are to look at, and how gently.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use crate::target::shown;
use crate::{Globs, Origin, Target, Windows};

/// The scope of the TLS collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsScope {
    /// What to ask.
    pub targets: Vec<Target>,
    /// Files with more of it, for [`Target::parse_list`]; `-` is standard input. Whoever runs the
    /// collectors reads them: nothing here opens a file.
    pub targets_files: Vec<TargetsFile>,
    /// Whether to ask the ports that listen on loopback of this machine as well.
    pub loopback: bool,
    /// What never to ask, whatever the targets say.
    pub exclude: Vec<Target>,
    /// Names to ask for at the addresses of these networks, besides asking without a name.
    pub server_names: Vec<(IpNet, Vec<String>)>,
    /// How much to find out about each server.
    pub depth: Depth,
    /// Seconds one connection attempt may take; of settings that were read never more than the
    /// whole target may take.
    pub connect_timeout_secs: u64,
    /// Seconds one target may take in all, from the first packet to the last; `None` for what
    /// suits the depth, see [`TlsScope::deadline`].
    pub deadline_secs: Option<u64>,
    /// Targets asked at the same time.
    pub concurrency: usize,
    /// The same on one host.
    pub per_host: usize,
    /// The same in one /24 of IPv4, or one /64 of IPv6.
    pub per_network: usize,
    /// New connections per second over all targets.
    pub connections_per_sec: u32,
    /// Share of the distance between two connections by which each may come earlier or later, in
    /// percent.
    pub jitter_percent: u32,
    /// How often a target is asked again that did not answer or broke off.
    pub retries: u32,
    /// When connections may be opened.
    pub windows: Windows,
}

/// A file with targets, and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetsFile {
    /// The file; `-` is standard input.
    pub path: PathBuf,
    /// Where the settings name it; `None` when the command line does.
    pub origin: Option<Origin>,
}

impl From<PathBuf> for TargetsFile {
    fn from(path: PathBuf) -> Self {
        Self { path, origin: None }
    }
}

/// How much to find out about each server, each one including those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The chain and what one handshake settles.
    #[default]
    Certificate,
    /// Versions, groups, habits and the other certificates: at most forty handshakes.
    Posture,
    /// All cipher suites and whose order counts as well.
    Suites,
}

/// A word that is no depth.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a depth; write certificate, posture or suites")]
pub struct DepthError(String);

impl Depth {
    /// Every one, the shallowest first.
    pub const ALL: &[Self] = &[Self::Certificate, Self::Posture, Self::Suites];

    /// The word in settings and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Posture => "posture",
            Self::Suites => "suites",
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Depth {
    type Err = DepthError;

    fn from_str(text: &str) -> Result<Self, DepthError> {
        let found = Self::ALL.iter().find(|depth| depth.name() == text);
        found.copied().ok_or_else(|| DepthError(shown(text)))
    }
}

/// The scope of the filesystem collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemScope {
    /// Trees to walk; a file is walked as a tree of one.
    pub roots: Vec<PathBuf>,
    /// Folders and files left out, with all below them.
    pub exclude: Vec<PathBuf>,
    /// The same by patterns.
    pub exclude_globs: Globs,
    /// Where it holds patterns, only files that one of them matches are read.
    pub include: Globs,
    /// Stay on the filesystems the roots are on.
    pub one_filesystem: bool,
    /// Read filesystems of other hosts too.
    pub network_filesystems: bool,
    /// Octets read of one file; the rest of a larger one is a gap.
    pub max_file_bytes: u64,
    /// Threads that read.
    pub threads: usize,
    /// Do not read again what an earlier run read and what has not changed since.
    pub incremental: bool,
    /// How far the threads stand back for others: 0 not at all, 19 the most (nice(2)).
    pub nice: u8,
    /// How their reading stands back.
    pub io_priority: IoPriority,
    /// What is done with archives, packages and images.
    pub archives: Archives,
    /// Where passwords of keystores come from.
    pub passwords: Vec<PasswordFor>,
    /// Try passwords that are written in manuals, such as `changeit`, on keystores.
    pub well_known_passwords: bool,
}

/// What is done with archives, packages and container images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archives {
    /// Whether they are opened at all.
    pub open: bool,
    /// Archives inside of archives that are opened; 1 opens only the outermost.
    pub depth: u32,
    /// Octets that may come out for each octet in.
    pub ratio: u64,
    /// Octets that may come out of one file on disk.
    pub max_bytes: u64,
    /// Entries that may come out of one file on disk.
    pub max_entries: u64,
}

/// How the collector's reading stands back for that of others (`ionice`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IoPriority {
    /// Not at all.
    Normal,
    /// Last of those who read.
    Low,
    /// Only when nobody else reads.
    Idle,
}

/// A word that is no [`IoPriority`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a priority of reading; write normal, low or idle")]
pub struct IoPriorityError(String);

impl IoPriority {
    /// Every one, the highest first.
    pub const ALL: &[Self] = &[Self::Normal, Self::Low, Self::Idle];

    /// The word in settings and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for IoPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for IoPriority {
    type Err = IoPriorityError;

    fn from_str(text: &str) -> Result<Self, IoPriorityError> {
        let found = Self::ALL.iter().find(|priority| priority.name() == text);
        found.copied().ok_or_else(|| IoPriorityError(shown(text)))
    }
}

/// Where the password of some keystores comes from. It is never in the settings themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordFor {
    /// The keystores.
    pub paths: Globs,
    /// The source.
    pub source: SecretSource,
    /// Where the settings name the source.
    pub origin: Origin,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line of this file.
    File(PathBuf),
    /// This variable of the environment.
    Environment(String),
}

impl Default for Archives {
    fn default() -> Self {
        Self { open: true, depth: 4, ratio: 250, max_bytes: 16 << 30, max_entries: 2_000_000 }
    }
}

impl Default for TlsScope {
    /// Asks nobody. The figures would not alarm a network team.
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            targets_files: Vec::new(),
            loopback: false,
            exclude: Vec::new(),
            server_names: Vec::new(),
            depth: Depth::Certificate,
            connect_timeout_secs: 3,
            deadline_secs: None,
            concurrency: 64,
            per_host: 2,
            per_network: 16,
            connections_per_sec: 100,
            jitter_percent: 25,
            retries: 1,
            windows: Windows::default(),
        }
    }
}

impl TlsScope {
    /// The whole time one target may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let suited = match self.depth {
            Depth::Certificate => 10,
            Depth::Posture => 60,
            Depth::Suites => 300,
        };
        Duration::from_secs(self.deadline_secs.unwrap_or(suited))
    }
}

impl Default for FilesystemScope {
    /// Walks nothing.
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            exclude: Vec::new(),
            exclude_globs: Globs::default(),
            include: Globs::default(),
            one_filesystem: true,
            network_filesystems: false,
            max_file_bytes: 256 * 1024 * 1024,
            threads: 2,
            incremental: true,
            nice: 10,
            io_priority: IoPriority::Low,
            archives: Archives::default(),
            passwords: Vec::new(),
            well_known_passwords: true,
        }
    }
}
