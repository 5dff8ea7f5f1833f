//! How tokens and the keys on them are named and laid out: so that each can be told from the
//! others, and nothing that was not seen is passed over.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod sample;

use std::collections::BTreeSet;

use pki_inventory::{
    Asset, AssetId, Body, Circumstances, Encryption, Gap, GapReason, Half, Key, KeyAlgorithm,
    KeyForm, Kind, Login, Mechanism, ObjectClass, Place, Sighting, Time, Token, TokenObject, Usage,
    View,
};
use pki_report::{FORMATS, inventory_jsonl, keys, list_line, tokens, why_asset};
use sample::{Sample, token};
use serde_json::Value;

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

fn section<'h>(html: &'h str, id: &str) -> &'h str {
    let start = html.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    let section = &html[start..];
    &section[..section.find("</section>").unwrap_or(section.len())]
}

fn hard() -> AssetId {
    AssetId::at(Kind::Token, &token::hard())
}

fn of(sample: &Sample, id: AssetId) -> &Asset {
    sample.inventory.get(id).unwrap_or_else(|| panic!("no {id}"))
}

fn hard_token(sample: &Sample) -> Token {
    let Body::Token(body) = &of(sample, hard()).body else { panic!("a token") };
    (**body).clone()
}

/// The inventory with another token in place of the one in hardware.
fn with(sample: &mut Sample, change: impl FnOnce(&mut Token)) {
    let mut asset = of(sample, hard()).clone();
    let Body::Token(body) = &mut asset.body else { panic!("a token") };
    change(body);
    let others = sample.inventory.assets().filter(|one| one.id != hard()).cloned();
    let mut inventory = pki_inventory::Inventory::default();
    others.for_each(|one| inventory.add(one));
    inventory.add(asset);
    sample.inventory = inventory;
}

fn add(sample: &mut Sample, id: AssetId, body: Body, place: &Place, told: Circumstances) {
    let mut asset = Asset::new(id, body);
    asset.see(Sighting {
        place: place.clone(),
        collector: "pkcs11".to_owned(),
        first_seen: Time(0),
        last_seen: Time(0),
        circumstances: told,
    });
    sample.inventory.add(asset);
}

/// Another token, with the same label as the one in hardware.
fn namesake(sample: &mut Sample, change: impl FnOnce(&mut Token)) -> Place {
    let mut body = hard_token(sample);
    body.serial = Some("4417-0094".to_owned());
    change(&mut body);
    let place = Place::token([("token", &b"CA signing"[..]), ("serial", b"4417-0094")]);
    let id = AssetId::at(Kind::Token, &place);
    add(sample, id, Body::Token(Box::new(body)), &place, Circumstances::default());
    place
}

/// A private key of which no token and no certificate tells the public half.
fn alone(sample: &mut Sample, on: &Place) -> AssetId {
    let place = token::object(on, 9, ObjectClass::PrivateKey);
    let id = AssetId::at(Kind::Key, &place);
    let algorithm = KeyAlgorithm { name: "RSA".to_owned(), bits: Some(2048), curve: None };
    let object =
        TokenObject { id: Some("09".to_owned()), ..TokenObject::of(ObjectClass::PrivateKey) };
    let told = Circumstances {
        label: Some("k1".to_owned()),
        key: Some(KeyForm {
            half: Half::Private,
            encoding: "PKCS#11".to_owned(),
            encryption: Encryption::Token,
        }),
        token: Some(Box::new(object)),
        ..Circumstances::default()
    };
    let body = Body::Key(Key { spki: None, algorithm: Some(algorithm) });
    add(sample, id, body, &place, told);
    id
}

type Change = fn(&mut Token);

fn software(token: &mut Token) {
    token.slot.hardware = false;
    for mechanism in token.mechanisms.iter_mut().flatten() {
        mechanism.hardware = Some(false);
    }
}

