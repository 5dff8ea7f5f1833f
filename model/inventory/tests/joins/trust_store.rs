//! The members of trust stores.

use pki_inventory::{Asset, Dates, Digest, Kind, TrustStore, View, distrusted, members};

use crate::world::{NOW, World, plain};

fn openssl(arguments: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = std::process::Command::new("openssl")
        .args(arguments.split(' '))
        .args(["-keyout", "key.pem", "-nodes", "-outform", "DER", "-out", "out.der"])
        .current_dir(folder.path())
        .output()
        .expect("the Debian package openssl is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    std::fs::read(folder.path().join("out.der")).unwrap()
}

#[test]
fn each_member_says_what_is_known_of_it() {
    let mut world = World::default();
    let authority = |age, days, issuer| {
        let mut made = plain("ca.example");
        (made.authority, made.age, made.days, made.issuer) = (true, age, days, issuer);
        made.name = Some("Authority");
        made.der()
    };
    let valid = authority(10, 100, None);
    let expired = authority(100, 10, None);
    let later = authority(-10, 100, None);
    let subject = "-subj /CN=Old -addext basicConstraints=critical,CA:TRUE -days 7000";
    let weak = openssl(&format!("req -x509 -newkey rsa:1024 -sha1 {subject}"));
    let small =
        openssl(&format!("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime192v1 {subject}"));
    let all = [&valid, &expired, &later, &weak, &small];
    for (number, der) in all.iter().enumerate() {
        world.certificate(der, &format!("file:///ca.pem#{}", number + 1));
    }
    let unknown = Digest::of(b"unknown");
    let digests = all.iter().map(|der| Digest::of(der)).chain([unknown]);
    let store = TrustStore { members: digests.collect() };
    let view = View::of(&world.0);
    let found = members(&store, &view, NOW);
    assert_eq!(found.len(), 6);
    let facts = |der: &[u8]| {
        let member = found.iter().find(|member| member.sha256 == Digest::of(der)).unwrap();
        member.facts.clone().unwrap()
    };
    assert_eq!(facts(&valid).dates, Dates::Valid);
    assert_eq!(facts(&expired).dates, Dates::Expired);
    assert_eq!(facts(&later).dates, Dates::NotYetValid);
    assert_eq!((facts(&valid).weak_key, facts(&valid).weak_signature), (None, None));
    let weak = facts(&weak);
    assert_eq!(weak.weak_key.as_deref(), Some("RSA-1024"));
    assert_eq!(weak.weak_signature.as_deref(), Some("SHA-1"));
    assert!(!weak.signature_matters, "a root is trusted for being there");
    assert_eq!(facts(&small).weak_key.as_deref(), Some("P-192"));
    assert_eq!(weak.distrusted, None);
    let missing = found.iter().find(|member| member.sha256 == unknown).unwrap();
    assert_eq!(missing.facts, None);
}

#[test]
fn the_signature_on_an_intermediate_matters() {
    let mut world = World::default();
    let mut made = plain("ca.example");
    (made.authority, made.name) = (true, Some("Intermediate"));
    let id = world.certificate(&made.der(), "file:///ca.pem");
    let store = TrustStore { members: [id.sha256].into() };
    let view = View::of(&world.0);
    assert!(members(&store, &view, NOW)[0].facts.as_ref().unwrap().signature_matters);
}

#[test]
fn distrusted_authorities_are_known_by_their_key() {
    let diginotar = "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024";
    let found = distrusted(&diginotar.parse().unwrap()).unwrap();
    assert_eq!((found.label, found.issued_from), ("DigiNotar Root CA", None));
    let trustcor = "ea87f462deefffbd7775aa2a4b7e0fcb91c22eee6df69ed90100ccc73b311476";
    let from = distrusted(&trustcor.parse().unwrap()).unwrap().issued_from.unwrap();
    assert_eq!(from.date(), "2022-11-30");
    assert_eq!(distrusted(&Digest::of(b"other")), None);
}

#[test]
fn the_roots_of_this_host_are_read_with_all_their_members() {
    // Debian's package ca-certificates.
    let pem = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
    let mut world = World::default();
    for (number, block) in pem.split_inclusive("-----END CERTIFICATE-----").enumerate() {
        if block.contains("BEGIN") {
            let (_, parsed) = x509_parser::pem::parse_x509_pem(block.as_bytes()).unwrap();
            world.certificate(&parsed.contents, &format!("file:///ca.pem#{}", number + 1));
        }
    }
    let certificates = world.0.assets().filter(|asset| asset.id.kind == Kind::Certificate);
    let store = TrustStore { members: certificates.map(|asset| asset.id.sha256).collect() };
    let view = View::of(&world.0);
    let found = members(&store, &view, NOW);
    assert!(found.len() > 100);
    let roots = world.0.assets().filter_map(Asset::certificate).count();
    assert_eq!(found.iter().filter(|member| member.facts.is_some()).count(), roots);
    let facts = found.iter().filter_map(|member| member.facts.as_ref());
    assert!(facts.clone().all(|facts| !facts.signature_matters && facts.weak_key.is_none()));
    assert!(facts.clone().any(|facts| facts.weak_signature.as_deref() == Some("SHA-1")));
}

#[test]
fn weak_curves_and_short_dsa_are_weak_by_their_size() {
    let subject = "-subj /CN=Old -addext basicConstraints=critical,CA:TRUE -days 7000";
    let weak = |kind: &str| {
        let der = openssl(&format!("req -x509 -sha256 {kind} {subject}"));
        let mut world = World::default();
        let id = world.certificate(&der, "file:///ca.pem#1");
        let store = TrustStore { members: [id.sha256].into() };
        let view = View::of(&world.0);
        members(&store, &view, NOW)[0].facts.as_ref().unwrap().weak_key.clone()
    };
    let curve = |name: &str| weak(&format!("-newkey ec -pkeyopt ec_paramgen_curve:{name}"));
    for name in ["secp160r1", "secp192k1", "sect163r2", "brainpoolP192r1"] {
        assert_eq!(curve(name).as_deref(), Some(name));
    }
    for name in ["secp224k1", "sect233k1", "brainpoolP224r1", "brainpoolP320r1", "secp256k1"] {
        assert_eq!(curve(name), None, "{name}");
    }
    let dsa = |bits: u32| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dsa.pem");
        let out = std::process::Command::new("openssl")
            .args(["dsaparam", "-out"])
            .arg(&file)
            .arg(bits.to_string())
            .output()
            .expect("the Debian package openssl is installed");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        weak(&format!("-newkey dsa:{}", file.display()))
    };
    assert_eq!(dsa(1024).as_deref(), Some("DSA-1024"));
}
