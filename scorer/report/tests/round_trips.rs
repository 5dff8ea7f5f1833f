//! What others read: the answers file, the web tool's file, the JSON document, the lines of the
//! exports, and the texts of `why`.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod sample;

use pki_inventory::{AssetId, Digest, Kind, View};
use pki_report::{
    FORMATS, finding_line, gap_line, inventory_jsonl, why_asset, why_requirement, why_rule,
};
use pki_scoring::{Answers, Verdict};
use sample::Sample;
use serde_json::Value;

fn render(name: &str, sample: &Sample) -> String {
    let format = FORMATS.iter().find(|format| format.name == name);
    let format = format.unwrap_or_else(|| panic!("{name} is no format"));
    let mut out = Vec::new();
    (format.render)(&sample.document(), &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_answers_file_reads_back_as_the_same_answers() {
    for sample in [sample::sample(), sample::empty(), sample::older_model()] {
        let text = render("answers-yaml", &sample);
        let read = Answers::parse("answers.yaml", &text, &sample.model)
            .unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(read.len(), sample.answers.len());
        for requirement in sample.model.requirements() {
            // Where an answer stands in its file is not part of it.
            let at = |answers: &Answers| {
                answers
                    .get(&requirement.id)
                    .cloned()
                    .map(|answer| pki_scoring::Answer { line: 0, ..answer })
            };
            assert_eq!(at(&read), at(&sample.answers), "{}", requirement.id);
            assert!(text.contains(&format!("\n  {}:\n", requirement.id)), "{}", requirement.id);
        }
    }
}

#[test]
fn the_web_file_holds_what_the_tool_needs() {
    for sample in [sample::sample(), sample::empty(), sample::older_model()] {
        let text = render("pkimm-web", &sample);
        let file: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file["stateSchemaVersion"], 2);
        assert_eq!(file["dataVersion"], sample.model.version.as_str());
        assert_eq!(file["meta"]["updatedAt"], "2026-11-21T00:00:00.000Z");
        assert_eq!(file["lastView"], "full");
        assert_eq!(file["workspace"]["artifacts"].as_array().map(Vec::len), Some(1));
        let id = file["id"].as_str().unwrap_or_default();
        let groups: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
        let count = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        let (categories, requirements) =
            (sample.model.categories().count(), sample.model.requirements().count());
        assert_eq!(count(&file["progress"]), categories);
        assert_eq!(count(&file["sourceStructure"]["byKey"]), categories + requirements);
        for category in sample.model.categories() {
            let entry = &file["progress"][&category.id];
            assert_eq!((&entry["level"], &entry["applicability"]), (&0.into(), &true.into()));
        }
        for verdict in &sample.assessment.requirements {
            let entry = &file["requirementProgress"][&verdict.id];
            if verdict.verdict == Verdict::Unrated {
                assert!(entry.is_null(), "{}", verdict.id);
                continue;
            }
            let level = verdict.verdict.provisional().map_or(0, u8::from);
            assert_eq!(entry["level"], level, "{}", verdict.id);
            let outside = matches!(verdict.verdict, Verdict::OutOfScope { .. });
            assert_eq!(entry["applicability"], !outside, "{}", verdict.id);
            assert_eq!(outside, entry["applicabilityReason"].is_string(), "{}", verdict.id);
            let flag = entry["flagNote"].as_str().unwrap_or_default();
            let flagged = match verdict.verdict {
                Verdict::Suggested(_) => flag == "suggested from evidence, not confirmed",
                Verdict::Contradicted { .. } => flag.starts_with("contradicted: "),
                _ => true,
            };
            assert!(flagged, "{}: {flag}", verdict.id);
            assert!(entry["notes"].is_string() && entry["evidence"].is_string());
        }
        for line in text.lines() {
            let value = line.split_once(": ").map_or("", |(_, value)| value);
            let bare = value.parse::<u8>().is_ok()
                || ["true", "false", "[]", "{}", "[\"art-evidence\"]", ""].contains(&value);
            assert!(bare || value.starts_with('"'), "not in double quotes: {line}");
        }
    }
}

#[test]
fn the_id_of_the_web_file_depends_on_the_scope_alone() {
    let id = |sample: &Sample| {
        let text = render("pkimm-web", sample);
        text.lines().find(|line| line.starts_with("id: ")).unwrap_or_default().to_owned()
    };
    let mut other = sample::sample();
    assert_eq!(id(&other), id(&sample::empty()), "the same scope, another run");
    other.scope.push("And more.".to_owned());
    assert_ne!(id(&other), id(&sample::sample()));
}

#[test]
fn the_json_document_is_valid_under_its_schema() {
    let schema = include_str!("../schema/assessment-1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap_or_else(|error| panic!("{error}"));
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}"));
    for sample in [sample::sample(), sample::empty(), sample::older_model()] {
        let document: Value = serde_json::from_str(&render("json", &sample))
            .unwrap_or_else(|error| panic!("{error}"));
        let problems: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        let keys = schema["required"].as_array().map(Vec::len);
        assert_eq!(document.as_object().map(serde_json::Map::len), keys, "every key is described");
    }
    let mut broken: Value = serde_json::from_str(&render("json", &sample::sample()))
        .unwrap_or_else(|error| panic!("{error}"));
    broken["requirements"][0]["verdict"]["name"] = "fine".into();
    assert!(!validator.is_valid(&broken), "the schema forbids nothing");
}

#[test]
fn the_json_document_holds_every_endpoint_with_the_facts_of_the_export() {
    let sample = sample::sample();
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    let view = View::of(&sample.inventory);
    let endpoints = sample.inventory.assets().filter(|asset| asset.id.kind == Kind::Endpoint);
    let expected = endpoints.map(|asset| {
        let mut line = inventory_jsonl(asset, &view);
        let mut facts = line["facts"].take();
        let sightings = facts.as_object_mut().and_then(|facts| facts.remove("sightings"));
        assert!(sightings.is_some());
        serde_json::json!({ "id": line["id"], "places": line["places"], "facts": facts })
    });
    let expected: Vec<Value> = expected.collect();
    assert!(expected.len() > 10);
    assert_eq!(document["endpoints"], Value::from(expected));
}

#[test]
fn what_a_broken_off_handshake_would_have_shown_was_not_observed() {
    let sample = sample::sample();
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    let at = |place: &str| {
        let endpoints = document["endpoints"].as_array().into_iter().flatten();
        let mut there = endpoints.filter(|one| one["places"][0] == place);
        there.next().unwrap_or_else(|| panic!("nothing at {place}"))["facts"].clone()
    };
    let open = serde_json::json!({
        "value": "not-observed", "why": "the handshake ended before it"
    });
    let (broken, whole) = (
        at("tls://192.0.2.5:443?sni=vpn.example.org"),
        at("tls://192.0.2.2:443?sni=shop.example.org"),
    );
    for (fact, seen) in [("stapled", "staple"), ("timestamped", "sct_logs")] {
        assert_eq!(broken[fact], open, "{fact}");
        assert_eq!(whole[fact]["value"], "no", "{fact}: {}", whole[seen]);
    }
    let html = render("html", &sample);
    assert!(html.contains("stapled status: not observed (the handshake ended before it)"));
}

#[test]
fn the_facts_of_endpoints_are_as_the_schema_says() {
    let schema = include_str!("../schema/assessment-1.schema.json");
    let mut schema: Value = serde_json::from_str(schema).unwrap_or_else(|error| panic!("{error}"));
    let defs = schema["$defs"].take();
    let schema = serde_json::json!({ "$ref": "#/$defs/endpoint_facts", "$defs": defs });
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}"));
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    let facts = |place: &str| {
        let at = |asset: &&pki_inventory::Asset| asset.places().any(|p| p.to_string() == place);
        let mut endpoints = sample.inventory.assets().filter(|a| a.id.kind == Kind::Endpoint);
        let asset = endpoints.find(at).unwrap_or_else(|| panic!("nothing at {place}"));
        inventory_jsonl(asset, &view)["facts"].clone()
    };
    let endpoints = sample.inventory.assets().filter(|asset| asset.id.kind == Kind::Endpoint);
    for asset in endpoints {
        let facts = inventory_jsonl(asset, &view)["facts"].clone();
        let errors: Vec<_> = validator.iter_errors(&facts).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", asset.id);
    }
    let modern = facts("tls://192.0.2.1:443?sni=www.example.org");
    assert_eq!(modern["posture"]["groups"]["X25519MLKEM768"]["value"], "yes");
    assert_eq!(modern["posture"]["versions"]["SSLv3"]["offered"]["value"], "no");
    assert_eq!(modern["chain_facts"]["complete"]["value"], "yes");
    assert_eq!((&modern["connections"], &modern["staple"]["status"]), (&31.into(), &"good".into()));
    let legacy = facts("tls://192.0.2.12:8443?sni=old.example.org");
    let open = &legacy["posture"]["versions"]["SSLv2"]["offered"];
    assert_eq!(open["value"], "not-observed");
    assert!(open["why"].as_str().is_some_and(|why| why.starts_with("the connection was reset")));
    assert_eq!(legacy["posture"]["versions"]["SSLv3"]["suites"]["complete"]["value"], "yes");
    assert_eq!(legacy["chain_facts"]["missing"].as_array().map(Vec::len), Some(1));
    let revoked = facts("tls://192.0.2.4:443?sni=api.example.org")["staple"].clone();
    assert_eq!(
        (&revoked["status"], &revoked["detail"]),
        (&"revoked".into(), &"keyCompromise".into())
    );
    assert_eq!(revoked["revoked_at"], "2026-11-19T00:00:00Z");
    let mut broken = modern;
    broken["posture"]["compression"] = serde_json::json!({ "value": "not-observed" });
    assert!(!validator.is_valid(&broken), "whoever did not look says why");
    let plain = facts("tls://192.0.2.15:8443");
    assert!(plain["posture"].is_null() && plain["chain_facts"].is_null());
}

