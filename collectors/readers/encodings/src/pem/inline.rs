//! Blocks within one line: strings of JSON, YAML and environment files that write line ends as
//! `\n`, and values that lost them altogether.

use super::{Block, DASHES, END, Fault, LONGEST_LINE, NEAR, Open, Refused, Scanner};

/// What stands where lines ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// A backslash, or several if strings lie in strings, and `n` or `r`.
    Escaped,
    /// A space, or nothing.
    Blank,
}

/// What a backslash begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// A line end of as many octets.
    LineEnd(usize),
    /// A character, written in as many octets: some writers of JSON spare neither `/` nor `+`.
    Character(u8, usize),
    /// More octets have to be seen.
    Cut,
    /// Nothing of base64.
    Other,
}

/// Strings in strings double their backslashes each time.
const MOST_BACKSLASHES: usize = 4;

impl Fold {
    /// What follows a marker that its line does not end with.
    pub(super) fn after_marker(rest: &[u8]) -> Option<Self> {
        match rest.first()? {
            b'\\' => {
                matches!(Escape::read(rest, true), Escape::LineEnd(_)).then_some(Self::Escaped)
            }
            b' ' | b'\t' => Some(Self::Blank),
            octet if octet.is_ascii_alphanumeric() => Some(Self::Blank),
            _ => None,
        }
    }

    fn separates(self, octet: u8) -> bool {
        match octet {
            b'\n' | b'\r' => true,
            b' ' | b'\t' => self == Self::Blank,
            _ => false,
        }
    }
}

impl Escape {
    /// Reads what begins with a backslash; `last` says that no octets come after these.
    pub(crate) fn read(octets: &[u8], last: bool) -> Self {
        let slashes = octets.iter().take_while(|octet| **octet == b'\\').count();
        let rest = &octets[slashes.min(octets.len())..];
        if slashes > MOST_BACKSLASHES {
            return Self::Other;
        }
        match rest.first() {
            None if last => Self::Other,
            None => Self::Cut,
            Some(b'n' | b'r' | b't') => Self::LineEnd(slashes + 1),
            Some(octet @ (b'/' | b'+' | b'=')) => Self::Character(*octet, slashes + 1),
            Some(b'u') if rest.len() < 5 => {
                if last {
                    Self::Other
                } else {
                    Self::Cut
                }
            }
            // RFC 8259, section 7.
            Some(b'u') => {
                let digits = std::str::from_utf8(&rest[1..5]).ok();
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(octet @ (b'/' | b'+' | b'=')) => Self::Character(octet, slashes + 5),
                    Some(b'\n' | b'\r') => Self::LineEnd(slashes + 5),
                    _ => Self::Other,
                }
            }
            Some(_) => Self::Other,
        }
    }
}

impl Scanner {
    /// Takes the next piece of a block within a line. `None` when the window has no whole one.
    pub(super) fn continue_inline(
        &mut self,
        mut open: Open,
        fold: Fold,
        window: &[u8],
        at: usize,
        last: bool,
        found: &mut dyn FnMut(Block),
    ) -> Option<usize> {
        let rest = &window[at..];
        let stop = (0..rest.len()).find(|&at| {
            let octet = rest[at];
            octet == b'\\' || fold.separates(octet) || (octet == b'-' && is_dashes(&rest[at..]))
        });
        let piece = &rest[..stop.unwrap_or(rest.len())];
        let behind = &rest[piece.len()..];
        let close = behind
            .strip_prefix(END)
            .map(|behind| memchr::memmem::find(&behind[..behind.len().min(NEAR)], DASHES));
        let escape = behind.starts_with(b"\\").then(|| Escape::read(behind, last));
        let joint = match escape {
            Some(Escape::LineEnd(length)) => joint(&behind[length..], last),
            _ => Some(0),
        };
        let cut = match (stop, &escape, close) {
            (None, ..) | (_, Some(Escape::Cut), _) => true,
            _ if joint.is_none() => true,
            (_, Some(_), _) => false,
            // A marker that may not be all there.
            (_, None, _) if behind[0] == b'-' => {
                !matches!(close, Some(Some(_))) && behind.len() < END.len() + NEAR
            }
            _ => false,
        };
        if cut && !last {
            // A long piece is taken as far as it goes, a short one may be a header.
            if piece.len() < LONGEST_LINE {
                self.open = Some(open);
                return None;
            }
            return match open.take(piece, piece) {
                Ok(()) => {
                    self.open = Some(open);
                    Some(at + piece.len())
                }
                Err(refused) => refuse(open, &refused, at + piece.len(), found),
            };
        }
        let next = at + piece.len();
        let is_nothing = piece.is_empty() && escape.is_none();
        // What is empty ends headers, but not because a marker or a second blank follows.
        if !is_nothing && let Err(refused) = open.take(piece, piece.trim_ascii()) {
            return refuse(open, &refused, next, found);
        }
        let step = match (escape, close) {
            (Some(Escape::LineEnd(length)), _) => length + joint.unwrap_or(0),
            (Some(Escape::Character(octet, length)), _) => {
                if let Err(refused) = open.take(&[octet], &[octet]) {
                    return refuse(open, &refused, next, found);
                }
                length
            }
            (Some(Escape::Cut | Escape::Other), _) => {
                return refuse(open, &Refused::Character, next, found);
            }
            (None, Some(Some(label))) => {
                open.closed(&behind[END.len()..], Some(label), found);
                return Some(next + END.len() + label + DASHES.len());
            }
            (None, _) if behind.first() == Some(&b'-') => {
                open.hand_out(Some(Fault::NextBegins), found);
                return Some(next);
            }
            (None, _) => behind.len().min(1),
        };
        if step == 0 {
            open.hand_out(Some(Fault::NoEnd), found);
            return Some(next);
        }
        self.open = Some(open);
        Some(next + step)
    }
}

/// How far the next string is away, if one ends here and programs put the next one behind it: two
/// quotation marks of a kind with blanks or an operator between. Nothing, if that is not so; `None`,
/// if more has to be seen.
fn joint(text: &[u8], last: bool) -> Option<usize> {
    let Some((quote @ (b'"' | b'\''), behind)) = text.split_first() else {
        return if text.is_empty() && !last { None } else { Some(0) };
    };
    let between = |octet: &&u8| octet.is_ascii_whitespace() || b"+.&\\".contains(octet);
    let blanks = behind.iter().take(NEAR).take_while(between).count();
    match behind.get(blanks) {
        Some(octet) if octet == quote => Some(blanks + 2),
        None if !last => None,
        _ => Some(0),
    }
}

/// Ends a block and goes on where its fault is: what was passed has no dashes, so no marker.
fn refuse(
    open: Open,
    refused: &Refused,
    next: usize,
    found: &mut dyn FnMut(Block),
) -> Option<usize> {
    let fault = match refused {
        Refused::Limit => Fault::TooLarge(open.limit),
        Refused::Character => Fault::NotBase64 { text: true },
    };
    open.hand_out(Some(fault), found);
    Some(next)
}

/// Whether a marker begins here, or may begin as far as can be seen.
fn is_dashes(octets: &[u8]) -> bool {
    octets.iter().take(DASHES.len()).all(|octet| *octet == b'-')
}
