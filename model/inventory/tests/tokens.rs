//! Tokens and what lies on them: places, records, joins, quirks.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

use pki_inventory::{
    AssetId, Body, Digest, Encryption, Gap, GapReason, Half, Inventory, KeptIn, Key, KeyAlgorithm,
    KeyForm, Kind, Login, Mechanism, Module, ObjectClass, Observation, Oddity, PinState, Place,
    Raw, SecretKey, Sighting, Slot, Time, Token, TokenFlags, TokenObject, Usage, View, quirks,
};

fn token(label: &str) -> Token {
    Token {
        label: Some(label.to_owned()),
        manufacturer: Some("SoftHSM project".to_owned()),
        model: Some("SoftHSM v2".to_owned()),
        serial: Some("1f2e".to_owned()),
        hardware_version: Some("2.6".to_owned()),
        firmware_version: Some("2.6".to_owned()),
        module: Module {
            path: "/usr/lib/softhsm/libsofthsm2.so".to_owned(),
            manufacturer: Some("SoftHSM".to_owned()),
            description: Some("Implementation of PKCS11".to_owned()),
            version: Some("2.6".to_owned()),
            interface: Some("2.40".to_owned()),
        },
        slot: Slot {
            id: 7,
            description: None,
            manufacturer: None,
            hardware: false,
            removable: false,
        },
        flags: TokenFlags { login_required: true, initialized: true, ..TokenFlags::default() },
        user_pin: PinState::default(),
        so_pin: PinState::default(),
        pin_lengths: Some((4, 255)),
        sessions: None,
        public_memory: None,
        private_memory: None,
        clock: None,
        mechanisms: None,
        login: Login::Done,
        objects: vec![("private".to_owned(), 1)],
        validations: Vec::new(),
    }
}

fn place(label: &str) -> Place {
    Place::token([
        ("token", label.as_bytes()),
        ("manufacturer", b"SoftHSM project"),
        ("model", b"SoftHSM v2"),
        ("serial", b"1f2e"),
    ])
}

fn key_at(place: Place, object: TokenObject, time: i64) -> Observation {
    let spki = Digest::of(b"a public key");
    let key = Key { spki: Some(spki), algorithm: Some(KeyAlgorithm::rsa(2048)) };
    let mut seen = Sighting::at(place, "pkcs11", Time(time));
    let half = if object.is_secret() { Half::Private } else { Half::Public };
    let form = KeyForm { half, encoding: "PKCS#11".to_owned(), encryption: Encryption::Token };
    seen.circumstances.key = Some(form);
    seen.circumstances.token = Some(Box::new(object));
    Observation::found(Raw::Key { id: spki, key }, seen)
}

fn private(extractable: bool) -> TokenObject {
    TokenObject { extractable: Some(extractable), ..TokenObject::of(ObjectClass::PrivateKey) }
}

#[test]
fn a_token_and_what_lies_on_it_have_places_that_read_back() {
    let token = place("CA keys; old");
    assert_eq!(
        token.to_string(),
        "pkcs11:token=CA%20keys%3B%20old;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;\
         serial=1f2e"
    );
    let object = token.on_token([("id", &[1, 0xff][..]), ("object", b""), ("type", b"private")]);
    assert_eq!(object.to_string(), format!("{token};id=%01%FF;type=private"));
    assert_eq!(object.token_part(), token.token_part());
    assert_ne!(object, token);
    let nameless = Place::token([("slot-id", b"3".as_slice())]);
    for place in [token, object, nameless, Place::token([("token", &b""[..])])] {
        assert_eq!(place.to_string().parse::<Place>(), Ok(place));
    }
    // An object of which nothing but its class is known, on a token of which nothing is known.
    let bare: Place = "pkcs11:type=private".parse().unwrap();
    assert_eq!(bare.token_part(), Some(""));
    assert_eq!(Place::file("/a").token_part(), None);
    assert_eq!(Place::file("/a").on_token([("id", &[1][..])]), Place::file("/a"));
}

