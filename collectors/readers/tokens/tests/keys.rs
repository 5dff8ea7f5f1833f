//! Public halves of keys, from the attributes that modules tell, compared with what certificates carry.

mod support;

use pki_encodings::tlv;
use pki_inventory::{Digest, Raw};
use pki_tokens::wire::{ObjectAnswer, Value};
use rcgen::{KeyPair, PublicKeyData as _};
use support::*;

/// The digest of the `SubjectPublicKeyInfo` that a public key object comes to.
fn spki(answer: ObjectAnswer) -> Option<Digest> {
    key_of(&only(answer)).1.spki
}

fn generated(algorithm: &'static rcgen::SignatureAlgorithm) -> (Vec<u8>, Digest) {
    let pair = KeyPair::generate_for(algorithm).expect("a key");
    (pair.public_key_raw().to_vec(), Digest::of(&pair.subject_public_key_info()))
}

#[test]
fn points_come_in_three_forms() {
    let (p256, expected) = generated(&rcgen::PKCS_ECDSA_P256_SHA256);
    let key = |parameters: &[u8], point: Vec<u8>| {
        key(PUBLIC, 3, vec![(EC_PARAMS, octets(parameters)), (EC_POINT, octets(&point))])
    };
    let bits = tlv::element(tlv::BIT_STRING, &[&[0], &p256]);
    for form in [wrapped(&p256), p256.clone(), bits] {
        assert_eq!(spki(key(P_256, form)), Some(expected));
    }
    for name in ["secp256r1", "P-256", "prime256v1"] {
        let parameters = tlv::element(0x13, &[name.as_bytes()]);
        assert_eq!(spki(key(&parameters, wrapped(&p256))), Some(expected), "{name}");
    }
    // A bare point whose first coordinate begins with the length of the rest reads as an element too.
    let mut trap = vec![4u8; 65];
    trap[1] = 63;
    let expected = Digest::of(&pki_encodings::public_key::elliptic(P_256, &trap));
    assert_eq!(spki(key(P_256, trap)), Some(expected));
}

#[test]
fn what_is_no_point_of_the_curve_is_no_key() {
    let (p256, _) = generated(&rcgen::PKCS_ECDSA_P256_SHA256);
    let named = |parameters: &[u8], point: &[u8]| {
        let attributes = vec![(EC_PARAMS, octets(parameters)), (EC_POINT, octets(point))];
        only(key(PUBLIC, 3, attributes))
    };
    for (parameters, point, algorithm) in [
        (P_384, wrapped(&p256), "P-384"),
        (P_256, wrapped(&p256[..64]), "P-256"),
        (P_256, vec![0], "P-256"),
        // implicitlyCA: nobody tells which curve it is.
        (&[5, 0], wrapped(&p256), "EC"),
        (&[0x13, 3, b'f', b'o', b'o'], wrapped(&p256), "EC"),
        (&[0x30], wrapped(&p256), "EC"),
    ] {
        let found = named(parameters, &point);
        assert_eq!(key_of(&found).1.spki, None, "{algorithm}");
        assert_eq!(algorithm_of(&found).as_deref(), Some(algorithm));
        assert_eq!(key_of(&found).0, Digest::of(found.place.to_string().as_bytes()));
    }
    // Spelled-out parameters stand in the key as they are.
    let spelled = tlv::element(tlv::SEQUENCE, &[&tlv::unsigned(&[1])]);
    let found = named(&spelled, &wrapped(&p256));
    let expected = Digest::of(&pki_encodings::public_key::elliptic(&spelled, &p256));
    assert_eq!(key_of(&found).1.spki, Some(expected));
    assert_eq!(algorithm_of(&found).as_deref(), Some("explicit"));
}

