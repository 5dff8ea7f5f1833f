//! Whatever a server does, asking it ends, what came before stays, and the rest is a gap.

#![allow(clippy::unwrap_used)]

mod directory_lab;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use directory_lab::{
    Pki, Request, asks_for_root, done, entry, fake, found, gaps, message, read, root, server,
    simple,
};
use pki_config::{Bind, Transport};
use pki_encodings::tlv::{OCTET_STRING, element};
use pki_inventory::GapReason;

const CONTEXT: &str = "dc=fake";

/// Two entries for each page, for as many pages.
fn page(request: &Request, pages: u8, certificate: &[u8]) -> Vec<u8> {
    let number = request.cookie().first().copied().unwrap_or_default();
    let one = |name: u8| {
        let dn = format!("cn={name},{CONTEXT}");
        entry(request.id, &dn, &[("userCertificate;binary", &[certificate])])
    };
    let cookie: &[u8] = if number + 1 == pages { &[] } else { &[number + 1] };
    [one(2 * number), one(2 * number + 1), done(request.id, 0, Some(cookie))].concat()
}

fn certificate() -> Vec<u8> {
    Pki::new("Fake").authority
}

#[test]
fn a_search_that_breaks_once_begins_anew_and_reports_nothing_twice() {
    let certificate = certificate();
    let (port, opened) = fake(move |request| {
        if asks_for_root(request) {
            return Some(root(request.id, CONTEXT));
        }
        if request.connection == 1 && request.cookie() == [2] {
            // One entry of the page is on its way already.
            let dn = format!("cn=4,{CONTEXT}");
            let one = entry(request.id, &dn, &[("userCertificate;binary", &[&certificate])]);
            let goodbye = message(0, &element(0x78, &[&[0x0a, 1, 52, 4, 0, 4, 0]]), &[]);
            return Some([one, goodbye].concat());
        }
        Some(page(request, 4, &certificate))
    });
    let seen = read(server(port, Transport::Plain), None);
    assert_eq!(gaps(&seen), []);
    let found = found(&seen);
    assert_eq!((found.len(), BTreeSet::from_iter(&found).len()), (8, 8), "{found:?}");
    assert_eq!((seen.coverage().read, opened.load(Ordering::SeqCst)), (8, 2));
}

#[test]
fn a_search_that_breaks_twice_is_a_gap_and_what_was_read_stays() {
    let certificate = certificate();
    let (port, opened) = fake(move |request| {
        if asks_for_root(request) {
            return Some(root(request.id, CONTEXT));
        }
        if request.cookie() == [2] {
            return None;
        }
        Some(page(request, 4, &certificate))
    });
    let seen = read(server(port, Transport::Plain), None);
    assert_eq!(found(&seen).len(), 4);
    let gaps = gaps(&seen);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].0, format!("ldap://127.0.0.1:{port}/{CONTEXT}"));
    assert_eq!(gaps[0].1, "read-failed");
    assert!(gaps[0].2.contains("closed the connection, twice"), "{}", gaps[0].2);
    assert_eq!(opened.load(Ordering::SeqCst), 2);
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    let (port, _) = fake(|_| Some(Vec::new()));
    let mut server = server(port, Transport::Plain);
    server.timeout_secs = 1;
    let begun = Instant::now();
    let seen = read(server, None);
    assert!(begun.elapsed() < Duration::from_secs(10));
    let gaps = seen.gaps(GapReason::TimedOut);
    assert!(gaps.len() == 1 && gaps[0].detail.contains("`timeout_secs`"), "{gaps:?}");
}

#[test]
fn a_server_that_answers_for_ever_ends_at_its_deadline() {
    let certificate = certificate();
    let (port, _) = fake(move |request| {
        if asks_for_root(request) {
            return Some(root(request.id, CONTEXT));
        }
        std::thread::sleep(Duration::from_millis(50));
        let dn = format!("cn={},{CONTEXT}", request.id);
        let one = entry(request.id, &dn, &[("userCertificate", &[&certificate])]);
        Some([one, done(request.id, 0, Some(b"more"))].concat())
    });
    let mut server = server(port, Transport::Plain);
    server.deadline_secs = 1;
    let begun = Instant::now();
    let seen = read(server, None);
    assert!(begun.elapsed() < Duration::from_secs(10));
    let gaps = seen.gaps(GapReason::LimitReached);
    assert!(gaps.len() == 1 && gaps[0].detail.contains("`deadline_secs`"), "{gaps:?}");
    assert!(!found(&seen).is_empty());
}

/// LDAP messages in each other, deep enough for any stack that is walked by recursion.
fn deep() -> Vec<u8> {
    let levels = 200_000u32;
    let header = |level: u32| {
        let inner = (levels - 1 - level) * 6;
        [&[0x30, 0x84][..], &inner.to_be_bytes()].concat()
    };
    (0..levels).flat_map(header).collect()
}