#[test]
fn each_asset_finding_and_gap_is_one_line_with_its_keys() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    for asset in sample.inventory.assets() {
        let line = inventory_jsonl(asset, &view);
        let mut expected = ["facts", "first_seen", "id", "kind", "last_seen", "places", "sha256"];
        let mut found = keys(&line);
        expected.sort_unstable();
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(line["id"], asset.id.to_string());
        assert!(keys(&line["facts"]).len() > 1, "{line}");
        assert!(!line.to_string().contains('\n'));
        if let Some(certificate) = asset.certificate() {
            assert_eq!(line["facts"]["validity_days"], certificate.validity_days());
            assert_eq!(line["facts"]["key"]["label"], certificate.key.label());
        }
        if asset.id.kind == Kind::Key {
            let sighting = &line["facts"]["sightings"][0];
            assert!(["private", "public"].map(Value::from).contains(&sighting["key"]["half"]));
            assert!(sighting["file"]["owner"] == "root" || sighting["token"]["class"].is_string());
        }
    }
    let findings = &sample.assessment.judgement.findings;
    let line = finding_line(&findings[0], None);
    let mut found = keys(&line);
    found.sort();
    assert_eq!(found, ["asset", "outcome", "places", "rule", "sentence"]);
    let excepted = &sample.assessment.judgement.excepted[0].finding;
    assert_eq!(finding_line(excepted, Some("why"))["exception"], "why");
    let gap = sample.inventory.gaps().find(|gap| gap.collector == "filesystem");
    let gap = gap.map(gap_line).unwrap_or_default();
    assert_eq!((&gap["kind"], &gap["collector"]), (&"gap".into(), &"filesystem".into()));
}

