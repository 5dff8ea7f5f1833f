//! Which attributes are asked for, class by class. No other is: what is not in these lists is never
//! requested of a module, above all no value of a private or secret key.

/// The classes that are searched, in this order (PKCS #11 v3.2, 4.2). A search without a class would
/// list each mechanism of some modules as an object, and find no private key in others.
pub const CLASSES: &[u64] =
    &[CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_DATA, CKO_VALIDATION];

/// The attributes to ask for of an object of this class; only for its count where there are none.
#[must_use]
pub fn wanted(class: u64) -> &'static [u64] {
    match class {
        CKO_CERTIFICATE => CERTIFICATE,
        CKO_PUBLIC_KEY => PUBLIC_KEY,
        CKO_PRIVATE_KEY => PRIVATE_KEY,
        CKO_SECRET_KEY => SECRET_KEY,
        CKO_VALIDATION => VALIDATION,
        // Of data only the number is of interest: what is in it is nobody's business here.
        _ => &[],
    }
}

/// The name in the standard of an attribute that is asked for.
#[must_use]
pub fn name(attribute: u64) -> Option<&'static str> {
    let at = NAMES.iter().find(|(known, _)| *known == attribute);
    at.map(|(_, name)| *name)
}

/// Whether this attribute may be taken as absent without a question, once objects of the same kind had
/// none: it belongs to some kinds of keys or to younger modules only, and nobody judges an object by it.
#[must_use]
pub fn may_be_skipped(attribute: u64) -> bool {
    matches!(
        attribute,
        CKA_UNIQUE_ID
            | CKA_URL
            | CKA_COPYABLE
            | CKA_DESTROYABLE
            | CKA_MODULUS
            | CKA_MODULUS_BITS
            | CKA_PUBLIC_EXPONENT
            | CKA_PUBLIC_KEY_INFO
            | CKA_PRIME
            | CKA_SUBPRIME
            | CKA_BASE
            | CKA_VALUE_LEN
            | CKA_EC_PARAMS
            | CKA_EC_POINT
            | CKA_PARAMETER_SET
            | CKA_WRAP_TEMPLATE
            | CKA_UNWRAP_TEMPLATE
            | CKA_DERIVE_TEMPLATE
    )
}

/// What a class of [`CLASSES`] is called where objects are counted.
#[must_use]
pub fn class_name(class: u64) -> Option<&'static str> {
    match class {
        CKO_CERTIFICATE => Some("certificate"),
        CKO_PUBLIC_KEY => Some("public"),
        CKO_PRIVATE_KEY => Some("private"),
        CKO_SECRET_KEY => Some("secret-key"),
        CKO_DATA => Some("data"),
        CKO_VALIDATION => Some("validation"),
        _ => None,
    }
}

/// Data of applications.
pub const CKO_DATA: u64 = 0x00;
/// Certificates.
pub const CKO_CERTIFICATE: u64 = 0x01;
/// Public keys.
pub const CKO_PUBLIC_KEY: u64 = 0x02;
/// Private keys.
pub const CKO_PRIVATE_KEY: u64 = 0x03;
/// Secret keys.
pub const CKO_SECRET_KEY: u64 = 0x04;
/// Certifications that a token states (PKCS #11 v3.2).
pub const CKO_VALIDATION: u64 = 0x0a;

