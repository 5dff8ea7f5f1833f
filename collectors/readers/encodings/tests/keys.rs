//! Private keys join the certificates made of them; certificates say what they are trusted for.

#![allow(clippy::unwrap_used)]

mod support;

use aws_lc_rs::kem::{DecapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
use pki_encodings::tlv::{OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element};
use pki_inventory::{Digest, Key, Raw};
use support::{Folder, found};

fn only_key(octets: impl AsRef<[u8]>) -> Key {
    let seen = found(octets);
    let [object] = seen.objects.as_slice() else { panic!("{:?}", seen.objects) };
    match &object.raw {
        Raw::Key { key, .. } => key.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_public_half_of_dsa_is_computed() {
    let made = Folder::new();
    for (bits, times) in [(1024, 4), (2048, 2), (3072, 1)] {
        made.openssl(&format!("dsaparam -out parameters {bits}"));
        for _ in 0..times {
            made.openssl("gendsa -out key parameters");
            let public = made.openssl("dsa -in key -pubout -outform DER");
            let expected = Some(Digest::of(&public));
            let pkcs8 = made.openssl("pkcs8 -topk8 -nocrypt -in key -outform DER");
            assert_eq!(only_key(pkcs8).spki, expected, "PKCS#8, {bits} bits");
            let own = made.openssl("dsa -in key -outform DER");
            assert_eq!(only_key(own).spki, expected, "its own form, {bits} bits");
        }
    }
}

#[test]
fn the_public_half_of_ml_kem_is_taken_out_of_an_expanded_key() {
    const OID: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04];
    for (algorithm, arc) in [(&ML_KEM_512, 1), (&ML_KEM_768, 2), (&ML_KEM_1024, 3)] {
        let pair = DecapsulationKey::generate(algorithm).unwrap();
        let public = pair.encapsulation_key().unwrap().key_bytes().unwrap().as_ref().to_vec();
        let secret = pair.key_bytes().unwrap().as_ref().to_vec();
        let oid = element(OBJECT_IDENTIFIER, &[&OID, &[arc]]);
        let identifier = element(SEQUENCE, &[&oid]);
        let spki = element(SEQUENCE, &[&identifier, &element(3, &[&[0], &public])]);
        let pkcs8 = |choice: &[u8]| {
            element(SEQUENCE, &[&[2, 1, 0], &identifier, &element(OCTET_STRING, &[choice])])
        };
        let expanded = element(OCTET_STRING, &[&secret]);
        let seed = element(OCTET_STRING, &[&[7; 64]]);
        let both = element(SEQUENCE, &[&seed, &expanded]);
        for choice in [&expanded, &both] {
            assert_eq!(only_key(pkcs8(choice)).spki, Some(Digest::of(&spki)));
        }
        // A seed shows nothing, and a key that contradicts itself neither.
        let mut broken = secret.clone();
        broken[384 * (usize::from(arc) + 1) + 5] ^= 1;
        for choice in [element(0x80, &[&[7; 64]]), element(OCTET_STRING, &[&broken])] {
            let key = only_key(pkcs8(&choice));
            assert_eq!(key.spki, None);
            assert!(key.algorithm.unwrap().label().starts_with("ML-KEM"));
        }
    }
}

#[test]
fn what_a_certificate_is_trusted_for_is_part_of_its_label() {
    let made = Folder::new();
    made.identity("a", "");
    let certificate = made.der("a.crt");
    for (options, label) in [
        ("-addtrust serverAuth", Some("trusted for serverAuth")),
        (
            "-addtrust serverAuth -addtrust clientAuth -addreject emailProtection",
            Some("trusted for serverAuth, clientAuth; rejected for emailProtection"),
        ),
        ("-setalias mine -addreject codeSigning", Some("mine; rejected for codeSigning")),
        ("-addtrust anyExtendedKeyUsage", Some("trusted for anyExtendedKeyUsage")),
        ("-setalias mine", Some("mine")),
        ("-clrtrust", None),
    ] {
        let seen = found(made.openssl(&format!("x509 -in a.crt -trustout {options}")));
        assert_eq!(seen.objects.len(), 1, "{options}");
        assert_eq!(seen.objects[0].raw, Raw::Certificate(certificate.clone()), "{options}");
        assert_eq!(seen.objects[0].label.as_deref(), label, "{options}");
    }
}

#[test]
fn a_compressed_point_is_kept_as_it_is_stated() {
    let made = Folder::new();
    for curve in ["prime256v1", "secp384r1", "secp521r1", "secp256k1"] {
        made.openssl(&format!("ecparam -name {curve} -genkey -noout -out plain"));
        made.openssl("ec -in plain -conv_form compressed -out key");
        let public = made.openssl("pkey -in key -pubout -outform DER");
        let expected = Some(Digest::of(&public));
        assert_eq!(only_key(made.read("key")).spki, expected, "SEC 1, {curve}");
        let pkcs8 = made.openssl("pkcs8 -topk8 -nocrypt -in key -outform DER");
        assert_eq!(only_key(pkcs8).spki, expected, "PKCS#8, {curve}");
        // Where none is stated it is computed, as most write it.
        let public = made.openssl("pkey -in plain -pubout -outform DER");
        let bare = made.openssl("ec -in plain -no_public -outform DER");
        assert_eq!(only_key(bare).spki, Some(Digest::of(&public)), "without, {curve}");
    }
}

#[test]
fn what_is_broken_in_place_of_a_key_is_not_known_by_its_octets() {
    let ids = |text: String| {
        let id = |object: &pki_inventory::Object| match &object.raw {
            Raw::Unparsed { id, .. } => *id,
            other => panic!("{other:?}"),
        };
        found(text).objects.iter().map(id).collect::<Vec<_>>()
    };
    let body = |octets: &str| support::encoded(octets);
    for label in ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        for header in ["", "DEK-Info: AES-256-CBC,00\n\n"] {
            let block = |secret: &str| {
                ids(format!(
                    "-----BEGIN {label}-----\n{header}{}\n-----END {label}-----\n",
                    body(secret)
                ))
            };
            let known = block("secret");
            assert_eq!(known.len(), 1, "{label}");
            assert_ne!(known[0], Digest::of(b"secret"), "{label}");
            assert_eq!(known, block("SECRET"), "{label}");
            assert_ne!(known, block("a secret that is longer"), "{label}");
        }
    }
    // Others are, since nobody hides in them.
    let list = |octets: &str| {
        ids(format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", body(octets)))
    };
    assert_eq!(list("0secret"), [Digest::of(b"0secret")]);
}
