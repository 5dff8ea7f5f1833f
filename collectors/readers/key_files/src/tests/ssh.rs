use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pki_inventory::{Digest, Encryption, Half, Raw, Time};

use super::*;

const TYPES: &[(&str, &str, &str)] = &[
    ("rsa", "2048", "RSA-2048"),
    ("ecdsa", "256", "P-256"),
    ("ecdsa", "384", "P-384"),
    ("ecdsa", "521", "P-521"),
    ("ed25519", "256", "Ed25519"),
    ("dsa", "1024", "DSA"),
];

fn generate(folder: &Path, name: &str, kind: &str, bits: &str, passphrase: &str) {
    let arguments =
        ["-q", "-t", kind, "-b", bits, "-N", passphrase, "-C", "alice@host", "-a", "7", "-f", name];
    run(folder, "ssh-keygen", &arguments);
}

/// What OpenSSL says of a key of SSH. `ssh-keygen` exports all but Ed25519, whose encoding RFC 8410
/// spells out in its section 10.1.
fn expected(folder: &Path, name: &str) -> Digest {
    let line = fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
    if line.starts_with("ssh-ed25519 ") {
        let blob = BASE64_STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
        let header = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        let spki = [&header[..], &blob[blob.len() - 32..]].concat();
        fs::write(folder.join("ed.der"), &spki).unwrap();
        let known = run(folder, "openssl", &["pkey", "-pubin", "-inform", "DER", "-in", "ed.der"]);
        assert!(known.starts_with(b"-----BEGIN PUBLIC KEY"), "OpenSSL reads it, too");
        return Digest::of(&spki);
    }
    let exported = run(folder, "ssh-keygen", &["-e", "-m", "PKCS8", "-f", &format!("{name}.pub")]);
    fs::write(folder.join("exported.pem"), exported).unwrap();
    identity(folder, "exported.pem")
}

#[test]
fn keys_of_every_type_are_the_same_asset_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (number, (kind, bits, label)) in TYPES.iter().enumerate() {
        for (passphrase, encrypted) in [("", false), ("canary passphrase", true)] {
            let name = format!("{kind}-{number}-{encrypted}");
            generate(folder, &name, kind, bits, passphrase);
            let expected = expected(folder, &name);

            let found = read_file(folder, &name);
            let key = only(&found);
            assert_eq!((id(key), algorithm(key).as_str()), (expected, *label), "{name}");
            let comment = (!encrypted).then_some("alice@host");
            assert_eq!(told(key), (comment, Half::Private, "OpenSSH", encrypted), "{name}");
            assert!(found.secret, "{name}");
            if encrypted {
                let Encryption::Passphrase { kdf, cipher, iterations } = &form(key).encryption
                else {
                    panic!("{name}")
                };
                assert_eq!(kdf.as_deref(), Some("bcrypt"));
                assert_eq!(cipher.as_deref(), Some("aes256-ctr"));
                assert_eq!(*iterations, Some(7));
            }

            let found = read_file(folder, &format!("{name}.pub"));
            let key = only(&found);
            assert_eq!(id(key), expected, "{name}");
            assert_eq!(told(key), (Some("alice@host"), Half::Public, "OpenSSH", false), "{name}");
            assert!(!found.secret);

            let ssh2 =
                run(folder, "ssh-keygen", &["-e", "-m", "RFC4716", "-f", &format!("{name}.pub")]);
            let found = read(&ssh2);
            let key = only(&found);
            assert_eq!(id(key), expected, "{name}");
            let (comment, half, encoding, _) = told(key);
            assert_eq!((half, encoding), (Half::Public, "SSH2"), "{name}");
            assert!(comment.unwrap().contains("converted by"), "{comment:?}");
        }
    }
}

#[test]
fn certificates_tell_for_whom_until_when_and_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(folder, "ca", "ecdsa", "256", "");
    let authority = Some(expected(folder, "ca"));
    for (kind, bits, _) in TYPES {
        let name = format!("{kind}{bits}");
        generate(folder, &name, kind, bits, "");
        let public = format!("{name}.pub");
        let signing = ["-q", "-s", "ca", "-I", "alice's key", "-z", "7"];
        let user = ["-n", "alice,root", "-V", "20260101000000Z:20270101000000Z", &public];
        let user = [&signing[..], &user].concat();
        run(folder, "ssh-keygen", &user);
        let found = read_file(folder, &format!("{name}-cert.pub"));
        let key = only(&found);
        let certificate = key.ssh_certificate.as_ref().expect("a certificate");
        assert_eq!(id(key), expected(folder, &name));
        assert_eq!(form(key).encoding, "OpenSSH certificate");
        assert_eq!(certificate.key_id, "alice's key");
        assert_eq!(certificate.principals, ["alice", "root"]);
        assert!(!certificate.host);
        assert_eq!(certificate.authority, authority);
        assert_eq!(certificate.valid_after, "2026-01-01".parse::<Time>().unwrap());
        assert_eq!(certificate.valid_before, Some("2027-01-01".parse::<Time>().unwrap()));

        run(folder, "ssh-keygen", &[&signing[..], &["-h", "-n", "a.example", &public]].concat());
        let found = read_file(folder, &format!("{name}-cert.pub"));
        let certificate = only(&found).ssh_certificate.as_ref().expect("a certificate");
        assert!(certificate.host);
        assert_eq!((certificate.valid_after, certificate.valid_before), (Time(0), None));
    }
}

