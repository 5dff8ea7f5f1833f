//! What stapled responses say is read as it stands; whatever else comes is said to be unreadable.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use pki_inventory::{
    Certificate, CertificateStatus, Digest, Fact, Inventory, IssuerHashes, Observation, Place, Raw,
    RevocationStatus, Sighting, Staple, StapleContent, Time, View,
};
use proptest::prelude::*;

/// The index of a CA as openssl keeps it: 1001 is good, 1002 is revoked, 1003 is not there.
const INDEX: &str = "V\t401231235959Z\t\t1001\tunknown\t/CN=good.example\n\
    R\t401231235959Z\t261101120000Z,keyCompromise\t1002\tunknown\t/CN=revoked.example\n";

fn openssl(folder: &Path, line: &str) {
    let output = Command::new("openssl")
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is installed where the tests run");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

struct Responder {
    folder: tempfile::TempDir,
    answers: AtomicU32,
}

impl Responder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::write(at.join("index.txt"), INDEX).unwrap();
        openssl(
            at,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 \
             -subj /O=Example/CN=Tiny -keyout ca.key -out ca.pem",
        );
        openssl(at, "x509 -in ca.pem -outform DER -out ca.der");
        // A namesake with another key, and a certificate 1001 of each.
        openssl(
            at,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 \
             -subj /O=Example/CN=Tiny -keyout other.key -out other.pem",
        );
        openssl(at, "x509 -in other.pem -outform DER -out other.der");
        openssl(
            at,
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
             -subj /CN=good.example -keyout leaf.key -out leaf.csr",
        );
        for issuer in ["ca", "other"] {
            openssl(
                at,
                &format!(
                    "x509 -req -in leaf.csr -CA {issuer}.pem -CAkey {issuer}.key -days 9 \
                     -set_serial 0x1001 -outform DER -out leaf-of-{issuer}.der"
                ),
            );
        }
        Self { folder, answers: AtomicU32::new(0) }
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    fn answer(&self, serial: &str, options: &str) -> Vec<u8> {
        self.answer_hashing("sha1", serial, options)
    }

    fn answer_hashing(&self, hash: &str, serial: &str, options: &str) -> Vec<u8> {
        // Tests run side by side, each answer in files of its own.
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let (at, asked, answer) =
            (self.folder.path(), format!("{number}.request"), format!("{number}.response"));
        openssl(
            at,
            &format!("ocsp -{hash} -issuer ca.pem -serial 0x{serial} -no_nonce -reqout {asked}"),
        );
        openssl(
            at,
            &format!(
                "ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -reqin {asked} \
                 -respout {answer} {options}"
            ),
        );
        std::fs::read(at.join(answer)).unwrap()
    }
}

static RESPONDER: LazyLock<Responder> = LazyLock::new(Responder::new);

/// Answers to begin mutations from: a good one, a revoked one, one with timestamps.
static ANSWERS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let own = response(&basic(&single(&[&good(), THIS, &extensions(&timestamps())])));
    vec![RESPONDER.answer("1001", "-ndays 7"), RESPONDER.answer("1002", ""), own]
});

fn status_of(response: &[u8]) -> CertificateStatus {
    let staple = Staple::of(response);
    assert_eq!(staple.length, response.len());
    staple.status().unwrap_or_else(|| panic!("{staple:?}")).clone()
}

