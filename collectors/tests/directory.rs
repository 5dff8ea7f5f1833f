//! The directory collector against slapd.

#![allow(clippy::unwrap_used)]

mod directory_lab;
mod support;

use std::collections::BTreeSet;

use directory_lab::{
    BASE, BIND, BOUND, Ldif, PASSWORD, Pki, READER, SEARCHED, Slapd, asks_for_root, done, ended,
    entry, fake, found, gaps, message, read, root, server, simple,
};
use pki_config::{Bind, DirectoryAddress, Transport};
use pki_encodings::tlv::{OCTET_STRING, element};
use pki_inventory::{GapReason, Kind};
use support::places;

/// Nobody reads but the reader.
const CLOSED: &str = "access to attrs=userPassword by anonymous auth by * none\n\
                      access to * by users read by * none";

#[test]
fn what_rfc_4523_has_attributes_for_is_found_under_their_names() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let other = Pki::new("Other");
    let cross = other.issue("cross", &[]);
    let pair = element(0x30, &[&element(0xa0, &[&cross])]);
    let mut ldif = Ldif::new();
    ldif.person("a b", &leaf);
    ldif.add(
        &format!("cn=CA,{BASE}"),
        &["organizationalRole", "pkiCA"],
        &[
            ("cn", b"CA"),
            ("cACertificate;binary", &pki.authority),
            ("certificateRevocationList;binary", &pki.list()),
            ("crossCertificatePair;binary", &pair),
        ],
    );
    ldif.add(
        &format!("cn=CDP,{BASE}"),
        &["cRLDistributionPoint"],
        &[("cn", b"CDP"), ("authorityRevocationList;binary", &other.list())],
    );
    let slapd = Slapd::start(&pki, &ldif, "");
    let seen = read(server(slapd.ldap, Transport::Plain), None);
    assert_eq!(gaps(&seen), []);
    let name = format!("ldap://127.0.0.1:{}", slapd.ldap);
    let mut found: BTreeSet<(String, Option<String>)> = BTreeSet::new();
    for asset in seen.inventory.assets() {
        let sightings = asset.sightings();
        found.extend(sightings.map(|it| (it.place.to_string(), it.circumstances.label.clone())));
    }
    let labels: BTreeSet<&str> = found.iter().filter_map(|(_, label)| label.as_deref()).collect();
    let expected = [
        "authorityRevocationList",
        "cACertificate",
        "certificateRevocationList",
        "crossCertificatePair",
        "userCertificate",
    ];
    assert_eq!(labels, expected.into());
    let person = format!("{name}/uid=a%20b,{BASE}#1");
    assert!(found.contains(&(person, Some("userCertificate".to_owned()))), "{found:?}");
    assert_eq!(seen.of(Kind::Certificate).len(), 3);
    assert_eq!(seen.of(Kind::RevocationList).len(), 2);
    let (_, scope, coverage) = seen.inventory.coverage().next().unwrap();
    assert_eq!(scope, format!("{name}/{BASE}"));
    assert_eq!((coverage.asked, coverage.read, coverage.not_read), (3, 3, 0));
}

#[test]
fn every_entry_of_many_pages_is_reported_once() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let mut ldif = Ldif::new();
    (0..3210).for_each(|number| ldif.person(&format!("p{number}"), &leaf));
    let slapd = Slapd::start(&pki, &ldif, "");
    let seen = read(server(slapd.ldap, Transport::Plain), None);
    assert_eq!(gaps(&seen), [], "{:?}", slapd.log().lines().last());
    let found = found(&seen);
    assert_eq!((found.len(), BTreeSet::from_iter(&found).len()), (3210, 3210));
    assert_eq!(seen.coverage().read, 3210);
    assert!(slapd.log().matches("SRCH base=\"dc=lab").count() >= 7, "not in pages");
}

#[test]
fn the_chain_of_the_channel_is_in_the_inventory_by_either_way_to_tls() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let own = pki.issue("server", &["127.0.0.1", "localhost"]);
    let mut ldif = Ldif::new();
    ldif.person("one", &leaf);
    let slapd = Slapd::start(&pki, &ldif, CLOSED);
    for (transport, port, place) in [
        (Transport::Ldaps, slapd.ldaps, format!("tls://127.0.0.1:{}", slapd.ldaps)),
        (Transport::StartTls, slapd.ldap, format!("ldap+tls://127.0.0.1:{}", slapd.ldap)),
    ] {
        let mut server = server(port, transport);
        server.bind = simple(false);
        server.trusted = Some(pki.files.path().join("ca.pem"));
        let seen = read(server, Some(PASSWORD));
        assert_eq!(gaps(&seen), []);
        let digest = pki_inventory::Digest::of(&own);
        let shown = seen.of(Kind::Certificate).into_iter().find(|it| it.id.sha256 == digest);
        let shown = shown.expect("the server's own certificate");
        assert_eq!(places(shown), [place]);
        assert_eq!(shown.sightings().next().unwrap().circumstances.chain_position, Some(0));
        assert_eq!(seen.of(Kind::Certificate).len(), 3, "of its authority and the person as well");
    }
}

