//! What the process of a PKCS #11 module says, line by line, and octets of attributes as any module
//! may answer them.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use pki_encodings::Collected;
use pki_inventory::{Login, Object, Place, Raw};
use pki_tokens::attributes::{CLASSES, wanted};
use pki_tokens::wire::{Message, ObjectAnswer, Octets, Value};
use pki_tokens::{Found, Objects, place, token};

fuzz_target!(|octets: &[u8]| {
    let mut objects = Objects::of(Place::token([("token", &b"T"[..])]));
    let (mut kept, mut library) = (0, Message::SlotsEnd);
    let mut add = |object: ObjectAnswer| {
        // Certificates, keys and secret keys are kept one by one.
        kept += usize::from((1..=4).contains(&object.class));
        objects.add(object);
    };
    for line in octets.split(|octet| *octet == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Message::Slot(slot)) => {
                let told = token("/m.so", Some(&library), &slot, Login::Done);
                assert_eq!(told.is_some(), place(&slot, false).is_some());
                if let Some(at) = place(&slot, true) {
                    assert_eq!(at.to_string().parse(), Ok(at));
                }
            }
            Ok(Message::Object(object)) => add(*object),
            Ok(other @ Message::Library { .. }) => library = other,
            Ok(_) => {}
            Err(_) => add(raw(line)),
        }
    }
    let _ = objects.validations();
    let (mut found, mut places, mut bundles) = (Collected::default(), BTreeSet::new(), 0);
    objects.finish(&mut |Found { raw, place, circumstances }| {
        bundles += usize::from(matches!(raw, Raw::Bundle(_)));
        assert_eq!(place.to_string().parse(), Ok(place.clone()));
        assert!(places.insert(place), "two at one place");
        let mut object = Object::from(raw);
        object.label = circumstances.label;
        found.objects.push(object);
    });
    assert_eq!(found.objects.len(), kept + bundles, "what came is handed over");
    pkimm_fuzz::file(found);
});

/// An object by its octets: the class, then number in the list, length and value of each attribute.
fn raw(line: &[u8]) -> ObjectAnswer {
    let (first, mut rest) = line.split_first().unwrap_or((&b'0', &[]));
    let class = CLASSES[usize::from(*first) % CLASSES.len()];
    let mut attributes = Vec::new();
    while let [number, length, tail @ ..] = rest {
        let asked = wanted(class);
        if asked.is_empty() {
            break;
        }
        let attribute = asked[usize::from(*number) % asked.len()];
        let (value, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        let value = match length {
            0xff => Value::Sensitive,
            0xfe => Value::TooLong(u64::MAX),
            _ => Value::Octets(Octets(value.to_vec())),
        };
        attributes.push((attribute, value));
        rest = tail;
    }
    ObjectAnswer { slot: 0, class, attributes }
}
