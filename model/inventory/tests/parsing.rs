//! What certificates say is read as it stands, and what cannot be read is kept with the reason.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]
#![allow(clippy::print_stderr, reason = "what a run left out is said beside its result")]

use std::path::PathBuf;

use pki_inventory::{
    Certificate, Inventory, Kind, Observation, Place, Raw, Role, Sighting, Time, View,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

fn authority(name: &str) -> Vec<u8> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn file(path: &str) -> Sighting {
    Sighting::at(Place::file(path), "filesystem", Time(1_700_000_000))
}

#[test]
fn a_certificate_tells_its_names_key_and_validity() {
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(vec!["B.example".to_owned(), "192.0.2.1".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 3, 15);
    params.not_after = rcgen::date_time_ymd(2026, 10, 1);
    let parsed = Certificate::parse(params.self_signed(&key).unwrap().der().to_vec()).unwrap();
    assert_eq!(parsed.host_names(), ["192.0.2.1", "b.example"]);
    assert_eq!(parsed.key.label(), "P-256");
    assert_eq!(parsed.signature.name, "ecdsa-with-SHA256");
    assert_eq!(parsed.not_before.date(), "2026-03-15");
    // 200 days and the one second that makes both ends count.
    assert_eq!(parsed.validity_days(), 201);
    assert!(parsed.is_self_signed() && !parsed.is_authority());
    assert_eq!(
        parsed.spki,
        pki_inventory::Digest::of(&rcgen::PublicKeyData::subject_public_key_info(&key))
    );
}

#[test]
fn a_broken_encoding_is_kept_as_unparsed_with_the_reason() {
    let mut inventory = Inventory::default();
    let mut trailing = authority("a");
    trailing.push(0);
    for der in [Vec::new(), vec![0x30, 0x82], trailing] {
        let id = inventory.absorb(Observation::found(Raw::Certificate(der), file("/x"))).unwrap();
        assert_eq!(id.kind, Kind::Unparsed);
    }
    assert_eq!(inventory.assets().count(), 3);
}

#[test]
fn many_authorities_in_one_place_are_one_trust_store_and_its_members_anchors() {
    let mut inventory = Inventory::default();
    let mut members = Vec::new();
    for number in 0..pki_inventory::TrustStore::LEAST_MEMBERS {
        let der = authority(&format!("Root {number}"));
        let seen = file("/etc/ssl/bundle.pem");
        members.push(
            inventory.absorb(Observation::found(Raw::Certificate(der), seen)).unwrap().sha256,
        );
    }
    let bundle = |members| Observation::found(Raw::Bundle(members), file("/etc/ssl/bundle.pem"));
    assert_eq!(inventory.absorb(bundle(members[1..].to_vec())), None, "one too few");
    let leaf = rcgen::generate_simple_self_signed(vec!["trusted.example".to_owned()]).unwrap();
    let leaf = Raw::Certificate(leaf.cert.der().to_vec());
    let seen = file("/etc/ssl/bundle.pem");
    members.push(inventory.absorb(Observation::found(leaf, seen)).unwrap().sha256);
    let store = inventory.absorb(bundle(members)).unwrap();
    assert_eq!(store.kind, Kind::TrustStore);
    let view = View::of(&inventory);
    for asset in inventory.assets().filter(|asset| asset.id.kind == Kind::Certificate) {
        assert!(view.is_anchor(asset.id));
        assert_eq!(view.role(asset, asset.certificate().unwrap()), Role::Authority);
    }
}

#[test]
fn octets_once_mislabelled_are_parsed_where_they_are_labelled_right() {
    let der = authority("a");
    for order in [[true, false], [false, true]] {
        let mut inventory = Inventory::default();
        for labelled in order {
            let der = der.clone();
            let raw = if labelled { Raw::Certificate(der) } else { Raw::RevocationList(der) };
            inventory.absorb(Observation::found(raw, file("/x")));
        }
        let kinds: Vec<Kind> = inventory.assets().map(|asset| asset.id.kind).collect();
        assert_eq!(kinds, [Kind::Certificate, Kind::Unparsed]);
    }
}

#[test]
fn spelled_out_curve_parameters_are_called_explicit() {
    let folder = std::env::temp_dir().join(format!("pkimm-explicit-{}", std::process::id()));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-pkeyopt", "ec_param_enc:explicit", "-nodes", "-subj", "/CN=x", "-outform", "DER"])
        .arg("-keyout")
        .arg(&folder)
        .output()
        .unwrap();
    std::fs::remove_file(folder).unwrap();
    let parsed = Certificate::parse(made.stdout).unwrap();
    assert_eq!(parsed.key.curve.as_deref(), Some("explicit"));
}

/// Certificates written by others, each odd in one way, lie beside the project.
#[test]
fn a_corpus_of_odd_certificates_parses_or_says_why() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("PKIMM_SHARED").map_or(beside, PathBuf::from);
    let Ok(folder) = std::fs::read_dir(shared.join("corpora/zlint")) else {
        eprintln!("not run over the corpus: no {}", shared.display());
        return;
    };
    let (mut parsed, mut refused) = (0, Vec::new());
    for entry in folder {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(text.as_bytes()) else { continue };
        if pem.label != "CERTIFICATE" {
            continue;
        }
        match Certificate::parse(pem.contents) {
            Ok(_) => parsed += 1,
            Err(error) => refused.push(format!("{}: {error}", path.display())),
        }
    }
    eprintln!("{parsed} parsed, refused: {refused:#?}");
    assert!(parsed > 1000, "{parsed} of the corpus parsed");
    assert!(refused.len() * 100 < parsed, "{refused:#?}");
}
