//! Dependencies point one way.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate of ours may use of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("pki-automation", &["pki-inventory"]),
    (
        "pki-collectors",
        &[
            "pki-automation",
            "pki-config",
            "pki-configured",
            "pki-containers",
            "pki-descriptors",
            "pki-directory",
            "pki-encodings",
            "pki-inventory",
            "pki-key-files",
            "pki-keystores",
            "pki-tokens",
        ],
    ),
    ("pki-config", &[]),
    ("pki-configured", &["pki-inventory"]),
    ("pki-containers", &["pki-inventory"]),
    ("pki-descriptors", &["pki-inventory"]),
    ("pki-directory", &["pki-descriptors", "pki-encodings", "pki-inventory"]),
    ("pki-encodings", &["pki-inventory"]),
    ("pki-inventory", &[]),
    ("pki-key-files", &["pki-encodings", "pki-inventory"]),
    ("pki-keystores", &["pki-encodings", "pki-inventory"]),
    ("pki-maturity", &[]),
    ("pki-module", &["pki-tokens"]),
    ("pki-report", &["pki-inventory", "pki-maturity", "pki-rules", "pki-scoring"]),
    ("pki-rules", &["pki-inventory"]),
    ("pki-scoring", &["pki-config", "pki-inventory", "pki-maturity", "pki-rules"]),
    ("pki-store", &["pki-inventory"]),
    ("pki-tokens", &["pki-encodings", "pki-inventory"]),
    (
        "pkimm-agent",
        &[
            "pki-collectors",
            "pki-config",
            "pki-inventory",
            "pki-maturity",
            "pki-module",
            "pki-report",
            "pki-rules",
            "pki-scoring",
            "pki-store",
        ],
    ),
    ("pkimm-tests", &[]),
];

/// Crates without input, output, clock or runtime may not even depend on one.
/// The one of keystores that is not among them has SQLite, which is given octets and opens no file.
const PURE: &[&str] = &[
    "pki-automation",
    "pki-config",
    "pki-configured",
    "pki-containers",
    "pki-descriptors",
    "pki-directory",
    "pki-encodings",
    "pki-inventory",
    "pki-key-files",
    "pki-maturity",
    "pki-rules",
    "pki-scoring",
    "pki-tokens",
];
const IMPURE: &[&str] = &["tokio", "rustls", "rusqlite", "reqwest", "tracing", "indicatif", "clap"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(super::top().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .unwrap();
    let mut all = BTreeMap::new();
    for package in metadata.packages {
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        let names = normal.map(|dependency| dependency.name.clone()).collect();
        all.insert(package.name.to_string(), names);
    }
    all
}

#[test]
fn every_arrow_is_one_of_the_house() {
    let dependencies = dependencies();
    let ours: BTreeSet<&String> = dependencies.keys().collect();
    let listed: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(ours, listed.iter().collect(), "every crate has its line in ARROWS");
    for (name, allowed) in ARROWS {
        for dependency in dependencies[*name].iter().filter(|d| listed.contains(*d)) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn what_is_pure_depends_on_nothing_that_is_not() {
    let dependencies = dependencies();
    for name in PURE {
        for impure in IMPURE {
            assert!(!dependencies[*name].contains(*impure), "{name} must not use {impure}");
        }
    }
}

#[test]
fn the_top_level_has_the_agreed_names_and_nothing_else() {
    let agreed = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "agent",
        "clippy.toml",
        "collectors",
        "config",
        "deny.toml",
        "deploy",
        "docs",
        "model",
        "rustfmt.toml",
        "scorer",
        "tests",
    ];
    let made = ["target", "pkimm-report"];
    let mut found: Vec<String> = std::fs::read_dir(super::top())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !made.contains(&name.as_str()))
        .collect();
    found.sort();
    assert_eq!(found, agreed);
}