#[test]
fn why_names_what_every_verdict_rests_on() {
    let sample = sample::sample();
    let document = sample.document();
    for verdict in &sample.assessment.requirements {
        let text = why_requirement(&document, &verdict.id).unwrap_or_default();
        assert!(text.contains(&verdict.verdict.name().replace('-', " ")), "{text}");
        for rule in verdict.rules() {
            let origin = rule.origin.as_ref().map(|o| format!("{}:{}", o.file, o.line));
            for part in [rule.rule, &rule.threshold, &origin.unwrap_or_default()] {
                let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(flat.contains(part), "{part} in {text}");
            }
        }
        if let Some(answer) = &verdict.answer {
            assert!(text.contains(&answer.by) && text.contains(&answer.when.date()), "{text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
    assert_eq!(why_requirement(&document, "X.y.z"), None);
}

#[test]
fn why_answers_for_every_rule_and_asset() {
    let sample = sample::sample();
    let document = sample.document();
    for rule in pki_rules::RULES {
        let text = why_rule(&document, rule.id).unwrap_or_default();
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(rule.title), "{text}");
        for finding in sample.assessment.findings_of(rule.id) {
            assert!(text.contains(&finding.subject.to_string()), "{text}");
        }
    }
    assert_eq!(why_rule(&document, "cert.unheard-of"), None);
    for asset in sample.inventory.assets() {
        let text = why_asset(&document, asset.id).unwrap_or_default();
        for place in asset.places() {
            assert!(text.contains(&place.to_string()), "{text}");
        }
    }
    let place = "tls://192.0.2.12:8443?sni=old.example.org";
    let legacy = AssetId::new(Kind::Endpoint, Digest::of(place.as_bytes()));
    let text = why_asset(&document, legacy).unwrap_or_default();
    for line in [
        "speaks              yes: TLSv1.0, SSLv3",
        "Compression               yes",
        "missing: Example Issuing CA 1",
        "Secure renegotiation      no",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(text.contains("not observed: SSLv2 (the connection was reset"), "{text}");
    let key = AssetId::new(Kind::Key, Digest::of(b"key of chat.example.org"));
    assert!(sample.inventory.get(key).is_none(), "it is in the inventory through its certificate");
    assert!(why_asset(&document, key).is_some_and(|text| text.contains("chat.example.org")));
    let unknown = AssetId::new(Kind::Certificate, Digest::of(b"never seen"));
    assert_eq!(why_asset(&document, unknown), None);
}
