//! What is asked of accounts and groups between the pages of other searches, and the limits of that.

#![allow(clippy::unwrap_used)]

mod directory_lab;
mod support;

use std::sync::{Arc, Mutex};

use directory_lab::{Pki, Request, descriptor, done, entry, fake, found, gaps, read, server, sid};
use pki_config::{DirectoryDump, DirectoryScope, DirectoryServer, Transport};
use pki_inventory::{Access, Body, GapReason, Kind};
use support::{Seen, Tree, collect};

const CONFIGURATION: &str = "CN=Configuration,DC=corp,DC=example";
const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";
const DOMAIN: &str = "DC=corp,DC=example";
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
/// The search for what certificates are mapped to.
const MAPPED: &[u8] = b"\x87\x15altSecurityIdentities";

/// A forest of one domain with one template, in which these groups may enrol.
fn forest(request: &Request, groups: &[u32]) -> Vec<u8> {
    let id = request.id;
    let mut parts = Vec::new();
    if request.has("rootDomainNamingContext") {
        let names =
            [("configurationNamingContext", CONFIGURATION), ("defaultNamingContext", DOMAIN)];
        let values = names.map(|(name, value)| (name, [value.as_bytes()]));
        let attributes: Vec<(&str, &[&[u8]])> =
            values.iter().map(|(name, value)| (*name, &value[..])).collect();
        parts.push(entry(id, "", &attributes));
    } else if request.has(SERVICES) {
        let dn = format!("CN=Shop,CN=Certificate Templates,{SERVICES}");
        let classes: &[&[u8]] = &[b"top", b"pKICertificateTemplate"];
        let descriptor = descriptor(groups);
        let attributes: [(&str, &[&[u8]]); 3] = [
            ("objectClass", classes),
            ("cn", &[b"Shop"]),
            ("nTSecurityDescriptor", &[&descriptor]),
        ];
        parts.push(entry(id, &dn, &attributes));
    } else if !request.has(IN_CHAIN) && !request.has("userSMIMECertificate") {
        let asked = |group: &&u32| request.octets.windows(28).any(|it| it == sid(**group));
        parts.extend(groups.iter().filter(asked).map(|group| group_of(id, *group, &[])));
    }
    parts.push(done(id, 0, None));
    parts.concat()
}

fn dn_of(group: u32) -> String {
    format!("CN=g{group},{DOMAIN}")
}

fn group_of(id: u32, group: u32, more: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let (name, sid) = (format!("g{group}"), sid(group));
    let sid: &[&[u8]] = &[&sid];
    let name: &[&[u8]] = &[name.as_bytes()];
    let classes: &[&[u8]] = &[b"top", b"group"];
    let own = [("objectClass", classes), ("sAMAccountName", name), ("objectSid", sid)];
    entry(id, &dn_of(group), &[&own[..], more].concat())
}

fn user(id: u32, number: u32, more: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let (name, sid) = (format!("u{number}"), sid(number));
    let sid: &[&[u8]] = &[&sid];
    let name: &[&[u8]] = &[name.as_bytes()];
    let classes: &[&[u8]] = &[b"top", b"user"];
    let own = [("objectClass", classes), ("sAMAccountName", name), ("objectSid", sid)];
    entry(id, &format!("CN=u{number},{DOMAIN}"), &[&own[..], more].concat())
}

fn asks_for_mapped(request: &Request) -> bool {
    request.octets.windows(MAPPED.len()).any(|it| it == MAPPED)
}

/// What one may do with the template.
fn access(seen: &Seen) -> Access {
    let templates = seen.of(Kind::Template);
    let Body::Template(template) = &templates[0].body else { panic!("{:?}", templates[0]) };
    template.access.clone().unwrap()
}

fn own(port: u16) -> DirectoryServer {
    DirectoryServer { accounts: false, ..server(port, Transport::Plain) }
}

#[test]
fn groups_whose_members_are_not_read_are_one_gap() {
    let groups: Vec<u32> = (2000..2503).collect();
    let (port, _) = fake(move |request| Some(forest(request, &groups)));
    let seen = read(own(port), None);
    let gaps = gaps(&seen);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let (place, reason, detail) = &gaps[0];
    assert_eq!((place, reason.as_str()), (&format!("ldap://127.0.0.1:{port}/"), "limit-reached"));
    assert!(detail.contains("more than 500 groups"), "{detail}");
    assert!(detail.contains("3 others was not read"), "{detail}");
    assert!(access(&seen).unresolved.is_some());
}

