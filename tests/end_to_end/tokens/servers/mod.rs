//! Real tokens in software. `PKIMM_LAB=off tests/run` leaves this module out.

mod attributes;
mod findings;
mod joins;
mod login;
mod material;
mod misbehaving;
mod others;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use pkimm_tests::agent::{Home, Outcome, finish};
use pkimm_tests::certificates::path;
use pkimm_tests::servers::tokens::{SoftHsm, softhsm};
use serde_json::Value;

use crate::AS_OF;

use material::{Material, PIN, SECOND, SECOND_PIN, TOKEN};

/// What the tests about tokens look at.
const RULES: &[&str] = &["token.", "key.", "ca.key-"];

/// Two tokens, and a folder with settings that read them.
struct Lab {
    home: Home,
    material: Material,
}

impl Lab {
    /// Fills the tokens.
    fn new() -> Self {
        let home = Home::new();
        let material = Material::new(&home);
        home.write("pin", format!("{PIN}\n"));
        home.write("second.pin", format!("{SECOND_PIN}\n"));
        Self { home, material }
    }

    /// Settings that log in to both tokens.
    fn log_in(&self) {
        let at = |name: &str| self.home.path().join(name);
        let logins = [
            login(TOKEN, &format!("pin_file = {:?}", path(&at("pin")))),
            login(SECOND, &format!("pin_file = {:?}", path(&at("second.pin")))),
        ];
        settings(&self.home, "", &[&softhsm()], &logins.concat());
    }

    /// The agent where the tokens are to be seen.
    fn agent(&self, arguments: &[&str]) -> Outcome {
        finish(self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        self.material.hsm.tell(&mut command);
        command
    }
}

/// One token with one key, for tests that need no more.
fn small(label: &str, pin: &str) -> (Home, SoftHsm) {
    let home = Home::new();
    let hsm = SoftHsm::new(home.path());
    hsm.add_token(label, pin);
    hsm.put(label, pin, &[pkimm_tests::servers::tokens::Object::pair("p256", "only", "01")]);
    (home, hsm)
}

/// Settings that load these modules: more keys of `[pkcs11]`, and tables of logins.
fn settings(home: &Home, more: &str, modules: &[&Path], logins: &str) {
    let module = |path_of: &&Path| format!("[[pkcs11.modules]]\npath = {:?}\n", path(path_of));
    let modules: String = modules.iter().map(module).collect();
    let text =
        format!("[filesystem]\nroots = []\n[pkcs11]\np11_kit = false\n{more}\n{modules}{logins}");
    home.write("pkimm-agent.toml", text);
}

/// A table that logs in to the token with this label: where its PIN is, and more keys.
fn login(label: &str, pin: &str) -> String {
    let label = label.replace(' ', "%20");
    format!("[[pkcs11.logins]]\ntoken = \"pkcs11:token={label}\"\n{pin}\n")
}

/// Scans; what could not be read is no error of the program.
fn scan(home: &Home, hsm: &SoftHsm) -> Outcome {
    let mut command = home.command(&["scan"]);
    hsm.tell(&mut command);
    good(finish(command))
}

fn good(outcome: Outcome) -> Outcome {
    assert!(matches!(outcome.code, Some(0 | 3)), "{outcome:?}");
    outcome
}

/// The findings of this outcome: rule and asset.
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

/// Kind and label, which say enough in these tests: `key rsa-2048`, `token Lab CA`.
fn name_of(asset: &Value) -> String {
    let kind = asset["kind"].as_str().unwrap();
    let sightings = asset["facts"]["sightings"].as_array().into_iter().flatten();
    let mut labels = sightings.filter_map(|sighting| sighting["label"].as_str());
    let label = asset["facts"]["label"].as_str().filter(|_| kind == "token");
    let label = label.or_else(|| labels.next());
    format!("{kind} {}", label.unwrap_or_default())
}

/// All assets by their names; several may have the same.
fn names(inventory: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = inventory.iter().map(name_of).collect();
    names.sort();
    names
}

/// The one asset with this name.
fn named<'a>(inventory: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<&Value> = inventory.iter().filter(|asset| name_of(asset) == name).collect();
    match found.as_slice() {
        [one] => one,
        _ => panic!("{} of {name}; there are {:#?}", found.len(), names(inventory)),
    }
}

/// What a token says of the object of this class that an asset is there.
fn object<'a>(asset: &'a Value, class: &str) -> &'a Value {
    let sightings = asset["facts"]["sightings"].as_array().into_iter().flatten();
    let mut objects = sightings.map(|sighting| &sighting["token"]);
    objects
        .find(|object| object["class"] == class)
        .unwrap_or_else(|| panic!("no {class} of {asset:#}"))
}

/// Reasons of the gaps, in order.
fn reasons(gaps: &[Value]) -> Vec<&str> {
    let mut reasons: Vec<&str> = gaps.iter().map(|gap| gap["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    reasons
}

/// Insists that two sets are equal and tells everything that is missed or invented.
fn compare<T: Ord + std::fmt::Debug>(what: &str, actual: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let line = |mark: &str, item: &T| format!("  {mark} {item:?}\n");
    let missed = expected.difference(actual).map(|item| line("missed", item));
    let invented = actual.difference(expected).map(|item| line("invented", item));
    let told: String = missed.chain(invented).collect();
    assert!(told.is_empty(), "{what}:\n{told}");
}
