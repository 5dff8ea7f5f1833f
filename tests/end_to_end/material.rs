//! Material as distributions and their tools leave it on disks, counted by other programs than ours.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Key, Order, openssl, path, sha256};
use pkimm_tests::facts;
use pkimm_tests::tools::run;
use serde_json::{Value, json};

use crate::files::place;

type Digests = BTreeSet<String>;

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
const CACERTS: &str = "/etc/ssl/certs/java/cacerts";
/// A password that is in no manual.
const UNGUESSED: &str = "unguessed-4711";

/// Scans trees and insists that nothing was left out.
fn scan(home: &Home, roots: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["scan"];
    arguments.extend(roots.iter().flat_map(|root| ["--root", *root]));
    let _ = home.agent(&arguments).expect_code(0);
    assert_eq!(home.gaps(), Vec::<Value>::new());
    home.inventory()
}

/// SHA-256 of what every block of this label in a text of PEM says.
fn blocks(text: &str, label: &str) -> Digests {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let bodies = text.split(begin.as_str()).skip(1).map(|rest| {
        let body = rest.split(end.as_str()).next().unwrap();
        let body: String = body.split_whitespace().collect();
        sha256(&STANDARD.decode(&body).unwrap_or_else(|error| panic!("{error} in {body}")))
    });
    bodies.collect()
}

