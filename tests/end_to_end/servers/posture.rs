//! What many exchanges show: the depths `posture` and `suites`.

use std::collections::BTreeSet;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Issued, Key, Order, path};
use pkimm_tests::facts;
use pkimm_tests::servers::stand_in::NNTP;
use pkimm_tests::servers::{OpenSsl, RawServer, TlsServer, old, undisturbed};
use serde_json::{Value, json};

use super::{Expected, no, pki, scan_all, yes};

/// No posture may cost a server more than this.
const MOST_CONNECTIONS: usize = 40;

/// Scans each server to a depth, from behind something that counts, and compares the facts.
fn check(home: &Home, depth: &str, table: &[(&str, &Issued, OpenSsl<'_>, Value)]) -> Vec<Value> {
    let _alone = undisturbed();
    let servers: Vec<TlsServer> =
        table.iter().map(|(_, issued, options, _)| TlsServer::openssl(issued, options)).collect();
    let counting: Vec<RawServer> =
        servers.iter().map(|server| RawServer::before(&server.doors()[0])).collect();
    let expected: Vec<Expected<'_>> = counting
        .iter()
        .zip(table)
        .map(|(server, (what, _, _, facts))| Expected {
            what,
            place: server.place(),
            facts: facts.clone(),
        })
        .collect();
    let targets: Vec<String> = counting.iter().map(RawServer::address).collect();
    let inventory = scan_all(home, depth, &targets, &expected);
    for server in &counting {
        let endpoint = facts::at(&inventory, "endpoint", &server.place());
        let (told, counted) = (&endpoint["facts"]["connections"], server.visits().len());
        assert_eq!(*told, json!(counted), "what the server counted: {endpoint:#}");
        assert!(depth != "posture" || counted <= MOST_CONNECTIONS, "{counted} connections");
    }
    inventory
}

/// Facts of which one group is so.
fn all(names: &[(&str, Value)]) -> Value {
    names
        .iter()
        .map(|(name, fact)| ((*name).to_owned(), fact.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn a_modern_server_shows_versions_groups_and_habits() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let options = [
        "-no_tls1",
        "-no_tls1_1",
        "-groups",
        "X25519:P-256:P-521",
        "-alpn",
        "http/1.1",
        "-cipher",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "-ciphersuites",
        "TLS_AES_256_GCM_SHA384",
    ];
    let offered = |fact: Value| json!({"offered": fact});
    let mut versions = all(&[
        ("SSLv2", offered(no())),
        ("SSLv3", offered(no())),
        ("TLSv1.0", offered(no())),
        ("TLSv1.1", offered(no())),
    ]);
    versions["TLSv1.2"] = json!({
        "offered": yes(), "preferred_suite": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    });
    versions["TLSv1.3"] =
        json!({"offered": yes(), "preferred_suite": "TLS_AES_256_GCM_SHA384", "suites": null});
    let expected = json!({
        "outcome": "shown", "version": "TLSv1.3", "client_certificate": "not-asked",
        "posture": {
            "versions": versions,
            "groups": all(&[
                ("x25519", yes()), ("secp256r1", yes()), ("secp521r1", yes()),
                ("secp384r1", no()), ("x448", no()), ("ffdhe2048", no()),
                ("X25519MLKEM768", no()), ("SecP256r1MLKEM768", no()), ("MLKEM768", no()),
            ]),
            "alpn": {"http/1.1": yes(), "h2": no()},
            "deployments": {
                "ECDSA": {"offered": yes(), "chain": [leaf.sha256()]},
                "RSA": {"offered": no(), "chain": []},
                "EdDSA": offered(no()),
                "ML-DSA": offered(no()),
            },
            "resumption_id": yes(), "resumption_ticket": yes(), "early_data": no(),
            "secure_renegotiation": yes(), "extended_master_secret": yes(),
            "compression": no(), "fallback_scsv": yes(),
        },
    });
    check(&home, "posture", &[("OpenSSL", &leaf, &options, expected)]);
}

#[test]
fn old_versions_are_found_each_by_itself() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let old = ["-min_protocol", "TLSv1", "-max_protocol", "TLSv1.1", "-cipher", "ALL:@SECLEVEL=0"];
    let versions = |spoken: &[&str]| -> Value {
        let named = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"].map(|name| {
            let fact = if spoken.contains(&name) { yes() } else { no() };
            (name, json!({"offered": fact}))
        });
        json!({"posture": {"versions": all(&named)}})
    };
    let mut expected = versions(&["TLSv1.0", "TLSv1.1"]);
    expected["posture"]["groups"] = all(&[("X25519MLKEM768", no()), ("x25519", no())]);
    expected["posture"]["fallback_scsv"] = yes();
    expected["posture"]["extended_master_secret"] = yes();
    let no_ems = ["-tls1_2", "-cipher", "AES128-SHA256"];
    check(
        &home,
        "posture",
        &[
            ("TLS 1.0 and 1.1", &leaf, &old, expected),
            ("TLS 1.2 alone", &leaf, &no_ems, versions(&["TLSv1.2"])),
        ],
    );
}

#[test]
fn hybrids_of_tomorrow_are_offered_by_one_server_and_not_by_the_other() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let (new, old) = (RawServer::rustls(&leaf), TlsServer::openssl(&leaf, &["-tls1_2"]));
    let groups = |fact: Value| json!({"posture": {"groups": {"X25519MLKEM768": fact}}});
    let mut hybrid = groups(yes());
    hybrid["group"] = json!("X25519MLKEM768");
    hybrid["posture"]["groups"]["x25519"] = yes();
    hybrid["posture"]["groups"]["MLKEM1024"] = no();
    let expected = [
        Expected { what: "rustls", place: new.place(), facts: hybrid },
        Expected { what: "TLS 1.2", place: old.place(), facts: groups(no()) },
    ];
    let targets = [new.address(), old.address()];
    let inventory = scan_all(&home, "posture", &targets, &expected);
    let findings = home.findings(crate::AS_OF);
    for (place, outcome) in [(new.place(), "met"), (old.place(), "not-met")] {
        let endpoint = facts::at(&inventory, "endpoint", &place);
        let rule = "endpoint.key-exchange-classical-only";
        assert_eq!(facts::outcome(&findings, rule, endpoint), outcome, "{place}");
    }
}

