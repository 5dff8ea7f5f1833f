//! The lines of a scan as it goes on: each tells all of one thing by itself.
//!
//! For each target there is one line of kind `endpoint` or `gap`, and before it one for each
//! certificate that the server showed. A target that the end of the run cut off has a gap of reason
//! `run-ended`, after its endpoint if there is one; both are written anew when the run is gone on
//! with. Lines are written before the records they tell of are kept, so that none is ever missing;
//! after a kill some are there twice.

use pki_inventory::{Asset, AssetId, Coverage, Digest, Inventory, Kind, Place, Time, View};
use serde::Serialize;
use serde_json::Value;

use crate::facts;
use crate::lines::inventory_jsonl;

#[derive(Serialize)]
struct CoverageLine<'a> {
    kind: &'static str,
    collector: &'a str,
    scope: &'a str,
    asked: u64,
    read: u64,
    not_read: u64,
    octets: u64,
    unchanged: u64,
    finished: String,
}

/// An asset at the moment it was seen: its line as [`inventory_jsonl`] writes it, with this
/// sighting alone and without the facts that the rest of the inventory decides: the role of a
/// certificate in a file, whether it is a trust anchor, and how it is renewed; the certificates,
/// keystores and private places of a key; the trust stores and settings of an endpoint; the
/// endpoints of settings and what lies in their files; what automation manages and what starts it;
/// the facts of the members of a trust store; who publishes and replaces a template, what is known
/// of the certificates and templates of an authority, what lies on a token, and the token of a
/// symmetric key. An endpoint has in addition, under `certificates`, the facts of those it
/// presented, in its order; of one that is not in `chain` the `sha256` alone.
#[must_use]
pub fn seen_line(asset: &Asset, chain: &[Asset]) -> Value {
    let mut inventory = Inventory::default();
    inventory.add(asset.clone());
    chain.iter().for_each(|asset| inventory.add(asset.clone()));
    let view = View::of(&inventory);
    let mut line = inventory_jsonl(asset, &view);
    if let Some(facts) = line.get_mut("facts") {
        leave_out_undecided(facts, asset);
    }
    if let Some(endpoint) = asset.endpoint() {
        let presented = endpoint.session().map(|session| session.chain.as_slice());
        let told = presented.unwrap_or_default().iter().map(|sha256| presented_one(*sha256, &view));
        let told: Vec<Value> = told.collect();
        if let Some(line) = line.as_object_mut() {
            line.insert("certificates".to_owned(), told.into());
        }
    }
    line
}

fn presented_one(sha256: Digest, view: &View<'_>) -> Value {
    let held = [Kind::Certificate, Kind::Unparsed]
        .into_iter()
        .find_map(|kind| view.inventory().get(AssetId::new(kind, sha256)));
    let mut told = match held {
        Some(asset) => {
            let mut told = facts::of(asset, view, asset.last_seen().unwrap_or(Time(0)));
            leave_out_undecided(&mut told, asset);
            told
        }
        None => Value::Object(serde_json::Map::new()),
    };
    if let Some(told) = told.as_object_mut() {
        // The line tells where and when of the endpoint.
        told.remove("sightings");
        told.insert("sha256".to_owned(), sha256.to_string().into());
    }
    told
}

fn leave_out_undecided(facts: &mut Value, asset: &Asset) {
    let undecided: &[&str] = match asset.id.kind {
        Kind::Authority => &["certificate_facts", "published"],
        Kind::Automation => {
            &["managed_certificates", "newest_certificate", "schedules", "monitors"]
        }
        Kind::Certificate => {
            &["trust_anchor", "private_keys", "keystores", "automation", "renewal", "signs"]
        }
        Kind::Configuration => &["files", "endpoints"],
        Kind::Endpoint => &["trust_stores", "settings"],
        Kind::Key => &["certificates", "keystores", "private_places"],
        Kind::SecretKey => &["tokens"],
        Kind::Template => &["publishers", "successors"],
        Kind::Token => &["keys", "public_objects"],
        Kind::TrustStore => &["as_of", "counts", "member_facts"],
        Kind::DirectoryObject
        | Kind::Issuance
        | Kind::Keystore
        | Kind::RevocationList
        | Kind::SigningRequest
        | Kind::Unparsed => &[],
    };
    // What a server presents as its own is in use, whatever else is seen.
    let in_file = asset.id.kind == Kind::Certificate && !asset.places().any(Place::is_network);
    if let Some(facts) = facts.as_object_mut() {
        let role = in_file.then_some(&"role");
        undecided.iter().chain(role).for_each(|fact| drop(facts.remove(*fact)));
    }
}

/// How much of a scope was read: `kind` (always `coverage`), `collector`, `scope`, `asked`, `read`,
/// `not_read`, `octets`, `unchanged`, `finished`.
#[must_use]
pub fn coverage_line(collector: &str, scope: &str, coverage: &Coverage) -> Value {
    facts::value(&CoverageLine {
        kind: "coverage",
        collector,
        scope,
        asked: coverage.asked,
        read: coverage.read,
        not_read: coverage.not_read,
        octets: coverage.octets,
        unchanged: coverage.unchanged,
        finished: coverage.finished.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use pki_inventory::{Key, Observation, Raw, Sighting};

    use super::*;

    #[test]
    fn what_only_the_whole_inventory_knows_is_not_told() {
        let mut inventory = Inventory::default();
        let id = Digest::of(b"public half");
        let place = Place::file("/etc/ssl/key.pem");
        let found = Observation::found(
            Raw::Key { id, key: Key { spki: Some(id), algorithm: None } },
            Sighting::at(place, "filesystem", Time(0)),
        );
        let id = inventory.absorb(found);
        let asset = id.and_then(|id| inventory.get(id)).expect("a key");
        let line = seen_line(asset, &[]);
        assert_eq!(line["places"][0], "file:///etc/ssl/key.pem");
        assert!(line["facts"]["spki_sha256"].is_string());
        assert!(line["facts"].get("certificates").is_none(), "others may still be seen");
        assert!(line.get("certificates").is_none(), "a key presents none");
    }

    #[test]
    fn coverage_is_told_with_all_its_figures() {
        let coverage =
            Coverage { finished: Time(0), asked: 3, read: 2, not_read: 1, octets: 9, unchanged: 0 };
        let line = coverage_line("tls", "192.0.2.0/30:443", &coverage).to_string();
        assert_eq!(
            line,
            r#"{"asked":3,"collector":"tls","finished":"1970-01-01T00:00:00Z","kind":"coverage","not_read":1,"octets":9,"read":2,"scope":"192.0.2.0/30:443","unchanged":0}"#
        );
    }
}