#[test]
fn a_name_is_sent_and_verified() {
    let pki = Pki::new("Lab");
    let slapd = Slapd::start(&pki, &Ldif::new(), "");
    let mut server = server(slapd.ldaps, Transport::Ldaps);
    server.trusted = Some(pki.files.path().join("ca.pem"));
    let host = "localhost".to_owned();
    server.address = DirectoryAddress::Host { host, port: Some(slapd.ldaps) };
    let seen = read(server, None);
    assert_eq!(gaps(&seen), []);
    let place = format!("tls://127.0.0.1:{}?sni=localhost", slapd.ldaps);
    // With the authority's own, which GnuTLS sends as well.
    assert_eq!(found(&seen), [place.clone(), place]);
}

#[test]
fn a_certificate_that_does_not_verify_is_kept_and_nothing_is_sent() {
    let (pki, other) = (Pki::new("Lab"), Pki::new("Other"));
    let slapd = Slapd::start(&pki, &Ldif::new(), CLOSED);
    for (transport, port) in [(Transport::Ldaps, slapd.ldaps), (Transport::StartTls, slapd.ldap)] {
        let mut server = server(port, transport);
        server.bind = simple(false);
        server.trusted = Some(other.files.path().join("ca.pem"));
        let seen = read(server, Some(PASSWORD));
        let gaps = seen.gaps(GapReason::HandshakeFailed);
        assert_eq!(gaps.len(), 1, "{:?}", seen.observations);
        assert!(gaps[0].detail.contains("`trusted`"), "{}", gaps[0].detail);
        assert_eq!(seen.of(Kind::Certificate).len(), 2, "of the server and its authority");
        assert_eq!(seen.coverage().not_read, 1);
    }
    assert!(!slapd.log().contains(" BIND "), "{}", slapd.log());
}

#[test]
fn a_wrong_password_is_tried_once_and_says_what_to_check() {
    let pki = Pki::new("Lab");
    let slapd = Slapd::start(&pki, &Ldif::new(), CLOSED);
    let mut server = server(slapd.ldaps, Transport::Ldaps);
    server.bind = simple(false);
    server.bases = vec![BASE.to_owned(), format!("ou=a,{BASE}")];
    server.trusted = Some(pki.files.path().join("ca.pem"));
    let seen = read(server, Some("incorrect mule"));
    let gaps = seen.gaps(GapReason::PermissionDenied);
    assert_eq!(gaps.len(), 1, "{:?}", seen.observations);
    assert!(gaps[0].detail.contains("password of `bind`"), "{}", gaps[0].detail);
    assert!(!gaps[0].detail.contains("mule"), "{}", gaps[0].detail);
    let binds = slapd.log().lines().filter(|line| line.contains(" BIND dn=")).count();
    assert_eq!(binds, 1, "{}", slapd.log());
}

#[test]
fn a_client_certificate_binds() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("client", &[]);
    let mut ldif = Ldif::new();
    ldif.person("one", &leaf);
    let slapd = Slapd::start(&pki, &ldif, CLOSED);
    let mut server = server(slapd.ldap, Transport::StartTls);
    let file = |name: &str| pki.files.path().join(name);
    server.bind = Bind::External { certificate: file("client.pem"), key: file("client.key") };
    server.trusted = Some(file("ca.pem"));
    let seen = read(server, None);
    assert_eq!(gaps(&seen), [], "{}", slapd.log());
    assert!(slapd.log().contains(&format!("BIND dn=\"{READER}\" mech=EXTERNAL")));
    assert_eq!(seen.coverage().read, 1);
}

#[test]
fn what_came_before_a_limit_of_the_server_stays() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let mut ldif = Ldif::new();
    (0..300).for_each(|number| ldif.person(&format!("p{number}"), &leaf));
    let slapd = Slapd::start(&pki, &ldif, "sizelimit 120");
    let mut server = server(slapd.ldap, Transport::Plain);
    server.page_size = 50;
    let seen = read(server, None);
    let gaps = seen.gaps(GapReason::LimitReached);
    assert_eq!(gaps.len(), 1, "{:?}", directory_lab::gaps(&seen));
    assert!(gaps[0].detail.contains("code 4"), "{}", gaps[0].detail);
    let count = found(&seen).len();
    assert!((100..=120).contains(&count), "{count}");
}

#[test]
fn no_more_entries_are_read_than_are_asked_for() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let mut ldif = Ldif::new();
    (0..30).for_each(|number| ldif.person(&format!("p{number}"), &leaf));
    let slapd = Slapd::start(&pki, &ldif, "");
    let mut server = server(slapd.ldap, Transport::Plain);
    (server.max_entries, server.page_size) = (17, 10);
    let seen = read(server, None);
    let gaps = seen.gaps(GapReason::LimitReached);
    assert!(gaps.len() == 1 && gaps[0].detail.contains("`max_entries`"), "{gaps:?}");
    assert_eq!(found(&seen).len(), 17);
}

