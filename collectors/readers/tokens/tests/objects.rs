//! Which public half a private key has, where objects are, and what is said of them.

mod support;

use pki_encodings::public_key;
use pki_inventory::{Digest, Raw, Time};
use pki_tokens::Objects;
use pki_tokens::wire::{ObjectAnswer, Value};
use support::*;

/// A point of P-256 by its length, which is all that is looked at.
fn point(seed: u8) -> Vec<u8> {
    [&[4][..], &[seed; 64]].concat()
}

fn digest(seed: u8) -> Digest {
    Digest::of(&public_key::elliptic(P_256, &point(seed)))
}

fn named(id: &[u8], label: &str) -> Vec<(u64, Value)> {
    vec![(ID, octets(id)), (LABEL, octets(label.as_bytes()))]
}

fn private(parameters: &[u8], id: &[u8], label: &str) -> ObjectAnswer {
    let mut attributes = named(id, label);
    attributes.push((EC_PARAMS, octets(parameters)));
    key(PRIVATE, 3, attributes)
}

fn public(seed: u8, id: &[u8], label: &str) -> ObjectAnswer {
    let mut attributes = named(id, label);
    attributes.extend([(EC_PARAMS, octets(P_256)), (EC_POINT, octets(&wrapped(&point(seed))))]);
    key(PUBLIC, 3, attributes)
}

fn certificate(id: &[u8], label: &str) -> (Vec<u8>, Digest, ObjectAnswer) {
    use rcgen::PublicKeyData as _;
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let signed = rcgen::CertificateParams::new(vec!["x.example".to_owned()]).expect("a name");
    let der = signed.self_signed(&pair).expect("a certificate").der().to_vec();
    let mut attributes = named(id, label);
    attributes.push((VALUE, octets(&der)));
    let answer = object(CERTIFICATE, attributes);
    (der, Digest::of(&pair.subject_public_key_info()), answer)
}

/// The digests of the public halves of private keys among these, in order.
fn pairs(objects: impl IntoIterator<Item = ObjectAnswer>) -> Vec<Option<Digest>> {
    let found = found(objects).into_iter();
    let private = found.filter(|found| found.place.to_string().contains("type=private"));
    private.map(|found| key_of(&found).1.spki).collect()
}

#[test]
fn a_private_key_is_paired_by_its_id() {
    assert_eq!(pairs([private(P_256, &[1], "a"), public(1, &[1], "b")]), [Some(digest(1))]);
    let (_, spki, answer) = certificate(&[1], "c");
    assert_eq!(pairs([answer.clone(), private(P_256, &[1], "a")]), [Some(spki)]);
    // A public key that says the same is no other answer, one of another id is none at all.
    let both = [private(P_256, &[1], "a"), public(1, &[1], "b"), public(1, &[1], "c")];
    assert_eq!(pairs(both), [Some(digest(1))]);
    assert_eq!(pairs([private(P_256, &[1], "a"), public(1, &[2], "a")]), [None]);
}

#[test]
fn where_two_answers_are_possible_there_is_none() {
    let key = || private(P_256, &[1], "a");
    assert_eq!(pairs([key(), public(1, &[1], ""), public(2, &[1], "")]), [None]);
    let (_, _, certificate) = certificate(&[1], "");
    assert_eq!(pairs([key(), public(1, &[1], ""), certificate]), [None]);
    // Of two private keys with one id, at most one is that of the public key.
    assert_eq!(pairs([key(), key(), public(1, &[1], "")]), [None, None]);
}

