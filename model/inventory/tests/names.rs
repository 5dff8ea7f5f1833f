//! Which hosts a certificate names, which logs it was sent to, and the words for facts.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::{Certificate, ClientCertificate, Fact, RevocationStatus, Time, sct_log_ids};
use proptest::prelude::*;
use rcgen::{CertificateParams, CustomExtension, DnType, KeyPair, SanType};

fn certificate(params: &CertificateParams) -> Certificate {
    let key = KeyPair::generate().unwrap();
    Certificate::parse(params.self_signed(&key).unwrap().der().to_vec()).unwrap()
}

/// Asks a certificate for this DNS name or IP address about a host.
fn check(listed: &str, host: &str, expected: bool) {
    let listed_names = vec![listed.to_owned()];
    let certificate = certificate(&CertificateParams::new(listed_names).unwrap());
    assert_eq!(certificate.names_host(host), expected, "{listed} for {host}");
}

#[test]
fn dns_names_are_compared_in_any_case() {
    check("WWW.example.org", "www.EXAMPLE.org", true);
    check("*.Example.org", "www.eXample.org", true);
    check("www.example.org", "www.example.com", false);
    check("www.example.org", "ww.example.org", false);
    check("example.org", "www.example.org", false);
}

#[test]
fn a_wildcard_stands_for_exactly_one_label() {
    check("*.example.org", "www.example.org", true);
    check("*.example.org", "a.b.example.org", false);
    check("*.example.org", "example.org", false);
    check("*.example.org", ".example.org", false);
    check("*.example.org", "*.example.org", false);
}

#[test]
fn a_wildcard_is_the_whole_left_most_label() {
    check("w*.example.org", "www.example.org", false);
    check("*w.example.org", "www.example.org", false);
    check("www.*.org", "www.example.org", false);
    check("*.*.org", "www.example.org", false);
    check("*", "localhost", false);
}

#[test]
fn one_trailing_dot_of_the_host_does_not_count() {
    check("www.example.org", "www.example.org.", true);
    check("*.example.org", "www.example.org.", true);
    check("www.example.org", "www.example.org..", false);
    check("*.example.org", "example.org.", false);
    check("www.example.org", "", false);
    check("www.example.org", ".", false);
}

#[test]
fn ip_addresses_are_compared_as_addresses() {
    check("192.0.2.1", "192.0.2.1", true);
    check("192.0.2.1", "192.0.2.2", false);
    check("2001:db8::1", "2001:0DB8:0:0::0001", true);
    check("2001:db8::1", "[2001:db8::1]", true);
    check("2001:db8::1", "2001:db8::2", false);
    // 192.0.2.1 in IPv6 is another address.
    check("192.0.2.1", "::ffff:192.0.2.1", false);
}

#[test]
fn an_ip_address_is_never_a_dns_name() {
    for listed in ["192.0.2.1", "*.0.2.1"] {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::DnsName(listed.try_into().unwrap())];
        assert!(!certificate(&params).names_host("192.0.2.1"), "{listed}");
    }
}

#[test]
fn the_common_name_never_counts() {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "www.example.org");
    let alone = certificate(&params);
    assert_eq!(alone.subject.common_name.as_deref(), Some("www.example.org"));
    assert!(!alone.names_host("www.example.org"));
}

#[test]
fn other_kinds_of_names_do_not_count() {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![
        SanType::Rfc822Name("www.example.org".try_into().unwrap()),
        SanType::URI("www.example.org".try_into().unwrap()),
    ];
    assert!(!certificate(&params).names_host("www.example.org"));
}

#[test]
fn any_of_the_names_will_do() {
    let names = vec!["a.example".to_owned(), "192.0.2.1".to_owned(), "b.example".to_owned()];
    let several = certificate(&CertificateParams::new(names).unwrap());
    assert!(["a.example", "192.0.2.1", "b.example"].iter().all(|host| several.names_host(host)));
}

fn timestamp(version: u8, log: u8) -> Vec<u8> {
    let body = [&[version][..], &[log; 32], &[0; 8], &[0, 0], &[4, 3, 0, 2, 9, 9]].concat();
    with_length(&body)
}

fn with_length(octets: &[u8]) -> Vec<u8> {
    [&u16::try_from(octets.len()).unwrap().to_be_bytes()[..], octets].concat()
}

#[test]
fn a_list_of_timestamps_tells_its_logs_in_order() {
    let list = with_length(&[timestamp(0, 0xbb), timestamp(0, 0xaa), timestamp(0, 0xbb)].concat());
    assert_eq!(sct_log_ids(&list), ["bb".repeat(32), "aa".repeat(32), "bb".repeat(32)]);
}

#[test]
fn timestamps_of_versions_to_come_are_left_out() {
    let list = with_length(&[timestamp(1, 1), timestamp(0, 2), with_length(&[9])].concat());
    assert_eq!(sct_log_ids(&list), ["02".repeat(32)]);
}

#[test]
fn octets_that_are_no_list_of_timestamps_give_nothing() {
    let whole = with_length(&timestamp(0, 1));
    for nonsense in [
        Vec::new(),
        vec![0],
        vec![0, 0],
        timestamp(0, 1),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], &[0]].concat(),
        with_length(&with_length(&[0; 33])),
        with_length(&[&timestamp(0, 1)[..], &[0]].concat()),
        b"HTTP/1.1 400 Bad Request".to_vec(),
    ] {
        assert_eq!(sct_log_ids(&nonsense), Vec::<String>::new(), "{nonsense:?}");
    }
}

#[test]
fn a_certificate_tells_the_logs_of_its_timestamps() {
    let list = with_length(&[timestamp(1, 3), timestamp(0, 1), timestamp(0, 2)].concat());
    let value = [&[0x04, 0x81, u8::try_from(list.len()).unwrap()][..], &list].concat();
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let oid = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
    params.custom_extensions.push(CustomExtension::from_oid_content(&oid, value));
    assert_eq!(certificate(&params).sct_logs, ["01".repeat(32), "02".repeat(32)]);
    params.custom_extensions.clear();
    assert!(certificate(&params).sct_logs.is_empty());
}

proptest! {
    #[test]
    fn hosts_and_lists_of_any_kind_never_panic(
        host in ".{0,20}",
        list in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        static NAMED: std::sync::LazyLock<Certificate> = std::sync::LazyLock::new(|| {
            let names = vec!["*.example.org".to_owned(), "192.0.2.1".to_owned()];
            certificate(&CertificateParams::new(names).unwrap())
        });
        prop_assert!(!NAMED.names_host(&host) || host.contains("192.0.2.1"), "{}", host);
        prop_assert!(sct_log_ids(&list).len() <= list.len() / 49);
    }
}

#[test]
fn the_words_of_facts_are_those_they_are_written_with() {
    let word = |json: serde_json::Value| match json {
        serde_json::Value::String(word) => word,
        serde_json::Value::Object(map) => map.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    };
    for fact in [Fact::Yes, Fact::No, Fact::NotObserved("why".to_owned())] {
        assert_eq!(word(serde_json::to_value(&fact).unwrap()), fact.name());
    }
    let revoked = RevocationStatus::Revoked { at: Time(0), reason: None };
    for status in [RevocationStatus::Good, revoked, RevocationStatus::Unknown] {
        assert_eq!(word(serde_json::to_value(&status).unwrap()), status.name());
    }
    use ClientCertificate::{Asked, NotAsked, NotObserved, Optional, Required};
    for wanted in [NotObserved, NotAsked, Asked, Optional, Required] {
        assert_eq!(word(serde_json::to_value(wanted).unwrap()), wanted.name());
    }
}