#[test]
fn both_certificates_of_a_dual_server_are_in_the_inventory() {
    let home = Home::new();
    let (root, rsa) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let ecdsa = root.issue(&Order::server("www.lab.test"));
    let second = ["-dcert", path(&ecdsa.certificate), "-dkey", path(&ecdsa.key)];
    let dual = json!({"posture": {"deployments": {
        "RSA": {"offered": yes(), "chain": [rsa.sha256()]},
        "ECDSA": {"offered": yes(), "chain": [ecdsa.sha256()]},
        "EdDSA": {"offered": no(), "chain": []},
    }}});
    let versions = [["-tls1_2"], ["-tls1_3"]].map(|version| [&version[..], &second].concat());
    let table =
        [("TLS 1.2", &rsa, &versions[0][..], dual.clone()), ("TLS 1.3", &rsa, &versions[1], dual)];
    let inventory = check(&home, "posture", &table);
    for issued in [&rsa, &ecdsa] {
        let certificate = facts::with_digest(&inventory, "certificate", &issued.sha256());
        assert_eq!(facts::places(certificate).len(), 2, "seen at both");
    }
}

#[test]
fn whether_a_client_certificate_is_required_is_found_out() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    // Not who issued the server's own, or OpenSSL would add it to the chain.
    let clients = Authority::root(home.path(), "Lab Clients");
    let authority = path(&clients.own.certificate);
    let wants = |what: &str| {
        let names: &[&str] = if what == "not-asked" { &[] } else { &["O=Lab, CN=Lab Clients"] };
        json!({
            "client_certificate": what, "accepted_authorities": names, "chain": [leaf.sha256()],
        })
    };
    let mut options = Vec::new();
    for version in ["-tls1_2", "-tls1_3"] {
        for (how, what) in [("-Verify", "required"), ("-verify", "optional"), ("", "not-asked")] {
            let more = if how.is_empty() { vec![] } else { vec![how, "1", "-CAfile", authority] };
            options.push(([vec![version], more].concat(), format!("{what}, {version}"), what));
        }
    }
    let table: Vec<(&str, &Issued, OpenSsl<'_>, Value)> = options
        .iter()
        .map(|(options, name, what)| (name.as_str(), &leaf, &options[..], wants(what)))
        .collect();
    check(&home, "posture", &table);
}

