//! Whatever a server does, or does not do, asking it ends within the deadline.

#![allow(clippy::unwrap_used)]

#[path = "support/servers.rs"]
mod servers;
mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use pki_inventory::GapReason;
use rustls::ServerConnection;
use rustls::version::{TLS12, TLS13};
use servers::{Client, ask_one, rustls_server, serve, server_config, session};

/// Asks on a thread of its own: a collector that never gives way cannot be ended otherwise.
fn ask_within(limit: Duration, address: SocketAddr) -> support::Seen {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(ask_one(address)));
    receiver.recv_timeout(limit).expect("asking should have ended")
}

/// Reads from the client and answers in memory, until there is something to say.
fn first_flight(tls: &mut ServerConnection, stream: &mut TcpStream) -> Vec<u8> {
    while !tls.wants_write() {
        tls.read_tls(stream).unwrap();
        tls.process_new_packets().unwrap();
    }
    let mut flight = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut flight).unwrap();
    }
    flight
}

#[test]
fn a_server_that_says_goodbye_in_one_breath_with_its_hello_is_complete() {
    let config = server_config(&[&TLS13], Client::Ignored, |_| {});
    let address = serve(move |mut stream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut burst = first_flight(&mut tls, &mut stream);
        tls.send_close_notify();
        while tls.wants_write() {
            tls.write_tls(&mut burst).unwrap();
        }
        burst.extend_from_slice(&[0; 10 * 1024]);
        let _ = stream.write_all(&burst);
        std::thread::sleep(Duration::from_secs(5));
    });
    let seen = ask_within(Duration::from_secs(20), address);
    let session = session(&seen);
    assert_eq!((session.version.as_deref(), session.chain.len()), (Some("TLSv1.3"), 2));
    assert_eq!(session.ended, None);
}

#[test]
fn a_server_that_talks_on_after_its_goodbye_is_not_listened_to() {
    for version in [&TLS13, &TLS12] {
        let config = server_config(&[version], Client::Wanted, |_| {});
        let address = serve(move |mut stream| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            while tls.is_handshaking() {
                if tls.complete_io(&mut stream).is_err() {
                    return;
                }
            }
            tls.send_close_notify();
            let _ = tls.complete_io(&mut stream);
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(50));
                if stream.write_all(&[0; 100]).is_err() {
                    return;
                }
            }
        });
        let session = session(&ask_within(Duration::from_secs(20), address));
        assert_eq!((session.chain.len(), session.ended), (2, None));
    }
}

#[test]
fn a_server_that_trips_over_the_large_hello_is_asked_again_with_tls_1_2() {
    let inner = rustls_server(&[&TLS12], false, |_| {});
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let address = serve(move |mut stream| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            let _ = stream.read(&mut [0; 4096]);
            return;
        }
        let mut server = TcpStream::connect(inner).unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut server, &mut stream);
    });
    let session = session(&ask_one(address));
    assert_eq!(session.version.as_deref(), Some("TLSv1.2"));
    assert!(!session.offered_groups.iter().any(|group| group.contains("MLKEM")));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_large_hello_that_is_dropped_on_the_way_is_followed_by_a_small_one() {
    let inner = rustls_server(&[&TLS13, &TLS12], false, |_| {});
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let address = serve(move |mut stream| {
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).unwrap();
        count.fetch_add(1, Ordering::SeqCst);
        if length > 1200 {
            std::thread::sleep(Duration::from_secs(9));
            return;
        }
        let mut server = TcpStream::connect(inner).unwrap();
        server.write_all(&hello[..length]).unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut server, &mut stream);
    });
    let start = Instant::now();
    let session = session(&ask_one(address));
    assert_eq!(session.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(session.chain.len(), 2);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_server_that_never_says_a_word_has_one_deadline_for_both_hellos() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let address = serve(move |_stream| {
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_secs(9));
    });
    let start = Instant::now();
    let seen = ask_one(address);
    let took = start.elapsed();
    assert!((1900..2800).contains(&took.as_millis()), "{took:?}");
    assert_eq!(seen.reasons(), [GapReason::TimedOut]);
    let detail = &seen.gaps(GapReason::TimedOut)[0].detail;
    assert_eq!(detail, "connected, but no answer to our hello within 2 s");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_server_that_begins_slowly_keeps_the_whole_deadline() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let inner = rustls_server(&[&TLS13], false, |_| {});
    let address = serve(move |mut stream| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut server = TcpStream::connect(inner).unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        // The first octet comes in the first half of the time, the rest in the second.
        let mut octets = [0; 16 * 1024];
        let length = server.read(&mut octets).unwrap();
        stream.write_all(&octets[..1]).unwrap();
        std::thread::sleep(Duration::from_millis(1300));
        stream.write_all(&octets[1..length]).unwrap();
        let _ = std::io::copy(&mut server, &mut stream);
    });
    let session = session(&ask_one(address));
    assert_eq!(session.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_connection_that_does_not_come_about_says_how_long_was_waited() {
    // Nobody takes connections off its queue; when that is full, the kernel drops what comes.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        held.push(stream);
        assert!(held.len() < 20_000, "this kernel's queue has no end");
    }
    let seen = ask_one(address);
    assert_eq!(seen.reasons(), [GapReason::TimedOut], "{:?}", seen.observations);
    let detail = &seen.gaps(GapReason::TimedOut)[0].detail;
    assert_eq!(detail, "no connection within 1 s; a firewall may drop it");
}

