//! Just enough BER (X.690, clause 8) for PKCS#12: Windows, NSS and old Java leave lengths open and
//! write octet strings in pieces.
//!
//! What is cut off is read as far as it goes and says so.

use std::ops::Deref;

use pki_encodings::tlv::{Element, Header, OCTET_STRING};
use zeroize::Zeroizing;

/// Open lengths inside of each other. Real stores have about eight; every level is walked once more.
const MOST_DEPTH: usize = 16;

/// Pieces of octet strings inside of each other (X.690, 8.7.3.2). Nobody writes more than one.
const MOST_PIECE_DEPTH: usize = 4;

/// One element, its length known or found.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    pub(crate) whole: &'a [u8],
    /// Whether its end was there.
    pub(crate) complete: bool,
}

/// The octets of an octet string. A store of 64 MiB is nearly all one such string, so what is in one
/// piece is not copied.
pub(crate) enum Content<'a> {
    Whole(&'a [u8]),
    Joined(Zeroizing<Vec<u8>>),
}

impl Default for Content<'_> {
    fn default() -> Self {
        Self::Whole(&[])
    }
}

impl Deref for Content<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Whole(octets) => octets,
            Self::Joined(octets) => octets,
        }
    }
}

/// Takes elements off the front of an encoding.
#[derive(Clone, Copy)]
pub(crate) struct Nodes<'a>(pub(crate) &'a [u8]);

impl<'a> Nodes<'a> {
    pub(crate) fn any(&mut self) -> Option<Node<'a>> {
        let node = Node::first(self.0)?;
        self.0 = self.0.get(node.whole.len()..)?;
        Some(node)
    }

    /// The next element, if it has this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Option<Node<'a>> {
        let mut ahead = *self;
        let node = ahead.any().filter(|node| node.tag == tag)?;
        *self = ahead;
        Some(node)
    }
}

impl<'a> Node<'a> {
    pub(crate) fn first(octets: &'a [u8]) -> Option<Self> {
        if let [tag, 0x80, rest @ ..] = octets {
            // X.690, 8.1.3.2: only what is constructed may leave its length open.
            if tag & 0x20 == 0 || tag & 0x1f == 0x1f {
                return None;
            }
            let (value, complete) = end(rest, 0)?;
            let whole = 2 + value + if complete { 2 } else { 0 };
            return Some(Self {
                tag: *tag,
                value: rest.get(..value)?,
                whole: octets.get(..whole)?,
                complete,
            });
        }
        // Two zeros end what was left open; they are no element.
        let header = Header::read(octets).filter(|header| header.tag != 0)?;
        let whole = octets.get(..header.total()).unwrap_or(octets);
        let complete = whole.len() == header.total();
        Some(Self { tag: header.tag, value: whole.get(header.header..)?, whole, complete })
    }

    pub(crate) fn inside(self) -> Nodes<'a> {
        Nodes(self.value)
    }

    pub(crate) fn oid(self) -> Option<String> {
        Element::first(self.whole)?.oid()
    }

    pub(crate) fn number(self) -> Option<u32> {
        Element::first(self.whole)?.number()
    }

    /// The octets of an octet string, whole or in pieces, under whatever tag.
    pub(crate) fn octets(self) -> Content<'a> {
        if let Some(whole) = self.whole_piece() {
            return Content::Whole(whole);
        }
        let mut octets = Zeroizing::new(Vec::with_capacity(self.value.len()));
        self.pieces(&mut octets, 0);
        Content::Joined(octets)
    }

    /// The octets, where they are in one piece.
    fn whole_piece(self) -> Option<&'a [u8]> {
        let mut node = self;
        for _ in 0..=MOST_PIECE_DEPTH {
            if node.tag & 0x20 == 0 {
                return Some(node.value);
            }
            let mut inside = node.inside();
            node = inside.any().filter(|piece| piece.tag & !0x20 == OCTET_STRING)?;
            if !inside.0.is_empty() {
                return None;
            }
        }
        None
    }

    fn pieces(self, out: &mut Vec<u8>, depth: usize) {
        if self.tag & 0x20 == 0 {
            out.extend_from_slice(self.value);
        } else if depth < MOST_PIECE_DEPTH {
            let mut inside = self.inside();
            while let Some(piece) = inside.any().filter(|piece| piece.tag & !0x20 == OCTET_STRING) {
                piece.pieces(out, depth + 1);
            }
        }
    }
}

/// How many octets come before the end that belongs to an open length, and whether it is there.
fn end(octets: &[u8], depth: usize) -> Option<(usize, bool)> {
    let mut at = 0;
    loop {
        let rest = octets.get(at..)?;
        match rest {
            [0, 0, ..] => return Some((at, true)),
            [] => return Some((at, false)),
            [_, 0x80, open @ ..] => {
                let (value, complete) =
                    (depth < MOST_DEPTH).then(|| end(open, depth + 1)).flatten()?;
                if !complete {
                    return Some((octets.len(), false));
                }
                at += 2 + value + 2;
            }
            _ => {
                let total = Header::read(rest).map(Header::total);
                match total.filter(|total| *total <= rest.len()) {
                    Some(total) => at += total,
                    None => return Some((octets.len(), false)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_left_open_and_strings_in_pieces_are_read() {
        let octets = [0x30, 0x80, 0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0, 2, 1, 3, 0, 0, 0xff];
        let node = Node::first(&octets).expect("a sequence");
        assert!(node.complete && node.whole.len() == octets.len() - 1);
        let mut inside = node.inside();
        assert_eq!(*inside.take(0x24).expect("a string").octets(), [7, 8, 9]);
        assert_eq!(inside.take(2).and_then(Node::number), Some(3));
        assert!(inside.any().is_none());
    }

    #[test]
    fn a_string_in_one_piece_is_not_copied() {
        for (octets, at) in [(&[4, 2, 8, 9][..], 2), (&[0x24, 0x80, 4, 2, 8, 9, 0, 0], 4)] {
            let content = Node::first(octets).expect("a string").octets();
            assert_eq!(content.as_ptr(), octets[at..].as_ptr());
            assert_eq!(*content, [8, 9]);
        }
    }

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes() {
        for octets in [&[0x30, 0x80, 4, 2, 8, 9][..], &[0x30, 9, 4, 2, 8, 9]] {
            let node = Node::first(octets).expect("a sequence");
            assert!(!node.complete);
            assert_eq!(*node.inside().take(4).expect("a string").octets(), [8, 9]);
        }
    }

    #[test]
    fn open_lengths_without_end_inside_of_each_other_are_refused() {
        assert!(Node::first(&[0x30, 0x80].repeat(1_000_000)).is_none());
    }
}
