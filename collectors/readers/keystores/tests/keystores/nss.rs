//! Databases as `certutil` and `pk12util` of NSS make them.

use pki_encodings::Collected;
use pki_inventory::{Half, Holds, Lock};
use pki_keystores::{Format, Passwords, Purse, read, recognise};

use crate::tools::{NONE, certificate, find, folder, look, octets, openssl, protection, run, spki};

fn database(folder: &tempfile::TempDir, password: &str) {
    std::fs::write(folder.path().join("password"), format!("{password}\n")).expect("writable");
    run(folder, "certutil", "-N -d sql:. -f password");
    for name in ["rsa", "ec"] {
        openssl(
            folder,
            &format!(
                "pkcs12 -export -inkey {name}.pem -in {name}.crt -name the~{name} -passout pass:x -out in.p12"
            ),
        );
        run(folder, "pk12util", "-d sql:. -k password -i in.p12 -W x");
    }
    run(folder, "certutil", "-A -d sql:. -f password -n trusted -t C,, -i ca.crt");
}

#[test]
fn certificates_and_keys_of_a_database_without_password_are_read() {
    let folder = folder();
    database(&folder, "");
    let found = find(&octets(&folder, "cert9.db"), NONE);
    assert!(found.is_whole(), "{:?}", found.all.gaps);
    let store = found.store();
    assert_eq!((found.format, store.format.as_str()), (Format::Sqlite, "NSS cert9.db"));
    assert_eq!(store.lock, Lock::None);
    let mut certificates = found.certificates();
    certificates.sort_by_key(|(_, label)| *label);
    let [ca, rsa, ec] = ["ca", "rsa", "ec"].map(|name| certificate(&folder, name));
    assert_eq!(
        certificates,
        [(&ec[..], Some("the ec")), (&rsa[..], Some("the rsa")), (&ca[..], Some("trusted"))]
    );
    assert_eq!(store.count, Some(3), "what is said about trust is no entry of its own");
    let keys = found.keys();
    assert!(keys.iter().all(|(_, form, _)| form.half == Half::Public));
    assert!(["rsa", "ec"].iter().any(|name| keys[0].0.spki == Some(spki(&folder, name))));
    assert!(!found.all.secret);

    let found = find(&octets(&folder, "key4.db"), NONE);
    assert!(found.is_whole(), "{:?}", found.all.gaps);
    let store = found.store();
    assert_eq!(store.format, "NSS key4.db");
    assert_eq!(store.lock, Lock::WellKnown(String::new()));
    assert_eq!(protection(store), ["PBKDF2-HMAC-SHA256 AES-256-CBC 1"]);
    let mut keys: Vec<_> =
        found.keys().iter().map(|(key, form, label)| (*label, key.spki, form.half)).collect();
    keys.sort_by_key(|(label, ..)| *label);
    assert_eq!(
        keys,
        [
            (Some("the ec"), Some(spki(&folder, "ec")), Half::Private),
            (Some("the rsa"), Some(spki(&folder, "rsa")), Half::Private)
        ]
    );
    assert!(store.entries.iter().all(|entry| entry.holds == Holds::PrivateKey));
    assert!(found.all.secret);
    // Nothing of the secret half may leave the reader.
    let scalar = openssl(&folder, "ec -in ec.pem -noout -text");
    let scalar: String = String::from_utf8_lossy(&scalar)
        .lines()
        .skip_while(|line| !line.starts_with("priv"))
        .skip(1)
        .take(1)
        .flat_map(|line| line.chars().filter(char::is_ascii_hexdigit))
        .collect();
    assert!(scalar.len() >= 28);
    let octets: Vec<String> = scalar
        .as_bytes()
        .chunks_exact(2)
        .map(|hex| std::str::from_utf8(hex).expect("hex").to_owned())
        .map(|hex| u8::from_str_radix(&hex, 16).expect("hex").to_string())
        .collect();
    assert!(!format!("{:?}", found.all).contains(&octets[1..].join(", ")));
}

#[test]
fn a_password_hides_only_what_it_has_to() {
    let folder = folder();
    database(&folder, "Sesam-12");
    let octets = octets(&folder, "key4.db");
    let found = find(&octets, NONE);
    assert!(matches!(found.store().lock, Lock::Closed(_)));
    assert_eq!(protection(found.store()), ["PBKDF2-HMAC-SHA256 AES-256-CBC 10000"]);
    let visible: Vec<_> = found.keys().iter().filter_map(|(key, ..)| key.spki).collect();
    assert_eq!(visible, [spki(&folder, "rsa")], "the modulus is not encrypted");
    assert_eq!(found.keys().len(), 2);
    let found = find(&octets, &["Sesam-12"]);
    assert_eq!(found.store().lock, Lock::Configured);
    assert!(found.keys().iter().all(|(key, ..)| key.spki.is_some()));
}

#[test]
fn the_older_databases_are_recognised() {
    let folder = folder();
    run(&folder, "certutil", "-N -d dbm:. --empty-password");
    for (file, secret) in [("cert8.db", false), ("key3.db", true)] {
        let found = look(&octets(&folder, file));
        assert_eq!(found.format, Format::BerkeleyDb);
        assert_eq!(found.store().format, format!("NSS {file}"));
        assert!(matches!(found.store().lock, Lock::Closed(_)));
        assert_eq!(found.all.secret, secret);
    }
}

/// What a reader that believed the names of tables would ask.
#[test]
fn views_and_triggers_of_a_stranger_are_not_asked() {
    let folder = folder();
    for (schema, reported) in [
        ("CREATE TABLE other (x); INSERT INTO other VALUES ('nssPublic');", false),
        (
            "CREATE VIEW nssPublic AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
             SELECT x AS a0 FROM n;",
            false,
        ),
        (
            "CREATE TABLE nssPublic (id PRIMARY KEY, a11, \
             a0 GENERATED ALWAYS AS (zeroblob(900000000)) VIRTUAL); \
             INSERT INTO nssPublic (id, a11) VALUES (1, x'3000');",
            true,
        ),
    ] {
        let path = folder.path().join("a.db");
        let _ = std::fs::remove_file(&path);
        let words = [path.display().to_string(), schema.to_owned()];
        crate::tools::run_words(&folder, "sqlite3", &words);
        let octets = octets(&folder, "a.db");
        let mut found = Collected::default();
        let purse = Purse::default();
        let passwords = Passwords { configured: &[], well_known: true, purse: &purse };
        read(Format::Sqlite, &octets, passwords, &mut found);
        assert_eq!(found.objects.len(), usize::from(reported), "{schema}");
        assert!(found.gaps.is_empty(), "{schema}: {:?}", found.gaps);
    }
    // A database of anything else is known by its first page.
    let words = ["b.db".to_owned(), "CREATE TABLE other (x);".to_owned()];
    crate::tools::run_words(&folder, "sqlite3", &words);
    assert_eq!(recognise(&octets(&folder, "b.db")), None);
}

#[test]
fn a_database_left_with_a_write_ahead_log_is_read() {
    let folder = folder();
    database(&folder, "");
    let words = ["cert9.db".to_owned(), "PRAGMA journal_mode = WAL".to_owned()];
    crate::tools::run_words(&folder, "sqlite3", &words);
    let octets = octets(&folder, "cert9.db");
    assert_eq!(octets[18], 2, "the mode is in the file");
    assert_eq!(find(&octets, NONE).certificates().len(), 3);
}