fn digests(value: &Value) -> Digests {
    value.as_array().unwrap().iter().map(|digest| digest.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_bundle_of_ca_certificates_is_one_trust_store_with_exactly_its_members() {
    let home = Home::new();
    let inventory = scan(&home, &[BUNDLE]);
    let store = facts::at(&inventory, "trust-store", &place(Path::new(BUNDLE)));
    let members = blocks(&fs::read_to_string(BUNDLE).unwrap(), "CERTIFICATE");
    assert!(members.len() > 100, "{}", members.len());
    assert_eq!(digests(&store["facts"]["members"]), members);
    assert_eq!(inventory.len(), members.len() + 1, "and nothing else");
}

#[test]
fn the_trust_store_of_java_has_the_members_that_keytool_lists() {
    let home = Home::new();
    let listed = run("keytool", &["-list", "-keystore", CACERTS, "-storepass", "changeit"]);
    let listed = String::from_utf8(listed).unwrap();
    let format = listed.lines().find_map(|line| line.strip_prefix("Keystore type: ")).unwrap();
    let prints = listed.lines().filter_map(|line| line.split_once("(SHA-256): "));
    let prints: Vec<String> =
        prints.map(|(_, print)| print.trim().replace(':', "").to_lowercase()).collect();
    let members: Digests = prints.iter().cloned().collect();

    let inventory = scan(&home, &[CACERTS]);
    let at = place(Path::new(CACERTS));
    let keystore = facts::at(&inventory, "keystore", &at);
    let format = if format == "PKCS12" { "PKCS#12" } else { format };
    let expected = json!({"format": format, "count": prints.len()});
    facts::assert_facts("the keystore", &keystore["facts"], &expected);
    // Either no password is needed, or it is the one that is in every manual.
    let lock = &keystore["facts"]["lock"];
    assert!(lock["state"] == "none" || lock["password"] == "changeit", "{lock}");
    assert_eq!(keystore["facts"]["entries"].as_array().unwrap().len(), prints.len());
    let store = facts::at(&inventory, "trust-store", &at);
    assert_eq!(digests(&store["facts"]["members"]), members);
    assert_eq!(inventory.len(), members.len() + 2, "and nothing else");

    // Debian makes it from the same list.
    let bundle = blocks(&fs::read_to_string(BUNDLE).unwrap(), "CERTIFICATE");
    let lost: Vec<_> = bundle.difference(&members).collect();
    assert!(lost.is_empty(), "not trusted by Java: {lost:?}");
}

#[test]
fn a_database_of_nss_shows_its_certificate_and_whose_key_it_keeps() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let issued = root.issue(&Order { key: Key::Rsa(2048), ..Order::server("nss.test") });
    for (name, password, lock) in [
        ("open", "", json!({"state": "well-known", "password": ""})),
        ("shut", UNGUESSED, json!({"state": "closed"})),
    ] {
        let folder = home.folder(&format!("{name}/db"));
        let database = format!("sql:{}", path(&folder));
        let secret = home.write(&format!("{name}.password"), format!("{password}\n"));
        run("certutil", &["-N", "-d", &database, "-f", path(&secret)]);
        let packed = packed(&home, &issued, "transport");
        let pack = ["-d", &database, "-k", path(&secret), "-i", path(&packed), "-W", "transport"];
        run("pk12util", &pack);

        let inventory = scan(&home, &[path(&folder)]);
        let (certificates, keys) = (folder.join("cert9.db"), folder.join("key4.db"));
        let store = facts::at(&inventory, "keystore", &place(&certificates));
        let named = format!("certificate:{}", issued.sha256());
        let entry = json!([{"alias": "web", "holds": "certificate", "assets": [named]}]);
        facts::assert_facts(name, &store["facts"], &json!({"entries": entry}));
        let _ = facts::with_digest(&inventory, "certificate", &issued.sha256());
        let store = facts::at(&inventory, "keystore", &place(&keys));
        let expected = json!({"format": "NSS key4.db", "count": 1, "lock": lock});
        facts::assert_facts(name, &store["facts"], &expected);
        // Its public half stands beside the certificate, so that it is known whose key it is.
        let key = facts::with_digest(&inventory, "key", &issued.spki_sha256());
        let joined = json!({"certificates": [named]});
        facts::assert_facts(name, &key["facts"], &joined);
        if password.is_empty() {
            assert!(facts::places(key).contains(&place(&keys).as_str()), "{key}");
        }
    }
}

#[test]
fn host_keys_of_ssh_are_three_assets_in_six_files() {
    let home = Home::new();
    let folder = home.folder("ssh");
    let mut files = Vec::new();
    for (kind, label) in [("rsa", "RSA-3072"), ("ecdsa", "P-256"), ("ed25519", "Ed25519")] {
        let file = folder.join(format!("ssh_host_{kind}_key"));
        let bits: &[&str] = if kind == "rsa" { &["-b", "3072"] } else { &[] };
        let comment = ["-q", "-N", "", "-C", "root@lab", "-t", kind, "-f", path(&file)];
        run("ssh-keygen", &[&comment[..], bits].concat());
        files.push((file, label));
    }
    let inventory = scan(&home, &[path(&folder)]);
    assert_eq!(inventory.len(), 3);
    for (file, label) in files {
        let key = facts::at(&inventory, "key", &place(&file));
        let public = file.with_extension("pub");
        assert_eq!(facts::places(key), [place(&file), place(&public)], "{label}");
        let half = |half: &str| {
            let form = json!({"half": half, "encoding": "OpenSSH", "encryption": "none"});
            json!({"key": form, "label": "root@lab"})
        };
        let expected = json!({
            "algorithm": {"label": label}, "sightings": [half("private"), half("public")],
        });
        facts::assert_facts(label, &key["facts"], &expected);
    }
}

#[test]
fn a_keystore_of_keytool_tells_its_aliases_and_certificates_without_a_password() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let issued = root.issue(&Order { key: Key::Rsa(2048), ..Order::server("java.test") });
    for kind in ["JKS", "JCEKS"] {
        let folder = home.folder(kind);
        let store = folder.join("store.bin");
        let packed = packed(&home, &issued, "transport");
        let secret = ["-storetype", kind, "-storepass", UNGUESSED];
        run(
            "keytool",
            &[
                "-importkeystore",
                "-noprompt",
                "-srckeystore",
                path(&packed),
                "-srcstoretype",
                "PKCS12",
                "-srcstorepass",
                "transport",
                "-destkeystore",
                path(&store),
                "-deststoretype",
                kind,
                "-deststorepass",
                UNGUESSED,
                "-destkeypass",
                UNGUESSED,
            ],
        );
        let import =
            ["-importcert", "-noprompt", "-alias", "root", "-file", path(&root.own.certificate)];
        run("keytool", &[&import[..], &["-keystore", path(&store)], &secret].concat());
        let inventory = scan(&home, &[path(&folder)]);
        let keystore = facts::at(&inventory, "keystore", &place(&store));
        let expected = json!({"format": kind, "count": 2, "lock": {"state": "closed"}});
        facts::assert_facts(kind, &keystore["facts"], &expected);
        let entries = keystore["facts"]["entries"].as_array().unwrap();
        let entry = |alias: &str| {
            let found = entries.iter().find(|entry| entry["alias"] == alias);
            found.unwrap_or_else(|| panic!("no {alias} in {entries:?}"))
        };
        facts::assert_facts(kind, entry("web"), &json!({"holds": "private-key"}));
        facts::assert_facts(kind, entry("root"), &json!({"holds": "certificate"}));
        for certificate in [&issued, &root.own] {
            let _ = facts::with_digest(&inventory, "certificate", &certificate.sha256());
        }
        let key = facts::with_digest(&inventory, "key", &issued.spki_sha256());
        let form = json!({"half": "private", "encryption": "passphrase"});
        facts::assert_facts(kind, &key["facts"], &json!({"sightings": [{"key": form}]}));
        assert_eq!(inventory.len(), 4, "{kind}");
    }
}