#[test]
fn a_key_of_another_type_or_curve_is_no_answer() {
    assert_eq!(pairs([private(P_384, &[1], "a"), public(1, &[1], "a")]), [None]);
    let rsa = |class| {
        let modulus = octets(&[0xc1; 128]);
        let mut attributes = named(&[1], "a");
        attributes.extend([(MODULUS, modulus), (EXPONENT, octets(&[1, 0, 1]))]);
        key(class, 0, attributes)
    };
    let expected = Digest::of(&public_key::rsa(&[0xc1; 128], &[1, 0, 1]));
    let mixed = [private(P_256, &[1], "a"), public(1, &[1], "a"), rsa(PUBLIC), rsa(PRIVATE)];
    assert_eq!(pairs(mixed), [Some(digest(1)), Some(expected)]);
    // What another private key has told as its own is not to be had.
    let own = key(PRIVATE, 3, {
        let mut attributes = named(&[2], "");
        attributes.extend([(EC_PARAMS, octets(P_256)), (EC_POINT, octets(&wrapped(&point(1))))]);
        attributes
    });
    assert_eq!(
        pairs([own, private(P_256, &[1], "a"), public(1, &[1], "")]),
        [Some(digest(1)), None]
    );
}

#[test]
fn the_modulus_says_more_than_any_name() {
    let rsa = |class, id: u8, modulus: u8, exponent: Option<u8>| {
        let mut attributes = named(&[id], "");
        attributes.push((MODULUS, octets(&[0, modulus, 1, 1, 1])));
        attributes.extend(exponent.map(|exponent| (EXPONENT, octets(&[exponent]))));
        key(class, 0, attributes)
    };
    let spki =
        |modulus: u8, exponent: u8| Digest::of(&public_key::rsa(&[modulus, 1, 1, 1], &[exponent]));
    let crossed = [
        rsa(PRIVATE, 1, 0xc1, None),
        rsa(PUBLIC, 1, 0xc2, Some(3)),
        rsa(PUBLIC, 2, 0xc1, Some(5)),
        rsa(PUBLIC, 3, 0xc1, Some(5)),
    ];
    assert_eq!(pairs(crossed), [Some(spki(0xc1, 5))]);
    assert_eq!(pairs([rsa(PRIVATE, 1, 0xc1, None), rsa(PUBLIC, 1, 0xc2, Some(3))]), [None]);
    let two =
        [rsa(PRIVATE, 1, 0xc1, None), rsa(PUBLIC, 1, 0xc1, Some(3)), rsa(PUBLIC, 1, 0xc1, Some(5))];
    assert_eq!(pairs(two), [None]);
}

#[test]
fn a_label_pairs_nothing() {
    assert_eq!(pairs([private(P_256, &[], "a"), public(1, &[7], "a")]), [None]);
    assert_eq!(pairs([private(P_256, &[7], "a"), public(1, &[], "a")]), [None]);
    assert_eq!(pairs([private(P_256, &[], "a"), public(1, &[], "a")]), [None]);
    assert_eq!(
        pairs([private(P_256, &[], ""), public(1, &[], "")]),
        [None],
        "nor does an empty id"
    );
}

#[test]
fn what_rests_on_an_id_says_so() {
    let form = |objects: Vec<ObjectAnswer>| {
        let private = found(objects).into_iter();
        let mut private = private.filter(|one| one.place.to_string().contains("type=private"));
        private.next().expect("a private key").circumstances.key.expect("a form").encoding
    };
    let inferred = "PKCS#11, public half by CKA_ID";
    assert_eq!(form(vec![private(P_256, &[1], "a"), public(1, &[1], "a")]), inferred);
    assert_eq!(form(vec![private(P_256, &[1], "a"), certificate(&[1], "").2]), inferred);
    assert_eq!(
        form(vec![private(P_256, &[1], "a"), public(1, &[2], "a")]),
        "PKCS#11",
        "nothing is"
    );
    let mut own = private(P_256, &[1], "a");
    own.attributes.push((EC_POINT, octets(&wrapped(&point(1)))));
    assert_eq!(form(vec![own, public(1, &[1], "a")]), "PKCS#11", "it tells itself");
    // The modulus is the key.
    let rsa = |class, more: Option<(u64, Value)>| {
        let mut attributes = named(&[1], "a");
        attributes.push((MODULUS, octets(&[0xc1; 128])));
        attributes.extend(more);
        key(class, 0, attributes)
    };
    let both = vec![rsa(PRIVATE, None), rsa(PUBLIC, Some((EXPONENT, octets(&[3]))))];
    assert_eq!(form(both), "PKCS#11");
}