#[test]
fn referrals_are_followed_to_where_the_settings_allow() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let mut there = Ldif::new();
    there.person("there", &leaf);
    let second = Slapd::start(&pki, &there, "");
    let mut here = Ldif::new();
    here.person("here", &leaf);
    for (name, to) in [
        ("in", format!("ldap://localhost:{}/uid=there,{BASE}", second.ldap)),
        ("out", format!("ldap://elsewhere.example/{BASE}")),
    ] {
        here.add(
            &format!("ou={name},{BASE}"),
            &["referral", "extensibleObject"],
            &[("ou", name.as_bytes()), ("ref", to.as_bytes())],
        );
    }
    let first = Slapd::start(&pki, &here, "");
    let mut server = server(first.ldap, Transport::Plain);
    let seen = read(server.clone(), None);
    assert_eq!(seen.gaps(GapReason::LinkOutOfScope).len(), 2, "{:?}", gaps(&seen));
    assert_eq!(found(&seen).len(), 1);
    assert!(!second.log().contains("conn=1002"), "the second one was asked: {}", second.log());

    server.referrals = vec!["localhost".to_owned()];
    let seen = read(server, None);
    let gaps = seen.gaps(GapReason::LinkOutOfScope);
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].place.to_string(), format!("ldap://127.0.0.1:{}/{BASE}", first.ldap));
    let detail = &gaps[0].detail;
    assert!(detail.contains("elsewhere.example") && detail.contains("`referrals`"), "{detail}");
    let found = found(&seen);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|place| place.ends_with(&format!("uid=there,{BASE}#1"))));
}

#[test]
fn a_bind_that_is_refused_elsewhere_does_not_end_the_directory_itself() {
    let pki = Pki::new("Lab");
    let leaf = pki.issue("leaf", &[]);
    let mut ldif = Ldif::new();
    // There the reader has another password.
    ldif.0 = ldif.0.replace("userPassword:: ", "userPassword: x");
    let far = Slapd::start(&pki, &ldif, "");
    let mut ldif = Ldif::new();
    ldif.person("one", &leaf);
    let to = format!("ldaps://127.0.0.1:{}/{BASE}", far.ldaps);
    let away = format!("ou=away,{BASE}");
    let attributes = [("ou", &b"away"[..]), ("ref", to.as_bytes())];
    ldif.add(&away, &["referral", "extensibleObject"], &attributes);
    let slapd = Slapd::start(&pki, &ldif, CLOSED);
    let mut server = server(slapd.ldaps, Transport::Ldaps);
    server.bind = simple(false);
    server.trusted = Some(pki.files.path().join("ca.pem"));
    server.referrals = vec!["127.0.0.1".to_owned()];
    server.bases = vec![away, BASE.to_owned()];
    let seen = read(server, Some(PASSWORD));
    let gaps = gaps(&seen);
    assert!(!gaps.is_empty() && gaps.iter().all(|gap| gap.2.contains("code 49")), "{gaps:?}");
    let found = found(&seen);
    assert!(found.iter().any(|place| place.contains("uid=one")), "{found:?} {gaps:?}");
    assert_eq!(far.log().matches(" BIND dn=").count(), 1, "{}", far.log());
}

#[test]
fn a_connection_is_opened_again_although_another_server_refused_the_account() {
    let pki = Pki::new("Lab");
    let mut ldif = Ldif::new();
    // There the reader has another password.
    ldif.0 = ldif.0.replace("userPassword:: ", "userPassword: x");
    let far = Slapd::start(&pki, &ldif, "");
    let to = format!("ldaps://127.0.0.1:{}/{BASE}", far.ldaps);
    let leaf = pki.issue("leaf", &[]);
    let (port, opened) = fake(move |request| {
        let id = request.id;
        if request.tag == BIND {
            return Some(ended(id, BOUND, 0, ""));
        }
        if request.has("dc=away") {
            let to = element(0xa3, &[&element(OCTET_STRING, &[to.as_bytes()])]);
            let refer = element(SEARCHED, &[&[0x0a, 1, 10, 4, 0, 4, 0], &to]);
            return Some(message(id, &refer, &[]));
        }
        if asks_for_root(request) {
            return Some(root(id, BASE));
        }
        // The first connection ends by then.
        let one = entry(id, &format!("uid=one,{BASE}"), &[("userCertificate", &[&leaf])]);
        (request.connection > 1).then(|| [one, done(id, 0, None)].concat())
    });
    let mut server = server(port, Transport::Plain);
    server.bind = simple(true);
    server.trusted = Some(pki.files.path().join("ca.pem"));
    server.referrals = vec!["127.0.0.1".to_owned()];
    server.bases = vec!["dc=away".to_owned(), BASE.to_owned()];
    let seen = read(server, Some(PASSWORD));
    let gaps = gaps(&seen);
    assert!(gaps.len() == 1 && gaps[0].2.contains("code 49"), "{gaps:?}");
    let found = found(&seen);
    assert!(found.iter().any(|place| place.contains("uid=one")), "{found:?}");
    assert_eq!(opened.load(std::sync::atomic::Ordering::SeqCst), 2);
}
