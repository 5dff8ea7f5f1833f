//! What tokens hold, in every output: the devices, the keys on them, what was told of each and what
//! was not.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod sample;

use pki_inventory::{
    Asset, AssetId, Body, Digest, Inventory, Kind, Mechanism, ObjectClass, Place, Token, View,
};
use pki_report::{
    FORMATS, inventory_jsonl, json_line, keys, list_line, seen_line, tokens, why_asset,
};
use sample::{HOSTILE, Sample, token};
use serde_json::{Value, json};

/// What acts instead of showing: escapes, other controls, changes of direction.
fn acts(c: char) -> bool {
    c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)
}

fn render(name: &str, sample: &Sample) -> String {
    let format = FORMATS.iter().find(|format| format.name == name);
    let format = format.unwrap_or_else(|| panic!("{name} is no format"));
    let mut out = Vec::new();
    (format.render)(&sample.document(), &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).unwrap_or_else(|error| panic!("{error}"))
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn hard() -> AssetId {
    AssetId::at(Kind::Token, &token::hard())
}

fn soft() -> AssetId {
    AssetId::at(Kind::Token, &token::soft())
}

/// Of the authority, kept in hardware.
fn issuing() -> AssetId {
    AssetId::new(Kind::Key, Digest::of(b"key of Example Issuing CA 1"))
}

/// In a file and, imported, on the token in software.
fn www() -> AssetId {
    AssetId::new(Kind::Key, Digest::of(b"key of www.example.org"))
}

fn wrapping() -> AssetId {
    let place = token::object(&token::hard(), 2, ObjectClass::SecretKey);
    AssetId::at(Kind::SecretKey, &place)
}

/// The one whose name attacks whoever prints it.
fn generic() -> AssetId {
    let place = token::object(&token::soft(), 11, ObjectClass::SecretKey);
    AssetId::at(Kind::SecretKey, &place)
}

fn of(sample: &Sample, id: AssetId) -> &Asset {
    sample.inventory.get(id).unwrap_or_else(|| panic!("no {id}"))
}

fn facts(sample: &Sample, id: AssetId) -> Value {
    inventory_jsonl(of(sample, id), &View::of(&sample.inventory))["facts"].clone()
}

fn at(facts: &Value, place: &Place) -> Value {
    let sightings = facts["sightings"].as_array().into_iter().flatten();
    let mut there = sightings.filter(|one| one["place"] == place.to_string());
    there.next().cloned().unwrap_or_default()
}

/// The inventory with another token in place of the one in hardware.
fn with(sample: &mut Sample, change: impl FnOnce(&mut Token)) {
    let mut asset = of(sample, hard()).clone();
    let Body::Token(body) = &mut asset.body else { panic!("a token") };
    change(body);
    let others = sample.inventory.assets().filter(|one| one.id != hard()).cloned();
    let mut inventory = Inventory::default();
    others.for_each(|one| inventory.add(one));
    inventory.add(asset);
    sample.inventory = inventory;
}

#[test]
fn the_export_has_all_of_a_token() {
    let sample = sample::sample();
    let token = facts(&sample, hard());
    for (fact, value) in [
        ("label", json!("CA signing")),
        ("manufacturer", json!("Example Hardware")),
        ("model", json!("EX-7")),
        ("serial", json!("4417-0093")),
        ("hardware_version", json!("2.1")),
        ("firmware_version", json!("7.8")),
        ("kept_in", json!("hardware")),
        ("login", json!("done")),
        ("pin_lengths", json!({ "shortest": 8, "longest": 255 })),
        ("sessions", json!(3)),
        ("public_memory", Value::Null),
        ("private_memory", json!({ "free": 1_040_384, "total": 2_097_152 })),
        ("clock", json!("2026-11-20T00:00:00Z")),
        ("quirks", json!([])),
    ] {
        assert_eq!(token[fact], value, "{fact}");
    }
    assert_eq!(token["module"]["path"], token::MODULE);
    assert_eq!(token["module"]["interface"], "3.2");
    assert_eq!(token["slot"]["description"], "Net slot 1");
    assert_eq!(token["slot"]["hardware"], true);
    assert_eq!(token["flags"]["login_required"], true);
    assert_eq!(token["so_pin"]["to_be_changed"], true);
    assert_eq!(token["user_pin"]["to_be_changed"], false);
    assert_eq!(
        token["mechanisms"][2],
        json!({
            "number": 0x8000_0042_u64,
            "name": null,
            "smallest": 0,
            "largest": 0,
            "hardware": null,
            "uses": ["derive"],
        })
    );
    assert_eq!(token["objects"][1], json!({ "class": "data", "count": 2 }));
    assert_eq!(token["validations"][0]["certificate"], "4962");
    assert_eq!(token["validations"][0]["standing"], "stated by the device itself, not verified");
    assert_eq!(token["keys"], json!([issuing().to_string(), wrapping().to_string()]));
    let soft = facts(&sample, soft());
    assert_eq!((&soft["kept_in"], &soft["login"]), (&"not known".into(), &"refused".into()));
    assert_eq!(soft["mechanisms"], Value::Null, "it did not tell them");
}

#[test]
fn the_export_has_every_attribute_where_the_object_lies() {
    let sample = sample::sample();
    let place = token::object(&token::hard(), 1, ObjectClass::PrivateKey);
    let private = at(&facts(&sample, issuing()), &place);
    assert_eq!(private["label"], "issuing-2024");
    assert_eq!(private["key"]["encryption"], "token");
    assert_eq!(
        private["token"],
        json!({
            "class": "private",
            "id": "01",
            "key_type": "CKK_RSA",
            "token": true,
            "private": true,
            "modifiable": false,
            "local": true,
            "key_gen_mechanism": "CKM_RSA_PKCS_KEY_PAIR_GEN",
            "sensitive": true,
            "always_sensitive": true,
            "extractable": false,
            "never_extractable": true,
            "always_authenticate": true,
            "usages": { "decrypt": false, "sign": true, "unwrap": false },
            "public_exponent": "010001",
            "start": "2024-06-04T00:00:00Z",
            "templates": [],
            "untold": { "CKA_ALLOWED_MECHANISMS": "invalid" },
        })
    );
    let public =
        at(&facts(&sample, issuing()), &token::object(&token::hard(), 1, ObjectClass::PublicKey));
    assert_eq!(
        (&public["key"]["half"], &public["token"]["class"]),
        (&"public".into(), &"public".into())
    );
    let secret = facts(&sample, wrapping());
    assert_eq!(secret["algorithm"]["bits"], 256);
    assert_eq!(secret["tokens"], json!([hard().to_string()]));
    let attributes = &secret["sightings"][0]["token"];
    assert_eq!(attributes["allowed_mechanisms"], json!(["CKM_AES_KEY_WRAP_KWP"]));
    assert_eq!(
        (&attributes["trusted"], &attributes["templates"]),
        (&true.into(), &json!(["wrap"]))
    );
    let open = facts(&sample, generic())["sightings"][0]["token"].clone();
    assert_eq!(open["untold"]["CKA_EXTRACTABLE"], "unreadable: 3 octets");
    assert!(open.get("extractable").is_none(), "what was not told is not there");
}

#[test]
fn what_is_odd_about_a_product_is_told_with_its_source() {
    let mut sample = sample::sample();
    with(&mut sample, |token| {
        token.module.manufacturer = Some("Google".to_owned());
        token.module.description = Some("Cloud KMS PKCS#11 library".to_owned());
    });
    let quirks = facts(&sample, hard())["quirks"].clone();
    let odd = |oddity: &str| {
        let all = quirks.as_array().into_iter().flatten();
        all.into_iter().find(|quirk| quirk["oddity"] == oddity).cloned().unwrap_or_default()
    };
    assert_eq!(odd("local-false")["product"], "Cloud KMS");
    let source = odd("local-false")["source"].as_str().unwrap_or_default().to_owned();
    assert!(source.contains("kms-integrations"), "{source}");
    let why = flat(&why_asset(&sample.document(), hard()).unwrap_or_default());
    let meaning =
        "It says of keys that were generated on the device that they were not (CKA_LOCAL).";
    let said = format!("Cloud KMS: {meaning} ({source})");
    assert!(why.contains(&said), "{said}\nin {why}");
    // Where the key is told of, the oddity of its token is told too.
    let why = flat(&why_asset(&sample.document(), issuing()).unwrap_or_default());
    assert!(why.contains(&said), "{said}\nin {why}");
    let linked = links_to_note(&render("html", &sample), "(CKA_LOCAL)");
    assert_eq!(linked, 3, "at the device and at both keys on it");
}

#[test]
fn what_is_odd_about_a_token_is_not_told_of_its_keys() {
    let mut sample = sample::sample();
    with(&mut sample, |token| token.module.manufacturer = Some("AWS CloudHSM".to_owned()));
    assert_eq!(links_to_note(&render("html", &sample), "It keeps no certificates."), 1);
    let why = why_asset(&sample.document(), issuing()).unwrap_or_default();
    assert!(!why.contains("It keeps no certificates."), "{why}");
}

/// How many links lead to the note that says this.
fn links_to_note(html: &str, said: &str) -> usize {
    let mut notes = html.split("<li id=\"device-note-").skip(1);
    let note = notes.find(|note| note.split("</li>").next().is_some_and(|it| it.contains(said)));
    let number = note.and_then(|note| note.split('"').next());
    let number = number.unwrap_or_else(|| panic!("no note says {said}"));
    html.matches(&format!("href=\"#device-note-{number}\">known to be odd: note {number}</a>"))
        .count()
}

#[test]
fn the_json_document_holds_tokens_and_their_keys_as_its_schema_says() {
    let sample = sample::sample();
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    let tokens = document["tokens"].as_array().cloned().unwrap_or_default();
    assert_eq!(tokens.len(), 2);
    let mut expected = facts(&sample, hard());
    expected.as_object_mut().map(|facts| facts.remove("sightings"));
    let found = tokens.iter().find(|one| one["id"] == hard().to_string());
    assert_eq!(found.map(|one| &one["facts"]), Some(&expected), "as the export has it");
    let keys = document["token_keys"].as_array().cloned().unwrap_or_default();
    let key = |id: AssetId| {
        let found = keys.iter().find(|key| key["id"] == id.to_string());
        found.cloned().unwrap_or_else(|| panic!("no {id}"))
    };
    assert_eq!(keys.len(), 4);
    let www = key(www());
    assert_eq!(www["elsewhere"], json!(["file:///srv/www/key.pem#1"]));
    assert_eq!(www["objects"][0]["token"], soft().to_string());
    assert_eq!(www["objects"][0]["attributes"]["extractable"], true);
    assert_eq!(www["certificates"].as_array().map(Vec::len), Some(1));
    assert_eq!(key(issuing())["objects"].as_array().map(Vec::len), Some(1), "the private one");
    assert_eq!(key(generic())["objects"][0]["label"], HOSTILE);
    let schema = include_str!("../schema/assessment-1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}"));
    let problems: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    for (change, what) in [(("tokens", "kept_in"), "cloud"), (("tokens", "login"), "guessed")] {
        let mut wrong = document.clone();
        wrong[change.0][0]["facts"][change.1] = what.into();
        assert!(!validator.is_valid(&wrong), "{what}");
    }
    let mut wrong = document;
    wrong["token_keys"][0]["objects"][0]["attributes"]["value"] = "01".into();
    assert!(!validator.is_valid(&wrong), "no attribute that has no name here");
}

