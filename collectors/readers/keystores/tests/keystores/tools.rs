//! Runs the tools, and reads what they wrote.

use std::path::Path;
use std::process::Command;

use pki_encodings::Collected;
use pki_inventory::{Digest, Encryption, Half, Key, KeyForm, Keystore, Object, Raw};
use pki_keystores::{Format, Passwords, Purse, read, recognise};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A folder with a key (`rsa.pem`, `ec.pem`) and a certificate for it (`rsa.crt`, `ec.crt`) of each
/// of two kinds, and a certificate of somebody else (`ca.crt`).
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, kind) in [("rsa", "rsa:2048"), ("ec", "ec"), ("ca", "rsa:2048")] {
        let curve = if kind == "ec" { " -pkeyopt ec_paramgen_curve:P-256" } else { "" };
        openssl(
            &folder,
            &format!(
                "req -x509 -newkey {kind}{curve} -nodes -keyout {name}.pem -out {name}.crt \
                 -subj /CN={name}.example.org -days 30"
            ),
        );
    }
    folder
}

/// Runs a tool in the folder; words are separated by spaces, `~` in a word stands for a space.
pub(crate) fn run(folder: &TempDir, tool: &str, words: &str) -> Vec<u8> {
    let words = words.split_whitespace().map(|word| word.replace('~', " "));
    run_words(folder, tool, &words.collect::<Vec<_>>())
}

pub(crate) fn run_words(folder: &TempDir, tool: &str, words: &[String]) -> Vec<u8> {
    let output = Command::new(tool).args(words).current_dir(folder.path()).output();
    let output = output.unwrap_or_else(|error| panic!("{tool} is missing: {error}"));
    let said = [output.stderr.as_slice(), &output.stdout].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{tool} {words:?}: {said}");
    output.stdout
}

pub(crate) fn openssl(folder: &TempDir, words: &str) -> Vec<u8> {
    run(folder, "openssl", words)
}

pub(crate) fn keytool(folder: &TempDir, words: &str) -> Vec<u8> {
    run(folder, "keytool", words)
}

/// The file's octets.
pub(crate) fn octets(folder: &TempDir, name: &str) -> Vec<u8> {
    std::fs::read(Path::new(folder.path()).join(name)).expect("the tool wrote it")
}

/// A certificate's DER.
pub(crate) fn certificate(folder: &TempDir, name: &str) -> Vec<u8> {
    openssl(folder, &format!("x509 -in {name}.crt -outform DER"))
}

/// The identity of the key that a certificate is for.
pub(crate) fn spki(folder: &TempDir, name: &str) -> Digest {
    openssl(folder, &format!("x509 -in {name}.crt -noout -pubkey -out {name}.pub"));
    Digest::of(&openssl(folder, &format!("pkey -pubin -in {name}.pub -outform DER")))
}

pub(crate) const NONE: &[&str] = &[];

/// What is found with the well-known passwords and these.
pub(crate) fn find(octets: &[u8], configured: &[&str]) -> Found {
    found(octets, configured, true)
}

/// What shows when no password is tried.
pub(crate) fn look(octets: &[u8]) -> Found {
    found(octets, NONE, false)
}

fn found(octets: &[u8], configured: &[&str], well_known: bool) -> Found {
    found_within(octets, configured, well_known, &Purse::default())
}

/// What is found with the passwords and so much work.
pub(crate) fn found_within(
    octets: &[u8],
    configured: &[&str],
    well_known: bool,
    purse: &Purse,
) -> Found {
    let format = recognise(&octets[..octets.len().min(300)]).expect("recognised by its beginning");
    assert_eq!(recognise(octets), Some(format));
    let configured: Vec<_> =
        configured.iter().map(|text| Zeroizing::new((*text).to_owned())).collect();
    let mut found = Collected::default();
    let passwords = Passwords { configured: &configured, well_known, purse };
    let used = read(format, octets, passwords, &mut found);
    assert!(used <= octets.len());
    let said = format!("{found:?}");
    for password in configured.iter().filter(|password| password.as_str() != "changeit") {
        assert!(!said.contains(password.as_str()), "{said}");
    }
    Found { format, used, all: found }
}

pub(crate) struct Found {
    pub(crate) format: Format,
    /// Octets that the store took.
    pub(crate) used: usize,
    pub(crate) all: Collected,
}

impl Found {
    /// The store itself, which comes first.
    pub(crate) fn store(&self) -> &Keystore {
        match &self.all.objects[0].raw {
            Raw::Keystore { keystore, .. } => keystore,
            other => panic!("no keystore first: {other:?}"),
        }
    }

    pub(crate) fn certificates(&self) -> Vec<(&[u8], Option<&str>)> {
        let certificates = self.all.objects.iter().filter_map(|object| match &object.raw {
            Raw::Certificate(octets) => Some((octets.as_slice(), object.label.as_deref())),
            _ => None,
        });
        certificates.collect()
    }

    pub(crate) fn keys(&self) -> Vec<(&Key, &KeyForm, Option<&str>)> {
        let key = |object: &'_ Object| matches!(object.raw, Raw::Key { .. });
        let keys = self.all.objects.iter().filter(|object| key(object)).map(|object| {
            let Raw::Key { key, .. } = &object.raw else { unreachable!("filtered") };
            (key, object.key.as_ref().expect("a form"), object.label.as_deref())
        });
        keys.collect()
    }

    /// The only private key, by its public half, format and encryption.
    pub(crate) fn private_key(&self) -> (Option<Digest>, &str, &Encryption) {
        let keys = self.keys();
        let [(key, form, _)] =
            keys.iter().filter(|key| key.1.half == Half::Private).collect::<Vec<_>>()[..]
        else {
            panic!("not one key: {keys:?}")
        };
        assert!(self.all.secret, "a key is a secret");
        (key.spki, &form.encoding, &form.encryption)
    }

    /// Nothing was amiss.
    pub(crate) fn is_whole(&self) -> bool {
        self.all.gaps.is_empty()
    }
}

/// Encryption under a passphrase, in three words: derivation, cipher, iterations.
pub(crate) fn words(encryption: &Encryption) -> String {
    match encryption {
        Encryption::None => "none".to_owned(),
        Encryption::Token => "token".to_owned(),
        Encryption::Passphrase { kdf, cipher, iterations } => format!(
            "{} {} {}",
            kdf.as_deref().unwrap_or("-"),
            cipher.as_deref().unwrap_or("-"),
            iterations.map_or("-".to_owned(), |count| count.to_string())
        ),
    }
}

/// The same, of every way in which a store is encrypted.
pub(crate) fn protection(store: &Keystore) -> Vec<String> {
    store.protection.iter().map(words).collect()
}
