//! slapd with the attributes of RFC 4523, as people have it without Windows.

use std::collections::BTreeSet;

use pkimm_tests::agent::{Home, Outcome};
use pkimm_tests::certificates::{Authority, Issued, Order, der_of, path, sha256};
use pkimm_tests::facts;
use pkimm_tests::servers::{Entries, TlsServer, own_address};
use serde_json::{Value, json};

use super::compare;

/// The password of the account that may read.
pub const PASSWORD: &str = "Canary-Of-OpenLDAP-5501";

/// slapd with these entries, on an address that its certificate names.
pub fn slapd(root: &Authority, entries: &Entries, more: &str) -> (TlsServer, Issued) {
    let address = own_address();
    let names = vec![address.to_string()];
    let issued = root.issue(&Order { names, ..Order::server("ldap.lab.test") });
    (TlsServer::slapd_with(address, &issued, entries, more), issued)
}

/// Settings for one server: its URL, and more lines of its table.
pub fn settings(home: &Home, url: &str, more: &str) {
    let secret = home.write("reader.password", format!("{PASSWORD}\n"));
    let text = format!(
        "[filesystem]\nroots = []\n[[directory.servers]]\nurl = \"{url}\"\nname = \"{}\"\n\
         password_file = {:?}\n{more}\n",
        Entries::READER,
        path(&secret)
    );
    home.write("pkimm-agent.toml", text);
}

/// `ldaps://` with the host of the second door.
pub fn ldaps(server: &TlsServer) -> String {
    format!("ldaps://{}", server.doors()[1].address)
}

/// `ldap://` with the host of the first door.
pub fn ldap(server: &TlsServer) -> String {
    format!("ldap://{}", server.doors()[0].address)
}

/// The line that names the root.
pub fn trusting(root: &Authority) -> String {
    format!("trusted = {:?}", path(&root.own.certificate))
}

/// Scans; what could not be read is no error of the program.
pub fn scan(home: &Home) -> Outcome {
    let outcome = home.agent(&["scan"]);
    assert!(matches!(outcome.code, Some(0 | 3)), "{outcome:?}");
    outcome
}

/// How often somebody gave a name to the server.
pub fn binds(server: &TlsServer) -> usize {
    server
        .log()
        .lines()
        .filter(|line| line.contains("BIND dn=\"cn=reader") && line.contains("method="))
        .count()
}

/// RFC 4523, 2.3 (CertificatePair): two certificates, each in a context of its own.
fn pair(forward: &[u8], reverse: &[u8]) -> Vec<u8> {
    let content = [tagged(0xa0, forward), tagged(0xa1, reverse)].concat();
    tagged(0x30, &content)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82][..], &length, content].concat()
}

/// Everything that RFC 4523 has an attribute for, and what each place is to show: the digest and the
/// name of the attribute.
struct Pki {
    root: Authority,
    entries: Entries,
    expected: BTreeSet<(String, String, String)>,
}

fn pki(home: &Home) -> Pki {
    let root = Authority::root(home.path(), "Lab Root");
    let issuing = root.subordinate("Lab Issuing");
    let other = Authority::root(home.path(), "Other Root");
    let cross = other.issue(&Order::authority("Lab Root"));
    let person = issuing.issue(&Order::server("person.lab.test"));
    let second = issuing.issue(&Order::server("second.lab.test"));
    let lists = [&root, &issuing, &other].map(|one| der_of(&one.revocation_list()));
    let pair = pair(&cross.der(), &root.own.der());
    let [own, below] = [root.own.der(), issuing.own.der()];
    let mut entries = Entries::new(PASSWORD);
    entries.add_person("one", &person.der());
    let names: [(&str, &[u8]); 3] = [("uid", b"two"), ("cn", b"two"), ("sn", b"two")];
    let held = [("userCertificate;binary", person.der()), ("userCertificate;binary", second.der())];
    let held = held.each_ref().map(|(name, value)| (*name, value.as_slice()));
    entries.add("uid=two", &["inetOrgPerson"], &[&names[..], &held].concat());
    entries.add(
        "cn=Lab Root",
        &["organizationalRole", "pkiCA"],
        &[
            ("cn", b"Lab Root"),
            ("cACertificate;binary", &own),
            ("crossCertificatePair;binary", &pair),
            ("authorityRevocationList;binary", &lists[0]),
            ("certificateRevocationList;binary", &lists[0]),
        ],
    );
    entries.add(
        "cn=Lab Issuing",
        &["organizationalRole", "pkiCA"],
        &[
            ("cn", b"Lab Issuing"),
            ("cACertificate;binary", &below),
            ("certificateRevocationList;binary", &lists[1]),
            ("authorityRevocationList;binary", &lists[1]),
        ],
    );
    entries.add(
        "cn=Other",
        &["cRLDistributionPoint"],
        &[("cn", b"Other"), ("deltaRevocationList;binary", &lists[2])],
    );
    entries.add("cn=nothing", &["organizationalRole"], &[("cn", b"nothing")]);
    let mut expected = BTreeSet::new();
    let mut expect = |entry: &str, sha256: String, attribute: &str| {
        expected.insert((entry.to_owned(), sha256, attribute.to_owned()));
    };
    for entry in ["uid=one", "uid=two"] {
        expect(entry, person.sha256(), "userCertificate");
    }
    expect("uid=two", second.sha256(), "userCertificate");
    expect("cn=Lab%20Root", root.own.sha256(), "cACertificate");
    expect("cn=Lab%20Root", root.own.sha256(), "crossCertificatePair");
    expect("cn=Lab%20Root", cross.sha256(), "crossCertificatePair");
    expect("cn=Lab%20Issuing", issuing.own.sha256(), "cACertificate");
    for attribute in ["certificateRevocationList", "authorityRevocationList"] {
        expect("cn=Lab%20Root", sha256(&lists[0]), attribute);
        expect("cn=Lab%20Issuing", sha256(&lists[1]), attribute);
    }
    expect("cn=Other", sha256(&lists[2]), "deltaRevocationList");
    Pki { root, entries, expected }
}