#[test]
fn a_line_of_a_scan_leaves_out_what_the_rest_decides() {
    let sample = sample::sample();
    for (id, kept, left_out) in [
        (hard(), "mechanisms", "keys"),
        (hard(), "objects", "public_objects"),
        (wrapping(), "algorithm", "tokens"),
    ] {
        let line = seen_line(of(&sample, id), &[]);
        assert!(line["facts"].get(kept).is_some(), "{kept} in {line}");
        assert!(line["facts"].get(left_out).is_none(), "{left_out} in {line}");
    }
}

#[test]
fn why_says_everything_of_tokens_and_of_what_lies_on_them() {
    let sample = sample::sample();
    let why = |id| flat(&why_asset(&sample.document(), id).unwrap_or_default());
    let (hard_text, soft_text) = (why(hard()), why(soft()));
    let authority = sample.inventory.assets().find(|asset| {
        asset.certificate().is_some_and(|one| one.display_name() == "Example Issuing CA 1")
    });
    let authority = authority.map(|asset| asset.id).unwrap_or_else(|| panic!("the authority"));
    for (text, said) in [
        (&hard_text, "token CA signing".to_owned()),
        (&hard_text, "vendor Example Hardware model EX-7 serial 4417-0093".to_owned()),
        (&hard_text, "hardware version 2.1 firmware version 7.8 kept in hardware, as its slot".to_owned()),
        (&hard_text, format!("module {} Example Hardware, EX cryptographic library, version 5.3, PKCS #11 3.2", token::MODULE)),
        (&hard_text, "slot slot 0, Net slot 1, Example Hardware".to_owned()),
        (&hard_text, "login a user was logged in while it was read".to_owned()),
        (&hard_text, "PIN of the security officer: it has to be changed".to_owned()),
        (&hard_text, "memory for private objects 1040384 of 2097152 octets free".to_owned()),
        (&hard_text, "certified FIPS 140 3.0, of hardware, level 3, certificate 4962, for EX-7 Cryptographic Module, country US, https://certificates.example/4962; stated by the device itself, not verified".to_owned()),
        (&hard_text, "objects 1 private key 1 symmetric key 1 public key 1 certificate 2 data objects".to_owned()),
        (&hard_text, format!("{} private key issuing-2024, RSA-2048", issuing())),
        (&hard_text, format!("{} symmetric key backup wrapping, AES-256", wrapping())),
        (&hard_text, "CKM_ECDSA; keys of 256 to 521; sign, verify; by the device".to_owned()),
        (&hard_text, "0x80000042; derive".to_owned()),
        (&soft_text, "kept in not known: its slot states no device".to_owned()),
        (&soft_text, "login it refused the login: what is private was not to be seen".to_owned()),
        (&soft_text, "PIN of the user: a wrong one was entered since the last right one".to_owned()),
        (&soft_text, "login-refused: CKR_PIN_INCORRECT; it is not tried again".to_owned()),
        (&soft_text, "mechanisms not told".to_owned()),
        (&soft_text, "the device states no certification".to_owned()),
        (&why(issuing()), format!("on {} token CA signing", hard())),
        (&why(issuing()), format!("through {}, slot 0, Net slot 1", token::MODULE)),
        (&why(issuing()), "private half, PKCS#11, kept by the token; called \"issuing-2024\"; generated on the token by CKM_RSA_PKCS_KEY_PAIR_GEN; sensitive, and always was; not extractable, and never was; shown after a login only; each use asks for the PIN; may sign".to_owned()),
        (&why(issuing()), "CKA_NEVER_EXTRACTABLE: yes".to_owned()),
        (&why(issuing()), "CKA_DECRYPT: no".to_owned()),
        (&why(issuing()), "CKA_ALLOWED_MECHANISMS: not told: invalid".to_owned()),
        (&why(issuing()), format!("certified by {authority} Example Issuing CA 1")),
        // The certificate leads to its key, with what its token says of it.
        (&why(authority), format!("The private half lies in {}", token::object(&token::hard(), 1, ObjectClass::PrivateKey))),
        (&why(authority), "CKA_EXTRACTABLE: no".to_owned()),
        (&why(wrapping()), "AES-256 key backup wrapping".to_owned()),
        (&why(wrapping()), "value never asked for".to_owned()),
        (&why(wrapping()), "CKA_ALLOWED_MECHANISMS: CKM_AES_KEY_WRAP_KWP".to_owned()),
        (&why(generic()), "CKA_ID: empty".to_owned()),
        (&why(generic()), "CKA_EXTRACTABLE: not told: unreadable: 3 octets".to_owned()),
        (&why(www()), "not generated on the token; sensitive, but was not always; extractable; shown without a login; its attributes can be changed".to_owned()),
        (&why(www()), "file:///srv/www/key.pem#1 seen by filesystem".to_owned()),
    ] {
        assert!(text.contains(&said), "{said}\nin {text}");
    }
}

