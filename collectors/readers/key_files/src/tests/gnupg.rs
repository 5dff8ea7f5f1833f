use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pki_inventory::{Digest, Encryption, Half, Raw};

use super::*;

/// A home of GnuPG that ends its agent with itself.
struct Home(tempfile::TempDir);

impl Drop for Home {
    fn drop(&mut self) {
        let mut kill = Command::new("gpgconf");
        kill.args(["--homedir", ".", "--kill", "all"]).current_dir(self.0.path());
        let _ = kill.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::Builder::new().prefix("gpg").tempdir().unwrap());
        fs::write(home.path().join("gpg-agent.conf"), "allow-loopback-pinentry\n").unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn gpg(&self, passphrase: &str, arguments: &[&str]) -> Vec<u8> {
        let common = ["--homedir", ".", "--batch", "--quiet", "--no-tty", "--faked-system-time"];
        let phrase =
            ["20260101T000000!", "--pinentry-mode", "loopback", "--passphrase", passphrase];
        run(self.path(), "gpg", &[&common[..], &phrase, arguments].concat())
    }

    /// A key with a subkey. `kind` is what signs, `inner` what encrypts.
    fn generate(&self, name: &str, kind: &str, inner: &str, passphrase: &str) {
        let protection = match passphrase {
            "" => "%no-protection\n".to_owned(),
            _ => String::new(),
        };
        let text = format!(
            "{protection}{kind}\nKey-Usage: sign\n{inner}\nSubkey-Usage: encrypt\n\
             Name-Real: {name}\nName-Email: {name}@example.org\nExpire-Date: 0\n%commit\n"
        );
        fs::write(self.path().join("parameters"), text).unwrap();
        self.gpg(passphrase, &["--gen-key", "parameters"]);
    }

    /// What the tool says of the primary key and its subkey, by way of SSH.
    fn identities(&self, name: &str) -> Vec<Digest> {
        let listed = self.gpg("", &["--with-colons", "--fingerprint", "--list-keys", name]);
        let listed = String::from_utf8(listed).unwrap();
        let fingerprints = listed
            .lines()
            .filter_map(|line| line.strip_prefix("fpr:"))
            .map(|line| line.trim_matches(':').to_owned());
        fingerprints
            .filter_map(|fingerprint| {
                let arguments = ["--homedir", ".", "--export-ssh-key", &format!("{fingerprint}!")];
                let line = Command::new("gpg").args(arguments).current_dir(self.path()).output();
                let line = line.unwrap().stdout;
                // Keys for encryption on a curve have no form in SSH.
                (!line.is_empty()).then(|| id(only(&read(&line))))
            })
            .collect()
    }

    fn agent_files(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.path().join("private-keys-v1.d")).unwrap();
        folder.map(|entry| entry.unwrap().path()).collect()
    }
}

const RSA: (&str, &str) =
    ("Key-Type: RSA\nKey-Length: 2048", "Subkey-Type: RSA\nSubkey-Length: 3072");
const ED25519: (&str, &str) =
    ("Key-Type: EDDSA\nKey-Curve: ed25519", "Subkey-Type: ECDH\nSubkey-Curve: cv25519");
const NIST: (&str, &str) =
    ("Key-Type: ECDSA\nKey-Curve: nistp384", "Subkey-Type: ECDH\nSubkey-Curve: nistp256");
const DSA: (&str, &str) =
    ("Key-Type: DSA\nKey-Length: 1024", "Subkey-Type: ELG-E\nSubkey-Length: 1024");
const BRAINPOOL: (&str, &str) = (
    "Key-Type: ECDSA\nKey-Curve: brainpoolP256r1",
    "Subkey-Type: ECDH\nSubkey-Curve: brainpoolP512r1",
);

