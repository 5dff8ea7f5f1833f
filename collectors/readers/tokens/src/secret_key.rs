//! What kind of symmetric key it is.

use pki_inventory::{KeyAlgorithm, SecretKey};

use crate::answers::Answers;
use crate::attributes::{CKA_KEY_TYPE, CKA_VALUE_LEN};
use crate::names;

/// The kind of key; its size where the token tells it or the kind has only one.
pub(crate) fn secret_key(answers: &Answers<'_>) -> SecretKey {
    let Some(key_type) = answers.number(CKA_KEY_TYPE) else {
        return SecretKey { algorithm: KeyAlgorithm::named("unknown") };
    };
    let told = || {
        let octets = answers.number(CKA_VALUE_LEN).filter(|octets| *octets > 0)?;
        u32::try_from(octets).ok()?.checked_mul(8)
    };
    let kind = KINDS.iter().find(|(known, ..)| *known == key_type);
    let (name, bits) = match kind {
        Some((_, name, Some(bits))) => ((*name).to_owned(), Some(*bits)),
        Some((_, name, None)) => ((*name).to_owned(), told()),
        None => (names::key_type(key_type), told()),
    };
    SecretKey { algorithm: KeyAlgorithm { bits, ..KeyAlgorithm::named(name) } }
}

/// By type (PKCS #11 v3.2, `CKK_…`), with the size in bits where there is only one. Bits of parity do
/// not count: DES has 56 (FIPS 46-3), its double and triple 112 and 168.
const KINDS: [(u64, &str, Option<u32>); 38] = [
    (0x10, "generic secret", None),
    (0x11, "RC2", None),
    (0x12, "RC4", None),
    (0x13, "DES", Some(56)),
    (0x14, "3DES", Some(112)),
    (0x15, "3DES", Some(168)),
    (0x16, "CAST", None),
    (0x17, "CAST3", None),
    (0x18, "CAST-128", None),
    (0x19, "RC5", None),
    (0x1a, "IDEA", Some(128)),
    (0x1b, "Skipjack", Some(80)),
    (0x1e, "CDMF", Some(40)),
    (0x1f, "AES", None),
    (0x20, "Blowfish", None),
    (0x21, "Twofish", None),
    (0x25, "Camellia", None),
    (0x26, "ARIA", None),
    (0x27, "HMAC-MD5", None),
    (0x28, "HMAC-SHA-1", None),
    (0x29, "HMAC-RIPEMD-128", None),
    (0x2a, "HMAC-RIPEMD-160", None),
    (0x2b, "HMAC-SHA-256", None),
    (0x2c, "HMAC-SHA-384", None),
    (0x2d, "HMAC-SHA-512", None),
    (0x2e, "HMAC-SHA-224", None),
    (0x2f, "SEED", Some(128)),
    (0x32, "GOST 28147-89", Some(256)),
    (0x33, "ChaCha20", Some(256)),
    (0x34, "Poly1305", Some(256)),
    (0x35, "AES-XTS", None),
    (0x36, "HMAC-SHA3-224", None),
    (0x37, "HMAC-SHA3-256", None),
    (0x38, "HMAC-SHA3-384", None),
    (0x39, "HMAC-SHA3-512", None),
    (0x42, "HKDF", None),
    (0x43, "HMAC-SHA-512/224", None),
    (0x44, "HMAC-SHA-512/256", None),
];
