//! JKS and JCEKS as `keytool` writes them, and the trust store of Debian's Java.

use pki_inventory::{AssetId, Digest, Holds, Kind, Lock};
use pki_keystores::Format;

use crate::tools::{
    NONE, certificate, find, folder, keytool, look, octets, openssl, protection, run, spki, words,
};

fn store(folder: &tempfile::TempDir, kind: &str, password: &str) -> Vec<u8> {
    openssl(
        folder,
        "pkcs12 -export -inkey rsa.pem -in rsa.crt -name web -passout pass:123456 -out in.p12",
    );
    let to = format!("-storetype {kind} -keystore a.ks -storepass {password}");
    keytool(folder, &format!("-importcert -noprompt -alias Größe -file ca.crt {to}"));
    if kind == "jceks" {
        keytool(folder, &format!("-genseckey -alias sealed -keyalg AES -keysize 256 {to}"));
    }
    keytool(
        folder,
        &format!(
            "-importkeystore -noprompt -srckeystore in.p12 -srcstoretype PKCS12 -srcstorepass 123456 \
             -deststoretype {kind} -destkeystore a.ks -deststorepass {password}"
        ),
    );
    octets(folder, "a.ks")
}

#[test]
fn certificates_and_whose_key_it_is_show_without_the_password() {
    let folder = folder();
    for (kind, format, encryption) in [
        ("jks", Format::Jks, "JKS SHA-1 keystream - 1"),
        ("jceks", Format::Jceks, "JCEKS MD5 DES-EDE3-CBC 200000"),
    ] {
        let octets = store(&folder, kind, "Sesam-12");
        std::fs::remove_file(folder.path().join("a.ks")).expect("written");
        let found = look(&octets);
        assert!(found.is_whole(), "{kind}: {:?}", found.all.gaps);
        assert_eq!(found.format, format);
        let store = found.store();
        assert_eq!(store.format, kind.to_uppercase());
        assert_eq!(store.lock, Lock::Closed("no password was to be tried".to_owned()));
        assert_eq!(protection(store), [encryption]);
        let (own, ca) = (certificate(&folder, "rsa"), certificate(&folder, "ca"));
        let mut certificates = found.certificates();
        certificates.sort_by_key(|(_, label)| *label);
        assert_eq!(certificates, [(&ca[..], Some("größe")), (&own[..], Some("web"))]);
        let (key, encoding, how) = found.private_key();
        assert_eq!((key, encoding), (Some(spki(&folder, "rsa")), kind.to_uppercase().as_str()));
        assert_eq!(words(how), encryption);
        let web = store.entries.iter().find(|entry| entry.alias.as_deref() == Some("web"));
        let web = web.expect("the entry");
        assert_eq!(web.holds, Holds::PrivateKey);
        assert_eq!(
            web.assets,
            [
                AssetId::new(Kind::Certificate, Digest::of(&own)),
                AssetId::new(Kind::Key, spki(&folder, "rsa"))
            ]
        );
        let year = 365 * 86_400;
        assert!(web.created.expect("a date").0 > 50 * year, "seconds since 1970");
        let secret = store.entries.iter().filter(|entry| entry.holds == Holds::SecretKey).count();
        assert_eq!(secret, usize::from(kind == "jceks"));
        assert_eq!(store.count, Some(2 + u32::from(kind == "jceks")));

        assert_eq!(find(&octets, &["Sesam-12"]).store().lock, Lock::Configured);
        assert!(matches!(find(&octets, NONE).store().lock, Lock::Closed(_)));
    }
}

#[test]
fn a_password_of_the_manual_is_found() {
    let folder = folder();
    for kind in ["jks", "jceks"] {
        let octets = store(&folder, kind, "changeit");
        std::fs::remove_file(folder.path().join("a.ks")).expect("written");
        let lock = Lock::WellKnown("changeit".to_owned());
        assert_eq!(find(&octets, NONE).store().lock, lock);
        // Who configured it has not made it a secret.
        assert_eq!(find(&octets, &["changeit"]).store().lock, lock);
    }
}

#[test]
fn the_trust_store_of_java_comes_out_as_its_certificates() {
    let folder = folder();
    let listed = run(
        &folder,
        "keytool",
        "-list -rfc -keystore /etc/ssl/certs/java/cacerts -storepass changeit",
    );
    let listed = String::from_utf8_lossy(&listed).matches("BEGIN CERTIFICATE").count();
    assert!(listed > 100, "ca-certificates-java is installed");
    let octets = std::fs::read("/etc/ssl/certs/java/cacerts").expect("ca-certificates-java");
    let found = find(&octets, NONE);
    assert_eq!(found.certificates().len(), listed);
    assert_eq!(found.store().lock, Lock::WellKnown("changeit".to_owned()));
    assert!(found.store().entries.iter().all(|entry| entry.holds == Holds::Certificate));
    assert!(!found.all.secret);
    // Without its password there is nothing in it that would be hidden.
    assert_eq!(look(&octets).certificates().len(), listed);
    assert_eq!(look(&octets).store().lock, Lock::None);
}

#[test]
fn a_damaged_store_gives_what_came_before_the_damage() {
    let octets = std::fs::read("/etc/ssl/certs/java/cacerts").expect("ca-certificates-java");
    let all = look(&octets).certificates().len();
    let found = find(&octets[..octets.len() / 2], NONE);
    assert!(found.certificates().len() > all / 3);
    assert!(!found.is_whole(), "and says so");
    assert!(matches!(found.store().lock, Lock::Closed(_)));
}