#[test]
fn lines_of_authorized_keys_carry_their_options() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(folder, "key", "ed25519", "256", "");
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let expected = expected(folder, "key");
    for (options, label) in [
        ("restrict,cert-authority ", "alice@host (restrict, cert-authority)"),
        (
            r#"command="echo \"secret words\", done",from="10.0.0.0/8,*.example" "#,
            r#"alice@host (from="10.0.0.0/8,*.example")"#,
        ),
        (r#"environment="A=b c",no-pty "#, "alice@host"),
    ] {
        for text in [
            format!("# who may come\n\n{options}{line}"),
            format!("see below\n{options}{line}and above\n"),
        ] {
            let found = read(text.as_bytes());
            let key = only(&found);
            assert_eq!(id(key), expected, "{text}");
            assert_eq!(told(key), (Some(label), Half::Public, "authorized_keys", false), "{text}");
        }
    }
    let two = read(format!("{line}{line}").as_bytes());
    assert_eq!(form(&two.objects[1]).encoding, "authorized_keys");
    let tabs = read(line.replace(' ', "\t").as_bytes());
    assert_eq!(id(only(&tabs)), expected);
}

#[test]
fn known_hosts_are_labelled_by_their_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(folder, "key", "ecdsa", "256", "");
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let hosts = "github.com,140.82.121.3 [git.example]:2222 |1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM=";
    for host in hosts.split(' ').chain(["@cert-authority *.example", "@revoked *", "plainhost"]) {
        let found = read(format!("# hosts\n{host} {line}").as_bytes());
        assert_eq!(told(only(&found)), (Some(host), Half::Public, "known_hosts", false));
        assert_eq!(id(only(&found)), expected(folder, "key"));
    }
    let hashed = folder.join("known_hosts");
    fs::write(&hashed, format!("a.example {line}")).unwrap();
    run(folder, "ssh-keygen", &["-q", "-H", "-f", "known_hosts"]);
    let found = read(&fs::read(hashed).unwrap());
    assert!(only(&found).label.as_ref().unwrap().starts_with("|1|"), "{found:?}");
}

#[test]
fn keys_in_scripts_are_found_and_nothing_else_there_is_called_broken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(folder, "key", "rsa", "2048", "");
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let line = line.trim_end();
    let expected = expected(folder, "key");
    for text in [
        format!("#!/bin/sh\necho \"{line}\" >> ~/.ssh/authorized_keys\n"),
        format!("users:\n  - name: alice\n    keys:\n      - {line}\n"),
        format!("{{\"key\": \"{line}\", \"other\": \"ssh-rsa AAAAB3NzaC1yc2EAAAA\"}}\n"),
        format!("resource x {{\n  public_key = '{line}'\n}}\n"),
    ] {
        let found = read(text.as_bytes());
        let key = only(&found);
        assert_eq!(id(key), expected, "{text}");
        assert_eq!(told(key), (Some("alice@host"), Half::Public, "OpenSSH", false), "{text}");
    }
    let cut = &line[..200];
    for text in [
        "put `ssh-rsa AAAA...` there\n".to_owned(),
        "ssh-rsa AAAAB3NzaC1yc2E... alice\n".to_owned(),
        format!("KEY=x\n{cut}\n"),
        format!("const KEY: &str = \"{cut}\";\n"),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n...\n-----END OPENSSH PRIVATE KEY-----\n"
            .to_owned(),
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n".to_owned(),
    ] {
        assert!(read(text.as_bytes()).objects.is_empty(), "{text}");
    }
}

