//! Keystores, traces of automation and configurations are filed, merged, written and read back.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::{
    Asset, AssetId, Automation, AutomationRole, Body, Circumstances, Configuration, Coverage,
    Digest, Encryption, Fate, FileFacts, Holds, Inventory, Keystore, Kind, Layer, Listens, Lock,
    Object, Observation, Place, Raw, Sighting, SshCertificate, StoreEntry, Time,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn at(path: &str, time: i64) -> Sighting {
    Sighting::at(Place::file(path), "filesystem", Time(time))
}

fn lineage(reuses_key: bool) -> Automation {
    Automation {
        name: Some("shop".to_owned()),
        domains: vec!["shop.example.org".to_owned()],
        manages: vec!["/etc/letsencrypt/archive/shop/".to_owned()],
        issuer: Some("https://acme.example/directory".to_owned()),
        authenticator: Some("webroot".to_owned()),
        key_type: Some("ecdsa".to_owned()),
        reuses_key: Some(reuses_key),
        active: Some(true),
        next_renewal: Some(Time(9)),
        renewals: Some(4),
        hook: Some(false),
        schedule: Some("*-*-* 00,12:00:00".to_owned()),
        ..Automation::of("certbot", AutomationRole::Lineage)
    }
}

fn server(versions: &[&str]) -> Configuration {
    let listens = Listens { address: None, port: 443, starttls: None };
    Configuration {
        listens: vec![listens],
        server_names: vec!["shop.example.org".to_owned()],
        versions: Some(versions.iter().map(|&version| version.to_owned()).collect()),
        suites: Some("HIGH".to_owned()),
        certificates: vec!["/etc/ssl/shop.pem".to_owned()],
        keys: vec!["/etc/ssl/shop.key".to_owned()],
        trusts: vec!["/etc/ssl/ca.pem".to_owned()],
        settings: [("ssl_ecdh_curve".to_owned(), "auto".to_owned())].into(),
        unresolved: vec!["$host".to_owned()],
        ..Configuration::of("nginx", Some("server shop.example.org".to_owned()), 7)
    }
}

fn keystore(lock: Lock) -> Keystore {
    let id = AssetId::new(Kind::Certificate, Digest::of(b"one"));
    let entry = StoreEntry {
        alias: Some("tomcat".to_owned()),
        holds: Holds::PrivateKey,
        assets: vec![id],
        created: Some(Time(3)),
    };
    let kdf = Some("PBKDF2-HMAC-SHA256".to_owned());
    let passphrase = Encryption::Passphrase { kdf, cipher: None, iterations: Some(10_000) };
    Keystore {
        format: "PKCS#12".to_owned(),
        lock,
        integrity: Some("HMAC-SHA256, 10000 iterations".to_owned()),
        protection: vec![passphrase],
        count: Some(1),
        entries: vec![entry],
    }
}

/// What each observation alone makes of an inventory, laid over each other in this order.
fn merged(order: &[&Observation]) -> Inventory {
    let mut all = Inventory::default();
    for observation in order {
        let mut one = Inventory::default();
        one.absorb((*observation).clone());
        all.merge(one);
    }
    all
}

fn only(inventory: &Inventory) -> &Asset {
    let mut assets = inventory.assets();
    let first = assets.next().unwrap();
    assert_eq!(assets.next(), None, "one asset");
    first
}

#[test]
fn of_two_traces_at_one_place_the_later_counts_whichever_is_greater() {
    for (early, late) in [(lineage(false), lineage(true)), (lineage(true), lineage(false))] {
        let found = |body: &Automation, time| {
            Observation::found(Raw::Automation(Box::new(body.clone())), at("/r/shop.conf", time))
        };
        let (before, after) = (found(&early, 1), found(&late, 2));
        for order in [[&before, &after], [&after, &before]] {
            let inventory = merged(&order);
            let asset = only(&inventory);
            assert_eq!(asset.body, Body::Automation(Box::new(late.clone())));
            assert_eq!(asset.id, AssetId::at(Kind::Automation, &Place::file("/r/shop.conf")));
            assert_eq!((asset.first_seen(), asset.last_seen()), (Some(Time(1)), Some(Time(2))));
        }
    }
}

#[test]
fn of_two_configurations_at_one_place_the_later_counts_whichever_is_greater() {
    let (one, other) = (server(&["TLSv1.2"]), server(&["TLSv1.3"]));
    for (early, late) in [(&one, &other), (&other, &one)] {
        let found = |body: &Configuration, time| {
            Observation::found(Raw::Configuration(Box::new(body.clone())), at("/n.conf", time))
        };
        let (before, after) = (found(early, 1), found(late, 2));
        for order in [[&before, &after], [&after, &before]] {
            let inventory = merged(&order);
            assert_eq!(only(&inventory).body, Body::Configuration(Box::new(late.clone())));
        }
    }
}

#[test]
fn at_one_instant_it_does_not_matter_which_came_first() {
    let found = |versions| {
        Observation::found(Raw::Configuration(Box::new(server(versions))), at("/n.conf", 1))
    };
    let (one, other) = (found(&["TLSv1.2"]), found(&["TLSv1.3"]));
    assert_eq!(merged(&[&one, &other]), merged(&[&other, &one]));
}

