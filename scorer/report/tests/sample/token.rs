//! Two tokens in the shared assessment: one in hardware that was read as a whole, one in software
//! that refused the login, with the keys on them.

use std::collections::BTreeMap;

use pki_inventory::{
    AssetId, Body, Certificate, Circumstances, Digest, Encryption, Gap, GapReason, Half, Key,
    KeyAlgorithm, KeyForm, Kind, Login, Mechanism, Module, ObjectClass, PinState, Place, SecretKey,
    Slot, Token, TokenFlags, TokenObject, Usage, Validation,
};

use super::{HOSTILE, NOW, World, leaf};

/// The module that showed the one in hardware.
pub const MODULE: &str = "/opt/example/lib/libexample-pkcs11.so";

pub(super) fn add(world: &mut World) {
    see(world, hardware());
    see(world, software());
    on_hardware(world);
    on_software(world);
    world.inventory.add_gap(Gap {
        place: soft(),
        collector: "pkcs11".to_owned(),
        reason: GapReason::LoginRefused,
        detail: "CKR_PIN_INCORRECT; it is not tried again until the settings are others".to_owned(),
        first_seen: NOW.plus_days(-14),
        last_seen: NOW,
    });
}

/// The place of the one in hardware.
pub fn hard() -> Place {
    place("CA signing", "Example Hardware", "EX-7", "4417-0093")
}

/// The place of the one in software.
pub fn soft() -> Place {
    place("dev tests", "SoftHSM project", "SoftHSM v2", "2d7f3a1c9be04e55")
}

fn place(label: &str, manufacturer: &str, model: &str, serial: &str) -> Place {
    Place::token([
        ("token", label.as_bytes()),
        ("manufacturer", manufacturer.as_bytes()),
        ("model", model.as_bytes()),
        ("serial", serial.as_bytes()),
    ])
}

/// An object on a token, by its id and class.
pub fn object(token: &Place, id: u8, class: ObjectClass) -> Place {
    token.on_token([("id", &[id][..]), ("type", class.name().as_bytes())])
}

