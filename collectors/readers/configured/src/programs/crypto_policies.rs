//! crypto-policies: the policy of the whole system (Red Hat and kin).
//!
//! ## What it reads
//! `config`, which policy is wanted, and `state/current`, which one was last applied; which
//! programs have a file of that policy.
//! ## What it cannot see
//! What each program makes of its file; its own settings include it and are read there.

use std::path::Path;

use pki_inventory::Configuration;

use super::Program;
use crate::Files;
use crate::lines::numbered;
use crate::sources::{Sources, folder};
use crate::tell::{self, Tell};

pub(super) const PROGRAM: Program = Program { name: "crypto-policies", recognise, read };

fn recognise(name: &str, path: &Path) -> bool {
    match name {
        "config" => folder(path).ends_with("crypto-policies"),
        "current" => folder(path).ends_with("crypto-policies/state"),
        _ => false,
    }
}

fn read(path: &Path, text: &str, files: &dyn Files) -> Vec<Configuration> {
    let applied = path.ends_with("current");
    let policy = numbered(text).map(|(line, text)| (line, text.trim()));
    let policy = policy.filter(|(_, text)| !text.is_empty() && !text.starts_with('#'));
    let Some((line, policy)) = policy.take(1).next() else { return Vec::new() };
    let sources = Sources::new(path, files);
    let part = if applied { "applied" } else { "wanted" };
    let mut made = tell::part(PROGRAM.name, part, "", &sources.at(line), &sources);
    made.setting("policy", policy);
    let root = if applied { folder(folder(path)) } else { folder(path) };
    let programs = sources.inside(&root.join("back-ends"), "*.config");
    let names: Vec<&str> =
        programs.iter().filter_map(|path| path.file_stem()?.to_str()).take(64).collect();
    if !names.is_empty() {
        made.setting("back-ends", &names.join(", "));
    }
    vec![made]
}
