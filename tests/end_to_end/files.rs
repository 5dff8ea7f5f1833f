//! Trees of files: everything is found by what it is, whatever its name.

use std::fs;
use std::path::{Path, PathBuf};

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Issued, Key, Order, der_of, openssl, path, sha256};
use pkimm_tests::facts;
use serde_json::{Value, json};

use crate::AS_OF;

/// A file, what it is to be found as, and what it shows.
struct Expected {
    file: PathBuf,
    kind: &'static str,
    sha256: String,
    facts: Value,
}

/// Files of a tree, all of them named `.bin`.
struct Plants<'h> {
    home: &'h Home,
    all: Vec<Expected>,
}

impl Plants<'_> {
    fn add(&mut self, content: impl AsRef<[u8]>, kind: &'static str, sha256: String, facts: Value) {
        let name = format!("tree/{:02}.bin", self.all.len());
        let file = self.home.write(&name, content);
        self.all.push(Expected { file, kind, sha256, facts });
    }

    /// A private key in a form that `openssl` writes.
    fn key(&mut self, issued: &Issued, conversion: &[&str], form: Value, algorithm: Value) {
        let out = issued.key.with_extension("form");
        let der = conversion.contains(&"DER");
        openssl(&[conversion, &["-in", path(&issued.key), "-out", path(&out)]].concat());
        let content = fs::read(&out).unwrap();
        let encrypted = form["encryption"] == "passphrase";
        // A key that cannot be seen is known by its encrypted encoding.
        let (sha256, spki) = match (encrypted, der) {
            (false, _) => (issued.spki_sha256(), json!(issued.spki_sha256())),
            (true, true) => (sha256(&content), Value::Null),
            (true, false) => (sha256(&der_of_encrypted(&out)), Value::Null),
        };
        let facts =
            json!({"algorithm": algorithm, "spki_sha256": spki, "sightings": [{"key": form}]});
        self.add(content, "key", sha256, facts);
    }
}