#[test]
fn the_list_tells_each_in_columns() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    for (id, columns) in [
        (
            hard(),
            &[
                "CA signing  ",
                "Example Hardware, EX-7  ",
                "hardware   login done  ",
                "1 private key",
            ][..],
        ),
        (soft(), &["dev tests  ", "not known  login refused"]),
        (wrapping(), &["backup wrapping  ", "AES-256  ", "not extractable  ", "unwrap, wrap"]),
        (generic(), &["generic secret-160  ", "not told  "]),
    ] {
        let line = list_line(of(&sample, id), &view);
        assert!(columns.iter().all(|column| line.contains(column)), "{columns:?} in {line}");
        assert!(!line.contains(acts), "{line}");
    }
}

#[test]
fn the_page_has_a_section_for_devices_with_their_keys() {
    let html = render("html", &sample::sample());
    let start = html.find("<section id=\"devices\">").unwrap_or_else(|| panic!("no section"));
    let section = &html[start..];
    let section = &section[..section.find("</section>").unwrap_or(section.len())];
    for said in [
        "Keys on tokens (4)",
        "<div class=\"strong\">CA signing</div>",
        "Example Hardware, EX-7",
        "4417-0093",
        "firmware 7.8",
        "hardware, as its slot states",
        "slot 0, Net slot 1",
        "FIPS 140 3.0, of hardware, level 3, certificate 4962",
        "stated by the device itself, not verified",
        "<details class=\"more\"><summary>Mechanisms</summary>",
        "CKM_RSA_PKCS_KEY_PAIR_GEN",
        "0x80000042",
        "PIN of the security officer: it has to be changed",
        "It refused the login: what is private was not to be seen",
        "<summary>Not read</summary>",
        "generated on the token by",
        "<div class=\"strong\">not generated on the token</div>",
        "<div class=\"strong\">extractable</div>",
        "not told whether it is extractable (CKA_EXTRACTABLE: unreadable: 3 octets)",
        "also in a file: see the key",
        "&#60;script&#62;",
    ] {
        assert!(section.contains(said), "{said} in\n{section}");
    }
    assert!(
        html.contains("<a href=\"#devices\">Devices and tokens <span class=\"figure\">2</span>")
    );
    for id in [hard(), soft(), wrapping(), generic(), issuing()] {
        let anchor = format!("id=\"asset-{}-{}\"", id.kind, id.sha256);
        assert_eq!(html.matches(&anchor).count(), 1, "{anchor}");
        assert!(section.contains(&format!("href=\"#asset-{}-{}\"", id.kind, id.sha256)), "{id}");
    }
    let empty = render("html", &sample::empty());
    assert!(!empty.contains("id=\"devices\""), "there is none");
}

