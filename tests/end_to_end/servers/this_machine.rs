//! `run` without any configuration.

use std::fs;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::Order;
use pkimm_tests::facts;
use pkimm_tests::servers::{TlsServer, disturbing};
use serde_json::json;

use super::pki;
use crate::files::certificates_in_the_trust_store_of_this_machine;

#[test]
fn a_run_without_configuration_sees_this_machine_and_what_listens_on_loopback() {
    let _alone = disturbing();
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let server = TlsServer::openssl(&leaf, &[]);
    let _ = home.agent(&["run"]).expect_code(0);

    let inventory = home.inventory();
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    let expected = json!({"outcome": "shown", "chain": [leaf.sha256()]});
    facts::assert_facts("the server", &endpoint["facts"], &expected);
    let store = facts::at(&inventory, "trust-store", "file:///etc/ssl/certs/ca-certificates.crt");
    let members = store["facts"]["members"].as_array().unwrap();
    assert_eq!(members.len(), certificates_in_the_trust_store_of_this_machine());
    for file in ["index.html", "assessment.json", "answers.yaml", "store.sqlite"] {
        let size = fs::metadata(home.path().join("pkimm-report").join(file)).unwrap().len();
        assert!(size > 1000, "{file} has {size} octets");
    }
    // Roots that others run are no business of this machine's expiry figures.
    let findings = home.findings(crate::AS_OF);
    let about_members = findings.iter().filter(|finding| {
        finding["rule"].as_str().unwrap().starts_with("cert.exp")
            && finding["outcome"] != "not-applicable"
            && members.iter().any(|member| {
                finding["asset"] == format!("certificate:{}", member.as_str().unwrap())
            })
    });
    assert_eq!(about_members.count(), 0);
}
