//! The figures of the web self-assessment tool, case by case.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]
#![allow(clippy::print_stdout, reason = "a failing test names its case")]

use std::io::Write;
use std::path::PathBuf;

use pki_scoring::official::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Sections that hold no scoring case. One that is neither here nor in `run` fails the test.
const NOT_SCORING: &[(&str, &str)] = &[
    ("about", "prose"),
    ("conventions", "prose"),
    ("state_schema_stamp", "file format: which schema version an export states"),
    ("forward_compat", "file format: which schema versions are refused"),
    ("yaml_export_exact", "file format: one export, to the byte"),
    ("yaml_import", "file format: defaults and refusals on import"),
    ("share_url_full_param", "file format: the compressed part of a share link"),
    ("share_url_other", "file format: defaults and length of share links"),
    ("merge_requirement_entry", "file format: merging two assessments"),
    ("merge_category_entry", "file format: merging two assessments"),
    ("action_plan_normalise", "file format: action plans"),
    ("model_facts", "facts of the model files, tested with the models"),
    ("yaml_reader_traps_checked_with_js_yaml_4_3_2", "file format: how YAML scalars read"),
];

fn run(section: &str, case: &Value, vectors: &Value) -> bool {
    match section {
        "effective_category_level" => category_level(case),
        "effective_category_weight" => category_weight(case),
        "requirement_weight_sum" => weight_sum(case),
        "blended_level" => blended(case),
        "overall_and_module_level" => overall(case),
        "rounding_policy" => rounding(case),
        "published_spec_examples" => published(case, &vectors["spec_fixture"]),
        "requirement_completeness" => requirements_complete(case),
        "category_completeness" => categories_complete(case),
        "level_distribution" => distribution(case),
        "scope" => scope(case),
        "gap_to_next" => gap(case),
        "share_url_compact_progress" => shared_levels(case),
        "name_normalise" => {
            let [a, b] = ["a", "b"].map(|key| normalise_name(case[key].as_str().unwrap()));
            assert_eq!(json!(a == b), case["expect_equal"]);
        }
        "extension_compatibility" => {
            let entries: Option<Vec<String>> = read(&case["compatibility"]);
            let model = case["model"].as_str().unwrap();
            assert_eq!(json!(compatible(entries.as_deref(), model)), case["expect"]);
        }
        _ => return false,
    }
    true
}

#[test]
fn every_case_of_the_official_vectors_holds() {
    let Some(vectors) = vectors("official.json") else { return };
    let mut ran = Vec::new();
    for (section, content) in vectors.as_object().unwrap() {
        if NOT_SCORING.iter().any(|(name, _)| name == section) {
            continue;
        }
        if section == "spec_fixture" {
            spec_fixture(content, &vectors["blended_level"]);
            continue;
        }
        let cases = content.get("cases").unwrap_or(content).as_array();
        let cases = cases.unwrap_or_else(|| panic!("section {section} is not a list of cases"));
        let mut count = 0;
        for (number, case) in cases.iter().enumerate() {
            // Shown on failure only.
            println!("{section} {number}: {}", case["name"].as_str().unwrap_or(""));
            assert!(run(section, case, &vectors), "nothing tests the section {section}");
            count += 1;
        }
        assert_eq!(count, cases.len(), "{section}");
        assert_ne!(count, 0, "{section} is empty");
        ran.push((section.as_str(), count));
    }
    println!("{} cases: {ran:?}", ran.iter().map(|(_, count)| count).sum::<usize>());
    assert_eq!(ran.len(), 15, "a section is missing: {ran:?}");
}