#[test]
fn a_key_on_a_token_is_called_by_its_label_and_its_token() {
    let mut sample = sample::sample();
    let id = alone(&mut sample, &token::hard());
    let title = why_asset(&sample.document(), id).unwrap_or_default();
    assert_eq!(title.lines().nth(1), Some("  RSA-2048 key k1 on CA signing"), "{title}");
    let line = list_line(of(&sample, id), &View::of(&sample.inventory));
    assert!(line.contains("RSA-2048 k1 on CA signing, private half in 1 place  "), "{line}");
    let html = render("html", &sample);
    assert!(section(&html, "inventory").contains("RSA-2048 key k1 on CA signing"));
    // Where two tokens have the same label, the serial number tells them apart.
    let other = namesake(&mut sample, |_| ());
    let second = alone(&mut sample, &other);
    let view = View::of(&sample.inventory);
    for (id, serial) in [(id, "4417-0093"), (second, "4417-0094")] {
        let line = list_line(of(&sample, id), &view);
        let said = format!("k1 on CA signing, serial {serial}, private");
        assert!(line.contains(&said), "{said} in {line}");
    }
    let keys = keys(&view);
    assert!(keys.contains("On CA signing, serial 4417-0093 (kept in: hardware): 3 keys"), "{keys}");
    assert!(
        keys.contains("On CA signing, serial 4417-0094 (kept in: hardware): 1 key\n"),
        "{keys}"
    );
}

#[test]
fn every_key_in_the_table_can_be_asked_for_and_found() {
    let mut sample = sample::sample();
    let id = alone(&mut sample, &token::hard());
    let view = View::of(&sample.inventory);
    let text = keys(&view);
    for key in view.token_keys() {
        for held in &key.objects {
            let row = format!("\n  {}  ", key.asset.id.sha256.short());
            assert!(text.contains(&row), "{row} in\n{text}");
            let place = format!("\n      {}\n", held.sighting.place);
            assert!(text.contains(&place), "{place} in\n{text}");
        }
    }
    for (said, what) in [
        (format!("{}  k1  RSA-2048  not told  not told  not told", id.sha256.short()), "untold"),
        ("CKA_ID empty".to_owned(), "an empty id"),
        ("no, never was".to_owned(), "its past"),
    ] {
        assert!(flat(&text).contains(&flat(&said)), "{what}: {said} in\n{text}");
    }
    let file = sample.inventory.assets().find(|asset| {
        let on_token = asset.sightings().any(|at| at.circumstances.token.is_some());
        matches!(&asset.body, Body::Key(_)) && !on_token
    });
    let file = file.unwrap_or_else(|| panic!("a key in a file")).id.sha256.short();
    assert!(text.contains(&format!("\n  {file}  ")), "{file} in\n{text}");
}

#[test]
fn what_tokens_did_not_show_of_their_keys_is_told_with_them() {
    let mut sample = sample::sample();
    sample.inventory.add_gap(Gap {
        place: Place::file("/opt/other/module.so"),
        collector: "pkcs11".to_owned(),
        reason: GapReason::ModuleFailed,
        detail: "it ended by signal 11".to_owned(),
        first_seen: Time(0),
        last_seen: Time(0),
    });
    let text = keys(&View::of(&sample.inventory));
    let start = text.find("Not all seen of what is private: 2").unwrap_or_else(|| panic!("{text}"));
    let last = &text[start..];
    for said in [
        "dev tests\n      not seen: it refused the login\n",
        "      not seen: login-refused: CKR_PIN_INCORRECT; it is not tried again",
        "module.so\n      not seen: module-failed: it ended by signal 11\n",
    ] {
        assert!(last.contains(said), "{said} in\n{last}");
    }
    assert!(!last.contains("CA signing"), "it showed everything: {last}");
    // Nor where there is no key to tell of.
    let mut inventory = pki_inventory::Inventory::default();
    let mut token = of(&sample, hard()).clone();
    let Body::Token(body) = &mut token.body else { panic!("a token") };
    body.login = Login::NotConfigured;
    inventory.add(token);
    let text = keys(&View::of(&inventory));
    let said = "not seen: it asks for a login and no PIN is configured";
    assert!(text.contains("None was seen") && text.contains(said), "{text}");
}

