//! What the collectors are to look at, and how gently.

use std::path::PathBuf;

use crate::Target;

/// The scope of the TLS collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsScope {
    /// What to ask.
    pub targets: Vec<Target>,
    /// Whether to ask the ports that listen on loopback of this machine as well.
    pub loopback: bool,
    /// What never to ask, whatever the targets say.
    pub exclude: Vec<Target>,
    /// Seconds one connection attempt may take.
    pub connect_timeout_secs: u64,
    /// Seconds one target may take in all, from the first packet to the last.
    pub deadline_secs: u64,
    /// Targets asked at the same time.
    pub concurrency: usize,
    /// New connections per second over all targets.
    pub connections_per_sec: u32,
}

/// The scope of the filesystem collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemScope {
    /// Trees to walk; a file is walked as a tree of one.
    pub roots: Vec<PathBuf>,
    /// Folders and files left out, with all below them.
    pub exclude: Vec<PathBuf>,
    /// Stay on the filesystems the roots are on.
    pub one_filesystem: bool,
    /// Octets read of one file; the rest of a larger one is a gap.
    pub max_file_bytes: u64,
    /// Threads that read.
    pub threads: usize,
}

impl Default for TlsScope {
    /// Asks nobody. The figures would not alarm a network team.
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            loopback: false,
            exclude: Vec::new(),
            connect_timeout_secs: 3,
            deadline_secs: 10,
            concurrency: 64,
            connections_per_sec: 100,
        }
    }
}

impl Default for FilesystemScope {
    /// Walks nothing.
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            exclude: Vec::new(),
            one_filesystem: false,
            max_file_bytes: 256 * 1024 * 1024,
            threads: 2,
        }
    }
}
