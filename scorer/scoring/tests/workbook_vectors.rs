//! The figures of the official workbook, case by case.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]
#![allow(clippy::print_stdout, reason = "a failing test names its case")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use pki_scoring::official::*;
use serde_json::{Value, json};

/// What the workbook calls levels 1 to 5, in model 1.0.0.
const LEVELS: [&str; 5] = ["Initial", "Basic", "Advanced", "Managed", "Optimized"];

#[test]
fn every_case_of_the_workbook_vectors_holds() {
    let Some(file) = vectors("workbook.json") else { return };
    for section in file.as_object().unwrap().keys() {
        let known = ["about", "ids", "weights", "vectors"].contains(&section.as_str());
        assert!(known, "nothing tests the section {section}");
    }
    let model = Model::new(&file);
    let cases = file["vectors"].as_array().unwrap();
    for case in cases {
        // Shown on failure only.
        println!("{}: {}", case["id"], case["description"]);
        check(&model, &case["input"], &case["expected"]);
    }
    assert_eq!(cases.len(), 30, "restate the number when the file grows");
    println!("{} cases", cases.len());
}

/// The order of model 1.0.0, with the workbook's own numbers as the way back.
struct Model {
    weights: Weights,
    /// Workbook id to category key: `3.4` is `O.10`.
    ids: BTreeMap<String, String>,
    /// Workbook module number to module id.
    modules: BTreeMap<String, String>,
}

impl Model {
    fn new(file: &Value) -> Self {
        let ids = file["ids"]["1.0.0"].as_object().unwrap();
        let ids: BTreeMap<String, String> =
            ids.iter().map(|(id, key)| (id.clone(), key.as_str().unwrap().to_owned())).collect();
        let mut in_model_order: Vec<_> = ids.iter().collect();
        in_model_order.sort_by_key(|(_, key)| number(key));

        let mut weights = Weights { modules: Vec::new() };
        let mut modules = BTreeMap::new();
        for (id, key) in in_model_order {
            let (module, category) = key.split_once('.').unwrap();
            modules.insert(id.split_once('.').unwrap().0.to_owned(), module.to_owned());
            if weights.modules.last().is_none_or(|last| last.id != module) {
                let module = ModuleWeights { id: module.to_owned(), categories: Vec::new() };
                weights.modules.push(module);
            }
            let mut requirements: Vec<_> = file["weights"]["requirements"]
                .as_object()
                .unwrap()
                .iter()
                .filter_map(|(requirement, weight)| {
                    let (category, requirement) = requirement.rsplit_once('.').unwrap();
                    let weight = weight.as_f64().unwrap();
                    (category == id)
                        .then(|| RequirementWeight { id: requirement.to_owned(), weight })
                })
                .collect();
            requirements.sort_by_key(|requirement| requirement.id.parse::<u32>().unwrap());
            weights.modules.last_mut().unwrap().categories.push(CategoryWeights {
                id: category.to_owned(),
                weight: file["weights"]["categories"][id].as_f64().unwrap(),
                requirements,
            });
        }
        Self { weights, ids, modules }
    }

    fn progress(&self, input: &Value) -> Progress {
        let mut progress = Progress::default();
        for (id, scope) in input["category_scope"].as_object().unwrap() {
            assert_eq!(*scope, json!("OUT"));
            progress.categories.insert(self.ids[id].clone(), Rating::not_applicable());
        }
        for (id, answer) in input["answers"].as_object().unwrap() {
            let (category, requirement) = id.rsplit_once('.').unwrap();
            let rating = match answer {
                Value::Null => continue,
                Value::Number(level) => Rating::at(level.as_i64().unwrap()),
                Value::String(text) if text == "NA" => Rating::not_applicable(),
                Value::Object(parts) if parts["scope"] == "OUT" => {
                    Rating { level: parts["level"].as_i64().unwrap(), applicable: false }
                }
                other => panic!("unknown answer {other}"),
            };
            // Hidden rows of the workbook belong to no requirement and get keys nobody asks for.
            progress.requirements.insert(format!("{}.{requirement}", self.ids[category]), rating);
        }
        progress
    }
}

