//! How servers are treated: one try for an account, no word that holds a password, no place in pages
//! that is kept for nobody, one address of a referral, and every part of an attribute.

#![allow(clippy::unwrap_used)]

mod directory_lab;
mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use directory_lab::{
    BIND, BOUND, PASSWORD, Pki, READER, Request, SEARCHED, asks_for_root, done, ended, entry, fake,
    found, gaps, message, read, read_all, root, server, simple,
};
use pki_config::{Bind, DirectoryPassword, DirectoryServer, SecretSource, Transport};
use pki_encodings::tlv::{OCTET_STRING, element};
use pki_inventory::GapReason;

const CONTEXT: &str = "dc=fake";

/// A server that is asked as this account, with a password from this variable.
fn account(port: u16, name: &str, source: &str) -> DirectoryServer {
    let password = DirectoryPassword::Kept(SecretSource::Environment(source.to_owned()));
    let bind = Bind::Simple { name: name.to_owned(), password, in_the_clear: true };
    DirectoryServer { bind, ..server(port, Transport::Plain) }
}

fn is_bind(request: &Request) -> bool {
    request.tag == BIND
}

/// One entry with a certificate.
fn person(id: u32, name: &str, certificate: &[u8]) -> Vec<u8> {
    let dn = format!("cn={name},{CONTEXT}");
    entry(id, &dn, &[("userCertificate;binary", &[certificate])])
}

fn certificate() -> Vec<u8> {
    Pki::new("Fake").authority
}

#[test]
fn an_account_that_one_server_refused_is_not_tried_on_another() {
    for (names, sources, passwords, expected) in [
        ([READER, "CN=Reader,dc=lab,dc=test"], ["A", "A"], ["wrong", "wrong"], 1),
        // The same letters from elsewhere are the same try.
        ([READER, READER], ["A", "B"], ["wrong", "wrong"], 1),
        ([READER, READER], ["A", "B"], ["wrong", "false"], 2),
        ([READER, "cn=other"], ["A", "A"], ["wrong", "wrong"], 2),
    ] {
        let binds = Arc::new(AtomicUsize::new(0));
        let one = |number: usize| {
            let binds = Arc::clone(&binds);
            let (port, _) = fake(move |request| {
                assert!(is_bind(request), "nothing is asked before a bind");
                binds.fetch_add(1, Ordering::SeqCst);
                // Both have sent theirs by then, if they do.
                std::thread::sleep(Duration::from_millis(300));
                Some(ended(request.id, BOUND, 49, ""))
            });
            account(port, names[number], sources[number])
        };
        let seen = read_all(vec![one(0), one(1)], &passwords);
        assert_eq!(binds.load(Ordering::SeqCst), expected, "{names:?} {sources:?}");
        let gaps = gaps(&seen);
        assert_eq!(gaps.len(), 2, "{gaps:?}");
        assert!(gaps.iter().all(|gap| gap.1 == "permission-denied"), "{gaps:?}");
        let spared = gaps.iter().filter(|gap| gap.2.contains("not tried again in this run"));
        assert_eq!(spared.count(), 2 - expected, "{gaps:?}");
    }
}

#[test]
fn a_server_that_took_the_account_goes_on_when_another_refuses_it() {
    let certificate = certificate();
    let refused = Arc::new(AtomicBool::new(false));
    let is_refused = Arc::clone(&refused);
    let (good, _) = fake(move |request| {
        if is_bind(request) {
            return Some(ended(request.id, BOUND, 0, ""));
        }
        if asks_for_root(request) {
            return Some(root(request.id, CONTEXT));
        }
        // The connection breaks as soon as the other has refused, and is opened once more.
        if request.connection == 1 {
            let until = Instant::now() + Duration::from_secs(4);
            while !is_refused.load(Ordering::SeqCst) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(100));
            return None;
        }
        Some([person(request.id, "one", &certificate), done(request.id, 0, None)].concat())
    });
    let (bad, _) = fake(move |request| {
        // The other one is first.
        refused.store(true, Ordering::SeqCst);
        Some(ended(request.id, BOUND, 49, ""))
    });
    let servers = vec![account(good, READER, "A"), account(bad, READER, "A")];
    let seen = read_all(servers, &[PASSWORD, PASSWORD]);
    let gaps = gaps(&seen);
    assert!(gaps.len() == 1 && gaps[0].0.contains(&bad.to_string()), "{gaps:?}");
    assert_eq!(found(&seen).len(), 1);
}

