//! Modules of other makers: NSS, p11-kit's trust store and openCryptoki.

use std::collections::BTreeSet;

use pkimm_tests::agent::{Home, finish};
use pkimm_tests::certificates::{Authority, Key, Order, path};
use pkimm_tests::servers::tokens::{NssDatabase, Opencryptoki, library, softhsm};
use pkimm_tests::{facts, tools};
use serde_json::{Value, json};

use super::{
    PIN, TOKEN, findings, good, login, named, names, object, reasons, scan, settings, small,
};

#[test]
fn a_database_of_nss_is_read_by_its_parameters() {
    const PASSWORD: &str = "Canary-Of-A-Browser-2206";
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let held = root.issue(&Order { key: Key::Rsa(2048), ..Order::server("browser.lab.test") });
    let database = NssDatabase::new(home.path(), PASSWORD, &held);
    let file = home.write("pin", format!("{PASSWORD}\n"));
    let module = library("libsoftokn3.so");
    let text = format!(
        "[filesystem]\nroots = []\n[pkcs11]\np11_kit = false\n[[pkcs11.modules]]\npath = {:?}\n\
         parameters = {:?}\n[[pkcs11.logins]]\n\
         token = \"pkcs11:token=NSS%20Certificate%20DB\"\npin_file = {:?}\n",
        path(&module),
        database.parameters(),
        path(&file),
    );
    home.write("pkimm-agent.toml", text);
    let before = database.contents();
    let outcome = good(home.agent(&["scan"]));
    assert!(before == database.contents(), "nothing is written to it");
    let gaps = home.gaps();
    assert_eq!(gaps, Vec::<Value>::new(), "{}", outcome.stderr);
    let inventory = home.inventory();
    let token = named(&inventory, "token NSS Certificate DB");
    assert_eq!(token["facts"]["login"], "done");
    let certificate = facts::with_digest(&inventory, "certificate", &held.sha256());
    assert!(facts::places(certificate)[0].starts_with("pkcs11:token=NSS%20Certificate%20DB"));
    let spki = held.spki_sha256();
    let key = facts::of_kind(&inventory, "key")
        .into_iter()
        .find(|key| key["facts"]["spki_sha256"] == json!(spki))
        .unwrap_or_else(|| panic!("the key is not among {:#?}", names(&inventory)));
    assert_eq!(object(key, "private")["sensitive"], true);
    // It tells these of no key (see the quirks), so nothing is said of them.
    let not_met = findings(&home, "not-met");
    let about: BTreeSet<&str> = not_met.iter().map(|(rule, _)| rule.as_str()).collect();
    for rule in ["token.key-mechanism-weak", "token.serial-duplicate"] {
        assert!(!about.contains(rule), "{not_met:#?}");
    }
}

/// It shows what this machine trusts: one trust store, and no rule asks for the keys.
#[test]
fn the_trust_module_is_a_trust_store() {
    let home = Home::new();
    settings(&home, "", &[&library("p11-kit-trust.so")], "");
    let outcome = good(home.agent(&["scan"]));
    let inventory = home.inventory();
    let stores = facts::of_kind(&inventory, "trust-store");
    let [store] = stores.as_slice() else {
        panic!("{} stores: {:#?}\n{}", stores.len(), home.gaps(), outcome.stderr)
    };
    assert!(facts::places(store)[0].starts_with("pkcs11:"), "{:?}", facts::places(store));
    let bundle = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
    let trusted = bundle.matches("-----BEGIN CERTIFICATE-----").count();
    let seen = facts::of_kind(&inventory, "certificate").len();
    assert!(seen >= trusted, "{seen} of {trusted}");
    let not_met = findings(&home, "not-met");
    let without: Vec<_> =
        not_met.iter().filter(|(rule, _)| rule == "token.certificate-without-key").collect();
    assert!(without.is_empty(), "{without:?}");
}

/// What this machine's p11-kit is configured with is found without a setting for it.
#[test]
fn modules_are_found_as_p11_kit_finds_them() {
    let (home, hsm) = small(TOKEN, PIN);
    home.write("pkimm-agent.toml", "[filesystem]\nroots = []\n[pkcs11]\np11_kit = true\n");
    let mut command = home.command(&["scan"]);
    hsm.tell(&mut command);
    let outcome = good(finish(command));
    let listed = String::from_utf8(tools::run("p11-kit", &["list-modules"])).unwrap();
    // `softhsm2: /usr/lib/…/libsofthsm2.so`, or two lines in newer ones.
    assert!(listed.contains("libsofthsm2.so"), "{listed}");
    let inventory = home.inventory();
    let token = named(&inventory, "token Lab CA");
    let module = token["facts"]["module"]["path"].as_str().unwrap();
    assert!(module.ends_with("libsofthsm2.so"), "{module}");
    let tokens = facts::of_kind(&inventory, "token");
    let modules: BTreeSet<&str> =
        tokens.iter().map(|token| token["facts"]["module"]["path"].as_str().unwrap()).collect();
    assert!(modules.iter().any(|path| path.ends_with("p11-kit-trust.so")), "{modules:?}");
    assert!(reasons(&home.gaps()).contains(&"login-required"), "{}", outcome.stderr);
    // And not where the settings say no.
    let file = home.write("pin", format!("{PIN}\n"));
    let login = login(TOKEN, &format!("pin_file = {:?}", path(&file)));
    settings(&home, "", &[&softhsm()], &login);
    let _ = scan(&home, &hsm);
    let inventory = home.inventory();
    let tokens: BTreeSet<String> =
        facts::of_kind(&inventory, "token").into_iter().map(super::name_of).collect();
    assert!(!tokens.contains("token System Trust"), "{tokens:?}");
    assert!(tokens.contains("token Lab CA"), "{tokens:?}");
}

#[test]
fn the_soft_token_of_opencryptoki_is_read() {
    // `tests/run` says when it is not.
    if !Opencryptoki::is_possible() {
        return;
    }
    // It takes no longer one.
    const SHORT: &str = "75309142";
    let home = Home::new();
    let lab = Opencryptoki::start(home.path(), SHORT);
    let log_in = ["--login", "--pin", SHORT];
    let make = ["--keypairgen", "--key-type", "rsa:2048", "--label", "soft", "--id", "01"];
    lab.tool(&[&log_in[..], &make].concat());
    let file = home.write("pin", format!("{SHORT}\n"));
    let login = login(Opencryptoki::TOKEN, &format!("pin_file = {:?}", path(&file)));
    settings(&home, "", &[&Opencryptoki::module()], &login);
    let outcome = good(finish(lab.moved_inside(&home.command(&["scan"]))));
    assert_eq!(home.gaps(), Vec::<Value>::new(), "{}", outcome.stderr);
    let inventory = home.inventory();
    let token = named(&inventory, "token Lab Soft");
    let expected = json!({
        "manufacturer": "IBM Corp.", "model": "IBM SoftTok", "serial": "123", "login": "done",
    });
    facts::assert_facts("the token", &token["facts"], &expected);
    let key = named(&inventory, "key soft");
    assert_eq!(key["facts"]["algorithm"]["bits"], 2048);
    assert_eq!(object(key, "private")["local"], true);
    // The PIN is the one that the officer set.
    let not_met = findings(&home, "not-met");
    let at_risk = ("token.pin-at-risk".to_owned(), "token Lab Soft".to_owned());
    assert!(not_met.contains(&at_risk), "{not_met:#?}");
}