#[test]
fn nothing_is_opened_outside_of_the_windows() {
    let (address, opened) = servers::relay(rustls_server(&[&TLS13], false, |_| {}));
    let scope = pki_config::TlsScope {
        targets: vec![address.to_string().parse().unwrap()],
        windows: pki_config::Windows::parse(&["00:00-00:01"], None).unwrap(),
        ..pki_config::TlsScope::default()
    };
    // A minute before noon, and then, while the run waits, a second after midnight.
    let wall = Arc::new(std::sync::atomic::AtomicI64::new(11 * 3600 + 59 * 60));
    let mut cx = support::context(scope, pki_config::FilesystemScope::default());
    let shown = Arc::clone(&wall);
    cx.wall_clock = Arc::new(move || pki_inventory::Time(shown.load(Ordering::SeqCst)));
    let before = Arc::new(AtomicUsize::new(9));
    let (seen, count) = (Arc::clone(&before), Arc::clone(&opened));
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        seen.store(count.load(Ordering::SeqCst), Ordering::SeqCst);
        wall.store(24 * 3600 + 1, Ordering::SeqCst);
    });
    let seen = support::collect("tls", &cx);
    assert_eq!(before.load(Ordering::SeqCst), 0, "connections before the window");
    assert_eq!((opened.load(Ordering::SeqCst), seen.coverage().read), (1, 1));
}

#[test]
fn a_host_is_not_asked_on_more_ports_at_a_time_than_allowed() {
    let state = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let ports: Vec<String> = (0..12)
        .map(|_| {
            let shared = Arc::clone(&state);
            let address = serve(move |mut stream| {
                let now = shared.0.fetch_add(1, Ordering::SeqCst) + 1;
                shared.1.fetch_max(now, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]);
                std::thread::sleep(Duration::from_millis(40));
                shared.0.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(b"no TLS here");
            });
            address.port().to_string()
        })
        .collect();
    let target = format!("127.0.0.1:{}", ports.join(","));
    for (per_host, per_network, most) in [(2, 100, 2), (100, 3, 3)] {
        state.1.store(0, Ordering::SeqCst);
        let seen = servers::ask(&[&target], |scope| {
            scope.per_host = per_host;
            scope.per_network = per_network;
        });
        assert_eq!(seen.of(pki_inventory::Kind::Endpoint).len(), 12);
        assert_eq!(state.1.load(Ordering::SeqCst), most);
    }
}

#[test]
fn who_breaks_off_is_asked_again_as_often_as_wanted_and_ever_later() {
    let inner = rustls_server(&[&TLS13], false, |_| {});
    for (retries, reached) in [(1, false), (3, true)] {
        let opened = Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = Arc::clone(&opened);
        // The first hello, two smaller ones, and the first again: five are turned away.
        let address = serve(move |stream| {
            let count = {
                let mut opened = noted.lock().unwrap();
                opened.push(Instant::now());
                opened.len()
            };
            if count > 5 {
                servers::join(stream, inner);
            }
        });
        let seen = servers::ask(&[&address.to_string()], |scope| {
            scope.retries = retries;
            scope.deadline_secs = Some(20);
        });
        let shown = seen.of(pki_inventory::Kind::Endpoint).iter().any(|asset| {
            let session = asset.endpoint().unwrap().session();
            session.is_some_and(|session| session.version.as_deref() == Some("TLSv1.3"))
        });
        assert_eq!(shown, reached, "{retries}");
        let opened = opened.lock().unwrap();
        let waits: Vec<u128> =
            opened.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
        assert!(waits[0] >= 250 && waits[2] >= 500, "{waits:?}");
    }
}
