//! Real directories. `PKIMM_LAB=off tests/run` leaves this module out.

mod active_directory;
mod dumps;
mod forest;
mod openldap;
mod paging;
mod secrets;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

use pkimm_tests::agent::{Home, Outcome, finish};
use pkimm_tests::certificates::path;
use pkimm_tests::servers::samba::Domain;
use serde_json::Value;

use crate::AS_OF;

use forest::{Forest, PASSWORD, READER};

/// What the tests about directories look at.
const RULES: &[&str] = &["adcs.", "ca.", "cert.expired-in-directory"];

/// The forest with its domain controller, and a folder with settings that read it.
struct Lab {
    home: Home,
    forest: Forest,
    domain: Domain,
}

impl Lab {
    /// Starts it, if that is possible here: `tests/run` says when it is not.
    fn start() -> Option<Self> {
        if !Domain::is_possible() {
            return None;
        }
        let home = Home::new();
        let forest = Forest::new(home.path());
        let domain = Domain::start(&forest.controller, &forest.objects);
        home.write("reader.password", format!("{PASSWORD}\n"));
        Some(Self { home, forest, domain })
    }

    /// Settings that ask the server under this key: `url = "…"`, or `domain = "…"`.
    fn settings(&self, server: &str) -> String {
        format!(
            "[filesystem]\nroots = []\n[[directory.servers]]\n{server}\nname = \"{READER}@{}\"\npassword_file = {:?}\n\
             trusted = {:?}\npage_size = 100\n",
            Domain::NAME,
            path(&self.home.path().join("reader.password")),
            path(&self.forest.root.own.certificate),
        )
    }

    /// The agent where the domain controller is to be seen.
    fn agent(&self, arguments: &[&str]) -> Outcome {
        finish(self.domain.moved_inside(&self.home.command(arguments)))
    }
}

/// The findings of this outcome about a directory: rule and asset.
fn findings(home: &Home, outcome: &str) -> BTreeSet<(String, String)> {
    let inventory = home.inventory();
    let names: BTreeMap<&str, String> =
        inventory.iter().map(|asset| (asset["id"].as_str().unwrap(), name_of(asset))).collect();
    let all = home.findings(AS_OF);
    all.iter()
        .filter(|finding| finding["outcome"] == outcome)
        .map(|finding| (finding["rule"].as_str().unwrap(), finding["asset"].as_str().unwrap()))
        .filter(|(rule, _)| RULES.iter().any(|prefix| rule.starts_with(prefix)))
        .map(|(rule, asset)| {
            let name = names.get(asset).cloned().unwrap_or_else(|| asset.to_owned());
            (rule.to_owned(), name)
        })
        .collect()
}

/// The distinguished name below the domain, or the digest of what has none.
fn name_of(asset: &Value) -> String {
    let dn = asset["facts"]["dn"].as_str();
    let dn = dn.map(|dn| dn.strip_suffix(Domain::BASE).unwrap_or(dn).trim_end_matches(','));
    dn.unwrap_or_else(|| asset["sha256"].as_str().unwrap()).to_owned()
}

/// Insists that two sets are equal and tells everything that is missed or invented.
fn compare<T: Ord + std::fmt::Debug>(what: &str, actual: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let line = |mark: &str, item: &T| format!("  {mark} {item:?}\n");
    let missed = expected.difference(actual).map(|item| line("missed", item));
    let invented = actual.difference(expected).map(|item| line("invented", item));
    let told: String = missed.chain(invented).collect();
    assert!(told.is_empty(), "{what}:\n{told}");
}

/// What was found, whatever place it was found at and whenever: kind and name, with the facts.
fn facts_of(inventory: &[Value], kinds: &[&str]) -> BTreeSet<(String, String, String)> {
    inventory
        .iter()
        .filter(|asset| kinds.contains(&asset["kind"].as_str().unwrap()))
        .map(|asset| {
            let mut facts = asset["facts"].clone();
            facts.as_object_mut().unwrap().remove("sightings");
            (asset["kind"].as_str().unwrap().to_owned(), name_of(asset), facts.to_string())
        })
        .collect()
}
