//! What many connections to one server show, and what a server of another age does.

#![allow(clippy::unwrap_used)]

#[path = "support/servers.rs"]
mod servers;
mod support;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pki_config::Depth;
use pki_inventory::{ClientCertificate, Endpoint, Fact, GapReason, Handshake, Kind};
use rustls::version::{TLS12, TLS13};
use servers::{
    Client, ask, ask_one, identity, openssl_server, relay, rustls_server, serve, session,
};
use support::{Seen, Tree};

fn ask_deeply(address: SocketAddr, depth: Depth) -> Seen {
    ask(&[&address.to_string()], |scope| {
        scope.depth = depth;
        scope.deadline_secs = Some(30);
    })
}

fn endpoint(seen: &Seen) -> Endpoint {
    let all = seen.of(Kind::Endpoint);
    assert_eq!(all.len(), 1, "{:?}", seen.observations);
    all[0].endpoint().unwrap().clone()
}

fn yes<'a>(facts: impl IntoIterator<Item = (&'a String, &'a Fact)>) -> Vec<&'a str> {
    facts
        .into_iter()
        .filter(|(_, fact)| **fact == Fact::Yes)
        .map(|(name, _)| name.as_str())
        .collect()
}

#[test]
fn a_server_with_two_certificates_shows_both_in_at_most_forty_connections() {
    let tree = Tree::new();
    tree.openssl("req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=rsa -days 9");
    tree.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout eckey -out eccert -subj /CN=ec -days 9",
    );
    let server = openssl_server(
        &tree,
        "-dkey eckey -dcert eccert -alpn h2 -groups X25519:P-256:P-521 -verify 1 -CAfile cert",
    );
    let (address, opened) = relay(server.address);
    let seen = ask_deeply(address, Depth::Posture);
    let endpoint = endpoint(&seen);
    assert_eq!(endpoint.connections as usize, opened.load(Ordering::SeqCst));
    assert!(endpoint.connections <= 40, "{}", endpoint.connections);
    let session = endpoint.session().unwrap();
    assert_eq!(session.client_certificate, ClientCertificate::Optional);
    assert_eq!(session.accepted_authorities, ["CN=rsa"]);
    let posture = endpoint.posture.as_deref().unwrap();
    let offered: Vec<(&str, &Fact)> =
        posture.versions.iter().map(|(name, facts)| (name.as_str(), &facts.offered)).collect();
    assert_eq!(
        offered,
        [
            ("SSLv2", &Fact::No),
            ("SSLv3", &Fact::No),
            ("TLSv1.0", &Fact::No),
            ("TLSv1.1", &Fact::No),
            ("TLSv1.2", &Fact::Yes),
            ("TLSv1.3", &Fact::Yes),
        ]
    );
    assert_eq!(yes(&posture.groups), ["secp256r1", "secp521r1", "x25519"]);
    assert_eq!(posture.groups["X25519MLKEM768"], Fact::No);
    assert_eq!(yes(&posture.alpn), ["h2"]);
    let deployments: Vec<(&str, &Fact)> =
        posture.deployments.iter().map(|(name, found)| (name.as_str(), &found.offered)).collect();
    assert_eq!(
        deployments,
        [("ECDSA", &Fact::Yes), ("EdDSA", &Fact::No), ("ML-DSA", &Fact::No), ("RSA", &Fact::Yes)]
    );
    assert_eq!(seen.of(Kind::Certificate).len(), 2);
    for (fact, expected) in [
        (&posture.resumption_id, Fact::Yes),
        (&posture.resumption_ticket, Fact::Yes),
        (&posture.early_data, Fact::No),
        (&posture.secure_renegotiation, Fact::Yes),
        (&posture.extended_master_secret, Fact::Yes),
        (&posture.compression, Fact::No),
        (&posture.fallback_scsv, Fact::Yes),
    ] {
        assert_eq!(*fact, expected, "{posture:?}");
    }
}

