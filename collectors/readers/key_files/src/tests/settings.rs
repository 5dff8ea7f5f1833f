use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use pki_encodings::tlv::{Element, Reader};
use pki_inventory::{Digest, GapReason, Half};

use super::*;

/// A key made by OpenSSL: its private and its public encoding.
fn generate(folder: &Path, arguments: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let more = ["-outform", "DER", "-out", "key.der"];
    run(folder, "openssl", &[&["genpkey", "-quiet"][..], arguments, &more].concat());
    let public = ["pkey", "-inform", "DER", "-in", "key.der", "-pubout", "-outform", "DER"];
    let public = run(folder, "openssl", &public);
    (fs::read(folder.join("key.der")).unwrap(), public)
}

fn url(octets: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(octets)
}

#[test]
fn web_keys_are_found_in_sets_and_in_any_json() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut members = Vec::new();
    for (name, length) in [("P-256", 32), ("P-384", 48), ("P-521", 66)] {
        let curve = format!("ec_paramgen_curve:{name}");
        let (_, spki) = generate(folder, &["-algorithm", "EC", "-pkeyopt", &curve]);
        let (x, y) = spki[spki.len() - 2 * length..].split_at(length);
        let (x, y) = (url(x), url(y));
        let public = format!(r#""crv":"{name}","x":"{x}","y":"{y}","kty":"EC""#);
        members.push((name.to_owned(), public, spki));
    }
    for (name, length) in [("Ed25519", 32), ("Ed448", 57), ("X25519", 32), ("X448", 56)] {
        let (_, spki) = generate(folder, &["-algorithm", name]);
        let x = url(&spki[spki.len() - length..]);
        let public = format!("\"kty\" : \"OKP\",\n \"crv\": \"{name}\", \"x\": \"{x}\"");
        members.push((name.to_owned(), public, spki));
    }
    let (_, spki) = generate(folder, &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let mut fields = Element::first(&spki).unwrap().inside();
    fields.any();
    let bits = fields.any().unwrap().value;
    let mut numbers = Reader(&bits[1..]).any().unwrap().inside();
    let (n, e) = (numbers.any().unwrap().value, numbers.any().unwrap().value);
    let other = r#"[{"r":"cGFydA","d":"cGFydA","t":"cGFydA"}]"#;
    let (n, e) = (url(&n[1..]), url(e));
    let rsa = format!(r#""n":"{n}","e":"{e}","oth":{other},"kty":"RSA""#);
    members.push(("RSA-2048".to_owned(), rsa, spki));

    for (name, public, spki) in &members {
        let private = format!(r#"{{"d":"canary","kid":"my {name}",{public}}}"#);
        let found = read(private.as_bytes());
        let key = only(&found);
        assert_eq!((id(key), algorithm(key)), (Digest::of(spki), name.clone()));
        assert_eq!(told(key).1, Half::Private);
        assert_eq!(told(key).0, Some(format!("my {name}").as_str()));
        assert!(found.secret, "{name}");
        assert!(!format!("{found:?}").contains("canary"));
    }
    let public: Vec<_> = members.iter().map(|(_, public, _)| format!("{{{public}}}")).collect();
    let set = format!("{{\"x\": [1, {{\"keys\": [{}]}}], \"y\": 2}}", public.join(", "));
    let found = read(set.as_bytes());
    let ids: Vec<_> = found.objects.iter().map(id).collect();
    let expected: Vec<_> = members.iter().map(|(_, _, spki)| Digest::of(spki)).collect();
    assert_eq!(ids, expected);
    assert!(!found.secret);
    assert_eq!(told(&found.objects[0]), (None, Half::Public, "JWK", false));
}

#[test]
fn a_symmetric_web_key_is_known_by_its_name_and_length_alone() {
    let key =
        |k: &str, kid: &str| format!(r#"{{"kty":"oct","alg":"A128KW","k":"{k}","kid":"{kid}"}}"#);
    let one = read(key("GawgguFyGrWKav7AX4VKUg", "a").as_bytes());
    let other_value = read(key("canarycanarycanarycana", "a").as_bytes());
    let other_name = read(key("GawgguFyGrWKav7AX4VKUg", "b").as_bytes());
    assert!(one.secret);
    assert_eq!(algorithm(only(&one)), "symmetric-128");
    assert_eq!(told(only(&one)), (Some("a"), Half::Private, "JWK", false));
    assert_eq!(id(only(&one)), id(only(&other_value)));
    assert_ne!(id(only(&one)), id(only(&other_name)));
    assert!(!format!("{other_value:?}").contains("canary"));
}

#[test]
fn templates_of_web_keys_are_no_keys() {
    for text in [
        r#"{"kty":"RSA","n":"...","e":"AQAB"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"<x>","y":"<y>"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        r#"{"kty":"oct","k":"..."}"#,
        r#"{"required":["kty"],"properties":{"kty":{"type":"string"}}}"#,
        r#"if key["kty"] == "RSA" { "#,
    ] {
        let found = read(text.as_bytes());
        assert!(found.objects.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn json_that_is_made_to_cost_much_is_given_up_and_said_to_be() {
    // Every member makes the reader try the same eight openings again.
    let mut text = String::from("[");
    for _ in 0..8 {
        text.push_str(r#"{"a":["#);
    }
    text.push_str(&"1,".repeat(15_000));
    text.push_str(&"\"kty\",".repeat(4_000));
    let found = read(text.as_bytes());
    assert!(found.objects.is_empty());
    let reasons: Vec<_> = found.gaps.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, [GapReason::LimitReached]);
}

fn x25519(folder: &Path) -> (String, String, Digest) {
    let (private, public) = generate(folder, &["-algorithm", "X25519"]);
    let of = |octets: &[u8]| BASE64_STANDARD.encode(&octets[octets.len() - 32..]);
    (of(&private), of(&public), Digest::of(&public))
}

#[test]
fn settings_of_wireguard_tell_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (private, _, own) = x25519(folder);
    let (shared, public, peer) = x25519(folder);
    for (interface, other) in [("Interface", "Peer"), ("WireGuard", "WireGuardPeer")] {
        let text = format!(
            "[NetDev]\nName=wg0\n\n[{interface}]\nListenPort = 51820\nPrivateKey = {private}\n\n\
             [{other}]\nPublicKey={public} # bob\nPresharedKey = {shared}\n\
             Endpoint = vpn.example.org:51820\n"
        );
        let found = read(text.as_bytes());
        let ids: Vec<_> = found.objects.iter().map(id).collect();
        assert_eq!(ids, [own, peer]);
        assert_eq!(told(&found.objects[0]), (None, Half::Private, "WireGuard", false));
        let label = Some("vpn.example.org:51820");
        assert_eq!(told(&found.objects[1]), (label, Half::Public, "WireGuard", false));
        assert!(found.secret && found.known);
        let shown = format!("{found:?}");
        assert!(!shown.contains(&private) && !shown.contains(&shared));
    }
    for text in [
        "[Interface]\nPrivateKey = <your key>\n[Peer]\nPublicKey = AAAA\n".to_owned(),
        format!("PrivateKey = {private}\n[Peer]\n"),
        format!("[Interface]\nPrivateKey = {}\n", BASE64_STANDARD.encode([0; 32])),
    ] {
        assert!(read(text.as_bytes()).objects.is_empty(), "{text}");
    }
}

#[test]
fn identities_of_age_are_keys() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, "age-keygen", &["-o", "identity"]);
    let text = fs::read_to_string(folder.join("identity")).unwrap();
    let public = run(folder, "age-keygen", &["-y", "identity"]);
    let header = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0];
    let spki = [&header[..], &recipient(std::str::from_utf8(&public).unwrap().trim())].concat();
    let found = read(text.as_bytes());
    assert_eq!(id(only(&found)), Digest::of(&spki));
    assert_eq!(told(only(&found)), (None, Half::Private, "age", false));
    assert!(found.secret);

    let at = text.find("AGE-SECRET").unwrap() + 30;
    let other = if &text[at..=at] == "Q" { "P" } else { "Q" };
    let mut wrong = text.clone();
    wrong.replace_range(at..=at, other);
    let found = read(wrong.as_bytes());
    assert!(found.objects.is_empty() && !found.secret, "the checksum is wrong");
}

/// The octets in a recipient of age.
fn recipient(text: &str) -> Vec<u8> {
    let alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let groups: Vec<_> = text["age1".len()..][..52]
        .chars()
        .map(|character| alphabet.find(character).unwrap())
        .collect();
    let bits: Vec<_> = groups.iter().flat_map(|g| (0..5).rev().map(move |b| g >> b & 1)).collect();
    let octet = |bits: &[usize]| bits.iter().fold(0, |sum, bit| sum << 1 | *bit) as u8;
    bits.chunks_exact(8).map(octet).collect()
}
