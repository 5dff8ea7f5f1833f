//! Octets that nobody's tool wrote.

use std::sync::OnceLock;

use pki_encodings::Collected;
use pki_inventory::{Lock, Raw};
use pki_keystores::{Format, Passwords, Purse, read, recognise};
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::tools::{folder, keytool, octets, openssl, run};

fn all_formats(octets: &[u8]) {
    let _ = recognise(octets);
    for format in Format::ALL {
        let mut found = Collected::default();
        let configured = [Zeroizing::new("Sesam-12".to_owned())];
        let purse = Purse::default();
        let passwords = Passwords { configured: &configured, well_known: true, purse: &purse };
        read(*format, octets, passwords, &mut found);
        assert!(!format!("{found:?}{passwords:?}").contains("Sesam-12"));
    }
}

/// One small store of every format that is read.
fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = folder();
        openssl(
            &folder,
            "pkcs12 -export -inkey ec.pem -in ec.crt -certpbe NONE -iter 1 -passout pass:x -out 1",
        );
        openssl(
            &folder,
            "pkcs12 -export -inkey ec.pem -in ec.crt -iter 1 -passout pass:changeit -out 2",
        );
        run(&folder, "certutil", "-N -d sql:. --empty-password");
        run(&folder, "pk12util", "-d sql:. -i 2 -W changeit");
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
        keytool(
            &folder,
            "-genseckey -alias b -keyalg AES -keysize 128 -storetype jceks -keystore jceks \
             -storepass changeit",
        );
        ["1", "2", "jks", "jceks", "BKS", "BCFKS", "cert9.db", "key4.db"]
            .iter()
            .map(|name| octets(&folder, name))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_are_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        all_formats(&octets);
    }

    #[test]
    fn damaged_stores_are_read_without_panic(
        seed in 0..8usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut octets = seeds()[seed].clone();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if !whole {
            octets.truncate(cut.index(octets.len()));
        }
        if let Some(format) = recognise(&octets) {
            let mut found = Collected::default();
            read(format, &octets, Passwords { configured: &[], well_known: true, purse: &Purse::default() }, &mut found);
        }
    }
}

#[test]
fn every_beginning_of_every_store_is_read_without_panic() {
    for store in seeds().iter().filter(|store| store.len() < 8000) {
        for end in 0..store.len() {
            if let Some(format) = recognise(&store[..end]) {
                let mut found = Collected::default();
                read(
                    format,
                    &store[..end],
                    Passwords { configured: &[], well_known: false, purse: &Purse::default() },
                    &mut found,
                );
                assert!(!found.objects.is_empty(), "the store itself is always told");
            }
        }
    }
}

#[test]
fn formats_that_stay_closed_are_known_by_their_magic() {
    for (octets, format, name) in [
        (&b"kych\0\x01\0\0\0\0\0\x14"[..], Format::Keychain, "macOS keychain"),
        (b"\xa1\xf8\x4e\x36\0\0\0\x06\0\0\0\x21", Format::OracleWallet, "Oracle auto-login wallet"),
        (b"7H\x03\x02\0\0\0\0X509KEY\0", Format::IbmKeyDatabase, "IBM CMS key database"),
    ] {
        assert_eq!(recognise(octets), Some(format));
        let mut found = Collected::default();
        read(
            format,
            octets,
            Passwords { configured: &[], well_known: true, purse: &Purse::default() },
            &mut found,
        );
        let Raw::Keystore { keystore, .. } = &found.objects[0].raw else { panic!("no store") };
        assert_eq!(keystore.format, name);
        assert!(matches!(keystore.lock, Lock::Closed(_)) && found.secret);
    }
}

#[test]
fn other_files_are_not_taken_for_keystores() {
    let folder = folder();
    openssl(&folder, "pkcs8 -topk8 -in rsa.pem -out key.der -outform DER -passout pass:x");
    openssl(&folder, "crl2pkcs7 -nocrl -certfile rsa.crt -outform DER -out chain.p7b");
    openssl(&folder, "x509 -in rsa.crt -outform DER -out rsa.der");
    for name in ["key.der", "chain.p7b", "rsa.der", "rsa.pem"] {
        assert_eq!(recognise(&octets(&folder, name)), None, "{name}");
    }
}
