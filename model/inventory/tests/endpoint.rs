//! What a session says of what was not in it.

use pki_inventory::{ClientCertificate, Fact, Session, Staple};

fn session(version: Option<&str>, ended: Option<&str>) -> Session {
    Session {
        version: version.map(str::to_owned),
        cipher_suite: None,
        group: None,
        offered_groups: Vec::new(),
        alpn: None,
        staple: None,
        sct_logs: Vec::new(),
        client_certificate: ClientCertificate::NotObserved,
        accepted_authorities: Vec::new(),
        chain: Vec::new(),
        ended: ended.map(str::to_owned),
    }
}

fn facts(session: &Session) -> [Fact; 3] {
    [session.stapled(), session.timestamped(), session.chose_protocol()]
}

#[test]
fn what_is_not_in_a_whole_handshake_is_not_there() {
    for version in ["TLSv1.0", "TLSv1.2", "TLSv1.3"] {
        let facts = facts(&session(Some(version), None));
        assert_eq!(facts, [Fact::No, Fact::No, Fact::No], "{version}");
    }
}

#[test]
fn what_was_not_reached_was_not_observed() {
    for version in [Some("TLSv1.2"), Some("TLSv1.3"), None] {
        for fact in facts(&session(version, Some("closed after Certificate"))) {
            assert_eq!(fact.why(), Some("the handshake ended before it"), "{version:?}");
        }
    }
}

#[test]
fn versions_without_extensions_have_no_place_for_any() {
    for (version, ended) in [("SSLv2", None), ("SSLv3", Some("reset")), ("SSLv3", None)] {
        for fact in facts(&session(Some(version), ended)) {
            assert_eq!(fact, Fact::NotObserved(format!("{version} has no place for it")));
        }
    }
}

#[test]
fn what_was_seen_was_seen_however_it_ended() {
    let seen = Session {
        alpn: Some("h2".to_owned()),
        staple: Some(Staple::of(&[0x30, 3, 10, 1, 3])),
        sct_logs: vec!["11".repeat(32)],
        ..session(Some("TLSv1.2"), Some("reset"))
    };
    assert_eq!(facts(&seen), [Fact::Yes, Fact::Yes, Fact::Yes]);
}