/// What a server does with a request.
type Answer = Box<dyn Fn(&Request) -> Option<Vec<u8>> + Send + Sync>;

#[test]
fn no_sentence_repeats_the_password() {
    let secret = "correct horse";
    let answers: Vec<Answer> = vec![
        Box::new(|request| Some(ended(request.id, BOUND, 53, "no `correct horse` here"))),
        Box::new(|request| {
            let said = "bind with correct horse";
            Some(ended(request.id, if is_bind(request) { BOUND } else { SEARCHED }, 53, said))
        }),
        Box::new(|request| match is_bind(request) {
            true => Some(ended(request.id, BOUND, 0, "")),
            false => Some(ended(request.id, SEARCHED, 53, "cor\0rect horse")),
        }),
        // The notice of disconnection, at once and later.
        Box::new(|_| Some(ended(0, 0x78, 52, "bye, correct horse"))),
        Box::new(|request| match is_bind(request) {
            true => Some(ended(request.id, BOUND, 0, "")),
            false => Some(ended(0, 0x78, 52, "bye, correct horse")),
        }),
        // Referrals.
        Box::new(|request| refer(request, "http://correct horse/")),
        Box::new(|request| refer(request, "ldap://h/cn=correct%20horse")),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let (port, _) = fake(answer);
        let mut server = server(port, Transport::Plain);
        server.bind = simple(true);
        let seen = read(server, Some(secret));
        let gaps = gaps(&seen);
        assert!(!gaps.is_empty(), "{number}");
        let all = format!("{gaps:?} {:?}", seen.observations);
        assert!(!all.contains("correct") && all.contains("left out"), "{number}: {gaps:?}");
    }
}

/// Sends whoever asks for entries somewhere else.
fn refer(request: &Request, to: &str) -> Option<Vec<u8>> {
    if is_bind(request) {
        return Some(ended(request.id, BOUND, 0, ""));
    }
    if asks_for_root(request) {
        return Some(root(request.id, CONTEXT));
    }
    Some(referral(request.id, &[to.to_owned()]))
}

fn referral(id: u32, to: &[String]) -> Vec<u8> {
    let to: Vec<u8> = to.iter().flat_map(|to| element(OCTET_STRING, &[to.as_bytes()])).collect();
    message(id, &element(0x65, &[&[0x0a, 1, 10, 4, 0, 4, 0], &element(0xa3, &[&to])]), &[])
}

#[test]
fn the_farewell_of_a_server_reaches_people_without_control_characters_and_with_an_end() {
    let (port, _) = fake(|_| Some(ended(0, 0x78, 52, &format!("\u{1b}[31m{}", "x".repeat(9000)))));
    let gaps = gaps(&read(server(port, Transport::Plain), None));
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].2.contains("(code 52) [31mxxx"), "{gaps:?}");
    assert!(!gaps[0].2.contains('\u{1b}') && gaps[0].2.len() < 400, "{gaps:?}");
}

#[test]
fn whoever_is_bound_is_not_told_to_bind() {
    for (bind, is_told) in [(Bind::Anonymous, true), (simple(true), false)] {
        let (port, _) = fake(|request| {
            let (tag, code) = if is_bind(request) { (BOUND, 0) } else { (SEARCHED, 1) };
            Some(ended(request.id, tag, code, ""))
        });
        let mut server = server(port, Transport::Plain);
        server.bind = bind;
        let gaps = gaps(&read(server, Some(PASSWORD)));
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert!(gaps[0].2.contains("code 1"), "{gaps:?}");
        assert_eq!(gaps[0].2.contains("set `bind`"), is_told, "{gaps:?}");
    }
}

