//! Reads how programs are set up to use cryptography.
//!
//! Each known program is a file in `programs/` and a line in [`PROGRAMS`]. What is read is what
//! the settings ask for; whether the program runs, and runs with them, is for others to see.
//!
//! What this crate does not do: it opens no file by itself, runs nothing, resolves no name and
//! judges nothing. No password, PIN or key that settings hold is kept, no command line and no
//! argument of a macro, and of a URL neither user nor query.
//!
//! ```
//! use std::path::{Path, PathBuf};
//!
//! struct Alone;
//! impl pki_configured::Files for Alone {
//!     fn read(&self, _: &Path) -> Option<Vec<u8>> {
//!         None
//!     }
//!     fn matching(&self, _: &str) -> Vec<PathBuf> {
//!         Vec::new()
//!     }
//! }
//!
//! let path = Path::new("/etc/ssh/sshd_config");
//! assert!(pki_configured::recognise(path));
//! let found = pki_configured::read(path, b"Port 2222\nMACs hmac-sha2-256\n", &Alone);
//! assert_eq!(found[0].listens[0].port, 2222);
//! assert_eq!(found[0].settings["MACs"], "hmac-sha2-256");
//! ```

use std::path::{Path, PathBuf};

use pki_inventory::Configuration;

mod lines;
mod programs;
mod sources;
mod tell;
mod variables;
mod versions;

pub use programs::{PROGRAMS, Program};

/// Gives the files that settings include.
pub trait Files {
    /// A text file; `None` when there is none, or none that may be read.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;

    /// The paths that match a pattern of the shell (`*`, `?`, `[…]` in any part), sorted.
    fn matching(&self, pattern: &str) -> Vec<PathBuf>;
}

/// Whether a file of this path may be the main settings of a program known here. Asked for every
/// file: it has to be fast, and may say yes too often.
#[must_use]
pub fn recognise(path: &Path) -> bool {
    name_of(path).is_some_and(|name| PROGRAMS.iter().any(|program| (program.recognise)(name, path)))
}

/// Reads the settings that begin in this file, with all they include: one for each server, listener
/// or client they set up.
#[must_use]
pub fn read(path: &Path, octets: &[u8], files: &dyn Files) -> Vec<Configuration> {
    let Some(name) = name_of(path) else { return Vec::new() };
    let text = sources::text(octets);
    let known = PROGRAMS.iter().filter(|program| (program.recognise)(name, path));
    known.flat_map(|program| (program.read)(path, &text, files)).collect()
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}
