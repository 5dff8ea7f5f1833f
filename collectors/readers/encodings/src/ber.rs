//! Walks BER (X.690, section 8): DER, and besides it lengths left open and strings in pieces, which
//! is how streaming writers of PKCS#7 leave their messages.
//!
//! Nothing here recurses: an open length is closed by counting, so that depth costs no stack.

use zeroize::Zeroizing;

use crate::tlv::{OBJECT_IDENTIFIER, OCTET_STRING};

/// One complete element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    /// The first identifier octet, which is the whole tag for all that is looked for.
    pub(crate) tag: u8,
    /// Without the end-of-contents octets, if the length was open.
    pub(crate) value: &'a [u8],
    /// With everything.
    pub(crate) whole: &'a [u8],
    /// The length was left open, so the encoding is not DER.
    pub(crate) open: bool,
}

/// Takes elements off the front of an encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

/// The most open lengths inside one another. Real messages have about eight.
const DEPTH: usize = 32;

/// The bit that says that elements are inside (X.690, 8.1.2.5).
const CONSTRUCTED: u8 = 0x20;

impl<'a> Element<'a> {
    /// The element at the front, if it is complete.
    pub(crate) fn first(input: &'a [u8]) -> Option<Self> {
        let (header, length) = header(input)?;
        let tag = *input.first()?;
        match length {
            Some(length) => {
                let whole = input.get(..header.checked_add(length)?)?;
                Some(Self { tag, value: &whole[header..], whole, open: false })
            }
            None => {
                let end = header + close(input.get(header..)?)?;
                let whole = &input[..end];
                Some(Self { tag, value: &whole[header..end - 2], whole, open: true })
            }
        }
    }

    /// What is inside.
    pub(crate) fn inside(self) -> Reader<'a> {
        Reader(self.value)
    }

    /// The octets of an octet string, put together if they lie in pieces (X.690, 8.7.3).
    pub(crate) fn string(self) -> Option<Zeroizing<Vec<u8>>> {
        if self.tag & CONSTRUCTED == 0 {
            return Some(Zeroizing::new(self.value.to_vec()));
        }
        // Never more than the pieces with their headers, so it never grows.
        let mut octets = Zeroizing::new(Vec::with_capacity(self.value.len()));
        let mut pieces = self.inside();
        while let Some(piece) = pieces.take(OCTET_STRING) {
            octets.extend_from_slice(piece.value);
        }
        pieces.0.is_empty().then_some(octets)
    }
}

impl<'a> Reader<'a> {
    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Option<Element<'a>> {
        let element = Element::first(self.0)?;
        self.0 = &self.0[element.whole.len()..];
        Some(element)
    }

    /// The next element, if it has this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.any()
    }

    /// The content of the next element, if it is an object identifier.
    pub(crate) fn oid(&mut self) -> Option<&'a [u8]> {
        self.take(OBJECT_IDENTIFIER).map(|oid| oid.value)
    }
}

/// Octets of identifier and length, and the length unless it is open.
fn header(input: &[u8]) -> Option<(usize, Option<usize>)> {
    let tag = *input.first()?;
    let mut at = 1;
    if tag & 0x1f == 0x1f {
        // X.690, 8.1.2.4: the number follows in groups of seven bits. Four are more than any use.
        let groups = input.get(1..)?.iter().take(4).position(|octet| octet & 0x80 == 0)?;
        at += groups + 1;
    }
    let first = *input.get(at)?;
    at += 1;
    if first < 0x80 {
        return Some((at, Some(usize::from(first))));
    }
    if first == 0x80 {
        return (tag & CONSTRUCTED != 0).then_some((at, None));
    }
    let count = usize::from(first & 0x7f);
    if count > 4 {
        return None;
    }
    let octets = input.get(at..at + count)?;
    let length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
    Some((at + count, Some(length)))
}

/// Where the content of an open length ends, with its end-of-contents octets.
fn close(content: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0usize, 1usize);
    while depth > 0 {
        let rest = content.get(at..)?;
        if rest.starts_with(&[0, 0]) {
            (at, depth) = (at + 2, depth - 1);
            continue;
        }
        let (header, length) = header(rest)?;
        match length {
            Some(length) => at = at.checked_add(header)?.checked_add(length)?,
            None if depth == DEPTH => return None,
            None => (at, depth) = (at + header, depth + 1),
        }
    }
    // The last element may announce more than is there.
    (at <= content.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_lengths_end_where_they_are_closed() {
        let inner = [0x24, 0x80, 4, 2, 7, 8, 4, 1, 9, 0, 0];
        let message = [&[0x30, 0x80, 2, 1, 5][..], &inner, &[0, 0, 0xff]].concat();
        let whole = Element::first(&message).expect("closed");
        assert_eq!((whole.whole.len(), whole.open), (message.len() - 1, true));
        let mut fields = whole.inside();
        assert_eq!(fields.take(2).map(|number| number.value), Some(&[5][..]));
        let string = fields.take(0x24).and_then(Element::string).expect("in pieces");
        assert_eq!(string.as_slice(), [7, 8, 9]);
        assert!(fields.any().is_none());
        for cut in 0..message.len() - 1 {
            assert!(Element::first(&message[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn depth_is_limited_and_primitives_have_a_length() {
        let nested = |depth: usize| [[0x30, 0x80].repeat(depth), [0, 0].repeat(depth)].concat();
        assert!(Element::first(&nested(DEPTH)).is_some());
        assert!(Element::first(&nested(DEPTH + 1)).is_none());
        assert!(Element::first(&nested(1_000_000)).is_none());
        assert!(Element::first(&[4, 0x80, 0, 0]).is_none(), "a primitive one cannot be open");
        assert!(Element::first(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]).is_none());
        assert!(Element::first(&[0x30, 0x85, 0, 0, 0, 0, 1, 0]).is_none());
        assert_eq!(Element::first(&[0xbf, 0x87, 0x65, 1, 0]).map(|e| e.whole.len()), Some(5));
    }
}
