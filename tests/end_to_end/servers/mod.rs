//! Real servers on loopback. `PKIMM_LAB=off tests/run` leaves this module out.

mod certificates;
mod chains;
mod handshakes;
mod hostile;
mod networks;
mod not_tls;
mod old;
mod politeness;
mod posture;
mod resume;
mod starttls;
mod stream;
mod this_machine;
mod trouble;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Issued, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::TlsServer;
use serde_json::{Value, json};

/// A root, and a server certificate below it.
fn pki(home: &Home, order: &Order) -> (Authority, Issued) {
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(order);
    (root, leaf)
}

/// Scans one server and insists on what its endpoint shows: these certificates in this order, and
/// these facts. Gives the inventory.
fn scan(home: &Home, server: &TlsServer, chain: &[&Issued], expected: Value) -> Vec<Value> {
    let outcome = home.agent(&["scan", "--target", &server.address()]).expect_code(0);
    let inventory = home.inventory();
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    let digests: Vec<String> = chain.iter().map(|issued| issued.sha256()).collect();
    let what = format!("the endpoint\n{}\n{}", outcome.stderr, server.log());
    facts::assert_facts(&what, &endpoint["facts"], &json!({"outcome": "shown", "chain": digests}));
    facts::assert_facts(&what, &endpoint["facts"], &expected);
    for (position, digest) in digests.iter().enumerate() {
        let certificate = facts::with_digest(&inventory, "certificate", digest);
        let seen = json!({
            "places": [server.place()],
            "facts": {"sightings": [{
                "place": server.place(), "collector": "tls", "chain_position": position,
            }]},
        });
        facts::assert_facts("a certificate of the chain", certificate, &seen);
    }
    inventory
}

/// What a test expects of a place.
struct Expected<'a> {
    /// For messages.
    what: &'a str,
    place: String,
    facts: Value,
}

/// Scans many targets at once at a depth and compares what each place shows with what is expected
/// of it. Gives the inventory.
fn scan_all(home: &Home, depth: &str, targets: &[String], expected: &[Expected<'_>]) -> Vec<Value> {
    let mut arguments = vec!["scan", "--depth", depth];
    arguments.extend(targets.iter().flat_map(|target| ["--target", target.as_str()]));
    let outcome = home.agent(&arguments);
    assert!(matches!(outcome.code, Some(0 | 3)), "{outcome:?}");
    let (inventory, gaps) = (home.inventory(), home.gaps());
    let shown: Vec<&Value> =
        expected.iter().map(|one| facts::status(&inventory, &gaps, &one.place).1).collect();
    let compared: Vec<(&str, &Value, &Value)> =
        expected.iter().zip(shown).map(|(one, shown)| (one.what, shown, &one.facts)).collect();
    facts::assert_all(&compared);
    inventory
}

/// A fact that is so.
fn yes() -> Value {
    json!({"value": "yes"})
}

/// A fact that is not so.
fn no() -> Value {
    json!({"value": "no"})
}