#[test]
fn keys_of_rfc_8032_and_rfc_7748_are_those_of_rfc_8410() {
    let (ed25519, expected) = generated(&rcgen::PKCS_ED25519);
    for (parameters, point) in [
        (tlv::element(0x13, &[b"edwards25519"]), wrapped(&ed25519)),
        (tlv::element(0x0c, &[b"Ed25519"]), ed25519.clone()),
        (vec![6, 3, 0x2b, 0x65, 0x70], ed25519.clone()),
        (vec![6, 9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1], wrapped(&ed25519)),
    ] {
        let attributes = vec![(EC_PARAMS, octets(&parameters)), (EC_POINT, octets(&point))];
        let found = only(key(PUBLIC, 0x40, attributes));
        assert_eq!(key_of(&found).1.spki, Some(expected));
        assert_eq!(algorithm_of(&found).as_deref(), Some("Ed25519"));
    }
    // The key of RFC 8410, 10.1 has these 12 octets in front; those of X448 follow the same form.
    for (name, length, head) in [
        ("curve25519", 32, "302a300506032b656e032100"),
        ("curve448", 56, "3042300506032b656f033900"),
        ("edwards448", 57, "3043300506032b6571033a00"),
    ] {
        let public = vec![7; length];
        let expected = [hex(head), public.clone()].concat();
        let parameters = tlv::element(0x13, &[name.as_bytes()]);
        let attributes =
            vec![(EC_PARAMS, octets(&parameters)), (EC_POINT, octets(&wrapped(&public)))];
        assert_eq!(spki(key(PUBLIC, 0x41, attributes)), Some(Digest::of(&expected)), "{name}");
    }
}

#[test]
fn keys_without_a_curve_have_their_parameter_set_in_the_algorithm() {
    // Heads as the RFCs have them: two lengths, the identifier, the length of the bits.
    for (key_type, set, length, head, name) in [
        (0x4a, 2, 1952, "308207b2300b0609608648016503040312038207a100", "ML-DSA-65"),
        (0x4a, 3, 2592, "30820a32300b0609608648016503040313038 20a2100", "ML-DSA-87"),
        (0x49, 2, 1184, "308204b2300b0609608648016503040402038204a100", "ML-KEM-768"),
        (0x4b, 1, 32, "3030300b0609608648016503040314032100", "SLH-DSA-SHA2-128s"),
        (0x4b, 4, 32, "3030300b060960864801650304031b032100", "SLH-DSA-SHAKE-128f"),
        (0x4b, 12, 64, "3050300b060960864801650304031f034100", "SLH-DSA-SHAKE-256f"),
    ] {
        let public = vec![9; length];
        let expected = Digest::of(&[hex(&head.replace(' ', "")), public.clone()].concat());
        let attributes = vec![(PARAMETER_SET, ulong(set)), (VALUE, octets(&public))];
        let found = only(key(PUBLIC, key_type, attributes.clone()));
        assert_eq!(key_of(&found).1.spki, Some(expected), "{name}");
        assert_eq!(algorithm_of(&found).as_deref(), Some(name));
        // The value of a private key would be the key itself, and is not looked at.
        let found = only(key(PRIVATE, key_type, attributes));
        assert_eq!((key_of(&found).1.spki, algorithm_of(&found).as_deref()), (None, Some(name)));
    }
    let short = vec![(PARAMETER_SET, ulong(2)), (VALUE, octets(&[9; 32]))];
    assert_eq!(spki(key(PUBLIC, 0x4a, short)), None);
    let unknown = only(key(PUBLIC, 0x4a, vec![(PARAMETER_SET, ulong(77))]));
    assert_eq!(algorithm_of(&unknown).as_deref(), Some("ML-DSA"));
}

#[test]
fn the_encoding_that_a_module_keeps_counts_where_it_is_one_of_that_key() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let info = pair.subject_public_key_info();
    let told = |key_type: u64, parameters: &[u8], info: &[u8]| {
        let attributes = vec![(EC_PARAMS, octets(parameters)), (PUBLIC_KEY_INFO, octets(info))];
        key_of(&only(key(PRIVATE, key_type, attributes))).1.spki
    };
    let expected = Some(Digest::of(&info));
    assert_eq!(told(3, P_256, &info), expected);
    assert_eq!(told(0x8000_0042, &[], &info), expected, "who knows what a vendor's type is");
    assert_eq!(told(3, P_384, &info), None, "of another curve");
    assert_eq!(told(0, &[], &info), None, "of another kind");
    assert_eq!(told(3, P_256, &info[..20]), None);
}

