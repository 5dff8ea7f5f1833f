//! The same forest, written to files by the tools that people have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pkimm_tests::certificates::path;
use pkimm_tests::facts;
use pkimm_tests::servers::samba::Domain;
use pkimm_tests::tools;
use serde_json::Value;

use super::forest::{PASSWORD, READER, SERVICES};
use super::{Lab, compare, facts_of, findings};

/// What a directory holds, and a connection to it does not add to.
pub const KINDS: &[&str] = &["authority", "directory-object", "revocation-list", "template"];

/// Whoever is in a list of access may be one of these.
const ACCOUNTS: &str =
    "(|(objectClass=user)(objectClass=group)(objectClass=foreignSecurityPrincipal))";

#[test]
fn a_dump_gives_the_same_facts_and_findings_as_the_directory_itself() {
    let Some(lab) = Lab::start() else { return };
    lab.home.write("pkimm-agent.toml", lab.settings("domain = \"corp.example\""));
    let _ = lab.agent(&["scan"]).expect_code(0);
    let live = lab.home.inventory();

    // Folded lines, as ldapsearch writes them by default, and comments about pages and referrals.
    let configuration = searched(&lab, &format!("{SERVICES},{}", Domain::BASE), "(objectClass=*)");
    let accounts = searched(&lab, Domain::BASE, ACCOUNTS);
    assert!(configuration.contains("\n ") && accounts.contains("# refldap"));
    let dump = lab.home.write("forest.ldif", format!("{configuration}\n{accounts}"));
    scan_dump(&lab, &dump);
    let read = lab.home.inventory();
    compare("facts", &facts_of(&read, KINDS), &facts_of(&live, KINDS));
    let without_controller = |inventory: &[Value]| {
        let mut found = facts_of(inventory, &["certificate"]);
        found.retain(|(_, name, _)| *name != lab.forest.controller.sha256());
        let names = found.into_iter().map(|(_, name, _)| name);
        names.collect()
    };
    compare("certificates", &without_controller(&read), &without_controller(&live));
    compare("not met", &findings(&lab.home, "not-met"), &lab.forest.not_met);
    compare("unknown", &findings(&lab.home, "unknown"), &lab.forest.unknown);

    // By the command line alone, which then is all that is looked at.
    fs::remove_file(lab.home.path().join("pkimm-agent.toml")).unwrap();
    let _ = lab.home.agent(&["scan", "--ldif", path(&dump)]).expect_code(0);
    compare("by --ldif", &facts_of(&lab.home.inventory(), KINDS), &facts_of(&live, KINDS));

    // The tool of Samba writes descriptors and identifiers as text, which is no input for a judgement:
    // the same templates are found, and nothing is said of who may have them.
    let database = path(&lab.domain.database()).to_owned();
    let base = format!("{SERVICES},{}", Domain::BASE);
    let search = ["-H", &database, "-b", &base, "*", "nTSecurityDescriptor"];
    fs::write(&dump, tools::run("ldbsearch", &search)).unwrap();
    lab.home.write("pkimm-agent.toml", settings(&dump));
    let _ = lab.home.agent(&["scan"]);
    let templates = |inventory: &[Value]| -> BTreeSet<String> {
        facts::of_kind(inventory, "template").into_iter().map(super::name_of).collect()
    };
    compare(
        "templates, as Samba writes them",
        &templates(&lab.home.inventory()),
        &templates(&live),
    );
    let invented: Vec<_> =
        findings(&lab.home, "not-met").difference(&lab.forest.not_met).cloned().collect();
    assert!(invented.is_empty(), "{invented:#?}");
    let unknown = findings(&lab.home, "unknown");
    let takeover = "adcs.template-takeover";
    let blind = unknown.iter().filter(|(rule, _)| rule == takeover).count();
    assert_eq!(blind, super::templates::TEMPLATES.len(), "{unknown:#?}");
}

fn settings(dump: &Path) -> String {
    format!("[filesystem]\nroots = []\n[[directory.dumps]]\npath = {:?}\n", path(dump))
}

fn scan_dump(lab: &Lab, dump: &Path) {
    lab.home.write("pkimm-agent.toml", settings(dump));
    let scan = lab.home.agent(&["scan"]).expect_code(0);
    assert_eq!(lab.home.gaps(), Vec::<Value>::new(), "{}", scan.stderr);
}

/// As the account itself, with everything but the list of auditing.
fn searched(lab: &Lab, base: &str, filter: &str) -> String {
    let mut command = lab.domain.inside("ldapsearch");
    let url = format!("ldaps://{}", Domain::HOST);
    let name = format!("{READER}@{}", Domain::NAME);
    command.args(["-LLL", "-x", "-H", &url, "-D", &name, "-w", PASSWORD, "-b", base]);
    command.args(["-E", "pr=500/noprompt", "-E", "!1.2.840.113556.1.4.801=::MAMCAQc="]);
    command.args([filter, "*", "nTSecurityDescriptor"]);
    command.env("LDAPTLS_CACERT", &lab.forest.root.own.certificate);
    String::from_utf8(tools::finish(command)).unwrap()
}
