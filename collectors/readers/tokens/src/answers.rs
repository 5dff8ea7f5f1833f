//! What a module answered of one object, attribute by attribute.

use pki_inventory::Digest;
use zeroize::Zeroize as _;

use crate::attributes::*;
use crate::names;
use crate::wire::{ObjectAnswer, Value};

/// No value is longer that is kept; whoever asks the module reads no further either.
pub(crate) const LONGEST: usize = 64 * 1024;

/// An object as it is kept until all of them are known: one piece of memory, of which there may be a
/// hundred thousand.
#[derive(Debug)]
pub(crate) struct Packed {
    class: u64,
    /// For each attribute that is asked for, in that order: what there is, a length, the octets.
    octets: Box<[u8]>,
}

/// The answers of one object.
#[derive(Debug)]
pub(crate) struct Answers<'a> {
    pub(crate) class: u64,
    values: Vec<Option<Told<'a>>>,
}

/// The answer about one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<'a> {
    Octets(&'a [u8]),
    Invalid,
    Sensitive,
    Unavailable,
    TooLong(u64),
    Failed(u64),
    NotAsked(u64),
}

impl Packed {
    /// Keeps what was asked for of an object of this class, once each; `room` is how many octets there
    /// is still room for. What was not asked for is wiped: it could be anything.
    pub(crate) fn of(answer: ObjectAnswer, room: &mut usize) -> Self {
        let ObjectAnswer { class, attributes, .. } = answer;
        let asked = wanted(class);
        let mut values: Vec<Option<Value>> = asked.iter().map(|_| None).collect();
        for (attribute, mut value) in attributes {
            match asked.iter().position(|one| *one == attribute) {
                Some(at) if values[at].is_none() => values[at] = Some(value),
                _ => {
                    if let Value::Octets(octets) = &mut value {
                        octets.0.zeroize();
                    }
                }
            }
        }
        let mut octets = Vec::with_capacity(asked.len() * 6);
        for value in values {
            let (kind, number) = match value {
                None => (NOTHING, 0),
                Some(Value::Octets(told)) => {
                    let length = told.0.len();
                    if length <= LONGEST && length <= *room {
                        *room -= length;
                        octets.push(OCTETS);
                        // Shorter than LONGEST.
                        octets.extend(u32::try_from(length).unwrap_or(0).to_le_bytes());
                        octets.extend(told.0);
                        continue;
                    }
                    (TOO_LONG, length as u64)
                }
                Some(Value::Invalid) => (INVALID, 0),
                Some(Value::Sensitive) => (SENSITIVE, 0),
                Some(Value::Unavailable) => (UNAVAILABLE, 0),
                Some(Value::TooLong(length)) => (TOO_LONG, length),
                Some(Value::Failed(returned)) => (FAILED, returned),
                Some(Value::NotAsked(others)) => (NOT_ASKED, others),
            };
            octets.push(kind);
            if matches!(kind, TOO_LONG | FAILED | NOT_ASKED) {
                octets.extend(number.to_le_bytes());
            }
        }
        Self { class, octets: octets.into() }
    }

    /// What tells it from another object of which everything else is the same.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.octets)
    }

    /// What it will be told by tomorrow as well: its unique id, which no object shares and nobody changes
    /// (PKCS #11 v3.1, 4.4), or what it is made of. Its other attributes are set anew at will.
    pub(crate) fn lasting_digest(&self) -> Digest {
        let answers = self.open();
        let parts: &[u64] = match answers.octets(CKA_UNIQUE_ID) {
            Some(_) => &[CKA_UNIQUE_ID],
            None => LASTING,
        };
        let mut octets = self.class.to_le_bytes().to_vec();
        for attribute in parts {
            if let Some(value) = answers.octets(*attribute) {
                octets.extend(attribute.to_le_bytes());
                octets.extend((value.len() as u64).to_le_bytes());
                octets.extend(value);
            }
        }
        Digest::of(&octets)
    }

    /// The answers again.
    pub(crate) fn open(&self) -> Answers<'_> {
        let mut rest: &[u8] = &self.octets;
        let mut take = |count: usize| {
            let (taken, behind) = rest.split_at_checked(count).unwrap_or((&[], &[]));
            rest = behind;
            taken
        };
        let mut values = Vec::new();
        for _ in wanted(self.class) {
            let kind = take(1).first().copied().unwrap_or(NOTHING);
            let mut number = |count: usize| {
                let taken = take(count).iter().rev();
                taken.fold(0u64, |sum, octet| sum << 8 | u64::from(*octet))
            };
            values.push(match kind {
                OCTETS => {
                    let length = usize::try_from(number(4)).unwrap_or(0);
                    Some(Told::Octets(take(length)))
                }
                INVALID => Some(Told::Invalid),
                SENSITIVE => Some(Told::Sensitive),
                UNAVAILABLE => Some(Told::Unavailable),
                TOO_LONG => Some(Told::TooLong(number(8))),
                FAILED => Some(Told::Failed(number(8))),
                NOT_ASKED => Some(Told::NotAsked(number(8))),
                _ => None,
            });
        }
        Answers { class: self.class, values }
    }
}

/// What cannot be set anew once an object is there (PKCS #11 v3.1, 4.1.2 and the tables of the kinds of
/// keys).
const LASTING: &[u64] = &[
    CKA_CERTIFICATE_TYPE,
    CKA_KEY_TYPE,
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_PRIME,
    CKA_SUBPRIME,
    CKA_BASE,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_PARAMETER_SET,
    CKA_VALUE,
    CKA_VALUE_LEN,
    CKA_LOCAL,
    CKA_KEY_GEN_MECHANISM,
];