/// Entry, digest and attribute of everything that was seen in a directory.
fn seen(inventory: &[Value], server: &str) -> BTreeSet<(String, String, String)> {
    let prefix = format!("ldap://{server}/");
    let mut found = BTreeSet::new();
    for asset in inventory {
        for sighting in asset["facts"]["sightings"].as_array().into_iter().flatten() {
            let place = sighting["place"].as_str().unwrap();
            let Some(dn) = place.strip_prefix(&prefix) else { continue };
            let label = sighting["label"].as_str().unwrap_or_else(|| panic!("{sighting:#}"));
            let attribute = label.split(';').next().unwrap().to_owned();
            let entry = dn.split(',').next().unwrap().to_owned();
            found.insert((entry, asset["sha256"].as_str().unwrap().to_owned(), attribute));
        }
    }
    found
}

#[test]
fn certificates_and_lists_in_a_plain_directory_are_found_over_ldaps_and_starttls() {
    let home = Home::new();
    let pki = pki(&home);
    let (server, own) = slapd(&pki.root, &pki.entries, "");
    let [clear, tls] = [&server.doors()[0], &server.doors()[1]];
    let starttls = format!("starttls = true\n{}", trusting(&pki.root));
    for (url, more, door, place) in [
        (ldaps(&server), trusting(&pki.root), tls, tls.place()),
        (ldap(&server), starttls, clear, clear.place()),
    ] {
        settings(&home, &url, &more);
        let outcome = scan(&home).expect_code(0);
        assert_eq!(home.gaps(), Vec::<Value>::new(), "{}\n{}", outcome.stderr, server.log());
        let inventory = home.inventory();
        compare(&url, &seen(&inventory, &door.address.to_string()), &pki.expected);
        // The certificate of the connection, with what is above it.
        let connection = facts::with_digest(&inventory, "certificate", &own.sha256());
        assert_eq!(facts::places(connection), [place]);
    }
}

/// Nothing is sent to a server that is not who it says it is, and no password goes in the clear.
#[test]
fn no_password_is_sent_to_a_server_that_is_not_trusted_or_not_encrypted() {
    let home = Home::new();
    let pki = pki(&home);
    let (server, own) = slapd(&pki.root, &pki.entries, "");
    // No root that this machine trusts has issued it.
    for (url, more) in [(ldaps(&server), ""), (ldap(&server), "starttls = true")] {
        settings(&home, &url, more);
        let _ = scan(&home);
        let gaps = home.gaps();
        assert!(!gaps.is_empty(), "{url}: {}", server.log());
        let told = gaps.iter().any(|gap| gap["detail"].as_str().unwrap().contains("trusted"));
        assert!(told, "it is said which setting to check: {gaps:#?}");
        // What it showed is kept, and nothing was read.
        let inventory = home.inventory();
        let shown = facts::of_kind(&inventory, "certificate");
        let shown: Vec<&Value> = shown.into_iter().map(|asset| &asset["sha256"]).collect();
        assert_eq!(shown, [&json!(own.sha256())]);
    }
    // Without TLS it is a problem of the settings.
    settings(&home, &ldap(&server), "");
    let refused = home.agent(&["scan"]).expect_code(2);
    assert!(refused.stderr.contains("in_the_clear"), "{}", refused.stderr);
    assert_eq!(binds(&server), 0, "{}", server.log());
    settings(&home, &ldap(&server), "in_the_clear = true");
    let _ = scan(&home).expect_code(0);
    assert_eq!(home.gaps(), Vec::<Value>::new());
    assert_eq!(binds(&server), 1, "{}", server.log());
}

#[test]
fn a_wrong_password_is_tried_once_and_told() {
    let home = Home::new();
    let pki = pki(&home);
    let (server, _) = slapd(&pki.root, &pki.entries, "");
    settings(&home, &ldaps(&server), &trusting(&pki.root));
    home.write("reader.password", "not-the-password\n");
    let outcome = scan(&home);
    let gaps = home.gaps();
    let [gap] = gaps.as_slice() else { panic!("one gap: {gaps:#?}\n{}", outcome.stderr) };
    let detail = gap["detail"].as_str().unwrap();
    assert!(detail.contains("password"), "it says what to check: {detail}");
    assert_eq!(binds(&server), 1, "{}", server.log());
    assert!(server.log().contains("err=49"), "{}", server.log());
    // The server was seen, and nothing of what it holds.
    let inventory = home.inventory();
    assert_eq!(seen(&inventory, &server.doors()[1].address.to_string()), BTreeSet::new());
}

#[test]
fn an_account_that_may_read_nothing_leaves_no_quiet_pass() {
    let home = Home::new();
    let pki = pki(&home);
    let (server, _) = slapd(&pki.root, &pki.entries, "");
    let text = format!(
        "[filesystem]\nroots = []\n[[directory.servers]]\nurl = \"{}\"\n{}\n",
        ldaps(&server),
        trusting(&pki.root)
    );
    home.write("pkimm-agent.toml", text);
    let _ = scan(&home);
    let door = &server.doors()[1];
    assert_eq!(seen(&home.inventory(), &door.address.to_string()), BTreeSet::new());
    assert!(!home.gaps().is_empty(), "asked for and not read is a gap: {}", server.log());
    facts::assert_facts(
        "a gap",
        &home.gaps()[0],
        &json!({"kind": "gap", "collector": "directory"}),
    );
}
