//! What is told of an object is what `pkcs11-tool` tells of it, key by key.

use std::collections::{BTreeMap, BTreeSet};

use pkimm_tests::certificates::sha256;
use serde_json::{Value, json};

use super::{Lab, PIN, SECOND, SECOND_PIN, TOKEN, compare, named, object};

/// An object as `pkcs11-tool --list-objects` prints it: its fields, and its heading as `object`.
type Listed = BTreeMap<String, String>;

fn listed(text: &str) -> Vec<Listed> {
    let mut objects: Vec<Listed> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            Some(field) => {
                let Some((name, value)) = field.split_once(':') else { continue };
                let last = objects.last_mut().unwrap();
                last.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            None if line.contains("bject") => {
                objects.push([("object".to_owned(), line.to_owned())].into());
            }
            None => {}
        }
    }
    objects
}

/// The words of a list: `sensitive, local`.
fn words(text: &str) -> BTreeSet<String> {
    text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// The same words for what the agent tells.
fn access(object: &Value) -> BTreeSet<String> {
    let is = |(attribute, word): (&str, &str)| (object[attribute] == true).then(|| word.to_owned());
    [
        ("sensitive", "sensitive"),
        ("always_sensitive", "always sensitive"),
        ("extractable", "extractable"),
        ("never_extractable", "never extractable"),
        ("local", "local"),
        ("always_authenticate", "always authenticate"),
    ]
    .into_iter()
    .filter_map(is)
    .collect()
}

/// The usages that it lists; it leaves out those with recovery of the message.
fn usage(object: &Value) -> BTreeSet<String> {
    let usages = object["usages"].as_object().into_iter().flatten();
    let may = usages.filter(|(name, may)| **may == true && !name.ends_with("-recover"));
    may.map(|(name, _)| name.clone()).collect()
}

/// Class, kind and identifier, access and usage of one object, and the mechanisms it is limited to.
type Told = (String, String, BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

#[test]
fn attributes_are_those_that_pkcs11_tool_lists() {
    let lab = Lab::new();
    lab.log_in();
    let _ = lab.agent(&["scan"]).expect_code(0);
    let inventory = lab.home.inventory();
    for (token, pin) in [(TOKEN, PIN), (SECOND, SECOND_PIN)] {
        let text = lab.material.hsm.tool(token, Some(pin), &["--list-objects"]);
        let text = String::from_utf8(text).unwrap();
        let mut expected: BTreeSet<Told> = BTreeSet::new();
        for listed in listed(&text) {
            let heading = &listed["object"];
            let class = match heading.split(' ').next().unwrap() {
                "Certificate" => "cert",
                "Public" => "public",
                "Private" => "private",
                "Secret" => "secret-key",
                // It is counted, and not kept.
                "Data" => continue,
                other => panic!("{other} is nothing that was put there"),
            };
            let field = |name: &str| listed.get(name).cloned().unwrap_or_default();
            let allowed = words(&field("Allowed mechanisms"));
            let allowed = allowed.into_iter().map(|name| format!("CKM_{}", name.replace('-', "_")));
            let name = format!("{class} {}", field("label"));
            // Of certificates it lists neither.
            let (access, usage) = (words(&field("Access")), words(&field("Usage")));
            expected.insert((name, field("ID"), access, usage, allowed.collect()));
        }
        let prefix = format!("pkcs11:token={};", token.replace(' ', "%20"));
        let mut told: BTreeSet<Told> = BTreeSet::new();
        for sighting in inventory
            .iter()
            .flat_map(|asset| asset["facts"]["sightings"].as_array().into_iter().flatten())
            .filter(|sighting| sighting["place"].as_str().unwrap().starts_with(&prefix))
        {
            let object = &sighting["token"];
            let Some(class) = object["class"].as_str() else { continue };
            let name = format!("{class} {}", sighting["label"].as_str().unwrap_or_default());
            let id = object["id"].as_str().unwrap_or_default().to_owned();
            let allowed = object["allowed_mechanisms"].as_array().into_iter().flatten();
            let allowed = allowed.map(|name| name.as_str().unwrap().to_owned());
            let access = if class == "cert" { BTreeSet::new() } else { access(object) };
            told.insert((name, id, access, usage(object), allowed.collect()));
        }
        assert!(!expected.is_empty());
        compare(token, &told, &expected);
    }
}

/// The identity of a key is the digest of its public half, wherever that is told.
#[test]
fn keys_are_named_by_the_public_half_that_pkcs11_tool_reads() {
    let lab = Lab::new();
    lab.log_in();
    let _ = lab.agent(&["scan"]).expect_code(0);
    let inventory = lab.home.inventory();
    for label in ["ca", "rsa-2048", "rsa-1024", "extractable", "in-force", "shown-to-all"] {
        let spki = lab.material.hsm.public_key(TOKEN, label);
        let key = named(&inventory, &format!("key {label}"));
        assert_eq!(key["facts"]["spki_sha256"], json!(sha256(&spki)), "{label}");
        // Both halves are one asset, with what the token says of each.
        assert_eq!(object(key, "private")["sensitive"], true);
        assert_eq!(object(key, "public")["class"], "public");
    }
    // Told by the modulus of the private key, or by the certificate with its identifier.
    let material = &lab.material;
    for (issued, label) in [(&material.server, "imported"), (&material.both, "both")] {
        let key = named(&inventory, &format!("key {label}"));
        assert_eq!(key["facts"]["spki_sha256"], json!(issued.spki_sha256()), "{label}");
        let certificate = named(&inventory, &format!("certificate {label}"));
        assert_eq!(certificate["sha256"], json!(issued.sha256()));
        assert_eq!(key["facts"]["certificates"], json!([certificate["id"]]));
    }
    // A pair with one identifier twice is joined with nobody.
    for (label, bits) in [("rsa-1024", 1024), ("rsa-2048", 2048)] {
        let key = named(&inventory, &format!("key {label}"));
        assert_eq!(key["facts"]["algorithm"]["bits"], bits, "{key:#}");
    }
    let aes = named(&inventory, "secret-key aes");
    assert_eq!(aes["facts"]["algorithm"]["bits"], 256, "{aes:#}");
}

#[test]
fn no_value_of_a_key_is_asked_for() {
    let lab = Lab::new();
    let written = lab.home.path().join("spy");
    let at = |name: &str| lab.home.path().join(name);
    let login = super::login(TOKEN, &format!("pin_file = {:?}", at("pin")));
    let spy = pkimm_tests::servers::tokens::library("pkcs11-spy.so");
    super::settings(&lab.home, "", &[&spy], &login);
    let mut command = lab.command(&["scan"]);
    command.env("PKCS11SPY", pkimm_tests::servers::tokens::softhsm());
    command.env("PKCS11SPY_OUTPUT", &written);
    let _ = super::good(pkimm_tests::agent::finish(command));
    let spied = String::from_utf8_lossy(&std::fs::read(written).unwrap()).into_owned();
    let calls: BTreeSet<String> = pkimm_tests::servers::tokens::calls(&spied).into_iter().collect();
    let allowed: BTreeSet<String> = [
        "C_CloseAllSessions",
        "C_CloseSession",
        "C_Finalize",
        "C_FindObjects",
        "C_FindObjectsFinal",
        "C_FindObjectsInit",
        "C_GetAttributeValue",
        "C_GetFunctionList",
        "C_GetInfo",
        "C_GetInterface",
        "C_GetInterfaceList",
        "C_GetMechanismInfo",
        "C_GetMechanismList",
        "C_GetSessionInfo",
        "C_GetSlotInfo",
        "C_GetSlotList",
        "C_GetTokenInfo",
        "C_Initialize",
        "C_Login",
        "C_Logout",
        "C_OpenSession",
    ]
    .map(str::to_owned)
    .into();
    let others: Vec<&String> = calls.difference(&allowed).collect();
    assert!(others.is_empty(), "it reads, and nothing else: {others:?}");
    assert!(calls.contains("C_Login") && calls.contains("C_GetAttributeValue"), "{calls:?}");
    for secret in [
        "CKA_PRIVATE_EXPONENT",
        "CKA_PRIME_1",
        "CKA_PRIME_2",
        "CKA_EXPONENT_1",
        "CKA_EXPONENT_2",
        "CKA_COEFFICIENT",
    ] {
        assert!(!spied.contains(secret), "{secret} was asked for");
    }
    // A session that could write is opened by nobody.
    assert!(!spied.contains("CKF_RW_SESSION"), "a session to read with is enough");
}