#[test]
fn equal_names_are_numbered_by_what_they_are() {
    let places = |objects: Vec<ObjectAnswer>| {
        let found = found(objects).into_iter();
        let mut places: Vec<_> =
            found.map(|found| (key_of(&found).0, found.place.to_string())).collect();
        places.sort();
        places
    };
    let objects = || (1..=3).map(|seed| public(seed, b"\x01;", "a b")).collect::<Vec<_>>();
    let there = places(objects());
    let mut tail: Vec<_> =
        there.iter().map(|(_, place)| place.rsplit_once("public").expect("a type").1).collect();
    tail.sort_unstable();
    assert_eq!(tail, ["", ";x-number=2", ";x-number=3"]);
    assert!(there[1].1.contains(";id=%01%3B;object=a%20b;type=public"), "{there:?}");
    let back = places(objects().into_iter().rev().collect());
    assert_eq!(there, back, "in whatever order a module lists them");
}

#[test]
fn a_number_stays_when_a_key_is_changed() {
    // Two AES keys of one name, told apart by `told`; of the first, what may be set is set anew.
    let numbers = |told: [Vec<(u64, Value)>; 2], changed: Vec<(u64, Value)>| {
        let mut all: Vec<ObjectAnswer> = told
            .into_iter()
            .map(|told| key(SECRET, 0x1f, [named(&[1], "a"), told].concat()))
            .collect();
        all[0].attributes.extend(changed);
        let found = found(all);
        found.iter().map(|one| one.place.to_string()).collect::<Vec<_>>()
    };
    let sizes = || [vec![(VALUE_LEN, ulong(16))], vec![(VALUE_LEN, ulong(32))]];
    let born = || [vec![(0x163, octets(&[1]))], vec![(0x163, octets(&[0]))]];
    let unique = || {
        // The size would order them the other way round.
        let one = |id: &[u8], size| vec![(0x04, octets(id)), (VALUE_LEN, ulong(size))];
        [one(b"0b6c", 16), one(b"77aa", 32)]
    };
    for told in [&sizes as &dyn Fn() -> [Vec<(u64, Value)>; 2], &born, &unique] {
        let before = numbers(told(), Vec::new());
        assert_ne!(before[0], before[1]);
        for value in 0..16u8 {
            let bit = |at: u8| octets(&[value >> at & 1]);
            let changed = vec![(0x103, bit(0)), (0x162, bit(1)), (0x104, bit(2)), (0x170, bit(3))];
            assert_eq!(numbers(told(), changed), before, "{value}");
        }
        for length in 0..8 {
            let changed = vec![(0x110, octets(&vec![b'1'; length])), (0x165, Value::Invalid)];
            assert_eq!(numbers(told(), changed), before, "{length}");
        }
    }
    // With a unique id nothing else counts, not even what a module tells at one time only.
    let before = numbers(unique(), Vec::new());
    for size in 1..16 {
        assert_eq!(numbers(unique(), vec![(0x166, ulong(size))]), before, "{size}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let found = only(object(
        PRIVATE,
        vec![
            (KEY_TYPE, octets(&[0, 0, 0])),
            (0x103, octets(&[])),
            (0x162, octets(&[0xff])),
            (0x163, octets(&[0])),
            (0x164, Value::Failed(0x30)),
            (0x165, Value::TooLong(70_000)),
            (0x166, ulong(u64::MAX)),
            (0x110, octets(b"20260230")),
            (0x111, octets(b"20261231")),
            (ID, octets(&[])),
            (LABEL, octets(b"caf\xc3\xa9 \xff\0\0")),
            (EXPONENT, octets(&[0, 0])),
            (
                0x4000_0600,
                [0u64, 0x8000_0001].into_iter().fold(octets(&[]), |all, one| join(all, ulong(one))),
            ),
            (0x4000_0212, Value::TooLong(48)),
            (0x4000_0213, octets(&[])),
            (0x202, Value::Invalid),
            (0x171, Value::NotAsked(3)),
        ],
    ));
    let object = found.circumstances.token.expect("attributes");
    assert_eq!(
        (object.sensitive, object.extractable, object.local),
        (None, Some(true), Some(false))
    );
    assert_eq!(
        (object.id.as_deref(), object.key_type, object.key_gen_mechanism),
        (Some(""), None, None)
    );
    assert_eq!((object.start, object.end), (None, Some(Time(1_798_761_599))));
    assert_eq!(object.end.map(|end| end.to_string()).as_deref(), Some("2026-12-31T23:59:59Z"));
    assert_eq!(object.public_exponent.as_deref(), Some("0"));
    let mechanisms = object.allowed_mechanisms.expect("mechanisms");
    assert_eq!(mechanisms, ["CKM_RSA_PKCS_KEY_PAIR_GEN", "0x80000001"]);
    assert_eq!(object.templates, ["unwrap"]);
    assert_eq!(found.circumstances.label.as_deref(), Some("café \u{fffd}"));
    for (name, why) in [
        ("CKA_KEY_TYPE", "unreadable: 3 octets"),
        ("CKA_SENSITIVE", "unreadable: 0 octets"),
        ("CKA_NEVER_EXTRACTABLE", "CKR_DEVICE_ERROR"),
        ("CKA_ALWAYS_SENSITIVE", "too long: 70000 octets"),
        ("CKA_START_DATE", "unreadable: 8 octets"),
        ("CKA_ALWAYS_AUTHENTICATE", "invalid"),
        ("CKA_COPYABLE", "not asked: 3 objects of the kind before had none"),
        ("CKA_SIGN", "not answered"),
    ] {
        assert_eq!(object.untold.get(name).map(String::as_str), Some(why), "{name}");
    }
    for name in ["CKA_EXTRACTABLE", "CKA_KEY_GEN_MECHANISM", "CKA_END_DATE", "CKA_UNWRAP_TEMPLATE"]
    {
        assert!(!object.untold.contains_key(name), "{name}");
    }
}

