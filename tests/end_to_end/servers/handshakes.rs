//! What is negotiated with real servers.

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Issued, Key, Order, path, sha256};
use pkimm_tests::facts;
use pkimm_tests::servers::TlsServer;
use serde_json::json;

use super::{pki, scan};
use crate::AS_OF;

#[test]
fn tls_1_2_shows_version_suite_and_group() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let options = ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", "-groups", "P-256"];
    let server = TlsServer::openssl(&leaf, &options);
    let expected = json!({
        "version": "TLSv1.2",
        "cipher_suite": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "group": "secp256r1",
        "alpn": null,
        "staple": null,
        "ended": null,
    });
    scan(&home, &server, &[&leaf], expected);
}

#[test]
fn tls_1_3_shows_version_suite_and_group() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let options = ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "-groups", "X25519"];
    let server = TlsServer::openssl(&leaf, &options);
    let expected = json!({
        "version": "TLSv1.3",
        "cipher_suite": "TLS_CHACHA20_POLY1305_SHA256",
        "group": "x25519",
        "alpn": null,
        "staple": null,
        "ended": null,
    });
    let inventory = scan(&home, &server, &[&leaf], expected);
    let findings = home.findings(AS_OF);
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    assert_eq!(facts::outcome(&findings, "endpoint.protocol-not-approved", endpoint), "met");
    let quantum = facts::outcome(&findings, "endpoint.key-exchange-classical-only", endpoint);
    assert_eq!(quantum, "not-met");
}

#[test]
fn the_protocol_that_the_server_prefers_is_shown_as_alpn() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let server = TlsServer::openssl(&leaf, &["-alpn", "http/1.1,h2"]);
    scan(&home, &server, &[&leaf], json!({"alpn": "http/1.1"}));
}

#[test]
fn a_stapled_response_is_kept_by_length_and_digest() {
    let home = Home::new();
    let (root, leaf) = pki(&home, &Order::server("www.lab.test"));
    let response = root.good_response(&leaf);
    let octets = std::fs::read(&response).unwrap();
    let staple = json!({"staple": {"length": octets.len(), "sha256": sha256(&octets)}});
    for version in ["-tls1_2", "-tls1_3"] {
        let server = TlsServer::openssl(&leaf, &[version, "-status_file", path(&response)]);
        scan(&home, &server, &[&leaf], staple.clone());
    }
}

#[test]
fn a_server_that_requires_a_client_certificate_still_shows_its_own() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    for (version, written) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let server = TlsServer::openssl(&leaf, &[version, "-Verify", "1"]);
        let inventory = scan(&home, &server, &[&leaf], json!({"version": written}));
        let endpoint = facts::at(&inventory, "endpoint", &server.place());
        let ended = endpoint["facts"]["ended"].as_str().unwrap_or_default();
        assert!(ended.contains("asked for a client certificate"), "{endpoint:#}");
    }
}

#[test]
fn tls_1_1_alone_is_a_declined_offer_and_a_finding() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let server = TlsServer::openssl(&leaf, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let _ = home.agent(&["scan", "--target", &server.address()]).expect_code(0);
    let inventory = home.inventory();
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    let declined = json!({
        "outcome": "declined",
        "alert": "protocol_version",
        "offered_versions": ["TLSv1.3", "TLSv1.2"],
    });
    facts::assert_facts("the endpoint", &endpoint["facts"], &declined);
    let findings = home.findings(AS_OF);
    assert_eq!(facts::outcome(&findings, "endpoint.protocol-not-approved", endpoint), "not-met");
    assert_eq!(home.gaps(), Vec::<serde_json::Value>::new(), "an answer is no gap");
}

#[test]
fn a_server_with_two_certificates_shows_one_of_them_whole() {
    let home = Home::new();
    let order = Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") };
    let (root, rsa) = pki(&home, &order);
    let ecdsa = root.issue(&Order::server("www.lab.test"));
    let second = ["-dcert", path(&ecdsa.certificate), "-dkey", path(&ecdsa.key)];
    for version in ["-tls1_2", "-tls1_3"] {
        let server = TlsServer::openssl(&rsa, &[&[version][..], &second].concat());
        let _ = home.agent(&["scan", "--target", &server.address()]).expect_code(0);
        let inventory = home.inventory();
        let endpoint = facts::at(&inventory, "endpoint", &server.place());
        facts::assert_facts("the endpoint", &endpoint["facts"], &json!({"outcome": "shown"}));
        let shown = |issued: &Issued| endpoint["facts"]["chain"] == json!([issued.sha256()]);
        assert!(shown(&rsa) || shown(&ecdsa), "{endpoint:#}");
    }
}
