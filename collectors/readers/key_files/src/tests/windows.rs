//! What is found does not depend on where windows end, nor on what else is in the text.

use std::fs;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::*;
use crate::{Binary, Text, binary};

const WINDOW: usize = 400 * 1024;

/// Reads a text in windows, as the collector does. The first one is cut here.
fn in_windows(text: &[u8], first: usize) -> Collected {
    let (mut reader, mut found) = (Text::new(), Collected::default());
    let (mut from, mut to) = (0, first.min(text.len()));
    loop {
        let last = to == text.len();
        let done = reader.feed(&text[from..to], last, &mut found);
        assert!(done <= to - from);
        if last {
            assert_eq!(done, to - from);
            return found;
        }
        from += done;
        to = text.len().min(to.max(from + WINDOW)).max((to + 1).min(text.len()));
    }
}

fn ed25519(number: u32) -> [u8; 32] {
    *Digest::of(&number.to_be_bytes()).octets()
}

/// Every kind of key, each between lines that are none.
fn keys(folder: &Path) -> Vec<String> {
    run(folder, "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", "key"]);
    run(folder, "puttygen", &["key", "-O", "private", "-o", "key.ppk"]);
    let ssh2 = run(folder, "ssh-keygen", &["-e", "-f", "key.pub"]);
    run(folder, "age-keygen", &["-o", "identity"]);
    let x = |number| BASE64_URL_SAFE_NO_PAD.encode(ed25519(number));
    let base64 = |number| BASE64_STANDARD.encode(ed25519(number));
    let q: String = ed25519(1).iter().map(|octet| format!("{octet:02X}")).collect();
    vec![
        fs::read_to_string(folder.join("key.pub")).unwrap(),
        fs::read_to_string(folder.join("key.ppk")).unwrap(),
        String::from_utf8(ssh2).unwrap(),
        fs::read_to_string(folder.join("identity")).unwrap(),
        format!("{{\"crv\":\"Ed25519\",\n \"kty\":\"OKP\",\n \"x\":\"{}\"}}\n", x(2)),
        format!(
            "[Interface]\nAddress = 10.0.0.1\nPrivateKey = {}\n[Peer]\nPublicKey = {}\nEndpoint = b.example:1\n[Other]\n",
            base64(3),
            base64(4)
        ),
        format!("Key: (private-key (ecc (curve Ed25519)\n  (q #40{q}#)(d #00#)))\nLabel: named\n"),
    ]
}

#[test]
fn keys_over_the_end_of_a_window_are_found_once() {
    let folder = tempfile::tempdir().unwrap();
    let filling = "some other line\n".repeat(WINDOW / 16);
    for key in keys(folder.path()) {
        let text = format!("{filling}{key}{filling}");
        let all = read(text.as_bytes());
        assert!(!all.objects.is_empty() && unparsed(&all) == 0, "{key}");
        for at in 0..=key.len() {
            if at % 3 != 0 && at < key.len() {
                continue;
            }
            let found = in_windows(text.as_bytes(), filling.len() + at);
            assert_eq!(found.objects, all.objects, "cut after {at} octets of {key}");
        }
    }
}

#[test]
fn sets_of_web_keys_that_are_longer_than_windows_lose_none() {
    for (between, before) in [(",", ""), (",\n    ", "\n        ")] {
        let key = |number: u32| {
            let x = BASE64_URL_SAFE_NO_PAD.encode(ed25519(number));
            format!(
                "{{{before}\"kid\":\"{number}\",{before}\"kty\":\"OKP\",{before}\"crv\":\"Ed25519\",{before}\"x\":\"{x}\"}}"
            )
        };
        let keys: Vec<_> = (0..14_000).map(key).collect();
        let text = format!("{{\"keys\":[{}]}}", keys.join(between));
        assert!(text.len() > 2 * WINDOW);
        let found = in_windows(text.as_bytes(), WINDOW);
        let labels: Vec<_> = found.objects.iter().map(|o| o.label.clone().unwrap()).collect();
        let expected: Vec<_> = (0..14_000).map(|number| number.to_string()).collect();
        assert!(labels == expected, "{} of {}", labels.len(), expected.len());
        assert_eq!(found.gaps, []);
    }
}

#[test]
fn lines_of_ssh_are_found_in_files_longer_than_windows() {
    let line = |number: u32| {
        let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &ed25519(number)].concat();
        format!("ssh-ed25519 {} user {number}\n", BASE64_STANDARD.encode(blob))
    };
    let text: String = (0..15_000).map(line).collect();
    assert!(text.len() > 3 * WINDOW);
    for (text, first) in [(text.clone(), "user 0"), (text.replace('\n', " "), "user")] {
        let found = in_windows(text.as_bytes(), WINDOW);
        assert_eq!(found.objects.len(), 15_000);
        assert_eq!(found.objects[0].label.as_deref(), Some(first));
    }
    let found = in_windows(text.as_bytes(), WINDOW);
    assert!(found.objects.iter().all(|object| form(object).encoding == "authorized_keys"));
}

#[test]
fn what_is_longer_than_it_may_be_is_not_waited_for() {
    for begin in [
        "{\"kty\":\"RSA\",\"n\":\"",
        "[Interface]\nPrivateKey = ",
        "ssh-rsa AAAAB3Nz",
        "Key: (private-key (",
    ] {
        let text = format!("{begin}{}", "A".repeat(4 * WINDOW));
        let mut reader = Text::new();
        let window = &text.as_bytes()[..2 * WINDOW];
        let done = reader.feed(window, false, &mut Collected::default());
        assert!(done > WINDOW / 2, "{begin}: {done}");
    }
}