fn category_level(case: &Value) {
    let (category, progress): (CategoryWeights, Progress) = (read(&case["category"]), read(case));
    let extension: Option<Extension> = read(&case["extension"]);
    let module = case["module"].as_str().unwrap();
    let level = effective_level(module, &category, &progress, extension.as_ref(), Blank::Leaves);
    for (key, expected) in case["expect"].as_object().unwrap() {
        let source = match level.source {
            Source::Requirements => "requirements",
            Source::SelfDeclared => "self",
            Source::DerivedNotApplicable => "derived-not-applicable",
        };
        match key.as_str() {
            "source" => assert_eq!(json!(source), *expected),
            "raw" => assert_eq!(level.raw.unwrap_or(-1.0), expected.as_f64().unwrap()),
            "raw_fraction" => assert_eq!(level.raw.unwrap(), fraction(expected)),
            "display" => assert_eq!(json!(level.display()), *expected),
            "assessed" => assert_eq!(json!(level.assessed), *expected),
            "in_scope" => assert_eq!(json!(level.in_scope), *expected),
            "weight_sum" => assert_eq!(level.weight_sum, expected.as_f64().unwrap()),
            other => panic!("unknown expectation {other}"),
        }
    }
}

fn category_weight(case: &Value) {
    let category = json!({"id": "c", "weight": case["base"]});
    let mut overlay = case["overlay"].clone();
    let overlays = if overlay.is_null() {
        json!([])
    } else {
        overlay["id"] = json!("c");
        json!([overlay])
    };
    let weight = effective_category_weight("G", &read(&category), &overlaying(overlays));
    assert_eq!(weight, case["expect"].as_f64().unwrap());
}

fn weight_sum(case: &Value) {
    let category = json!({"id": "c", "weight": 1, "requirements": case["requirements"]});
    let overlay = json!([{"id": "c", "requirements": case["overlay_requirements"]}]);
    let sum = requirement_weight_sum("G", &read(&category), &overlaying(overlay));
    assert_eq!(sum, case["expect"].as_f64().unwrap());
}

fn blended(case: &Value) {
    let (category, progress): (CategoryWeights, Progress) = (read(&case["category"]), read(case));
    let level = blended_level("G", &category, &progress, &read(&case["extension"]));
    let expected = case.get("expect_fraction").map(fraction);
    let expected = expected.unwrap_or_else(|| case["expect"].as_f64().unwrap());
    assert_eq!(level.unwrap_or(-1.0), expected);
}

fn overall(case: &Value) {
    let (weights, progress): (Weights, Progress) = (read(&case["model"]), read(case));
    let scores = score(&weights, &progress, Blank::Leaves);
    assert_eq!(json!(scores.overall.level), case["expect_overall"]);
    let modules: Vec<_> = scores.modules.iter().map(|module| module.score.level).collect();
    if let Some(expected) = case.get("expect_modules") {
        assert_eq!(json!(modules), *expected);
    }
}

fn rounding(case: &Value) {
    let policy = RoundingPolicy { rounding: read(&case["rounding"]), ..RoundingPolicy::default() };
    assert_eq!(json!(policy.level(fraction(&case["raw_fraction"]))), case["expect"]);
    let [numerator, denominator] = [0, 1].map(|i| case["raw_fraction"][i].as_u64().unwrap().into());
    let exact = Fraction::new(numerator, denominator).unwrap();
    assert_eq!(json!(policy.level_of_fraction(exact)), case["expect"]);
}

fn published(case: &Value, fixture: &Value) {
    let number = |key: &str| case[key].as_f64().unwrap();
    match case["name"].as_str().unwrap() {
        "extension category level" => {
            let (level, sum) = (number("level_c"), number("weight_sum"));
            let blended = blend(level, sum, number("rel_level"), number("rel_weight"));
            assert_2dp(blended, &case["expect_2dp"]);
        }
        "extension score" => {
            let terms: Vec<(f64, f64)> = read(&case["terms"]);
            assert_2dp(weighted_average(terms), &case["expect_2dp"]);
        }
        "end to end" => end_to_end(case, &read(&fixture["model"]), &read(&fixture["extension"])),
        other => panic!("unknown example {other}"),
    }
}

