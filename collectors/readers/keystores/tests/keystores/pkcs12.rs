//! PKCS#12 as OpenSSL, Java and NSS write it.

use pki_encodings::tlv::{self, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use pki_inventory::{Holds, Lock};
use pki_keystores::Format;

use crate::tools::{
    NONE, certificate, find, folder, keytool, look, octets, openssl, protection, run, spki, words,
};

const CLOSED: &str = "no password was to be tried";

#[test]
fn every_way_of_encrypting_is_told_and_opened() {
    let folder = folder();
    let own = certificate(&folder, "rsa");
    let key = spki(&folder, "rsa");
    let modern = "PBKDF2-HMAC-SHA256 AES-256-CBC 2048";
    for (options, ways, integrity) in [
        ("", vec![modern], Some("HMAC-SHA256, 2048 iterations")),
        (
            "-legacy",
            vec!["PKCS12-SHA1 RC2-40-CBC 2048", "PKCS12-SHA1 DES-EDE3-CBC 2048"],
            Some("HMAC-SHA1, 2048 iterations"),
        ),
        (
            "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-2DES -iter 77",
            vec!["PKCS12-SHA1 RC2-128-CBC 77", "PKCS12-SHA1 DES-EDE-CBC 77"],
            Some("HMAC-SHA1, 77 iterations"),
        ),
        (
            "-certpbe aes-128-cbc -keypbe aes-192-cbc -macalg sha512",
            vec!["PBKDF2-HMAC-SHA256 AES-128-CBC 2048", "PBKDF2-HMAC-SHA256 AES-192-CBC 2048"],
            Some("HMAC-SHA512, 2048 iterations"),
        ),
        (
            "-certpbe des-ede3-cbc",
            vec!["PBKDF2-HMAC-SHA256 DES-EDE3-CBC 2048", modern],
            Some("HMAC-SHA256, 2048 iterations"),
        ),
        ("-nomac -certpbe aes-256-cbc", vec![modern], None),
    ] {
        openssl(
            &folder,
            &format!(
                "pkcs12 -export -inkey rsa.pem -in rsa.crt -certfile ca.crt -name My~key \
                 -passout pass:notasecret -out a.p12 {options}"
            ),
        );
        let octets = octets(&folder, "a.p12");
        let found = find(&octets, NONE);
        assert!(found.is_whole(), "{options}: {:?}", found.all.gaps);
        let store = found.store();
        assert_eq!((found.format, store.format.as_str()), (Format::Pkcs12, "PKCS#12"));
        assert_eq!(store.lock, Lock::WellKnown("notasecret".to_owned()), "{options}");
        assert_eq!(store.integrity.as_deref(), integrity, "{options}");
        assert_eq!(protection(store), ways, "{options}");
        assert_eq!(found.certificates()[0], (&own[..], Some("My key")), "{options}");
        assert_eq!(found.certificates().len(), 2, "{options}");
        let (spki, encoding, encryption) = found.private_key();
        assert_eq!((spki, encoding), (Some(key), "PKCS#12"), "{options}");
        assert_eq!(words(encryption), *ways.last().expect("a way"), "{options}");
        let entries: Vec<_> =
            store.entries.iter().map(|entry| (entry.holds, entry.assets.len())).collect();
        assert_eq!(entries, [(Holds::Certificate, 1), (Holds::PrivateKey, 2)], "{options}");
        assert_eq!(store.count, Some(2));

        let closed = look(&octets);
        assert_eq!(closed.store().lock, Lock::Closed(CLOSED.to_owned()), "{options}");
        assert_eq!(protection(closed.store()), ways, "{options}");
        assert!(closed.certificates().is_empty());
        assert_eq!(closed.private_key().0, None, "there is a key, of which nothing is visible");
    }
}

#[test]
fn a_password_of_the_configuration_opens_and_is_not_told() {
    let folder = folder();
    openssl(
        &folder,
        "pkcs12 -export -inkey ec.pem -in ec.crt -passout pass:Grünspan-7! -out a.p12",
    );
    let octets = octets(&folder, "a.p12");
    let closed = find(&octets, &["something else"]);
    // One that is configured and those of the manuals; none at all and the empty one are one.
    let reason = "none of the 8 passwords that were tried fits its integrity check, so its content \
                  was not tried with them";
    assert_eq!(closed.store().lock, Lock::Closed(reason.to_owned()));
    let found = find(&octets, &["something else", "Grünspan-7!"]);
    assert_eq!(found.store().lock, Lock::Configured);
    assert_eq!(found.private_key().0, Some(spki(&folder, "ec")));
    let found = find(&octets, &["changeit-but-wrong", "Grünspan-7!"]);
    assert!(!format!("{:?}", found.all).contains("Grünspan"));
}

#[test]
fn the_empty_password_and_none_at_all_are_found() {
    let folder = folder();
    openssl(&folder, "pkcs12 -export -inkey ec.pem -in ec.crt -passout pass: -out a.p12");
    let found = find(&octets(&folder, "a.p12"), NONE);
    assert_eq!(found.store().lock, Lock::WellKnown(String::new()));
    assert_eq!(found.private_key().0, Some(spki(&folder, "ec")));
    openssl(&folder, "pkcs12 -export -legacy -inkey ec.pem -in ec.crt -passout pass: -out a.p12");
    assert_eq!(find(&octets(&folder, "a.p12"), NONE).store().lock, Lock::WellKnown(String::new()));
}

/// The octets of a key lie in the clear in the first store and come out of the lock of the second.
#[test]
fn no_octet_of_a_private_key_is_reported() {
    let folder = folder();
    let plain = openssl(&folder, "pkcs8 -topk8 -nocrypt -in ec.pem -outform DER");
    // RFC 5915, 3: the scalar follows the version.
    let at = plain.windows(5).position(|head| head == [2, 1, 1, 4, 32]).expect("a scalar") + 5;
    let scalar = format!("{:?}", &plain[at..at + 16]);
    let scalar = scalar.trim_matches(['[', ']']);
    for options in ["-certpbe NONE -keypbe NONE", ""] {
        openssl(
            &folder,
            &format!(
                "pkcs12 -export -inkey ec.pem -in ec.crt -passout pass:secret -out a.p12 {options}"
            ),
        );
        let octets = octets(&folder, "a.p12");
        assert_eq!(format!("{octets:?}").contains(scalar), !options.is_empty(), "the canary sings");
        let found = find(&octets, NONE);
        assert_eq!(found.private_key().0, Some(spki(&folder, "ec")));
        assert!(!format!("{:?}", found.all).contains(scalar));
    }
}

#[test]
fn what_is_not_encrypted_is_read_without_a_password() {
    let folder = folder();
    // Certificates in the clear, the key is not: the shared identifier tells whose it is.
    openssl(
        &folder,
        "pkcs12 -export -inkey rsa.pem -in rsa.crt -name x -certpbe NONE -passout pass:Sesam-12 \
         -out a.p12",
    );
    let found = look(&octets(&folder, "a.p12"));
    assert_eq!(found.store().lock, Lock::Closed(CLOSED.to_owned()));
    assert_eq!(found.certificates().len(), 1);
    let (key, _, encryption) = found.private_key();
    assert_eq!(key, Some(spki(&folder, "rsa")));
    assert_eq!(words(encryption), "PBKDF2-HMAC-SHA256 AES-256-CBC 2048");

    // Neither is encrypted; the MAC alone is no lock.
    openssl(
        &folder,
        "pkcs12 -export -inkey rsa.pem -in rsa.crt -certpbe NONE -keypbe NONE \
         -passout pass:Sesam-12 -out a.p12",
    );
    let found = look(&octets(&folder, "a.p12"));
    assert_eq!(found.store().lock, Lock::None);
    let (key, _, encryption) = found.private_key();
    assert_eq!((key, words(encryption).as_str()), (Some(spki(&folder, "rsa")), "none"));

    // A trust store of certificates only.
    openssl(&folder, "pkcs12 -export -nokeys -in ca.crt -passout pass:changeit -out a.p12");
    let found = find(&octets(&folder, "a.p12"), NONE);
    assert_eq!(found.certificates().len(), 1);
    assert_eq!(found.store().entries[0].holds, Holds::Certificate);
    assert!(!found.all.secret && found.keys().is_empty());
}

#[test]
fn a_mac_password_may_differ_from_that_of_the_content() {
    let folder = folder();
    openssl(
        &folder,
        "pkcs12 -export -inkey ec.pem -in ec.crt -nomac -passout pass:secret -out a.p12",
    );
    let plain = octets(&folder, "a.p12");
    let store = with_pbmac1(&folder, &plain, "Sesam-12");
    let found = find(&store, &["Sesam-12"]);
    assert_eq!(found.private_key().0, Some(spki(&folder, "ec")));
    assert_eq!(
        found.store().integrity.as_deref(),
        Some("PBMAC1 with HMAC-SHA512, PBKDF2-HMAC-SHA256, 1000 iterations")
    );
    // The MAC is right by no password that is known, so nothing is decrypted.
    assert!(matches!(find(&store, NONE).store().lock, Lock::Closed(_)));
    let found = find(&with_pbmac1(&folder, &plain, "secret"), NONE);
    assert_eq!(found.store().lock, Lock::WellKnown("secret".to_owned()));
}

/// Adds the MAC of RFC 9579, computed by OpenSSL.
pub(crate) fn with_pbmac1(folder: &tempfile::TempDir, store: &[u8], password: &str) -> Vec<u8> {
    let oid = |octets: &[u8]| tlv::element(OBJECT_IDENTIFIER, &[octets]);
    let pkcs5 = |last: u8| oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, last]);
    let hmac = |last: u8| oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, last]);
    let sequence = |parts: &[&[u8]]| tlv::element(SEQUENCE, parts);
    let null: &[u8] = &[NULL, 0];

    let outer = tlv::Element::first(store).expect("a store");
    let mut fields = outer.inside();
    fields.take(INTEGER).expect("a version");
    let mut content = fields.take(SEQUENCE).expect("content").inside();
    content.take(OBJECT_IDENTIFIER).expect("data");
    let explicit = content.take(0xa0).expect("content");
    let safe = explicit.inside().take(OCTET_STRING).expect("octets").value;
    std::fs::write(folder.path().join("safe"), safe).expect("writable");
    let key = openssl(
        folder,
        &format!(
            "kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt pass:{password} -kdfopt hexsalt:0102030405060708 \
             -kdfopt iter:1000 -binary PBKDF2"
        ),
    );
    let hex: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
    let mac = openssl(folder, &format!("dgst -sha512 -mac HMAC -macopt hexkey:{hex} -binary safe"));

    let salt = tlv::element(OCTET_STRING, &[&[1, 2, 3, 4, 5, 6, 7, 8]]);
    let numbers = [tlv::unsigned(&[3, 0xe8]), tlv::unsigned(&[32])];
    let function = sequence(&[&hmac(9), null]);
    let derivation =
        sequence(&[&pkcs5(12), &sequence(&[&salt, &numbers[0], &numbers[1], &function])]);
    let scheme = sequence(&[&pkcs5(14), &sequence(&[&derivation, &sequence(&[&hmac(11), null])])]);
    let digest = sequence(&[&scheme, &tlv::element(OCTET_STRING, &[&mac])]);
    let data = sequence(&[&digest, &tlv::element(OCTET_STRING, &[&[0; 8]]), &tlv::unsigned(&[1])]);
    sequence(&[outer.value, &data])
}

