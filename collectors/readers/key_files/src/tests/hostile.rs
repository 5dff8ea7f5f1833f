//! No octets may panic, and no secret may be shown.

use std::fs;

use pki_encodings::Report;
use pki_inventory::{GapReason, Kind};
use proptest::prelude::*;

use super::*;

/// Beginnings of everything that is read, with what makes the readers go on.
pub const PIECES: &[&str] = &[
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20",
    "@cert-authority * ",
    "command=\"a b\",from=\"",
    "|1|aa|bb ",
    " AAAA",
    "\tAAAA",
    "---- BEGIN SSH2 PUBLIC KEY ----\n",
    "---- END SSH2 PUBLIC KEY ----\n",
    "Comment: \\\n",
    "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n",
    "Public-Lines: 99999999\n",
    "Private-Lines: 1\n",
    "Key: (private-key (rsa (n #00",
    "Key: (protected-private-key (ecc (curve \"Ed25519\")",
    "(11:private-key(3:rsa(1:n99999999:",
    "#)",
    "))))",
    "((((((((((((((((",
    "{\"kty\":\"RSA\",\"n\":\"",
    "{\"kty\":\"oct\",\"k\":\"",
    "\"}",
    "{",
    "[Interface]\nPrivateKey = ",
    "[Peer]\nPublicKey=",
    "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
    "AGE-SECRET-KEY-1",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
    "-----END OPENSSH PRIVATE KEY-----\n",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ",
    "-----END PGP PRIVATE KEY BLOCK-----\n",
    "\n",
    " ",
    "\u{e4}\u{20ac}",
];

/// Octets that begin like a binary form and go on in any way.
const BEGINNINGS: &[&[u8]] = &[
    b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01",
    b"\x99\x01\x0d\x04\x66\0\0\0\x01",
    b"\x95\x01\x0d\x04\x66\0\0\0\x01",
    b"\xc6\x33\x04\x66\0\0\0\x16\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01\x01\x07\x40",
    b"\xc5\xff\0\0\0\x40\x06\x66\0\0\0\x1b\0\0\0\x20",
    b"\0\0\0\x20\x01\x01\0\x02KBXf",
    b"(11:private-key(3:ecc(5:curve7:Ed25519)(1:q33:@",
    b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01",
    b"\0\0\0\x1cssh-rsa-cert-v01@openssh.com",
];

fn everything(octets: &[u8]) {
    let mut found = read(octets);
    // In two windows, cut in the middle.
    let (mut text, middle) = (crate::Text::new(), octets.len() / 2);
    let done = text.feed(&octets[..middle], false, &mut found);
    text.feed(&octets[done..], true, &mut found);
    for form in [crate::Binary::Keyring, crate::Binary::Keybox, crate::Binary::AgentKey] {
        crate::binary(form, octets, true, &mut found);
        crate::binary(form, octets, false, &mut found);
    }
    crate::ssh_private::read(octets, &mut found);
    let _ = crate::ssh_blob::read(octets);
}

proptest! {
    #[test]
    fn no_text_panics(parts in prop::collection::vec(
        prop_oneof![
            prop::sample::select(PIECES).prop_map(str::to_owned),
            "[ -~]{0,40}",
            "[A-Za-z0-9+/=]{0,200}",
            ".{0,10}",
        ],
        0..20,
    )) {
        let text = parts.concat();
        everything(text.as_bytes());
    }

    #[test]
    fn no_octets_panic(
        beginning in prop::sample::select(BEGINNINGS),
        rest in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0usize..100,
    ) {
        let octets = [beginning, &rest].concat();
        everything(&octets[..octets.len() - cut.min(octets.len())]);
    }
}

/// A place that holds as many objects as are taken.
#[derive(Default)]
struct Full {
    asked: usize,
}

impl Report for Full {
    fn is_full(&mut self) -> bool {
        self.asked += 1;
        true
    }

    fn object(&mut self, object: Object) {
        panic!("{object:?} was not asked for");
    }

    fn unparsed_as(&mut self, _: Digest, _: Kind, _: usize, error: String) {
        panic!("{error}: was not asked for");
    }

    fn not_read(&mut self, _: String) {}
    fn gap(&mut self, _: GapReason, _: String) {}
    fn secret(&mut self) {}
    fn known(&mut self) {}
}

#[test]
fn what_no_longer_fits_is_asked_for_once_and_so_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", "key"]);
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let oct = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
    for (text, objects) in [
        (format!("{line}{line}"), 2),
        (format!("{line}{}\n", line.trim_end().replace(" me", "=x me")), 2),
        (format!("# keys\n{oct} some text\n a {line} b {line}"), 3),
        ("ssh-rsa AAAA ssh-rsa AAAA\n".to_owned(), 0),
    ] {
        let mut full = Full::default();
        crate::Text::new().feed(text.as_bytes(), true, &mut full);
        assert_eq!(full.asked, objects, "{text}");
    }
}

#[test]
fn keys_with_any_octet_changed_or_cut_do_not_panic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = ["-q", "-t", "ecdsa", "-N", "", "-C", "canary comment", "-f", "key"];
    run(folder, "ssh-keygen", &arguments);
    let signing = ["-q", "-s", "key", "-I", "me", "-n", "a,b", "key.pub"];
    run(folder, "ssh-keygen", &signing);
    for name in ["key", "key.pub", "key-cert.pub"] {
        let octets = fs::read(folder.join(name)).unwrap();
        for at in 0..octets.len() {
            everything(&octets[..at]);
            let mut changed = octets.clone();
            changed[at] ^= 1;
            everything(&changed);
        }
    }
}

#[test]
fn nothing_secret_is_in_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", "key"]);
    let public = fs::read_to_string(folder.join("key.pub")).unwrap();
    let text = fs::read_to_string(folder.join("key")).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    use base64::Engine as _;
    let octets = base64::prelude::BASE64_STANDARD.decode(body).unwrap();
    let blob = base64::prelude::BASE64_STANDARD.decode(public.split(' ').nth(1).unwrap()).unwrap();
    // The private section has the public key and then the secret one: 64 octets, the seed first.
    let key = &blob[blob.len() - 32..];
    let last = (0..octets.len() - 32).rev().find(|at| &octets[*at..at + 32] == key).unwrap();
    let seed = &octets[last - 32..last];
    // Cut short, with a wrong count of keys, and whole: none of it is quoted.
    let mut counted = octets.clone();
    let count = octets.windows(4).position(|four| four == [0, 0, 0, 1]).unwrap();
    counted[count + 3] = 2;
    for octets in [&octets[..], &octets[..octets.len() - 40], &counted] {
        let mut found = Collected::default();
        crate::ssh_private::read(octets, &mut found);
        assert!(!found.objects.is_empty() && found.secret);
        let shown = format!("{found:?}");
        let hexadecimal: String = seed.iter().map(|octet| format!("{octet:02x}")).collect();
        let base64 = base64::prelude::BASE64_STANDARD.encode(&seed[..30]);
        assert!(!shown.contains(&hexadecimal) && !shown.contains(&base64));
        assert!(!shown.contains(&format!("{:?}", &seed[..4])), "as a list");
    }
}