#[test]
fn every_suite_is_found_and_whose_order_counts() {
    let tree = Tree::new();
    tree.openssl("req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=rsa -days 9");
    let list = "AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-SHA256";
    let [static_rsa, ephemeral, finite] = [
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    ];
    // Without an order of its own the server follows ours, which is that of the numbers.
    for (preference, order, expected) in [
        ("-serverpref", Fact::Yes, [static_rsa, ephemeral, finite]),
        ("", Fact::No, [static_rsa, finite, ephemeral]),
    ] {
        let server = openssl_server(&tree, &format!("-tls1_2 {preference} -cipher {list}"));
        let endpoint = endpoint(&ask_deeply(server.address, Depth::Suites));
        let posture = endpoint.posture.as_deref().unwrap();
        let found = &posture.versions["TLSv1.2"];
        let suites = found.suites.clone().unwrap();
        assert_eq!((&suites.server_order, &suites.complete), (&order, &Fact::Yes));
        assert_eq!(suites.accepted, expected);
        let preferred = if order == Fact::Yes { static_rsa } else { ephemeral };
        assert_eq!(found.preferred_suite.as_deref(), Some(preferred));
        assert_eq!(yes(&posture.groups), [""; 0], "no TLS 1.3, no groups of it");
    }
}

#[test]
fn a_server_that_tires_is_not_said_to_lack_what_it_was_not_asked() {
    let inner = rustls_server(&[&TLS13, &TLS12], false, |_| {});
    let count = Arc::new(AtomicUsize::new(0));
    let address = serve(move |stream| {
        if count.fetch_add(1, Ordering::SeqCst) < 3 {
            servers::join(stream, inner);
        }
    });
    let endpoint = endpoint(&ask(&[&address.to_string()], |scope| {
        scope.depth = Depth::Posture;
        scope.deadline_secs = Some(4);
    }));
    let posture = endpoint.posture.as_deref().unwrap();
    assert_eq!(posture.versions["TLSv1.3"].offered, Fact::Yes);
    assert_eq!(posture.versions["TLSv1.2"].offered, Fact::Yes);
    for version in ["TLSv1.0", "SSLv3", "SSLv2"] {
        let offered = &posture.versions[version].offered;
        assert!(matches!(offered, Fact::NotObserved(_)), "{version}: {offered}");
    }
    assert_eq!(posture.groups["X25519MLKEM768"], Fact::Yes, "it was agreed on");
    assert!(matches!(posture.groups["secp256r1"], Fact::NotObserved(_)));
    assert!(matches!(posture.resumption_ticket, Fact::NotObserved(_)));
}

#[test]
fn whoever_closes_on_old_versions_and_goes_on_with_new_ones_does_not_speak_the_old() {
    let inner = rustls_server(&[&TLS13, &TLS12], false, |_| {});
    let address = serve(move |stream| {
        let mut header = [0; 11];
        // The version of the hello: what is older is closed without a word.
        if matches!(stream.peek(&mut header), Ok(11)) && header[9..11] == [3, 3] {
            servers::join(stream, inner);
        }
    });
    let endpoint = endpoint(&ask_deeply(address, Depth::Posture));
    let posture = endpoint.posture.as_deref().unwrap();
    for version in ["TLSv1.1", "TLSv1.0", "SSLv3", "SSLv2"] {
        assert_eq!(posture.versions[version].offered, Fact::No, "{version}");
    }
    assert_eq!(posture.versions["TLSv1.2"].offered, Fact::Yes);
}

#[test]
fn a_required_client_certificate_is_told_from_one_that_is_asked_for() {
    for (client, expected) in [
        (Client::Needed, ClientCertificate::Required),
        (Client::Wanted, ClientCertificate::Optional),
    ] {
        for version in [&TLS13, &TLS12] {
            let config = servers::server_config(&[version], client, |_| {});
            let seen = ask_deeply(servers::rustls_with(config), Depth::Posture);
            let endpoint = endpoint(&seen);
            assert_eq!(endpoint.session().unwrap().client_certificate, expected, "{version:?}");
            let refusal = endpoint.posture.unwrap().client_refusal;
            let alert = (expected == ClientCertificate::Required).then_some("certificate_required");
            assert_eq!(refusal.as_deref(), alert, "{version:?}");
        }
    }
}

