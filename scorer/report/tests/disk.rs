//! What lies on disks, in every output: keystores, automation, settings, images, SSH, trust stores.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod sample;

use pki_inventory::{Asset, Kind, View};
use pki_report::{
    FORMATS, coverage_line, inventory_jsonl, json_line, json_pretty, list_line, seen_line,
    why_asset,
};
use sample::Sample;
use serde_json::Value;

/// What acts instead of showing: escapes, other controls, changes of direction.
fn acts(c: char) -> bool {
    c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)
}

fn render(name: &str, sample: &Sample) -> String {
    let format = FORMATS.iter().find(|format| format.name == name);
    let format = format.unwrap_or_else(|| panic!("{name} is no format"));
    let mut out = Vec::new();
    (format.render)(&sample.document(), &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).unwrap_or_else(|error| panic!("{error}"))
}

fn at<'s>(sample: &'s Sample, kind: Kind, place: &str) -> &'s Asset {
    let mut assets = sample.inventory.assets().filter(|asset| asset.id.kind == kind);
    let found = assets.find(|asset| asset.places().any(|at| at.to_string() == place));
    found.unwrap_or_else(|| panic!("no {kind} at {place}"))
}

fn why(sample: &Sample, kind: Kind, place: &str) -> String {
    let text = why_asset(&sample.document(), at(sample, kind, place).id).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn facts(sample: &Sample, kind: Kind, place: &str) -> Value {
    let view = View::of(&sample.inventory);
    inventory_jsonl(at(sample, kind, place), &view)["facts"].clone()
}

const JKS: &str = "file:///srv/shop/conf/shop.jks";
const LINEAGE: &str = "file:///etc/letsencrypt/renewal/wiki.example.org.conf";
const WIKI: &str = "file:///etc/letsencrypt/archive/wiki.example.org/cert2.pem#1";
const NGINX: &str = "file:///etc/nginx/sites-enabled/portal#1";
const PORTAL: &str = "tls://192.0.2.7:443?sni=portal.example.org";
const IMAGE: &str = "file:///srv/images/files.tar!/etc/ssl/private/files.key#1";

#[test]
fn why_says_everything_of_a_keystore_a_trace_and_settings() {
    let sample = sample::sample();
    for (kind, place, said) in [
        (Kind::Keystore, JKS, "JKS keystore /srv/shop/conf/shop.jks"),
        (Kind::Keystore, JKS, "opened by the well-known password \"changeit\""),
        (Kind::Keystore, JKS, "\"shop\": private key, put in on 2025-10-17 certificate:"),
        (Kind::Keystore, JKS, "mode 0640, owner root, group root, on ext4"),
        (
            Kind::Keystore,
            "file:///srv/backup/vpn.p12",
            "closed: none of the 9 passwords that were tried opens it",
        ),
        (
            Kind::Keystore,
            "file:///srv/backup/vpn.p12",
            "an access list says more, on ext4, behind /srv/backup, which only its owner may enter",
        ),
        (Kind::Automation, LINEAGE, "certbot: wiki.example.org"),
        (Kind::Automation, LINEAGE, "2 certificates seen certificate:"),
        (Kind::Automation, LINEAGE, "has renewed once"),
        (Kind::Automation, LINEAGE, "certbot schedule: certbot.timer"),
        (Kind::Configuration, NGINX, "nginx server portal.example.org"),
        (Kind::Configuration, NGINX, "certificate /etc/nginx/tls/portal.pem certificate:"),
        (Kind::Configuration, NGINX, "key /etc/nginx/tls/portal.key key:"),
        (Kind::Configuration, NGINX, "key /etc/nginx/tls/old.key: nothing was seen there"),
        (Kind::Configuration, NGINX, "TLSv1.3 is offered, but the settings do not enable it"),
        (Kind::Configuration, "file:///etc/ssl/openssl.cnf", "not followed include of"),
        (Kind::Endpoint, PORTAL, "certificates: not as set up"),
        (Kind::Endpoint, PORTAL, "set up by configuration:"),
        (Kind::Key, IMAGE, "in layer 2, deleted in layer 3 of 5, still readable in the image"),
        (Kind::Key, "file:///srv/build/test/server.key#1", "private half published: OpenSSL"),
        (Kind::Key, "file:///srv/b.key#1", "kept in keystore:"),
        (
            Kind::Key,
            "file:///etc/ssh/ssh_host_ed25519_key-cert.pub#1",
            "SSH certificate \"www, issued by the build\" for the host www.example.org, valid \
             2026-10-22 to 2027-10-22, signed by bf47693bc2d8197e…",
        ),
        (Kind::Certificate, WIKI, "Renewal automated"),
        (Kind::Certificate, WIKI, "managed by automation:"),
        (
            Kind::Certificate,
            "file:///srv/shop/conf/shop.jks#2",
            "The private half lies in file:///srv/b.key#1 key:",
        ),
        (Kind::TrustStore, "file:///etc/ssl/certs/bundle.pem", "1 expired 1 with a weak key 1"),
        (
            Kind::TrustStore,
            "file:///etc/ssl/certs/bundle.pem",
            "Public Root 03 distrusted by Mozilla's root program as DigiNotar Root CA",
        ),
    ] {
        let text = why(&sample, kind, place);
        assert!(text.contains(said), "{said} in {text}");
    }
}

#[test]
fn the_page_and_the_summary_show_them_too() {
    let sample = sample::sample();
    let html = render("html", &sample);
    for said in [
        "JKS keystore /srv/shop/conf/shop.jks",
        "opened by the well-known password &#34;changeit&#34;",
        "deleted in layer 3 of 5, still readable in the image",
        "private half published: OpenSSL",
        "key of a placeholder certificate",
        "nginx server portal.example.org",
        "TLSv1.3 is offered, but the settings do not enable it.",
        "renewal: automated",
        "by certbot: wiki.example.org",
        "newest: wiki.example.org, valid until 2027-03-21",
        "in JKS keystore /srv/shop/conf/shop.jks",
        "expired 2026-10-12",
        "read again only where changed: 451 of 478 unchanged",
    ] {
        assert!(html.contains(said), "{said}");
    }
    let terminal = render("terminal", &sample);
    for said in [
        "Keystores: closed 1 · opened by a well-known password 1",
        "whose private half is published: 1 key",
        "Deleted or replaced in an image, but readable in it: 1 private key",
        "Compared with settings: 1 endpoint, not as set up 1",
        "read again only where changed: 451 of 478 unchanged",
        "1 expired, 1 with a weak key, 1 distrusted",
    ] {
        assert!(terminal.contains(said), "{said} in {terminal}");
    }
}

#[test]
fn the_export_has_the_joins() {
    let sample = sample::sample();
    let store = facts(&sample, Kind::Keystore, JKS);
    assert_eq!(store["lock"]["state"], "well-known");
    assert_eq!(store["entries"][0]["assets"].as_array().map(Vec::len), Some(2));
    let shop = facts(&sample, Kind::Key, "file:///srv/b.key#1");
    assert_eq!(shop["private_places"].as_array().map(Vec::len), Some(2), "{shop}");
    assert_eq!(shop["keystores"].as_array().map(Vec::len), Some(1));
    let wiki = facts(&sample, Kind::Certificate, WIKI);
    assert_eq!(wiki["renewal"], "automated");
    assert_eq!(wiki["automation"][0], at(&sample, Kind::Automation, LINEAGE).id.to_string());
    assert_eq!(facts(&sample, Kind::Automation, LINEAGE)["managed_certificates"], 2);
    let portal = facts(&sample, Kind::Endpoint, PORTAL);
    let nginx = facts(&sample, Kind::Configuration, NGINX);
    assert_eq!(portal["settings"]["versions"]["value"], "no");
    assert_eq!(portal["settings"]["drifts"].as_array().map(Vec::len), Some(2));
    assert_eq!(nginx["endpoints"][0], at(&sample, Kind::Endpoint, PORTAL).id.to_string());
    assert_eq!(nginx["files"]["/etc/nginx/tls/old.key"], serde_json::json!([]));
    let key = at(&sample, Kind::Key, "file:///etc/nginx/tls/portal.key#1").id.to_string();
    assert_eq!(nginx["files"]["/etc/nginx/tls/portal.key"], serde_json::json!([key]));
    let layer = &facts(&sample, Kind::Key, IMAGE)["sightings"][0]["layer"];
    assert_eq!((&layer["fate"], &layer["fate_in"]), (&"deleted-in-upper-layer".into(), &3.into()));
    let store = facts(&sample, Kind::TrustStore, "file:///etc/ssl/certs/bundle.pem");
    assert_eq!(store["counts"]["expired"], 1);
    assert_eq!(store["member_facts"][0]["facts"]["dates"], "expired");
}

#[test]
fn the_json_document_holds_them_with_the_facts_of_the_export() {
    let sample = sample::sample();
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    let view = View::of(&sample.inventory);
    for (key, kind) in [
        ("keystores", Kind::Keystore),
        ("trust_stores", Kind::TrustStore),
        ("automations", Kind::Automation),
        ("configurations", Kind::Configuration),
    ] {
        let assets = sample.inventory.assets().filter(|asset| asset.id.kind == kind);
        let expected = assets.map(|asset| {
            let mut line = inventory_jsonl(asset, &view);
            let mut facts = line["facts"].take();
            facts.as_object_mut().map(|facts| facts.remove("sightings"));
            serde_json::json!({ "id": line["id"], "places": line["places"], "facts": facts })
        });
        let expected: Vec<Value> = expected.collect();
        assert!(!expected.is_empty(), "{key}");
        assert_eq!(document[key], Value::from(expected), "{key}");
    }
    assert_eq!(document["inventory"]["coverage"][2]["unchanged"], 451);
    let schema = include_str!("../schema/assessment-1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}"));
    for (kind, part, fact) in [
        ("keystores", "lock", "state"),
        ("trust_stores", "counts", "expired"),
        ("automations", "role", ""),
        ("configurations", "files", ""),
    ] {
        let mut broken = document.clone();
        let facts = &mut broken[kind][0]["facts"][part];
        *(if fact.is_empty() { facts } else { &mut facts[fact] }) = "no such thing".into();
        assert!(!validator.is_valid(&broken), "{kind} {part} {fact}");
    }
}