#[test]
fn the_same_key_on_two_tokens_is_one_key_with_what_each_says_of_it() {
    let mut inventory = Inventory::default();
    for (label, extractable) in [("A", false), ("B", true)] {
        let token_place = place(label);
        let seen = Sighting::at(token_place.clone(), "pkcs11", Time(1));
        inventory.absorb(Observation::found(Raw::Token(Box::new(token(label))), seen)).unwrap();
        let object = token_place.on_token([("id", &[1][..]), ("type", b"private")]);
        inventory.absorb(key_at(object, private(extractable), 1)).unwrap();
        let public = token_place.on_token([("id", &[1][..]), ("type", b"public")]);
        inventory.absorb(key_at(public, TokenObject::of(ObjectClass::PublicKey), 1)).unwrap();
    }
    let view = View::of(&inventory);
    assert_eq!(view.tokens().count(), 2);
    let keys: Vec<_> = view.token_keys().collect();
    assert_eq!(keys.len(), 1, "public halves are no keys to keep");
    let told: Vec<_> = keys[0].objects.iter().map(|held| held.object.extractable).collect();
    assert_eq!(told, [Some(false), Some(true)]);
    assert!(view.holds_private(Digest::of(b"a public key")));
    let on_a = view.objects_on(&place("A"));
    assert_eq!(on_a.len(), 2);
    let (asset, found) = view.token_at(&on_a[0].sighting.place).unwrap();
    assert_eq!(
        (asset.id, found.label.as_deref()),
        (AssetId::at(Kind::Token, &place("A")), Some("A"))
    );
    assert!(view.token_at(&place("C")).is_none() && view.objects_on(&place("C")).is_empty());
}

#[test]
fn what_a_token_said_last_counts() {
    let symmetric = |name: &str, time| {
        let algorithm = KeyAlgorithm { bits: Some(256), ..KeyAlgorithm::named(name) };
        let at = place("A").on_token([("id", &[2][..]), ("type", b"secret-key")]);
        let mut seen = Sighting::at(at, "pkcs11", Time(time));
        let object = TokenObject {
            usages: [(Usage::Wrap, true), (Usage::Decrypt, false)].into(),
            ..TokenObject::of(ObjectClass::SecretKey)
        };
        seen.circumstances.token = Some(Box::new(object));
        Observation::found(Raw::SecretKey(SecretKey { algorithm }), seen)
    };
    for order in [[1, 2], [2, 1]] {
        let mut inventory = Inventory::default();
        for time in order {
            let mut body = token("A");
            body.user_pin.locked = time == 2;
            let seen = Sighting::at(place("A"), "pkcs11", Time(time));
            inventory.absorb(Observation::found(Raw::Token(Box::new(body)), seen)).unwrap();
            inventory.absorb(symmetric(if time == 2 { "AES" } else { "DES" }, time)).unwrap();
        }
        let locked: Vec<_> =
            View::of(&inventory).tokens().map(|(_, it)| it.user_pin.locked).collect();
        assert_eq!(locked, [true], "{order:?}");
        let keys: Vec<_> = inventory.assets().filter(|it| it.id.kind == Kind::SecretKey).collect();
        let Body::SecretKey(key) = &keys[0].body else { panic!("a symmetric key") };
        assert_eq!((keys.len(), key.algorithm.label()), (1, "AES-256".to_owned()));
        let object = keys[0].sightings().next().unwrap().circumstances.token.clone().unwrap();
        assert_eq!(
            [Usage::Wrap, Usage::Decrypt, Usage::Sign].map(|usage| object.may(usage)),
            [Some(true), Some(false), None]
        );
    }
}

#[test]
fn a_login_is_no_asset_and_no_gap() {
    let mut inventory = Inventory::default();
    let login = Digest::of(b"x");
    assert_eq!(inventory.absorb(Observation::LoginTried(login)), None);
    assert_eq!(inventory.absorb(Observation::LoginCleared(login)), None);
    assert_eq!(inventory, Inventory::default());
}

#[test]
fn records_read_back_as_they_were_written() {
    let mut one = token("A");
    one.clock = Some(Time(5));
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<Token>(&text).unwrap(), one);
    let object = TokenObject {
        untold: [("CKA_LOCAL".to_owned(), "invalid".to_owned())].into(),
        id: Some(String::new()),
        end: Some(Time(9)),
        ..private(true)
    };
    let text = serde_json::to_string(&object).unwrap();
    assert_eq!(serde_json::from_str::<TokenObject>(&text).unwrap(), object);
    assert_eq!(
        serde_json::to_string(&TokenObject::of(ObjectClass::SecretKey)).unwrap(),
        r#"{"class":"secret-key"}"#
    );
}