#[test]
fn java_writes_its_trust_stores_and_keys_in_it_too() {
    let folder = folder();
    keytool(
        &folder,
        "-genkeypair -alias web -keyalg EC -dname CN=web -storetype PKCS12 -keystore a.keystore \
         -storepass changeit",
    );
    keytool(
        &folder,
        "-importcert -noprompt -alias partner -file ca.crt -keystore a.keystore -storepass changeit",
    );
    let octets = octets(&folder, "a.keystore");
    let found = find(&octets, NONE);
    let store = found.store();
    assert_eq!(store.lock, Lock::WellKnown("changeit".to_owned()));
    let entries: Vec<_> =
        store.entries.iter().map(|entry| (entry.alias.as_deref(), entry.holds)).collect();
    let expected = [(Some("web"), Holds::PrivateKey), (Some("partner"), Holds::Certificate)];
    assert_eq!(entries, expected);
    assert!(store.entries[0].created.is_some(), "Java writes when");
    assert!(found.private_key().0.is_some());
}

#[test]
fn lengths_that_nss_leaves_open_are_no_obstacle() {
    let folder = folder();
    run(&folder, "certutil", "-N -d sql:. --empty-password");
    openssl(
        &folder,
        "pkcs12 -export -inkey rsa.pem -in rsa.crt -name web -passout pass:x -out in.p12",
    );
    run(&folder, "pk12util", "-d sql:. -i in.p12 -W x");
    run(&folder, "pk12util", "-d sql:. -o out.p12 -n web -W changeme");
    let octets = octets(&folder, "out.p12");
    assert_eq!(octets[1], 0x80, "BER");
    let found = find(&octets, NONE);
    assert!(found.is_whole(), "{:?}", found.all.gaps);
    assert_eq!(found.store().lock, Lock::WellKnown("changeme".to_owned()));
    assert_eq!(found.private_key().0, Some(spki(&folder, "rsa")));
    assert_eq!(found.certificates().len(), 1);
}