#[test]
fn a_key_that_an_upper_layer_deletes_is_found_and_said_to_be_deleted() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let issued = root.issue(&Order::server("image.test"));
    let image = home.folder("image");
    let copy = |from: &Path, to: &str| home.write(to, fs::read(from).unwrap());
    copy(&issued.key, "1/root/server.key");
    copy(&issued.certificate, "1/etc/server.pem");
    home.write("2/root/.wh.server.key", "");
    home.write("2/etc/other", "nothing");
    // As `docker save` of old: a folder a layer, named by its digest, and a configuration.
    let mut ids = Vec::new();
    for layer in ["1", "2"] {
        let tar = home.path().join("layer.tar");
        run("tar", &["-C", path(&home.path().join(layer)), "-cf", path(&tar), "."]);
        let id = sha256(&fs::read(&tar).unwrap());
        copy(&tar, &format!("image/{id}/layer.tar"));
        ids.push(id);
    }
    let named = |before: &str, after: &str| -> Vec<String> {
        ids.iter().map(|id| format!("{before}{id}{after}")).collect()
    };
    let config = json!({"rootfs": {"type": "layers", "diff_ids": named("sha256:", "")}});
    let config = config.to_string();
    let name = format!("{}.json", sha256(config.as_bytes()));
    home.write(&format!("image/{name}"), config);
    let manifest =
        json!([{"Config": name, "RepoTags": ["lab:1"], "Layers": named("", "/layer.tar")}]);
    home.write("image/manifest.json", manifest.to_string());
    let tree = home.folder("tree");
    let (plain, packed) = (tree.join("image.tar"), tree.join("image.tgz"));
    for (option, file) in [("-cf", &plain), ("-czf", &packed)] {
        let mut names: Vec<String> = ids.clone();
        names.extend([name.clone(), "manifest.json".to_owned()]);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        run("tar", &[&["-C", path(&image), option, path(file)], &names[..]].concat());
    }

    let inventory = scan(&home, &[path(&tree)]);
    let key = facts::with_digest(&inventory, "key", &issued.spki_sha256());
    let certificate = facts::with_digest(&inventory, "certificate", &issued.sha256());
    let layer = format!("sha256:{}", ids[0]);
    let inside = |member: &str| -> Vec<String> {
        [&plain, &packed].map(|file| format!("{}!/{layer}!/{member}", place(file))).into()
    };
    assert_eq!(facts::places(key), inside("root/server.key"));
    assert_eq!(facts::places(certificate), inside("etc/server.pem"));
    let lies = |fate: Value| {
        let mut all = json!({"number": 1, "of": 2, "digest": layer});
        all.as_object_mut().unwrap().extend(fate.as_object().unwrap().clone());
        json!({"sightings": [{"layer": all}, {"layer": all}]})
    };
    let deleted = lies(json!({"fate": "deleted-in-upper-layer", "fate_in": 2}));
    facts::assert_facts("the key", &key["facts"], &deleted);
    facts::assert_facts("the certificate", &certificate["facts"], &lies(json!({"fate": "kept"})));
    // Who reads the report learns it as well.
    let told = home.agent(&["why", key["id"].as_str().unwrap()]).expect_code(0);
    assert!(told.stdout.contains("deleted in layer 2 of 2"), "{}", told.stdout);
    assert_eq!(inventory.len(), 2, "and nothing else");
}

#[test]
fn every_certificate_of_the_corpora_is_found_or_listed_with_the_reason() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    if !corpora.is_dir() {
        // tests/run says so.
        return;
    }
    let corpora = corpora.canonicalize().unwrap();
    // Certificates, and revocation lists.
    let mut expected = (Digests::new(), Digests::new());
    for file in files_below(&corpora) {
        let octets = fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&octets);
        if text.contains("-----BEGIN ") {
            expected.0.extend(blocks(&text, "CERTIFICATE"));
            expected.1.extend(blocks(&text, "X509 CRL"));
            continue;
        }
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("crt") => drop(expected.0.insert(sha256(&octets))),
            Some("crl") => drop(expected.1.insert(sha256(&octets))),
            Some("md" | "json") => {}
            _ => panic!("{} is nothing that was known of", file.display()),
        }
    }
    let (certificates, lists) = &expected;
    assert!(certificates.len() > 1000 && lists.len() > 100, "too few to be the corpora");

    let home = Home::new();
    let inventory = scan(&home, &[path(&corpora)]);
    let of_kind = |kind: &str| -> Digests {
        let assets = facts::of_kind(&inventory, kind).into_iter();
        assets.map(|asset| asset["sha256"].as_str().unwrap().to_owned()).collect()
    };
    let unparsed = of_kind("unparsed");
    for asset in facts::of_kind(&inventory, "unparsed") {
        assert!(asset["facts"]["error"].as_str().is_some_and(|why| !why.is_empty()), "{asset}");
    }
    let (certificates, lists) = (of_kind("certificate"), of_kind("revocation-list"));
    assert_eq!(&(&certificates | &lists) | &unparsed, &expected.0 | &expected.1);
    assert!(certificates.is_subset(&expected.0) && lists.is_subset(&expected.1));
    // Only what OpenSSL has its difficulties with, too.
    assert!(unparsed.len() <= 5, "{unparsed:?}");
}

/// Certificate and key in PKCS#12, called `web`.
fn packed(home: &Home, issued: &pkimm_tests::certificates::Issued, password: &str) -> PathBuf {
    let out = home.path().join("transport.p12");
    let (key, certificate) = (path(&issued.key), path(&issued.certificate));
    let pass = format!("pass:{password}");
    let export = ["pkcs12", "-export", "-inkey", key, "-in", certificate, "-name", "web"];
    openssl(&[&export[..], &["-passout", &pass, "-out", path(&out)]].concat());
    out
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