#[test]
fn many_keys_of_gnupg_cost_no_more_than_their_octets() {
    let begun = Instant::now();
    let text = "Key: (private-key (x))\n".repeat(2 * 1024 * 1024 / 23);
    assert!(read(text.as_bytes()).objects.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn each_key_of_gnupg_has_its_own_name() {
    let key = |number: u32| {
        let q: String = ed25519(number).iter().map(|octet| format!("{octet:02X}")).collect();
        format!("Key: (private-key (ecc (curve Ed25519)\n (q #40{q}#)(d #00#)))\n")
    };
    let (one, two, three) = (key(1), key(2), key(3));
    let far = "# a comment\n".repeat(1000);
    for (text, expected) in [
        (format!("Label: a\n{one}Label: b\n{two}{three}"), [Some("a"), Some("b"), None]),
        (format!("{one}Label: a\n{two}Label: b\n{three}"), [Some("a"), Some("b"), None]),
        (
            format!("{one}Created: 1\nLabel: b\n{two}Use-for-ssh: yes\nLabel: c\n{three}"),
            [None, Some("b"), Some("c")],
        ),
        (format!("Label: a\n{far}{one}{two}{three}"), [None, None, None]),
    ] {
        let found = read(text.as_bytes());
        let labels: Vec<_> = found.objects.iter().map(|object| object.label.as_deref()).collect();
        assert_eq!(labels, expected, "{text}");
    }
}

#[test]
fn symmetric_web_keys_without_names_are_told_apart_by_their_place_in_their_set() {
    let oct = |k: &str| format!(r#"{{"kty":"oct","k":"{k}"}}"#);
    let other = |number| {
        let x = BASE64_URL_SAFE_NO_PAD.encode(ed25519(number));
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)
    };
    let set = |one: &str, two: &str, number| {
        let keys = [oct(one), other(number), oct(two)].join(",");
        let found = read(format!("{{\"keys\":[{keys}]}}").as_bytes());
        let symmetric = found.objects.into_iter().filter(|object| object.label.is_some());
        symmetric.map(|object| (id(&object), object.label.clone().unwrap())).collect::<Vec<_>>()
    };
    let found = set("c2VjcmV0", "c2VjcmV1", 1);
    let labels: Vec<_> = found.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["1 of 2 without a name", "2 of 2 without a name"]);
    assert_ne!(found[0].0, found[1].0);
    // Other values are not seen, another set is.
    assert_eq!(found, set("YWFhYWFh", "YmJiYmJi", 1));
    assert!(set("c2VjcmV0", "c2VjcmV1", 2).iter().all(|one| !found.contains(one)));
}

#[test]
fn passwords_beside_keys_of_ssh_are_no_names() {
    let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &ed25519(1)].concat();
    let key = format!("ssh-ed25519 {}", BASE64_STANDARD.encode(blob));
    for (text, label, encoding) in [
        (format!("echo {key} me && mysql -pS3cretPw db\n"), Some("echo"), "known_hosts"),
        (format!("set -e\n{key} me && mysql -pS3cretPw db\n"), Some("me"), "OpenSSH"),
        (format!("deploy:Hunter2 {key}\n"), None, "OpenSSH"),
        (format!("deploy:1234 {key}\n"), None, "OpenSSH"),
        (format!("x\n@cert-authority deploy:Hunter2 {key} a\n"), Some("a"), "OpenSSH"),
        (format!("a b\n deploy:Hunter2,x.y {key} me\n"), Some("me"), "OpenSSH"),
        (format!("user:pass@host.example {key}\n"), None, "OpenSSH"),
        (format!("host.example:22 {key}\n"), Some("host.example:22"), "known_hosts"),
        (format!("x\n[host]:2222,10.0.0.* {key}\n"), Some("[host]:2222,10.0.0.*"), "known_hosts"),
        (format!("fe80::1%eth0,!a.b {key}\n"), Some("fe80::1%eth0,!a.b"), "known_hosts"),
        (format!("x\n@cert-authority *.b {key}\n"), Some("@cert-authority *.b"), "known_hosts"),
    ] {
        let found = read(text.as_bytes());
        assert_eq!(told(only(&found)), (label, Half::Public, encoding, false), "{text}");
    }
}

#[test]
fn a_keyring_that_was_not_read_to_its_end_is_not_broken() {
    // A public key of version 4, ElGamal's length left out: Ed25519 in the form before RFC 9580.
    let oid = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
    let body = [&[4, 0, 0, 0, 1, 22, 9][..], &oid, &[1, 7, 0x40], &ed25519(1)].concat();
    let packet = [&[0xc6, u8::try_from(body.len()).unwrap()][..], &body].concat();
    let keyring = [&packet[..], &packet].concat();
    let cut = &keyring[..keyring.len() - 10];
    let keybox = [&[0, 0, 0, 32, 1, 1, 0, 2][..], b"KBXf", &[0; 20], &[0, 0, 1, 0, 2, 1]].concat();
    for (form, octets, keys) in [(Binary::Keyring, cut, 1), (Binary::Keybox, &keybox, 0)] {
        for (complete, broken) in [(true, 1), (false, 0)] {
            let mut found = Collected::default();
            binary(form, octets, complete, &mut found);
            assert_eq!((found.objects.len(), unparsed(&found)), (keys + broken, broken));
        }
    }
}