pub(crate) const CKA_CLASS: u64 = 0x00;
pub(crate) const CKA_TOKEN: u64 = 0x01;
pub(crate) const CKA_PRIVATE: u64 = 0x02;
pub(crate) const CKA_LABEL: u64 = 0x03;
pub(crate) const CKA_UNIQUE_ID: u64 = 0x04;
pub(crate) const CKA_VALUE: u64 = 0x11;
pub(crate) const CKA_CERTIFICATE_TYPE: u64 = 0x80;
pub(crate) const CKA_TRUSTED: u64 = 0x86;
pub(crate) const CKA_URL: u64 = 0x89;
pub(crate) const CKA_KEY_TYPE: u64 = 0x100;
pub(crate) const CKA_ID: u64 = 0x102;
pub(crate) const CKA_SENSITIVE: u64 = 0x103;
pub(crate) const CKA_ENCRYPT: u64 = 0x104;
pub(crate) const CKA_DECRYPT: u64 = 0x105;
pub(crate) const CKA_WRAP: u64 = 0x106;
pub(crate) const CKA_UNWRAP: u64 = 0x107;
pub(crate) const CKA_SIGN: u64 = 0x108;
pub(crate) const CKA_SIGN_RECOVER: u64 = 0x109;
pub(crate) const CKA_VERIFY: u64 = 0x10a;
pub(crate) const CKA_VERIFY_RECOVER: u64 = 0x10b;
pub(crate) const CKA_DERIVE: u64 = 0x10c;
pub(crate) const CKA_START_DATE: u64 = 0x110;
pub(crate) const CKA_END_DATE: u64 = 0x111;
pub(crate) const CKA_MODULUS: u64 = 0x120;
pub(crate) const CKA_MODULUS_BITS: u64 = 0x121;
pub(crate) const CKA_PUBLIC_EXPONENT: u64 = 0x122;
pub(crate) const CKA_PUBLIC_KEY_INFO: u64 = 0x129;
pub(crate) const CKA_PRIME: u64 = 0x130;
pub(crate) const CKA_SUBPRIME: u64 = 0x131;
pub(crate) const CKA_BASE: u64 = 0x132;
pub(crate) const CKA_VALUE_LEN: u64 = 0x161;
pub(crate) const CKA_EXTRACTABLE: u64 = 0x162;
pub(crate) const CKA_LOCAL: u64 = 0x163;
pub(crate) const CKA_NEVER_EXTRACTABLE: u64 = 0x164;
pub(crate) const CKA_ALWAYS_SENSITIVE: u64 = 0x165;
pub(crate) const CKA_KEY_GEN_MECHANISM: u64 = 0x166;
pub(crate) const CKA_MODIFIABLE: u64 = 0x170;
pub(crate) const CKA_COPYABLE: u64 = 0x171;
pub(crate) const CKA_DESTROYABLE: u64 = 0x172;
pub(crate) const CKA_EC_PARAMS: u64 = 0x180;
pub(crate) const CKA_EC_POINT: u64 = 0x181;
pub(crate) const CKA_ALWAYS_AUTHENTICATE: u64 = 0x202;
pub(crate) const CKA_WRAP_WITH_TRUSTED: u64 = 0x210;
pub(crate) const CKA_PARAMETER_SET: u64 = 0x61d;
pub(crate) const CKA_VALIDATION_TYPE: u64 = 0x61f;
pub(crate) const CKA_VALIDATION_VERSION: u64 = 0x620;
pub(crate) const CKA_VALIDATION_LEVEL: u64 = 0x621;
pub(crate) const CKA_VALIDATION_MODULE_ID: u64 = 0x622;
pub(crate) const CKA_VALIDATION_AUTHORITY_TYPE: u64 = 0x624;
pub(crate) const CKA_VALIDATION_COUNTRY: u64 = 0x625;
pub(crate) const CKA_VALIDATION_CERTIFICATE_IDENTIFIER: u64 = 0x626;
pub(crate) const CKA_VALIDATION_CERTIFICATE_URI: u64 = 0x627;
pub(crate) const CKA_ENCAPSULATE: u64 = 0x633;
pub(crate) const CKA_DECAPSULATE: u64 = 0x634;
pub(crate) const CKA_WRAP_TEMPLATE: u64 = 0x40000211;
pub(crate) const CKA_UNWRAP_TEMPLATE: u64 = 0x40000212;
pub(crate) const CKA_DERIVE_TEMPLATE: u64 = 0x40000213;
pub(crate) const CKA_ALLOWED_MECHANISMS: u64 = 0x40000600;