#[test]
fn a_spare_slot_is_odd_only_where_it_is_spare() {
    let mut sample = sample::sample();
    let odd = "There is always a slot whose token is not initialised.";
    let soft = AssetId::at(Kind::Token, &token::soft());
    let shown = |sample: &Sample| {
        let why = why_asset(&sample.document(), soft).unwrap_or_default();
        [tokens(&View::of(&sample.inventory)), why, render("html", sample)]
    };
    for text in shown(&sample) {
        assert!(!flat(&text).contains(odd), "{text}");
    }
    with(&mut sample, |token| {
        token.model = Some("SoftHSM v2".to_owned());
        token.flags.initialized = false;
        token.flags.user_pin_initialized = false;
    });
    let why = why_asset(&sample.document(), hard()).unwrap_or_default();
    for text in [tokens(&View::of(&sample.inventory)), why, render("html", &sample)] {
        assert!(flat(&text).contains(odd), "{text}");
        assert!(text.contains("not initialised"), "{text}");
        assert!(!text.contains("PIN of the user: never set"), "nobody has one: {text}");
    }
}

#[test]
fn tokens_that_are_not_initialised_have_a_gauge_and_no_pins() {
    let mut sample = sample::sample();
    with(&mut sample, |token| token.flags.initialized = false);
    let metrics = render("prometheus", &sample);
    let (hard, soft) = (token::hard().to_string(), token::soft().to_string());
    for line in [
        format!("pkimm_token_uninitialized{{place=\"{hard}\"}} 1"),
        format!("pkimm_token_uninitialized{{place=\"{soft}\"}} 0"),
        format!("pkimm_token_pin{{place=\"{soft}\",pin=\"user\",state=\"count low\"}} 1"),
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} in\n{metrics}");
    }
    assert!(!metrics.contains(&format!("pkimm_token_pin{{place=\"{hard}\"")), "{metrics}");
    let terminal = flat(&render("terminal", &sample));
    assert!(terminal.contains("on them 4 · not initialised 1 · "), "{terminal}");
}

#[test]
fn where_keys_are_kept_has_three_words() {
    let mut sample = sample::sample();
    let shown = |sample: &Sample| {
        let view = View::of(&sample.inventory);
        let facts = inventory_jsonl(of(sample, hard()), &view)["facts"]["kept_in"].clone();
        (facts, render("html", sample), render("prometheus", sample), tokens(&view))
    };
    let steps: [(Change, &str, &str); 3] = [
        (|_| (), "hardware", "hardware, as its slot states"),
        (software, "software", "software: its slot states no device"),
        (|token| token.mechanisms = None, "not known", "not known: its slot states no device"),
    ];
    for (change, word, words) in steps {
        with(&mut sample, change);
        let (facts, html, metrics, tokens) = shown(&sample);
        assert_eq!(facts, word);
        assert!(section(&html, "devices").contains(words), "{words}");
        assert!(metrics.contains(&format!("firmware_version=\"7.8\",kept_in=\"{word}\"}} 1")));
        let columns = format!("4417-0093         {word:<9}  done");
        assert!(tokens.contains(&columns), "{columns} in\n{tokens}");
    }
}

#[test]
fn a_token_without_logins_hides_nothing_behind_one() {
    let mut sample = sample::sample();
    with(&mut sample, |token| {
        token.flags.login_required = false;
        token.login = Login::NotRequired;
    });
    let text = keys(&View::of(&sample.inventory));
    assert!(flat(&text).contains("open the token asks for no login"), "{text}");
    let id =
        AssetId::at(Kind::SecretKey, &token::object(&token::hard(), 2, ObjectClass::SecretKey));
    let why = flat(&why_asset(&sample.document(), id).unwrap_or_default());
    assert!(why.contains("; the token asks for no login; "), "{why}");
    let html = render("html", &sample);
    let devices = section(&html, "devices");
    assert!(devices.contains("<div class=\"strong\">the token asks for no login</div>"));
    assert!(!devices.contains("shown after a login only"), "{devices}");
}

