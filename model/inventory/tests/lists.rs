//! What a revocation list and an odd key say of themselves, from encodings made by hand: the library that
//! makes the others in these tests can make neither.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::{Certificate, RevocationList};
use rcgen::{CertificateParams, KeyPair};

/// One element of DER (X.690, 8.1) with these parts as its content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut whole = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 128 => whole.push(length),
        _ => {
            whole.push(0x82);
            whole.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        }
    }
    whole.extend(content);
    whole
}

/// ecdsa-with-SHA256 (RFC 5758, 3.2).
const SIGNATURE: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// A list without entries (RFC 5280, 5.1) with these extensions.
fn list(extensions: &[Vec<u8>]) -> RevocationList {
    let name = der(
        0x30,
        &[&der(0x31, &[&der(0x30, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &der(0x0c, &[b"CA"])])])],
    );
    let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
    let extensions = der(0xa0, &[&der(0x30, &extensions)]);
    let (from, until) = (der(0x17, &[b"260101000000Z"]), der(0x17, &[b"260201000000Z"]));
    let body = der(0x30, &[&[0x02, 0x01, 0x01], SIGNATURE, &name, &from, &until, &extensions]);
    let whole = der(0x30, &[&body, SIGNATURE, &der(0x03, &[&[0, 0x30, 0]])]);
    RevocationList::parse(whole).unwrap()
}

/// cRLNumber 7 (RFC 5280, 5.2.3).
fn number() -> Vec<u8> {
    der(0x30, &[&[0x06, 0x03, 0x55, 0x1d, 0x14], &der(0x04, &[&[0x02, 0x01, 0x07]])])
}

#[test]
fn a_delta_list_says_so() {
    // deltaCRLIndicator, critical (RFC 5280, 5.2.4).
    let indicator = der(
        0x30,
        &[&[0x06, 0x03, 0x55, 0x1d, 0x1b], &[0x01, 0x01, 0xff], &der(0x04, &[&[0x02, 0x01, 0x06]])],
    );
    assert!(list(&[number(), indicator]).is_delta);
    assert!(!list(&[number()]).is_delta);
}

#[test]
fn the_key_that_signed_a_list_is_named_by_its_identifier() {
    // authorityKeyIdentifier (RFC 5280, 5.2.1).
    let identifier = der(
        0x30,
        &[
            &[0x06, 0x03, 0x55, 0x1d, 0x23],
            &der(0x04, &[&der(0x30, &[&der(0x80, &[&[0xab, 0xcd]])])]),
        ],
    );
    assert_eq!(list(&[number(), identifier]).authority_key_id.as_deref(), Some("abcd"));
    assert_eq!(list(&[number()]).authority_key_id, None);
}

#[test]
fn keys_for_agreement_have_a_name() {
    let made = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let made = made.self_signed(&KeyPair::generate().unwrap()).unwrap();
    // An EC key on P-256 (RFC 5480, 2.1.1) gives way to one of PKCS #3 and one of X9.42.
    let curve: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    let pkcs3: &[u8] = &[
        0x30, 0x13, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01, 0x30, 0x06,
        0x02, 0x01, 0x17, 0x02, 0x01, 0x05,
    ];
    let x942: &[u8] = &[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3e, 0x02, 0x01, 0x30, 0x08, 0x02, 0x01,
        0x17, 0x02, 0x01, 0x05, 0x05, 0x00,
    ];
    for algorithm in [pkcs3, x942] {
        let mut der = made.der().to_vec();
        let at = der.windows(curve.len()).position(|part| part == curve).unwrap();
        der.splice(at..at + curve.len(), algorithm.iter().copied());
        assert_eq!(Certificate::parse(der).unwrap().key.label(), "DH");
    }
}
