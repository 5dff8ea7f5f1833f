//! Inventories can be laid together in any order, any number of times.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use std::sync::LazyLock;

use pki_inventory::{
    Circumstances, Coverage, Digest, Endpoint, Gap, GapReason, Handshake, Inventory, Key,
    KeyAlgorithm, Observation, Place, Raw, Sighting, Time, Unparsed,
};
use proptest::prelude::*;

/// Two real certificates and one that is cut off.
static ENCODINGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let make = |host: &str| {
        rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap().cert.der().to_vec()
    };
    let (one, two) = (make("one.example"), make("two.example"));
    let cut = one[..one.len() / 2].to_vec();
    vec![one, two, cut]
});

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        (0..3u32).prop_map(|n| Place::file("/etc/ssl/bundle.pem").object(n)),
        (0..3u16).prop_map(|n| Place::tls(([192, 0, 2, 1], 440 + n).into(), None)),
    ]
}

fn sighting() -> impl Strategy<Value = Sighting> {
    (place(), 0..2usize, 0..50i64, proptest::option::of(0..3u16)).prop_map(
        |(place, collector, time, chain_position)| Sighting {
            circumstances: Circumstances { chain_position, ..Circumstances::default() },
            ..Sighting::at(place, ["filesystem", "tls"][collector], Time(time))
        },
    )
}

fn raw() -> impl Strategy<Value = Raw> {
    let handshake = prop_oneof![
        Just(Handshake::NoTls { reason: "SSH-2.0".to_owned() }),
        Just(Handshake::Declined { alert: "protocol_version".to_owned(), offered: Vec::new() }),
    ];
    prop_oneof![
        (0..3usize).prop_map(|n| Raw::Certificate(ENCODINGS[n].clone())),
        (0..3u8).prop_map(|n| {
            let id = Digest::of(&[n]);
            let algorithm = Some(KeyAlgorithm::rsa(1024 * (u32::from(n) + 1)));
            Raw::Key { id, key: Key { spki: Some(id), algorithm } }
        }),
        (0..50i64, handshake).prop_map(|(observed, handshake)| {
            Raw::Endpoint(Endpoint { observed: Time(observed), handshake })
        }),
        (0..2u8, 0..2usize).prop_map(|(n, error)| Raw::Unparsed {
            id: Digest::of(&[n]),
            unparsed: Unparsed {
                claimed: "certificate".to_owned(),
                length: 3,
                error: ["cut off", "not DER"][error].to_owned(),
            },
        }),
    ]
}

fn observation() -> impl Strategy<Value = Observation> {
    let missed = (place(), 0..50i64, 0..2usize).prop_map(|(place, time, detail)| {
        Observation::Missed(Gap {
            place,
            collector: "tls".to_owned(),
            reason: GapReason::TimedOut,
            detail: ["no answer", "answered too slowly"][detail].to_owned(),
            first_seen: Time(time),
            last_seen: Time(time),
        })
    });
    let covered = (0..50i64, 0..9u64).prop_map(|(time, read)| Observation::Covered {
        collector: "tls".to_owned(),
        scope: "192.0.2.0/28".to_owned(),
        coverage: Coverage { finished: Time(time), asked: 9, read, not_read: 9 - read, octets: 0 },
    });
    prop_oneof![
        8 => (raw(), sighting()).prop_map(|(raw, sighting)| Observation::found(raw, sighting)),
        1 => missed,
        1 => covered,
    ]
}

fn inventory() -> impl Strategy<Value = Inventory> {
    proptest::collection::vec(observation(), 0..12).prop_map(|observations| {
        let mut inventory = Inventory::default();
        for observation in observations {
            inventory.absorb(observation);
        }
        inventory
    })
}

fn merged(mut one: Inventory, other: &Inventory) -> Inventory {
    one.merge(other.clone());
    one
}

proptest! {
    #[test]
    fn merging_is_commutative(one in inventory(), other in inventory()) {
        prop_assert_eq!(merged(one.clone(), &other), merged(other, &one));
    }

    #[test]
    fn merging_is_idempotent(one in inventory(), other in inventory()) {
        let both = merged(one.clone(), &other);
        prop_assert_eq!(merged(both.clone(), &one), both.clone());
        prop_assert_eq!(merged(both.clone(), &both), both);
    }

    #[test]
    fn merging_is_associative(a in inventory(), b in inventory(), c in inventory()) {
        let left = merged(merged(a.clone(), &b), &c);
        let right = merged(a, &merged(b, &c));
        prop_assert_eq!(left, right);
    }

    #[test]
    fn octets_of_any_kind_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut inventory = Inventory::default();
        for raw in [
            Raw::Certificate(octets.clone()),
            Raw::RevocationList(octets.clone()),
            Raw::SigningRequest(octets),
        ] {
            let seen = Sighting::at(Place::file("/x"), "filesystem", Time(0));
            prop_assert!(inventory.absorb(Observation::found(raw, seen)).is_some());
        }
    }

    #[test]
    fn places_are_read_back_as_they_were_printed(place in place(), path in "[^\u{0}]{1,20}") {
        prop_assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        let file = Place::file(format!("/{path}"));
        prop_assert_eq!(file.to_string().parse::<Place>().unwrap(), file.clone());
        prop_assert_eq!(file.file_path().unwrap(), std::path::PathBuf::from(format!("/{path}")));
    }
}