fn see(world: &mut World, (place, token): (Place, Token)) {
    let id = AssetId::at(Kind::Token, &place);
    let body = Body::Token(Box::new(token));
    world.add(id, body, &place.to_string(), "pkcs11", Circumstances::default());
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn mechanism(number: u64, name: Option<&str>, sizes: (u64, u64), uses: &[&str]) -> Mechanism {
    Mechanism {
        number,
        name: name.map(str::to_owned),
        smallest: Some(sizes.0),
        largest: Some(sizes.1),
        hardware: Some(true),
        uses: uses.iter().map(|&text| text.to_owned()).collect(),
    }
}

fn hardware() -> (Place, Token) {
    let token = Token {
        label: some("CA signing"),
        manufacturer: some("Example Hardware"),
        model: some("EX-7"),
        serial: some("4417-0093"),
        hardware_version: some("2.1"),
        firmware_version: some("7.8"),
        module: Module {
            path: MODULE.to_owned(),
            manufacturer: some("Example Hardware"),
            description: some("EX cryptographic library"),
            version: some("5.3"),
            interface: some("3.2"),
        },
        slot: Slot {
            id: 0,
            description: some("Net slot 1"),
            manufacturer: some("Example Hardware"),
            hardware: true,
            removable: false,
        },
        flags: TokenFlags {
            random: true,
            login_required: true,
            user_pin_initialized: true,
            initialized: true,
            ..TokenFlags::default()
        },
        user_pin: PinState::default(),
        so_pin: PinState { to_be_changed: true, ..PinState::default() },
        pin_lengths: Some((8, 255)),
        sessions: Some(3),
        public_memory: None,
        private_memory: Some((1_040_384, 2_097_152)),
        clock: Some(NOW.plus_days(-1)),
        mechanisms: Some(vec![
            mechanism(0, Some("CKM_RSA_PKCS_KEY_PAIR_GEN"), (2048, 8192), &["generate-key-pair"]),
            mechanism(0x1041, Some("CKM_ECDSA"), (256, 521), &["sign", "verify"]),
            Mechanism { hardware: None, ..mechanism(0x8000_0042, None, (0, 0), &["derive"]) },
        ]),
        login: Login::Done,
        objects: [
            ("certificate", 1),
            ("data", 2),
            ("private", 1),
            ("public", 1),
            ("secret-key", 1),
        ]
        .map(|(class, count)| (class.to_owned(), count))
        .into(),
        validations: vec![Validation {
            of: Some("hardware".to_owned()),
            scheme: "FIPS 140".to_owned(),
            version: some("3.0"),
            level: Some(3),
            module: some("EX-7 Cryptographic Module"),
            country: some("US"),
            certificate: some("4962"),
            address: some("https://certificates.example/4962"),
        }],
    };
    (hard(), token)
}

fn software() -> (Place, Token) {
    let token = Token {
        label: some("dev tests"),
        manufacturer: some("SoftHSM project"),
        model: some("SoftHSM v2"),
        serial: some("2d7f3a1c9be04e55"),
        hardware_version: some("2.6"),
        firmware_version: some("2.6"),
        module: Module {
            path: "/usr/lib/softhsm/libsofthsm2.so".to_owned(),
            manufacturer: some("SoftHSM"),
            description: some("Implementation of PKCS11"),
            version: some("2.6"),
            interface: some("2.40"),
        },
        slot: Slot {
            id: 1_741_243_733,
            description: some("SoftHSM slot ID 0x67c91555"),
            manufacturer: some("SoftHSM project"),
            hardware: false,
            removable: false,
        },
        flags: TokenFlags {
            random: true,
            login_required: true,
            user_pin_initialized: true,
            initialized: true,
            ..TokenFlags::default()
        },
        user_pin: PinState { count_low: true, ..PinState::default() },
        so_pin: PinState::default(),
        pin_lengths: Some((4, 255)),
        sessions: None,
        public_memory: None,
        private_memory: None,
        clock: None,
        mechanisms: None,
        login: Login::Refused,
        objects: vec![("private".to_owned(), 1), ("secret-key".to_owned(), 1)],
        validations: Vec::new(),
    };
    (soft(), token)
}

fn usages(may: &[(Usage, bool)]) -> BTreeMap<Usage, bool> {
    may.iter().copied().collect()
}

/// A key as a token that keeps it well tells of it.
fn kept(class: ObjectClass, id: &str) -> TokenObject {
    TokenObject {
        id: some(id),
        token: Some(true),
        private: Some(true),
        modifiable: Some(false),
        local: Some(true),
        sensitive: Some(true),
        always_sensitive: Some(true),
        extractable: Some(false),
        never_extractable: Some(true),
        ..TokenObject::of(class)
    }
}

fn told(label: &str, half: Option<Half>, object: TokenObject) -> Circumstances {
    let encryption = match half {
        Some(Half::Private) => Encryption::Token,
        _ => Encryption::None,
    };
    Circumstances {
        label: some(label),
        key: half.map(|half| KeyForm { half, encoding: "PKCS#11".to_owned(), encryption }),
        token: Some(Box::new(object)),
        ..Circumstances::default()
    }
}

impl World {
    fn held(&mut self, on: &Place, key: (Digest, &KeyAlgorithm), circumstances: Circumstances) {
        let (id, body) = (
            AssetId::new(Kind::Key, key.0),
            Key { spki: Some(key.0), algorithm: Some(key.1.clone()) },
        );
        self.add(id, Body::Key(body), &on.to_string(), "pkcs11", circumstances);
    }

    fn secret(&mut self, on: &Place, algorithm: KeyAlgorithm, circumstances: Circumstances) {
        let id = AssetId::at(Kind::SecretKey, on);
        let body = Body::SecretKey(SecretKey { algorithm });
        self.add(id, body, &on.to_string(), "pkcs11", circumstances);
    }
}

fn on_hardware(world: &mut World) {
    let issuing: Certificate = {
        let mut found = world.inventory.assets().filter_map(|asset| asset.certificate());
        let found = found.find(|one| one.display_name() == "Example Issuing CA 1");
        found.unwrap_or_else(|| panic!("the authority")).clone()
    };
    let (hard, key) = (hard(), (issuing.spki, issuing.key.clone()));
    let private = TokenObject {
        key_type: some("CKK_RSA"),
        key_gen_mechanism: some("CKM_RSA_PKCS_KEY_PAIR_GEN"),
        usages: usages(&[(Usage::Sign, true), (Usage::Decrypt, false), (Usage::Unwrap, false)]),
        public_exponent: some("010001"),
        always_authenticate: Some(true),
        start: Some(NOW.plus_days(-900)),
        untold: [("CKA_ALLOWED_MECHANISMS".to_owned(), "invalid".to_owned())].into(),
        ..kept(ObjectClass::PrivateKey, "01")
    };
    let place = object(&hard, 1, ObjectClass::PrivateKey);
    world.held(&place, (key.0, &key.1), told("issuing-2024", Some(Half::Private), private));
    let public = TokenObject {
        id: some("01"),
        private: Some(false),
        ..TokenObject::of(ObjectClass::PublicKey)
    };
    let place = object(&hard, 1, ObjectClass::PublicKey);
    world.held(&place, (key.0, &key.1), told("issuing-2024", Some(Half::Public), public));
    let shown = TokenObject { id: some("01"), ..TokenObject::of(ObjectClass::Certificate) };
    let place = object(&hard, 1, ObjectClass::Certificate);
    let id = AssetId::new(Kind::Certificate, issuing.digest());
    let circumstances = told("issuing-2024", None, shown);
    let body = Body::Certificate(Box::new(issuing));
    world.add(id, body, &place.to_string(), "pkcs11", circumstances);

    let wrapping = TokenObject {
        key_type: some("CKK_AES"),
        trusted: Some(true),
        usages: usages(&[(Usage::Wrap, true), (Usage::Unwrap, true), (Usage::Decrypt, false)]),
        allowed_mechanisms: Some(vec!["CKM_AES_KEY_WRAP_KWP".to_owned()]),
        templates: vec!["wrap".to_owned()],
        ..kept(ObjectClass::SecretKey, "02")
    };
    let aes = KeyAlgorithm { name: "AES".to_owned(), bits: Some(256), curve: None };
    let place = object(&hard, 2, ObjectClass::SecretKey);
    world.secret(&place, aes, told("backup wrapping", None, wrapping));
}

fn on_software(world: &mut World) {
    let (soft, www) = (soft(), leaf("www.example.org"));
    let imported = TokenObject {
        key_type: some("CKK_EC"),
        private: Some(false),
        modifiable: Some(true),
        local: Some(false),
        always_sensitive: Some(false),
        extractable: Some(true),
        never_extractable: Some(false),
        usages: usages(&[(Usage::Sign, true), (Usage::Derive, true)]),
        ..kept(ObjectClass::PrivateKey, "0a")
    };
    let key = KeyAlgorithm::elliptic(Some("1.2.840.10045.3.1.7"));
    let place = object(&soft, 10, ObjectClass::PrivateKey);
    world.held(&place, (www.spki, &key), told("www copy", Some(Half::Private), imported));

    let open = TokenObject {
        id: some(""),
        key_type: some("0x80000042"),
        private: Some(false),
        local: None,
        sensitive: Some(false),
        always_sensitive: None,
        extractable: None,
        never_extractable: None,
        untold: [("CKA_EXTRACTABLE", "unreadable: 3 octets"), ("CKA_LOCAL", HOSTILE)]
            .map(|(name, why)| (name.to_owned(), why.to_owned()))
            .into(),
        ..kept(ObjectClass::SecretKey, "")
    };
    let generic = KeyAlgorithm { name: "generic secret".to_owned(), bits: Some(160), curve: None };
    let place = object(&soft, 11, ObjectClass::SecretKey);
    world.secret(&place, generic, told(HOSTILE, None, open));
}
