//! Dumps of directories (RFC 2849), as `ldapsearch`, `slapcat`, `ldifde` and `ldbsearch` write them.
//!
//! Part of a dump may be broken. What is left of an entry comes first, and then, once, what is wrong
//! with it.

use std::io::{self, BufRead};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Entry;
use crate::lines::{Line, Lines, quoted};

/// The most octets of one value. Revocation lists of some megabytes occur.
pub const MOST_OF_A_VALUE: usize = 16 << 20;
/// The most octets of one entry.
pub const MOST_OF_AN_ENTRY: usize = 64 << 20;
/// The most attributes of one entry; their values are counted by the octets they take.
const MOST_ATTRIBUTES: usize = 1024;
/// What a value takes besides its octets, so that many empty ones are not for free.
const OVERHEAD: usize = 64;
/// The most octets of an attribute's name with its options.
const LONGEST_NAME: usize = 512;
/// The most octets of a line with those it is folded into, without their ends.
const LONGEST_LINE: usize = MOST_OF_A_VALUE / 3 * 4 + 4 + LONGEST_NAME;

/// Some writers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads entry by entry.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    /// What is wrong with the entry that was handed out last.
    waiting: Option<Damage>,
}

/// What is wrong with a part of a dump; reading goes on with the next entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The line that is wrong, from 1; for something that takes several lines, the first of them.
    pub line: u64,
    /// What is wrong, in a sentence.
    pub what: String,
}

/// A record as far as it was read.
#[derive(Debug, Default)]
struct Record {
    /// Whether there was a line of it.
    begun: bool,
    dn: Option<String>,
    entry: Entry,
    octets: usize,
    /// The first thing that is wrong, and its line.
    fault: Option<(u64, String)>,
    /// How much else is wrong.
    more: u64,
    /// Nothing that can be kept: a change, a referral.
    skipped: bool,
    /// What `ldapsearch` writes behind the entries.
    trailer: bool,
}

/// What a line says.
enum Parsed<'l> {
    Value(&'l str, Value<'l>),
    /// `-` between the parts of a change.
    Dash,
    Neither,
}

enum Value<'l> {
    Plain(&'l [u8]),
    Base64(&'l [u8]),
    Elsewhere,
}

impl<R: BufRead> Reader<R> {
    /// Begins at the start of a dump.
    pub fn new(from: R) -> Self {
        Self { lines: Lines::new(from), waiting: None }
    }

    /// The next entry, or what is wrong with it; `None` at the end. Of an entry that is broken in
    /// part comes what could be read, and next what is wrong.
    ///
    /// # Errors
    ///
    /// When reading itself fails. What is read later is not to be trusted.
    pub fn next_entry(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        if let Some(damage) = self.waiting.take() {
            return Ok(Some(Err(damage)));
        }
        let mut record = Record::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let (at, how) = self.logical(&mut line)?;
            if how == Line::End || (line.is_empty() && how == Line::Whole) {
                match (record.begun, how) {
                    (false, Line::End) => return Ok(None),
                    (false, _) => continue,
                    _ => {}
                }
                match record.end() {
                    (Some(entry), damage) => {
                        self.waiting = damage;
                        return Ok(Some(Ok(entry)));
                    }
                    (None, Some(damage)) => return Ok(Some(Err(damage))),
                    (None, None) => record = Record::default(),
                }
                continue;
            }
            if line.starts_with(b"#") {
                continue;
            }
            record.begun = true;
            record.line(&line, at, how);
        }
    }

    /// A line with those that continue it (RFC 2849, note 2), and its number.
    fn logical(&mut self, into: &mut Vec<u8>) -> io::Result<(u64, Line)> {
        let mut how = self.lines.append(into, LONGEST_LINE)?;
        let at = self.lines.number();
        while how != Line::End && !into.is_empty() && self.lines.takes(b' ')? {
            let room = LONGEST_LINE.saturating_sub(into.len());
            if self.lines.append(into, room)? == Line::Cut {
                how = Line::Cut;
            }
        }
        Ok((at, how))
    }
}

impl Record {
    fn line(&mut self, line: &[u8], at: u64, how: Line) {
        if self.skipped || (self.trailer && !line.starts_with(b"result:")) {
            return;
        }
        let (name, value) = match parsed(line) {
            Parsed::Value(name, value) => (name, value),
            Parsed::Dash => return self.wrong(at, "a change is not read".to_owned()),
            Parsed::Neither if self.dn.is_none() => {
                self.skipped = true;
                return self.wrong(at, format!("no entry begins with {}", quoted(line)));
            }
            Parsed::Neither => {
                return self.wrong(at, format!("{} has no attribute and value", quoted(line)));
            }
        };
        if how == Line::Cut {
            let what = format!("a value of `{name}` is larger than 16 MiB and was not read");
            // Without its name there is nothing to file an entry under.
            self.skipped = self.dn.is_none();
            return self.wrong(at, what);
        }
        if self.dn.is_none() {
            return self.head(name, value, at);
        }
        match name.to_ascii_lowercase().as_str() {
            // `ldifde` writes every entry as one that is to be added.
            "changetype" if value.is("add") => {}
            "changetype" => {
                self.skipped = true;
                self.wrong(at, "a change is not read, only entries are".to_owned());
            }
            "control" => {}
            "dn" | "version" => self.wrong(at, format!("`{name}` in the middle of an entry")),
            _ => self.attribute(name, value, at),
        }
    }

