//! Finds the encapsulated blocks of a text (RFC 7468, RFC 1421), whatever stands around them.
//!
//! The text is pushed in, window by window, so a file of any size takes the memory of one window
//! and one object. Written for what lies on disks rather than for the standard: several kinds of
//! blocks in one file, text between them, any line ends (also a carriage return alone), byte order
//! marks, indentation, headers inside the block, a missing last line end, blocks within one line as
//! JSON strings and environment variables hold them, and one string for each line as in programs.
//! Not found are blocks whose lines are quoted as in mail, and those in UTF-32.

use memchr::memmem::Finder;
use zeroize::Zeroizing;

mod inline;

use crate::base64::{Decoder, Refused};
pub(crate) use inline::Escape;
use inline::Fold;

/// One block, whole or broken.
#[derive(Debug)]
pub struct Block {
    /// What stands between `-----BEGIN ` and `-----`.
    pub label: String,
    /// The `DEK-Info` header (RFC 1421, 4.6.1.3), which says that a passphrase is needed.
    pub dek_info: Option<String>,
    /// What the base64 says, up to the fault if there is one. It may be a secret.
    pub octets: Zeroizing<Vec<u8>>,
    /// The marker stood at the start of its line, apart from white space. Elsewhere it is more
    /// often a string in a program than a block.
    pub own_line: bool,
    /// Why the block is not whole.
    pub fault: Option<Fault>,
}

/// Why a block is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The text ended.
    NoEnd,
    /// The part of the text that was read ended.
    Cut,
    /// Another block began.
    NextBegins,
    /// The end marker names another label.
    OtherEnd(String),
    /// A line is not base64; whether it is text at all.
    NotBase64 {
        /// False when there are control characters in it, as inside of programs.
        text: bool,
    },
    /// The digits stop inside an octet.
    HalfOctet,
    /// More octets than an object of this kind may have.
    TooLarge(usize),
}

/// Finds blocks, and keeps its place between windows.
pub struct Scanner {
    begin: Finder<'static>,
    open: Option<Open>,
    /// The octet before the window; a line end at the very start, and behind an end marker.
    before: u8,
    /// Where in the window an end marker ended last. What begins there begins a line: files
    /// without a last line end are often joined.
    behind_end: Option<usize>,
}

struct Open {
    label: String,
    dashes: Dashes,
    own_line: bool,
    /// How lines end, when the whole block stands within one.
    inline: Option<Fold>,
    limit: usize,
    headers: bool,
    /// The header goes on in the next line.
    continued: bool,
    dek_info: Option<String>,
    body: Decoder,
}

/// What the marker of a block begins with (RFC 7468, section 3). [`is_worth_a_look`] knows of more.
pub const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// What all markers have in common, and the octets before it.
const WORD: &[u8] = b"BEGIN ";
const BEFORE_WORD: usize = 5;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Enough for the longest marker with its indentation.
const LOOK_AROUND: usize = 256;

/// Enough for the longest marker.
const NEAR: usize = LOOK_AROUND / 2;

/// The fewest octets of a block within a line.
const LEAST_INLINE: usize = 16;

/// The longest line that is waited for; a longer one is no base64 line.
const LONGEST_LINE: usize = 1024 * 1024;

/// The most octets one object may have: a megabyte of base64. Only revocation lists grow beyond.
pub const LARGEST_OBJECT: usize = 768 * 1024;
/// The most octets of a revocation list, or of a message that may carry one.
pub const LARGEST_REVOCATION_LIST: usize = 32 * 1024 * 1024;

/// How a marker is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dashes {
    /// Five on both sides (RFC 7468, section 3).
    Five,
    /// Four and a space on both sides (RFC 4716, section 3.1).
    Four,
}

