//! Chains are kept whatever is wrong with them.

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, EXPIRED, Issued, Key, Order, Profile, VALID};
use pkimm_tests::facts;
use pkimm_tests::servers::TlsServer;
use serde_json::{Value, json};

use super::{pki, scan};
use crate::AS_OF;

/// Serves a certificate, insists on its facts in the inventory and on what rules say about it.
fn check(leaf: &Issued, home: &Home, options: &[&str], expected: &Value, rules: &[(&str, &str)]) {
    let server = TlsServer::openssl(leaf, options);
    let inventory = scan(home, &server, &[leaf], json!({"ended": null}));
    let certificate = facts::with_digest(&inventory, "certificate", &leaf.sha256());
    facts::assert_facts("the certificate", &certificate["facts"], expected);
    let findings = home.findings(AS_OF);
    for (rule, outcome) in rules {
        assert_eq!(facts::outcome(&findings, rule, certificate), *outcome, "{rule}");
    }
}

#[test]
fn a_certificate_without_faults_has_all_its_facts() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let expected = json!({
        "version": 3,
        "subject": {"text": "CN=www.lab.test", "common_name": "www.lab.test", "organisation": null},
        "issuer": {"text": "O=Lab, CN=Lab Root", "common_name": "Lab Root", "organisation": "Lab"},
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2036-01-01T00:00:00Z",
        "names": [{"form": "dns", "value": "www.lab.test"}],
        "key": {"name": "EC", "bits": 256, "curve": "P-256", "label": "P-256"},
        "spki_sha256": leaf.spki_sha256(),
        "signature": {"name": "ecdsa-with-SHA256", "hash": "SHA-256"},
        "is_ca": false,
        "self_signed": false,
        "encoding_length": leaf.der().len(),
    });
    let rules = [
        ("cert.expired-in-service", "met"),
        ("cert.not-yet-valid-in-service", "met"),
        ("cert.signature-weak", "met"),
        ("cert.algorithm-not-approved", "met"),
        ("cert.names-in-common-name-only", "met"),
        ("cert.self-signed-in-service", "met"),
        // Ten years, for a certificate that begins when 398 days are the limit.
        ("cert.lifetime-over-limit", "not-met"),
    ];
    check(&leaf, &home, &[], &expected, &rules);
}

#[test]
fn an_expired_certificate_is_kept_and_a_finding() {
    let home = Home::new();
    let order = Order { validity: EXPIRED, ..Order::server("old.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let expected = json!({"not_after": "2025-01-01T00:00:00Z"});
    check(&leaf, &home, &[], &expected, &[("cert.expired-in-service", "not-met")]);
}

#[test]
fn an_expired_certificate_in_service_fails_a_run_that_is_told_to_fail_on_it() {
    let home = Home::new();
    let order = Order { validity: EXPIRED, ..Order::server("old.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let server = TlsServer::openssl(&leaf, &[]);
    let address = server.address();
    for (fail_on, code) in [("nothing", 0), ("contradicted", 0), ("must-not", 1), ("not-met", 1)] {
        let arguments = ["run", "--target", &address, "--fail-on", fail_on];
        let outcome = home.agent(&arguments).expect_code(code);
        assert!(outcome.stdout.contains("cert.expired-in-service"), "{}", outcome.stdout);
    }
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_kept_and_a_finding() {
    let home = Home::new();
    let validity = ("20300101000000Z", VALID.1);
    let order = Order { validity, ..Order::server("early.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let expected = json!({"not_before": "2030-01-01T00:00:00Z"});
    check(&leaf, &home, &[], &expected, &[("cert.not-yet-valid-in-service", "not-met")]);
}

#[test]
fn a_certificate_signed_with_sha_1_is_kept_and_a_finding() {
    let home = Home::new();
    let order = Order { hash: "sha1", ..Order::server("weak.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let expected = json!({"signature": {"name": "ecdsa-with-SHA1", "hash": "SHA-1"}});
    let rules = [("cert.signature-weak", "not-met"), ("cert.algorithm-not-approved", "not-met")];
    check(&leaf, &home, &["-cipher", "ALL:@SECLEVEL=0"], &expected, &rules);
}

#[test]
fn a_certificate_with_a_key_of_rsa_1024_is_kept_and_a_finding() {
    let home = Home::new();
    let order = Order { key: Key::Rsa(1024), ..Order::server("short.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let expected =
        json!({"key": {"name": "RSA", "bits": 1024, "curve": null, "label": "RSA-1024"}});
    let rules = [("cert.algorithm-not-approved", "not-met"), ("cert.signature-weak", "met")];
    check(&leaf, &home, &["-cipher", "DEFAULT:@SECLEVEL=0"], &expected, &rules);
}

#[test]
fn a_self_signed_certificate_is_kept_and_a_finding() {
    let home = Home::new();
    let leaf = Issued::self_signed(home.path(), &Order::server("self.lab.test"));
    let expected = json!({
        "self_signed": true,
        "issuer": {"text": "CN=self.lab.test"},
        "subject": {"text": "CN=self.lab.test"},
    });
    check(&leaf, &home, &[], &expected, &[("cert.self-signed-in-service", "not-met")]);
}

#[test]
fn an_x509_v1_certificate_is_kept_and_its_name_found_in_the_common_name_only() {
    let home = Home::new();
    let order =
        Order { profile: Profile::Version1, names: Vec::new(), ..Order::server("v1.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let expected = json!({"version": 1, "names": [], "is_ca": null, "eku": []});
    check(&leaf, &home, &[], &expected, &[("cert.names-in-common-name-only", "not-met")]);
}

#[test]
fn a_chain_with_intermediates_is_kept_in_the_order_in_which_it_is_presented() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let (policy, issuing) = {
        let policy = root.subordinate("Lab Policy CA");
        let issuing = policy.subordinate("Lab Issuing CA");
        (policy, issuing)
    };
    let leaf = issuing.issue(&Order::server("deep.lab.test"));
    for version in ["-tls1_2", "-tls1_3"] {
        let server = TlsServer::openssl(&leaf, &[version]);
        let chain = [&leaf, &issuing.own, &policy.own];
        let inventory = scan(&home, &server, &chain, json!({"ended": null}));
        let above = facts::with_digest(&inventory, "certificate", &issuing.own.sha256());
        let expected = json!({
            "is_ca": true,
            "subject": {"common_name": "Lab Issuing CA"},
            "issuer": {"common_name": "Lab Policy CA"},
        });
        facts::assert_facts("the CA", &above["facts"], &expected);
        assert_eq!(facts::of_kind(&inventory, "certificate").len(), 3, "the root is not presented");
    }
}
