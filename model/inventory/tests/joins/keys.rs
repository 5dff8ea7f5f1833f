//! Keys, keystores and keys that the world knows.

use pki_inventory::{
    AssetId, Digest, Holds, Keystore, Kind, Lock, Raw, StoreEntry, View, published, snakeoil,
};
use rcgen::KeyPair;

use crate::world::{World, ids, plain, spki};

#[test]
fn every_place_of_a_private_key_is_found() {
    let mut world = World::default();
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let places = ["file:///a.key", "file:///b.p12#2", "file:///i.tar!/l.tar!/a.key"];
    for place in places {
        world.private_key(spki(&key), place, None);
    }
    world.private_key(spki(&other), "file:///c.key", None);
    // The public half of the same key.
    let public = Raw::Key {
        id: spki(&key),
        key: pki_inventory::Key { spki: Some(spki(&key)), algorithm: None },
    };
    world.see(public, "file:///a.pub");
    let view = View::of(&world.0);
    let found = view.private_places(spki(&key));
    let found: Vec<String> = found.iter().map(|(_, seen)| seen.place.to_string()).collect();
    assert_eq!(found, places);
    assert!(view.private_places(Digest::of(b"none")).is_empty());
}

#[test]
fn the_private_keys_of_a_file_are_found_behind_a_live_path_too() {
    let mut world = World::default();
    let (old, new) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    world.private_key(spki(&old), "file:///etc/letsencrypt/archive/a/privkey9.pem#1", None);
    let live = "file:///etc/letsencrypt/archive/a/privkey10.pem#1";
    let newest = world.private_key(spki(&new), live, None);
    let both = [
        world.private_key(spki(&old), "file:///both.pem#1", None),
        world.private_key(spki(&new), "file:///both.pem#2", None),
    ];
    let view = View::of(&world.0);
    assert_eq!(ids(&view.private_keys_at("/etc/letsencrypt/live/a/privkey.pem")), [newest]);
    let mut found = ids(&view.private_keys_at("/both.pem"));
    found.sort();
    assert_eq!(found, std::collections::BTreeSet::from(both).into_iter().collect::<Vec<_>>());
    assert!(view.private_keys_at("/none.pem").is_empty());
}

#[test]
fn the_keystores_of_an_asset_are_found() {
    let mut world = World::default();
    let certificate = world.certificate(&plain("a.example").der(), "file:///a.p12#1");
    let alone = world.certificate(&plain("b.example").der(), "file:///b.pem");
    let store = |id: &[u8], assets: Vec<AssetId>| {
        let entry = StoreEntry { alias: None, holds: Holds::PrivateKey, assets, created: None };
        let keystore = Keystore {
            format: "JKS".to_owned(),
            lock: Lock::Configured,
            integrity: None,
            protection: Vec::new(),
            count: None,
            entries: vec![entry.clone(), entry],
        };
        Raw::Keystore { id: Digest::of(id), keystore }
    };
    let one = world.see(store(b"1", vec![certificate]), "file:///a.p12");
    let two = world.see(store(b"2", vec![certificate]), "file:///b.jks");
    let view = View::of(&world.0);
    let mut both = [one, two];
    both.sort();
    assert_eq!(ids(view.keystores_of(certificate)), both);
    assert!(view.keystores_of(alone).is_empty());
}

#[test]
fn test_keys_that_the_world_knows_are_known() {
    // RFC 9500, 2.3: testECCP256, its public half.
    let pem = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71v\n\
        c75eSOkyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==\n\
        -----END PUBLIC KEY-----\n";
    let command = std::process::Command::new("openssl")
        .args(["pkey", "-pubin", "-outform", "DER"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut openssl = command.expect("the Debian package openssl is installed");
    std::io::Write::write_all(&mut openssl.stdin.take().unwrap(), pem.as_bytes()).unwrap();
    let der = openssl.wait_with_output().unwrap().stdout;
    assert_eq!(published(&Digest::of(&der)), Some("RFC 9500, testECCP256"));
    assert_eq!(published(&spki(&KeyPair::generate().unwrap())), None);
}

#[test]
fn placeholders_of_debian_are_known_by_their_name_and_by_signing_themselves() {
    let mut world = World::default();
    let mut made = plain("host");
    made.issuer = None;
    let (own, renamed) = (made.der(), made.der());
    let own = world.certificate(&own, "file:///etc/ssl/certs/ssl-cert-snakeoil.pem#1");
    let renamed = world.certificate(&renamed, "file:///etc/ssl/certs/host.pem");
    let issued = plain("host").der();
    let issued = world.certificate(&issued, "file:///home/ssl-cert-snakeoil.pem");
    let key = Digest::of(b"key");
    let key = world.private_key(key, "file:///etc/ssl/private/ssl-cert-snakeoil.key", None);
    assert!(snakeoil(world.get(own)).unwrap().contains("ssl-cert"));
    assert!(snakeoil(world.get(key)).is_some_and(|what| what.starts_with("key of")));
    for other in [renamed, issued] {
        assert_eq!((other.kind, snakeoil(world.get(other))), (Kind::Certificate, None));
    }
}
