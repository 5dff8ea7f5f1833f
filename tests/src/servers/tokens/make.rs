//! Fills a token with objects, in a process of its own: a PKCS #11 module keeps its settings and who
//! is logged in for the whole process, and tests run side by side in one.
//!
//! Reads a JSON text from standard input: `module`, `token` (its label), `pin`, `objects` (see
//! `Object` of the lab) and `remove` (labels). Ends with an error when anything is refused.
#![allow(clippy::unwrap_used, reason = "what goes wrong in the lab fails the test that uses it")]
#![allow(clippy::print_stdout, reason = "the figures of the floor are its result")]

use std::io::Read;
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, CertificateType, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::{AuthPin, Date, Ulong};
use serde_json::Value;

/// Tags of DER that name curves (RFC 5480, 2.1.1.1) and of the name of a curve of Edwards keys
/// (PKCS #11 v3.1, 6.3.3).
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const EDWARDS25519: &[u8] = b"\x13\x0cedwards25519";

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let plan: Value = serde_json::from_str(&text).unwrap();
    let pkcs11 = Pkcs11::new(plan["module"].as_str().unwrap()).unwrap();
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = slot(&pkcs11, plan["token"].as_str().unwrap());
    let pin = AuthPin::new(plan["pin"].as_str().unwrap().into());
    if plan["read"] == true {
        floor(&pkcs11, slot, &pin);
        return;
    }
    let session = pkcs11.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&pin)).unwrap();
    for object in plan["objects"].as_array().into_iter().flatten() {
        for _ in 0..object["times"].as_u64().unwrap_or(1) {
            make(&session, object);
        }
    }
    for label in plan["remove"].as_array().into_iter().flatten() {
        let label = label.as_str().unwrap().as_bytes().to_vec();
        let found = session.find_objects(&[Attribute::Label(label)]).unwrap();
        assert!(!found.is_empty(), "nothing is there to remove");
        found.into_iter().for_each(|object| session.destroy_object(object).unwrap());
    }
}

fn slot(pkcs11: &Pkcs11, label: &str) -> Slot {
    let slots = pkcs11.get_slots_with_token().unwrap();
    let is_it = |slot: &Slot| {
        pkcs11.get_token_info(*slot).is_ok_and(|info| info.label().trim_end() == label)
    };
    slots.into_iter().find(is_it).unwrap_or_else(|| panic!("no token {label}"))
}

