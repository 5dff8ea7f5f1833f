//! Finds the encapsulated blocks of a text (RFC 7468, RFC 1421), whatever stands around them.
//!
//! The text is pushed in, window by window, so a file of any size takes the memory of one window
//! and one object. Written for what lies on disks rather than for the standard: several kinds of
//! blocks in one file, text between them, any line ends, byte order marks, indentation, headers
//! inside the block, a missing last line end.

use memchr::memmem::Finder;
use zeroize::Zeroizing;

use super::base64::{Decoder, Refused};

/// One block, whole or broken.
#[derive(Debug)]
pub(super) struct Block {
    /// What stands between `-----BEGIN ` and `-----`.
    pub(super) label: String,
    /// The `DEK-Info` header (RFC 1421, 4.6.1.3), which says that a passphrase is needed.
    pub(super) dek_info: Option<String>,
    /// What the base64 says, up to the fault if there is one. It may be a secret.
    pub(super) octets: Zeroizing<Vec<u8>>,
    /// The marker stood at the start of its line, apart from white space. Elsewhere it is more
    /// often a string in a program than a block.
    pub(super) own_line: bool,
    /// Why the block is not whole.
    pub(super) fault: Option<Fault>,
}

/// Why a block is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
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

/// Keeps its place between windows.
pub(super) struct Scanner {
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
    own_line: bool,
    limit: usize,
    headers: bool,
    dek_info: Option<String>,
    body: Decoder,
}

pub(super) const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Enough for the longest marker with its indentation.
const LOOK_AROUND: usize = 256;

/// The longest line that is waited for; a longer one is no base64 line.
const LONGEST_LINE: usize = 1024 * 1024;

/// The most octets one object may have: a megabyte of base64. Only revocation lists grow beyond.
pub(super) const LARGEST_OBJECT: usize = 768 * 1024;
pub(super) const LARGEST_REVOCATION_LIST: usize = 32 * 1024 * 1024;

impl Scanner {
    pub(super) fn new() -> Self {
        Self { begin: Finder::new(BEGIN), open: None, before: b'\n', behind_end: None }
    }

    /// Looks through the next window and hands out every block that ends in it. Returns how many
    /// octets are done with; the rest has to stand at the front of the next window.
    pub(super) fn feed(
        &mut self,
        window: &[u8],
        last: bool,
        found: &mut dyn FnMut(Block),
    ) -> usize {
        let mut at = 0;
        let done = loop {
            let step = match self.open.take() {
                None => self.seek(window, at, last),
                Some(open) => self.continue_block(open, window, at, last, found),
            };
            match step {
                Some(next) => at = next,
                None => break self.resting_place(window, at, last),
            }
        };
        if last && let Some(open) = self.open.take() {
            found(open.ended(Some(Fault::NoEnd)));
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
            let start = from + self.begin.find(&window[from..])?;
            let rest = &window[start + BEGIN.len()..];
            let near = &rest[..rest.len().min(LOOK_AROUND / 2)];
            let (line, next) = match memchr::memchr(b'\n', near) {
                Some(end) => (&near[..end], start + BEGIN.len() + end + 1),
                None if near.len() < rest.len() || last => (near, start + BEGIN.len() + near.len()),
                None => return None,
            };
            let whole = next > start + BEGIN.len() + line.len() || next == window.len();
            if whole && let Some(label) = label(line) {
                let own_line = self.starts_line(window, start);
                self.open = Some(Open::new(label, own_line));
                return Some(next);
            }
            from = start + BEGIN.len();
        }
    }

