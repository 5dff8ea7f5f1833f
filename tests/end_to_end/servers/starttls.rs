//! Protocols that begin in the clear, spoken by the servers that people run. What each is expected
//! to show was read off with `openssl s_client -starttls`.

use std::net::SocketAddr;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Issued, Key, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::stand_in::{NNTP, NNTP_IN_THE_CLEAR};
use pkimm_tests::servers::{Door, RawServer, TlsServer, free_port, own_address};
use serde_json::{Value, json};

use super::{Expected, pki, scan_all};

/// Scans every door and insists on TLS with this certificate and, door by door, on these facts.
fn check(home: &Home, doors: &[Door], leaf: &Issued, expected: &[Value]) {
    assert_eq!(doors.len(), expected.len());
    let targets: Vec<String> = doors.iter().map(Door::target).collect();
    let expected: Vec<Expected<'_>> = doors
        .iter()
        .zip(expected)
        .map(|(door, more)| {
            let mut facts = json!({"outcome": "shown", "chain": [leaf.sha256()], "ended": null});
            facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Expected { what: door.opening.unwrap_or("tls"), place: door.place(), facts }
        })
        .collect();
    let inventory = scan_all(home, "certificate", &targets, &expected);
    let seen = facts::places(facts::with_digest(&inventory, "certificate", &leaf.sha256())).len();
    assert_eq!(seen, doors.len(), "the certificate has a sighting a door");
}

/// Scans every door and insists that it offers no TLS, which is an answer and not a gap.
fn check_clear(doors: &[Door]) {
    let home = Home::new();
    let targets: Vec<String> = doors.iter().map(Door::target).collect();
    let no_tls = |door: &Door| Expected {
        what: door.opening.unwrap_or("tls"),
        place: door.place(),
        facts: json!({"outcome": "no-tls"}),
    };
    let expected: Vec<Expected<'_>> = doors.iter().map(no_tls).collect();
    let inventory = scan_all(&home, "certificate", &targets, &expected);
    assert_eq!(home.gaps(), Vec::<Value>::new());
    assert_eq!(inventory.len(), doors.len(), "nothing but endpoints");
    for endpoint in inventory {
        let reason = endpoint["facts"]["reason"].as_str().unwrap_or_default();
        assert!(reason.len() > 10, "it says what the server said instead: {endpoint:#}");
    }
}

/// TLS 1.3 with a group, and whether a certificate of the client is asked for.
fn tls13(group: &str, client_certificate: &str) -> Value {
    json!({"version": "TLSv1.3", "group": group, "client_certificate": client_certificate})
}

#[test]
fn smtp_by_exim_shows_its_chain_inside_of_starttls() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("mail.lab.test"));
    let server = TlsServer::exim(Some(&leaf));
    check(&home, server.doors(), &leaf, &[tls13("x25519", "not-asked")]);
}

#[test]
fn imap_pop3_sieve_lmtp_and_submission_by_dovecot_show_their_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("mail.lab.test"));
    let server = TlsServer::dovecot(Some(&leaf));
    let expected = vec![tls13("x25519", "not-asked"); server.doors().len()];
    check(&home, server.doors(), &leaf, &expected);
}

#[test]
fn ldap_and_ldaps_by_slapd_show_their_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("ldap.lab.test"));
    let server = TlsServer::slapd(&leaf, "NORMAL");
    check(
        &home,
        server.doors(),
        &leaf,
        &[tls13("x25519", "not-asked"), tls13("x25519", "not-asked")],
    );
}

#[test]
fn postgres_and_mysql_show_their_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("db.lab.test"));
    let (postgres, mariadb) = (TlsServer::postgres(Some(&leaf)), TlsServer::mariadb(Some(&leaf)));
    let doors = [postgres.doors(), mariadb.doors()].concat();
    // PostgreSQL keeps to one curve, so that there is a second round.
    check(&home, &doors, &leaf, &[tls13("secp256r1", "not-asked"), tls13("x25519", "asked")]);
}

#[test]
fn mssql_shows_its_chain_inside_of_tds() {
    let home = Home::new();
    let order = Order { key: Key::Rsa(2048), ..Order::server("sql.lab.test") };
    let (_, leaf) = pki(&home, &order);
    let options = ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384", "-groups", "P-384"];
    let behind = TlsServer::openssl(&leaf, &options);
    let server = RawServer::mssql(Some(behind.doors()[0].address));
    let expected = json!({
        "version": "TLSv1.2",
        "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "group": "secp384r1",
        "client_certificate": "not-asked",
    });
    check(&home, &[server.door().clone()], &leaf, &[expected]);
}