#[test]
fn a_key_is_the_same_asset_in_armour_in_keyrings_and_at_the_agent() {
    for (name, (kind, inner), labels) in [
        ("rsa", RSA, ["RSA-2048", "RSA-3072"]),
        ("eddsa", ED25519, ["Ed25519", "X25519"]),
        ("nist", NIST, ["P-384", "P-256"]),
        ("dsa", DSA, ["DSA", "ElGamal-1024"]),
        ("brainpool", BRAINPOOL, ["brainpoolP256r1", "brainpoolP512r1"]),
    ] {
        let home = Home::new();
        home.generate(name, kind, inner, "");
        let label = format!("{name} <{name}@example.org>");
        let known = home.identities(name);

        let forms: [(&[&str], Half); 4] = [
            (&["--armor", "--export"], Half::Public),
            (&["--export"], Half::Public),
            (&["--armor", "--export-secret-keys"], Half::Private),
            (&["--export-secret-keys"], Half::Private),
        ];
        let mut ids = BTreeMap::new();
        for (arguments, half) in forms {
            let exported = home.gpg("", arguments);
            let found = read(&exported);
            assert_eq!(found.objects.len(), 2, "{name} {arguments:?}: {found:?}");
            assert_eq!(found.secret, half == Half::Private);
            for (object, algorithm_label) in found.objects.iter().zip(labels) {
                assert_eq!(algorithm(object), algorithm_label, "{name}");
                assert_eq!(told(object), (Some(label.as_str()), half, "OpenPGP", false), "{name}");
                ids.entry(algorithm_label).or_insert(id(object));
                assert_eq!(ids[algorithm_label], id(object), "{name} {arguments:?}");
            }
        }
        for known in &known {
            assert!(ids.values().any(|id| id == known), "{name}: {known:?} of {ids:?}");
        }
        assert!(!known.is_empty() || name == "brainpool", "{name}: something to compare with");

        let keybox = read_file(home.path(), "pubring.kbx");
        assert_eq!(keybox.objects.iter().map(id).collect::<Vec<_>>(), labels.map(|l| ids[l]));

        for file in home.agent_files() {
            let found = read(&fs::read(&file).unwrap());
            assert!(found.secret, "{name} {found:?}");
            // The agent's form of ElGamal makes no asset of its own.
            if name == "dsa" && found.objects.is_empty() {
                assert!(found.known);
                continue;
            }
            let key = only(&found);
            assert_eq!(told(key), (None, Half::Private, "GnuPG", false));
            assert!(ids.values().any(|known| *known == id(key)), "{name}: {}", algorithm(key));
        }
    }
}

#[test]
fn a_passphrase_is_told_with_what_it_costs_to_guess() {
    let home = Home::new();
    home.generate("alice", ED25519.0, ED25519.1, "canary passphrase");
    for arguments in [&["--armor", "--export-secret-keys"][..], &["--export-secret-keys"]] {
        let found = read(&home.gpg("canary passphrase", arguments));
        assert_eq!(found.objects.len(), 2);
        for object in &found.objects {
            let Encryption::Passphrase { kdf, cipher, iterations } = &form(object).encryption
            else {
                panic!("{object:?}")
            };
            assert!(kdf.as_deref().unwrap().starts_with("OpenPGP iterated and salted S2K, SHA-"));
            assert!(cipher.as_deref().unwrap().starts_with("AES-"), "{cipher:?}");
            assert!(iterations.unwrap() >= 65_536, "{iterations:?}");
        }
    }
    for file in home.agent_files() {
        let found = read(&fs::read(file).unwrap());
        let Encryption::Passphrase { kdf, cipher, iterations } = &form(only(&found)).encryption
        else {
            panic!("{found:?}")
        };
        assert_eq!(kdf.as_deref(), Some("OpenPGP iterated and salted S2K, SHA-1"));
        assert!(cipher.as_deref().unwrap().starts_with("AES-128-"), "{cipher:?}");
        assert!(iterations.unwrap() >= 1024, "{iterations:?}");
    }
}

#[test]
fn a_primary_key_that_is_kept_elsewhere_is_not_private_here() {
    let home = Home::new();
    home.generate("alice", RSA.0, RSA.1, "");
    let found = read(&home.gpg("", &["--export-secret-subkeys"]));
    let halves: Vec<_> = found.objects.iter().map(|object| form(object).half).collect();
    assert_eq!(halves, [Half::Public, Half::Private]);
}