fn unreadable(response: &[u8]) -> String {
    match Staple::of(response).content {
        StapleContent::Unreadable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_answer_of_a_real_responder_is_read() {
    let said = status_of(&RESPONDER.answer("1001", "-ndays 7"));
    assert_eq!(said.serial, "1001");
    assert_eq!(said.status, RevocationStatus::Good);
    assert_eq!(said.responder, "O=Example, CN=Tiny");
    assert_eq!(said.this_update.days_until(said.next_update.unwrap()), 7);
    assert_eq!(said.produced_at, said.this_update);
    assert!(said.produced_at > Time(1_600_000_000) && said.sct_logs.is_empty());
}

#[test]
fn a_revoked_answer_tells_when_and_why() {
    let said = status_of(&RESPONDER.answer("1002", ""));
    assert_eq!((said.serial.as_str(), said.next_update), ("1002", None));
    let at = "2026-11-01T12:00:00Z".parse().unwrap();
    let reason = Some("keyCompromise".to_owned());
    assert_eq!(said.status, RevocationStatus::Revoked { at, reason });
}

#[test]
fn a_certificate_the_responder_does_not_know_is_unknown_and_not_good() {
    let said = status_of(&RESPONDER.answer("1003", ""));
    assert_eq!(said.status, RevocationStatus::Unknown);
}

/// Whether it is about the certificate in one file where those in others are known.
fn about(said: &CertificateStatus, leaf: &str, known: &[&str]) -> Fact {
    let mut inventory = Inventory::default();
    for file in known {
        let seen = Sighting::at(Place::file(format!("/{file}")), "filesystem", Time(0));
        inventory.absorb(Observation::found(Raw::Certificate(RESPONDER.file(file)), seen));
    }
    let leaf = Certificate::parse(RESPONDER.file(leaf)).unwrap();
    said.is_about(&leaf, &View::of(&inventory))
}

#[test]
fn a_status_is_about_one_certificate_of_one_issuer_whatever_names_the_issuer() {
    for (hash, name) in
        [("sha1", "SHA-1"), ("sha256", "SHA-256"), ("sha384", "SHA-384"), ("sha512", "SHA-512")]
    {
        let said = status_of(&RESPONDER.answer_hashing(hash, "1001", ""));
        assert_eq!(said.issuer.algorithm, name);
        assert_eq!(about(&said, "leaf-of-ca.der", &["ca.der"]), Fact::Yes, "{name}");
        assert_eq!(about(&said, "leaf-of-other.der", &["other.der"]), Fact::No, "{name}");
        let either = about(&said, "leaf-of-other.der", &["ca.der", "other.der"]);
        assert_eq!(either, Fact::Yes, "{name}: one of those that may have issued it");
        assert_eq!(about(&said, "leaf-of-ca.der", &[]), Fact::Yes, "{name}: by name and number");
    }
    let said = status_of(&RESPONDER.answer("1002", ""));
    assert_eq!(about(&said, "leaf-of-ca.der", &["ca.der"]), Fact::No, "another serial number");
}

#[test]
fn an_issuer_of_another_name_is_told_without_knowing_it() {
    let said = status_of(&RESPONDER.answer("1001", ""));
    let name = Digest::of(b"another name").to_string();
    let issuer = IssuerHashes { algorithm: "SHA-256".to_owned(), name, key: String::new() };
    let other = CertificateStatus { issuer, ..said.clone() };
    assert_eq!(about(&other, "leaf-of-ca.der", &[]), Fact::No);
    let algorithm = "1.2.3".to_owned();
    let strange = IssuerHashes { algorithm, ..said.issuer.clone() };
    let strange = CertificateStatus { issuer: strange, ..said };
    let why = about(&strange, "leaf-of-ca.der", &["ca.der"]);
    assert_eq!(why.why(), Some("its issuer is named by a hash of kind 1.2.3"));
}

#[test]
fn a_responder_may_be_known_by_its_key_only() {
    let said = status_of(&RESPONDER.answer("1001", "-resp_key_id"));
    let ca = RESPONDER.file("ca.der");
    // openssl makes the key identifier as KeyHash is made: SHA-1 of the key (RFC 5280, 4.2.1.2).
    let key = Certificate::parse(ca).unwrap().subject_key_id.unwrap();
    assert_eq!(said.responder, format!("key {key}"));
}

#[test]
fn the_serial_is_written_as_in_the_certificate() {
    // A number with its highest bit set has a zero octet before it.
    let said = status_of(&RESPONDER.answer("8001", ""));
    assert_eq!(said.serial, "008001");
}

#[test]
fn timestamps_in_the_response_are_named_by_their_logs() {
    let said = status_of(&ANSWERS[2]);
    assert_eq!(said.sct_logs, ["11".repeat(32), "22".repeat(32)]);
    let critical = extensions_marked(&[0x01, 1, 0xff], &timestamps());
    let critical = status_of(&response(&basic(&single(&[&good(), THIS, &critical]))));
    assert_eq!(critical.sct_logs, said.sct_logs);
    assert_eq!(said.serial, "00ff");
    assert_eq!(said.this_update.to_string(), "2026-11-20T08:00:00Z");
    assert_eq!(said.produced_at.to_string(), "2026-11-21T08:00:00Z");
}

#[test]
fn nonsense_in_the_place_of_timestamps_does_not_hide_the_status() {
    let said = status_of(&response(&basic(&single(&[&good(), THIS, &extensions(b"\x00\x09")]))));
    assert_eq!((said.status, said.sct_logs), (RevocationStatus::Good, Vec::new()));
}

#[test]
fn a_refusal_is_named() {
    for (status, name) in [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (5, "sigRequired"),
        (6, "unauthorized"),
        (4, "responseStatus 4"),
    ] {
        let content = Staple::of(&[0x30, 3, 0x0a, 1, status]).content;
        assert_eq!(content.name(), "refused");
        assert_eq!(content, StapleContent::Refused(name.to_owned()));
    }
}

#[test]
fn every_reason_has_its_name() {
    for (number, name) in [
        (0, "unspecified"),
        (1, "keyCompromise"),
        (2, "cACompromise"),
        (3, "affiliationChanged"),
        (4, "superseded"),
        (5, "cessationOfOperation"),
        (6, "certificateHold"),
        (7, "CRLReason 7"),
        (8, "removeFromCRL"),
        (9, "privilegeWithdrawn"),
        (10, "aACompromise"),
    ] {
        let revoked = der(0xa1, &[THIS, &der(0xa0, &[&[0x0a, 1, number]])]);
        match status_of(&response(&basic(&single(&[&revoked, THIS])))).status {
            RevocationStatus::Revoked { reason, .. } => assert_eq!(reason.as_deref(), Some(name)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn control_characters_in_the_name_of_a_responder_do_not_reach_a_terminal() {
    let attribute = der(0x30, &[&[0x06, 3, 0x55, 4, 3], &der(0x0c, &[b"a\x1b[31mb"])]);
    let name = der(0x30, &[&der(0x31, &[&attribute])]);
    let answer = answer(&der(0xa1, &[&name]), &single(&[&good(), THIS]));
    let said = status_of(&response(&answer));
    assert!(!said.responder.chars().any(char::is_control), "{:?}", said.responder);
    assert!(said.responder.contains("[31mb"), "{:?}", said.responder);
}

#[test]
fn what_is_wrong_is_said() {
    let whole = &ANSWERS[2];
    let mut followed = whole.clone();
    followed.push(0);
    let bad_time = der(0x18, &[b"20261399080000Z"]);
    for (octets, expected) in [
        (Vec::new(), "it ends before the OCSPResponse"),
        (b"HTTP/1.1 200 OK".to_vec(), "the OCSPResponse is of another type"),
        (whole[..whole.len() - 1].to_vec(), "it ends within the OCSPResponse"),
        (followed, "octets follow the response"),
        (vec![0x30, 2, 0x0a, 0], "the responseStatus is no small number"),
        (vec![0x30, 3, 0x0a, 1, 0], "the response is successful and empty"),
        (response(&basic(&[])), "it is about no certificate"),
        (response(&basic(&single(&[&good()]))), "it ends before the thisUpdate"),
        (response(&basic(&single(&[&good(), &bad_time]))), "the thisUpdate is no instant"),
        (response(&basic(&single(&[&der(0xa7, &[]), THIS]))), "the certStatus is of another type"),
        (typed(&[0x06, 1, 0x2a], &basic(&[])), "the response is not of the basic type"),
        (vec![0x30; 300_000], "longer than 262144 octets"),
    ] {
        let said = unreadable(&octets);
        assert!(said.starts_with(expected), "{said} instead of {expected}");
    }
}

proptest! {
    #[test]
    fn octets_changed_cut_or_added_never_panic(
        which in 0..3usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        do_cut in any::<bool>(),
    ) {
        let mut octets = ANSWERS[which].clone();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if do_cut {
            octets.truncate(cut.index(octets.len()));
        }
        let staple = Staple::of(&octets);
        prop_assert_eq!(staple.length, octets.len());
        prop_assert_eq!(Staple::of(&octets), staple);
    }

    #[test]
    fn octets_of_any_kind_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let staple = Staple::of(&octets);
        prop_assert!(staple.status().is_none(), "{:?}", staple);
    }
}

// A response built by hand, RFC 6960, 4.2.1, from its smallest part outwards.

/// `GeneralizedTime` of 2026-11-20T08:00:00Z.
const THIS: &[u8] = b"\x18\x0f20261120080000Z";

/// `byKey` with a hash of four octets.
const KEY: &[u8] = &[0xa2, 6, 0x04, 4, 1, 2, 3, 4];

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], &content]
        .concat()
        .into_iter()
        .enumerate()
        // Short lengths have a short form, and DER knows no other.
        .filter_map(|(at, octet)| match (content.len(), at) {
            (0..=127, 1 | 2) => None,
            (128..=255, 1) => Some(0x81),
            (128..=255, 2) => None,
            _ => Some(octet),
        })
        .collect()
}

fn good() -> Vec<u8> {
    der(0x80, &[])
}

/// Two timestamps of version 1 of the logs 11… and 22…, RFC 6962, 3.2.
fn timestamps() -> Vec<u8> {
    let one = |log: u8| {
        let body = [&[0][..], &[log; 32], &[0; 8], &[0, 0], &[4, 3, 0, 2, 9, 9]].concat();
        [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat()
    };
    let list = [one(0x11), one(0x22)].concat();
    [&u16::try_from(list.len()).unwrap().to_be_bytes()[..], &list].concat()
}

/// `singleExtensions` with another extension before the list of timestamps.
fn extensions(list: &[u8]) -> Vec<u8> {
    extensions_marked(&[], list)
}

/// The same with this between the id and the value of the list.
fn extensions_marked(mark: &[u8], list: &[u8]) -> Vec<u8> {
    let other = der(0x30, &[&[0x06, 2, 0x2a, 3], &[0x01, 1, 0xff], &der(0x04, &[&[5, 0]])]);
    // 1.3.6.1.4.1.11129.2.4.5
    let id = [0x06, 10, 0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5];
    let scts = der(0x30, &[&id, mark, &der(0x04, &[&der(0x04, &[list])])]);
    der(0xa1, &[&der(0x30, &[&other, &scts])])
}

/// `SingleResponse` about the serial 00ff, from certStatus on as given.
fn single(rest: &[&[u8]]) -> Vec<u8> {
    let id = [
        &der(0x30, &[&[0x06, 5, 0x2b, 0x0e, 3, 2, 0x1a]])[..],
        &der(0x04, &[&[1]]),
        &der(0x04, &[&[2]]),
        &[0x02, 2, 0x00, 0xff],
    ];
    der(0x30, &[&der(0x30, &id), &rest.concat()])
}

fn basic(singles: &[u8]) -> Vec<u8> {
    answer(KEY, singles)
}

/// `BasicOCSPResponse` of 2026-11-21T08:00:00Z, its version spelled out, its signature empty.
fn answer(responder: &[u8], singles: &[u8]) -> Vec<u8> {
    let version = der(0xa0, &[&[0x02, 1, 0]]);
    let produced = b"\x18\x0f20261121080000Z";
    let data = der(0x30, &[&version, responder, produced, &der(0x30, &[singles])]);
    der(0x30, &[&data, &der(0x30, &[]), &[0x03, 1, 0]])
}

fn response(basic: &[u8]) -> Vec<u8> {
    typed(&[0x06, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1], basic)
}

fn typed(id: &[u8], basic: &[u8]) -> Vec<u8> {
    let bytes = der(0x30, &[id, &der(0x04, &[basic])]);
    der(0x30, &[&[0x0a, 1, 0], &der(0xa0, &[&bytes])])
}
