//! Names for the numbers of the standard.

mod key_types;
mod mechanisms;
mod returned;

use key_types::KEY_TYPES;
use mechanisms::MECHANISMS;
use returned::RETURNED;

/// The name in the standard of a mechanism, such as `CKM_RSA_PKCS`; `None` for those of vendors.
#[must_use]
pub fn mechanism_name(number: u64) -> Option<&'static str> {
    named(MECHANISMS, number)
}

/// A mechanism by its name in the standard, or its number in hexadecimal digits.
#[must_use]
pub fn mechanism(number: u64) -> String {
    or_number(MECHANISMS, number)
}

/// A type of keys by its name in the standard, such as `CKK_RSA`, or its number in hexadecimal digits.
#[must_use]
pub fn key_type(number: u64) -> String {
    or_number(KEY_TYPES, number)
}

/// What a function returned, by its name in the standard, such as `CKR_PIN_INCORRECT`, or its number in
/// hexadecimal digits.
#[must_use]
pub fn returned(number: u64) -> String {
    or_number(RETURNED, number)
}

/// What a mechanism can be used for, by its flags (PKCS #11 v3.2, `CK_MECHANISM_INFO`).
#[must_use]
pub fn uses(flags: u64) -> Vec<String> {
    let set = USES.iter().filter(|(flag, _)| flags & flag != 0);
    set.map(|(_, name)| (*name).to_owned()).collect()
}

/// `CKF_HW` of a mechanism: the device itself does it.
pub(crate) const CKF_HW: u64 = 0x0000_0001;

const USES: [(u64, &str); 14] = [
    (0x0000_0100, "encrypt"),
    (0x0000_0200, "decrypt"),
    (0x0000_0400, "digest"),
    (0x0000_0800, "sign"),
    (0x0000_1000, "sign-recover"),
    (0x0000_2000, "verify"),
    (0x0000_4000, "verify-recover"),
    (0x0000_8000, "generate"),
    (0x0001_0000, "generate-key-pair"),
    (0x0002_0000, "wrap"),
    (0x0004_0000, "unwrap"),
    (0x0008_0000, "derive"),
    (0x1000_0000, "encapsulate"),
    (0x2000_0000, "decapsulate"),
];

fn named(table: &[(u64, &'static str)], number: u64) -> Option<&'static str> {
    let at = table.binary_search_by_key(&number, |(known, _)| *known);
    at.ok().map(|at| table[at].1)
}

fn or_number(table: &[(u64, &'static str)], number: u64) -> String {
    named(table, number).map_or_else(|| format!("0x{number:08x}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_no_number_is_there_twice() {
        for table in [MECHANISMS, KEY_TYPES, RETURNED] {
            assert!(table.len() > 60 && table.is_sorted_by_key(|(number, _)| *number));
            assert!(table.windows(2).all(|two| two[0].0 != two[1].0));
        }
    }

    #[test]
    fn numbers_have_their_names_and_those_of_vendors_stay_numbers() {
        for (number, name) in [
            (0x0000, "CKM_RSA_PKCS_KEY_PAIR_GEN"),
            (0x0003, "CKM_RSA_X_509"),
            (0x001d, "CKM_ML_DSA"),
            (0x0122, "CKM_DES_CBC"),
            (0x1040, "CKM_EC_KEY_PAIR_GEN"),
            (0x1057, "CKM_EDDSA"),
            (0x1085, "CKM_AES_CBC_PAD"),
            (0x8000_0104, "0x80000104"),
            (0x4321_0000, "0x43210000"),
            (u64::MAX, "0xffffffffffffffff"),
        ] {
            assert_eq!(mechanism(number), name);
        }
        for (number, name) in [
            (0x00, "CKK_RSA"),
            (0x1f, "CKK_AES"),
            (0x4a, "CKK_ML_DSA"),
            (0x8000_0042, "0x80000042"),
        ] {
            assert_eq!(key_type(number), name);
        }
        assert_eq!(returned(0xa0), "CKR_PIN_INCORRECT");
        assert_eq!(returned(0x8000_0001), "0x80000001");
        assert_eq!(mechanism_name(0x250), Some("CKM_SHA256"));
        assert_eq!(mechanism_name(0x8000_0250), None);
    }

    #[test]
    fn flags_say_what_a_mechanism_is_for() {
        assert_eq!(uses(0x0000_2801), ["sign", "verify"]);
        assert_eq!(uses(0x3000_0000), ["encapsulate", "decapsulate"]);
        assert!(uses(CKF_HW | 0x8000_0000).is_empty());
    }
}
