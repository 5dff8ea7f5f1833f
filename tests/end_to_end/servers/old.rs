//! SSL 2.0 and SSL 3.0, which no library of today speaks to.

use std::time::{Duration, Instant};

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Key, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::{old, undisturbed};
use serde_json::json;

use super::{Expected, no, pki, scan_all, yes};

#[test]
fn servers_of_ssl_2_and_of_ssl_3_alone_show_their_chain() {
    let home = Home::new();
    let (_, rsa) = pki(&home, &Order { key: Key::Rsa(1024), ..Order::server("old.lab.test") });
    let (two, three) = (old::ssl2(&rsa), old::ssl3(&rsa));
    let shown = |version: &str, suite: &str| {
        json!({
            "outcome": "shown", "version": version, "cipher_suite": suite, "group": null,
            "chain": [rsa.sha256()], "ended": null,
        })
    };
    let mut ssl2 = shown("SSLv2", "");
    // The client chooses in SSL 2.0.
    ssl2.as_object_mut().unwrap().remove("cipher_suite");
    let expected = [
        Expected { what: "SSL 2.0", place: two.place(), facts: ssl2 },
        Expected {
            what: "SSL 3.0",
            place: three.place(),
            facts: shown("SSLv3", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        },
    ];
    let inventory = scan_all(&home, "certificate", &[two.address(), three.address()], &expected);
    let findings = home.findings(crate::AS_OF);
    for server in [&two, &three] {
        let endpoint = facts::at(&inventory, "endpoint", &server.place());
        let rule = "endpoint.protocol-not-approved";
        assert_eq!(facts::outcome(&findings, rule, endpoint), "not-met", "{}", server.place());
    }
}

#[test]
fn their_posture_names_what_they_speak_and_nothing_else() {
    let _alone = undisturbed();
    let home = Home::new();
    let (_, rsa) = pki(&home, &Order { key: Key::Rsa(1024), ..Order::server("old.lab.test") });
    let (two, three) = (old::ssl2(&rsa), old::ssl3(&rsa));
    let nothing_else = |spoken: &str| {
        let mut versions = json!({});
        for name in ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
            versions[name] = json!({"offered": if name == spoken { yes() } else { no() }});
        }
        versions
    };
    let mut ssl2 = nothing_else("SSLv2");
    // In one exchange.
    ssl2["SSLv2"]["suites"] = json!({"complete": yes(), "accepted": [
        "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
        "SSL_CK_RC4_128_WITH_MD5",
        "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
    ]});
    let mut ssl3 = nothing_else("SSLv3");
    ssl3["SSLv3"]["preferred_suite"] = json!("TLS_RSA_WITH_3DES_EDE_CBC_SHA");
    let posture = |versions| json!({"outcome": "shown", "posture": {"versions": versions}});
    let expected = [
        Expected { what: "SSL 2.0", place: two.place(), facts: posture(ssl2) },
        Expected { what: "SSL 3.0", place: three.place(), facts: posture(ssl3) },
    ];
    let begin = Instant::now();
    scan_all(&home, "posture", &[two.address(), three.address()], &expected);
    // Nothing newer is spoken, so that there is little to ask.
    assert!(begin.elapsed() < Duration::from_secs(20), "it took {:?}", begin.elapsed());
    for server in [two, three] {
        assert!(server.visits().len() <= 40, "{} connections", server.visits().len());
    }
}
