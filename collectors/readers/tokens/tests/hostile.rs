//! Answers of a module that means harm, or means nothing at all.

mod support;

use std::collections::BTreeSet;

use pki_inventory::Place;
use pki_tokens::attributes::{CLASSES, wanted};
use pki_tokens::wire::{Message, Octets, Value};
use proptest::prelude::*;
use support::*;

/// Octets that begin like something.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let any = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        any(),
        any().prop_map(|octets| [P_256, &octets].concat()),
        (0u64..80).prop_map(|number| (number as std::ffi::c_ulong).to_ne_bytes().to_vec()),
        any().prop_map(|octets| wrapped(&octets)),
        Just(P_256.to_vec()),
        Just(vec![4; 65]),
        Just(vec![0x30, 0x82, 0xff, 0xff]),
        Just(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => content().prop_map(|octets| Value::Octets(Octets(octets))),
        1 => Just(Value::Invalid),
        1 => Just(Value::Sensitive),
        1 => any::<u64>().prop_map(Value::TooLong),
        1 => any::<u64>().prop_map(Value::Failed),
        1 => any::<u64>().prop_map(Value::NotAsked),
    ]
}

fn answer() -> impl Strategy<Value = pki_tokens::wire::ObjectAnswer> {
    prop_oneof![9 => 0u64..6, 1 => any::<u64>()].prop_flat_map(|class| {
        let known = [wanted(class), &[0x11, 0x123]].concat();
        let attribute = prop_oneof![9 => prop::sample::select(known), 1 => any::<u64>()];
        let attributes = prop::collection::vec((attribute, value()), 0..30);
        attributes.prop_map(move |attributes| object(class, attributes))
    })
}

proptest! {
    #[test]
    fn no_answers_make_it_panic_or_lose_one(objects in prop::collection::vec(answer(), 0..30)) {
        let kept = objects.iter().filter(|object| (1..=4).contains(&object.class)).count();
        let all = found(objects);
        let apart: BTreeSet<&Place> = all.iter().map(|found| &found.place).collect();
        prop_assert_eq!((all.len(), apart.len()), (kept, kept), "each at a place of its own");
        for found in &all {
            let text = found.place.to_string();
            prop_assert_eq!(text.parse::<Place>(), Ok(found.place.clone()));
        }
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in "[\\[\\]{}:,\"a-zA-Z0-9]{0,60}") {
        let _ = serde_json::from_str::<Message>(&line);
    }
}

#[test]
fn a_value_that_was_not_asked_for_is_in_nothing_that_is_handed_over() {
    let secret = b"\x5e\xc2\xe7the value of the key";
    let secrets = || [0x11, 0x123, 0x124, 0x637].map(|attribute| (attribute, octets(secret)));
    for class in [PRIVATE, SECRET] {
        let mut attributes = vec![(KEY_TYPE, ulong(0x4a)), (PARAMETER_SET, ulong(1))];
        attributes.extend(secrets());
        let text = format!("{:?}", only(object(class, attributes)));
        assert!(!text.contains("the value") && !text.contains("5ec2e7"), "{text}");
    }
}

#[test]
fn many_objects_of_one_name_take_no_longer_than_many_of_many() {
    // Each asks for the others: 10,000 times 10,000 would not end.
    let same = |class, seed: u32| {
        let point = [&[4u8][..], &[1; 60], &seed.to_be_bytes()].concat();
        let mut attributes = vec![(ID, octets(&[1])), (LABEL, octets(b"x"))];
        attributes.push((EC_PARAMS, octets(P_256)));
        attributes.push((EC_POINT, octets(&if class == PUBLIC { point } else { Vec::new() })));
        key(class, 3, attributes)
    };
    let objects = (0..10_000).flat_map(|seed| [same(PRIVATE, seed), same(PUBLIC, seed)]);
    let all = found(objects);
    assert_eq!(all.len(), 20_000);
    assert!(
        all.iter().any(|found| found.place.to_string().ends_with("type=public;x-number=10000"))
    );
}

#[test]
fn long_names_are_cut_in_places_and_said_not_to_be_read() {
    let long = vec![b'a'; 5000];
    let found = only(object(PRIVATE, vec![(ID, octets(&long)), (LABEL, octets(&long))]));
    assert!(found.place.to_string().len() < 600, "{}", found.place);
    assert_eq!(found.circumstances.label.map(|label| label.len()), Some(1024));
    let object = found.circumstances.token.expect("attributes");
    assert_eq!((object.id, object.untold["CKA_ID"].as_str()), (None, "unreadable: 5000 octets"));
    // Every class has a limit, those that are not there as well.
    assert!(CLASSES.iter().all(|class| wanted(*class).len() < 60));
}