#[test]
fn a_server_is_told_when_no_more_of_its_pages_are_wanted() {
    for is_heard in [true, false] {
        let certificate = certificate();
        let pages = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&pages);
        let (port, opened) = fake(move |request| {
            if asks_for_root(request) {
                return Some(root(request.id, CONTEXT));
            }
            let (size, cookie) = request.page();
            log.lock().unwrap().push((size, cookie));
            if size == 0 {
                return Some(if is_heard { done(request.id, 0, Some(b"")) } else { Vec::new() });
            }
            let people = ["a", "b", "c"].map(|name| person(request.id, name, &certificate));
            Some([people.concat(), done(request.id, 0, Some(b"place"))].concat())
        });
        let mut server = server(port, Transport::Plain);
        (server.page_size, server.max_entries, server.timeout_secs) = (3, 2, 30);
        let begun = Instant::now();
        let seen = read(server, None);
        assert!(begun.elapsed() < Duration::from_secs(8));
        let gaps = gaps(&seen);
        assert!(gaps.len() == 1 && gaps[0].2.contains("`max_entries`"), "{gaps:?}");
        assert_eq!(found(&seen).len(), 2);
        assert_eq!(opened.load(Ordering::SeqCst), 1);
        let pages = pages.lock().unwrap();
        // The next page was asked for before this one was looked at only where that was wanted.
        assert_eq!(*pages, [(3, Vec::new()), (0, b"place".to_vec())]);
    }
}

#[test]
fn one_address_of_a_referral_is_enough() {
    let nobody =
        || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = |port: u16| format!("ldap://127.0.0.1:{port}/{CONTEXT}");
    let there = |certificate: &[u8]| {
        let certificate = certificate.to_vec();
        fake(move |request| {
            Some([person(request.id, "there", &certificate), done(request.id, 0, None)].concat())
        })
    };
    let certificate = certificate();
    let ((second, second_opened), (third, third_opened)) =
        (there(&certificate), there(&certificate));
    for (to, count, expected) in [
        (vec![address(nobody()), address(second), address(third)], 1, 0),
        (vec![address(nobody()), address(nobody())], 0, 1),
        (vec!["ldap://elsewhere.example/".to_owned(), address(second)], 1, 0),
    ] {
        let (port, _) = fake(move |request| {
            if asks_for_root(request) {
                return Some(root(request.id, CONTEXT));
            }
            Some(referral(request.id, &to))
        });
        let mut server = server(port, Transport::Plain);
        server.referrals = vec!["127.0.0.1".to_owned()];
        let seen = read(server, None);
        let gaps = gaps(&seen);
        assert_eq!((found(&seen).len(), gaps.len()), (count, expected), "{gaps:?}");
        // Both are named.
        assert!(gaps.iter().all(|gap| gap.2.matches("127.0.0.1:").count() == 2), "{gaps:?}");
    }
    let opened = [second_opened, third_opened].map(|opened| opened.load(Ordering::SeqCst));
    assert_eq!(opened, [2, 0]);
}

#[test]
fn a_referral_that_comes_again_after_a_break_is_followed_once() {
    let certificate = certificate();
    let there = certificate.clone();
    let (far, far_opened) = fake(move |request| {
        Some([person(request.id, "there", &there), done(request.id, 0, None)].concat())
    });
    let (port, _) = fake(move |request| {
        if asks_for_root(request) {
            return Some(root(request.id, CONTEXT));
        }
        if !request.cookie().is_empty() {
            if request.connection == 1 {
                return None;
            }
            return Some(done(request.id, 0, Some(b"")));
        }
        let to = format!("ldap://127.0.0.1:{far}/{CONTEXT}");
        let to =
            message(request.id, &element(0x73, &[&element(OCTET_STRING, &[to.as_bytes()])]), &[]);
        let here = person(request.id, "here", &certificate);
        Some([here, to, done(request.id, 0, Some(b"place"))].concat())
    });
    let mut server = server(port, Transport::Plain);
    server.referrals = vec!["127.0.0.1".to_owned()];
    let seen = read(server, None);
    assert_eq!(gaps(&seen), []);
    assert_eq!((found(&seen).len(), far_opened.load(Ordering::SeqCst)), (2, 1));
}