#[test]
fn zeros_that_all_tokens_of_a_kind_share_are_no_serial_number() {
    let mut sample = sample::sample();
    with(&mut sample, |token| {
        token.model = Some("NSS 3".to_owned());
        token.serial = Some("0000000000000000".to_owned());
    });
    let said = "all tokens of the kind have the same serial number";
    let html = render("html", &sample);
    let devices = section(&html, "devices");
    assert!(devices.contains(&format!("<div class=\"small\">{said}</div>")), "{devices}");
    assert!(!devices.contains("0000000000000000</div>"), "{devices}");
    let why = flat(&why_asset(&sample.document(), hard()).unwrap_or_default());
    assert!(why.contains(&format!("serial {said} ")), "{why}");
    let text = tokens(&View::of(&sample.inventory));
    assert!(flat(&text).contains("NSS 3 not its own hardware"), "{text}");
    with(&mut sample, |token| token.model = Some("EX-7".to_owned()));
    let text = tokens(&View::of(&sample.inventory));
    assert!(text.contains("0000000000000000  hardware"), "of others they stay: {text}");
}

#[test]
fn the_page_shows_certifications_beside_the_serial_and_mechanisms_below() {
    let html = render("html", &sample::sample());
    let devices = section(&html, "devices");
    let at = |text: &str| devices.find(text).unwrap_or_else(|| panic!("{text} in {devices}"));
    assert!(at("4417-0093") < at("FIPS 140 3.0"));
    assert!(at("FIPS 140 3.0") < at("hardware, as its slot states"), "in the same cell");
    let head = devices.split("</thead>").next().unwrap_or_default();
    assert_eq!(head.matches("<th scope=\"col\">").count(), 5);
    let below = &devices[at("<tr class=\"below\"><td colspan=\"5\">")..];
    let below = &below[..below.find("</table>").unwrap_or(below.len())];
    assert!(below.contains("<summary>Mechanisms</summary>") && below.contains("CKM_ECDSA"));
    assert!(devices.contains("mechanisms not told"), "of the other one");
}

#[test]
fn rules_that_bear_on_a_requirement_come_first() {
    let sample = sample::sample();
    let document = sample.document();
    let bears = |rule: &str| document.map.requirements_of(rule).next().is_some();
    let terminal = render("terminal", &sample);
    let html = render("html", &sample);
    let rules: Vec<&str> = document.rules.iter().map(|rule| rule.id).collect();
    let (mut bearing, mut others) = (0, 0);
    for heading in ["\nMust not happen, and does\n", "\nOther conditions found\n"] {
        let group = terminal.split(heading).nth(1).unwrap_or_else(|| panic!("{heading}"));
        let group = group.split("\n\n").next().unwrap_or_default();
        let lines = group.lines().filter_map(|line| line.strip_prefix("  "));
        let order: Vec<bool> = lines
            .filter_map(|line| rules.iter().find(|rule| line.starts_with(&format!("{rule}: "))))
            .map(|rule| bears(rule))
            .collect();
        assert!(order.is_sorted_by(|one, next| one >= next), "{heading}: {order:?}\n{group}");
    }
    for group in section(&html, "first").split("<div class=\"group").skip(1) {
        let items = group.split("<a href=\"#rule-").skip(1);
        let order: Vec<bool> = items.filter_map(|item| item.split('"').next()).map(bears).collect();
        assert!(order.is_sorted_by(|one, next| one >= next), "{order:?}\n{group}");
        bearing += order.iter().filter(|bears| **bears).count();
        others += order.iter().filter(|bears| !**bears).count();
    }
    assert!(bearing > 0 && others > 0, "the sample has both: {bearing}, {others}");
}

