//! The TLS collector against servers of every temper, all on this host.

#![allow(clippy::unwrap_used)]

#[path = "support/servers.rs"]
mod servers;
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{ClientCertificate, GapReason, Handshake, Kind};
use rustls::version::{TLS12, TLS13};
use servers::{answer, ask, ask_one, handshake, openssl_server, rustls_server, serve, session};
use support::{Tree, collect, context, places};

#[test]
fn a_modern_server_shows_its_chain_and_what_was_agreed() {
    let address = rustls_server(&[&TLS13, &TLS12], false, |config| {
        config.alpn_protocols = vec![b"h2".to_vec()]
    });
    let seen = ask_one(address);
    let session = session(&seen);
    assert_eq!(session.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(session.cipher_suite.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
    assert_eq!(session.group.as_deref(), Some("X25519MLKEM768"));
    assert_eq!(session.offered_groups[0], "X25519MLKEM768");
    assert!(session.offered_groups.iter().any(|group| group == "MLKEM1024"));
    assert_eq!(session.alpn.as_deref(), Some("h2"));
    assert_eq!(session.staple.unwrap().length, "a stapled status".len());
    assert_eq!(session.ended, None);
    let place = format!("tls://{address}");
    assert_eq!(session.chain.len(), 2);
    for (digest, position) in session.chain.iter().zip(0..) {
        let all = seen.of(Kind::Certificate);
        let certificate = all.iter().find(|asset| asset.id.sha256 == *digest).unwrap();
        let sighting = certificate.sightings().next().unwrap();
        assert_eq!(
            (sighting.circumstances.chain_position, sighting.place.to_string()),
            (Some(position), place.clone())
        );
    }
    let coverage = seen.coverage();
    assert_eq!((coverage.asked, coverage.read), (1, 1));
    assert!(coverage.octets > 1000);
}

#[test]
fn a_server_of_tls_1_2_is_read_as_such() {
    let session = session(&ask_one(rustls_server(&[&TLS12], false, |_| {})));
    assert_eq!(session.version.as_deref(), Some("TLSv1.2"));
    assert_eq!(session.cipher_suite.as_deref(), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    assert_eq!(session.group.as_deref(), Some("x25519"));
}

#[test]
fn a_server_that_wants_a_client_certificate_still_shows_its_own() {
    for versions in [&[&TLS13][..], &[&TLS12]] {
        let seen = ask_one(rustls_server(versions, true, |_| {}));
        let session = session(&seen);
        assert_eq!(session.chain.len(), 2);
        assert_eq!(session.client_certificate, ClientCertificate::Asked);
        assert_eq!(session.ended, None);
        assert_eq!(seen.of(Kind::Certificate).len(), 2);
    }
}

#[test]
fn a_name_is_asked_with_server_name_and_an_address_without() {
    let address = rustls_server(&[&TLS13], false, |_| {});
    let seen = ask(&[&format!("localhost:{}", address.port())], |_| {});
    let expected = format!("tls://127.0.0.1:{}?sni=localhost", address.port());
    assert!(places(seen.of(Kind::Endpoint)[0]).contains(&expected), "{:?}", seen.observations);

    let seen = ask(&["does-not-exist.invalid:443,8443"], |_| {});
    assert_eq!(seen.gaps(GapReason::NameNotResolved).len(), 2);
    assert_eq!(seen.coverage().not_read, 2);
}

#[test]
fn certificates_are_kept_whatever_is_wrong_with_them() {
    for (make, options, version) in [
        ("an expired one, which OpenSSL 3.0 does not make", "", "TLSv1.3"),
        (
            "req -x509 -newkey rsa:2048 -nodes -sha1 -keyout key -out cert -subj /CN=sha1 -days 9",
            "-cipher DEFAULT@SECLEVEL=0",
            "TLSv1.3",
        ),
        (
            "req -x509 -newkey rsa:1024 -nodes -keyout key -out cert -subj /CN=short -days 9",
            "-cipher DEFAULT@SECLEVEL=0",
            "TLSv1.3",
        ),
        (
            "req -x509 -newkey rsa:1024 -nodes -sha1 -keyout key -out cert -subj /CN=both -days 9",
            "-cipher DEFAULT@SECLEVEL=0 -tls1_2",
            "TLSv1.2",
        ),
        (
            "req -x509 -newkey ed25519 -nodes -keyout key -out cert -subj /CN=ed -days 9",
            "",
            "TLSv1.3",
        ),
    ] {
        let tree = Tree::new();
        if make.starts_with("an expired one") {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut past = rcgen::CertificateParams::new(vec!["past.example".into()]).unwrap();
            past.not_before = rcgen::date_time_ymd(2020, 1, 1);
            past.not_after = rcgen::date_time_ymd(2020, 2, 1);
            tree.write("cert", past.self_signed(&key).unwrap().pem());
            tree.write("key", key.serialize_pem());
        } else {
            tree.openssl(make);
        }
        let server = openssl_server(&tree, options);
        let seen = ask_one(server.address);
        let session = session(&seen);
        assert_eq!((session.version.as_deref(), session.chain.len()), (Some(version), 1), "{make}");
        let shown = seen.of(Kind::Certificate);
        assert_eq!((shown.len(), shown[0].id.sha256), (1, session.chain[0]));
    }
}

#[test]
fn servers_that_decline_in_tls_are_endpoints_with_their_alert() {
    for (octets, alert, oldest, versions) in [
        (&b"\x15\x03\x03\x00\x02\x02\x28"[..], "handshake_failure", "SSLv2", 6),
        (b"\x15\x03\x01\x00\x02\x02\x46", "protocol_version", "SSLv2", 6),
        // Another version would not know the name any better.
        (b"\x15\x03\x03\x00\x02\x02\x70", "unrecognized_name", "TLSv1.0", 4),
    ] {
        match handshake(&ask_one(answer(octets))) {
            Handshake::Declined { alert: said, offered } => {
                assert_eq!((said.as_str(), offered.len()), (alert, versions));
                assert_eq!(offered.last().map(String::as_str), Some(oldest));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn services_without_tls_are_endpoints_with_what_they_said() {
    for (address, said) in [
        (
            answer(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"),
            "it said \"HTTP/1.1 400 Bad Request",
        ),
        (
            serve(|mut stream| {
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
                let _ = stream.read(&mut [0; 4096]);
            }),
            "it said \"SSH-2.0-OpenSSH_9.2p1 Debian\"",
        ),
        (
            serve(|mut stream| {
                let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n");
                std::thread::sleep(Duration::from_secs(5));
            }),
            "it said \"220 mail.example.org ESMTP\"",
        ),
        (answer(&[0xff; 300]), "it sent octets that are no TLS record: ff ff"),
    ] {
        let seen = ask_one(address);
        match handshake(&seen) {
            Handshake::NoTls { reason } => assert!(reason.starts_with(said), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert_eq!((seen.reasons(), seen.coverage().read), (vec![], 1));
    }
}

#[test]
fn servers_that_give_no_answer_are_gaps_within_the_deadline() {
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, reason, detail) in [
        (refused, GapReason::Refused, "nothing listens there"),
        (
            serve(|_stream| std::thread::sleep(Duration::from_secs(9))),
            GapReason::TimedOut,
            "connected, but no answer to our hello within 2 s",
        ),
        (
            serve(|mut stream| {
                for octet in b"\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03" {
                    let _ = stream.write_all(&[*octet]);
                    std::thread::sleep(Duration::from_secs(1));
                }
            }),
            GapReason::TimedOut,
            "the handshake began, but was not complete within 2 s",
        ),
        (answer(b""), GapReason::HandshakeFailed, "closed the connection right after our hello"),
        (serve(drop), GapReason::HandshakeFailed, "right after our hello"),
        (
            answer(b"\x16\x03\x03\x00\x04\xde\xad\xbe\xef"),
            GapReason::HandshakeFailed,
            "breaks the protocol",
        ),
        (
            answer(b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02aaaaaaaabbbbbbbbccccccccdddddddd\x00\x00\x2f\x00"),
            GapReason::HandshakeFailed,
            "in the middle of the handshake, after it had chosen TLSv1.1",
        ),
        (answer(b"\x16\x03\x03"), GapReason::HandshakeFailed, "in the middle of the handshake"),
    ] {
        let start = Instant::now();
        let seen = ask_one(address);
        assert!(start.elapsed() < Duration::from_secs(4), "{detail}: {:?}", start.elapsed());
        assert_eq!((seen.kinds(), seen.reasons()), (vec![], vec![reason]), "{detail}");
        let gap = seen.gaps(reason)[0];
        assert!(gap.detail.contains(detail), "{}", gap.detail);
        assert_eq!(gap.place.to_string(), format!("tls://{address}"));
        assert_eq!((seen.coverage().asked, seen.coverage().not_read), (1, 1));
    }
}

#[test]
fn a_server_that_never_stops_sending_is_cut_off() {
    let address = serve(|mut stream| {
        // Records of empty handshake fragments or warnings would do; this is the larger load.
        let mut record = b"\x16\x03\x03\x40\x00".to_vec();
        record.extend_from_slice(b"\x02\x00\xff\xff");
        record.resize(5 + 0x4000, 0);
        for _ in 0..128 {
            if stream.write_all(&record).is_err() {
                break;
            }
        }
    });
    let seen = ask_one(address);
    assert_eq!(seen.reasons(), [GapReason::HandshakeFailed], "{:?}", seen.observations);
    assert!(seen.coverage().octets < 3 * 1024 * 1024);
}

#[test]
fn exclusions_win_over_every_target() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let address = serve(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let port = address.port();
    let targets =
        [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("127.0.0.0/30:{port}")];
    for exclude in [&["127.0.0.1", "localhost", "127.0.0.2"][..], &["127.0.0.0/8:9", "localhost:1"]]
    {
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let seen = ask(&targets, |scope| {
            scope.exclude = exclude.iter().map(|text| text.parse().unwrap()).collect()
        });
        assert_eq!((seen.kinds(), seen.reasons()), (vec![], vec![]));
        assert_eq!(seen.inventory.coverage().count(), 3);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[test]
fn a_refused_port_of_a_network_was_looked_at_and_one_of_a_host_was_not() {
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seen = ask(&[&format!("127.0.0.0/29:{refused}")], |_| {});
    assert_eq!(seen.gaps(GapReason::Refused).len(), 6);
    assert_eq!((seen.coverage().asked, seen.coverage().read), (6, 6));
    let seen = ask(&[&format!("127.0.0.1:{refused}")], |_| {});
    assert_eq!((seen.coverage().asked, seen.coverage().not_read), (1, 1));
}

#[test]
fn connections_are_paced_and_never_more_than_allowed_at_once() {
    let state = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let shared = Arc::clone(&state);
    let address = serve(move |mut stream| {
        let now = shared.0.fetch_add(1, Ordering::SeqCst) + 1;
        shared.1.fetch_max(now, Ordering::SeqCst);
        let _ = stream.read(&mut [0; 4096]);
        std::thread::sleep(Duration::from_millis(60));
        shared.0.fetch_sub(1, Ordering::SeqCst);
        let _ = stream.write_all(b"no TLS here");
    });
    let start = Instant::now();
    let names: Vec<String> = (1..12).map(|number| format!("n{number}.test")).collect();
    let target = format!("{address}?sni={}", names.join(","));
    ask(&[&target], |scope| {
        scope.concurrency = 3;
        scope.per_host = 100;
    });
    assert!(state.1.load(Ordering::SeqCst) <= 3);
    assert!(start.elapsed() >= Duration::from_millis(4 * 60));

    let start = Instant::now();
    ask(&[&target], |scope| scope.connections_per_sec = 20);
    assert!(start.elapsed() >= Duration::from_millis(10 * 50), "{:?}", start.elapsed());
}

#[test]
fn a_huge_network_costs_nothing_before_it_is_asked_and_ends_when_cancelled() {
    let scope = TlsScope {
        targets: vec!["127.0.0.0/8:1".parse().unwrap(), "127.0.0.1:1".parse().unwrap()],
        connections_per_sec: 500,
        ..TlsScope::default()
    };
    let cx = context(scope, FilesystemScope::default());
    let cancelled = Arc::clone(&cx.cancelled);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        cancelled.store(true, Ordering::Relaxed);
    });
    let start = Instant::now();
    let seen = collect("tls", &cx);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let ended: Vec<String> =
        seen.gaps(GapReason::RunEnded).iter().map(|gap| gap.place.to_string()).collect();
    assert!(ended.last().is_some_and(|last| last == "scope:127.0.0.0/8:1"), "{ended:?}");
    assert!(ended.len() <= 64 + 1 + 2, "those that waited for their turn or for room");
    assert!((50..500).contains(&seen.gaps(GapReason::Refused).len()));
    assert_eq!(cx.progress.asked.load(Ordering::Relaxed), cx.progress.done.load(Ordering::Relaxed));
}