/// The published example uses the fixture's weights; its other category has a level that nobody
/// can enter, so the last step is taken from the numbers.
fn end_to_end(case: &Value, weights: &Weights, extension: &Extension) {
    let category = &weights.modules[0].categories[0];
    let base: Vec<_> = category.requirements.iter().map(|r| r.weight).collect();
    assert_eq!(base, read::<Vec<f64>>(&case["requirement_weights"]));
    assert_eq!(category.weight, case["category_weight"].as_f64().unwrap());

    let mut progress = Progress::default();
    progress.categories.insert("G.cat-a".into(), Rating::at(0));
    let relevance = case["rel_level"].as_i64().unwrap();
    progress.categories.insert("demo.G.cat-a".into(), Rating::at(relevance));
    let levels: Vec<i64> = read(&case["levels"]);
    for (requirement, level) in category.requirements.iter().zip(levels) {
        progress.requirements.insert(format!("G.cat-a.{}", requirement.id), Rating::at(level));
    }

    let level = effective_level("G", category, &progress, Some(extension), Blank::Leaves);
    assert_eq!(level.weight_sum, case["weight_sum"].as_f64().unwrap());
    assert_eq!(requirement_weight_sum("G", category, extension), level.weight_sum);
    assert_2dp(level.raw.unwrap(), &case["level_c_2dp"]);
    let blended = blended_level("G", category, &progress, extension).unwrap();
    assert_2dp(blended, &case["blended_2dp"]);
    let weight = effective_category_weight("G", category, extension);
    assert_eq!(weight, case["effective_category_weight"].as_f64().unwrap());
    let other: (f64, f64) = read(&case["other_category"]);
    assert_2dp(weighted_average([(blended, weight), other]), &case["extension_score_2dp"]);
    assert_2dp(blended.min(other.0), &case["floor_2dp"]);

    let scores = extension_scores(weights, &progress, extension);
    assert_eq!((scores.extension.raw, scores.extension.level), (blended, 3));
    assert_eq!(scores.floor, None);
}

fn requirements_complete(case: &Value) {
    let count = requirement_completeness(&read(&case["model"]), &read(case));
    let found = json!({
        "assessed": count.assessed, "totalInScope": count.in_scope, "complete": count.complete(),
    });
    assert_eq!(found, case["expect"]);
}

fn categories_complete(case: &Value) {
    let (weights, progress): (Weights, Progress) = (read(&case["model"]), read(case));
    let count = category_completeness(&weights, &progress);
    let requirements = requirement_completeness(&weights, &progress);
    let percents: Vec<_> = count.modules.iter().map(ModuleCompleteness::percent).collect();
    let found = json!({
        "total": count.total,
        "assessed": count.assessed,
        "notAssessed": count.not_assessed(),
        "isIncomplete": count.not_assessed() > 0,
        "modulePct": percents,
        "requirements": {
            "assessed": requirements.assessed, "totalInScope": requirements.in_scope,
        },
    });
    for (key, expected) in case["expect"].as_object().unwrap() {
        assert_eq!(found[key], *expected, "{key}");
    }
}

fn distribution(case: &Value) {
    let distribution = level_distribution(&read(&case["model"]), &read(case));
    let grain = match distribution.grain {
        Grain::Category => "category",
        Grain::Requirement => "requirement",
    };
    let [module] = &distribution.modules[..] else { panic!("one module per case") };
    let [category] = &module.categories[..] else { panic!("one category per case") };
    for tally in [distribution.total, module.total, category.tally] {
        let found = json!({
            "grain": grain,
            "levels": tally.levels,
            "notAssessed": tally.not_assessed,
            "notApplicable": tally.not_applicable,
            "totalApplicable": tally.applicable(),
        });
        assert_eq!(found, case["expect"]);
    }
}

