//! Base64 as it is folded in YAML, JSON and XML.

use crate::pem::Escape;

/// How a piece of base64 ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// After as many octets of text, or where the taker had enough.
    Ends(usize),
    /// The text ended first, and more of it follows.
    Cut,
}

/// Line ends that XML writes as references (section 4.1); signers write the first of them.
const REFERENCES: &[&[u8]] = &[b"&#13;", b"&#10;", b"&#xD;", b"&#xd;", b"&#xA;", b"&#xa;"];

/// Hands out the digits of base64 that begin here, without what folds them, until something else
/// stands there, padding was, or the taker says no.
pub(super) fn unfold(text: &[u8], last: bool, take: &mut dyn FnMut(&[u8]) -> bool) -> Run {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let digits = rest.iter().take_while(|octet| is_digit(**octet)).count();
        // Padding ends it: what follows may be another value, and is not looked through for this
        // one too.
        let padding = rest[digits..].iter().take(2).take_while(|octet| **octet == b'=').count();
        let (piece, behind) = rest.split_at(digits + padding);
        // A run that touches the end of the window may go on.
        if behind.is_empty() && !last {
            return Run::Cut;
        }
        at += piece.len();
        if !piece.is_empty() && (!take(piece) || piece.ends_with(b"=")) {
            return Run::Ends(at);
        }
        let Some(octet) = behind.first() else { return Run::Ends(at) };
        at += match octet {
            b' ' | b'\t' | b'\n' | b'\r' => 1,
            b'\\' if behind.starts_with(b"\\\n") => 2,
            b'\\' => match Escape::read(behind, last) {
                Escape::LineEnd(length) => length,
                Escape::Character(octet, length) => {
                    if !take(&[octet]) {
                        return Run::Ends(at + length);
                    }
                    length
                }
                Escape::Cut => return Run::Cut,
                Escape::Other => return Run::Ends(at),
            },
            b'&' => match REFERENCES.iter().find(|reference| behind.starts_with(reference)) {
                Some(reference) => reference.len(),
                None if !last && behind.len() < 5 => return Run::Cut,
                None => return Run::Ends(at),
            },
            _ => return Run::Ends(at),
        };
    }
}

/// Where a piece of base64 begins that this place is in the middle of, no further back than `most`.
pub(super) fn start(text: &[u8], at: usize, most: usize) -> usize {
    // Nothing is behind padding; before it the key of an assignment may stand.
    let inside = |octet: &&u8| is_digit(**octet) || octet.is_ascii_whitespace() || **octet == b'\\';
    let start = at - text[at.saturating_sub(most)..at].iter().rev().take_while(inside).count();
    start + text[start..at].iter().take_while(|octet| octet.is_ascii_whitespace()).count()
}

/// What follows the line ends at the front.
pub(super) fn behind_folds(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        match text.first().map(|_| Escape::read(text, true)) {
            Some(Escape::LineEnd(length)) if text[0] == b'\\' => text = &text[length..],
            _ => return text,
        }
    }
}

fn is_digit(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}
