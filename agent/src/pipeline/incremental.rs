//! Files that an earlier run has read and that need not be read again.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use pki_collectors::Seen;
use pki_config::{FilesystemScope, SecretSource};
use pki_inventory::{Digest, Place};
use pki_store::{RunId, SqliteStore, Store as _, StoreError};
use serde_json::json;

use crate::output;
use crate::passwords::Passwords;

/// What a run knows of the files that an earlier one has read.
pub(super) struct Incremental {
    reader: Digest,
    key: [u64; 2],
    files: Vec<u64>,
    /// The run that the files are known of.
    pub(super) since: Option<RunId>,
}

impl Incremental {
    /// What the store knows, for a run that may use it; another one reads all and keeps what it has
    /// read, under a key of its own. `None` for a run that looks at no files or keeps nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. An index that is damaged is no evidence: all is read anew, and
    /// the index replaced.
    pub(super) fn of(
        store: &SqliteStore,
        files: &FilesystemScope,
        passwords: &Passwords,
        may_use: bool,
    ) -> anyhow::Result<Option<Self>> {
        if !files.incremental || files.roots.is_empty() {
            return Ok(None);
        }
        // Whether the password in a variable is still the same could only be told by keeping
        // something of it.
        if files.passwords.iter().any(|one| matches!(one.source, SecretSource::Environment(_))) {
            if may_use {
                output::remark(
                    "Every file is read: a password for keystores comes from a variable, and \
                     whether that is as it was is not to be known. Of one in a file it is.",
                );
            }
            return Ok(None);
        }
        let Some(build) = build() else {
            output::remark("Every file is read: the running program is not to be seen in /proc.");
            return Ok(None);
        };
        let reader = reader(files, passwords, &build);
        let known = if may_use { store.file_index(reader) } else { Ok(None) };
        let known = match known {
            Err(error @ StoreError::DamagedIndex { .. }) => {
                output::remark(&format!("Every file is read: {error}."));
                None
            }
            known => known?,
        };
        Ok(Some(match known {
            Some(known) => {
                Self { reader, key: known.key, files: known.files, since: Some(known.run) }
            }
            None => Self { reader, key: random()?, files: Vec::new(), since: None },
        }))
    }

    /// What the collector is handed.
    pub(super) fn seen(&mut self) -> Seen {
        Seen::new(self.key, std::mem::take(&mut self.files))
    }

    /// Keeps what a completed run has read. When that fails, the next run reads more, and that is
    /// all.
    pub(super) fn keep(&self, store: &mut SqliteStore, run: RunId, seen: &Seen) {
        if let Err(error) = store.keep_file_index(run, self.reader, self.key, &seen.taken()) {
            tracing::warn!(%run, %error, "Could not keep which files were read; they will be read again.");
        }
    }
}

/// What is handed to the collector when nothing is known and nothing will be kept.
pub(super) fn nothing_seen() -> Seen {
    Seen::new([0; 2], Vec::new())
}

/// The program that runs, by its file: another build of the same version may see something else in
/// a file. Its change time (`st_ctime`, `inode(7)`) tells builds apart whose other times are set to
/// the same, as packages that can be reproduced have it.
fn build() -> Option<String> {
    let facts = std::fs::metadata("/proc/self/exe").ok()?;
    Some(format!(
        "{} {} {}.{} {}.{}",
        env!("CARGO_PKG_VERSION"),
        facts.size(),
        facts.mtime(),
        facts.mtime_nsec(),
        facts.ctime(),
        facts.ctime_nsec()
    ))
}

/// How files are read: another digest where another program or other settings would see something
/// else in the same file. That includes which files are looked at: what one file tells may lie in
/// others, such as the parts of an image. Of passwords it holds no more than [`Passwords::marks`].
fn reader(files: &FilesystemScope, passwords: &Passwords, build: &str) -> Digest {
    let archives = &files.archives;
    let patterns = files.passwords.iter().map(|password| password.paths.written());
    let text = json!({
        "agent": build,
        "roots": paths(&files.roots),
        "exclude": paths(&files.exclude),
        "exclude_globs": files.exclude_globs.written(),
        "include": files.include.written(),
        "one_filesystem": files.one_filesystem,
        "network_filesystems": files.network_filesystems,
        "max_file_bytes": files.max_file_bytes,
        "archives": {
            "open": archives.open,
            "depth": archives.depth,
            "ratio": archives.ratio,
            "max_bytes": archives.max_bytes,
            "max_entries": archives.max_entries,
        },
        "well_known_passwords": files.well_known_passwords,
        "passwords": patterns.zip(&passwords.marks).collect::<Vec<_>>(),
    });
    Digest::of(text.to_string().as_bytes())
}

/// Paths as they are, whatever their octets are.
fn paths(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| Place::file(path).to_string()).collect()
}

/// From the random source of the operating system: who knows the key of the index can write files
/// that look like others.
fn random() -> anyhow::Result<[u64; 2]> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets)
        .map_err(|_| anyhow::anyhow!("the operating system gave no random octets"))?;
    let whole = u128::from_le_bytes(octets);
    #[expect(clippy::cast_possible_truncation, reason = "one half each")]
    Ok([whole as u64, (whole >> 64) as u64])
}

#[cfg(test)]
mod tests {
    use pki_config::Settings;

    use super::*;

    fn of(keys: &str, marks: &[&str]) -> Digest {
        let text = format!("[filesystem]\nroots = [\"/srv\"]\n{keys}\n");
        let files = Settings::parse("s.toml", &text).expect("settings").filesystem;
        let marks = marks.iter().map(|mark| (*mark).to_owned()).collect();
        reader(&files, &Passwords { marks, ..Passwords::default() }, "a build")
    }

    #[test]
    fn what_makes_another_reading_makes_another_reader() {
        const PASSWORD: &str = "[[passwords]]\npaths = [\"*.p12\"]\nenv = \"P\"";
        let password = PASSWORD.replace("[[", "[[filesystem.");
        let mut all = vec![of("", &[]), of(&password, &["env P"]), of(&password, &["file /p 1"])];
        all.push(of(&password.replace("p12", "jks"), &["env P"]));
        for keys in [
            "max_file_bytes = 5000",
            "include = [\"*.pem\"]",
            "well_known_passwords = false",
            "archives.open = false",
            "archives.depth = 3",
            "archives.ratio = 3",
            "archives.max_bytes = 5000",
            "archives.max_entries = 3",
            "exclude = [\"/srv/tmp\"]",
            "exclude = [\"*.bak\"]",
            "one_filesystem = false",
            "network_filesystems = true",
        ] {
            all.push(of(keys, &[]));
        }
        for (roots, build) in [("\"/srv\"", "another build"), ("\"/srv\", \"/opt\"", "a build")] {
            let text = format!("[filesystem]\nroots = [{roots}]\n");
            let files = Settings::parse("s.toml", &text).expect("settings").filesystem;
            all.push(reader(&files, &Passwords::default(), build));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for keys in ["threads = 7", "nice = 0", "io_priority = \"idle\""] {
            assert_eq!(of(keys, &[]), of("", &[]), "{keys}");
        }
    }

    #[test]
    fn the_program_that_runs_is_known_by_its_file() {
        let own = build().expect("there is /proc");
        assert_eq!(own, build().expect("there is /proc"));
        let size = std::env::current_exe().expect("a path").metadata().expect("a file").len();
        assert!(own.contains(&format!(" {size} ")), "{own}");
    }

    #[test]
    fn keys_are_not_the_same_twice() {
        assert_ne!(random().expect("octets"), random().expect("octets"));
    }
}