#[test]
fn broken_and_unknown_keys_are_told_where_every_line_is_meant_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(folder, "key", "rsa", "2048", "");
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let found = read(format!("{line}{}\n", &line[..200]).as_bytes());
    assert_eq!((found.objects.len(), unparsed(&found)), (2, 1));

    let blob = [&b"\0\0\0\x18ssh-new-type@openssh.com"[..], &[0, 0, 0, 32], &[7; 32]].concat();
    let mut blob = blob;
    blob[3] = 24;
    let text = format!("ssh-new-type@openssh.com {} me\n", BASE64_STANDARD.encode(blob));
    let found = read(text.as_bytes());
    let Raw::Unparsed { unparsed: what, .. } = &only(&found).raw else { panic!("{found:?}") };
    assert!(what.error.contains("`ssh-new-type@openssh.com`"), "{what:?}");

    let private = fs::read_to_string(folder.join("key")).unwrap();
    let found = read(&private.as_bytes()[..private.len() / 2]);
    assert_eq!(unparsed(&found), 1, "{found:?}");
    assert!(found.secret);
}

#[test]
fn keys_of_security_keys_have_no_private_half_in_a_file() {
    // No such device is at hand, so the public key is put together as PROTOCOL.u2f says.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(folder, "key", "ed25519", "256", "");
    let line = fs::read_to_string(folder.join("key.pub")).unwrap();
    let plain = BASE64_STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
    let string =
        |octets: &[u8]| [&u32::try_from(octets.len()).unwrap().to_be_bytes()[..], octets].concat();
    let name = b"sk-ssh-ed25519@openssh.com";
    let key = &plain[plain.len() - 32..];
    let blob = [string(name), string(key), string(b"ssh:")].concat();
    let text = format!("sk-ssh-ed25519@openssh.com {} me\n", BASE64_STANDARD.encode(&blob));
    let found = read(text.as_bytes());
    assert_eq!(id(only(&found)), expected(folder, "key"));
    let label = Some("me (security key)");
    assert_eq!(told(only(&found)), (label, Half::Public, "OpenSSH", false));

    let secret = [
        &[0, 0, 0, 1, 0, 0, 0, 1][..],
        &blob,
        &[1],
        &string(b"handle"),
        &string(b""),
        &string(b"my comment"),
        &[1, 2, 3],
    ]
    .concat();
    let header = [&b"openssh-key-v1\0"[..], &string(b"none"), &string(b"none"), &string(b"")];
    let file = [&header.concat()[..], &[0, 0, 0, 1], &string(&blob), &string(&secret)].concat();
    let label = "OPENSSH PRIVATE KEY";
    let text = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", {
        BASE64_STANDARD.encode(file)
    });
    let found = read(text.as_bytes());
    let encoding = "OpenSSH security key handle";
    assert_eq!(told(only(&found)), (Some("my comment"), Half::Public, encoding, false));
}

#[test]
fn putty_files_are_read_in_every_version() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("phrase"), "canary passphrase\n").unwrap();
    let random = ["-q", "--random-device", "/dev/urandom", "-C", "alice here"];
    for (kind, bits) in [("rsa", "2048"), ("ecdsa", "384"), ("ed25519", "255"), ("dsa", "1024")] {
        for version in ["2", "3"] {
            for (passphrase, encrypted) in [("empty", false), ("phrase", true)] {
                let version_of = format!("version={version}");
                let more = ["-t", kind, "-b", bits, "-o", "key.ppk", "--ppk-param", &version_of];
                let phrase = ["--new-passphrase", passphrase];
                let arguments = [&random[..], &more, &phrase].concat();
                run(folder, "puttygen", &arguments);
                let public = ["key.ppk", "-O", "public-openssh", "-o", "key.pub"];
                run(folder, "puttygen", &public);
                let ssh2 = run(folder, "puttygen", &["key.ppk", "-O", "public"]);

                let found = read_file(folder, "key.ppk");
                let key = only(&found);
                assert_eq!(id(key), expected(folder, "key"), "{kind} {version}");
                let label = Some("alice here");
                assert_eq!(told(key), (label, Half::Private, "PuTTY", encrypted), "{kind}");
                assert!(found.secret);
                if let Encryption::Passphrase { kdf, cipher, iterations } = &form(key).encryption {
                    let kdf = kdf.as_deref().unwrap();
                    let named = if version == "3" { "Argon2id (8192 KiB, " } else { "SHA-1" };
                    assert!(kdf.starts_with(named), "{kdf}");
                    assert_eq!(cipher.as_deref(), Some("AES-256-CBC"));
                    assert_eq!(*iterations, None);
                }
                let found = read(&ssh2);
                assert_eq!(id(only(&found)), id(key));
                assert_eq!(told(only(&found)), (label, Half::Public, "SSH2", false));
            }
        }
    }
    let text = fs::read_to_string(folder.join("key.ppk")).unwrap();
    let broken = text.replacen("AAAA", "AAA", 1);
    let found = read(broken.as_bytes());
    assert!(matches!(only(&found).raw, Raw::Unparsed { .. }));
    let quoted = "PuTTY-User-Key-File-2: ssh-rsa\nis how such a file begins\n";
    assert!(read(quoted.as_bytes()).objects.is_empty());
}
