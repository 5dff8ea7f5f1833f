//! The attributes of an object as the inventory keeps them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pki_encodings::tlv;
use pki_inventory::{ObjectClass, Time, TokenObject, Usage};

use crate::answers::{Answers, Told, is_unavailable, number};
use crate::attributes::*;
use crate::names;
use crate::public_half::CKK_RSA;

/// What the token says of an object of this class.
pub(crate) fn describe(class: ObjectClass, answers: &Answers<'_>) -> TokenObject {
    let mut read = Reading { answers, untold: BTreeMap::new() };
    let mut object = TokenObject::of(class);
    object.id = read.identifier(CKA_ID).map(hexadecimal);
    object.unique_id = read.identifier(CKA_UNIQUE_ID).map(crate::token::readable);
    object.key_type = read.number(CKA_KEY_TYPE).map(names::key_type);
    object.token = read.flag(CKA_TOKEN);
    object.private = read.flag(CKA_PRIVATE);
    object.modifiable = read.flag(CKA_MODIFIABLE);
    object.copyable = read.flag(CKA_COPYABLE);
    object.destroyable = read.flag(CKA_DESTROYABLE);
    object.local = read.flag(CKA_LOCAL);
    // Unavailable is what the standard says of a key that was not generated on the token, and that is
    // told by CKA_LOCAL (PKCS #11 v3.1, 4.7).
    let mechanism = read.number(CKA_KEY_GEN_MECHANISM).filter(|number| !is_unavailable(*number));
    object.key_gen_mechanism = mechanism.map(names::mechanism);
    object.sensitive = read.flag(CKA_SENSITIVE);
    object.always_sensitive = read.flag(CKA_ALWAYS_SENSITIVE);
    object.extractable = read.flag(CKA_EXTRACTABLE);
    object.never_extractable = read.flag(CKA_NEVER_EXTRACTABLE);
    object.wrap_with_trusted = read.flag(CKA_WRAP_WITH_TRUSTED);
    object.trusted = read.flag(CKA_TRUSTED);
    object.always_authenticate = read.flag(CKA_ALWAYS_AUTHENTICATE);
    for (attribute, usage) in USAGES {
        if let Some(allowed) = read.flag(attribute) {
            object.usages.insert(usage, allowed);
        }
    }
    object.allowed_mechanisms = read.mechanisms(CKA_ALLOWED_MECHANISMS);
    object.public_exponent = read.exponent(CKA_PUBLIC_EXPONENT);
    object.start = read.date(CKA_START_DATE);
    // A key may be used up to the end of that day.
    object.end = read.date(CKA_END_DATE).map(|day| Time(day.0.saturating_add(Time::DAY - 1)));
    for (attribute, name) in TEMPLATES {
        if read.template(attribute) {
            object.templates.push(name.to_owned());
        }
    }
    let of_templates = |attribute: u64| TEMPLATES.iter().any(|(one, _)| *one == attribute);
    for attribute in wanted(answers.class).iter().filter(|one| !of_templates(**one)) {
        read.told(*attribute);
    }
    object.untold = read.untold;
    object
}

/// No name of an object is longer, in octets, that is read as one.
const LONGEST_NAME: usize = 1024;

/// No exponent of a real key is longer: RSA with 16384 bits.
const LONGEST_EXPONENT: usize = 2048;

const USAGES: [(u64, Usage); 11] = [
    (CKA_DECAPSULATE, Usage::Decapsulate),
    (CKA_DECRYPT, Usage::Decrypt),
    (CKA_DERIVE, Usage::Derive),
    (CKA_ENCAPSULATE, Usage::Encapsulate),
    (CKA_ENCRYPT, Usage::Encrypt),
    (CKA_SIGN, Usage::Sign),
    (CKA_SIGN_RECOVER, Usage::SignRecover),
    (CKA_UNWRAP, Usage::Unwrap),
    (CKA_VERIFY, Usage::Verify),
    (CKA_VERIFY_RECOVER, Usage::VerifyRecover),
    (CKA_WRAP, Usage::Wrap),
];

const TEMPLATES: [(u64, &str); 3] =
    [(CKA_WRAP_TEMPLATE, "wrap"), (CKA_UNWRAP_TEMPLATE, "unwrap"), (CKA_DERIVE_TEMPLATE, "derive")];

/// What only some keys have, or keys of modules from v3.0 on: that a module calls it invalid says nothing of
/// the key.
const OF_SOME: [u64; 19] = [
    CKA_UNIQUE_ID,
    CKA_URL,
    CKA_MODULUS,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_EXPONENT,
    CKA_PUBLIC_KEY_INFO,
    CKA_PRIME,
    CKA_SUBPRIME,
    CKA_BASE,
    CKA_VALUE,
    CKA_VALUE_LEN,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_PARAMETER_SET,
    CKA_ENCAPSULATE,
    CKA_DECAPSULATE,
    CKA_WRAP_TEMPLATE,
    CKA_UNWRAP_TEMPLATE,
    CKA_DERIVE_TEMPLATE,
];