/// Answers a hello of SSL 2.0 and nothing else.
#[test]
fn a_server_of_ssl_2_is_reported_with_its_chain_and_all_its_ciphers() {
    let certificate = identity().chain[0].to_vec();
    let shown = certificate.clone();
    let address = serve(move |mut stream| {
        let mut hello = [0; 1024];
        let Ok(3..) = stream.read(&mut hello) else { return };
        if hello[0] & 0x80 == 0 || hello[2..5] != [1, 0, 2] {
            return;
        }
        let kinds = [1, 0, 0x80, 7, 0, 0xc0];
        let mut body = vec![4, 0, 1, 0, 2];
        for length in [certificate.len(), kinds.len(), 16] {
            body.extend((length as u16).to_be_bytes());
        }
        body.extend(&certificate);
        body.extend(kinds);
        body.extend([9; 16]);
        let _ = stream.write_all(&(0x8000 | body.len() as u16).to_be_bytes());
        let _ = stream.write_all(&body);
    });
    for depth in [Depth::Certificate, Depth::Posture] {
        let seen = ask_deeply(address, depth);
        let endpoint = endpoint(&seen);
        let session = endpoint.session().unwrap();
        assert_eq!(session.version.as_deref(), Some("SSLv2"));
        assert_eq!(session.cipher_suite.as_deref(), Some("SSL_CK_RC4_128_WITH_MD5"));
        assert_eq!(session.chain, [pki_inventory::Digest::of(&shown)]);
        assert_eq!(seen.of(Kind::Certificate).len(), 1);
        if let Some(posture) = &endpoint.posture {
            let suites = posture.versions["SSLv2"].suites.as_ref().unwrap();
            assert_eq!(
                suites.accepted,
                ["SSL_CK_RC4_128_WITH_MD5", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"]
            );
            assert_eq!(posture.versions["TLSv1.2"].offered, Fact::No);
        }
    }
}

/// The flight of an SSL 3.0 server, cut off after this many octets of it.
fn ssl3_flight(certificates: &[Vec<u8>]) -> Vec<u8> {
    let message = |kind: u8, body: &[u8]| {
        let length = (body.len() as u32).to_be_bytes();
        [&[kind][..], &length[1..], body].concat()
    };
    let list: Vec<u8> = certificates
        .iter()
        .flat_map(|der| [&(der.len() as u32).to_be_bytes()[1..], der].concat())
        .collect();
    let list = [&(list.len() as u32).to_be_bytes()[1..], &list].concat();
    let hello = [&[3, 0][..], &[7; 32], &[0], &[0, 5], &[0]].concat();
    let messages = [message(2, &hello), message(11, &list), message(14, &[])].concat();
    let records = messages.chunks(1000);
    records
        .flat_map(|part| [&[22, 3, 0][..], &(part.len() as u16).to_be_bytes(), part].concat())
        .collect()
}

#[test]
fn a_server_of_ssl_3_is_reported_with_its_chain() {
    let certificates: Vec<Vec<u8>> = identity().chain.iter().map(|der| der.to_vec()).collect();
    let flight = ssl3_flight(&certificates);
    let address = serve(move |mut stream| {
        let mut hello = [0; 4096];
        // Whoever offers more than SSL 3.0 is turned away.
        let answer = match stream.read(&mut hello) {
            Ok(11..) if hello[9..11] == [3, 0] => &flight[..],
            _ => b"\x15\x03\x00\x00\x02\x02\x28",
        };
        let _ = stream.write_all(answer);
        let _ = stream.read(&mut hello);
    });
    let session = session(&ask_one(address));
    assert_eq!(session.version.as_deref(), Some("SSLv3"));
    assert_eq!(session.cipher_suite.as_deref(), Some("TLS_RSA_WITH_RC4_128_SHA"));
    assert_eq!((session.chain.len(), session.ended), (2, None));
}

#[test]
fn certificates_that_came_before_the_connection_broke_are_kept() {
    let certificates: Vec<Vec<u8>> = identity().chain.iter().map(|der| der.to_vec()).collect();
    let second_begins = 5 + 42 + 10 + certificates[0].len();
    let mut flight = ssl3_flight(&certificates);
    flight.truncate(second_begins + 40);
    let address = serve(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&flight);
    });
    let session = session(&ask_one(address));
    assert_eq!(session.chain, [pki_inventory::Digest::of(&certificates[0])]);
    let ended = session.ended.unwrap();
    assert_eq!(ended, "the server closed the connection in the middle of the handshake");
}