/// Whether a block could be in these octets: cheap, and wrong only in saying yes.
#[must_use]
pub fn is_worth_a_look(octets: &[u8]) -> bool {
    let begin = Finder::new(WORD);
    begin.find_iter(octets).any(|word| Dashes::before(&octets[..word]).is_some())
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// A scanner at the start of a text.
    #[must_use]
    pub fn new() -> Self {
        Self { begin: Finder::new(WORD), open: None, before: b'\n', behind_end: None }
    }

    /// Looks through the next window and hands out every block that ends in it. Returns how many
    /// octets are done with; the rest has to stand at the front of the next window.
    pub fn feed(&mut self, window: &[u8], last: bool, found: &mut dyn FnMut(Block)) -> usize {
        let mut at = 0;
        let done = loop {
            let step = match self.open.take() {
                None => self.seek(window, at, last),
                Some(open) => match open.inline {
                    None => self.continue_block(open, window, at, last, found),
                    Some(fold) => self.continue_inline(open, fold, window, at, last, found),
                },
            };
            match step {
                Some(next) => at = next,
                None => break self.resting_place(window, at, last),
            }
        };
        if last && let Some(open) = self.open.take() {
            open.hand_out(Some(Fault::NoEnd), found);
        }
        if let Some(octet) = done.checked_sub(1).and_then(|at| window.get(at)) {
            self.before = if self.behind_end == Some(done) { b'\n' } else { *octet };
        }
        self.behind_end = None;
        done
    }

    /// Outside of blocks a marker may be cut by the end of the window, inside a line may be.
    fn resting_place(&self, window: &[u8], at: usize, last: bool) -> usize {
        match (last, &self.open) {
            (true, _) => window.len(),
            (false, Some(_)) => at,
            (false, None) => at.max(window.len().saturating_sub(2 * LOOK_AROUND)),
        }
    }

    /// Goes to the next marker. `None` when the window has no more.
    fn seek(&mut self, window: &[u8], from: usize, last: bool) -> Option<usize> {
        let mut from = from;
        loop {
            let word = from + self.begin.find(&window[from..])?;
            let after = word + WORD.len();
            let dashes = Dashes::before(&window[from..word]);
            from = after;
            let Some(dashes) = dashes else { continue };
            let rest = &window[after..];
            let near = &rest[..rest.len().min(NEAR)];
            let (line, next) = match line_end(near, last || near.len() < rest.len()) {
                Some((end, next)) => (&near[..end], after + next),
                None if near.len() < rest.len() || last => (near, after + near.len()),
                None => return None,
            };
            let whole = next > after + line.len() || next == window.len();
            if whole && let Some(label) = label(line, dashes) {
                let own_line = self.starts_line(window, word - BEFORE_WORD);
                self.open = Some(Open::new(label, dashes, own_line, None));
                return Some(next);
            }
            if dashes == Dashes::Five
                && let Some(end) = memchr::memmem::find(near, DASHES).map(|end| end + DASHES.len())
                && let Some(label) = label(&near[..end], dashes)
                && let Some(fold) = Fold::after_marker(&near[end..])
            {
                self.open = Some(Open::new(label, dashes, false, Some(fold)));
                return Some(after + end);
            }
        }
    }

    /// Whether only white space, or a byte order mark, stands between the line's start and the
    /// marker.
    fn starts_line(&self, window: &[u8], start: usize) -> bool {
        let near = &window[start.saturating_sub(NEAR)..start];
        let indent = near.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        let before = &near[..near.len() - indent];
        let before = before.strip_suffix(BYTE_ORDER_MARK).unwrap_or(before);
        let line = start - (near.len() - before.len());
        match before.last() {
            _ if self.behind_end == Some(line) => true,
            None => line == 0 && matches!(self.before, b'\n' | b'\r'),
            Some(octet) => matches!(octet, b'\n' | b'\r'),
        }
    }

    /// Takes the next line of a block. `None` when the window has no whole line left.
    fn continue_block(
        &mut self,
        mut open: Open,
        window: &[u8],
        at: usize,
        last: bool,
        found: &mut dyn FnMut(Block),
    ) -> Option<usize> {
        let rest = &window[at..];
        let (line, next) = match line_end(rest, last) {
            Some((end, next)) => (&rest[..end], at + next),
            None if rest.is_empty() || (!last && rest.len() < LONGEST_LINE) => {
                self.open = Some(open);
                return None;
            }
            None => (rest, window.len()),
        };
        let trimmed = line.trim_ascii();
        let (end, close) = open.dashes.end();
        if let Some(rest) = trimmed.strip_prefix(end) {
            let marker = memchr::memmem::find(rest, close);
            open.closed(rest, marker, found);
            let Some(label) = marker else { return Some(next) };
            let indent = line.len() - line.trim_ascii_start().len();
            let behind = at + indent + end.len() + label + close.len();
            self.behind_end = Some(behind);
            return Some(behind);
        }
        if trimmed.get(BEFORE_WORD..).is_some_and(|rest| rest.starts_with(WORD))
            && Dashes::before(&trimmed[..BEFORE_WORD]).is_some()
        {
            open.hand_out(Some(Fault::NextBegins), found);
            // The same line again, from outside.
            return Some(at);
        }
        match open.take(line, trimmed) {
            Ok(()) => self.open = Some(open),
            Err(Refused::Limit) => {
                let limit = open.limit;
                open.hand_out(Some(Fault::TooLarge(limit)), found);
            }
            Err(Refused::Character) => {
                let text = !trimmed.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t');
                open.hand_out(Some(Fault::NotBase64 { text }), found);
                // A marker may stand further right on this line.
                return Some(at + (next - at).min(1));
            }
        }
        Some(next)
    }
}

impl Dashes {
    /// What stands before the word of a marker.
    fn before(octets: &[u8]) -> Option<Self> {
        if octets.ends_with(DASHES) {
            Some(Self::Five)
        } else {
            octets.ends_with(b"---- ").then_some(Self::Four)
        }
    }

    /// What the end marker begins with, and what closes it.
    fn end(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Five => (END, DASHES),
            Self::Four => (b"---- END ", b" ----"),
        }
    }
}