#[test]
fn members_that_are_not_read_are_one_gap() {
    for (count, is_whole) in [(1000, true), (1001, false)] {
        let (port, _) = fake(move |request| {
            if !request.has(IN_CHAIN) {
                return Some(forest(request, &[2000, 2001]));
            }
            let users = (3000..3000 + count).map(|number| user(request.id, number, &[]));
            let mut answer: Vec<u8> = users.flatten().collect();
            answer.extend(done(request.id, 0, None));
            Some(answer)
        });
        let seen = read(own(port), None);
        let gaps = gaps(&seen);
        assert_eq!(gaps.is_empty(), is_whole, "{gaps:?}");
        assert_eq!(access(&seen).unresolved.is_none(), is_whole);
        for (place, _, detail) in &gaps {
            assert_eq!(*place, format!("ldap://127.0.0.1:{port}/"));
            let expected = format!("2 are larger, such as {}", dn_of(2000));
            assert!(gaps.len() == 1 && detail.contains(&expected), "{detail}");
        }
    }
}

#[test]
fn more_accounts_than_are_looked_up_are_one_gap() {
    // In eight lists: each is shorter than 64 KiB.
    let groups: Vec<u32> = (2000..12_001).collect();
    let (port, _) = fake(move |request| {
        if !request.has(SERVICES) {
            return Some(forest(request, &[]));
        }
        let lists = groups.chunks(1000).zip(0..).map(|(some, number)| {
            let dn = format!("CN=T{number},CN=Certificate Templates,{SERVICES}");
            let (classes, descriptor) =
                (&[&b"top"[..], b"pKICertificateTemplate"], descriptor(some));
            let attributes: [(&str, &[&[u8]]); 2] =
                [("objectClass", classes), ("nTSecurityDescriptor", &[&descriptor])];
            entry(request.id, &dn, &attributes)
        });
        let mut answer: Vec<u8> = lists.flatten().collect();
        answer.extend(done(request.id, 0, None));
        Some(answer)
    });
    let seen = read(own(port), None);
    let gaps = gaps(&seen);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    // Besides these: the owner, and those who are everybody.
    assert!(gaps[0].2.contains("more than 10000 accounts and groups; of "), "{gaps:?}");
}

#[test]
fn a_list_of_members_that_comes_in_parts_is_read_to_its_end() {
    let everybody = format!("CN=u9,{DOMAIN}");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let (port, _) = fake(move |request| {
        let id = request.id;
        let ranges = ["member;range=2-*", "member;range=4-*"];
        if let Some(range) = ranges.iter().position(|range| request.has(range)) {
            log.lock().unwrap().push(request.connection);
            let (name, last) =
                [("member;range=2-3", "CN=d"), ("member;range=4-*", &*everybody)][range];
            let values: &[&[u8]] = &[b"CN=c", last.as_bytes()];
            return Some([group_of(id, 2000, &[(name, values)]), done(id, 0, None)].concat());
        }
        if request.has(IN_CHAIN) || !request.octets.windows(28).any(|it| it == sid(2000)) {
            return Some(forest(request, &[2000]));
        }
        // As Active Directory does: the name without values as well.
        let members: [(&str, &[&[u8]]); 2] =
            [("member", &[]), ("member;range=0-1", &[b"CN=a", b"CN=b"])];
        Some([group_of(id, 2000, &members), user(id, 513, &[]), done(id, 0, None)].concat())
    });
    let seen = read(own(port), None);
    assert_eq!(gaps(&seen), []);
    assert_eq!(*asked.lock().unwrap(), [2, 2], "over the connection for questions");
    // Those of whom only the names came are not accounts that were read.
    let unresolved = access(&seen).unresolved.unwrap();
    assert!(unresolved.contains("g2000"), "{unresolved}");
}

#[test]
fn a_list_of_members_of_which_the_server_gives_a_part_is_a_gap_and_not_whole() {
    let (port, _) = fake(move |request| {
        let id = request.id;
        let is_group = request.octets.windows(28).any(|it| it == sid(2000));
        if request.has("member;range=") {
            return Some(done(id, 53, None));
        }
        if request.has(IN_CHAIN) || !is_group {
            return Some(forest(request, &[2000]));
        }
        let members: [(&str, &[&[u8]]); 1] = [("member;range=0-0", &[&dn_of(2000).into_bytes()])];
        Some([group_of(id, 2000, &members), done(id, 0, None)].concat())
    });
    let seen = read(own(port), None);
    let gaps = gaps(&seen);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].0.ends_with(&dn_of(2000)) && gaps[0].1 == "limit-reached", "{gaps:?}");
    assert!(gaps[0].2.contains("`member` only the first 1 values"), "{gaps:?}");
    assert!(gaps[0].2.contains("code 53"), "{gaps:?}");
    assert!(access(&seen).unresolved.is_some());
}