fn scope(case: &Value) {
    let (weights, progress): (Weights, Progress) = (read(&case["model"]), read(case));
    let coverage = scope_coverage(&weights, &progress);
    let found = json!({
        "categoriesInScope": coverage.categories_in_scope,
        "categoriesTotal": coverage.categories,
        "requirementsInScope": coverage.requirements_in_scope,
        "requirementsTotal": coverage.requirements,
    });
    let mut checked = 0;
    if let Some(expected) = case.get("expect_coverage") {
        assert_eq!(found, *expected);
        checked += 1;
    }
    if let Some(line) = case.get("expect_line_at_level_4") {
        let numbers = line.as_str().unwrap().split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<usize> = numbers.filter_map(|n| n.parse().ok()).collect();
        let (categories, requirements) = (coverage.categories, coverage.requirements);
        let (a, c) = (coverage.categories_in_scope, coverage.requirements_in_scope);
        let found = [4, a, categories, c, requirements, coverage.requirements_excluded()];
        assert_eq!(numbers, found);
        checked += 1;
    }
    if let Some(expected) = case.get("expect_exclusions") {
        let exclusions = scope_exclusions(&weights, &progress);
        let expected = expected.as_array().unwrap();
        assert_eq!(exclusions.len(), expected.len());
        for (exclusion, expected) in exclusions.iter().zip(expected) {
            let (grain, ratings) = match exclusion.grain {
                Grain::Category => ("category", &case["progress"]),
                Grain::Requirement => ("requirement", &case["requirementProgress"]),
            };
            assert_eq!(json!(grain), expected["scope"]);
            assert_eq!(json!(exclusion.key), expected["key"]);
            assert_eq!(json!(exclusion.derived), expected["derived"]);
            // Reasons are not ours to keep; the key leads to them.
            if let Some(reason) = expected.get("reason") {
                assert_eq!(ratings[&exclusion.key]["applicabilityReason"], *reason);
            }
        }
        checked += 1;
    }
    assert_ne!(checked, 0, "a case without expectation");
}

fn gap(case: &Value) {
    let Some(model) = case.get("model") else { return no_gap(&case["expect"]) };
    let gaps = gaps_to_next(&read(model), &read(case));
    let found: Vec<_> = gaps
        .iter()
        .map(|gap| {
            json!({
                "categoryKey": gap.category,
                "currentLevel": gap.current,
                "nextLevel": gap.current + 1,
                "limiting": gap.limiting,
                "unassessed": gap.unassessed,
            })
        })
        .collect();
    assert_eq!(json!(found), case["expect"]);
}

/// The second case is a sentence: no row at level 0, -1 or 5, nor for a declared level.
fn no_gap(expected: &Value) {
    assert_eq!(*expected, json!([]));
    let weights: Weights = read(&json!({"modules": [{"id": "G", "categories": [
        {"id": "c", "weight": 1, "requirements": [{"id": "r", "weight": 1}]}
    ]}]}));
    let rated = |level, applicable| json!({"G.c.r": {"level": level, "applicability": applicable}});
    let declared = json!({"progress": {"G.c": {"level": 3, "applicability": true}}});
    for progress in [
        json!({}),
        declared,
        json!({"requirementProgress": rated(0, true)}),
        json!({"requirementProgress": rated(3, false)}),
        json!({"requirementProgress": rated(5, true)}),
    ] {
        assert_eq!(gaps_to_next(&weights, &read(&progress)), [], "{progress}");
    }
    let control = json!({"requirementProgress": rated(4, true)});
    assert_eq!(gaps_to_next(&weights, &read(&control)).len(), 1);
}

/// A share link states the effective levels; those of extensions are only copied.
fn shared_levels(case: &Value) {
    let (weights, progress): (Weights, Progress) = (read(&case["model"]), read(case));
    let mut found = case["progress"].clone();
    for (module, category) in weights.categories() {
        let level = effective_level(&module.id, category, &progress, None, Blank::Leaves).display();
        let key = category_key(&module.id, &category.id);
        found[&key]["applicability"] = json!(level != -1);
        if level != -1 {
            found[&key]["level"] = json!(level);
        }
    }
    assert_eq!(found, case["expect_progress"]);
}

/// The fixture is written out again in the blend cases; both must be read alike.
fn spec_fixture(fixture: &Value, blended: &Value) {
    let first = &blended[0];
    assert_eq!(read::<Extension>(&fixture["extension"]), read(&first["extension"]));
    let weights: Weights = read(&fixture["model"]);
    assert_eq!(weights.modules[0].categories[0], read(&first["category"]));
}

fn overlaying(categories: Value) -> Extension {
    read(&json!({
        "extension": {"id": "x"},
        "overlays": {"modules": [{"id": "G", "categories": categories}]},
    }))
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error} in {value}"))
}

fn fraction(value: &Value) -> f64 {
    value[0].as_f64().unwrap() / value[1].as_f64().unwrap()
}

fn assert_2dp(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 0.005 + 1e-9, "{found} is not {expected}");
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