#[test]
fn many_keys_and_mechanisms_are_bounded_on_the_page_and_counted() {
    let mut sample = sample::sample();
    with(&mut sample, |token| {
        let one = |number| Mechanism {
            number,
            name: None,
            smallest: None,
            largest: None,
            hardware: None,
            uses: Vec::new(),
        };
        token.mechanisms = Some((0..5_000).map(one).collect());
    });
    let pattern = of(&sample, wrapping()).clone();
    let sighting = pattern.sightings().next().cloned().unwrap_or_else(|| panic!("a sighting"));
    for number in 0..2_500_u32 {
        let mut sighting = sighting.clone();
        let id = number.to_be_bytes();
        sighting.place = token::hard().on_token([("id", &id[..]), ("type", b"secret-key")]);
        let mut asset =
            Asset::new(AssetId::at(Kind::SecretKey, &sighting.place), pattern.body.clone());
        asset.see(sighting);
        sample.inventory.add(asset);
    }
    let html = render("html", &sample);
    assert!(html.contains("Keys on tokens (2504)"));
    assert!(html.contains("504 more are in `pkimm-agent inventory export`."), "keys");
    assert_eq!(html.matches("its attributes are in the export").count(), 1_800);
    assert!(html.contains("4800 more are in `pkimm-agent inventory export`."), "mechanisms");
    let document: Value = serde_json::from_str(&render("json", &sample)).unwrap_or_default();
    assert_eq!(
        document["token_keys"].as_array().map(Vec::len),
        Some(2_504),
        "the document has all"
    );
}