#[test]
fn garbage_is_a_gap_and_never_a_panic() {
    let done_with = |code: &'static [u8]| move |id| message(id, &element(0x65, &[code]), &[]);
    let answers: Vec<Box<dyn Fn(u32) -> Vec<u8> + Send + Sync>> = vec![
        Box::new(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Box::new(|id| message(id, &deep(), &[])),
        Box::new(|_| deep()),
        // 4 GiB are announced.
        Box::new(|_| vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0, 0]),
        Box::new(|id| message(id, &element(0x64, &[&[4, 1, 0xff]]), &[])),
        Box::new(done_with(&[])),
        Box::new(done_with(&[0x0a, 1, 0, 4, 1, 0xff, 4, 0])),
        // A bind is answered that nobody asked for.
        Box::new(|id| message(id, &element(0x61, &[&[0x0a, 1, 0, 4, 0, 4, 0]]), &[])),
        // Controls that are none.
        Box::new(|id| {
            [message(id, &element(0x65, &[&[0x0a, 1, 0, 4, 0, 4, 0]]), &[0xa0, 2, 5, 0])].concat()
        }),
        // The notice of disconnection.
        Box::new(|_| message(0, &element(0x78, &[&[0x0a, 1, 52, 4, 0, 4, 2], b"no"]), &[])),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let (port, _) = fake(move |request| Some(answer(request.id)));
        let seen = read(server(port, Transport::Plain), None);
        let gaps = gaps(&seen);
        assert_eq!(gaps.len(), 1, "{number}: {gaps:?}");
        assert_eq!(gaps[0].1, "read-failed", "{number}: {gaps:?}");
        let known = gaps[0].2.contains("LDAP")
            || gaps[0].2.contains("announced")
            || gaps[0].2.contains("something else")
            || gaps[0].2.contains("hung up (code 52) no");
        assert!(known, "{number}: {gaps:?}");
    }
}

#[test]
fn a_password_is_sent_neither_in_the_clear_nor_empty() {
    for (bind, transport, password, expected) in [
        (simple(false), Transport::Plain, "secret", "`in_the_clear`"),
        (simple(true), Transport::Plain, "", "is empty"),
        (Bind::Kerberos, Transport::Plain, "", "without Kerberos"),
    ] {
        let (port, _) = fake(|request| panic!("it was asked {}", request.tag));
        let mut server = server(port, transport);
        server.bind = bind;
        let seen = read(server, Some(password));
        let gaps = seen.gaps(GapReason::PermissionDenied);
        assert!(gaps.len() == 1 && gaps[0].detail.contains(expected), "{gaps:?}");
    }
}

#[test]
fn a_server_that_knows_no_tls_says_so() {
    let refusal = element(0x78, &[&[0x0a, 1, 2, 4, 0, 4, 7], b"no luck"]);
    let (port, _) = fake(move |request| Some(message(request.id, &refusal, &[])));
    let pki = Pki::new("Lab");
    let mut server = server(port, Transport::StartTls);
    server.trusted = Some(pki.files.path().join("ca.pem"));
    let seen = read(server, None);
    let gaps = seen.gaps(GapReason::HandshakeFailed);
    assert!(gaps.len() == 1 && gaps[0].detail.contains("no luck"), "{gaps:?}");
}

#[test]
fn nobody_there_and_nothing_to_trust_are_gaps() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seen = read(server(port, Transport::Plain), None);
    assert_eq!(seen.reasons(), [GapReason::Refused]);
    let mut server = server(port, Transport::Ldaps);
    server.trusted = Some("/nonexistent/ca.pem".into());
    let seen = read(server, None);
    let gaps = seen.gaps(GapReason::ReadFailed);
    assert!(gaps.len() == 1 && gaps[0].detail.contains("`trusted`"), "{gaps:?}");
}

/// The end of an answer that refers to these addresses.
fn refer(id: u32, to: &[String]) -> Vec<u8> {
    let to: Vec<u8> = to.iter().flat_map(|to| element(OCTET_STRING, &[to.as_bytes()])).collect();
    let to = if to.is_empty() { Vec::new() } else { element(0xa3, &[&to]) };
    message(id, &element(0x65, &[&[0x0a, 1, 10, 4, 0, 4, 0], &to]), &[])
}

#[test]
fn no_referral_vanishes() {
    // Nowhere, to itself for ever, and to more places than anybody would look at.
    let to_itself = Arc::new(AtomicU16::new(0));
    let itself = Arc::clone(&to_itself);
    for (count, reason, expected) in [
        (0, "link-out-of-scope", "does not say where"),
        (1, "link-out-of-scope", "asked for this part already"),
        (1001, "limit-reached", "more than 1000 other places"),
    ] {
        let itself = Arc::clone(&itself);
        let (port, _) = fake(move |request| {
            if asks_for_root(request) {
                return Some(root(request.id, CONTEXT));
            }
            let port = itself.load(Ordering::SeqCst);
            let one = |number: u16| match count {
                1 => format!("ldap://127.0.0.1:{port}/{CONTEXT}"),
                _ => format!("ldap://h{number}.example/{CONTEXT}"),
            };
            Some(refer(request.id, &(0..count).map(one).collect::<Vec<_>>()))
        });
        to_itself.store(port, Ordering::SeqCst);
        let gaps = gaps(&read(server(port, Transport::Plain), None));
        let place = format!("ldap://127.0.0.1:{port}/{CONTEXT}");
        let is_it = |gap: &&(String, String, String)| gap.0 == place && gap.1 == reason;
        let gap = gaps.iter().find(is_it).unwrap_or_else(|| panic!("{count}: {gaps:?}"));
        assert!(gap.2.contains(expected), "{gap:?}");
    }
}