#[test]
fn a_line_of_a_scan_leaves_out_what_the_rest_decides() {
    let sample = sample::sample();
    let line = |kind, place| seen_line(at(&sample, kind, place), &[])["facts"].clone();
    for (kind, place, kept, left_out) in [
        (Kind::Automation, LINEAGE, "renewals", "managed_certificates"),
        (Kind::Configuration, NGINX, "certificates", "files"),
        (Kind::Configuration, NGINX, "line", "endpoints"),
        (Kind::Endpoint, PORTAL, "outcome", "settings"),
        (Kind::Key, IMAGE, "published", "private_places"),
        (Kind::Keystore, JKS, "entries", "nothing"),
        (Kind::TrustStore, "file:///etc/ssl/certs/bundle.pem", "members", "member_facts"),
        (Kind::Certificate, "file:///etc/nginx/tls/portal.pem#1", "snakeoil", "renewal"),
    ] {
        let facts = line(kind, place);
        assert!(facts.get(kept).is_some(), "{kept} in {facts}");
        assert!(facts.get(left_out).is_none(), "{left_out} in {facts}");
    }
    let coverage = sample.inventory.coverage().find(|(_, scope, _)| *scope == "/srv");
    let (collector, scope, coverage) = coverage.unwrap_or_else(|| panic!("the scope"));
    assert_eq!(coverage_line(collector, scope, coverage)["unchanged"], 451);
}

