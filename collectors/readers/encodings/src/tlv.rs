//! Just enough DER (X.690) to tell encodings apart and to build public keys.
//!
//! Certificates are parsed in the inventory, once. Here only tags and lengths are followed, because
//! a walker that takes any octets and never fails loudly is what a scan over strangers' files needs.

/// Yes or no.
pub const BOOLEAN: u8 = 0x01;
/// A number of any size.
pub const INTEGER: u8 = 0x02;
/// Bits, with the number of those that are not used in front.
pub const BIT_STRING: u8 = 0x03;
/// Octets.
pub const OCTET_STRING: u8 = 0x04;
/// Nothing.
pub const NULL: u8 = 0x05;
/// An object identifier.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// Text.
pub const UTF8_STRING: u8 = 0x0c;
/// An instant with two digits for its year.
pub const UTC_TIME: u8 = 0x17;
/// An instant with four digits for its year.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Elements in an order.
pub const SEQUENCE: u8 = 0x30;

/// Tag, length of the header, length of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The identifier octet.
    pub tag: u8,
    /// Octets of tag and length.
    pub header: usize,
    /// Octets that the value announces.
    pub value: usize,
}

/// One complete element.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The content.
    pub value: &'a [u8],
    /// Header and value.
    pub whole: &'a [u8],
}

/// Takes elements off the front of an encoding.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl Header {
    /// Reads tag and length; the value need not be there. Indefinite lengths and tags above 30 do
    /// not occur in what is looked for.
    pub fn read(input: &[u8]) -> Option<Self> {
        let (&tag, rest) = input.split_first()?;
        let (&first, rest) = rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        if first < 0x80 {
            return Some(Self { tag, header: 2, value: usize::from(first) });
        }
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let value = rest.get(..count)?.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        Some(Self { tag, header: 2 + count, value })
    }

    /// Octets of header and value. Where addresses have 32 bits the sum may not fit, and then no
    /// input is that long.
    pub fn total(self) -> usize {
        self.header.saturating_add(self.value)
    }
}

impl<'a> Element<'a> {
    /// The element at the front, if it is complete.
    pub fn first(input: &'a [u8]) -> Option<Self> {
        let header = Header::read(input)?;
        let whole = input.get(..header.total())?;
        Some(Self { tag: header.tag, value: &whole[header.header..], whole })
    }

    /// What is inside.
    pub fn inside(self) -> Reader<'a> {
        Reader(self.value)
    }

    /// An object identifier in dotted form.
    pub fn oid(self) -> Option<String> {
        if self.tag != OBJECT_IDENTIFIER {
            return None;
        }
        let mut arcs = Vec::new();
        let mut arc: u64 = 0;
        for &octet in self.value {
            arc = arc.checked_mul(128)? + u64::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                arcs.push(arc);
                arc = 0;
            }
        }
        // X.690, 8.19.4: the first two arcs share a number.
        let first = *arcs.first()?;
        let (root, second) = (first.min(80) / 40, first - first.min(80) / 40 * 40);
        let rest = arcs.iter().skip(1).map(|arc| format!(".{arc}")).collect::<String>();
        Some(format!("{root}.{second}{rest}"))
    }

    /// A small non-negative number.
    pub fn number(self) -> Option<u32> {
        let octets = self.value;
        if self.tag != INTEGER || octets.is_empty() || octets.len() > 5 || octets[0] & 0x80 != 0 {
            return None;
        }
        u32::try_from(octets.iter().fold(0u64, |sum, octet| sum << 8 | u64::from(*octet))).ok()
    }
}

impl<'a> Reader<'a> {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub fn any(&mut self) -> Option<Element<'a>> {
        let element = Element::first(self.0)?;
        self.0 = &self.0[element.whole.len()..];
        Some(element)
    }

    /// The next element, if it has this tag.
    pub fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        let element = Element::first(self.0).filter(|element| element.tag == tag)?;
        self.0 = &self.0[element.whole.len()..];
        Some(element)
    }

    /// The object identifier that an `AlgorithmIdentifier` begins with, and what follows it.
    pub fn algorithm(&mut self) -> Option<(String, Reader<'a>)> {
        let mut inside = self.take(SEQUENCE)?.inside();
        let oid = inside.take(OBJECT_IDENTIFIER)?.oid()?;
        Some((oid, inside))
    }
}

/// A tag, and a length of as many octets as there are.
const LONGEST_HEADER: usize = 2 + size_of::<usize>();

/// Writes one element around the concatenation of these parts, which are copied once. Whoever passes
/// secrets has to wipe it.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // Parts may be secret: a vector that grows leaves its old octets in freed memory.
    let mut out = Vec::with_capacity(length.saturating_add(LONGEST_HEADER));
    out.push(tag);
    if let Ok(short) = u8::try_from(length)
        && short < 0x80
    {
        out.push(short);
    } else {
        let octets = length.to_be_bytes();
        let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
        // A length has at most eight octets.
        out.push(0x80 | u8::try_from(octets.len()).unwrap_or(8));
        out.extend_from_slice(octets);
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// Writes an unsigned number the one way DER has for it (X.690, 8.3.2).
pub fn unsigned(octets: &[u8]) -> Vec<u8> {
    let digits = significant(octets);
    let sign: &[u8] = if digits.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    element(INTEGER, &[sign, digits])
}

/// The number without leading zero octets.
pub fn significant(octets: &[u8]) -> &[u8] {
    &octets[octets.iter().take_while(|octet| **octet == 0).count()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let written = element(OCTET_STRING, &[&vec![7; length]]);
            let read = Element::first(&written).expect("complete");
            assert_eq!((read.tag, read.value.len(), read.whole.len()), (4, length, written.len()));
            assert_eq!(written.capacity(), length + LONGEST_HEADER, "it never grew");
        }
        assert_eq!(unsigned(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
    }

    #[test]
    fn a_length_that_no_input_has_is_no_small_one() {
        let header = Header { tag: SEQUENCE, header: 6, value: usize::MAX };
        assert_eq!(header.total(), usize::MAX);
    }

    #[test]
    fn object_identifiers_print_as_dotted_numbers() {
        for (octets, dotted) in [
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01][..], "1.2.840.113549.1.1.1"),
            (&[0x2b, 0x65, 0x70][..], "1.3.101.112"),
            (
                &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11][..],
                "2.16.840.1.101.3.4.3.17",
            ),
        ] {
            let written = element(OBJECT_IDENTIFIER, &[octets]);
            let oid = Element::first(&written).and_then(Element::oid);
            assert_eq!(oid.as_deref(), Some(dotted));
        }
    }

    #[test]
    fn no_octets_make_the_reader_panic() {
        let mut octets = vec![0u8; 12];
        for seed in 0u32..200_000 {
            for (at, octet) in octets.iter_mut().enumerate() {
                *octet = (seed.wrapping_mul(2_654_435_761).rotate_left(at as u32 * 5) >> 8) as u8;
            }
            let mut reader = Reader(&octets);
            while let Some(element) = reader.any() {
                let _ = (element.oid(), element.number(), element.inside().any());
            }
        }
        assert_eq!(
            Header::read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).map(|h| h.value),
            Some(0xffff_ffff)
        );
        assert!(Header::read(&[0x30, 0x85, 1, 1, 1, 1, 1]).is_none());
    }
}