    /// The lines before the attributes.
    fn head(&mut self, name: &str, value: Value<'_>, at: u64) {
        match name.to_ascii_lowercase().as_str() {
            "version" if value.is("1") => {
                // The entry may follow without an empty line.
                self.begun = false;
            }
            "version" => {
                self.skipped = true;
                self.wrong(at, "a version of the format that is not known, not 1".to_owned());
            }
            "dn" => match value.text() {
                Ok(dn) => self.dn = Some(crate::clean(&dn)),
                Err(what) => {
                    self.skipped = true;
                    self.wrong(at, format!("the distinguished name {what}"));
                }
            },
            "ref" => {
                self.skipped = true;
                let to = value.octets().unwrap_or_default();
                self.wrong(at, format!("a referral to {}, which was not followed", quoted(&to)));
            }
            "search" => self.trailer = true,
            "result" => {
                self.trailer = true;
                let text = value.text().unwrap_or_default();
                if text.split_whitespace().next() != Some("0") {
                    let text = quoted(text.as_bytes());
                    self.wrong(at, format!("the search ended with {text}; entries are missing"));
                }
            }
            _ => {
                self.skipped = true;
                self.wrong(at, format!("no entry begins with `{name}`"));
            }
        }
    }

    fn attribute(&mut self, name: &str, value: Value<'_>, at: u64) {
        let value = match value.octets() {
            Ok(value) => value,
            Err(what) => return self.wrong(at, format!("the value of `{name}` {what}")),
        };
        if value.len() > MOST_OF_A_VALUE {
            let what = format!("a value of `{name}` is larger than 16 MiB and was not read");
            return self.wrong(at, what);
        }
        self.octets += value.len() + name.len() + OVERHEAD;
        if self.octets > MOST_OF_AN_ENTRY {
            self.skipped = true;
            self.entry = Entry::default();
            return self.wrong(at, "the entry is larger than 64 MiB and was not read".to_owned());
        }
        let attributes = &mut self.entry.attributes;
        // Values of one attribute mostly stand together.
        let known = attributes.iter().rposition(|(found, _)| found.eq_ignore_ascii_case(name));
        match known {
            Some(known) => attributes[known].1.push(value),
            None if attributes.len() < MOST_ATTRIBUTES => {
                attributes.push((name.to_owned(), vec![value]));
            }
            None => self.wrong(at, format!("`{name}` is one attribute too many, and not read")),
        }
    }

    fn wrong(&mut self, at: u64, what: String) {
        match self.fault {
            None => self.fault = Some((at, what)),
            Some(_) => self.more += 1,
        }
    }

    fn end(self) -> (Option<Entry>, Option<Damage>) {
        let more = match self.more {
            0 => String::new(),
            more => format!(", and {more} more in this entry"),
        };
        let damage = self.fault.map(|(line, what)| Damage { line, what: format!("{what}{more}") });
        let entry = self.dn.filter(|_| !self.skipped).map(|dn| Entry { dn, ..self.entry });
        (entry, damage)
    }
}

impl Value<'_> {
    fn octets(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Plain(value) => Ok(value.to_vec()),
            Self::Base64(value) => {
                let value: Vec<u8> =
                    value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
                BASE64.decode(value).map_err(|_| "is no base64".to_owned())
            }
            Self::Elsewhere => Err("is a file elsewhere, not read".to_owned()),
        }
    }

    fn text(&self) -> Result<String, String> {
        String::from_utf8(self.octets()?).map_err(|_| "is no UTF-8".to_owned())
    }

    fn is(&self, text: &str) -> bool {
        self.octets().is_ok_and(|found| found.trim_ascii().eq_ignore_ascii_case(text.as_bytes()))
    }
}

fn parsed(line: &[u8]) -> Parsed<'_> {
    if line == b"-" {
        return Parsed::Dash;
    }
    let colon = line.iter().take(LONGEST_NAME).position(|octet| *octet == b':');
    let Some((name, rest)) = colon.map(|at| (&line[..at], &line[at + 1..])) else {
        return Parsed::Neither;
    };
    // RFC 4512, 2.5, and what Active Directory writes besides: `member;range=0-1499`, `…=1500-*`.
    let allowed = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._;=*".contains(octet);
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty());
    let Some(name) = name.filter(|name| name.bytes().all(|octet| allowed(&octet))) else {
        return Parsed::Neither;
    };
    let value = match rest {
        [b':', rest @ ..] => Value::Base64(rest),
        [b'<', ..] => Value::Elsewhere,
        rest => {
            let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
            Value::Plain(&rest[spaces..])
        }
    };
    Parsed::Value(name, value)
}

#[cfg(test)]
mod tests;