#[test]
fn every_kind_is_found_in_files_that_are_all_named_bin() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let rsa = |name: &str| root.issue(&Order { key: Key::Rsa(2048), ..Order::server(name) });
    let elliptic = |name: &str| root.issue(&Order::server(name));
    let mut plants = Plants { home: &home, all: Vec::new() };

    let certificate = elliptic("pem.test");
    let text = fs::read_to_string(&certificate.certificate).unwrap();
    let facts =
        json!({"subject": {"common_name": "pem.test"}, "sightings": [{"collector": "filesystem"}]});
    plants.add(&text, "certificate", certificate.sha256(), facts);
    let certificate = elliptic("der.test");
    let facts = json!({"subject": {"common_name": "der.test"}});
    plants.add(certificate.der(), "certificate", certificate.sha256(), facts);

    let plain =
        |encoding: &str| json!({"half": "private", "encoding": encoding, "encryption": "none"});
    let rsa_2048 = json!({"name": "RSA", "bits": 2048, "label": "RSA-2048"});
    let p_256 = json!({"name": "EC", "bits": 256, "curve": "P-256"});
    let ed25519 = json!({"name": "Ed25519"});
    plants.key(&elliptic("a"), &["pkcs8", "-topk8", "-nocrypt"], plain("PKCS#8"), p_256.clone());
    let der = ["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"];
    plants.key(&rsa("b"), &der, plain("PKCS#8"), rsa_2048.clone());
    plants.key(&rsa("c"), &["rsa", "-traditional"], plain("PKCS#1"), rsa_2048.clone());
    let der = ["rsa", "-traditional", "-outform", "DER"];
    plants.key(&rsa("d"), &der, plain("PKCS#1"), rsa_2048);
    plants.key(&elliptic("e"), &["ec"], plain("SEC1"), p_256.clone());
    plants.key(&elliptic("f"), &["ec", "-outform", "DER"], plain("SEC1"), p_256);
    let order = Order { key: Key::Ed25519, ..Order::server("g") };
    let edwards = root.issue(&order);
    plants.key(&edwards, &["pkcs8", "-topk8", "-nocrypt"], plain("PKCS#8"), ed25519);

    let sealed = |encoding: &str, kdf: &str, cipher: &str, iterations: Value| {
        json!({
            "half": "private", "encoding": encoding, "encryption": "passphrase", "kdf": kdf,
            "cipher": cipher, "iterations": iterations,
        })
    };
    let secret = ["-passout", "pass:correct horse battery staple"];
    let pbes2 = sealed("PKCS#8", "PBKDF2-HMAC-SHA256", "AES-256-CBC", json!(12345));
    let topk8 =
        [&["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "12345"][..], &secret].concat();
    plants.key(&elliptic("h"), &topk8, pbes2.clone(), Value::Null);
    plants.key(&elliptic("i"), &[&topk8[..], &["-outform", "DER"]].concat(), pbes2, Value::Null);
    let own = |encoding: &str| sealed(encoding, "EVP_BytesToKey MD5", "AES-128-CBC", json!(1));
    let old = [&["rsa", "-traditional", "-aes128"][..], &secret].concat();
    plants.key(&rsa("j"), &old, own("PKCS#1"), json!({"name": "RSA"}));
    let old = [&["ec", "-aes128"][..], &secret].concat();
    plants.key(&elliptic("k"), &old, own("SEC1"), json!({"name": "EC"}));

    let requested = elliptic("l");
    let request = requested.request();
    let facts = json!({
        "subject": {"common_name": "request.test"}, "spki_sha256": requested.spki_sha256(),
    });
    plants.add(
        fs::read(&request).unwrap(),
        "signing-request",
        sha256(&der_of(&request)),
        facts.clone(),
    );
    let other = elliptic("m");
    let der = der_of(&other.request());
    plants.add(&der, "signing-request", sha256(&der), json!({"spki_sha256": other.spki_sha256()}));
    let list = root.revocation_list();
    let facts = json!({
        "issuer": {"text": "O=Lab, CN=Lab Root"}, "entries": 0,
        "signature": {"name": "ecdsa-with-SHA256"},
    });
    plants.add(fs::read(&list).unwrap(), "revocation-list", sha256(&der_of(&list)), facts.clone());
    let other = Authority::root(&home.folder("other"), "Other Root");
    let der = der_of(&other.revocation_list());
    plants.add(
        &der,
        "revocation-list",
        sha256(&der),
        json!({"issuer": {"common_name": "Other Root"}}),
    );

    let tree = home.path().join("tree");
    let _ = home.agent(&["scan", "--root", path(&tree)]).expect_code(0);
    let inventory = home.inventory();
    for expected in &plants.all {
        let place = place(&expected.file);
        let found = facts::at(&inventory, expected.kind, &place);
        let identity = json!({"sha256": expected.sha256, "facts": expected.facts});
        facts::assert_facts(&place, found, &identity);
    }
    assert_eq!(inventory.len(), plants.all.len(), "and nothing else is there");
    assert_eq!(home.gaps(), Vec::<Value>::new());
}

#[test]
fn every_object_of_a_bundle_is_found_and_numbered() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("bundle.test"));
    let texts = [&leaf.certificate, &root.own.certificate, &leaf.key];
    let texts: Vec<String> = texts.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let bundle = format!("Leaf:\n{}\nRoot:\n{}\n{}", texts[0], texts[1], texts[2]);
    let file = home.write("tree/haproxy.cfg.bin", bundle);
    let _ = home.agent(&["scan", "--root", path(&home.path().join("tree"))]).expect_code(0);
    let inventory = home.inventory();
    let at = |number: u32| format!("{}#{number}", place(&file));
    for (kind, number, sha256) in [
        ("certificate", 1, leaf.sha256()),
        ("certificate", 2, root.own.sha256()),
        ("key", 3, leaf.spki_sha256()),
    ] {
        let found = facts::at(&inventory, kind, &at(number));
        assert_eq!(found["sha256"], sha256.as_str());
    }
    // The key is joined to its certificate by its public half.
    let key = facts::at(&inventory, "key", &at(3));
    let joined = json!({"certificates": [format!("certificate:{}", leaf.sha256())]});
    facts::assert_facts("the key", &key["facts"], &joined);
    assert_eq!(inventory.len(), 3);
}