#[test]
fn the_agents_old_form_is_the_same_key() {
    for (passphrase, encrypted) in [("", false), ("canary passphrase", true)] {
        let home = Home::new();
        home.generate("alice", NIST.0, NIST.1, passphrase);
        for file in home.agent_files() {
            let text = fs::read(file).unwrap();
            let found = read(&[b"Label: my key\n", &text[..]].concat());
            let key = only(&found);
            assert_eq!(told(key), (Some("my key"), Half::Private, "GnuPG", encrypted));

            // Not all of it is UTF-8, but every octet is a character of Latin 1.
            let text: String = text.iter().copied().map(char::from).collect();
            let text = text.replace("\n ", "");
            let old = canonical(&text[text.find("Key:").unwrap() + 4..]);
            let found = read(&old);
            assert_eq!(id(only(&found)), id(key));
            assert_eq!(form(only(&found)), form(key));
            assert!(found.secret);
            let found = read(&old[..old.len() - 10]);
            assert!(matches!(only(&found).raw, Raw::Unparsed { .. }) && found.secret);
        }
    }
}

#[test]
fn quotation_marks_in_a_salt_do_not_end_it() {
    let home = Home::new();
    home.generate("alice", NIST.0, NIST.1, "canary passphrase");
    for file in home.agent_files() {
        let text: String = fs::read(file).unwrap().iter().copied().map(char::from).collect();
        let octets =
            |text: &str| text.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>();
        let whole = read(&octets(&text));
        // Lines are broken anywhere.
        let text = text.replace("\n ", "");
        let salt = text.find("(sha1 ").unwrap() + 6;
        let end = salt + text[salt..].find(")#").unwrap();
        let salted = r#""a)\"(\\" "4096""#;
        let odd = format!("{}{salted}{}", &text[..salt], &text[end..]);
        let found = read(&octets(&odd));
        assert_eq!(id(only(&found)), id(only(&whole)), "{odd}");
        let Encryption::Passphrase { iterations, .. } = form(only(&found)).encryption else {
            panic!("{found:?}")
        };
        assert_eq!(iterations, Some(4096), "{odd}");
    }
}

/// Rewrites an expression the way agents wrote it before GnuPG 2.2.
fn canonical(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.trim());
    let atom = |out: &mut Vec<u8>, octets: &[u8]| {
        out.extend_from_slice(format!("{}:", octets.len()).as_bytes());
        out.extend_from_slice(octets);
    };
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => {
                let inside = &rest[1..][..rest[1..].find('#').unwrap()];
                let digits: Vec<u8> = inside.bytes().filter(|d| !d.is_ascii_whitespace()).collect();
                let number = |pair: &[u8]| {
                    u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()
                };
                atom(&mut out, &digits.chunks(2).map(number).collect::<Vec<_>>());
                inside.len() + 2
            }
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|character| {
                    let ends = character == '"' && !escaped;
                    escaped = character == '\\' && !escaped;
                    ends
                });
                let inside = &rest[1..][..end.unwrap()];
                // Escapes stay as they are: which octets they mean does not matter here.
                atom(
                    &mut out,
                    &inside.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>(),
                );
                inside.len() + 2
            }
            '(' | ')' => {
                out.push(first as u8);
                1
            }
            blank if blank.is_ascii_whitespace() => 1,
            _ => {
                let word = rest.split(|c: char| c.is_ascii_whitespace() || "()#\"".contains(c));
                let word = word.into_iter().next().unwrap();
                atom(&mut out, word.as_bytes());
                word.len()
            }
        };
        rest = &rest[length..];
    }
    out
}

#[test]
fn what_is_broken_in_a_keyring_is_told_and_what_is_not_is_read() {
    let home = Home::new();
    home.generate("alice", RSA.0, RSA.1, "");
    let ring = home.gpg("", &["--export"]);
    let found = read(&ring[..ring.len() - 10]);
    assert_eq!((found.objects.len(), unparsed(&found)), (3, 1));
    let armour = String::from_utf8(home.gpg("", &["--armor", "--export"])).unwrap();
    let found = read(&armour.as_bytes()[..armour.len() / 2]);
    assert!(matches!(only(&found).raw, Raw::Unparsed { .. }));
    let message = home.gpg("", &["--output", "-", "--armor", "--detach-sign", "parameters"]);
    let found = read(&message);
    assert!(found.known && found.objects.is_empty());
}