const NOTHING: u8 = 0;
const OCTETS: u8 = 1;
const INVALID: u8 = 2;
const SENSITIVE: u8 = 3;
const UNAVAILABLE: u8 = 4;
const TOO_LONG: u8 = 5;
const FAILED: u8 = 6;
const NOT_ASKED: u8 = 7;

impl<'a> Answers<'a> {
    /// What was answered; `None` where nothing was, or nothing was asked.
    pub(crate) fn told(&self, attribute: u64) -> Option<Told<'a>> {
        let at = wanted(self.class).iter().position(|one| *one == attribute)?;
        self.values[at]
    }

    /// The octets, where there are any.
    pub(crate) fn octets(&self, attribute: u64) -> Option<&'a [u8]> {
        match self.told(attribute)? {
            Told::Octets(octets) if !octets.is_empty() => Some(octets),
            _ => None,
        }
    }

    /// A `CK_ULONG`, where the value is as long as one.
    pub(crate) fn number(&self, attribute: u64) -> Option<u64> {
        number(self.octets(attribute)?)
    }
}

impl Told<'_> {
    /// Why there is no value, where there is none.
    pub(crate) fn reason(self) -> Option<String> {
        Some(match self {
            Self::Octets(_) => return None,
            Self::Invalid => "invalid".to_owned(),
            Self::Sensitive => "sensitive".to_owned(),
            Self::Unavailable => "unavailable".to_owned(),
            Self::TooLong(length) => format!("too long: {length} octets"),
            Self::Failed(returned) => names::returned(returned),
            Self::NotAsked(0) => "not asked: objects of this kind have none".to_owned(),
            Self::NotAsked(others) => {
                format!("not asked: {others} objects of the kind before had none")
            }
        })
    }
}

/// A `CK_ULONG` as it is in memory: of the size and order of octets of this machine, which is that of
/// the module.
pub(crate) fn number(octets: &[u8]) -> Option<u64> {
    let octets = octets.try_into().ok()?;
    // As wide as `u32` or `u64`, by the machine.
    #[allow(clippy::useless_conversion, reason = "not on every machine")]
    Some(u64::from(std::ffi::c_ulong::from_ne_bytes(octets)))
}

/// `CK_UNAVAILABLE_INFORMATION`: all bits of a `CK_ULONG`, or of one of 32 bits that was widened.
pub(crate) fn is_unavailable(number: u64) -> bool {
    number == u64::MAX || number == u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Octets;

    fn octets(octets: &[u8]) -> Value {
        Value::Octets(Octets(octets.to_vec()))
    }

    fn packed(attributes: Vec<(u64, Value)>, room: &mut usize) -> Packed {
        Packed::of(ObjectAnswer { slot: 7, class: CKO_PRIVATE_KEY, attributes }, room)
    }

    #[test]
    fn what_is_packed_is_told_again() {
        let long = vec![7; LONGEST + 1];
        let attributes = vec![
            (CKA_ID, octets(&[1, 2])),
            (CKA_LABEL, octets(&[])),
            (CKA_SENSITIVE, Value::Sensitive),
            (CKA_MODULUS, octets(&long)),
            (0x202, Value::Failed(0x30)),
            (0x163, Value::TooLong(u64::MAX)),
            (0x164, Value::Invalid),
            (0x165, Value::Unavailable),
            (0x171, Value::NotAsked(3)),
            (0x172, Value::NotAsked(0)),
        ];
        let packed = packed(attributes, &mut 100);
        let answers = packed.open();
        assert_eq!(answers.octets(CKA_ID), Some(&[1, 2][..]));
        assert_eq!(
            (answers.octets(CKA_LABEL), answers.told(CKA_LABEL)),
            (None, Some(Told::Octets(&[])))
        );
        assert_eq!(answers.told(CKA_SENSITIVE), Some(Told::Sensitive));
        assert_eq!(answers.told(CKA_MODULUS), Some(Told::TooLong(LONGEST as u64 + 1)));
        for (attribute, reason) in [
            (0x202, "CKR_DEVICE_ERROR"),
            (0x163, "too long: 18446744073709551615 octets"),
            (0x164, "invalid"),
            (0x165, "unavailable"),
            (0x171, "not asked: 3 objects of the kind before had none"),
            (0x172, "not asked: objects of this kind have none"),
        ] {
            let told = answers.told(attribute).expect("answered");
            assert_eq!(told.reason().as_deref(), Some(reason));
        }
        assert_eq!(answers.told(0x162), None);
    }

    #[test]
    fn what_was_not_asked_for_is_not_kept_and_what_is_told_twice_counts_once() {
        let attributes =
            vec![(0x11, octets(b"secret")), (CKA_ID, octets(&[1])), (CKA_ID, octets(&[2]))];
        let packed = packed(attributes, &mut 100);
        assert_eq!(packed.open().octets(CKA_ID), Some(&[1][..]));
        assert_eq!(packed.open().told(0x11), None);
        assert!(!packed.octets.windows(6).any(|six| six == b"secret"));
    }

    #[test]
    fn there_is_room_for_so_much_and_no_more() {
        let mut room = 5;
        let first = packed(vec![(CKA_ID, octets(&[1; 4]))], &mut room);
        let second = packed(vec![(CKA_ID, octets(&[1; 4]))], &mut room);
        assert_eq!((first.open().octets(CKA_ID).map(<[u8]>::len), room), (Some(4), 1));
        assert_eq!(second.open().told(CKA_ID), Some(Told::TooLong(4)));
    }

    #[test]
    fn numbers_are_of_this_machine() {
        let one: std::ffi::c_ulong = 1;
        assert_eq!(number(&one.to_ne_bytes()), Some(1));
        assert_eq!(number(&[1, 0]), None);
        assert_eq!(number(&[0; 16]), None);
    }
}
