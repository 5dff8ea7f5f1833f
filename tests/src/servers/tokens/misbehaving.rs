//! The misbehaving module, and the processes that load modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::tools;

/// The module of `tests/modules`, compiled once for this process. What it does is chosen by
/// `PKIMM_MISBEHAVE`, see the file beside its source.
#[must_use]
pub fn misbehaving() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let library = super::built("pkimm-misbehaving.so");
        let fresh = library.with_extension(std::process::id().to_string());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("modules/misbehaving.c");
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&fresh).arg(source);
        tools::finish(command);
        // At once, for whoever else may use the last one.
        fs::rename(fresh, &library).unwrap();
        library
    };
    BUILT.get_or_init(build).clone()
}

/// The processes whose environment has this text: those of one test, if it put one there. The process
/// of a module shows its environment to root only.
#[must_use]
pub fn processes_with(text: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has = |number: &u32| {
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        memchr::memmem::find(&environment, text.as_bytes()).is_some()
    };
    numbers.filter(has).collect()
}