/// A packet in the newer form of header (RFC 9580, 4.2.1).
fn packet(kind: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc0 | kind, 255], &length[..], &body].concat()
}

#[test]
fn packets_of_every_version_are_the_same_key() {
    // GnuPG writes version 4 only, so the others are put together as RFC 9580, 5.5.2 says, from a
    // key that OpenSSL made.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, "openssl", &["genpkey", "-quiet", "-algorithm", "ED25519", "-out", "key.pem"]);
    let public = ["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"];
    let spki = run(folder, "openssl", &public);
    let (point, created) = (&spki[spki.len() - 32..], [0x66, 0, 0, 0]);
    let old_oid = [9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
    let legacy: [&[u8]; 4] = [&old_oid, &[1, 7], &[0x40], point];
    let length = [0, 0, 0, u8::try_from(legacy.concat().len()).unwrap()];
    let argon2 = [&[4][..], &[9; 16], &[1, 4, 21]].concat();
    let secret = [7; 48];
    let name = packet(13, &[b"Bob\x07 <bob@example.org>"]);
    let label = Some("Bob? <bob@example.org>");
    for (packet, half, kdf) in [
        (packet(6, &[&[4], &created, &[22], &legacy.concat()]), Half::Public, None),
        (packet(6, &[&[5], &created, &[22], &length, &legacy.concat()]), Half::Public, None),
        (packet(6, &[&[6], &created, &[27], &[0, 0, 0, 32], point]), Half::Public, None),
        (packet(14, &[&[6], &created, &[27], &[0, 0, 0, 32], point]), Half::Public, None),
        (
            packet(5, &[&[6], &created, &[27, 0, 0, 0, 32], point, &[0], &secret]),
            Half::Private,
            None,
        ),
        (
            packet(
                5,
                &[
                    &[6],
                    &created,
                    &[27, 0, 0, 0, 32],
                    point,
                    &[253, 38, 9, 2, 20],
                    &argon2,
                    &[3; 15],
                    &secret,
                ],
            ),
            Half::Private,
            Some("Argon2id (2097152 KiB, 1 passes, parallelism 4)"),
        ),
    ] {
        let mut found = Collected::default();
        crate::binary(crate::Binary::Keyring, &[&packet[..], &name].concat(), true, &mut found);
        let key = only(&found);
        assert_eq!(id(key), Digest::of(&spki));
        assert_eq!(told(key), (label, half, "OpenPGP", kdf.is_some()));
        if let Encryption::Passphrase { kdf: told, cipher, .. } = &form(key).encryption {
            assert_eq!((told.as_deref(), cipher.as_deref()), (kdf, Some("AES-256-OCB")));
        }
    }

    let arguments = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "rsa.pem"];
    run(folder, "openssl", &[&["genpkey", "-quiet"][..], &arguments].concat());
    let spki = run(folder, "openssl", &["pkey", "-in", "rsa.pem", "-pubout", "-outform", "DER"]);
    let modulus = &spki[spki.len() - 128 - 5..spki.len() - 5];
    let numbers = [&[4, 0][..], modulus, &[0, 17, 1, 0, 1]].concat();
    let third = packet(6, &[&[3], &created, &[0, 0, 1], &numbers]);
    assert!(crate::recognise(&third).is_some());
    let found = read(&third);
    assert_eq!((id(only(&found)), algorithm(only(&found))), (Digest::of(&spki), "RSA-1024".into()));
}

#[test]
fn a_line_may_be_broken_at_any_octet() {
    let home = Home::new();
    home.generate("alice", ED25519.0, ED25519.1, "canary passphrase");
    let text = fs::read(&home.agent_files()[0]).unwrap();
    let whole = read(&text);
    let at = text.windows(5).position(|window| window == b"Key: ").unwrap() + 6;
    for end in at..text.len() - 1 {
        // Not between a line end and the blank that says that the line goes on.
        if text[end - 1] != b'\n' {
            let broken = [&text[..end], b"\n ", &text[end..]].concat();
            let found = read(&broken);
            assert_eq!(found.objects, whole.objects, "{}", String::from_utf8_lossy(&broken));
        }
    }
}