/// PKCS #11 v3.1, 4.4 and 4.6.
const CERTIFICATE: &[u64] = &[
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_MODIFIABLE,
    CKA_LABEL,
    CKA_ID,
    CKA_UNIQUE_ID,
    CKA_CERTIFICATE_TYPE,
    CKA_TRUSTED,
    CKA_VALUE,
    CKA_URL,
    CKA_START_DATE,
    CKA_END_DATE,
];

/// PKCS #11 v3.1, 4.7 and 4.8. The value of a public key is public; it is where the kinds that came after
/// RSA have their public half.
const PUBLIC_KEY: &[u64] = &[
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_MODIFIABLE,
    CKA_COPYABLE,
    CKA_DESTROYABLE,
    CKA_LABEL,
    CKA_ID,
    CKA_UNIQUE_ID,
    CKA_KEY_TYPE,
    CKA_START_DATE,
    CKA_END_DATE,
    CKA_LOCAL,
    CKA_KEY_GEN_MECHANISM,
    CKA_ALLOWED_MECHANISMS,
    CKA_ENCRYPT,
    CKA_VERIFY,
    CKA_VERIFY_RECOVER,
    CKA_WRAP,
    CKA_DERIVE,
    CKA_ENCAPSULATE,
    CKA_TRUSTED,
    CKA_WRAP_TEMPLATE,
    CKA_MODULUS,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_EXPONENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_PARAMETER_SET,
    CKA_PRIME,
    CKA_SUBPRIME,
    CKA_BASE,
    CKA_VALUE,
    CKA_PUBLIC_KEY_INFO,
];

/// PKCS #11 v3.1, 4.7 and 4.9. Only what the public half has as well, besides what is said of the key:
/// some modules keep the point of a curve with the private half too.
const PRIVATE_KEY: &[u64] = &[
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_MODIFIABLE,
    CKA_COPYABLE,
    CKA_DESTROYABLE,
    CKA_LABEL,
    CKA_ID,
    CKA_UNIQUE_ID,
    CKA_KEY_TYPE,
    CKA_START_DATE,
    CKA_END_DATE,
    CKA_LOCAL,
    CKA_KEY_GEN_MECHANISM,
    CKA_ALLOWED_MECHANISMS,
    CKA_SENSITIVE,
    CKA_ALWAYS_SENSITIVE,
    CKA_EXTRACTABLE,
    CKA_NEVER_EXTRACTABLE,
    CKA_WRAP_WITH_TRUSTED,
    CKA_ALWAYS_AUTHENTICATE,
    CKA_DECRYPT,
    CKA_SIGN,
    CKA_SIGN_RECOVER,
    CKA_UNWRAP,
    CKA_DERIVE,
    CKA_DECAPSULATE,
    CKA_UNWRAP_TEMPLATE,
    CKA_DERIVE_TEMPLATE,
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_PARAMETER_SET,
    CKA_PUBLIC_KEY_INFO,
];

/// PKCS #11 v3.1, 4.7 and 4.10. No check value either: it tells two guesses of a weak key apart.
const SECRET_KEY: &[u64] = &[
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_MODIFIABLE,
    CKA_COPYABLE,
    CKA_DESTROYABLE,
    CKA_LABEL,
    CKA_ID,
    CKA_UNIQUE_ID,
    CKA_KEY_TYPE,
    CKA_START_DATE,
    CKA_END_DATE,
    CKA_LOCAL,
    CKA_KEY_GEN_MECHANISM,
    CKA_ALLOWED_MECHANISMS,
    CKA_SENSITIVE,
    CKA_ALWAYS_SENSITIVE,
    CKA_EXTRACTABLE,
    CKA_NEVER_EXTRACTABLE,
    CKA_WRAP_WITH_TRUSTED,
    CKA_TRUSTED,
    CKA_ENCRYPT,
    CKA_DECRYPT,
    CKA_SIGN,
    CKA_VERIFY,
    CKA_WRAP,
    CKA_UNWRAP,
    CKA_DERIVE,
    CKA_WRAP_TEMPLATE,
    CKA_UNWRAP_TEMPLATE,
    CKA_DERIVE_TEMPLATE,
    CKA_VALUE_LEN,
];

