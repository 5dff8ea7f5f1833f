//! Reads what tools for automatic issuance and renewal leave on a disk.
//!
//! One module a tool, all of them in one list; what starts them (timers, crontabs) and what
//! watches for expiry are tools among them. A certificate's name, its authority, how long its key
//! lives and when it is renewed next are kept.
//!
//! What this crate does not do: it opens no file by itself, runs nothing and judges nothing; no
//! command line, token or account is kept.
//!
//! ```
//! use std::path::{Path, PathBuf};
//!
//! struct Nothing;
//!
//! impl pki_automation::Host for Nothing {
//!     fn list(&self, _: &Path) -> Vec<std::ffi::OsString> {
//!         Vec::new()
//!     }
//!     fn read(&self, _: &Path) -> Option<Vec<u8>> {
//!         None
//!     }
//!     fn link(&self, _: &Path) -> Option<PathBuf> {
//!         None
//!     }
//! }
//!
//! let path = Path::new("/etc/cron.d/dehydrated");
//! assert!(pki_automation::recognise(path));
//! let found = pki_automation::read(path, b"7 4 * * * root dehydrated --cron\n", &Nothing);
//! assert_eq!(found[0].tool, "dehydrated");
//! assert_eq!(found[0].schedule.as_deref(), Some("7 4 * * *"));
//! ```

use std::path::{Path, PathBuf};

use pki_inventory::Automation;

mod acme_client;
mod acme_sh;
mod acme_tiny;
mod bounds;
mod caddy;
mod cert_manager;
mod certbot;
mod certmonger;
mod commands;
mod consul_template;
mod cron;
mod dehydrated;
mod estclient;
mod getssl;
mod kubelet;
mod lego;
mod mod_md;
mod nagios;
mod openssl_cmp;
mod places;
mod posh_acme;
mod prometheus;
mod settings;
mod simp_le;
mod spire;
mod spot;
mod sscep;
mod step;
mod systemd;
mod traefik;
mod tree;
mod uacme;
mod vault_agent;
mod win_acme;

use commands::Command;
use spot::{Artefact, Spot};

/// Every tool, sorted by its file. Adding one is a file and a line here, beside its `mod` line.
const TOOLS: &[Tool] = &[
    acme_client::TOOL,
    acme_sh::TOOL,
    acme_tiny::TOOL,
    caddy::TOOL,
    cert_manager::TOOL,
    certbot::TOOL,
    certmonger::TOOL,
    consul_template::TOOL,
    cron::TOOL,
    dehydrated::TOOL,
    estclient::TOOL,
    getssl::TOOL,
    kubelet::TOOL,
    lego::TOOL,
    mod_md::TOOL,
    nagios::TOOL,
    openssl_cmp::TOOL,
    posh_acme::TOOL,
    prometheus::TOOL,
    simp_le::TOOL,
    spire::TOOL,
    sscep::TOOL,
    step::TOOL,
    systemd::TOOL,
    traefik::TOOL,
    uacme::TOOL,
    vault_agent::TOOL,
    win_acme::TOOL,
];

/// A tool and how its traces are known.
struct Tool {
    /// As its makers write it.
    name: &'static str,
    /// How a timer, a service or a crontab calls it to issue or renew.
    commands: &'static [Command],
    /// Whether a file there may be one of its traces. Asked for every file of a disk: compares
    /// names, and neither allocates nor looks at the content.
    recognise: fn(&Spot<'_>) -> bool,
    /// The same for a symbolic link.
    recognise_link: fn(&Spot<'_>) -> bool,
    /// What a recognised file says; nothing when it is not the tool's after all.
    read: fn(&Artefact<'_>) -> Vec<Automation>,
}

impl Tool {
    /// A tool of which only the command is known.
    const fn command(name: &'static str, commands: &'static [Command]) -> Self {
        Self { name, commands, recognise: never, recognise_link: never, read: |_| Vec::new() }
    }
}

fn never(_: &Spot<'_>) -> bool {
    false
}

/// What may be asked of the host beside the file itself.
pub trait Host {
    /// The names in a folder; empty when it cannot be listed.
    fn list(&self, folder: &Path) -> Vec<std::ffi::OsString>;

    /// A small text file; `None` when there is none, or none that may be read.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;

    /// Where a symbolic link leads, made absolute; `None` for anything else.
    fn link(&self, path: &Path) -> Option<PathBuf>;
}

/// Whether a file of this path may be a trace of automation. Asked for every file: it has to be
/// fast, and may say yes too often.
#[must_use]
pub fn recognise(path: &Path) -> bool {
    let spot = Spot::of(path);
    TOOLS.iter().any(|tool| (tool.recognise)(&spot))
}

/// Whether a symbolic link of this path may be one.
#[must_use]
pub fn recognise_link(path: &Path) -> bool {
    let spot = Spot::of(path);
    TOOLS.iter().any(|tool| (tool.recognise_link)(&spot))
}

/// Reads the traces of one file (or, for a link, of where it leads; then `octets` is empty).
#[must_use]
pub fn read(path: &Path, octets: &[u8], host: &dyn Host) -> Vec<Automation> {
    let spot = Spot::of(path);
    let artefact = Artefact { path, spot, octets, host };
    let mine = |tool: &&Tool| (tool.recognise)(&spot) || (tool.recognise_link)(&spot);
    let found = TOOLS.iter().filter(mine).flat_map(|tool| (tool.read)(&artefact));
    bounds::bounded(found)
}

#[cfg(test)]
mod tests {
    use super::TOOLS;

    /// Modules that serve the tools and are none.
    const HELPERS: [&str; 8] =
        ["bounds", "commands", "lib", "places", "settings", "spot", "tree", "tests"];

    #[test]
    fn every_file_of_a_tool_is_in_the_sorted_list() {
        let module = |name: &str| name.to_lowercase().replace([' ', '.', '-'], "_");
        let named: Vec<String> = TOOLS.iter().map(|tool| module(tool.name)).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|stem| !HELPERS.contains(&stem.as_str()))
            .collect();
        files.sort();
        assert!(!files.is_empty());
        assert_eq!(files, named);
    }
}