#[test]
fn groups_that_were_not_reached_in_time_are_not_known_to_be_empty() {
    let (port, _) = fake(move |request| {
        let is_slow = request.has(IN_CHAIN);
        Some(if is_slow { Vec::new() } else { forest(request, &[2000, 2001, 2002]) })
    });
    let mut server = own(port);
    server.deadline_secs = 2;
    let unresolved = access(&read(server, None)).unresolved.unwrap();
    assert!((2000..2003).all(|group| unresolved.contains(&format!("g{group}"))), "{unresolved}");
}

#[test]
fn a_slow_group_does_not_end_the_pages_of_another_search() {
    let certificate = Pki::new("Corp CA").authority;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let (port, _) = fake(move |request| {
        let id = request.id;
        if request.has(IN_CHAIN) {
            return Some(Vec::new());
        }
        if !asks_for_mapped(request) {
            // Whom the pages name is a group; the template names nobody.
            let groups: &[u32] = if request.has(SERVICES) { &[] } else { &[2000, 2001, 2002] };
            return Some(forest(request, groups));
        }
        let number = request.cookie().first().copied().unwrap_or_default();
        log.lock().unwrap().push(number);
        let descriptor = descriptor(&[2000 + u32::from(number)]);
        let more: [(&str, &[&[u8]]); 2] =
            [("userCertificate", &[&certificate]), ("nTSecurityDescriptor", &[&descriptor])];
        let one = user(id, 3000 + u32::from(number), &more);
        let cookie: &[u8] = if number == 2 { &[] } else { &[number + 1] };
        Some([one, done(id, 0, Some(cookie))].concat())
    });
    let mut server = server(port, Transport::Plain);
    server.timeout_secs = 1;
    let seen = read(server, None);
    assert_eq!(seen.gaps(GapReason::TimedOut).len(), 3, "{:?}", gaps(&seen));
    assert_eq!(*asked.lock().unwrap(), [0, 1, 2], "it began anew");
    for number in 3000..3003 {
        let place = format!("/CN=u{number},{DOMAIN}#1");
        assert!(found(&seen).iter().any(|it| it.ends_with(&place)), "{:?}", found(&seen));
    }
}

#[test]
fn an_entry_counts_once_against_the_most_that_are_read() {
    let certificate = Pki::new("Corp CA").authority;
    let (port, _) = fake(move |request| {
        let id = request.id;
        if request.has(IN_CHAIN) {
            return Some([user(id, 3001, &[]), done(id, 0, None)].concat());
        }
        if !request.has("userSMIMECertificate") {
            return Some(forest(request, &[2000]));
        }
        let more: [(&str, &[&[u8]]); 1] = [("userCertificate", &[&certificate])];
        let mut answer = user(id, 3001, &more);
        if !asks_for_mapped(request) {
            answer.extend(user(id, 3002, &more));
        }
        answer.extend(done(id, 0, None));
        Some(answer)
    });
    // The template and two people.
    for (most, is_whole) in [(3, true), (2, false)] {
        let mut server = server(port, Transport::Plain);
        server.max_entries = most;
        let seen = read(server, None);
        let gaps = gaps(&seen);
        assert_eq!(gaps.is_empty(), is_whole, "{gaps:?}");
        assert_eq!(found(&seen).iter().any(|it| it.contains("CN=u3002")), is_whole);
    }
}

#[test]
fn members_that_a_dump_leaves_out_are_a_gap() {
    let part = "dn: CN=Shoppers,DC=corp\nobjectClass: group\nsAMAccountName: Shoppers\n\
                objectSid: S-1-5-21-1-2-3-1104\nmember;range=0-1: CN=A,DC=corp\n\
                member;range=0-1: CN=B,DC=corp\n";
    let rest = "member;range=2-*: CN=C,DC=corp\n";
    for (dump, is_whole) in [(part.to_owned(), false), (format!("{part}{rest}"), true)] {
        let tree = Tree::new();
        let path = tree.write("forest.ldif", format!("{dump}\n"));
        let dumps = vec![DirectoryDump { path, origin: None }];
        let scope = DirectoryScope { dumps, ..DirectoryScope::default() };
        let seen = collect("directory", &directory_lab::directory_context(scope, None));
        let gaps = gaps(&seen);
        assert_eq!(gaps.is_empty(), is_whole, "{gaps:?}");
        for gap in gaps {
            assert!(
                gap.0.ends_with("!/CN=Shoppers,DC=corp") && gap.1 == "limit-reached",
                "{gap:?}"
            );
            assert!(gap.2.contains("`member` only the first 2 values"), "{gap:?}");
        }
    }
}