#[test]
fn the_tables_for_a_terminal_fit_and_tell_tokens_and_keys() {
    let sample = sample::sample();
    let view = View::of(&sample.inventory);
    let (tokens, keys) = (tokens(&view), keys(&view));
    for text in [&tokens, &keys] {
        for line in text.lines() {
            let place = line.trim_start().starts_with("pkcs11:");
            assert!(place || line.chars().count() <= 100, "{line}");
        }
        assert!(!text.contains(|c| acts(c) && c != '\n'), "{text}");
    }
    for said in [
        "Tokens: 2, of them hardware by their own word: 1",
        "CA signing            EX-7            4417-0093         hardware   done",
        "2d7f3a1c9be04e55  not known  refused",
        "vendor        Example Hardware, hardware 2.1, firmware 7.8",
        "slot          slot 0, Net slot 1, Example Hardware",
        "objects       1 private key, 1 symmetric key, 1 public key, 1 certificate, 2 data objects",
        "stated by the device itself, not verified",
        "flags         a login is required; it has a random number generator",
        "PIN of the security officer: it has to be changed",
        "PIN length    8 to 255 octets",
        "Asked for on tokens and not read: 1 place",
        "login-refused: CKR_PIN_INCORRECT",
    ] {
        assert!(flat(&tokens).contains(&flat(said)), "{said} in\n{tokens}");
    }
    for said in [
        "Private and symmetric keys on tokens: 4",
        "On CA signing (kept in: hardware): 2 keys",
        "issuing-2024           RSA-2048        yes        yes, always    no, never was",
        "CKA_ID        01",
        "made by       CKM_RSA_PKCS_KEY_PAIR_GEN",
        "certified by  Example Issuing CA 1 until 2034-04-13",
        "not told      CKA_ALLOWED_MECHANISMS",
        "On dev tests (kept in: not known): 2 keys",
        "www copy               P-256           no         yes, was not   yes",
        "open          not generated on the token; sensitive, but was not always; extractable",
        "also in       file:///srv/www/key.pem#1",
        "generic…et-160",
        "Private keys in files, keystores and images: ",
    ] {
        assert!(flat(&keys).contains(&flat(said)), "{said} in\n{keys}");
    }
    let sections = ["Private and symmetric", "Private keys in files"].map(|text| keys.find(text));
    assert!(sections[0] < sections[1], "those on tokens first");
    assert_eq!(keys.matches("www copy").count(), 1, "each key once");
    assert!(!keys.contains("key of www.example.org"), "it is told of where it lies on a token");
}

