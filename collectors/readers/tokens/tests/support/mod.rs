//! Answers as a module would give them.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::ffi::c_ulong;

use pki_encodings::tlv;
use pki_inventory::{Digest, Key, Place, Raw};
use pki_tokens::wire::{ObjectAnswer, Octets, Value};
use pki_tokens::{Found, Objects};

pub const CERTIFICATE: u64 = 1;
pub const PUBLIC: u64 = 2;
pub const PRIVATE: u64 = 3;
pub const SECRET: u64 = 4;

pub const LABEL: u64 = 0x03;
pub const VALUE: u64 = 0x11;
pub const CERTIFICATE_TYPE: u64 = 0x80;
pub const URL: u64 = 0x89;
pub const KEY_TYPE: u64 = 0x100;
pub const ID: u64 = 0x102;
pub const MODULUS: u64 = 0x120;
pub const MODULUS_BITS: u64 = 0x121;
pub const EXPONENT: u64 = 0x122;
pub const PUBLIC_KEY_INFO: u64 = 0x129;
pub const VALUE_LEN: u64 = 0x161;
pub const EC_PARAMS: u64 = 0x180;
pub const EC_POINT: u64 = 0x181;
pub const PARAMETER_SET: u64 = 0x61d;

pub const P_256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub const P_384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];

pub fn octets(octets: &[u8]) -> Value {
    Value::Octets(Octets(octets.to_vec()))
}

pub fn ulong(number: u64) -> Value {
    octets(&(number as c_ulong).to_ne_bytes())
}

pub fn object(class: u64, attributes: Vec<(u64, Value)>) -> ObjectAnswer {
    ObjectAnswer { slot: 0, class, attributes }
}

/// A key of this type with these attributes besides.
pub fn key(class: u64, key_type: u64, more: Vec<(u64, Value)>) -> ObjectAnswer {
    let mut attributes = vec![(KEY_TYPE, ulong(key_type))];
    attributes.extend(more);
    object(class, attributes)
}

pub fn token() -> Place {
    Place::token([("token", &b"T"[..]), ("serial", b"1")])
}

/// What these objects come to, in order.
pub fn found(objects: impl IntoIterator<Item = ObjectAnswer>) -> Vec<Found> {
    let mut gathered = Objects::of(token());
    objects.into_iter().for_each(|object| gathered.add(object));
    let mut all = Vec::new();
    gathered.finish(&mut |one| all.push(one));
    all
}

/// What this object comes to.
pub fn only(answer: ObjectAnswer) -> Found {
    let mut all = found([answer]);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The key that this is.
pub fn key_of(found: &Found) -> (Digest, Key) {
    match &found.raw {
        Raw::Key { id, key } => (*id, key.clone()),
        other => panic!("no key: {other:?}"),
    }
}

/// `RSA-2048`, `P-256`.
pub fn algorithm_of(found: &Found) -> Option<String> {
    key_of(found).1.algorithm.map(|algorithm| algorithm.label())
}

pub fn wrapped(point: &[u8]) -> Vec<u8> {
    tlv::element(tlv::OCTET_STRING, &[point])
}