#[test]
fn a_damaged_store_gives_what_came_before_the_damage() {
    let folder = folder();
    openssl(
        &folder,
        "pkcs12 -export -inkey rsa.pem -in rsa.crt -certfile ca.crt -certpbe NONE -keypbe NONE \
         -passout pass:x -out a.p12",
    );
    let octets = octets(&folder, "a.p12");
    let found = find(&octets[..octets.len() - 1000], NONE);
    assert_eq!(found.certificates().len(), 2);
    assert!(!found.is_whole(), "and says so");
    let found = find(&octets[..40], NONE);
    assert!(matches!(found.store().lock, Lock::Closed(_)), "nobody can tell");
}

#[test]
fn more_iterations_than_are_worth_it_are_not_computed() {
    let folder = folder();
    openssl(
        &folder,
        "pkcs12 -export -inkey rsa.pem -in rsa.crt -iter 6000000 -nomac -passout pass:changeit \
         -out a.p12",
    );
    let found = find(&octets(&folder, "a.p12"), NONE);
    let Lock::Closed(reason) = &found.store().lock else { panic!("opened") };
    assert!(reason.contains("more iterations than are spent"), "{reason}");
    assert_eq!(protection(found.store()), ["PBKDF2-HMAC-SHA256 AES-256-CBC 6000000"]);
}
