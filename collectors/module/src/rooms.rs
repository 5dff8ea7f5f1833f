//! The places that values of attributes are written to.
//!
//! What a module says of the length of a value is compared with what it wrote: each room is marked
//! before the call, and where the marks are still there, nothing was written.

use cryptoki_sys::{
    CK_UNAVAILABLE_INFORMATION, CKA_ALLOWED_MECHANISMS, CKA_ALWAYS_AUTHENTICATE,
    CKA_ALWAYS_SENSITIVE, CKA_CERTIFICATE_CATEGORY, CKA_CERTIFICATE_TYPE, CKA_CLASS, CKA_COPYABLE,
    CKA_DECAPSULATE, CKA_DECAPSULATE_TEMPLATE, CKA_DECRYPT, CKA_DERIVE, CKA_DERIVE_TEMPLATE,
    CKA_DESTROYABLE, CKA_EC_PARAMS, CKA_EC_POINT, CKA_ENCAPSULATE, CKA_ENCAPSULATE_TEMPLATE,
    CKA_ENCRYPT, CKA_END_DATE, CKA_EXTRACTABLE, CKA_KEY_GEN_MECHANISM, CKA_KEY_TYPE, CKA_LOCAL,
    CKA_MODIFIABLE, CKA_MODULUS, CKA_MODULUS_BITS, CKA_NEVER_EXTRACTABLE, CKA_PARAMETER_SET,
    CKA_PRIVATE, CKA_PUBLIC_KEY_INFO, CKA_SENSITIVE, CKA_SIGN, CKA_SIGN_RECOVER, CKA_START_DATE,
    CKA_TOKEN, CKA_TRUSTED, CKA_UNWRAP, CKA_UNWRAP_TEMPLATE, CKA_VALIDATION_AUTHORITY_TYPE,
    CKA_VALIDATION_FLAG, CKA_VALIDATION_LEVEL, CKA_VALIDATION_TYPE, CKA_VALUE, CKA_VALUE_BITS,
    CKA_VALUE_LEN, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP, CKA_WRAP_TEMPLATE,
    CKA_WRAP_WITH_TRUSTED, CKO_CERTIFICATE,
};

/// No value is longer.
pub(crate) const LONGEST: u64 = 16 << 10;

/// But that of a certificate may be.
pub(crate) const LONGEST_CERTIFICATE: u64 = 64 << 10;

/// Beyond the end of what the module is told that there is: a library that writes a number where a
/// yes or no belongs hits nothing else.
const SLACK: usize = 64;

/// Octets that are marked at the beginning and at the end.
const MARKED: usize = 16;

/// Where the value of one attribute goes.
pub(crate) struct Room {
    attribute: u64,
    /// As much as the module is told; a null pointer where it is nothing.
    capacity: usize,
    buffer: Vec<u8>,
    mark: u8,
    length: u64,
}

/// What was found in a room after a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A value.
    Value(Vec<u8>),
    /// There was no room, and the value needs this much.
    Length(u64),
    /// No value: `CK_UNAVAILABLE_INFORMATION`, or a length that the room does not have.
    Absent,
    /// Nothing was written, whatever the length says.
    Untouched,
}

impl Room {
    /// One that values of this attribute usually fit in, so that no object needs a second call.
    /// Templates hold pointers to other values: only whether there are any is of interest.
    pub(crate) fn usual(class: u64, attribute: u64) -> Self {
        let capacity = match attribute {
            attribute if is_template(attribute) => 0,
            CKA_TOKEN
            | CKA_PRIVATE
            | CKA_MODIFIABLE
            | CKA_COPYABLE
            | CKA_DESTROYABLE
            | CKA_TRUSTED
            | CKA_LOCAL
            | CKA_SENSITIVE
            | CKA_ALWAYS_SENSITIVE
            | CKA_EXTRACTABLE
            | CKA_NEVER_EXTRACTABLE
            | CKA_WRAP_WITH_TRUSTED
            | CKA_ALWAYS_AUTHENTICATE
            | CKA_ENCRYPT
            | CKA_DECRYPT
            | CKA_SIGN
            | CKA_SIGN_RECOVER
            | CKA_VERIFY
            | CKA_VERIFY_RECOVER
            | CKA_WRAP
            | CKA_UNWRAP
            | CKA_DERIVE
            | CKA_ENCAPSULATE
            | CKA_DECAPSULATE => 1,
            CKA_CLASS
            | CKA_CERTIFICATE_TYPE
            | CKA_CERTIFICATE_CATEGORY
            | CKA_KEY_TYPE
            | CKA_KEY_GEN_MECHANISM
            | CKA_MODULUS_BITS
            | CKA_VALUE_BITS
            | CKA_VALUE_LEN
            | CKA_PARAMETER_SET
            | CKA_VALIDATION_TYPE
            | CKA_VALIDATION_LEVEL
            | CKA_VALIDATION_FLAG
            | CKA_VALIDATION_AUTHORITY_TYPE
            | CKA_START_DATE
            | CKA_END_DATE => 8,
            CKA_VALUE => usize::try_from(longest(class, attribute)).expect("fits by its constants"),
            CKA_MODULUS
            | CKA_PUBLIC_KEY_INFO
            | CKA_EC_PARAMS
            | CKA_EC_POINT
            | CKA_ALLOWED_MECHANISMS => 4096,
            _ => 512,
        };
        Self::with(attribute, capacity, 0xA5)
    }

    /// One of this many octets with marks of its own: what was a mark by chance is none here.
    pub(crate) fn with(attribute: u64, capacity: usize, mark: u8) -> Self {
        let buffer = if capacity == 0 { Vec::new() } else { vec![0; capacity + SLACK] };
        Self { attribute, capacity, buffer, mark, length: 0 }
    }