#[test]
fn oddities_are_known_by_product_and_version() {
    let oddities = |token: &Token| quirks(token).map(|quirk| quirk.oddity).collect::<Vec<_>>();
    assert_eq!(oddities(&token("A")), [Oddity::SpareSlot]);
    let by = |manufacturer: &str, version: Option<&str>| {
        let mut token = token("A");
        token.manufacturer = None;
        token.model = None;
        token.module.manufacturer = Some(manufacturer.to_owned());
        token.module.version = version.map(str::to_owned);
        oddities(&token)
    };
    let cloud_kms = [Oddity::NeverExtractableFalse, Oddity::LocalFalse, Oddity::HardwareNotClaimed];
    assert_eq!(by("Cryptoki Library for Cloud KMS", Some("1.2")), cloud_kms);
    assert_eq!(by("Google", Some("1.2")), [], "a maker of other modules too");
    assert_eq!(by("SoftHSM", Some("2.0")), [Oddity::AlwaysTrue]);
    assert_eq!(by("SoftHSM", Some("2.1")), []);
    assert_eq!(by("OpenSC Project", Some("0.21")), [Oddity::FlagsUnreliable]);
    assert_eq!(by("OpenSC Project", Some("0.22")), []);
    assert_eq!(by("OpenSC Project", Some("1.0")), []);
    assert_eq!(by("OpenSC Project", None), [], "an unknown version is no old one");
    assert_eq!(by("Thales", Some("10.2")), []);
    let of_model = |model: &str| Token { model: Some(model.to_owned()), ..token("A") };
    let of_model = |model: &str| oddities(&Token { manufacturer: None, ..of_model(model) });
    assert_eq!(of_model("Cloud KMS Token"), cloud_kms);
    assert_eq!(of_model("NSS 3"), [Oddity::LocalFalse, Oddity::SerialNotUnique]);
    let mut trust = token("System Trust");
    trust.manufacturer = Some("PKCS#11 Kit".to_owned());
    trust.model = Some("p11-kit-trust".to_owned());
    assert_eq!(oddities(&trust), [Oddity::SerialNotUnique]);
    for quirk in quirks(&trust) {
        assert!(!quirk.product.is_empty() && !quirk.source.is_empty());
    }
}

#[test]
fn a_slot_that_claims_no_device_is_software_only_where_the_mechanisms_say_so() {
    let with = |hardware: &[Option<bool>]| {
        let one = |hardware: &Option<bool>| Mechanism {
            number: 1,
            name: None,
            smallest: None,
            largest: None,
            hardware: *hardware,
            uses: Vec::new(),
        };
        Token { mechanisms: Some(hardware.iter().map(one).collect()), ..token("A") }
    };
    for software in [&[Some(false), Some(false)], &[Some(false), None]] {
        assert_eq!(with(software).kept_in(), KeptIn::Software);
    }
    for unclear in [&[][..], &[None], &[Some(false), Some(true)]] {
        assert_eq!(with(unclear).kept_in(), KeptIn::Unknown, "{unclear:?}");
    }
    assert_eq!(token("A").kept_in(), KeptIn::Unknown, "it does not tell its mechanisms");
    let kms = Token { model: Some("Cloud KMS Token".to_owned()), ..with(&[Some(false)]) };
    assert_eq!(kms.kept_in(), KeptIn::Unknown, "such a device is known not to claim to be one");
    let mut device = with(&[Some(false)]);
    device.slot.hardware = true;
    assert_eq!(device.kept_in(), KeptIn::Hardware);
}

#[test]
fn gaps_of_tokens_are_those_of_their_collector() {
    let mut inventory = Inventory::default();
    for collector in ["filesystem", "pkcs11"] {
        inventory.add_gap(Gap {
            place: place("A"),
            collector: collector.to_owned(),
            reason: GapReason::TimedOut,
            detail: "not read".to_owned(),
            first_seen: Time(1),
            last_seen: Time(1),
        });
    }
    let view = View::of(&inventory);
    assert_eq!(view.token_gaps().iter().map(|gap| &*gap.collector).collect::<Vec<_>>(), ["pkcs11"]);
}
