//! Ids, names, weights and level numbers equal the PKI Consortium's files; the words do not.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]
#![allow(clippy::print_stderr, reason = "what a run left out is said beside its result")]

use std::path::PathBuf;

use pki_maturity::{Entry, Map, Model, VERSIONS, rename};

/// The official files lie beside the project, not in it.
fn official(version: &str) -> Option<Model> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("PKIMM_SHARED").map_or(beside, PathBuf::from);
    let path = shared.join(format!("pkimm/model/pkimm-model-{version}.yaml"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("not compared with the official model {version}: no {}", path.display());
        return None;
    };
    Some(Model::official(&text).unwrap())
}

#[test]
fn every_fact_equals_the_official_file() {
    for version in VERSIONS {
        let ours = Model::built_in(version.id).unwrap();
        let Some(official) = official(version.id) else { continue };
        assert_eq!(ours.version, official.version);
        assert_eq!(ours.level_names, official.level_names);
        let facts = |model: &Model| {
            let modules = model.modules.iter().map(|m| (m.id.clone(), m.name.clone(), 0));
            let categories = model.categories().map(|c| (c.id.clone(), c.name.clone(), c.weight));
            let requirements =
                model.requirements().map(|r| (r.id.clone(), String::new(), r.weight));
            modules.chain(categories).chain(requirements).collect::<Vec<_>>()
        };
        assert_eq!(facts(&ours), facts(&official), "model {}", version.id);
    }
}

#[test]
fn no_sentence_is_the_official_one() {
    for version in VERSIONS {
        let ours = Model::built_in(version.id).unwrap();
        let Some(official) = official(version.id) else { continue };
        let words = |model: &Model| {
            let mut all: Vec<String> =
                model.modules.iter().map(|m| m.description.clone()).collect();
            for category in model.categories() {
                all.push(category.description.clone());
                all.extend(category.levels.clone());
            }
            for requirement in model.requirements() {
                all.extend([requirement.title.clone(), requirement.guidance.clone()]);
                all.extend(requirement.evidence.clone());
            }
            all.into_iter().map(|text| text.to_lowercase()).collect::<Vec<_>>()
        };
        let theirs = words(&official);
        for text in words(&ours) {
            assert!(!theirs.contains(&text), "model {}: {text}", version.id);
        }
    }
}

#[test]
fn the_versions_have_their_known_sizes() {
    for (version, categories, requirements, weights, level_2) in [
        ("1.0.0", 15, 72, 47, "Basic"),
        ("1.1.0", 16, 78, 52, "Basic"),
        ("2.0.0", 16, 76, 52, "Foundational"),
    ] {
        let model = Model::built_in(version).unwrap();
        assert_eq!(model.categories().count(), categories);
        assert_eq!(model.requirements().count(), requirements);
        assert_eq!(model.categories().map(|c| c.weight).sum::<u32>(), weights);
        assert_eq!(model.level_name(2.try_into().unwrap()), level_2);
        let guided = model.requirements().all(|r| {
            let sentences = r.guidance.matches(". ").count() + 1;
            (2..=4).contains(&sentences) && r.evidence.len() >= 2
        });
        assert!(guided, "model {version}: two to four sentences of guidance, two things to see");
    }
}

#[test]
fn ids_travel_between_the_versions() {
    for (from, id, to, expected) in [
        ("1.0.0", "G.1.1", "2.0.0", Some("G.strategy-and-vision.sponsor-support")),
        ("1.0.0", "M.5.6", "2.0.0", Some("M.key-management.key-mgmt-review")),
        ("1.0.0", "M.5.5", "1.1.0", Some("M.6.5")),
        ("1.1.0", "M.6.5", "2.0.0", None),
        ("1.1.0", "G.5", "1.0.0", None),
        ("2.0.0", "R.awareness", "1.0.0", Some("R.15")),
        ("2.0.0", "G.policies-and-documentation.policy-scope", "1.1.0", Some("G.2.1")),
    ] {
        assert_eq!(rename(from, id, to).unwrap().as_deref(), expected, "{from} {id} to {to}");
    }
}

#[test]
fn every_requirement_of_every_version_is_judged_or_manual_with_a_reason() {
    for version in VERSIONS {
        let model = Model::built_in(version.id).unwrap();
        let map = Map::for_model(&model).unwrap();
        let mut judged = 0;
        for requirement in model.requirements() {
            match map.entry(&requirement.id).unwrap() {
                Entry::Judged { .. } => judged += 1,
                Entry::Manual { reason } => {
                    assert!(
                        !reason.contains("does not know"),
                        "{} is not in the map",
                        requirement.id
                    );
                }
            }
        }
        assert!(judged > 0, "model {}", version.id);
    }
}

#[test]
fn a_model_file_that_is_none_is_refused_with_the_reason() {
    for (text, word) in [
        ("schemaVersion: 9.0.0\nversion: 9.0.0\nmodules: []\n", "schemaVersion"),
        ("schemaVersion: 2.0.0\nversion: 2.0.0\nmodules: []\n", "no categories"),
        ("{", "not readable"),
    ] {
        let error = Model::official(text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