#[cfg(unix)]
#[test]
fn who_may_read_a_key_is_recorded_and_a_finding_where_it_is_everybody() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    for (name, mode, written, outcome) in
        [("open", 0o644, "0644", "not-met"), ("shut", 0o600, "0600", "met")]
    {
        let leaf = root.issue(&Order::server(name));
        let file = home.write(&format!("tree/{name}"), fs::read(&leaf.key).unwrap());
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let _ = home.agent(&["scan", "--root", path(&home.path().join("tree"))]).expect_code(0);
        let inventory = home.inventory();
        let key = facts::at(&inventory, "key", &place(&file));
        let seen = json!({"facts": {"sightings": [{"file": {"mode": written}}]}});
        facts::assert_facts(name, key, &seen);
        let findings = home.findings(AS_OF);
        assert_eq!(facts::outcome(&findings, "key.readable-by-others", key), outcome, "{name}");
        assert_eq!(facts::outcome(&findings, "key.stored-unencrypted", key), "not-met", "{name}");
    }
}

#[test]
fn the_trust_store_of_this_machine_is_one_asset_with_all_its_members() {
    let home = Home::new();
    let arguments = ["run", "--root", "/etc/ssl", "--as-of", AS_OF];
    let _ = home.agent(&arguments).expect_code(0);
    let inventory = home.inventory();
    let place = "file:///etc/ssl/certs/ca-certificates.crt";
    let store = facts::at(&inventory, "trust-store", place);
    let members = store["facts"]["members"].as_array().unwrap();
    assert_eq!(members.len(), certificates_in_the_trust_store_of_this_machine());
    // Each member is an asset, known to be a trust anchor, and in no figure about service.
    for member in members {
        let asset = facts::with_digest(&inventory, "certificate", member.as_str().unwrap());
        facts::assert_facts("a member", &asset["facts"], &json!({"trust_anchor": true}));
    }
    let findings = home.findings(AS_OF);
    for rule in
        ["cert.expired-in-service", "cert.expiring-without-successor", "cert.lifetime-over-limit"]
    {
        for member in members {
            let asset = json!({"id": format!("certificate:{}", member.as_str().unwrap())});
            assert_eq!(facts::outcome(&findings, rule, &asset), "not-applicable", "{rule}");
        }
    }
    // Every line about an asset says where to look, also where nothing was found.
    let about_assets = |finding: &&Value| {
        finding["asset"].as_str().is_some_and(|asset| asset.starts_with("certificate:"))
    };
    let placed = |finding: &Value| !finding["places"].as_array().unwrap().is_empty();
    assert!(findings.iter().filter(about_assets).all(placed));
}

/// Counted by another program than ours, doubles once.
pub(crate) fn certificates_in_the_trust_store_of_this_machine() -> usize {
    let store = "/etc/ssl/certs/ca-certificates.crt";
    let text = fs::read_to_string(store).unwrap();
    let blocks: std::collections::BTreeSet<&str> =
        text.split("-----BEGIN CERTIFICATE-----").skip(1).collect();
    // openssl gives one SEQUENCE a certificate when it packs them into PKCS#7.
    let packed = openssl(&["crl2pkcs7", "-nocrl", "-certfile", store]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.p7b");
    fs::write(&file, packed).unwrap();
    let listed = openssl(&["pkcs7", "-in", path(&file), "-print_certs", "-noout"]);
    let counted = listed.lines().filter(|line| line.starts_with("subject=")).count();
    assert!(counted >= blocks.len() && counted > 100, "{counted} and {}", blocks.len());
    blocks.len()
}

/// The encoding inside of an encrypted PEM file, behind its header lines.
fn der_of_encrypted(pem: &Path) -> Vec<u8> {
    let text = fs::read_to_string(pem).unwrap();
    let body: Vec<&str> =
        text.lines().filter(|line| !line.contains(':') && !line.is_empty()).collect();
    let plain = pem.with_extension("plain");
    fs::write(&plain, body.join("\n")).unwrap();
    der_of(&plain)
}

/// The place of a file as the inventory writes it.
pub(crate) fn place(file: &Path) -> String {
    format!("file://{}", file.display())
}