#[test]
fn xmpp_for_clients_and_for_servers_by_prosody_shows_its_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("lab.test"));
    let server = TlsServer::prosody("lab.test", Some(&leaf));
    // Servers show each other certificates.
    let asked = [("xmpp", "not-asked"), ("xmpp-server", "asked")];
    let targets = asked.map(|(name, _)| server.door(name).target() + "?sni=lab.test");
    let expected = asked.map(|(name, asked)| {
        let mut facts = tls13("x25519", asked);
        facts["chain"] = json!([leaf.sha256()]);
        facts["chain_facts"] = json!({"names_server": {"value": "yes"}});
        Expected { what: name, place: server.door(name).place_of("lab.test"), facts }
    });
    scan_all(&home, "certificate", &targets, &expected);
}

#[test]
fn irc_by_inspircd_shows_its_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("irc.lab.test"));
    let server = TlsServer::inspircd(Some(&leaf));
    check(&home, server.doors(), &leaf, &[tls13("secp256r1", "asked")]);
}

#[test]
fn ftp_by_vsftpd_shows_its_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("ftp.lab.test"));
    let server = TlsServer::vsftpd(Some(&leaf));
    check(&home, server.doors(), &leaf, &[tls13("secp256r1", "asked")]);
}

#[test]
fn rdp_by_xrdp_shows_its_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("desktop.lab.test"));
    let server = TlsServer::xrdp(Some(&leaf));
    check(&home, server.doors(), &leaf, &[tls13("x25519", "not-asked")]);
}

#[test]
fn nntp_shows_its_chain() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("news.lab.test"));
    let behind = TlsServer::openssl(&leaf, &["-tls1_3"]);
    let server = RawServer::talking("nntp", NNTP, Some(behind.doors()[0].address));
    check(&home, &[server.door().clone()], &leaf, &[tls13("x25519", "not-asked")]);
}

#[test]
fn mail_servers_without_starttls_offer_no_tls() {
    let (exim, dovecot) = (TlsServer::exim(None), TlsServer::dovecot(None));
    check_clear(&[exim.doors(), dovecot.doors()].concat());
}

#[test]
fn databases_and_directories_without_tls_offer_no_tls() {
    let servers =
        [TlsServer::postgres(None), TlsServer::mariadb(None), TlsServer::slapd_in_the_clear()];
    let mut doors: Vec<Door> = servers.iter().flat_map(TlsServer::doors).cloned().collect();
    let mssql = RawServer::mssql(None);
    doors.push(mssql.door().clone());
    check_clear(&doors);
}

#[test]
fn ftp_irc_rdp_nntp_and_http_in_the_clear_offer_no_tls() {
    let http = TlsServer::nginx_in_the_clear(free_port(own_address()));
    let servers = [TlsServer::vsftpd(None), TlsServer::inspircd(None), TlsServer::xrdp(None), http];
    let mut doors: Vec<Door> = servers.iter().flat_map(TlsServer::doors).cloned().collect();
    let nntp = RawServer::talking("nntp", NNTP_IN_THE_CLEAR, None);
    doors.push(nntp.door().clone());
    check_clear(&doors);
}

#[test]
fn xmpp_without_tls_offers_no_tls() {
    let home = Home::new();
    let server = TlsServer::prosody("lab.test", None);
    let doors = ["xmpp", "xmpp-server"].map(|name| server.door(name));
    let targets = doors.map(|door| door.target() + "?sni=lab.test");
    let expected = doors.map(|door| Expected {
        what: door.opening.unwrap(),
        place: door.place_of("lab.test"),
        facts: json!({"outcome": "no-tls"}),
    });
    scan_all(&home, "certificate", &targets, &expected);
}

#[test]
fn starttls_is_chosen_by_the_port_and_the_word_of_the_target_is_stronger() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("mail.lab.test"));
    let behind = TlsServer::openssl(&leaf, &["-tls1_3"]);
    let address = own_address();
    let smtp: SocketAddr = (address, 2525).into();
    let tls: SocketAddr = (own_address(), 2525).into();
    // A server that greets is asked as its port tells; one that does not is told to be TLS.
    let door = behind.doors()[0].clone();
    let _greets = smtp_before(smtp, door.address);
    let plain = TlsServer::openssl_at(tls, &leaf, &["-tls1_3"]);
    let targets = [smtp.to_string(), format!("tls://{tls}")];
    let shown = json!({"outcome": "shown", "chain": [leaf.sha256()]});
    let places = [format!("smtp+tls://{smtp}"), plain.place()];
    let expected =
        places.map(|place| Expected { what: "chosen by port", place, facts: shown.clone() });
    scan_all(&home, "certificate", &targets, &expected);
}

/// SMTP at an address, with a TLS server behind it.
fn smtp_before(address: SocketAddr, behind: SocketAddr) -> RawServer {
    RawServer::talking_at(
        address,
        "smtp",
        (
            "220 mail.lab.test ESMTP\r\n",
            &[
                ("EHLO", "250-mail.lab.test\r\n250 STARTTLS\r\n"),
                ("STARTTLS", "220 go on\r\n"),
                ("QUIT", "221 bye\r\n"),
            ],
        ),
        Some(behind),
    )
}