#[test]
fn keys_with_a_public_half_alone_come_last() {
    let full = sample::sample();
    let asset = of(&full, issuing());
    let public = asset.sightings().find(|at| at.place.to_string().ends_with("type=public"));
    let mut alone = Asset::new(asset.id, asset.body.clone());
    alone.see(public.cloned().unwrap_or_else(|| panic!("the public half")));
    let mut inventory = Inventory::default();
    inventory.add(alone);
    inventory.add(of(&full, wrapping()).clone());
    let text = keys(&View::of(&inventory));
    let (on_tokens, last) = (text.find("backup wrapping"), text.find("public half alone"));
    assert!(on_tokens.is_some() && on_tokens < last, "{text}");
    assert!(
        flat(&text).contains("public half, PKCS#11; called \"issuing-2024\"; public key; id 01"),
        "{text}"
    );
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let inventory = Inventory::default();
    let view = View::of(&inventory);
    assert!(tokens(&view).contains("No PKCS #11 module that was read shows one."));
    assert!(keys(&view).contains("None was seen outside of certificates."));
}

#[test]
fn metrics_and_summary_count_tokens_and_their_keys() {
    let sample = sample::sample();
    let metrics = render("prometheus", &sample);
    let (hard, soft) = (token::hard().to_string(), token::soft().to_string());
    for line in [
        format!(
            "pkimm_token_info{{place=\"{hard}\",label=\"CA signing\",manufacturer=\"Example Hardware\",\
             model=\"EX-7\",serial_number=\"4417-0093\",hardware_version=\"2.1\",\
             firmware_version=\"7.8\",kept_in=\"hardware\"}} 1"
        ),
        format!("pkimm_token_read{{place=\"{hard}\"}} 1"),
        format!("pkimm_token_uninitialized{{place=\"{hard}\"}} 0"),
        format!("pkimm_token_read{{place=\"{soft}\"}} 0"),
        format!("pkimm_token_pin{{place=\"{soft}\",pin=\"user\",state=\"count low\"}} 1"),
        format!("pkimm_token_pin{{place=\"{soft}\",pin=\"user\",state=\"locked\"}} 0"),
        format!("pkimm_token_objects{{place=\"{hard}\",class=\"data\"}} 2"),
        format!("pkimm_token_keys{{place=\"{hard}\",attribute=\"extractable\",told=\"no\"}} 2"),
        format!("pkimm_token_keys{{place=\"{soft}\",attribute=\"extractable\",told=\"yes\"}} 1"),
        format!(
            "pkimm_token_keys{{place=\"{soft}\",attribute=\"extractable\",told=\"not told\"}} 1"
        ),
        format!("pkimm_token_keys{{place=\"{soft}\",attribute=\"extractable\",told=\"no\"}} 0"),
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} in\n{metrics}");
    }
    let terminal = flat(&render("terminal", &sample));
    let said = "2 tokens by their own word: hardware 1 · not known 1 · private and symmetric keys \
                on them 4 · logins refused 1";
    assert!(terminal.contains(said), "{said} in\n{terminal}");
}