fn join(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Octets(first), Value::Octets(second)) => octets(&[first.0, second.0].concat()),
        other => panic!("no octets: {other:?}"),
    }
}

#[test]
fn what_a_kind_of_key_never_has_is_not_missed() {
    let untold = |value: Value| {
        let found = only(key(PUBLIC, 0, vec![(VALUE, value)]));
        found.circumstances.token.expect("attributes").untold.remove("CKA_VALUE")
    };
    assert_eq!(untold(Value::NotAsked(0)), None);
    assert_eq!(untold(Value::Invalid), None);
    let why = "not asked: 3 objects of the kind before had none";
    assert_eq!(untold(Value::NotAsked(3)).as_deref(), Some(why));
}

#[test]
fn dates_that_were_never_set_are_none() {
    for unset in [&b""[..], b"00000000", &[0; 8], b"        "] {
        let found = only(key(SECRET, 0x1f, vec![(0x110, octets(unset)), (0x111, octets(unset))]));
        let object = found.circumstances.token.expect("attributes");
        assert_eq!((object.start, object.end), (None, None));
        assert!(!object.untold.contains_key("CKA_START_DATE"));
    }
}

#[test]
fn certificates_come_as_they_are_but_for_the_end_of_a_file() {
    let (der, _, answer) = certificate(&[1], "a");
    for (behind, expected) in [
        (&[][..], der.len()),
        (&[0; 700], der.len()),
        (&[0xff; 9], der.len()),
        (&[0, 1], der.len() + 2),
    ] {
        let value = octets(&[&der[..], behind].concat());
        let Raw::Certificate(kept) = only(object(CERTIFICATE, vec![(VALUE, value)])).raw else {
            panic!("no certificate")
        };
        assert_eq!(kept.len(), expected);
    }
    assert!(matches!(only(answer).raw, Raw::Certificate(kept) if kept == der));
}

