//! What SoftHSM 2.6.1 answered: the lines of a process that asked it for each attribute, user logged
//! in. The digests of keys are those that OpenSSL 3.0 gives of the same keys.

mod support;

use std::collections::BTreeMap;

use pki_inventory::{Encryption, Half, Login, ObjectClass, Place, Raw, Usage};
use pki_tokens::wire::Message;
use pki_tokens::{Found, Objects, place, token};

const ANSWERS: &str = include_str!("data/softhsm.jsonl");

fn messages() -> Vec<Message> {
    ANSWERS.lines().map(|line| serde_json::from_str(line).expect("a message")).collect()
}

fn objects() -> BTreeMap<String, Found> {
    let mut objects = None;
    for message in messages() {
        match message {
            Message::Slot(slot) => {
                objects = Some(Objects::of(place(&slot, false).expect("a token")));
            }
            Message::Object(object) => objects.as_mut().expect("a slot came").add(*object),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    let objects = objects.expect("a slot came");
    assert!(objects.validations().is_empty());
    objects.finish(&mut |one| {
        let object = one.place.to_string();
        let object = object.split_once(";serial=").expect("a serial").1;
        let object = object.split_once(';').expect("an object").1;
        assert!(found.insert(object.to_owned(), one).is_none(), "places differ");
    });
    found
}

#[test]
fn the_token_says_what_it_is() {
    let messages = messages();
    let Message::Slot(slot) = &messages[1] else { panic!("a slot comes second") };
    let at = place(slot, false).expect("a token");
    assert_eq!(
        at.to_string(),
        "pkcs11:token=CA%20%26%20co;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;\
         serial=1054a8dc4189911c"
    );
    let token = token("/lib/softhsm.so", Some(&messages[0]), slot, Login::Done).expect("a token");
    assert_eq!(token.label.as_deref(), Some("CA & co"));
    assert_eq!(token.model.as_deref(), Some("SoftHSM v2"));
    assert_eq!(token.firmware_version.as_deref(), Some("2.6"));
    assert_eq!(token.module.interface.as_deref(), Some("2.40"));
    assert_eq!(token.module.description.as_deref(), Some("Implementation of PKCS11"));
    assert!(token.flags.initialized && token.flags.login_required && token.flags.random);
    assert!(!token.slot.hardware && !token.slot.removable && !token.user_pin.locked);
    assert_eq!(token.pin_lengths, Some((4, 255)));
    assert_eq!((token.public_memory, token.private_memory), (None, None));
    // It fills in the time of the host, and does not claim to have a clock.
    assert_eq!(token.clock, None);
    let mechanisms = token.mechanisms.expect("mechanisms");
    assert!(mechanisms.is_sorted_by_key(|mechanism| mechanism.number));
    let eddsa = mechanisms.iter().find(|mechanism| mechanism.number == 0x1057).expect("EdDSA");
    assert_eq!(eddsa.name.as_deref(), Some("CKM_EDDSA"));
    assert_eq!(
        (eddsa.hardware, &eddsa.uses[..]),
        (Some(false), &["sign", "verify"].map(String::from)[..])
    );
    let sha256 = mechanisms.iter().find(|mechanism| mechanism.number == 0x250).expect("SHA-256");
    assert_eq!(
        (sha256.smallest, sha256.largest, &sha256.uses[..]),
        (None, None, &["digest".to_owned()][..])
    );
}

#[test]
fn each_key_is_the_one_that_openssl_knows() {
    let objects = objects();
    for (object, algorithm, spki) in [
        (
            "id=%01;object=signer",
            "RSA-2048",
            "b740d03f2cc654bf143eef06dcaa7848de2263b6467a19b58e7b1bfdd065f8a1",
        ),
        (
            "id=%02;object=ec",
            "P-256",
            "2135b36bd935c4efae2906df4073c0738357a0866fb0a3a119fad6c66da8d143",
        ),
        (
            "id=%03;object=ec384",
            "P-384",
            "22c836f099b4564375962cb152f53c51e99b07d056720dc8d68357c13cca344f",
        ),
        (
            "id=%04;object=ed",
            "Ed25519",
            "e735912c36fb588e1d5c8ff7b01c53c8e2066af7fc3f1ec783d43354d278bfa4",
        ),
    ] {
        for (kind, half) in [("public", Half::Public), ("private", Half::Private)] {
            let found = &objects[&format!("{object};type={kind}")];
            let (id, key) = support::key_of(found);
            assert_eq!(id.to_string(), spki, "{object} {kind}");
            assert_eq!(key.spki, Some(id));
            assert_eq!(support::algorithm_of(found).as_deref(), Some(algorithm));
            let form = found.circumstances.key.clone().expect("a form");
            let inferred = half == Half::Private && algorithm != "RSA-2048";
            let encoding = if inferred { "PKCS#11, public half by CKA_ID" } else { "PKCS#11" };
            assert_eq!((form.half, form.encoding.as_str()), (half, encoding), "{object}");
            let expected = if half == Half::Private { Encryption::Token } else { Encryption::None };
            assert_eq!(form.encryption, expected);
        }
    }
    // This one was brought with its certificate and has no public key object.
    let (id, _) = support::key_of(&objects["id=%08;object=imported;type=private"]);
    let expected = "be8411cd49a54905e783992794df6f3684ef73662bb6fad10cd7f335363e80ef";
    assert_eq!(id.to_string(), expected);
}

#[test]
fn a_private_key_alone_on_its_curve_is_told_by_its_place() {
    let found = &objects()["id=%09;object=alone;type=private"];
    let (id, key) = support::key_of(found);
    assert_eq!(key.spki, None);
    assert_eq!(support::algorithm_of(found).as_deref(), Some("P-521"));
    assert_eq!(id, pki_inventory::Digest::of(found.place.to_string().as_bytes()));
}

#[test]
fn attributes_are_those_of_the_object() {
    let objects = objects();
    let told = |object: &str| {
        objects[object].circumstances.token.clone().expect("attributes of an object")
    };
    let signer = told("id=%01;object=signer;type=private");
    assert_eq!(signer.class, ObjectClass::PrivateKey);
    assert_eq!((signer.id.as_deref(), signer.key_type.as_deref()), (Some("01"), Some("CKK_RSA")));
    assert_eq!((signer.sensitive, signer.always_sensitive), (Some(true), Some(true)));
    assert_eq!((signer.extractable, signer.never_extractable), (Some(false), Some(true)));
    assert_eq!((signer.local, signer.private, signer.token), (Some(true), Some(true), Some(true)));
    assert_eq!(signer.key_gen_mechanism.as_deref(), Some("CKM_RSA_PKCS_KEY_PAIR_GEN"));
    assert_eq!(signer.public_exponent.as_deref(), Some("10001"));
    assert_eq!((signer.may(Usage::Sign), signer.may(Usage::Derive)), (Some(true), Some(false)));
    assert_eq!((signer.may(Usage::Encrypt), signer.trusted), (None, None), "not of private keys");
    assert_eq!((signer.start, signer.end, &signer.allowed_mechanisms), (None, None, &None));
    assert!(signer.templates.is_empty());
    let untold: Vec<_> = signer.untold.iter().map(|(name, why)| format!("{name} {why}")).collect();
    assert_eq!(untold, Vec::<String>::new());

    let imported = told("id=%08;object=imported;type=private");
    assert_eq!((imported.local, imported.key_gen_mechanism), (Some(false), None));
    assert_eq!((imported.always_sensitive, imported.never_extractable), (Some(false), Some(false)));

    let wrap = told("id=%05;object=wrap;type=secret-key");
    assert_eq!(
        (wrap.extractable, wrap.sensitive, wrap.trusted),
        (Some(true), Some(false), Some(false))
    );
    assert_eq!((wrap.may(Usage::Wrap), wrap.may(Usage::Decrypt)), (Some(true), Some(true)));

    let certificate = told("id=%08;object=imported;type=cert");
    assert_eq!((certificate.trusted, certificate.modifiable), (Some(false), Some(true)));
    let untold: Vec<_> = certificate.untold.keys().collect();
    assert!(untold.is_empty(), "{untold:?}");
}

#[test]
fn secret_keys_and_certificates_are_there_too() {
    let objects = objects();
    for (object, algorithm) in [
        ("id=%05;object=wrap;type=secret-key", "AES-256"),
        ("id=%07;object=mac;type=secret-key", "generic secret-512"),
        ("type=secret-key", "3DES-168"),
    ] {
        let Raw::SecretKey(key) = &objects[object].raw else { panic!("no secret key: {object}") };
        assert_eq!(key.algorithm.label(), algorithm);
        assert_eq!(objects[object].circumstances.key, None);
    }
    let certificate = &objects["id=%08;object=imported;type=cert"];
    let Raw::Certificate(der) = &certificate.raw else { panic!("no certificate") };
    assert_eq!(
        pki_inventory::Digest::of(der).to_string(),
        "bf4279c2356c1434a174f3cfabbee08dbd386fa7f606cafd27b9c7a6005568cf"
    );
    assert_eq!(certificate.circumstances.label.as_deref(), Some("imported"));
    assert_eq!(objects.len(), 14, "data is only counted");
    for found in objects.values() {
        let text = found.place.to_string();
        assert_eq!(text.parse::<Place>().as_ref(), Ok(&found.place), "{text}");
    }
}