    pub(crate) fn attribute(&self) -> u64 {
        self.attribute
    }

    /// The place to write to, marked; `None` to ask for the length only.
    pub(crate) fn open(&mut self) -> Option<&mut [u8]> {
        let place = self.buffer.get_mut(..self.capacity).filter(|place| !place.is_empty())?;
        let marks = MARKED.min(self.capacity);
        mark(self.mark, &mut place[self.capacity - marks..]);
        mark(self.mark, &mut place[..marks]);
        Some(place)
    }

    /// Takes the length that the module says the value has.
    pub(crate) fn close(&mut self, length: u64) {
        self.length = length;
    }

    /// What was found, once after each call.
    pub(crate) fn content(&mut self) -> Content {
        if self.length == CK_UNAVAILABLE_INFORMATION {
            return Content::Absent;
        }
        if self.capacity == 0 {
            return Content::Length(self.length);
        }
        let length = match usize::try_from(self.length) {
            Ok(length) if length <= self.capacity => length,
            _ => return Content::Absent,
        };
        let value = &mut self.buffer[..length];
        let marks = MARKED.min(length);
        let begins = is_marked(self.mark, &value[..marks]);
        let ends = length == self.capacity && is_marked(self.mark, &value[length - marks..]);
        if length != 0 && (begins || ends) {
            return Content::Untouched;
        }
        let found = value.to_vec();
        // A shorter value of another object would be followed by the rest of this one.
        value.fill(0);
        Content::Value(found)
    }
}

/// How many octets of this attribute are read at most.
pub(crate) fn longest(class: u64, attribute: u64) -> u64 {
    match (class, attribute) {
        (CKO_CERTIFICATE, CKA_VALUE) => LONGEST_CERTIFICATE,
        _ => LONGEST,
    }
}

/// Whether its value is made of attributes with pointers of their own (PKCS #11 v3.1, 4.10).
pub(crate) fn is_template(attribute: u64) -> bool {
    matches!(
        attribute,
        CKA_WRAP_TEMPLATE
            | CKA_UNWRAP_TEMPLATE
            | CKA_DERIVE_TEMPLATE
            | CKA_ENCAPSULATE_TEMPLATE
            | CKA_DECAPSULATE_TEMPLATE
    )
}

/// Octets that differ from each other, so that no filling of a module's own looks like them.
fn marks(mark: u8) -> impl Iterator<Item = u8> {
    std::iter::successors(Some(mark), |last| Some(last.wrapping_add(37)))
}

fn mark(seed: u8, place: &mut [u8]) {
    for (octet, mark) in place.iter_mut().zip(marks(seed)) {
        *octet = mark;
    }
}

fn is_marked(seed: u8, place: &[u8]) -> bool {
    place.iter().zip(marks(seed)).all(|(octet, mark)| *octet == mark)
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::{CKA_ID, CKA_LABEL, CKO_PRIVATE_KEY};

    use super::*;

    fn filled(attribute: u64, value: &[u8], length: u64) -> Content {
        let mut room = Room::usual(CKO_PRIVATE_KEY, attribute);
        if let Some(place) = room.open() {
            place[..value.len()].copy_from_slice(value);
        }
        room.close(length);
        room.content()
    }

    #[test]
    fn a_value_is_as_long_as_the_module_says_it_is() {
        assert_eq!(filled(CKA_LABEL, b"root", 4), Content::Value(b"root".to_vec()));
        assert_eq!(filled(CKA_SENSITIVE, &[1], 1), Content::Value(vec![1]));
        assert_eq!(filled(CKA_ID, b"", 0), Content::Value(Vec::new()));
        assert_eq!(filled(CKA_LABEL, &[b'x'; 512], 512), Content::Value(vec![b'x'; 512]));
    }

    #[test]
    fn a_length_beyond_the_room_is_not_believed() {
        assert_eq!(filled(CKA_SENSITIVE, &[1], 2), Content::Absent);
        assert_eq!(filled(CKA_LABEL, b"root", 513), Content::Absent);
        assert_eq!(filled(CKA_LABEL, b"root", u64::MAX - 1), Content::Absent);
        assert_eq!(filled(CKA_LABEL, b"", CK_UNAVAILABLE_INFORMATION), Content::Absent);
    }

    #[test]
    fn a_room_that_was_not_written_to_has_no_value() {
        assert_eq!(filled(CKA_SENSITIVE, b"", 1), Content::Untouched);
        assert_eq!(filled(CKA_CLASS, b"", 8), Content::Untouched);
        assert_eq!(filled(CKA_LABEL, b"", 512), Content::Untouched);
        assert_eq!(filled(CKA_LABEL, b"", 7), Content::Untouched);
        // The value was written and its length was not.
        assert_eq!(filled(CKA_LABEL, b"root", 512), Content::Untouched);
    }

    #[test]
    fn what_an_earlier_object_left_is_in_no_value() {
        let mut room = Room::usual(CKO_PRIVATE_KEY, CKA_LABEL);
        room.open().unwrap()[..100].fill(b'x');
        room.close(100);
        assert_eq!(room.content(), Content::Value(vec![b'x'; 100]));
        room.open().unwrap()[..16].fill(b'y');
        room.close(100);
        let mut expected = vec![b'y'; 16];
        expected.resize(100, 0);
        assert_eq!(room.content(), Content::Value(expected));
    }

    #[test]
    fn of_a_template_only_the_length_is_asked_for() {
        let mut room = Room::usual(CKO_PRIVATE_KEY, CKA_UNWRAP_TEMPLATE);
        assert!(room.open().is_none());
        room.close(48);
        assert_eq!(room.content(), Content::Length(48));
    }
}