/// The answers, and what they leave open.
struct Reading<'r, 'a> {
    answers: &'r Answers<'a>,
    untold: BTreeMap<String, String>,
}

impl<'a> Reading<'_, 'a> {
    /// The octets; where there are none, the reason is kept.
    fn told(&mut self, attribute: u64) -> Option<&'a [u8]> {
        if !wanted(self.answers.class).contains(&attribute) {
            return None;
        }
        let reason = match self.answers.told(attribute) {
            Some(Told::Octets(octets)) => return Some(octets),
            Some(Told::Invalid | Told::NotAsked(0)) if self.is_of_others(attribute) => return None,
            Some(other) => other.reason().unwrap_or_default(),
            None => "not answered".to_owned(),
        };
        self.leave(attribute, reason);
        None
    }

    fn is_of_others(&self, attribute: u64) -> bool {
        let rsa = self.answers.number(CKA_KEY_TYPE) == Some(CKK_RSA);
        OF_SOME.contains(&attribute)
            && !(rsa && matches!(attribute, CKA_MODULUS | CKA_PUBLIC_EXPONENT))
            && !(attribute == CKA_VALUE && self.answers.class == CKO_CERTIFICATE)
    }

    fn leave(&mut self, attribute: u64, reason: String) {
        // Every attribute that is asked for has a name.
        let name = name(attribute).unwrap_or_default();
        self.untold.entry(name.to_owned()).or_insert(reason);
    }

    fn unreadable(&mut self, attribute: u64, octets: &[u8]) {
        self.leave(attribute, format!("unreadable: {} octets", octets.len()));
    }

    /// `CK_BBOOL`. As in C, what is not 0 is true.
    fn flag(&mut self, attribute: u64) -> Option<bool> {
        match self.told(attribute)? {
            [value] => Some(*value != 0),
            other => {
                self.unreadable(attribute, other);
                None
            }
        }
    }

    /// `CK_ULONG`.
    fn number(&mut self, attribute: u64) -> Option<u64> {
        let octets = self.told(attribute)?;
        let number = number(octets);
        if number.is_none() {
            self.unreadable(attribute, octets);
        }
        number
    }

    /// Octets that name something.
    fn identifier(&mut self, attribute: u64) -> Option<&'a [u8]> {
        let octets = self.told(attribute)?;
        if octets.len() > LONGEST_NAME {
            self.unreadable(attribute, octets);
            return None;
        }
        Some(octets)
    }

    /// An array of `CK_MECHANISM_TYPE`. An empty one restricts nothing: it is how modules say that
    /// nobody set it.
    fn mechanisms(&mut self, attribute: u64) -> Option<Vec<String>> {
        let octets = self.told(attribute).filter(|octets| !octets.is_empty())?;
        let numbers = octets.chunks(size_of::<std::ffi::c_ulong>()).map(number);
        let names: Option<Vec<String>> =
            numbers.map(|number| number.map(names::mechanism)).collect();
        if names.is_none() {
            self.unreadable(attribute, octets);
        }
        names
    }

    fn exponent(&mut self, attribute: u64) -> Option<String> {
        let octets = self.told(attribute).filter(|octets| !octets.is_empty())?;
        let digits = tlv::significant(octets);
        if digits.len() > LONGEST_EXPONENT {
            self.unreadable(attribute, octets);
            return None;
        }
        let digits = hexadecimal(digits);
        let digits = digits.trim_start_matches('0');
        Some(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() })
    }

    /// `CK_DATE`, `YYYYMMDD` (PKCS #11 v3.1, 3.6). One that was never set is empty, or of zeros in some
    /// modules.
    fn date(&mut self, attribute: u64) -> Option<Time> {
        let octets = self.told(attribute)?;
        if octets.iter().all(|octet| matches!(octet, 0 | b'0' | b' ')) {
            return None;
        }
        let date = date(octets);
        if date.is_none() {
            self.unreadable(attribute, octets);
        }
        date
    }

    /// Whether there is a template. What is in one is not read: it is there, or it is not.
    fn template(&mut self, attribute: u64) -> bool {
        if !wanted(self.answers.class).contains(&attribute) {
            return false;
        }
        match self.answers.told(attribute) {
            Some(Told::TooLong(length)) => length > 0,
            _ => self.told(attribute).is_some_and(|octets| !octets.is_empty()),
        }
    }
}

fn date(octets: &[u8]) -> Option<Time> {
    let digits = std::str::from_utf8(octets).ok()?;
    if digits.len() != 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]).parse().ok()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