/// PKCS #11 v3.2, the object class of validations.
const VALIDATION: &[u64] = &[
    CKA_VALIDATION_TYPE,
    CKA_VALIDATION_VERSION,
    CKA_VALIDATION_LEVEL,
    CKA_VALIDATION_MODULE_ID,
    CKA_VALIDATION_AUTHORITY_TYPE,
    CKA_VALIDATION_COUNTRY,
    CKA_VALIDATION_CERTIFICATE_IDENTIFIER,
    CKA_VALIDATION_CERTIFICATE_URI,
];

const NAMES: &[(u64, &str)] = &[
    (CKA_CLASS, "CKA_CLASS"),
    (CKA_TOKEN, "CKA_TOKEN"),
    (CKA_PRIVATE, "CKA_PRIVATE"),
    (CKA_LABEL, "CKA_LABEL"),
    (CKA_UNIQUE_ID, "CKA_UNIQUE_ID"),
    (CKA_VALUE, "CKA_VALUE"),
    (CKA_CERTIFICATE_TYPE, "CKA_CERTIFICATE_TYPE"),
    (CKA_TRUSTED, "CKA_TRUSTED"),
    (CKA_URL, "CKA_URL"),
    (CKA_KEY_TYPE, "CKA_KEY_TYPE"),
    (CKA_ID, "CKA_ID"),
    (CKA_SENSITIVE, "CKA_SENSITIVE"),
    (CKA_ENCRYPT, "CKA_ENCRYPT"),
    (CKA_DECRYPT, "CKA_DECRYPT"),
    (CKA_WRAP, "CKA_WRAP"),
    (CKA_UNWRAP, "CKA_UNWRAP"),
    (CKA_SIGN, "CKA_SIGN"),
    (CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER"),
    (CKA_VERIFY, "CKA_VERIFY"),
    (CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER"),
    (CKA_DERIVE, "CKA_DERIVE"),
    (CKA_START_DATE, "CKA_START_DATE"),
    (CKA_END_DATE, "CKA_END_DATE"),
    (CKA_MODULUS, "CKA_MODULUS"),
    (CKA_MODULUS_BITS, "CKA_MODULUS_BITS"),
    (CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT"),
    (CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO"),
    (CKA_PRIME, "CKA_PRIME"),
    (CKA_SUBPRIME, "CKA_SUBPRIME"),
    (CKA_BASE, "CKA_BASE"),
    (CKA_VALUE_LEN, "CKA_VALUE_LEN"),
    (CKA_EXTRACTABLE, "CKA_EXTRACTABLE"),
    (CKA_LOCAL, "CKA_LOCAL"),
    (CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE"),
    (CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE"),
    (CKA_KEY_GEN_MECHANISM, "CKA_KEY_GEN_MECHANISM"),
    (CKA_MODIFIABLE, "CKA_MODIFIABLE"),
    (CKA_COPYABLE, "CKA_COPYABLE"),
    (CKA_DESTROYABLE, "CKA_DESTROYABLE"),
    (CKA_EC_PARAMS, "CKA_EC_PARAMS"),
    (CKA_EC_POINT, "CKA_EC_POINT"),
    (CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE"),
    (CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED"),
    (CKA_PARAMETER_SET, "CKA_PARAMETER_SET"),
    (CKA_VALIDATION_TYPE, "CKA_VALIDATION_TYPE"),
    (CKA_VALIDATION_VERSION, "CKA_VALIDATION_VERSION"),
    (CKA_VALIDATION_LEVEL, "CKA_VALIDATION_LEVEL"),
    (CKA_VALIDATION_MODULE_ID, "CKA_VALIDATION_MODULE_ID"),
    (CKA_VALIDATION_AUTHORITY_TYPE, "CKA_VALIDATION_AUTHORITY_TYPE"),
    (CKA_VALIDATION_COUNTRY, "CKA_VALIDATION_COUNTRY"),
    (CKA_VALIDATION_CERTIFICATE_IDENTIFIER, "CKA_VALIDATION_CERTIFICATE_IDENTIFIER"),
    (CKA_VALIDATION_CERTIFICATE_URI, "CKA_VALIDATION_CERTIFICATE_URI"),
    (CKA_ENCAPSULATE, "CKA_ENCAPSULATE"),
    (CKA_DECAPSULATE, "CKA_DECAPSULATE"),
    (CKA_WRAP_TEMPLATE, "CKA_WRAP_TEMPLATE"),
    (CKA_UNWRAP_TEMPLATE, "CKA_UNWRAP_TEMPLATE"),
    (CKA_DERIVE_TEMPLATE, "CKA_DERIVE_TEMPLATE"),
    (CKA_ALLOWED_MECHANISMS, "CKA_ALLOWED_MECHANISMS"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// By number, so that no slip of a name hides here: `CKA_VALUE`, `CKA_CHECK_VALUE`,
    /// `CKA_PRIVATE_EXPONENT` to `CKA_COEFFICIENT`, `CKA_SEED`, and the states of ratchets.
    const NEVER: [u64; 12] =
        [0x11, 0x90, 0x123, 0x124, 0x125, 0x126, 0x127, 0x128, 0x602, 0x604, 0x612, 0x637];

    #[test]
    fn no_value_of_a_secret_is_ever_asked_for() {
        for class in [3, 4] {
            let asked = wanted(class);
            assert!(asked.len() > 30, "class {class} is asked for its attributes");
            assert!(asked.iter().all(|attribute| !NEVER.contains(attribute)), "class {class}");
        }
        // What has no list is not asked for anything.
        for class in [0, 5, 6, 7, 8, 9, 11, 0x8000_0000, u64::MAX] {
            assert!(wanted(class).is_empty(), "class {class}");
        }
        assert!(wanted(2).contains(&0x11) && wanted(1).contains(&0x11), "these are public");
    }

    #[test]
    fn what_objects_are_judged_by_is_never_taken_as_absent() {
        // By number as well: class, token, private, label, trusted, key type, id, sensitive, usages,
        // dates, the origin and the ways out, modifiable, always authenticate, mechanisms.
        let judged = [0, 1, 2, 3, 0x86, 0x100, 0x102, 0x103, 0x110, 0x111, 0x162, 0x163, 0x164];
        let more = [0x165, 0x166, 0x170, 0x202, 0x210, 0x633, 0x634, 0x4000_0600];
        for attribute in judged.into_iter().chain(more).chain(0x104..=0x10c) {
            assert!(!may_be_skipped(attribute), "{attribute:#x}");
        }
        assert!(may_be_skipped(0x121) && may_be_skipped(0x04));
    }

    #[test]
    fn what_is_asked_for_is_asked_once_and_has_a_name() {
        for class in CLASSES {
            let asked = wanted(*class);
            assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len(), "class {class}");
            assert!(asked.iter().all(|attribute| name(*attribute).is_some()), "class {class}");
            assert!(class_name(*class).is_some());
        }
        let known: BTreeSet<u64> =
            CLASSES.iter().flat_map(|class| wanted(*class)).copied().collect();
        assert_eq!(known.len(), NAMES.len(), "no name without a use");
        for (number, expected) in [
            (0x102, Some("CKA_ID")),
            (0x162, Some("CKA_EXTRACTABLE")),
            (0x11e, None),
            (0x123, None),
        ] {
            assert_eq!(name(number), expected);
        }
    }
}