#[test]
fn a_certificate_that_is_not_told_is_there_with_the_reason() {
    let cases = [
        (
            vec![(VALUE, Value::TooLong(90_000))],
            90_000,
            "the token does not tell it: too long: 90000 octets",
        ),
        (vec![(VALUE, Value::Sensitive)], 0, "the token does not tell it: sensitive"),
        (vec![], 0, "the token does not tell it: not answered"),
        (vec![(VALUE, octets(&[]))], 0, "its value on the token is empty"),
        (
            vec![(VALUE, octets(&[])), (URL, octets(b"https://x.example/"))],
            0,
            "the token keeps only where it is to be had (CKA_URL)",
        ),
        (
            vec![(CERTIFICATE_TYPE, ulong(1)), (VALUE, octets(&[0x30, 0]))],
            2,
            "a certificate of type 0x00000001, which is not X.509",
        ),
    ];
    for (attributes, length, error) in cases {
        let found = only(object(CERTIFICATE, attributes));
        let Raw::Unparsed { unparsed, .. } = found.raw else { panic!("{:?}", found.raw) };
        assert_eq!((unparsed.claimed.as_str(), unparsed.length), ("certificate", length));
        assert_eq!(unparsed.error, error);
        assert!(found.circumstances.token.is_some());
    }
}

#[test]
fn many_certificates_and_no_private_key_may_be_a_trust_store() {
    let (der, _, answer) = certificate(&[1], "a");
    let many = |count: usize| vec![answer.clone(); count];
    let bundle = |objects: Vec<ObjectAnswer>| {
        let last = found(objects).pop().expect("objects");
        matches!(last.raw, Raw::Bundle(_)).then_some(last)
    };
    let last = bundle(many(20)).expect("a bundle");
    assert_eq!((last.raw, last.place), (Raw::Bundle(vec![Digest::of(&der); 20]), token()));
    assert_eq!(bundle(many(19)), None);
    let mut with_key = many(20);
    with_key.push(private(P_256, &[9], "a"));
    assert_eq!(bundle(with_key), None);
}

#[test]
fn validations_are_read_and_other_classes_leave_nothing() {
    let mut objects = Objects::of(token());
    for class in [0, 5, 7, 9, 0x8000_0001] {
        objects.add(object(class, vec![(LABEL, octets(b"x")), (VALUE, octets(b"y"))]));
    }
    objects.add(object(
        0x0a,
        vec![
            (0x61f, ulong(2)),
            (0x620, octets(&[3, 0])),
            (0x621, ulong(3)),
            (0x622, octets(b"Example HSM 7")),
            (0x624, ulong(1)),
            (0x625, octets(b"US ")),
            (0x626, octets(b"4711")),
            (0x627, octets(b"https://x.example/4711")),
        ],
    ));
    objects.add(object(
        0x0a,
        vec![(0x624, ulong(0x8000_0001)), (0x621, ulong(u64::MAX)), (0x620, octets(&[3]))],
    ));
    objects.add(object(0x0a, Vec::new()));
    let validations = objects.validations();
    let first = &validations[0];
    assert_eq!(
        (first.scheme.as_str(), first.version.as_deref(), first.level),
        ("FIPS 140", Some("3.0"), Some(3))
    );
    assert_eq!(
        (first.module.as_deref(), first.country.as_deref()),
        (Some("Example HSM 7"), Some("US"))
    );
    assert_eq!(first.certificate.as_deref(), Some("4711"));
    assert_eq!(first.address.as_deref(), Some("https://x.example/4711"));
    let second = &validations[1];
    assert_eq!(
        (second.scheme.as_str(), &second.version, second.level),
        ("0x80000001", &None, None)
    );
    assert_eq!(validations[2].scheme, "not specified");
    objects.finish(&mut |found| panic!("{found:?}"));
}
