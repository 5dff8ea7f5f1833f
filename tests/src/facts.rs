//! Compares what the agent says with what stands in the test, field by field.

use serde_json::Value;

/// Insists that an object has these facts; it may have more. All differences are told at once.
pub fn assert_facts(what: &str, actual: &Value, expected: &Value) {
    assert_all(&[(what, actual, expected)]);
}

/// The same of many objects; what is wrong with any of them is told at once.
pub fn assert_all(compared: &[(&str, &Value, &Value)]) {
    let mut told = Vec::new();
    for (what, actual, expected) in compared {
        let mut differences = Vec::new();
        compare("", actual, expected, &mut differences);
        if !differences.is_empty() {
            let all = serde_json::to_string_pretty(actual).unwrap();
            told.push(format!("{what}:\n  {}\nin {all}", differences.join("\n  ")));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// The one asset of a kind that was seen at a place.
#[must_use]
pub fn at<'a>(assets: &'a [Value], kind: &str, place: &str) -> &'a Value {
    let found: Vec<&Value> = assets
        .iter()
        .filter(|asset| asset["kind"] == kind && places(asset).contains(&place))
        .collect();
    match found.as_slice() {
        [one] => one,
        [] => panic!("no {kind} at {place}; there are:\n{}", overview(assets)),
        _ => panic!("{} of kind {kind} at {place}; there are:\n{}", found.len(), overview(assets)),
    }
}

/// What was shown at a place: the facts of its one endpoint, or else the one gap there. A place
/// that was asked for is one of the two, and never both.
#[must_use]
pub fn status<'a>(assets: &'a [Value], gaps: &'a [Value], place: &str) -> (&'a str, &'a Value) {
    let endpoints = assets
        .iter()
        .filter(|asset| asset["kind"] == "endpoint" && places(asset).contains(&place))
        .map(|asset| ("endpoint", &asset["facts"]));
    let missed = gaps.iter().filter(|gap| gap["place"] == place).map(|gap| ("gap", gap));
    let found: Vec<_> = endpoints.chain(missed).collect();
    match found.as_slice() {
        [one] => *one,
        _ => panic!("{} endpoints and gaps at {place}: {found:#?}", found.len()),
    }
}

/// The one asset with this digest.
#[must_use]
pub fn with_digest<'a>(assets: &'a [Value], kind: &str, sha256: &str) -> &'a Value {
    let found = assets.iter().find(|asset| asset["kind"] == kind && asset["sha256"] == sha256);
    found.unwrap_or_else(|| panic!("no {kind} {sha256}; there are:\n{}", overview(assets)))
}

/// Assets of one kind.
#[must_use]
pub fn of_kind<'a>(assets: &'a [Value], kind: &str) -> Vec<&'a Value> {
    assets.iter().filter(|asset| asset["kind"] == kind).collect()
}

/// The one gap at a place.
#[must_use]
pub fn gap_at<'a>(gaps: &'a [Value], place: &str) -> &'a Value {
    let found: Vec<&Value> = gaps.iter().filter(|gap| gap["place"] == place).collect();
    let all = || gaps.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    match found.as_slice() {
        [one] => one,
        _ => panic!("{} gaps at {place}; there are:\n{}", found.len(), all()),
    }
}

/// The outcome of a rule for an asset.
#[must_use]
pub fn outcome<'a>(findings: &'a [Value], rule: &str, asset: &Value) -> &'a str {
    let found: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["rule"] == rule && finding["asset"] == asset["id"])
        .collect();
    match found.as_slice() {
        [one] => one["outcome"].as_str().unwrap(),
        _ => panic!("{} findings of {rule} about {}", found.len(), asset["id"]),
    }
}

/// The places of an asset.
#[must_use]
pub fn places(asset: &Value) -> Vec<&str> {
    let places = asset["places"].as_array().unwrap_or_else(|| panic!("no places in {asset}"));
    places.iter().map(|place| place.as_str().unwrap()).collect()
}

fn overview(assets: &[Value]) -> String {
    let line = |asset: &Value| format!("{} {} {:?}", asset["kind"], asset["sha256"], places(asset));
    assets.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn compare(path: &str, actual: &Value, expected: &Value, differences: &mut Vec<String>) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, expected) in expected {
                let path = format!("{path}/{key}");
                match actual.get(key) {
                    Some(actual) => compare(&path, actual, expected, differences),
                    None => differences.push(format!("{path} is missing, expected {expected}")),
                }
            }
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                compare(&format!("{path}/{at}"), actual, expected, differences);
            }
        }
        _ if actual == expected => {}
        _ => differences.push(format!("{path} is {actual}, expected {expected}")),
    }
}
