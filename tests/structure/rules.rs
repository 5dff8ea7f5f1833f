//! Every rule cites, explains itself, proves its outcomes, and bears on something.

use pki_collectors::COLLECTORS;
use pki_config::Policy;
use pki_maturity::{Entry, Map, Model, VERSIONS};
use pki_rules::{Check, RULES, Rule};

/// Rules that bear on no requirement, with the reason.
pub const UNMAPPED: &[(&str, &str)] = &[
    (
        "adcs.template-attestation-absent",
        "few keys can be attested; that the others are not says nothing of how keys are managed",
    ),
    (
        "adcs.template-provider-legacy",
        "which interface makes a key is no measure of how it is managed; default templates name \
         the old one",
    ),
    (
        "endpoint.chain-disordered",
        "how a server installs its chain is a fault of one service; no requirement speaks of it",
    ),
    (
        "endpoint.chain-incomplete",
        "how a server installs its chain is a fault of one service; no requirement speaks of it",
    ),
    (
        "endpoint.staple-stale",
        "a server that does not refresh its staple says little about the status service behind it",
    ),
    (
        "token.certificate-without-key",
        "what lies beside a certificate is a matter of one token; where its key lies is said of \
         the key",
    ),
    (
        "token.in-error",
        "that a device failed today says nothing of how devices are listed or keys are managed",
    ),
    (
        "token.key-id-duplicate",
        "an identifier that two keys share confuses programs; both keys are in the register all \
         the same",
    ),
    (
        "token.key-id-missing",
        "a key without an identifier or a label is listed by its place like any other",
    ),
    (
        "token.key-modifiable",
        "it is the default of the standard, which lets attributes of protection be changed in the \
         safe direction only",
    ),
    (
        "token.key-on-several-tokens",
        "two devices that stand in for each other and a copy that nobody planned look the same",
    ),
    ("token.key-pair-wraps", "the keys that can leave are counted one by one already"),
    (
        "token.key-without-certificate",
        "keys have uses without certificates, and certificates lie where nobody looked",
    ),
    ("token.key-wrappable-by-trusted", "that is how keys are backed up as they should be"),
    (
        "token.mechanism-weak",
        "what a device offers is a possibility; which mechanisms keys are used with is what counts",
    ),
    ("token.not-initialised", "a spare device may wait for its use; no requirement speaks of it"),
    (
        "token.pin-at-risk",
        "a wrong PIN is an event of the day, and the flags that tell of it mean no more",
    ),
    ("token.serial-duplicate", "parts of one device may share its serial number"),
    ("token.wrapping-key-untrusted", "the keys that can leave are counted one by one already"),
];

fn source(rule: &Rule) -> std::path::PathBuf {
    let (subject, condition) = rule.id.split_once('.').unwrap();
    let (folder, file) = (subject.replace('-', "_"), condition.replace('-', "_"));
    super::top().join(format!("scorer/rules/src/{folder}/{file}.rs"))
}

#[test]
fn every_rule_cites_a_document_and_a_section() {
    for rule in RULES {
        assert!(!rule.cites.is_empty(), "{} cites nothing", rule.id);
        for cite in rule.cites {
            assert!(!cite.document.is_empty() && !cite.section.is_empty(), "{}", rule.id);
        }
        assert!(!rule.title.is_empty() && !rule.title.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_rule_explains_itself_under_the_three_headings() {
    for rule in RULES {
        let text = std::fs::read_to_string(source(rule)).unwrap();
        assert!(text.starts_with(&format!("//! `{}`: ", rule.id)), "{}", rule.id);
        for heading in ["## What it looks at", "## Why it matters", "## What it cannot see"] {
            let (_, below) =
                text.split_once(heading).unwrap_or_else(|| panic!("{}: {heading}", rule.id));
            let first = below.lines().nth(1).unwrap_or_default();
            assert!(first.len() > 20, "{}: nothing under {heading}", rule.id);
        }
    }
}

#[test]
fn every_rule_proves_all_its_outcomes() {
    for rule in RULES {
        let text = std::fs::read_to_string(source(rule)).unwrap();
        let (code, tests) =
            text.split_once("#[cfg(test)]").unwrap_or_else(|| panic!("{}", rule.id));
        for (outcome, name) in [
            ("Outcome::Met", "\"met\""),
            ("Outcome::NotMet", "\"not-met\""),
            ("Outcome::Unknown", "\"unknown\""),
            ("Outcome::NotApplicable", "\"not-applicable\""),
        ] {
            assert_eq!(
                code.contains(outcome),
                tests.contains(name),
                "{}: {outcome} and a test of it go together",
                rule.id
            );
        }
        assert!(
            tests.contains("\"unknown\"") || tests.contains("\"not-applicable\""),
            "{}",
            rule.id
        );
    }
}

#[test]
fn every_rule_fits_on_a_screen() {
    for rule in RULES {
        let lines = super::code(&source(rule)).lines().count();
        assert!(lines <= 100, "{} has {lines} lines before its tests", rule.id);
    }
}

#[test]
fn every_rule_is_fed_by_collectors_that_exist() {
    for rule in RULES {
        assert!(!rule.fed_by.is_empty(), "{}", rule.id);
        for feeding in rule.fed_by {
            assert!(COLLECTORS.iter().any(|c| c.name() == *feeding), "{}: {feeding}", rule.id);
        }
        if let Check::Endpoint(_) = rule.check {
            assert_eq!(rule.fed_by, ["tls"], "{}", rule.id);
        }
    }
}

#[test]
fn every_rule_bears_on_a_requirement_or_says_why_not() {
    let model = Model::built_in(pki_maturity::DEFAULT_VERSION).unwrap();
    let map = Map::for_model(&model).unwrap();
    for rule in RULES {
        let mapped = map.requirements_of(rule.id).next().is_some();
        let excused = UNMAPPED.iter().any(|(id, _)| *id == rule.id);
        assert!(mapped != excused, "{} is mapped, or listed as unmapped with a reason", rule.id);
    }
}

#[test]
fn every_map_names_rules_and_scales_that_exist() {
    let policy = Policy::defaults().unwrap();
    for version in VERSIONS {
        let map = Map::for_model(&Model::built_in(version.id).unwrap()).unwrap();
        for (requirement, entry) in map.entries() {
            let Entry::Judged { rules, .. } = entry else { continue };
            for bearing in rules {
                let known = RULES.iter().any(|rule| rule.id == bearing.rule);
                assert!(known, "{requirement}: no rule {}", bearing.rule);
                assert!(
                    policy.scales.contains_key(&bearing.scale),
                    "{requirement}: {}",
                    bearing.scale
                );
            }
        }
    }
}
