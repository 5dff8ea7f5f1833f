//! A domain controller, asked by an ordinary account.

use std::collections::BTreeSet;
use std::fs;

use pkimm_tests::facts;
use pkimm_tests::servers::samba::Domain;
use serde_json::{Value, json};

use crate::AS_OF;

use super::forest::{HOLDERS, SERVICES};
use super::templates::TEMPLATES;
use super::{Lab, compare, findings};

#[test]
fn the_findings_about_a_forest_are_the_expected_ones_and_no_others() {
    let Some(lab) = Lab::start() else { return };
    // Found by its domain, as the records of the domain's name server tell.
    lab.home.write("pkimm-agent.toml", lab.settings("domain = \"corp.example\""));
    let scan = lab.agent(&["scan"]).expect_code(0);
    assert_eq!(lab.home.gaps(), Vec::<Value>::new(), "{}", scan.stderr);
    compare("not met", &findings(&lab.home, "not-met"), &lab.forest.not_met);
    compare("unknown", &findings(&lab.home, "unknown"), &lab.forest.unknown);

    check_inventory(&lab);
    check_sentences(&lab);
    check_views(&lab);
    check_trusted(&lab);
    check_by_url(&lab);
}

fn check_inventory(lab: &Lab) {
    let inventory = lab.home.inventory();
    let templates = facts::of_kind(&inventory, "template");
    assert_eq!(templates.len(), TEMPLATES.len());
    assert_eq!(facts::of_kind(&inventory, "authority").len(), 3);
    let ordinary = templates.iter().find(|asset| asset["facts"]["name"] == "Ordinary").unwrap();
    let expected = json!({
        "dn": format!("CN=Ordinary,CN=Certificate Templates,{SERVICES},{}", Domain::BASE),
        "schema_version": 4,
        "validity_secs": 365 * 86_400,
        "renewal_secs": 42 * 86_400,
        "extended_key_usage": [{"name": "clientAuth", "oid": "1.3.6.1.5.5.7.3.2"}],
        "minimal_key_bits": 2048,
        "agent_signatures": 0,
        "providers": ["Microsoft Software Key Storage Provider"],
    });
    facts::assert_facts("Ordinary", &ordinary["facts"], &expected);
    let place = format!("ldap://{}/CN=Ordinary,CN=Certificate%20Templates", Domain::NAME);
    assert!(facts::places(ordinary)[0].starts_with(&place), "{ordinary:#}");

    // More accounts than a page holds, and one certificate that all of them have.
    let held = facts::with_digest(&inventory, "certificate", &lab.forest.held.sha256());
    let places: BTreeSet<&str> = facts::places(held).into_iter().collect();
    assert_eq!(places.len(), HOLDERS, "an account each");
    // Every certificate of the connection is seen as well, and there only.
    let controller = lab.forest.controller.sha256();
    let controller = facts::with_digest(&inventory, "certificate", &controller);
    let places = facts::places(controller);
    assert!(places.iter().all(|place| place.contains("tls://")), "{places:?}");
}

/// What a finding rests on is in its sentence.
fn check_sentences(lab: &Lab) {
    let inventory = lab.home.inventory();
    let findings = lab.home.findings(AS_OF);
    let sentence = |rule: &str, template: &str| -> String {
        let asset = inventory.iter().find(|asset| asset["facts"]["name"] == template).unwrap();
        let found = findings
            .iter()
            .find(|finding| finding["rule"] == rule && finding["asset"] == asset["id"]);
        let found = found.unwrap_or_else(|| panic!("{rule} says nothing of {template}"));
        found["sentence"].as_str().unwrap_or_default().to_owned()
    };
    let logon = "adcs.template-name-supplied-for-logon";
    for (rule, name, words) in [
        (logon, "Esc1", &["Domain Users", "Lab Issuing"][..]),
        (logon, "Esc1Nested", &["Outer", "Inner"]),
        (logon, "Esc1Particular", &["WebOperators", "trusted_principals"]),
        (logon, "Closed", &["registry"]),
        (logon, "Veiled", &["access"]),
        ("adcs.template-enrolment-agent", "Esc3", &["Esc3Target"]),
        ("adcs.template-takeover", "Esc4Unpublished", &["Domain Users", "publish"]),
        ("adcs.template-policy-gives-group", "Esc13", &["Assured"]),
        ("adcs.template-application-policies-open", "Esc15", &["CVE-2024-49019"]),
        ("adcs.template-superseded-published", "Replaced", &["Replacing"]),
        ("adcs.web-enrolment-exposed", "Lab Issuing", &["ca1.corp.example", "_CES_Kerberos"]),
        ("adcs.authority-names-in-requests", "Lab Issuing", &["registry"]),
    ] {
        let said = sentence(rule, name);
        for word in words {
            assert!(said.contains(word), "{rule} says of {name} nothing of {word}: {said}");
        }
    }
}

fn check_views(lab: &Lab) {
    let templates = lab.home.agent(&["inventory", "templates"]).expect_code(0).stdout;
    for template in TEMPLATES {
        assert!(templates.contains(template.name), "{} is not in\n{templates}", template.name);
    }
    let authorities = lab.home.agent(&["inventory", "cas"]).expect_code(0).stdout;
    for name in ["Lab Root", "Lab Issuing", "Lab Second", "Lab Closed"] {
        assert!(authorities.contains(name), "{name} is not in\n{authorities}");
    }
    let why = lab.home.agent(&["why", "adcs.template-takeover", "--as-of", AS_OF]);
    let why = why.expect_code(0).stdout;
    assert!(why.contains("Esc4List") && why.contains("Domain Users"), "{why}");
    let page = lab.home.path().join("page.html");
    let out = page.to_str().unwrap();
    let arguments = ["report", "--format", "html", "--output", out, "--as-of", AS_OF];
    let _ = lab.home.agent(&arguments).expect_code(0);
    let page = fs::read_to_string(page).unwrap();
    for words in ["<svg", "Hierarchy", "Lab Issuing", "Esc1Nested"] {
        assert!(page.contains(words), "{words} is not in the page");
    }
}

/// Who is trusted is said in the policy, and what only they may do is no finding.
fn check_trusted(lab: &Lab) {
    let policy = "[directory]\ntrusted_principals = [\"corp\\\\weboperators\"]\n";
    let file = lab.home.write("policy.toml", policy);
    let particular = format!("CN=Esc1Particular,CN=Certificate Templates,{SERVICES}");
    let rule = "adcs.template-name-supplied-for-logon".to_owned();
    let mut expected = lab.forest.unknown.clone();
    assert!(expected.remove(&(rule, particular)));
    compare("unknown, with a policy", &findings(&lab.home, "unknown"), &expected);
    compare("not met, with a policy", &findings(&lab.home, "not-met"), &lab.forest.not_met);
    fs::remove_file(file).unwrap();
}

/// By the name of the server, with TLS asked for: nothing else is found, and what the server refers
/// to elsewhere is read anyway, so that it is no gap.
fn check_by_url(lab: &Lab) {
    let before = super::facts_of(&lab.home.inventory(), super::dumps::KINDS);
    let server = format!("url = \"ldap://{}\"\nstarttls = true", Domain::HOST);
    lab.home.write("pkimm-agent.toml", lab.settings(&server));
    let _ = lab.agent(&["scan"]).expect_code(0);
    assert_eq!(lab.home.gaps(), Vec::<Value>::new());
    let after = super::facts_of(&lab.home.inventory(), super::dumps::KINDS);
    compare("by its name, with StartTLS", &after, &before);
}