    /// Whether only white space, or a byte order mark, stands between the line's start and the
    /// marker.
    fn starts_line(&self, window: &[u8], start: usize) -> bool {
        let near = &window[start.saturating_sub(LOOK_AROUND / 2)..start];
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
        let (line, next) = match memchr::memchr(b'\n', rest) {
            Some(end) => (&rest[..end], at + end + 1),
            None if rest.is_empty() || (!last && rest.len() < LONGEST_LINE) => {
                self.open = Some(open);
                return None;
            }
            None => (rest, window.len()),
        };
        let trimmed = line.trim_ascii();
        if let Some(rest) = trimmed.strip_prefix(END) {
            let marker = memchr::memmem::find(rest, DASHES);
            found(open.closed(rest, marker));
            let Some(label) = marker else { return Some(next) };
            let indent = line.len() - line.trim_ascii_start().len();
            let behind = at + indent + END.len() + label + DASHES.len();
            self.behind_end = Some(behind);
            return Some(behind);
        }
        if trimmed.starts_with(BEGIN) {
            found(open.ended(Some(Fault::NextBegins)));
            // The same line again, from outside.
            return Some(at);
        }
        match open.take(line, trimmed) {
            Ok(()) => self.open = Some(open),
            Err(Refused::Limit) => {
                let limit = open.limit;
                found(open.ended(Some(Fault::TooLarge(limit))));
            }
            Err(Refused::Character) => {
                let text = !trimmed.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t');
                found(open.ended(Some(Fault::NotBase64 { text })));
                // A marker may stand further right on this line.
                return Some(at + (next - at).min(1));
            }
        }
        Some(next)
    }
}