#[test]
fn objects_of_one_file_are_different_traces() {
    let mut inventory = Inventory::default();
    for number in [1, 2] {
        let place = Place::file("/acme.json").object(number);
        let seen = Sighting::at(place, "filesystem", Time(0));
        inventory.absorb(Observation::found(Raw::Automation(Box::new(lineage(true))), seen));
    }
    assert_eq!(inventory.assets().count(), 2);
}

#[test]
fn of_a_keystore_the_reading_that_opened_it_counts() {
    let closed = Lock::Closed("no password is configured".to_owned());
    let locks = [closed, Lock::Configured, Lock::WellKnown("changeit".to_owned()), Lock::None];
    let found = |lock: &Lock, time| {
        let raw = Raw::Keystore { id: Digest::of(b"store"), keystore: keystore(lock.clone()) };
        Observation::found(raw, at("/a.p12", time))
    };
    for pair in locks.windows(2) {
        let (less, more) = (found(&pair[0], 2), found(&pair[1], 1));
        for order in [[&less, &more], [&more, &less]] {
            let inventory = merged(&order);
            let asset = only(&inventory);
            assert_eq!(asset.body, Body::Keystore(keystore(pair[1].clone())));
            assert_eq!(asset.id, AssetId::new(Kind::Keystore, Digest::of(b"store")));
        }
    }
}

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

#[test]
fn what_is_written_is_read_back() {
    reads_back(&lineage(true));
    reads_back(&Automation::of("certbot", AutomationRole::Schedule));
    reads_back(&server(&[]));
    reads_back(&Configuration::of("OpenSSL", None, 1));
    for lock in [
        Lock::None,
        Lock::Configured,
        Lock::WellKnown(String::new()),
        Lock::Closed("why".to_owned()),
    ] {
        reads_back(&keystore(lock));
    }
    for fate in [Fate::Kept, Fate::DeletedIn(3), Fate::ReplacedIn(2)] {
        let layer = Layer { digest: "sha256:00".to_owned(), number: 1, of: 3, fate };
        let ssh = SshCertificate {
            host: true,
            key_id: "web".to_owned(),
            principals: vec!["web.example.org".to_owned()],
            valid_after: Time(0),
            valid_before: Some(Time(1)),
            authority: Some(Digest::of(b"ca")),
        };
        let file = FileFacts {
            owner: Some("root".to_owned()),
            group: Some("ssl-cert".to_owned()),
            filesystem: Some("ext4".to_owned()),
            access_list: true,
            behind: Some("/etc/ssl/private".to_owned()),
            ..FileFacts::of(0o640, 0, 110, Time(5))
        };
        reads_back(&Circumstances {
            file: Some(file),
            label: Some("alias\u{7}".to_owned()),
            layer: Some(layer),
            ssh_certificate: Some(ssh),
            ..Circumstances::default()
        });
    }
}

#[test]
fn what_earlier_versions_wrote_is_read() {
    let facts: FileFacts =
        serde_json::from_str(r#"{"mode":384,"uid":0,"gid":0,"modified":7}"#).unwrap();
    assert_eq!(facts, FileFacts::of(0o600, 0, 0, Time(7)));
    let coverage: Coverage =
        serde_json::from_str(r#"{"finished":1,"asked":2,"read":1,"not_read":1,"octets":10}"#)
            .unwrap();
    assert_eq!((coverage.read, coverage.unchanged), (1, 0));
    let none: Circumstances = serde_json::from_str("{}").unwrap();
    assert_eq!(none, Circumstances::default());
    let chain: Circumstances = serde_json::from_str(r#"{"chain_position":1}"#).unwrap();
    assert_eq!((chain.chain_position, chain.label), (Some(1), None));
}

#[test]
fn an_object_says_nothing_besides_until_it_is_told() {
    let raw = Raw::Certificate(vec![0x30, 0]);
    let bare = Object::from(raw.clone());
    assert_eq!(bare, Object { raw, key: None, label: None, ssh_certificate: None, layer: None });
    let named = bare.clone().called("tomcat");
    assert_eq!((named.label.as_deref(), named.raw), (Some("tomcat"), bare.raw));
}

#[test]
fn ids_of_every_kind_are_read_back_and_the_words_agree() {
    for kind in Kind::ALL {
        let id = AssetId::new(*kind, Digest::of(kind.name().as_bytes()));
        reads_back(&id);
        assert_eq!(id.to_string().parse::<AssetId>(), Ok(id));
        assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{}\"", kind.name()));
        assert_eq!(kind.name().parse(), Ok(*kind));
    }
    assert_eq!(Kind::ALL.len(), 16);
    for wrong in ["", "keystore", "keystore:", "keystore:00", "store:00", ":"] {
        assert!(wrong.parse::<AssetId>().is_err(), "{wrong}");
        assert!(serde_json::from_str::<AssetId>(&format!("\"{wrong}\"")).is_err(), "{wrong}");
    }
}