fn make(session: &Session, object: &Value) {
    let what = object.to_string();
    let template = |name: &str| -> Vec<Attribute> {
        let written = object[name].as_object().into_iter().flatten();
        let mut attributes: Vec<Attribute> =
            written.map(|(name, value)| attribute(name, value)).collect();
        attributes.push(Attribute::Token(true));
        attributes
    };
    let kind = object["kind"].as_str().unwrap_or_default();
    let (mechanism, size) = match kind {
        "rsa" => (Mechanism::RsaPkcsKeyPairGen, None),
        "p256" => (Mechanism::EccKeyPairGen, Some(Attribute::EcParams(P256.to_vec()))),
        "ed25519" => {
            (Mechanism::EccEdwardsKeyPairGen, Some(Attribute::EcParams(EDWARDS25519.to_vec())))
        }
        "des3" => (Mechanism::Des3KeyGen, None),
        _ => (Mechanism::AesKeyGen, None),
    };
    match object["make"].as_str().unwrap() {
        "pair" => {
            let mut public = template("public");
            public.extend(size);
            if let Some(bits) = object["bits"].as_u64() {
                public.push(Attribute::ModulusBits(Ulong::new(bits)));
                public.push(Attribute::PublicExponent(vec![1, 0, 1]));
            }
            let made = session.generate_key_pair(&mechanism, &public, &template("template"));
            made.map(|_| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        "secret" => {
            let made = session.generate_key(&mechanism, &template("template"));
            made.map(|_| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        "create" => {
            let made = session.create_object(&template("template"));
            made.map(|_| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        "unwrap" => {
            // A key that lives as long as the session; whoever wrapped the other one has it, too.
            let with = octets(&object["with"]);
            let with = session.create_object(&[
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::Value(with),
                Attribute::Unwrap(true),
                Attribute::Token(false),
            ]);
            let (with, wrapped) = (with.unwrap(), octets(&object["wrapped"]));
            let template = template("template");
            let made = session.unwrap_key(&Mechanism::AesKeyWrapPad, with, &wrapped, &template);
            made.map(|_| ()).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        other => panic!("{other} is nothing that is made here"),
    }
}

fn attribute(name: &str, value: &Value) -> Attribute {
    let is = || value.as_bool().unwrap();
    let text = || value.as_str().unwrap();
    match name {
        "class" => Attribute::Class(match text() {
            "certificate" => ObjectClass::CERTIFICATE,
            "data" => ObjectClass::DATA,
            "private" => ObjectClass::PRIVATE_KEY,
            "public" => ObjectClass::PUBLIC_KEY,
            other => panic!("{other} is no class of these tests"),
        }),
        "key_type" => Attribute::KeyType(match text() {
            "rsa" => KeyType::RSA,
            "ec" => KeyType::EC,
            other => panic!("{other} is no type of these tests"),
        }),
        "certificate_type" => Attribute::CertificateType(CertificateType::X_509),
        "label" => Attribute::Label(text().as_bytes().to_vec()),
        "id" => Attribute::Id(octets(value)),
        "value" => Attribute::Value(octets(value)),
        "subject" => Attribute::Subject(octets(value)),
        "ec_params" => Attribute::EcParams(octets(value)),
        "modulus" => Attribute::Modulus(octets(value)),
        "public_exponent" => Attribute::PublicExponent(octets(value)),
        "private_exponent" => Attribute::PrivateExponent(octets(value)),
        "prime_1" => Attribute::Prime1(octets(value)),
        "prime_2" => Attribute::Prime2(octets(value)),
        "exponent_1" => Attribute::Exponent1(octets(value)),
        "exponent_2" => Attribute::Exponent2(octets(value)),
        "coefficient" => Attribute::Coefficient(octets(value)),
        "value_len" => Attribute::ValueLen(Ulong::new(value.as_u64().unwrap())),
        "private" => Attribute::Private(is()),
        "modifiable" => Attribute::Modifiable(is()),
        "sensitive" => Attribute::Sensitive(is()),
        "extractable" => Attribute::Extractable(is()),
        "wrap_with_trusted" => Attribute::WrapWithTrusted(is()),
        "always_authenticate" => Attribute::AlwaysAuthenticate(is()),
        "sign" => Attribute::Sign(is()),
        "verify" => Attribute::Verify(is()),
        "encrypt" => Attribute::Encrypt(is()),
        "decrypt" => Attribute::Decrypt(is()),
        "wrap" => Attribute::Wrap(is()),
        "unwrap" => Attribute::Unwrap(is()),
        "derive" => Attribute::Derive(is()),
        "sign_recover" => Attribute::SignRecover(is()),
        "verify_recover" => Attribute::VerifyRecover(is()),
        "start_date" => Attribute::StartDate(date(text())),
        "end_date" => Attribute::EndDate(date(text())),
        "allowed_mechanisms" => {
            let mechanism = |name: &Value| match name.as_str().unwrap() {
                "CKM_RSA_PKCS" => MechanismType::RSA_PKCS,
                "CKM_SHA1_RSA_PKCS" => MechanismType::SHA1_RSA_PKCS,
                "CKM_SHA256_RSA_PKCS" => MechanismType::SHA256_RSA_PKCS,
                other => panic!("{other} is no mechanism of these tests"),
            };
            Attribute::AllowedMechanisms(value.as_array().unwrap().iter().map(mechanism).collect())
        }
        other => panic!("{other} is no attribute of these tests"),
    }
}

fn octets(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn date(text: &str) -> Date {
    Date::new_from_str_slice(&text[..4], &text[5..7], &text[8..]).unwrap()
}

/// What whoever wants these attributes has to do at least: the classes one after the other, all of
/// their objects, one question for the attributes of each, and nothing done with the answers. Prints
/// objects and seconds.
fn floor(pkcs11: &Pkcs11, slot: Slot, pin: &AuthPin) {
    let begin = Instant::now();
    let session = pkcs11.open_ro_session(slot).unwrap();
    session.login(UserType::User, Some(pin)).unwrap();
    let mut count = 0;
    for (class, wanted) in [
        (ObjectClass::CERTIFICATE, &CERTIFICATE[..]),
        (ObjectClass::PUBLIC_KEY, PUBLIC),
        (ObjectClass::PRIVATE_KEY, PRIVATE),
        (ObjectClass::SECRET_KEY, SECRET),
    ] {
        let handles = session.find_objects(&[Attribute::Class(class)]).unwrap();
        for handle in handles {
            let told = session.get_attributes(handle, wanted).unwrap();
            assert!(!told.is_empty());
            count += 1;
        }
    }
    println!("{count} {}", begin.elapsed().as_secs_f64());
}

const CERTIFICATE: [AttributeType; 8] = [
    AttributeType::Token,
    AttributeType::Private,
    AttributeType::Modifiable,
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::CertificateType,
    AttributeType::Trusted,
    AttributeType::Value,
];
const PUBLIC: &[AttributeType] = &[
    AttributeType::Token,
    AttributeType::Private,
    AttributeType::Modifiable,
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::Local,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::Encrypt,
    AttributeType::Verify,
    AttributeType::Wrap,
];
const PRIVATE: &[AttributeType] = &[
    AttributeType::Token,
    AttributeType::Private,
    AttributeType::Modifiable,
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::Local,
    AttributeType::StartDate,
    AttributeType::EndDate,
    AttributeType::KeyGenMechanism,
    AttributeType::Sensitive,
    AttributeType::AlwaysSensitive,
    AttributeType::Extractable,
    AttributeType::NeverExtractable,
    AttributeType::WrapWithTrusted,
    AttributeType::AlwaysAuthenticate,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
    AttributeType::EcParams,
    AttributeType::Decrypt,
    AttributeType::Sign,
    AttributeType::SignRecover,
    AttributeType::Unwrap,
    AttributeType::Derive,
];
const SECRET: &[AttributeType] = &[
    AttributeType::Token,
    AttributeType::Private,
    AttributeType::Modifiable,
    AttributeType::Label,
    AttributeType::Id,
    AttributeType::KeyType,
    AttributeType::Local,
    AttributeType::KeyGenMechanism,
    AttributeType::ValueLen,
    AttributeType::Sensitive,
    AttributeType::AlwaysSensitive,
    AttributeType::Extractable,
    AttributeType::NeverExtractable,
    AttributeType::WrapWithTrusted,
    AttributeType::Trusted,
    AttributeType::Encrypt,
    AttributeType::Decrypt,
    AttributeType::Sign,
    AttributeType::Verify,
    AttributeType::Wrap,
    AttributeType::Unwrap,
    AttributeType::Derive,
];
