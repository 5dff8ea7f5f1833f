//! A small token for the tests of rules about tokens, written by hand.

use pki_inventory::{
    AssetId, Body, Certificate, Circumstances, Digest, Encryption, GapReason, Half, Key,
    KeyAlgorithm, KeyForm, Kind, Login, Mechanism, Module, ObjectClass, PinState, SecretKey, Slot,
    Token, TokenFlags, TokenObject, Usage,
};

use crate::Rule;
use crate::fixtures::{World, check, limits};

/// Where the token of the tests is.
pub(crate) const TOKEN: &str = "pkcs11:token=CA;manufacturer=Test;model=Device;serial=01";
/// What a module calls itself that tells some attributes wrong.
pub(crate) const CLOUD_KMS: &str = "Cryptoki Library for Cloud KMS";
/// The same; such a module has version 0.21.
pub(crate) const OPENSC: &str = "OpenSC Project";

/// A token in a device that lacks nothing, and that was read as a whole.
pub(crate) fn token() -> Token {
    let text = |text: &str| Some(text.to_owned());
    Token {
        label: text("CA"),
        manufacturer: text("Test"),
        model: text("Device"),
        serial: text("01"),
        hardware_version: text("2.1"),
        firmware_version: text("5.43"),
        module: Module {
            path: "/usr/lib/module.so".to_owned(),
            manufacturer: text("Test"),
            description: text("Test module"),
            version: text("0.21"),
            interface: text("2.40"),
        },
        slot: Slot {
            id: 0,
            description: None,
            manufacturer: None,
            hardware: true,
            removable: false,
        },
        flags: TokenFlags {
            login_required: true,
            user_pin_initialized: true,
            initialized: true,
            ..TokenFlags::default()
        },
        user_pin: PinState::default(),
        so_pin: PinState::default(),
        pin_lengths: None,
        sessions: None,
        public_memory: None,
        private_memory: None,
        clock: None,
        mechanisms: Some(Vec::new()),
        login: Login::Done,
        objects: Vec::new(),
        validations: Vec::new(),
    }
}

/// The same, seen through a module that calls itself so.
pub(crate) fn by(module: &str) -> Token {
    let mut token = token();
    token.module.description = Some(module.to_owned());
    token
}

/// One that nobody set up, and that asks for a login that was not made.
pub(crate) fn spare() -> Token {
    let flags = TokenFlags { login_required: true, ..TokenFlags::default() };
    Token { flags, login: Login::NotConfigured, ..token() }
}

/// One in software: neither its slot nor its mechanism claims a device.
pub(crate) fn in_software() -> Token {
    let mechanism = Mechanism {
        number: 1,
        name: Some("CKM_RSA_PKCS".to_owned()),
        smallest: None,
        largest: None,
        hardware: Some(false),
        uses: vec!["sign".to_owned()],
    };
    let mut token = Token { mechanisms: Some(vec![mechanism]), ..token() };
    token.slot.hardware = false;
    token
}

/// A private key as it should be.
pub(crate) fn private() -> TokenObject {
    TokenObject {
        id: Some("01".to_owned()),
        key_type: Some("CKK_RSA".to_owned()),
        token: Some(true),
        private: Some(true),
        modifiable: Some(false),
        local: Some(true),
        sensitive: Some(true),
        always_sensitive: Some(true),
        extractable: Some(false),
        never_extractable: Some(true),
        wrap_with_trusted: Some(false),
        usages: [(Usage::Sign, true), (Usage::Decrypt, false), (Usage::Unwrap, false)].into(),
        ..TokenObject::of(ObjectClass::PrivateKey)
    }
}

/// A symmetric key as it should be, for encryption.
pub(crate) fn secret() -> TokenObject {
    TokenObject {
        class: ObjectClass::SecretKey,
        key_type: Some("CKK_AES".to_owned()),
        trusted: Some(false),
        usages: [
            (Usage::Encrypt, true),
            (Usage::Decrypt, true),
            (Usage::Wrap, false),
            (Usage::Unwrap, false),
        ]
        .into(),
        ..private()
    }
}

/// The object with this permission as well, or without it.
pub(crate) fn using(usage: Usage, value: Option<bool>, mut object: TokenObject) -> TokenObject {
    match value {
        Some(value) => object.usages.insert(usage, value),
        None => object.usages.remove(&usage),
    };
    object
}

