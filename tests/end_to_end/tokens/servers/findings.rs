//! What is found on the tokens of the lab: everything that is wrong there, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use pkimm_tests::facts;
use serde_json::{Value, json};

use crate::AS_OF;

use super::{Lab, SECOND, TOKEN, compare, findings, named};

#[test]
fn the_findings_about_two_tokens_are_the_expected_ones_and_no_others() {
    let lab = Lab::new();
    lab.log_in();
    let scan = lab.agent(&["scan"]).expect_code(0);
    assert_eq!(lab.home.gaps(), Vec::<Value>::new(), "{}", scan.stderr);
    check_tokens(&lab);
    check_sentences(&lab);
    check_views(&lab);
    let both = |not_met: &BTreeSet<_>, unknown: &BTreeSet<_>| -> BTreeSet<_> {
        let marked = |all: &BTreeSet<(String, String)>, outcome: &'static str| {
            all.iter().map(|(rule, name)| (outcome, rule.clone(), name.clone())).collect::<Vec<_>>()
        };
        [marked(not_met, "not met"), marked(unknown, "unknown")].concat().into_iter().collect()
    };
    let found = both(&findings(&lab.home, "not-met"), &findings(&lab.home, "unknown"));
    compare("findings", &found, &both(&lab.material.not_met, &lab.material.unknown));
}

/// The device list: what each token says of itself.
fn check_tokens(lab: &Lab) {
    let inventory = lab.home.inventory();
    for (label, login, keys) in [(TOKEN, "done", 27), (SECOND, "done", 2)] {
        let token = named(&inventory, &format!("token {label}"));
        let expected = json!({
            "label": label,
            "manufacturer": "SoftHSM project",
            "model": "SoftHSM v2",
            "hardware_version": "2.6",
            "module": {"manufacturer": "SoftHSM", "version": "2.6"},
            "slot": {"hardware": false, "removable": false},
            "flags": {"login_required": true, "initialized": true, "user_pin_initialized": true},
            "login": login,
            "kept_in": "software",
        });
        facts::assert_facts(label, &token["facts"], &expected);
        let place = facts::places(token)[0];
        let serial = token["facts"]["serial"].as_str().unwrap();
        assert_eq!(
            place,
            format!(
                "pkcs11:token={};manufacturer=SoftHSM%20project;model=SoftHSM%20v2;serial={serial}",
                label.replace(' ', "%20")
            )
        );
        let held = token["facts"]["keys"].as_array().unwrap();
        assert_eq!(held.len(), keys, "{label}");
        let mechanisms = token["facts"]["mechanisms"].as_array().unwrap();
        assert!(mechanisms.len() > 40, "{}", mechanisms.len());
    }
}

/// What a finding rests on is in its sentence.
fn check_sentences(lab: &Lab) {
    let inventory = lab.home.inventory();
    let findings = lab.home.findings(AS_OF);
    for (rule, name, words) in [
        ("token.key-extractable", "key extractable", "CKA_EXTRACTABLE"),
        ("token.key-mechanism-weak", "key weak-mechanism", "SHA-1"),
        ("token.key-kept-after-expiry", "key ended", "2021-12-31"),
        ("token.key-on-several-tokens", "key both", "Lab%20Spare"),
        ("token.key-id-duplicate", "token Lab CA", "0a"),
        ("ca.key-outside-hardware", "certificate ca", "Lab%20CA"),
    ] {
        let asset = named(&inventory, name);
        let found = findings
            .iter()
            .find(|finding| finding["rule"] == rule && finding["asset"] == asset["id"])
            .unwrap_or_else(|| panic!("{rule} says nothing of {name}"));
        let said = found["sentence"].as_str().unwrap_or_default();
        assert!(said.contains(words), "{rule} says of {name} nothing of {words}: {said}");
    }
}

fn check_views(lab: &Lab) {
    let tokens = lab.home.agent(&["inventory", "tokens"]).expect_code(0).stdout;
    for words in [TOKEN, SECOND, "SoftHSM v2", "software"] {
        assert!(tokens.contains(words), "{words} is not in\n{tokens}");
    }
    let keys = lab.home.agent(&["inventory", "keys"]).expect_code(0).stdout;
    for words in ["rsa-1024", "aes-wrap-decrypt", "unwrapped", "no-id", "Ed25519", "AES"] {
        assert!(keys.contains(words), "{words} is not in\n{keys}");
    }
    let why = lab.home.agent(&["why", "token.key-extractable", "--as-of", AS_OF]);
    let why = why.expect_code(0).stdout;
    assert!(why.contains("extractable") && why.contains("pkcs11:token=Lab%20CA"), "{why}");
    let page = lab.home.path().join("page.html");
    let out = page.to_str().unwrap();
    let arguments = ["report", "--format", "html", "--output", out, "--as-of", AS_OF];
    let _ = lab.home.agent(&arguments).expect_code(0);
    let page = fs::read_to_string(page).unwrap();
    for words in ["Devices and tokens", TOKEN, SECOND, "SoftHSM v2", "trusted-wrapping"] {
        assert!(page.contains(words), "{words} is not in the page");
    }
}
