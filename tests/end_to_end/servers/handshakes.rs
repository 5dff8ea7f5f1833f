//! What one exchange shows of `openssl s_server` and its like in their variants: the default depth.

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, EXPIRED, Issued, Key, Order, path, sha256};
use pkimm_tests::facts;
use pkimm_tests::servers::{OpenSsl, TlsServer};
use serde_json::{Value, json};

use super::{Expected, pki, scan, scan_all};
use crate::AS_OF;

/// Starts a server for each line, scans them all at once and compares them field by field.
fn check(home: &Home, table: &[(&str, &Issued, OpenSsl<'_>, Value)]) -> Vec<Value> {
    let servers: Vec<TlsServer> =
        table.iter().map(|(_, issued, options, _)| TlsServer::openssl(issued, options)).collect();
    let targets: Vec<String> = servers.iter().map(TlsServer::address).collect();
    let expected: Vec<Expected<'_>> = servers
        .iter()
        .zip(table)
        .map(|(server, (what, issued, _, more))| {
            let mut facts = json!({"outcome": "shown", "chain": [issued.sha256()]});
            facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Expected { what, place: server.place(), facts }
        })
        .collect();
    scan_all(home, "certificate", &targets, &expected)
}

#[test]
fn every_version_alone_shows_version_suite_and_group() {
    let home = Home::new();
    let (_, ec) = pki(&home, &Order::server("www.lab.test"));
    const OLD: &str = "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0";
    let shown = |version, cipher_suite, group| {
        json!({
            "version": version, "cipher_suite": cipher_suite, "group": group, "alpn": null,
            "staple": null, "ended": null, "client_certificate": "not-asked", "posture": null,
            "connections": 1, "sct_logs": [], "accepted_authorities": [],
        })
    };
    let cbc = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA";
    // Whoever refuses the newest version costs a second connection.
    let older = |version| {
        let mut facts = shown(version, cbc, "secp256r1");
        facts.as_object_mut().unwrap().remove("connections");
        facts
    };
    let gcm = "ECDHE-ECDSA-AES256-GCM-SHA384";
    let chacha = "TLS_CHACHA20_POLY1305_SHA256";
    check(
        &home,
        &[
            ("TLS 1.0", &ec, &["-tls1", "-cipher", OLD, "-groups", "P-256"], older("TLSv1.0")),
            ("TLS 1.1", &ec, &["-tls1_1", "-cipher", OLD, "-groups", "P-256"], older("TLSv1.1")),
            (
                "TLS 1.2",
                &ec,
                &["-tls1_2", "-cipher", gcm, "-groups", "P-384"],
                shown("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "secp384r1"),
            ),
            (
                "TLS 1.3",
                &ec,
                &["-tls1_3", "-ciphersuites", chacha, "-groups", "X25519"],
                shown("TLSv1.3", chacha, "x25519"),
            ),
        ],
    );
}

#[test]
fn suites_that_libraries_of_today_no_longer_offer_show_their_chain() {
    let home = Home::new();
    let (root, rsa) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let short = root.issue(&Order { key: Key::Rsa(1024), ..Order::server("www.lab.test") });
    let tiny = root.issue(&Order { key: Key::Rsa(512), ..Order::server("www.lab.test") });
    let old = root.issue(&Order { validity: EXPIRED, ..Order::server("www.lab.test") });
    let weak =
        root.issue(&Order { hash: "sha1", key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let tls12 = |cipher_suite: &str, group: Option<&str>| {
        json!({
            "version": "TLSv1.2", "cipher_suite": cipher_suite, "group": group, "ended": null,
            "client_certificate": "not-asked",
        })
    };
    let any_group = |cipher_suite: &str| json!({"cipher_suite": cipher_suite, "ended": null});
    let low = "AES128-SHA:@SECLEVEL=0";
    let static_rsa = "TLS_RSA_WITH_AES_128_CBC_SHA";
    check(
        &home,
        &[
            (
                "static RSA",
                &rsa,
                &["-tls1_2", "-cipher", "AES256-GCM-SHA384"],
                tls12("TLS_RSA_WITH_AES_256_GCM_SHA384", None),
            ),
            (
                "DHE",
                &rsa,
                &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
                any_group("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
            ),
            (
                "CBC",
                &rsa,
                &["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384", "-groups", "P-521"],
                tls12("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Some("secp521r1")),
            ),
            (
                "Camellia",
                &rsa,
                &["-tls1_2", "-cipher", "DHE-RSA-CAMELLIA256-SHA"],
                any_group("TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
            ),
            (
                "no encryption",
                &rsa,
                &["-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"],
                tls12("TLS_RSA_WITH_NULL_SHA256", None),
            ),
            ("RSA-1024", &short, &["-tls1_2", "-cipher", low], tls12(static_rsa, None)),
            ("RSA-512", &tiny, &["-tls1_2", "-cipher", low], tls12(static_rsa, None)),
            (
                "RSA-512, though TLS 1.3 is offered",
                &tiny,
                &["-cipher", low],
                json!({"version": "TLSv1.2"}),
            ),
            ("SHA-1", &weak, &["-tls1", "-cipher", low], json!({"version": "TLSv1.0"})),
            ("expired", &old, &["-tls1_3"], json!({"version": "TLSv1.3"})),
        ],
    );
}

#[test]
fn triple_des_and_rc4_of_another_library_show_their_chain() {
    let home = Home::new();
    let (_, rsa) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("ldap.lab.test") });
    let common = "+RSA:+SHA1:+COMP-NULL:+SIGN-ALL:+CTYPE-X509";
    let [triple, rc4] = ["+VERS-TLS1.2:+3DES-CBC", "+VERS-TLS1.0:+ARCFOUR-128"]
        .map(|own| TlsServer::slapd(&rsa, &format!("NONE:{own}:{common}")));
    let shown = |version, cipher_suite| {
        json!({
            "outcome": "shown", "chain": [rsa.sha256()], "version": version,
            "cipher_suite": cipher_suite, "group": null,
        })
    };
    let mut expected = Vec::new();
    let mut targets = Vec::new();
    for (what, server, facts) in [
        ("3DES", &triple, shown("TLSv1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")),
        ("RC4", &rc4, shown("TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA")),
    ] {
        // Inside of StartTLS as well as alone.
        for door in server.doors() {
            targets.push(door.target());
            expected.push(Expected { what, place: door.place(), facts: facts.clone() });
        }
    }
    scan_all(&home, "certificate", &targets, &expected);
}

#[test]
fn a_group_that_the_server_insists_on_is_met_in_a_second_round() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let tls13 = |group| json!({"version": "TLSv1.3", "group": group, "ended": null});
    check(
        &home,
        &[
            ("P-256", &leaf, &["-tls1_3", "-groups", "P-256"], tls13("secp256r1")),
            ("P-384", &leaf, &["-tls1_3", "-groups", "P-384"], tls13("secp384r1")),
            ("P-521", &leaf, &["-tls1_3", "-groups", "P-521"], tls13("secp521r1")),
        ],
    );
}

#[test]
fn a_group_that_we_cannot_compute_still_shows_the_server() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    // TLS 1.2 shows the chain before anything has to be computed.
    let both = TlsServer::openssl(&leaf, &["-groups", "X448"]);
    let alone = TlsServer::openssl(&leaf, &["-tls1_3", "-groups", "X448"]);
    let expected = [
        Expected {
            what: "X448 and TLS 1.2",
            place: both.place(),
            facts: json!({"outcome": "shown", "chain": [leaf.sha256()]}),
        },
        Expected {
            what: "X448 alone",
            place: alone.place(),
            facts: json!({"outcome": "declined"}),
        },
    ];
    let inventory = scan_all(&home, "certificate", &[both.address(), alone.address()], &expected);
    let endpoint = facts::at(&inventory, "endpoint", &alone.place());
    let alert = endpoint["facts"]["alert"].as_str().unwrap_or_default();
    assert!(alert.contains("x448"), "it says why there is no chain: {endpoint:#}");
}

#[test]
fn one_exchange_does_not_tell_what_else_a_server_would_take() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let server = TlsServer::openssl(&leaf, &["-tls1_3", "-groups", "X25519"]);
    for (depth, protocol) in [("certificate", "unknown"), ("posture", "met")] {
        let arguments = ["scan", "--depth", depth, "--target", &server.address()];
        let _ = home.agent(&arguments).expect_code(0);
        let inventory = home.inventory();
        let findings = home.findings(AS_OF);
        let endpoint = facts::at(&inventory, "endpoint", &server.place());
        let outcome = |rule| facts::outcome(&findings, rule, endpoint);
        assert_eq!(outcome("endpoint.protocol-not-approved"), protocol, "{depth}");
        assert_eq!(outcome("endpoint.key-exchange-classical-only"), "not-met", "{depth}");
    }
}

#[test]
fn tls_1_1_alone_is_a_finding() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let server = TlsServer::openssl(&leaf, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let inventory = scan(&home, &server, &[&leaf], json!({"version": "TLSv1.1"}));
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    let findings = home.findings(AS_OF);
    assert_eq!(facts::outcome(&findings, "endpoint.protocol-not-approved", endpoint), "not-met");
    assert_eq!(home.gaps(), Vec::<Value>::new(), "an answer is no gap");
}

#[test]
fn the_protocol_that_the_server_prefers_is_shown_as_alpn() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let alpn = |chosen: &str| json!({"alpn": chosen});
    check(
        &home,
        &[
            ("TLS 1.3", &leaf, &["-tls1_3", "-alpn", "http/1.1,h2"], alpn("http/1.1")),
            ("TLS 1.2", &leaf, &["-tls1_2", "-alpn", "h2,http/1.1"], alpn("h2")),
            ("another", &leaf, &["-tls1_2", "-alpn", "other"], json!({"alpn": null})),
        ],
    );
}

#[test]
fn a_stapled_response_is_read_with_its_times() {
    let home = Home::new();
    let (root, leaf) = pki(&home, &Order::server("www.lab.test"));
    let response = root.good_response(&leaf);
    let octets = std::fs::read(&response).unwrap();
    let staple = json!({"staple": {
        "length": octets.len(), "sha256": sha256(&octets), "status": "good", "detail": null,
        "revoked_at": null,
    }});
    let file = ["-status_file", path(&response)];
    let versions = ["-tls1_2", "-tls1_3"].map(|version| [&[version][..], &file].concat());
    let table = [
        ("TLS 1.2", &leaf, &versions[0][..], staple.clone()),
        ("TLS 1.3", &leaf, &versions[1], staple),
    ];
    for endpoint in facts::of_kind(&check(&home, &table), "endpoint") {
        let staple = &endpoint["facts"]["staple"];
        let time = |name: &str| staple[name].as_str().unwrap_or_default().to_owned();
        // Made a moment ago, for ten years.
        assert!(time("this_update") <= time("produced_at"), "{staple:#}");
        assert!(time("produced_at") < time("next_update"), "{staple:#}");
    }
}

#[test]
fn a_server_that_wants_a_client_certificate_shows_its_own_and_whose_it_accepts() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    // Not who issued the server's own, or OpenSSL would add it to the chain.
    let clients = Authority::root(home.path(), "Lab Clients");
    let authority = path(&clients.own.certificate);
    let asked = |version: &str| {
        json!({
            "version": version, "client_certificate": "asked",
            "accepted_authorities": ["O=Lab, CN=Lab Clients"], "ended": null,
        })
    };
    let required = ["-Verify", "1", "-CAfile", authority];
    let optional = ["-verify", "1", "-CAfile", authority];
    let [new, old, newly, oldly] = [
        [&["-tls1_3"][..], &required],
        [&["-tls1_2"][..], &required],
        [&["-tls1_3"][..], &optional],
        [&["-tls1_2"][..], &optional],
    ]
    .map(|options| options.concat());
    check(
        &home,
        &[
            ("required, TLS 1.3", &leaf, &new, asked("TLSv1.3")),
            ("required, TLS 1.2", &leaf, &old, asked("TLSv1.2")),
            ("optional, TLS 1.3", &leaf, &newly, asked("TLSv1.3")),
            ("optional, TLS 1.2", &leaf, &oldly, asked("TLSv1.2")),
        ],
    );
}
