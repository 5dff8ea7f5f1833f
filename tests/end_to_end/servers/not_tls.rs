//! What answers, but not in TLS, and what does not answer.

use std::time::Duration;

use pkimm_tests::agent::Home;
use pkimm_tests::facts;
use pkimm_tests::servers::{Manner, RawServer, free_port, own_address};
use serde_json::json;

/// Scans a server and insists on "no TLS" with this reason.
fn check_no_tls(manner: Manner, reason: &str) {
    let home = Home::new();
    let server = RawServer::start(manner);
    let _ = home.agent(&["scan", "--target", &server.address()]).expect_code(0);
    let inventory = home.inventory();
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    let expected = json!({"outcome": "no-tls", "reason": reason});
    facts::assert_facts("the endpoint", &endpoint["facts"], &expected);
}

/// Scans a place and insists on this gap, its sentence included.
fn check_gap(target: &str, reason: &str, detail: &str, code: i32) {
    let home = Home::new();
    home.write("quick.toml", "[tls]\ndeadline_secs = 2\nconnect_timeout_secs = 1\n");
    let arguments = ["scan", "--config", "quick.toml", "--target", target];
    let outcome = home.agent(&arguments).expect_code(code);
    assert!(outcome.took < Duration::from_secs(20), "one deadline a target: {:?}", outcome.took);
    let gaps = home.gaps();
    let expected = json!({
        "kind": "gap", "collector": "tls", "reason": reason, "detail": detail,
    });
    facts::assert_facts("the gap", facts::gap_at(&gaps, &format!("tls://{target}")), &expected);
    assert_eq!(home.inventory(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_banner_like_that_of_ssh_is_no_tls_and_is_quoted() {
    check_no_tls(
        Manner::Says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        "it said \"SSH-2.0-OpenSSH_9.2p1 Debian-2\"",
    );
}

#[test]
fn plain_http_is_no_tls_and_is_quoted() {
    check_no_tls(
        Manner::Answers(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
        "it said \"HTTP/1.1 400 Bad Request\"",
    );
}

#[test]
fn garbage_is_no_tls_and_is_quoted_in_hexadecimal() {
    check_no_tls(
        Manner::Says(b"\xde\xad\xbe\xef\x00\x01\x02\x03\x04\x05\x06\x07\x80\x81\x82\x83"),
        "it sent octets that are no TLS record: de ad be ef 00 01 02 03",
    );
}

#[test]
fn garbage_that_begins_like_tls_is_a_gap() {
    let home = Home::new();
    let server =
        RawServer::start(Manner::Says(&[0x16, 3, 3, 0, 4, 0xff, 0, 0, 0, 0x16, 3, 3, 0, 0]));
    let _ = home.agent(&["scan", "--target", &server.address()]).expect_code(3);
    let gaps = home.gaps();
    let gap = facts::gap_at(&gaps, &server.place());
    facts::assert_facts("the gap", gap, &json!({"reason": "handshake-failed"}));
    assert!(gap["detail"].as_str().unwrap().contains("breaks the protocol"), "{gap}");
}

#[test]
fn a_refused_port_is_a_gap_with_its_reason() {
    let address = free_port(own_address()).to_string();
    check_gap(&address, "refused", "nothing listens there", 3);
}

#[test]
fn a_silent_port_is_a_gap_at_its_deadline() {
    let server = RawServer::start(Manner::Silent);
    let detail = "connected, but no answer to our hello within 2 s";
    check_gap(&server.address(), "timed-out", detail, 3);
}

#[test]
fn a_port_that_closes_at_once_is_a_gap_with_its_reason() {
    let home = Home::new();
    let server = RawServer::start(Manner::Closes);
    let _ = home.agent(&["scan", "--target", &server.address()]).expect_code(3);
    let gaps = home.gaps();
    let gap = facts::gap_at(&gaps, &server.place());
    // Closed or reset: which one depends on whether our hello was on its way.
    facts::assert_facts("the gap", gap, &json!({"reason": "handshake-failed"}));
}

#[test]
fn a_name_without_an_address_is_a_gap() {
    let home = Home::new();
    // Reserved to stay unknown (RFC 6761, section 6.4).
    let _ = home.agent(&["scan", "--target", "nothing.invalid:443"]).expect_code(3);
    let gaps = home.gaps();
    let gap = facts::gap_at(&gaps, "tls://nothing.invalid:443?sni=nothing.invalid");
    let expected = json!({"reason": "name-not-resolved", "collector": "tls"});
    facts::assert_facts("the gap", gap, &expected);
}