#[test]
fn a_chain_without_end_is_cut_off_and_what_came_is_kept() {
    let der = identity().chain[0].to_vec();
    let address = serve(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        // A Certificate of sixteen MiB less one, in records of this one certificate.
        let mut flight = ssl3_flight(std::slice::from_ref(&der));
        let at = 5 + 42 + 1;
        flight[at..at + 3].copy_from_slice(&[0xff, 0xff, 0xff]);
        flight[at + 3..at + 6].copy_from_slice(&[0xff, 0xff, 0xfc]);
        flight.truncate(flight.len() - 4);
        let length = (flight.len() - 5) as u16;
        flight[3..5].copy_from_slice(&length.to_be_bytes());
        let entry = [&(der.len() as u32).to_be_bytes()[1..], &der].concat();
        let more = [&[22, 3, 0][..], &(entry.len() as u16).to_be_bytes(), &entry].concat();
        let mut sent = stream.write_all(&flight);
        while sent.is_ok() {
            sent = stream.write_all(&more);
        }
    });
    let seen = ask_one(address);
    let session = session(&seen);
    assert_eq!(session.chain.len(), 256);
    assert!(session.ended.unwrap().contains("more than 1 MiB"));
    assert!(seen.coverage().octets < 3 * 1024 * 1024);
}

#[test]
fn a_group_that_needs_a_second_round_or_an_older_version_is_no_obstacle() {
    let tree = Tree::new();
    tree.openssl("req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=rsa -days 9");
    for (options, version, group) in [
        ("-groups P-521", "TLSv1.3", "secp521r1"),
        ("-groups P-384", "TLSv1.3", "secp384r1"),
        ("-groups X448", "TLSv1.2", "x448"),
    ] {
        let server = openssl_server(&tree, options);
        let session = session(&ask_one(server.address));
        assert_eq!(
            (session.version.as_deref(), session.group.as_deref(), session.chain.len()),
            (Some(version), Some(group), 1),
            "{options}"
        );
    }
    let server = openssl_server(&tree, "-tls1_3 -groups X448");
    match servers::handshake(&ask_one(server.address)) {
        Handshake::Declined { alert, .. } => {
            assert_eq!(alert, "none, but it insists on the group x448");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_storm_of_requests_to_renegotiate_ends() {
    let address = serve(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let storm = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00".repeat(1000);
        while stream.write_all(&storm).is_ok() {}
    });
    let seen = ask_one(address);
    assert_eq!(seen.reasons(), [GapReason::HandshakeFailed]);
    assert!(seen.gaps(GapReason::HandshakeFailed)[0].detail.contains("more than 1 MiB"));
}

#[test]
fn what_is_done_already_is_not_asked_again() {
    let (address, opened) = relay(rustls_server(&[&TLS13], false, |_| {}));
    let scope = pki_config::TlsScope {
        targets: vec![address.to_string().parse().unwrap()],
        ..pki_config::TlsScope::default()
    };
    let mut cx = support::context(scope, pki_config::FilesystemScope::default());
    let place: pki_inventory::Place = format!("tls://{address}").parse().unwrap();
    cx.done = Arc::new(pki_collectors::Done::of([(place, None)]));
    let seen = support::collect("tls", &cx);
    assert_eq!((seen.coverage().asked, seen.coverage().read), (1, 1));
    assert_eq!((seen.kinds(), opened.load(Ordering::SeqCst)), (vec![], 0));
}