impl Open {
    fn new(label: &str, dashes: Dashes, own_line: bool, inline: Option<Fold>) -> Self {
        let revocation_list = matches!(label, "X509 CRL" | "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS");
        Self {
            label: label.to_owned(),
            dashes,
            own_line,
            inline,
            limit: if revocation_list { LARGEST_REVOCATION_LIST } else { LARGEST_OBJECT },
            headers: false,
            continued: false,
            dek_info: None,
            body: Decoder::default(),
        }
    }

    /// Takes a line that is not a marker.
    fn take(&mut self, line: &[u8], trimmed: &[u8]) -> Result<(), Refused> {
        if trimmed.is_empty() {
            self.headers = false;
            return Ok(());
        }
        if self.body.octets().is_empty() {
            // RFC 4716, 3.3: a header whose line ends so goes on in the next one.
            let continued = trimmed.ends_with(b"\\");
            if self.continued {
                self.continued = continued;
                return Ok(());
            }
            // RFC 1421, 4.4: headers are `Name: value`, and go on in lines that are indented.
            if let Some(colon) = memchr::memchr(b':', trimmed) {
                let (name, value) = (&trimmed[..colon], trimmed[colon + 1..].trim_ascii());
                let named = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
                if name.is_empty() || !name.iter().all(named) {
                    return Err(Refused::Character);
                }
                (self.headers, self.continued) = (true, continued);
                if name.eq_ignore_ascii_case(b"DEK-Info") {
                    let value = &value[..value.len().min(LOOK_AROUND)];
                    self.dek_info = Some(String::from_utf8_lossy(value).into_owned());
                }
                return Ok(());
            }
            if self.headers && line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
                return Ok(());
            }
        }
        // RFC 9580, 6.1: the checksum line of OpenPGP.
        if self.label.starts_with("PGP ") && trimmed.len() == 5 && trimmed[0] == b'=' {
            return Ok(());
        }
        self.body.push(trimmed, self.limit)
    }

    /// The end marker came; `rest` is what follows its `END`, and `end` where its label ends.
    fn closed(self, rest: &[u8], end: Option<usize>, found: &mut dyn FnMut(Block)) {
        let matches = end.is_some_and(|end| &rest[..end] == self.label.as_bytes());
        let fault = (!matches).then(|| {
            let other = &rest[..end.unwrap_or(rest.len()).min(64)];
            Fault::OtherEnd(String::from_utf8_lossy(other).into_owned())
        });
        self.hand_out(fault, found);
    }

    /// Inside of a line, markers with next to nothing behind them belong to programs and prose.
    fn hand_out(self, fault: Option<Fault>, found: &mut dyn FnMut(Block)) {
        if self.inline.is_none() || self.body.octets().len() >= LEAST_INLINE {
            found(self.ended(fault));
        }
    }

    fn ended(self, fault: Option<Fault>) -> Block {
        let (octets, whole) = self.body.finish();
        Block {
            label: self.label,
            dek_info: self.dek_info,
            octets,
            own_line: self.own_line,
            fault: fault.or((!whole).then_some(Fault::HalfOctet)),
        }
    }
}

/// Where the first line ends and the next one begins: behind a line feed, carriage returns and a
/// line feed, or a carriage return. A carriage return at the end may be the front of both.
fn line_end(text: &[u8], last: bool) -> Option<(usize, usize)> {
    let end = memchr::memchr2(b'\n', b'\r', text)?;
    let returns = text[end..].iter().take_while(|octet| **octet == b'\r').count();
    match text.get(end + returns) {
        Some(b'\n') => Some((end, end + returns + 1)),
        None if !last => None,
        _ => Some((end, end + 1)),
    }
}

/// The label in the rest of a marker's line, if the line ends as a marker does (RFC 7468, 3).
fn label(line: &[u8], dashes: Dashes) -> Option<&str> {
    let label = line.trim_ascii_end().strip_suffix(dashes.end().1)?;
    // No other label is written with four.
    if dashes == Dashes::Four && !label.starts_with(b"SSH2 ") {
        return None;
    }
    let known = |octet: &u8| {
        octet.is_ascii_uppercase() || octet.is_ascii_digit() || b" #/._".contains(octet)
    };
    if label.is_empty() || label.len() > 64 || !label.iter().all(known) {
        return None;
    }
    std::str::from_utf8(label).ok()
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoEnd => f.write_str("the text ends before the END line"),
            Self::Cut => f.write_str(
                "the part of the file that was read ends before the END line (`max_file_bytes`)",
            ),
            Self::NextBegins => f.write_str("another block begins before the END line"),
            Self::OtherEnd(label) => {
                let shown: String =
                    label.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
                write!(f, "the END line names another label: `{shown}`")
            }
            Self::NotBase64 { .. } => f.write_str("a line in it is not base64"),
            Self::HalfOctet => f.write_str("the base64 stops in the middle of an octet"),
            Self::TooLarge(limit) => {
                write!(f, "longer than {limit} octets, the most that is read of one object")
            }
        }
    }
}