#[test]
fn sizes_are_known_where_the_key_is_not() {
    let modulus = [&[0, 0xff][..], &[7; 255]].concat();
    for (class, key_type, attributes, algorithm) in [
        (PRIVATE, 0, vec![(MODULUS, octets(&modulus))], Some("RSA-2048")),
        (PUBLIC, 0, vec![(MODULUS_BITS, ulong(3072))], Some("RSA-3072")),
        (PRIVATE, 0, vec![(MODULUS, Value::Sensitive)], Some("RSA")),
        (PUBLIC, 1, vec![(0x130, octets(&[0xff; 128]))], Some("DSA-1024")),
        (PUBLIC, 2, vec![(0x130, octets(&[0x0f; 256]))], Some("DH-2044")),
        (PRIVATE, 0x40, vec![], Some("EdDSA")),
        (PRIVATE, 0x46, vec![], Some("HSS-LMS")),
        (PRIVATE, 0x8000_0042, vec![], Some("0x80000042")),
        (PRIVATE, 0x30, vec![], Some("CKK_GOSTR3410")),
    ] {
        let found = only(key(class, key_type, attributes));
        assert_eq!(algorithm_of(&found).as_deref(), algorithm);
        assert_eq!(key_of(&found).1.spki, None);
    }
    assert_eq!(algorithm_of(&only(object(PRIVATE, Vec::new()))), None);
}

#[test]
fn dsa_has_its_domain_in_the_algorithm() {
    let numbers = [(0x130, 0xff, 128), (0x131, 0x81, 20), (0x132, 3, 128), (VALUE, 5, 128)];
    let [p, q, g, y] =
        numbers.map(|(_, first, length)| [&[first][..], &vec![1; length - 1]].concat());
    let attributes = numbers.iter().zip([&p, &q, &g, &y]);
    let attributes = attributes.map(|((attribute, ..), value)| (*attribute, octets(value)));
    let found = only(key(PUBLIC, 1, attributes.collect()));
    let domain =
        tlv::element(tlv::SEQUENCE, &[&tlv::unsigned(&p), &tlv::unsigned(&q), &tlv::unsigned(&g)]);
    let oid = hex("06072a8648ce380401");
    let algorithm = tlv::element(tlv::SEQUENCE, &[&oid, &domain]);
    let expected = pki_encodings::public_key::assemble(&algorithm, &tlv::unsigned(&y));
    assert_eq!(key_of(&found).1.spki, Some(Digest::of(&expected)));
    assert_eq!(algorithm_of(&found).as_deref(), Some("DSA-1024"));
}

#[test]
fn symmetric_keys_have_a_kind_and_a_size() {
    for (key_type, octets, algorithm) in [
        (0x1f, Some(16), "AES-128"),
        (0x1f, Some(0), "AES"),
        (0x1f, None, "AES"),
        (0x1f, Some(u64::from(u32::MAX)), "AES"),
        (0x13, Some(8), "DES-56"),
        (0x14, None, "3DES-112"),
        (0x15, Some(24), "3DES-168"),
        (0x10, Some(20), "generic secret-160"),
        (0x2b, Some(32), "HMAC-SHA-256-256"),
        (0x33, None, "ChaCha20-256"),
        (0x8000_0101, Some(32), "0x80000101-256"),
        (0x40, None, "CKK_EC_EDWARDS"),
    ] {
        let length = octets.map(|octets| (VALUE_LEN, ulong(octets)));
        let found = only(key(SECRET, key_type, length.into_iter().collect()));
        let Raw::SecretKey(key) = &found.raw else { panic!("no secret key") };
        assert_eq!(key.algorithm.label(), algorithm);
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).expect("ASCII"));
    pairs.map(|two| u8::from_str_radix(two, 16).expect("hexadecimal")).collect()
}