#[test]
fn sessions_are_taken_up_again_where_the_server_lets_us() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let resumes = |id: Value, ticket: Value, early: Value| json!({"posture": {"resumption_id": id, "resumption_ticket": ticket, "early_data": early}});
    let none = ["-tls1_2", "-no_ticket", "-no_cache"];
    let ids = ["-tls1_2", "-no_ticket"];
    let tickets = ["-tls1_2", "-no_cache"];
    let unseen = json!({"value": "not-observed"});
    let early = ["-tls1_3", "-early_data", "-no_anti_replay"];
    check(
        &home,
        "posture",
        &[
            ("neither", &leaf, &none, resumes(no(), no(), no())),
            ("identifiers", &leaf, &ids, resumes(yes(), no(), no())),
            ("tickets", &leaf, &tickets, resumes(no(), yes(), no())),
            ("early data", &leaf, &early, resumes(unseen.clone(), yes(), yes())),
            (
                "no tickets in TLS 1.3",
                &leaf,
                &["-tls1_3", "-num_tickets", "0"],
                resumes(unseen, no(), no()),
            ),
        ],
    );
}

#[test]
fn suites_are_enumerated_and_whose_order_counts() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let three = "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384";
    let named = [
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    ];
    let two = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
    let server = ["-no_tls1", "-no_tls1_1", "-serverpref", "-cipher", three, "-ciphersuites", two];
    let client = ["-tls1_2", "-cipher", three];
    let ordered = json!({"posture": {"versions": {
        "TLSv1.2": {"offered": yes(), "preferred_suite": named[0], "suites": {
            "accepted": named, "complete": yes(), "server_order": yes(),
        }},
        "TLSv1.3": {"offered": yes(), "suites": {
            "accepted": ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"],
            "complete": yes(), "server_order": yes(),
        }},
    }}});
    let unordered = json!({"posture": {"versions": {"TLSv1.2": {"offered": yes(), "suites": {
        "complete": yes(), "server_order": no(),
    }}}}});
    let table = [("its order", &leaf, &server[..], ordered), ("ours", &leaf, &client, unordered)];
    let inventory = check(&home, "suites", &table);
    for endpoint in facts::of_kind(&inventory, "endpoint") {
        let suites = &endpoint["facts"]["posture"]["versions"]["TLSv1.2"]["suites"]["accepted"];
        let accepted: BTreeSet<&str> =
            suites.as_array().unwrap().iter().map(|suite| suite.as_str().unwrap()).collect();
        assert_eq!(accepted, named.into_iter().collect());
    }
}

#[test]
fn suites_of_an_old_server_are_all_found() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    // What it would take, as it says itself.
    let list = pkimm_tests::certificates::openssl(&[
        "ciphers",
        "-s",
        "-tls1",
        "-stdname",
        "aRSA:!PSK:!SRP:@SECLEVEL=0",
    ]);
    let known: BTreeSet<String> =
        list.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    assert!(known.len() > 8, "{list}");
    let options = ["-tls1", "-cipher", "aRSA:!PSK:!SRP:@SECLEVEL=0"];
    let complete = json!({"posture": {"versions": {"TLSv1.0": {"suites": {"complete": yes()}}}}});
    let inventory = check(&home, "suites", &[("TLS 1.0", &leaf, &options, complete)]);
    let endpoint = facts::of_kind(&inventory, "endpoint")[0];
    let suites = &endpoint["facts"]["posture"]["versions"]["TLSv1.0"]["suites"]["accepted"];
    let accepted: BTreeSet<String> =
        suites.as_array().unwrap().iter().map(|suite| suite.as_str().unwrap().to_owned()).collect();
    assert_eq!(accepted, known);
}

#[test]
fn two_scans_of_unchanged_servers_export_the_same_octets() {
    let home = Home::new();
    let (root, leaf) = pki(&home, &Order::server("www.lab.test"));
    let rsa = root.issue(&Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let second = ["-dcert", path(&rsa.certificate), "-dkey", path(&rsa.key)];
    let dual = TlsServer::openssl(&leaf, &second);
    let news = RawServer::talking("nntp", NNTP, Some(dual.doors()[0].address));
    let weak = TlsServer::openssl(&rsa, &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
    let (hybrid, oldest) = (RawServer::rustls(&leaf), old::ssl3(&rsa));
    let targets =
        [dual.address(), news.door().target(), weak.address(), hybrid.address(), oldest.address()];
    let mut arguments = vec!["scan", "--depth", "suites", "--as-of", crate::AS_OF];
    arguments.extend(targets.iter().flat_map(|target| ["--target", target.as_str()]));
    let exports = [Home::new(), Home::new()].map(|home| {
        let _ = home.agent(&arguments).expect_code(0);
        home.agent(&["inventory", "export", "--format", "jsonl"]).expect_code(0).stdout
    });
    for (one, other) in exports[0].lines().zip(exports[1].lines()) {
        assert_eq!(one, other);
    }
    assert!(exports[0] == exports[1]);
}