#[test]
fn values_that_come_in_parts_are_read_to_the_last() {
    let certificate = certificate();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let (port, _) = fake(move |request| {
        let id = request.id;
        if asks_for_root(request) {
            return Some(root(request.id, CONTEXT));
        }
        let part = |range: &str| {
            let name = format!("userCertificate;binary;range={range}");
            entry(id, "cn=many,dc=fake", &[(&name, &[&certificate])])
        };
        let ranges = ["1-*", "2-*"];
        let range = ranges.iter().position(|it| request.has(&format!(";binary;range={it}")));
        if let Some(range) = range {
            return Some([part(["1-1", "2-*"][range]), done(id, 0, None)].concat());
        }
        log.lock().unwrap().push((request.connection, request.cookie()));
        let cookie: &[u8] = if request.cookie().is_empty() { b"place" } else { b"" };
        let one = if cookie.is_empty() { person(id, "last", &certificate) } else { part("0-0") };
        Some([one, done(id, 0, Some(cookie))].concat())
    });
    let seen = read(server(port, Transport::Plain), None);
    assert_eq!(gaps(&seen), []);
    let many = found(&seen).into_iter().filter(|place| place.contains("cn=many")).count();
    assert_eq!((many, found(&seen).len()), (3, 4));
    // The pages go on where they were.
    assert_eq!(*asked.lock().unwrap(), [(1, Vec::new()), (1, b"place".to_vec())]);
}

#[test]
fn values_that_a_server_does_not_go_on_with_are_a_gap() {
    let certificate = certificate();
    type Range = fn(u64) -> Option<String>;
    let answers: [(Range, &str); 4] = [
        (|_| None, "gives no more"),
        // Backwards, the same again, and one by one for ever.
        (|next| Some(format!("{next}-0")), "gives no more"),
        (|_| Some("0-0".to_owned()), "gives no more"),
        (|next| Some(format!("{next}-{next}")), "more are not fetched"),
    ];
    for (answer, expected) in answers {
        let certificate = certificate.clone();
        let (port, _) = fake(move |request| {
            let id = request.id;
            if asks_for_root(request) {
                return Some(root(request.id, CONTEXT));
            }
            let text = String::from_utf8_lossy(&request.octets).into_owned();
            let next = text.split_once(";range=").and_then(|(_, it)| it.split_once('-'));
            let range = match next.map(|(next, _)| next.parse().unwrap()) {
                Some(next) => answer(next),
                None => Some("0-0".to_owned()),
            };
            let part = range.map_or_else(Vec::new, |range| {
                let name = format!("userCertificate;range={range}");
                entry(id, "cn=many,dc=fake", &[(&name, &[&certificate])])
            });
            Some([part, done(id, 0, None)].concat())
        });
        let seen = read(server(port, Transport::Plain), None);
        let gaps = seen.gaps(GapReason::LimitReached);
        assert_eq!(gaps.len(), 1, "{:?}", directory_lab::gaps(&seen));
        assert!(gaps[0].place.to_string().ends_with("/cn=many,dc=fake"), "{gaps:?}");
        assert!(gaps[0].detail.contains(expected), "{gaps:?}");
        assert!(!found(&seen).is_empty());
    }
}

#[test]
fn naming_contexts_that_are_not_read_are_a_gap() {
    let (port, _) = fake(|request| {
        if !asks_for_root(request) {
            return Some(done(request.id, 0, None));
        }
        let names: Vec<String> = (0..1001).map(|number| format!("dc=n{number}")).collect();
        let names: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        let root = entry(request.id, "", &[("namingContexts", &names)]);
        Some([root, done(request.id, 0, None)].concat())
    });
    let gaps = gaps(&read(server(port, Transport::Plain), None));
    assert!(gaps.len() == 1 && gaps[0].2.contains("1001 naming contexts"), "{gaps:?}");
}
