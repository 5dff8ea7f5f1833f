//! How far a run looks below its trees: what of them, and how deep into what is there.

use pki_config::{FilesystemScope, Globs};
use serde_json::{Value, json};

use super::holds_all;

/// What settings say about files besides the trees and the paths that are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files {
    /// Patterns of what is left out.
    pub(super) patterns_left_out: Vec<String>,
    /// Patterns of what alone is read; empty for everything.
    pub(super) include: Vec<String>,
    pub(super) one_filesystem: bool,
    pub(super) network_filesystems: bool,
    pub(super) max_file_bytes: u64,
    /// How far archives are opened, if they are.
    pub(super) archives: Option<Archives>,
    pub(super) well_known_passwords: bool,
    /// Patterns of the keystores that there are passwords for.
    pub(super) keystores: Vec<String>,
}

/// Limits of what comes out of archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Archives {
    depth: u64,
    ratio: u64,
    max_bytes: u64,
    max_entries: u64,
}

impl Default for Files {
    /// As nobody says otherwise.
    fn default() -> Self {
        Self::of(&FilesystemScope::default())
    }
}

impl Files {
    pub(super) fn of(scope: &FilesystemScope) -> Self {
        let archives = &scope.archives;
        let keystores = scope.passwords.iter().flat_map(|password| password.paths.written());
        Self {
            patterns_left_out: scope.exclude_globs.written().to_vec(),
            include: scope.include.written().to_vec(),
            one_filesystem: scope.one_filesystem,
            network_filesystems: scope.network_filesystems,
            max_file_bytes: scope.max_file_bytes,
            archives: archives.open.then(|| Archives {
                depth: u64::from(archives.depth),
                ratio: archives.ratio,
                max_bytes: archives.max_bytes,
                max_entries: archives.max_entries,
            }),
            well_known_passwords: scope.well_known_passwords,
            keystores: keystores.cloned().collect(),
        }
    }

    /// What agents did that did not record it: they walked every filesystem and opened no archive.
    fn unrecorded() -> Self {
        Self {
            one_filesystem: false,
            network_filesystems: true,
            archives: None,
            well_known_passwords: false,
            ..Self::default()
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "left_out": self.patterns_left_out,
            "include": self.include,
            "one_filesystem": self.one_filesystem,
            "network_filesystems": self.network_filesystems,
            "max_file_bytes": self.max_file_bytes,
            "archives": self.archives.as_ref().map(|archives| json!({
                "depth": archives.depth,
                "ratio": archives.ratio,
                "max_bytes": archives.max_bytes,
                "max_entries": archives.max_entries,
            })),
            "well_known_passwords": self.well_known_passwords,
            "keystores": self.keystores,
        })
    }

    pub(super) fn from_json(value: &Value) -> Self {
        if !value.is_object() {
            return Self::unrecorded();
        }
        let list = |key: &str| super::strings(&value[key]).unwrap_or_default();
        let is = |key: &str| value[key].as_bool().unwrap_or_default();
        let archives = value["archives"].as_object().map(|archives| {
            let limit = |key: &str| archives.get(key).and_then(Value::as_u64).unwrap_or_default();
            Archives {
                depth: limit("depth"),
                ratio: limit("ratio"),
                max_bytes: limit("max_bytes"),
                max_entries: limit("max_entries"),
            }
        });
        Self {
            patterns_left_out: list("left_out"),
            include: list("include"),
            one_filesystem: is("one_filesystem"),
            network_filesystems: is("network_filesystems"),
            max_file_bytes: value["max_file_bytes"].as_u64().unwrap_or_default(),
            archives,
            well_known_passwords: is("well_known_passwords"),
            keystores: list("keystores"),
        }
    }

    /// Whether nothing of the same trees is read with the other one that is not read with this.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let includes = self.include.is_empty()
            || (!other.include.is_empty() && holds_all(&self.include, &other.include));
        let opens = match (&self.archives, &other.archives) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => {
                own.depth >= other.depth
                    && own.ratio >= other.ratio
                    && own.max_bytes >= other.max_bytes
                    && own.max_entries >= other.max_entries
            }
        };
        holds_all(&other.patterns_left_out, &self.patterns_left_out)
            && includes
            && opens
            && (!self.one_filesystem || other.one_filesystem)
            && (self.network_filesystems || !other.network_filesystems)
            && self.max_file_bytes >= other.max_file_bytes
            && (self.well_known_passwords || !other.well_known_passwords)
            && holds_all(&self.keystores, &other.keystores)
    }

    /// As reports tell it, as far as it is not what nobody says otherwise.
    pub(super) fn sentences(&self) -> Vec<String> {
        let base = Self::default();
        let mut told = Vec::new();
        if !self.one_filesystem {
            told.push("Other filesystems below them as well.".to_owned());
        }
        if self.network_filesystems {
            told.push("Filesystems of other hosts as well.".to_owned());
        }
        if self.max_file_bytes != base.max_file_bytes {
            told.push(format!("Of one file at most {} octets.", self.max_file_bytes));
        }
        match &self.archives {
            None => told.push("Archives were not opened.".to_owned()),
            Some(Archives { depth, ratio, max_bytes, max_entries }) => {
                if self.archives != base.archives {
                    told.push(format!(
                        "Archives {depth} deep, {ratio} octets for one, at most {max_bytes} octets \
                         and {max_entries} entries of one file."
                    ));
                }
            }
        }
        if !self.well_known_passwords {
            told.push("No well-known passwords were tried.".to_owned());
        }
        told
    }

    /// The patterns of what is left out, and of what alone is read, where that is said.
    pub(super) fn globs(&self) -> (Globs, Option<Globs>) {
        // What was recorded was one when it was recorded.
        let globs = |patterns: &[String]| Globs::new(patterns).unwrap_or_default();
        let include = (!self.include.is_empty()).then(|| globs(&self.include));
        (globs(&self.patterns_left_out), include)
    }
}
