//! People's side: the questionnaire.

use std::path::Path;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Order, path};
use pkimm_tests::facts;
use serde_json::{Value, json};

use crate::AS_OF;

/// A requirement whose evidence the tree below bounds at level 1: its only key lies in the clear.
const BOUNDED: &str = "M.key-management.key-lifecycle";
/// A requirement that only people can answer.
const MANUAL: &str = "G.strategy-and-vision.sponsor-support";

/// A folder in which a tree with one unencrypted key has been scanned.
fn scanned() -> Home {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("www.test"));
    home.write("tree/key.pem", std::fs::read(&leaf.key).unwrap());
    let tree = home.path().join("tree");
    let _ = home.agent(&["scan", "--root", path(&tree), "--as-of", AS_OF]).expect_code(0);
    home
}

/// What a file says. The parser of these tests takes few lines of comments at a time.
fn yaml(text: &str) -> Value {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

/// The assessment of what was scanned.
fn assessment(home: &Home) -> Value {
    let arguments = ["report", "--format", "json", "--as-of", AS_OF];
    serde_json::from_str(&home.agent(&arguments).expect_code(0).stdout).unwrap()
}

fn requirement<'a>(assessment: &'a Value, id: &str) -> &'a Value {
    let all = assessment["requirements"].as_array().unwrap();
    all.iter().find(|requirement| requirement["id"] == id).unwrap()
}

#[test]
fn the_questionnaire_names_every_requirement_and_reads_back() {
    let home = scanned();
    let _ = home.agent(&["answers", "init", "--as-of", AS_OF]).expect_code(0);
    let text = home.read("pkimm-report/answers.yaml");
    let file = yaml(&text);
    assert_eq!(file["model"], "2.0.0");
    assert_eq!(file["answers"].as_object().unwrap().len(), 76);
    assert!(text.contains("key.stored-unencrypted"), "the evidence stands beside the question");
    let checked = home.agent(&["check"]).expect_code(0);
    assert!(checked.stdout.contains("answers: 0 of 76 requirements"), "{}", checked.stdout);
    let again = home.agent(&["answers", "init"]).expect_code(2);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(home.read("pkimm-report/answers.yaml"), text, "it was left as it is");
}

#[test]
fn an_answer_counts_and_stays_when_the_questionnaire_is_written_anew() {
    let home = scanned();
    home.write(
        "pkimm-report/answers.yaml",
        format!(
            "model: \"2.0.0\"\nanswers:\n  {MANUAL}:\n    level: 3\n    by: J. Doe\n    when: 2026-11-20\n    \
             why: \"The board decided, and pays: #1\"\n    evidence: [\"minutes: 12\"]\n"
        ),
    );
    let expected = json!({
        "answer": {
            "level": 3, "by": "J. Doe", "when": "2026-11-20T00:00:00Z",
            "why": "The board decided, and pays: #1", "evidence": ["minutes: 12"],
        },
        "verdict": {"name": "declared", "confirmed": 3, "rests_on_evidence": false},
    });
    facts::assert_facts("before", requirement(&assessment(&home), MANUAL), &expected);
    let _ = home.agent(&["answers", "init", "--force"]).expect_code(0);
    facts::assert_facts("after", requirement(&assessment(&home), MANUAL), &expected);
}

#[test]
fn an_answer_above_what_evidence_allows_is_contradicted_and_capped() {
    let home = scanned();
    home.write(
        "pkimm-report/answers.yaml",
        format!(
            "model: \"2.0.0\"\nanswers:\n  {BOUNDED}:\n    level: 4\n    by: J. Doe\n    \
             when: 2026-11-20\n    why: We are sure\n"
        ),
    );
    let assessment = assessment(&home);
    let expected = json!({
        "bound": 1,
        "answer": {"level": 4},
        "verdict": {"name": "contradicted", "answered": 4, "bound": 1, "confirmed": 1},
    });
    facts::assert_facts("the verdict", requirement(&assessment, BOUNDED), &expected);
    let decided = requirement(&assessment, BOUNDED)["rules"].as_array().unwrap();
    assert!(
        decided
            .iter()
            .any(|rule| rule["rule"] == "key.stored-unencrypted" && rule["decides"] == true),
        "both sides are shown: {decided:#?}"
    );
    let arguments = ["assess", "--as-of", AS_OF, "--fail-on", "contradicted"];
    let _ = home.agent(&arguments).expect_code(1);

    // A policy may let the answer count; the contradiction stays in sight.
    home.write("policy.toml", "[answers]\ncontradicted = \"keep\"\nkeep_reason = \"Agreed\"\n");
    let kept = self::assessment(&home);
    let expected =
        json!({"verdict": {"name": "contradicted", "answered": 4, "bound": 1, "confirmed": 4}});
    facts::assert_facts("with `keep`", requirement(&kept, BOUNDED), &expected);
}

