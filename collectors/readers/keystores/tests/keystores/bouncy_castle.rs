//! BKS, UBER and BCFKS as `keytool` writes them with the provider of Bouncy Castle.

use pki_inventory::{Holds, Lock};
use pki_keystores::Format;

use crate::tools::{NONE, certificate, find, folder, keytool, look, octets, protection, words};

const PROVIDER: &str = "-providerpath /usr/share/java/bcprov.jar \
                        -provider org.bouncycastle.jce.provider.BouncyCastleProvider";

fn store(folder: &tempfile::TempDir, kind: &str, password: &str) -> Vec<u8> {
    let to =
        format!("-storetype {kind} -keystore {kind}-{password} -storepass {password} {PROVIDER}");
    keytool(
        folder,
        &format!("-genkeypair -alias web -keyalg RSA -dname CN=web -keypass {password} {to}"),
    );
    keytool(folder, &format!("-importcert -noprompt -alias ca -file ca.crt {to}"));
    octets(folder, &format!("{kind}-{password}"))
}

/// Whether this is said with a number of iterations as the provider draws it: at random from 1024
/// to 2047.
fn says(how: &str, words: &str, iterations: &str) -> bool {
    let number = how.strip_prefix(words).and_then(|rest| rest.strip_suffix(iterations));
    number.and_then(|n| n.trim().parse().ok()).is_some_and(|n: u32| (1024..2048).contains(&n))
}

#[test]
fn bks_shows_its_certificates_without_the_password() {
    let folder = folder();
    let octets = store(&folder, "BKS", "Sesam-12");
    let found = look(&octets);
    assert!(found.is_whole(), "{:?}", found.all.gaps);
    assert_eq!(found.format, Format::Bks);
    let ca = certificate(&folder, "ca");
    assert!(found.certificates().contains(&(&ca[..], Some("ca"))));
    assert_eq!(found.certificates().len(), 2);
    let (key, encoding, encryption) = found.private_key();
    assert!(key.is_some());
    assert_eq!(encoding, "BKS");
    assert!(says(&words(encryption), "PKCS12-SHA1 DES-EDE3-CBC ", ""), "{encryption:?}");
    let mut holds: Vec<_> = found.store().entries.iter().map(|entry| entry.holds).collect();
    holds.sort_unstable();
    assert_eq!(holds, [Holds::PrivateKey, Holds::Certificate]);
    let integrity = found.store().integrity.as_deref().unwrap_or_default();
    assert!(says(integrity, "HMAC-SHA1, ", " iterations"), "{integrity}");
    assert!(matches!(found.store().lock, Lock::Closed(_)));

    assert_eq!(find(&octets, &["Sesam-12"]).store().lock, Lock::Configured);
    let octets = store(&folder, "BKS", "changeit");
    assert_eq!(find(&octets, NONE).store().lock, Lock::WellKnown("changeit".to_owned()));
    assert!(!find(&octets[..octets.len() - 30], NONE).is_whole());
}

#[test]
fn what_is_encrypted_as_a_whole_says_how() {
    let folder = folder();
    let octets = store(&folder, "UBER", "changeit");
    let found = find(&octets, NONE);
    assert_eq!((found.format, found.store().format.as_str()), (Format::Uber, "UBER"));
    let how = &protection(found.store())[0];
    assert!(says(how, "PKCS12-SHA1 TWOFISH-256-CBC ", ""), "{how}");
    assert!(matches!(found.store().lock, Lock::Closed(_)) && found.all.secret);

    let octets = store(&folder, "BCFKS", "changeit");
    let found = find(&octets, NONE);
    assert_eq!((found.format, found.store().format.as_str()), (Format::Bcfks, "BCFKS"));
    assert_eq!(protection(found.store()), ["PBKDF2-HMAC-SHA512 AES-256-CCM 51200"]);
    assert_eq!(
        found.store().integrity.as_deref(),
        Some("HMAC-SHA512, PBKDF2-HMAC-SHA512, 51200 iterations")
    );
    assert!(matches!(found.store().lock, Lock::Closed(_)) && found.all.secret);
}