/// The token with this object on it.
pub(crate) fn holding(object: TokenObject) -> World {
    World::default().token(token()).on_token(object)
}

/// What the rule says of a private key whose attribute is no, yes, or not told.
pub(crate) fn attribute(
    rule: &'static Rule,
    set: fn(&mut TokenObject, Option<bool>),
    [no, yes, untold]: [&'static str; 3],
) {
    for (value, expected) in [(Some(false), no), (Some(true), yes), (None, untold)] {
        let mut object = private();
        set(&mut object, value);
        check(rule, &holding(object), &limits(), expected);
    }
}

/// What the rule says of an object on a token whose module calls itself so; the sentence names the
/// source.
pub(crate) fn quirky(
    rule: &'static Rule,
    module: &str,
    object: TokenObject,
    expected: &'static str,
) {
    let world = World::default().token(by(module)).on_token(object);
    check(rule, &world, &limits(), expected);
    let sentences = world.sentences(rule, &limits());
    assert!(sentences.iter().any(|one| one.contains('#')), "{sentences:?}");
}

impl World {
    /// A token.
    pub(crate) fn token(self, token: Token) -> Self {
        self.token_at(token, TOKEN)
    }

    /// A token at this place.
    pub(crate) fn token_at(mut self, token: Token, place: &str) -> Self {
        let id = AssetId::new(Kind::Token, Digest::of(place.as_bytes()));
        self.add(id, Body::Token(Box::new(token)), place, "pkcs11", Circumstances::default());
        self
    }

    /// A private key of RSA with 2048 bits, or a symmetric one of AES with 256, on the token.
    pub(crate) fn on_token(self, object: TokenObject) -> Self {
        match object.class {
            ObjectClass::SecretKey => self.secret_on("AES", Some(256), object, "s"),
            _ => {
                let place = format!("{TOKEN};object=k;type=private");
                self.key_on(Digest::of(b"k"), object, &place)
            }
        }
    }

    /// A private or public key with this SPKI at this place.
    pub(crate) fn key_on(self, spki: Digest, object: TokenObject, place: &str) -> Self {
        let key = Key { spki: Some(spki), algorithm: Some(KeyAlgorithm::rsa(2048)) };
        self.bare_key_on(key, object, place)
    }

    /// A key of which this is known, at this place.
    pub(crate) fn bare_key_on(mut self, key: Key, object: TokenObject, place: &str) -> Self {
        let half = if object.is_secret() { Half::Private } else { Half::Public };
        let encoding = "PKCS#11".to_owned();
        let form = KeyForm { half, encoding, encryption: Encryption::Token };
        let seen = Circumstances {
            key: Some(form),
            label: Some("ca key".to_owned()),
            token: Some(Box::new(object)),
            ..Circumstances::default()
        };
        let id = AssetId::new(Kind::Key, key.spki.unwrap_or_else(|| Digest::of(place.as_bytes())));
        self.add(id, Body::Key(key), place, "pkcs11", seen);
        self
    }

    /// A symmetric key of this kind and size under this label on the token.
    pub(crate) fn secret_on(
        mut self,
        algorithm: &str,
        bits: Option<u32>,
        object: TokenObject,
        label: &str,
    ) -> Self {
        let place = format!("{TOKEN};object={label};type=secret-key");
        let algorithm = KeyAlgorithm { bits, ..KeyAlgorithm::named(algorithm) };
        let body = Body::SecretKey(SecretKey { algorithm });
        let seen = Circumstances {
            label: Some(label.to_owned()),
            token: Some(Box::new(object)),
            ..Circumstances::default()
        };
        self.add(
            AssetId::new(Kind::SecretKey, Digest::of(place.as_bytes())),
            body,
            &place,
            "pkcs11",
            seen,
        );
        self
    }

    /// A certificate on the token, with this identifier.
    pub(crate) fn certificate_on(self, certificate: Certificate, id: &str) -> Self {
        let object =
            TokenObject { id: Some(id.to_owned()), ..TokenObject::of(ObjectClass::Certificate) };
        let seen = Circumstances { token: Some(Box::new(object)), ..Circumstances::default() };
        let place = format!("{TOKEN};object={};type=cert", certificate.spki);
        self.certificate(certificate, &place, "pkcs11", seen)
    }

    /// Something of a token that could not be read.
    pub(crate) fn token_gap(self, place: &str, reason: GapReason) -> Self {
        self.missed(place, reason, "pkcs11")
    }
}