#[test]
fn the_beginning_of_a_sentence_stays() {
    let terminal = flat(&render("terminal", &sample::sample()));
    let said = "template WebServer2: the requester names the subject (ENROLLEE_SUPPLIES_SUBJECT), ";
    let rest = terminal.split(said).nth(1).unwrap_or_else(|| panic!("{said} in\n{terminal}"));
    let rest = rest.split("ldap://").next().unwrap_or_default();
    assert!(rest.trim_end().ends_with('…'), "cut at its end: {rest}");
}

/// Every attribute that there is, told.
fn whole() -> TokenObject {
    let (yes, text) = (Some(true), || Some("01".to_owned()));
    TokenObject {
        class: ObjectClass::PrivateKey,
        id: text(),
        unique_id: text(),
        key_type: text(),
        token: yes,
        private: yes,
        modifiable: yes,
        copyable: yes,
        destroyable: yes,
        local: yes,
        key_gen_mechanism: text(),
        sensitive: yes,
        always_sensitive: yes,
        extractable: yes,
        never_extractable: yes,
        wrap_with_trusted: yes,
        trusted: yes,
        always_authenticate: yes,
        usages: [(Usage::Sign, true)].into(),
        allowed_mechanisms: Some(vec!["CKM_RSA_PKCS".to_owned()]),
        public_exponent: text(),
        start: Some(Time(0)),
        end: Some(Time(0)),
        templates: vec!["wrap".to_owned()],
        untold: [("CKA_COPYABLE".to_owned(), "invalid".to_owned())].into(),
    }
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// What is kept of a token or an object reaches the export and is known to the schema, field by
/// field.
#[test]
fn nothing_that_is_kept_is_left_out_of_the_facts() {
    let mut sample = sample::sample();
    with(&mut sample, |token| {
        token.public_memory = Some((1, 2));
        token.slot.manufacturer = Some("Example Hardware".to_owned());
        token.mechanisms = Some(vec![Mechanism {
            number: 1,
            name: Some("CKM_RSA_PKCS".to_owned()),
            smallest: Some(1024),
            largest: Some(4096),
            hardware: Some(true),
            uses: vec!["sign".to_owned()],
        }]);
    });
    let place = token::object(&token::hard(), 7, ObjectClass::PrivateKey);
    let id = AssetId::at(Kind::Key, &place);
    let told = Circumstances { token: Some(Box::new(whole())), ..Circumstances::default() };
    add(&mut sample, id, Body::Key(Key { spki: None, algorithm: None }), &place, told);
    let schema = include_str!("../schema/assessment-1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let view = View::of(&sample.inventory);

    let kept = serde_json::to_value(whole()).unwrap_or_default();
    let shown = &inventory_jsonl(of(&sample, id), &view)["facts"]["sightings"][0]["token"];
    assert_eq!(names(&kept).len(), 25);
    assert_eq!(names(&kept), names(shown));
    assert_eq!(names(shown), names(&schema["$defs"]["token_object"]["properties"]));

    let kept = serde_json::to_value(hard_token(&sample)).unwrap_or_default();
    let shown = &inventory_jsonl(of(&sample, hard()), &view)["facts"];
    let known = &schema["$defs"]["token_facts"]["properties"];
    let missing = |kept: &Value, others: &Value| -> Vec<String> {
        names(kept).difference(&names(others)).cloned().collect()
    };
    assert_eq!(missing(&kept, shown), [""; 0]);
    assert_eq!(missing(&kept, known), [""; 0]);
    for part in ["module", "slot", "flags", "user_pin"] {
        assert_eq!(missing(&kept[part], &shown[part]), [""; 0], "{part}");
    }
    for part in ["mechanisms", "validations"] {
        assert_eq!(missing(&kept[part][0], &shown[part][0]), [""; 0], "{part}");
        let known = &known[part]["items"]["properties"];
        assert_eq!(missing(&kept[part][0], known), [""; 0], "{part}");
    }
}
