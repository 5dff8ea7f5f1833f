//! What one store may cost and take, and where it ends.

use pki_inventory::{GapReason, Lock};
use pki_keystores::Purse;
use tempfile::TempDir;

use crate::pkcs12::with_pbmac1;
use crate::tools::{Found, NONE, find, folder, found_within, keytool, look, octets, openssl, run};

fn reason(found: &Found) -> &str {
    match &found.store().lock {
        Lock::Closed(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn pkcs12(folder: &TempDir, more: &str) -> Vec<u8> {
    openssl(folder, &format!("pkcs12 -export -inkey ec.pem -in ec.crt {more} -out a.p12"));
    octets(folder, "a.p12")
}

#[test]
fn all_stores_of_a_file_share_one_purse() {
    let folder = folder();
    let store = pkcs12(&folder, "-passout pass:Sesam-12");
    // Eight tries on a MAC of 2048 iterations, and two more.
    let purse = Purse::new(10 * 2100);
    let first = found_within(&store, NONE, true, &purse);
    assert!(reason(&first).starts_with("none of the 7 passwords"), "{}", reason(&first));
    let second = found_within(&store, &["Sesam-11", "Sesam-10"], true, &purse);
    assert_eq!(
        reason(&second),
        "the iterations that are spent on all stores of one file on disk were used up; \
         2 of 9 passwords were tried"
    );
    keytool(
        &folder,
        "-genkeypair -alias a -keyalg EC -dname CN=a -storetype jks -keystore a.jks \
         -storepass changeit -keypass changeit",
    );
    let store = octets(&folder, "a.jks");
    let empty = found_within(&store, NONE, true, &Purse::new(0));
    assert!(reason(&empty).ends_with("0 of 7 passwords were tried"), "{}", reason(&empty));
    assert_eq!(find(&store, NONE).store().lock, Lock::WellKnown("changeit".to_owned()));
}

#[test]
fn a_key_that_stays_closed_for_its_cost_is_said() {
    let folder = folder();
    std::fs::write(folder.path().join("password"), "Sesam-12\n").expect("writable");
    run(&folder, "certutil", "-N -d sql:. -f password");
    pkcs12(&folder, "-passout pass:x");
    run(&folder, "pk12util", "-d sql:. -k password -i a.p12 -W x");
    let store = octets(&folder, "key4.db");
    // One try of 10,000 iterations.
    let found = found_within(&store, &["Sesam-12"], false, &Purse::new(10_500));
    assert_eq!(found.store().lock, Lock::Configured);
    let [(GapReason::LimitReached, detail)] = &found.all.gaps[..] else {
        panic!("{:?}", found.all.gaps)
    };
    assert!(detail.contains("1 of its private keys stayed closed"), "{detail}");
    assert!(find(&store, &["Sesam-12"]).is_whole());
}

#[test]
fn parts_with_a_password_of_their_own_are_counted() {
    let folder = folder();
    let plain = pkcs12(&folder, "-nomac -certpbe aes-256-cbc -passout pass:Sesam-11");
    let found = find(&with_pbmac1(&folder, &plain, "Sesam-12"), &["Sesam-12"]);
    assert_eq!(reason(&found), "none of the 8 passwords that were tried opens 2 of its parts");
}

#[test]
fn names_are_short_and_printable() {
    let folder = folder();
    let name = format!("a\u{1b}[2J{}", "ü".repeat(5000));
    let words = ["pkcs12", "-export", "-inkey", "ec.pem", "-in", "ec.crt", "-passout", "pass:"];
    let more = ["-name", &name, "-out", "a.p12"];
    let words: Vec<String> = words.iter().chain(&more).map(|word| (*word).to_owned()).collect();
    crate::tools::run_words(&folder, "openssl", &words);
    let found = find(&octets(&folder, "a.p12"), NONE);
    let alias = found.store().entries[0].alias.as_deref().expect("an alias");
    assert!(alias.starts_with("a\u{fffd}[2Jü") && alias.ends_with("ü…"), "{alias}");
    assert_eq!(alias.chars().count(), 256);
    assert_eq!(found.certificates()[0].1, Some(alias));
    assert_eq!(found.keys()[0].2, Some(alias));
}

#[test]
fn what_follows_a_store_is_left_to_the_caller() {
    let folder = folder();
    let provider = "-providerpath /usr/share/java/bcprov.jar \
                    -provider org.bouncycastle.jce.provider.BouncyCastleProvider";
    for (kind, more) in [("jks", ""), ("jceks", ""), ("BKS", provider), ("BCFKS", provider)] {
        keytool(
            &folder,
            &format!(
                "-genkeypair -alias a -keyalg EC -dname CN=a -storetype {kind} -keystore {kind} \
                 -storepass changeit -keypass changeit {more}"
            ),
        );
    }
    pkcs12(&folder, "-passout pass:changeit");
    run(&folder, "certutil", "-N -d sql:. --empty-password");
    for name in ["a.p12", "jks", "jceks", "BKS", "BCFKS", "key4.db", "cert9.db"] {
        let store = octets(&folder, name);
        let alone = find(&store, NONE);
        assert_eq!(alone.used, store.len(), "{name}");
        let followed = find(&[&store[..], b"\n-----BEGIN PRIVATE KEY-----\n"].concat(), NONE);
        assert_eq!(followed.used, store.len(), "{name}");
        assert!(followed.is_whole(), "{name}: {:?}", followed.all.gaps);
        assert_eq!(followed.all.objects, alone.all.objects, "{name}: the same store");
    }
    // Without the password nobody knows whether it is the number of entries that is wrong.
    let store = [&octets(&folder, "jks")[..], b"-----BEGIN PRIVATE KEY-----"].concat();
    assert!(!look(&store).is_whole());
    // What is not read has not been used.
    keytool(
        &folder,
        &format!(
            "-genkeypair -alias a -keyalg EC -dname CN=a -storetype UBER -keystore UBER \
             -storepass changeit -keypass changeit {provider}"
        ),
    );
    assert_eq!(look(&octets(&folder, "UBER")).used, 0);
}

#[test]
fn a_mac_that_no_password_fits_is_named_as_the_reason() {
    let folder = folder();
    let closed = find(&pkcs12(&folder, "-passout pass:Sesam-12"), NONE);
    assert_eq!(
        reason(&closed),
        "none of the 7 passwords that were tried fits its integrity check, so its content was not \
         tried with them"
    );
    let closed = find(&pkcs12(&folder, "-passout pass:Sesam-12 -nomac"), NONE);
    assert_eq!(reason(&closed), "none of the 7 passwords that were tried fits");
    let closed = found_within(
        &pkcs12(&folder, "-passout pass:Sesam-12"),
        &["Sesam-11"],
        false,
        &Purse::default(),
    );
    assert!(reason(&closed).starts_with("the one password that was tried does not fit"));
}
