//! Every list says what its folder holds.

use std::collections::BTreeSet;
use std::path::Path;

use pki_collectors::COLLECTORS;
use pki_maturity::VERSIONS;
use pki_report::FORMATS;
use pki_rules::RULES;

use super::files;

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn is_sorted(names: &[&str]) -> bool {
    names.windows(2).all(|pair| pair[0] < pair[1])
}

#[test]
fn every_collector_file_is_in_the_list() {
    let names: Vec<&str> = COLLECTORS.iter().map(|collector| collector.name()).collect();
    assert!(is_sorted(&names), "{names:?}");
    let folder = super::top().join("collectors/src");
    let mut found: Vec<String> = files("collectors/src", ".rs")
        .into_iter()
        .filter(|path| path.parent() == Some(&folder))
        .map(|path| stem(&path))
        .filter(|name| !["lib", "context"].contains(&name.as_str()))
        .collect();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn every_rule_file_is_in_the_list() {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert!(is_sorted(&names), "{names:?}");
    let folder = super::top().join("scorer/rules/src");
    let found: BTreeSet<String> = files("scorer/rules/src", ".rs")
        .into_iter()
        .filter(|path| path.parent() != Some(&folder))
        .map(|path| {
            let subject =
                path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            format!("{subject}.{}", stem(&path)).replace('_', "-")
        })
        .collect();
    assert_eq!(found, names.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_model_file_is_in_the_list() {
    let names: Vec<&str> = VERSIONS.iter().map(|version| version.id).collect();
    assert!(is_sorted(&names), "{names:?}");
    let expected: BTreeSet<String> = names
        .iter()
        .flat_map(|id| [format!("map-{id}.yaml"), format!("pkimm-{id}.yaml")])
        .collect();
    let found: BTreeSet<String> = files("model/maturity/data", ".yaml")
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_format_of_the_list_has_its_file() {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    assert!(is_sorted(&names), "{names:?}");
    let folder = super::top().join("scorer/report/src");
    let found: BTreeSet<String> = files("scorer/report/src", ".rs")
        .into_iter()
        .filter(|path| path.parent() == Some(&folder))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("const FORMAT: Format"))
        .map(|path| stem(&path).replace('_', "-"))
        .collect();
    assert_eq!(found, names.iter().map(|name| (*name).to_owned()).collect());
}
