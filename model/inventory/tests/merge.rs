//! Inventories can be laid together in any order, any number of times.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use std::sync::LazyLock;

use pki_inventory::{
    Automation, AutomationRole, Circumstances, ClientCertificate, Configuration, Coverage,
    Deployment, Digest, Endpoint, Fact, Gap, GapReason, Handshake, Inventory, Key, KeyAlgorithm,
    Keystore, Lock, Observation, Place, Posture, Raw, Session, Sighting, Staple, Suites, Time,
    Unparsed, VersionFacts,
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
        (0..3u16, 0..2usize, 0..3usize).prop_map(|(port, name, outer)| {
            let name = [None, Some("mx.example.org")][name];
            let outer = [None, Some("smtp"), Some("xmpp-server")][outer];
            Place::tls(([192, 0, 2, 1], 440 + port).into(), name).inside(outer)
        }),
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

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![Just(Fact::Yes), Just(Fact::No), Just(Fact::NotObserved("reset".to_owned()))]
}

fn staple() -> impl Strategy<Value = Staple> {
    // `OCSPResponse` with nothing but a status: tryLater, unauthorized, one that is cut off.
    (0..3usize).prop_map(|n| Staple::of([&[0x30, 3, 10, 1, 3][..], &[0x30, 3, 10, 1, 6], &[48]][n]))
}

fn session() -> impl Strategy<Value = Session> {
    let wanted = prop_oneof![Just(ClientCertificate::Asked), Just(ClientCertificate::NotObserved)];
    let chain =
        proptest::collection::vec((0..2usize).prop_map(|n| Digest::of(&ENCODINGS[n])), 0..3);
    (0..3usize, proptest::option::of(staple()), wanted, chain, proptest::option::of(0..2usize))
        .prop_map(|(version, staple, client_certificate, chain, ended)| Session {
            version: [None, Some("TLSv1.2"), Some("TLSv1.3")][version].map(str::to_owned),
            cipher_suite: None,
            group: None,
            offered_groups: Vec::new(),
            alpn: None,
            staple,
            sct_logs: Vec::new(),
            client_certificate,
            accepted_authorities: Vec::new(),
            chain,
            ended: ended.map(|n| ["reset", "closed"][n].to_owned()),
        })
}

fn posture() -> impl Strategy<Value = Posture> {
    let suites = proptest::option::of((fact(), fact()).prop_map(|(complete, server_order)| {
        Suites { accepted: vec!["TLS_AES_128_GCM_SHA256".to_owned()], complete, server_order }
    }));
    let version =
        (fact(), proptest::option::of(Just("TLS_AES_128_GCM_SHA256".to_owned())), suites).prop_map(
            |(offered, preferred_suite, suites)| VersionFacts { offered, preferred_suite, suites },
        );
    let versions = proptest::collection::btree_map(Just("TLSv1.3".to_owned()), version, 0..2);
    let groups = proptest::collection::btree_map(Just("X25519MLKEM768".to_owned()), fact(), 0..2);
    let deployments = fact().prop_map(|offered| {
        let chain = vec![Digest::of(&ENCODINGS[0])];
        [("RSA".to_owned(), Deployment { offered, chain })].into()
    });
    (versions, groups, deployments, fact(), fact()).prop_map(
        |(versions, groups, deployments, one, other)| Posture {
            versions,
            groups,
            alpn: [("h2".to_owned(), one.clone())].into(),
            deployments,
            resumption_id: one.clone(),
            resumption_ticket: other.clone(),
            early_data: Fact::No,
            secure_renegotiation: other,
            extended_master_secret: one,
            compression: Fact::No,
            fallback_scsv: Fact::Yes,
            client_refusal: None,
        },
    )
}

/// Few instants, so that two answers of the same one meet.
fn endpoint() -> impl Strategy<Value = Endpoint> {
    let handshake = prop_oneof![
        Just(Handshake::NoTls { reason: "SSH-2.0".to_owned() }),
        Just(Handshake::Declined { alert: "protocol_version".to_owned(), offered: Vec::new() }),
        session().prop_map(Handshake::Shown),
    ];
    let posture = proptest::option::of(posture().prop_map(Box::new));
    (0..3i64, handshake, 1..4u32, posture).prop_map(
        |(observed, handshake, connections, posture)| Endpoint {
            connections,
            posture,
            ..Endpoint::new(Time(observed), handshake)
        },
    )
}

fn raw() -> impl Strategy<Value = Raw> {
    prop_oneof![
        (0..3usize).prop_map(|n| Raw::Certificate(ENCODINGS[n].clone())),
        (0..3u8).prop_map(|n| {
            let id = Digest::of(&[n]);
            let algorithm = Some(KeyAlgorithm::rsa(1024 * (u32::from(n) + 1)));
            Raw::Key { id, key: Key { spki: Some(id), algorithm } }
        }),
        endpoint().prop_map(Raw::Endpoint),
        proptest::option::of(any::<bool>()).prop_map(|active| {
            let body = Automation::of("certbot", AutomationRole::Schedule);
            Raw::Automation(Box::new(Automation { active, ..body }))
        }),
        (0..3u32).prop_map(|line| {
            Raw::Configuration(Box::new(Configuration::of("nginx", None, line)))
        }),
        (0..2u8, 0..3usize).prop_map(|(n, lock)| {
            let closed = Lock::Closed("no password".to_owned());
            let lock = [closed, Lock::Configured, Lock::None][lock].clone();
            let format = "JKS".to_owned();
            let (integrity, protection, count, entries) = (None, Vec::new(), None, Vec::new());
            let keystore = Keystore { format, lock, integrity, protection, count, entries };
            Raw::Keystore { id: Digest::of(&[n]), keystore }
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
        coverage: Coverage {
            finished: Time(time),
            asked: 9,
            read,
            not_read: 9 - read,
            octets: 0,
            unchanged: 0,
        },
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
    fn of_two_answers_of_one_instant_the_same_is_kept_whichever_came_first(
        at in place(),
        one in endpoint(),
        other in endpoint(),
    ) {
        let kept = |answers: [&Endpoint; 2]| {
            let mut inventory = Inventory::default();
            for answer in answers {
                let seen = Sighting::at(at.clone(), "tls", answer.observed);
                inventory.absorb(Observation::found(Raw::Endpoint(answer.clone()), seen));
            }
            let endpoint = inventory.assets().next().and_then(|asset| asset.endpoint()).cloned();
            endpoint.unwrap()
        };
        let one_first = kept([&one, &other]);
        prop_assert_eq!(&one_first, &kept([&other, &one]));
        prop_assert!(one_first == one || one_first == other, "never a mixture");
        prop_assert_eq!(one_first.observed, one.observed.max(other.observed));
    }

    #[test]
    fn an_endpoint_is_read_back_as_it_was_written_but_for_its_instant(endpoint in endpoint()) {
        let written = serde_json::to_string(&endpoint).unwrap();
        let read: Endpoint = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(Endpoint { observed: endpoint.observed, ..read }, endpoint);
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