#[test]
fn lists_have_columns_for_each_kind_and_one_line_for_each_asset() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    for asset in sample.inventory.assets() {
        let line = list_line(asset, &view);
        assert!(!line.contains(acts), "{line:?}");
        let head = format!("{:<16} {}  ", asset.id.kind, asset.id.sha256.short());
        assert!(line.starts_with(&head), "{line}");
        assert!(asset.places().any(|place| line.contains(&place.to_string())), "{line}");
    }
    for (kind, place, columns) in [
        (
            Kind::Keystore,
            JKS,
            &["JKS  ", "3 entries  ", "opened by the well-known password \"changeit\"  "][..],
        ),
        (Kind::Automation, LINEAGE, &["certbot: wiki.example.org  ", "2 certificates  "]),
        (
            Kind::Configuration,
            NGINX,
            &["nginx server portal.example.org  ", "443  ", "TLSv1.2  ", "1 of 1 not as set up  "],
        ),
        (Kind::Key, "file:///srv/b.key#1", &["RSA-2048, private half in 2 places  "]),
        (Kind::Endpoint, PORTAL, &["chain of 2 certificates, not as set up"]),
    ] {
        let line = list_line(at(&sample, kind, place), &view);
        assert!(columns.iter().all(|column| line.contains(column)), "{columns:?} in {line}");
    }
}

#[test]
fn what_strangers_wrote_acts_nowhere() {
    let sample = sample::sample();
    let (document, view) = (sample.document(), View::of(&sample.inventory));
    for asset in sample.inventory.assets() {
        let text = why_asset(&document, asset.id).unwrap_or_default();
        assert!(!text.contains(|c| acts(c) && c != '\n'), "{text:?}");
        let line = inventory_jsonl(asset, &view);
        assert!(!json_line(&line).contains(acts), "{line}");
        assert!(!json_pretty(&line).contains(|c| acts(c) && c != '\n'), "{line}");
    }
    let labelled = facts(&sample, Kind::Key, "file:///root/.ssh/authorized_keys#1");
    let label = labelled["sightings"][0]["label"].as_str().unwrap_or_default();
    assert!(label.contains(sample::HOSTILE), "it is there, as it was written");
}
