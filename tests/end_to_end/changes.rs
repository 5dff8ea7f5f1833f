//! A second run says what is different.

use std::fs;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Order, path};
use pkimm_tests::facts;
use serde_json::{Value, json};

const FIRST: &str = "2026-10-01T00:00:00Z";
const SECOND: &str = "2026-11-01T00:00:00Z";

#[test]
fn a_second_run_shows_what_is_new_gone_and_renewed_and_when_the_rest_was_seen() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let issue = |name: &str, end| {
        root.issue(&Order { validity: ("20260101000000Z", end), ..Order::server(name) })
    };
    let place = |name: &str, certificate| {
        home.write(&format!("tree/{name}"), fs::read(certificate).unwrap())
    };
    let stays = issue("stays.test", "20270101000000Z");
    let goes = issue("goes.test", "20270101000000Z");
    let old = issue("renewed.test", "20270101000000Z");
    let moved = issue("moved.test", "20270101000000Z");
    place("stays.pem", &stays.certificate);
    let gone = place("goes.pem", &goes.certificate);
    place("renewed.pem", &old.certificate);
    let from = place("moved-from.pem", &moved.certificate);
    let tree = home.path().join("tree");
    let run = |time| home.agent(&["run", "--root", path(&tree), "--as-of", time]).expect_code(0);
    let first = run(FIRST);
    assert!(!first.stdout.contains("Changes since"), "{}", first.stdout);
    let assessment =
        || -> Value { serde_json::from_str(&home.read("pkimm-report/assessment.json")).unwrap() };
    assert_eq!(assessment()["changes"], Value::Null);

    let comes = issue("comes.test", "20270101000000Z");
    let renewal = issue("renewed.test", "20280101000000Z");
    let successor = issue("moved.test", "20280101000000Z");
    fs::remove_file(gone).unwrap();
    fs::remove_file(from).unwrap();
    place("renewed.pem", &renewal.certificate);
    place("moved-to.pem", &successor.certificate);
    place("comes.pem", &comes.certificate);
    let second = run(SECOND);

    let id = |sha256: String| json!(format!("certificate:{sha256}"));
    let changes = assessment()["changes"].clone();
    assert_eq!(changes["since"], FIRST);
    assert_eq!(changes["new"], json!([id(comes.sha256())]));
    assert_eq!(changes["gone"], json!([id(goes.sha256())]));
    assert_eq!(changes["not_looked_at"], json!([]));
    let pair = |old: String, new: String| json!({"old": id(old), "new": id(new)});
    // In place, and elsewhere for the same names.
    let pairs = [pair(old.sha256(), renewal.sha256()), pair(moved.sha256(), successor.sha256())];
    let renewed = changes["renewed"].as_array().unwrap();
    assert!(renewed.len() == 2 && pairs.iter().all(|pair| renewed.contains(pair)), "{changes:#}");
    let squeezed = second.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "Changes since 2026-10-01T00:00:00Z",
        "New 1 e.g. comes.test",
        "Renewed 2 e.g. ",
        "Gone 1 e.g. ",
        "Not looked at 0",
    ] {
        assert!(squeezed.contains(said), "{said} is not in:\n{}", second.stdout);
    }

    let latest = home.inventory();
    assert_eq!(latest.len(), 4, "what is gone is not in the latest run");
    let all = home.agent(&["inventory", "export", "--all-runs"]).expect_code(0).lines();
    for (issued, first, last) in [
        (&stays, FIRST, SECOND),
        (&goes, FIRST, FIRST),
        (&old, FIRST, FIRST),
        (&renewal, SECOND, SECOND),
        (&comes, SECOND, SECOND),
    ] {
        let asset = facts::with_digest(&all, "certificate", &issued.sha256());
        let expected = json!({"first_seen": first, "last_seen": last});
        facts::assert_facts("an asset of both runs", asset, &expected);
    }
    // The first run is still there as it was.
    let before = home.agent(&["inventory", "export", "--run", "1"]).expect_code(0).lines();
    assert_eq!(before.len(), 4);
    let _ = facts::with_digest(&before, "certificate", &goes.sha256());
}

#[test]
fn what_was_not_looked_at_is_not_called_gone() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let [one, other] = ["one", "other"].map(|name| {
        let leaf = root.issue(&Order::server(&format!("{name}.test")));
        home.write(&format!("{name}/leaf.pem"), fs::read(&leaf.certificate).unwrap());
        leaf
    });
    let run = |names: &[&str], time| {
        let roots: Vec<_> = names.iter().map(|name| home.path().join(name)).collect();
        let mut arguments = vec!["run", "--as-of", time];
        arguments.extend(roots.iter().flat_map(|root| ["--root", path(root)]));
        let _ = home.agent(&arguments).expect_code(0);
    };
    run(&["one", "other"], FIRST);
    run(&["one"], SECOND);
    let assessment: Value =
        serde_json::from_str(&home.read("pkimm-report/assessment.json")).unwrap();
    let expected = json!({
        "new": [], "gone": [], "renewed": [],
        "not_looked_at": [format!("certificate:{}", other.sha256())],
    });
    facts::assert_facts("the changes", &assessment["changes"], &expected);
    let _ = facts::with_digest(&home.inventory(), "certificate", &one.sha256());
}