impl Open {
    fn new(label: &str, own_line: bool) -> Self {
        let revocation_list = label == "X509 CRL";
        Self {
            label: label.to_owned(),
            own_line,
            limit: if revocation_list { LARGEST_REVOCATION_LIST } else { LARGEST_OBJECT },
            headers: false,
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
            // RFC 1421, 4.4: headers are `Name: value`, and go on in lines that are indented.
            if let Some(colon) = memchr::memchr(b':', trimmed) {
                let (name, value) = (&trimmed[..colon], trimmed[colon + 1..].trim_ascii());
                let named = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
                if name.is_empty() || !name.iter().all(named) {
                    return Err(Refused::Character);
                }
                self.headers = true;
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

    /// The end marker came; `rest` is what follows `-----END `, and `end` where its label ends.
    fn closed(self, rest: &[u8], end: Option<usize>) -> Block {
        let matches = end.is_some_and(|end| &rest[..end] == self.label.as_bytes());
        let fault = (!matches).then(|| {
            let other = &rest[..end.unwrap_or(rest.len()).min(64)];
            Fault::OtherEnd(String::from_utf8_lossy(other).into_owned())
        });
        self.ended(fault)
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

/// The label in the rest of a marker's line, if the line ends as a marker does (RFC 7468, 3).
fn label(line: &[u8]) -> Option<&str> {
    let label = line.trim_ascii_end().strip_suffix(DASHES)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole at once and cut into small windows: the result has to be the same.
    fn check(text: &str, expected: &[(&str, &[u8], Option<Fault>)]) {
        for window in [usize::MAX, 600] {
            let mut blocks = Vec::new();
            let mut scanner = Scanner::new();
            let (mut rest, mut held) = (text.as_bytes(), Vec::new());
            loop {
                let take = rest.len().min(window);
                held.extend_from_slice(&rest[..take]);
                rest = &rest[take..];
                let done = scanner.feed(&held, rest.is_empty(), &mut |block| {
                    blocks.push((block.label, block.octets.to_vec(), block.fault));
                });
                held.drain(..done);
                if rest.is_empty() {
                    break;
                }
            }
            let blocks: Vec<_> = blocks
                .iter()
                .map(|(label, octets, fault)| (label.as_str(), octets.as_slice(), fault.clone()))
                .collect();
            assert_eq!(blocks, expected, "in windows of {window}: {text:?}");
        }
    }

    const FOO: &str = "-----BEGIN A-----\nZm9v\n-----END A-----\n";

    #[test]
    fn blocks_are_found_in_any_surroundings() {
        let foo: &[u8] = b"foo";
        check(FOO, &[("A", foo, None)]);
        check(FOO.trim_end(), &[("A", foo, None)]);
        check(&FOO.replace('\n', "\r\n"), &[("A", foo, None)]);
        check(&format!("\u{feff}{FOO}"), &[("A", foo, None)]);
        check(
            &format!("text before\n{FOO}between\n{FOO}after"),
            &[("A", foo, None), ("A", foo, None)],
        );
        check(
            &FOO.lines().map(|line| format!("    {line}\n")).collect::<String>(),
            &[("A", foo, None)],
        );
        check("-----BEGIN A-----\n\nZm\n\n9v\n\n-----END A-----", &[("A", foo, None)]);
        check(
            "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,1\n\nZm9v\n-----END A-----",
            &[("A", foo, None)],
        );
        check(&format!("{}{FOO}", "x".repeat(1000)), &[("A", foo, None)]);
    }

    #[test]
    fn blocks_that_were_joined_without_a_line_end_are_all_found() {
        let foo: &[u8] = b"foo";
        let glued = FOO.trim_end().repeat(3);
        check(&glued, &[("A", foo, None), ("A", foo, None), ("A", foo, None)]);
        for filling in 500..620 {
            let long = format!("{}\n{glued}", "x".repeat(filling));
            check(&long, &[("A", foo, None), ("A", foo, None), ("A", foo, None)]);
        }
        let marked = format!("{}\u{feff}{FOO}", FOO.trim_end());
        check(&marked, &[("A", foo, None), ("A", foo, None)]);
        // The second one is where a line would begin, wherever a window ends.
        for end in 1..glued.len() {
            let (mut scanner, mut own_lines) = (Scanner::new(), Vec::new());
            let done = scanner
                .feed(&glued.as_bytes()[..end], false, &mut |block| own_lines.push(block.own_line));
            scanner
                .feed(&glued.as_bytes()[done..], true, &mut |block| own_lines.push(block.own_line));
            assert_eq!(own_lines, [true; 3], "{end}");
        }
    }

    #[test]
    fn a_fault_ends_one_block_and_no_other() {
        let fo: &[u8] = b"foo";
        let broken = |fault| ("A", fo, Some(fault));
        let good = ("A", fo, None);
        check(
            &format!("-----BEGIN A-----\nZm9v\n{FOO}"),
            &[broken(Fault::NextBegins), good.clone()],
        );
        check(
            &format!("-----BEGIN A-----\nZm9v\n...\n{FOO}"),
            &[broken(Fault::NotBase64 { text: true }), good.clone()],
        );
        check(
            &format!("-----BEGIN A-----\nZm9v\n-----END B-----\n{FOO}"),
            &[broken(Fault::OtherEnd("B".into())), good],
        );
        check("-----BEGIN A-----\nZm9v\n", &[broken(Fault::NoEnd)]);
        check("-----BEGIN A-----\nZm9vZ\n-----END A-----", &[broken(Fault::HalfOctet)]);
        check("-----BEGIN A-----", &[("A", b"", Some(Fault::NoEnd))]);
    }

    #[test]
    fn what_only_looks_like_a_marker_is_none() {
        for text in [
            "-----BEGIN CERTIFICATE",
            "-----BEGIN -----\nZm9v\n",
            "\"-----BEGIN CERTIFICATE-----\\n\"\nZm9v\n",
            "-----BEGIN %s-----\nZm9v\n",
            "-----BEGIN a b-----\nZm9v\n",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_marker_inside_a_line_is_told_from_one_at_its_start() {
        for (text, own_line) in [
            ("-----BEGIN A-----\nZm9v\n-----END A-----", true),
            ("x\n \t-----BEGIN A-----\nZm9v\n-----END A-----", true),
            ("key = \"-----BEGIN A-----\nZm9v\n-----END A-----", false),
        ] {
            let mut seen = None;
            Scanner::new().feed(text.as_bytes(), true, &mut |block| seen = Some(block.own_line));
            assert_eq!(seen, Some(own_line), "{text}");
        }
    }
}