#[test]
fn what_strangers_wrote_acts_nowhere() {
    let mut sample = sample::sample();
    with(&mut sample, |token| {
        let hostile = || Some(HOSTILE.to_owned());
        token.label = hostile();
        token.model = hostile();
        token.module.description = hostile();
        token.slot.description = hostile();
        token.objects = vec![(HOSTILE.to_owned(), 1)];
        for one in &mut token.validations {
            (one.scheme, one.module, one.address) = (HOSTILE.to_owned(), hostile(), hostile());
        }
        for one in token.mechanisms.iter_mut().flatten() {
            (one.name, one.uses) = (hostile(), vec![HOSTILE.to_owned()]);
        }
    });
    let view = View::of(&sample.inventory);
    let mut texts =
        vec![tokens(&view), keys(&view), render("html", &sample), render("terminal", &sample)];
    for id in [hard(), generic()] {
        texts.push(json_line(&inventory_jsonl(of(&sample, id), &view)));
        texts.push(list_line(of(&sample, id), &view));
        texts.push(why_asset(&sample.document(), id).unwrap_or_default());
    }
    for text in texts {
        assert!(text.contains("alert(1)") || text.contains("<scr"), "it is there");
        assert!(!text.contains(|c| acts(c) && c != '\n'), "{text:?}");
    }
    assert!(!render("html", &sample).contains("<script"));
}