fn check(model: &Model, input: &Value, expected: &Value) {
    let progress = model.progress(input);
    let scores = score(&model.weights, &progress, Blank::CountsZero);

    let overall = &expected["overall"];
    check_average(&scores.overall, overall);
    // The workbook says "Not evaluated" overall even when everything is out of scope.
    let label = match scores.overall.standing() {
        Standing::NotApplicable => label(Standing::NotAssessed),
        standing => label(standing),
    };
    assert_eq!(json!(label), overall["label"]);
    let percent = format!("{}%", scores.overall.percent_to_next());
    assert_eq!(json!(percent), overall["percent_shown"]);
    check_statistics(&requirement_tally(&model.weights, &progress), &overall["statistics"]);

    let modules = expected["modules"].as_object().unwrap();
    assert_eq!(modules.len(), scores.modules.len());
    for (number, expected) in modules {
        let id = &model.modules[number];
        let module = scores.modules.iter().find(|module| module.id == *id).unwrap();
        check_average(&module.score, expected);
        assert_eq!(json!(label_of(&module.score)), expected["label"], "module {number}");
    }

    let categories = expected["categories"].as_object().unwrap();
    assert_eq!(categories.len(), scores.categories.len());
    for (id, expected) in categories {
        let key = &model.ids[id];
        let category = scores.categories.iter().find(|category| category.key == *key).unwrap();
        check_category(&category.score, expected);
    }

    let coverage = scope_coverage(&model.weights, &progress);
    assert_eq!(coverage.requirements_in_scope, scores.overall.in_scope);
    assert_eq!(coverage.requirements, scores.overall.requirements);
    check_against_doubles(&scores, &model.weights, &progress, &expected["ieee_floor_differs"]);
}

/// Overall and modules: an average of nothing is written as 0.
fn check_average(score: &Score, expected: &Value) {
    assert_eq!(json!(score.level), expected["level"]);
    assert_eq!(scope_text(score), expected["scope_text"]);
    let exact = if score.raw.is_none() { Fraction::ZERO } else { score.exact.unwrap() };
    assert_eq!(json!(exact.to_string()), expected["raw_exact"]);
    check_raw(score.raw.unwrap_or(0.0), &expected["raw"]);
}

/// Categories: an average of nothing is left out.
fn check_category(score: &Score, expected: &Value) {
    assert_eq!(json!(score.level), expected["level"]);
    assert_eq!(scope_text(score), expected["scope_text"]);
    assert_eq!(json!(label_of(score)), expected["label"]);
    assert_eq!(json!(score.exact.map(|exact| exact.to_string())), expected["raw_exact"]);
    match score.raw {
        None => assert!(expected["raw"].is_null()),
        Some(raw) => check_raw(raw, &expected["raw"]),
    }
    let applicability = match score.in_scope {
        0 => "Not Applicable",
        n if n < score.requirements => "Partially Applicable",
        _ => "Applicable",
    };
    assert_eq!(json!(applicability), expected["applicability"]);
}

fn check_raw(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-12, "{found} is not {expected}");
}

fn check_statistics(tally: &Tally, expected: &Value) {
    let mut found = json!({
        "N/A": tally.not_applicable,
        "Not evaluated": tally.not_assessed,
        "Total (applicable)": tally.applicable(),
    });
    for (label, count) in LEVELS.iter().zip(tally.levels) {
        found[*label] = json!(count);
    }
    assert_eq!(found, *expected);
}

/// With every requirement in scope rated, both rules average the same numbers, the one exactly and
/// the other in doubles. Where the file says that doubles miss a level, the web tool's rule must
/// miss it too, and nowhere else.
fn check_against_doubles(exact: &Scores, weights: &Weights, progress: &Progress, misses: &Value) {
    if exact.overall.assessed < exact.overall.in_scope {
        return;
    }
    let doubles = score(weights, progress, Blank::Leaves);
    let levels = |scores: &Scores| {
        let modules = scores.modules.iter().map(|module| module.score.level);
        modules.chain([scores.overall.level]).collect::<Vec<_>>()
    };
    let differing = levels(exact).iter().zip(levels(&doubles)).filter(|(a, b)| *a != b).count();
    assert_eq!(differing, misses.as_array().unwrap().len(), "{misses}");
}

fn label_of(score: &Score) -> &'static str {
    label(score.standing())
}

fn label(standing: Standing) -> &'static str {
    match standing {
        Standing::NotApplicable => "N/A",
        Standing::NotAssessed => "Not evaluated",
        Standing::Reached(level) => LEVELS[usize::from(level) - 1],
    }
}

fn scope_text(score: &Score) -> Value {
    match score.in_scope {
        0 => json!("N/A"),
        n => json!(format!("{n} of {}", score.requirements)),
    }
}

fn number(key: &str) -> u32 {
    key.split_once('.').unwrap().1.parse().unwrap()
}

/// The vectors lie beside the project, not in it.
fn vectors(name: &str) -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("PKIMM_SHARED").map_or(beside, PathBuf::from);
    let path = shared.join("vectors").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        // Not `eprintln!`, which the test harness swallows when the test passes.
        let _ = writeln!(std::io::stderr(), "ran without the vectors: no {}", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}