#[test]
fn a_bad_file_gets_all_its_problems_at_once_with_line_and_key() {
    let home = scanned();
    let text = format!(
        "model: \"2.0.0\"\nanswers:\n  {BOUNDED}:\n    level: 6\n    by: J\n    when: soon\n    why: w\n  \
         M.no-such.thing:\n    level: 1\n  {MANUAL}:\n    level: 2\n    colour: red\n"
    );
    home.write("pkimm-report/answers.yaml", text);
    let problems = [
        (4, format!("{BOUNDED}.level"), "must be a whole number from 1 to 5"),
        (6, format!("{BOUNDED}.when"), "must be a date such as 2026-11-20"),
        (9, "M.no-such.thing".to_owned(), "is not a requirement of model 2.0.0"),
        (11, format!("{MANUAL}.by"), "is missing"),
        (11, format!("{MANUAL}.when"), "is missing"),
        (11, format!("{MANUAL}.why"), "is missing"),
        (12, format!("{MANUAL}.colour"), "is not a key here"),
    ];
    for arguments in [
        &["check"][..],
        &["assess"],
        &["report"],
        &["run", "--root", "tree"],
        &["answers", "init", "--force"],
        &["answers", "export", "--as", "pkimm-web"],
    ] {
        let outcome = home.agent(arguments).expect_code(2);
        for (line, key, message) in &problems {
            let problem = format!("pkimm-report/answers.yaml:{line}: {key}: {message}");
            assert!(outcome.stderr.contains(&problem), "{problem}\nis not in\n{}", outcome.stderr);
        }
        assert!(!outcome.stderr.contains("panicked"));
    }
}

#[test]
fn the_export_for_the_web_tool_parses_and_has_all_categories_and_requirements() {
    let home = scanned();
    let _ = home
        .agent(&["answers", "export", "--as", "pkimm-web", "--as-of", AS_OF, "-o", "web.yaml"])
        .expect_code(0);
    let web = yaml(&home.read("web.yaml"));
    facts::assert_facts(
        "the file",
        &web,
        &json!({"stateSchemaVersion": 2, "dataVersion": "2.0.0", "lastView": "full"}),
    );
    let progress = web["progress"].as_object().unwrap();
    assert_eq!(progress.len(), 16);
    for (category, entry) in progress {
        let expected =
            json!({"level": 0, "result": "Not Assessed", "description": "", "applicability": true});
        facts::assert_facts(category, entry, &expected);
    }
    assert_eq!(web["sourceStructure"]["byKey"].as_object().unwrap().len(), 16 + 76);
    let updated = web["meta"]["updatedAt"].as_str().unwrap();
    assert_eq!(updated, "2026-11-21T00:00:00.000Z");
}

#[test]
fn every_built_in_version_of_the_model_can_be_assessed() {
    let home = scanned();
    for (version, categories, requirements) in
        [("1.0.0", 15, 72), ("1.1.0", 16, 78), ("2.0.0", 16, 76)]
    {
        let arguments = ["report", "--format", "json", "--as-of", AS_OF, "--model", version];
        let text = home.agent(&arguments).expect_code(0).stdout;
        let assessment: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(assessment["model"]["version"], version);
        assert_eq!(assessment["categories"].as_array().unwrap().len(), categories);
        assert_eq!(assessment["requirements"].as_array().unwrap().len(), requirements);
    }
}

#[test]
fn an_official_model_file_shows_the_official_wording() {
    let official = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/pkimm/model/pkimm-model-2.0.0.yaml");
    if !official.exists() {
        // tests/run has said so.
        return;
    }
    let text = std::fs::read_to_string(&official).unwrap();
    let model = yaml(&text);
    let mut wording = Vec::new();
    for module in model["modules"].as_array().unwrap() {
        for category in module["categories"].as_array().unwrap() {
            for requirement in category["requirements"].as_array().unwrap() {
                let [module, category, id] =
                    [module, category, requirement].map(|part| part["id"].as_str().unwrap());
                let described = requirement["description"].as_str().unwrap().trim();
                wording.push((format!("{module}.{category}.{id}"), described.to_owned()));
            }
        }
    }
    assert_eq!(wording.len(), 76);
    let home = scanned();
    let titles = |model: &str| {
        let arguments = ["report", "--format", "json", "--as-of", AS_OF, "--model", model];
        let text = home.agent(&arguments).expect_code(0).stdout;
        let assessment: Value = serde_json::from_str(&text).unwrap();
        wording
            .iter()
            .map(|(id, _)| requirement(&assessment, id)["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let shown = titles(path(&official));
    let expected: Vec<String> = wording.iter().map(|(_, described)| described.clone()).collect();
    assert_eq!(shown, expected);
    let ours = titles("2.0.0");
    assert!(ours.iter().zip(&expected).filter(|(ours, theirs)| ours == theirs).count() < 8);
}
