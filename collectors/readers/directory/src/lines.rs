//! Lines of text in any encoding that Windows or Unix writes, one at a time and none of them larger
//! than is allowed.

use std::io::{self, BufRead, ErrorKind};

/// Octets that are decoded from UTF-16 at a time.
const WINDOW: usize = 8 * 1024;

/// Lines of a text in UTF-8, or in UTF-16 with a byte order mark (`ldifde -u`, PowerShell's `>`).
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: Text<R>,
    /// Lines begun so far.
    number: u64,
    /// A line that is to come once more.
    again: Option<Vec<u8>>,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It is there as a whole.
    Whole,
    /// It was longer than allowed; what is there is its beginning.
    Cut,
    /// There is none.
    End,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from: Text::new(from), number: 0, again: None }
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Appends the next line without its end. Of a longer line than `most` the rest is passed over.
    pub(crate) fn append(&mut self, into: &mut Vec<u8>, most: usize) -> io::Result<Line> {
        if let Some(again) = self.again.take() {
            self.number += 1;
            into.extend_from_slice(&again);
            return Ok(Line::Whole);
        }
        let start = into.len();
        let room = |taken: usize| most.saturating_add(2).saturating_sub(taken);
        let (mut any, mut ended) = (false, false);
        while !ended {
            let window = self.from.fill()?;
            if window.is_empty() {
                break;
            }
            any = true;
            let (length, end) = match window.iter().position(|octet| *octet == b'\n') {
                Some(at) => (at + 1, true),
                None => (window.len(), false),
            };
            let kept = length.min(room(into.len() - start));
            into.extend_from_slice(&window[..kept]);
            self.from.consume(length);
            ended = end;
        }
        if !any {
            return Ok(Line::End);
        }
        self.number += 1;
        for end in [b'\n', b'\r'] {
            if into.len() > start && into.last() == Some(&end) {
                into.pop();
            }
        }
        if into.len() - start > most {
            into.truncate(start + most);
            return Ok(Line::Cut);
        }
        Ok(Line::Whole)
    }

    /// Lets a line that was read come once more.
    pub(crate) fn unread(&mut self, line: &[u8]) {
        self.number -= 1;
        self.again = Some(line.to_vec());
    }

    /// Takes this octet off the next line, if it begins with it.
    pub(crate) fn takes(&mut self, octet: u8) -> io::Result<bool> {
        let there = self.again.is_none() && self.from.fill()?.first() == Some(&octet);
        if there {
            self.from.consume(1);
        }
        Ok(there)
    }
}

/// A text, brought to UTF-8 where it is not.
#[derive(Debug)]
struct Text<R> {
    from: R,
    form: Form,
    /// Octets in UTF-8 that were not consumed yet, before those of `from`.
    ready: Vec<u8>,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    /// UTF-8, or a code page of which only ASCII is relied on.
    Octets,
    LittleEndian,
    BigEndian,
}

impl<R: BufRead> Text<R> {
    fn new(from: R) -> Self {
        Self { from, form: Form::Unknown, ready: Vec::new(), at: 0 }
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.form == Form::Unknown {
            self.recognise()?;
        }
        if self.at >= self.ready.len() {
            (self.ready, self.at) = (Vec::new(), 0);
            if self.form == Form::Octets {
                return filled(&mut self.from);
            }
            self.decode()?;
        }
        Ok(&self.ready[self.at..])
    }

    fn consume(&mut self, length: usize) {
        if self.at < self.ready.len() {
            self.at += length;
        } else {
            self.from.consume(length);
        }
    }

    /// Takes a byte order mark off the front.
    fn recognise(&mut self) -> io::Result<()> {
        let mut first = Vec::new();
        while first.len() < 3 {
            let Some(octet) = next(&mut self.from)? else { break };
            first.push(octet);
        }
        (self.form, self.ready) = match first.as_slice() {
            [0xef, 0xbb, 0xbf] => (Form::Octets, Vec::new()),
            [0xff, 0xfe, rest @ ..] => (Form::LittleEndian, rest.to_vec()),
            [0xfe, 0xff, rest @ ..] => (Form::BigEndian, rest.to_vec()),
            _ => (Form::Octets, first),
        };
        if self.form != Form::Octets {
            let half = std::mem::take(&mut self.ready);
            self.decode_after(half)?;
        }
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        self.decode_after(Vec::new())
    }

    /// Brings the next window over; a code unit or a pair of surrogates is not cut.
    fn decode_after(&mut self, mut octets: Vec<u8>) -> io::Result<()> {
        while octets.len() < WINDOW {
            let Some(octet) = next(&mut self.from)? else { break };
            octets.push(octet);
        }
        let mut units = self.units(&octets);
        let is_first_half = |unit: Option<&u16>| unit.is_some_and(|unit| *unit & 0xfc00 == 0xd800);
        if octets.len() % 2 == 1 || is_first_half(units.last()) {
            let missing = if octets.len() % 2 == 1 { 1 } else { 2 };
            for _ in 0..missing {
                octets.extend(next(&mut self.from)?);
            }
            units = self.units(&octets);
        }
        let text =
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        (self.ready, self.at) = (text.collect::<String>().into_bytes(), 0);
        Ok(())
    }

    fn units(&self, octets: &[u8]) -> Vec<u16> {
        let (pairs, _) = octets.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| match self.form {
            Form::BigEndian => u16::from_be_bytes(*pair),
            _ => u16::from_le_bytes(*pair),
        };
        pairs.iter().map(unit).collect()
    }
}

fn filled(from: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match from.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // Asked again: the borrow of a buffer cannot leave a loop. What is there is handed out.
    from.fill_buf()
}

fn next(from: &mut impl BufRead) -> io::Result<Option<u8>> {
    let octet = filled(from)?.first().copied();
    if octet.is_some() {
        from.consume(1);
    }
    Ok(octet)
}

/// A text for a sentence about it: short, on one line.
pub(crate) fn quoted(octets: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(&octets[..octets.len().min(4 * MOST)]);
    let mut short: String = crate::clean(&text).chars().take(MOST).collect();
    if short.len() < octets.len() {
        short.push('…');
    }
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(octets: &[u8], window: usize, most: usize) -> Vec<(Vec<u8>, Line)> {
        let mut lines = Lines::new(io::BufReader::with_capacity(window, octets));
        let mut found = Vec::new();
        loop {
            let mut line = Vec::new();
            match lines.append(&mut line, most).expect("no error") {
                Line::End => return found,
                how => found.push((line, how)),
            }
        }
    }

    #[test]
    fn lines_come_out_alike_whatever_their_encoding_and_however_they_are_cut() {
        let text = "a\r\n\nbä😀c\nlast";
        let expected: Vec<(Vec<u8>, Line)> = ["a", "", "bä😀c", "last"]
            .iter()
            .map(|line| (line.as_bytes().to_vec(), Line::Whole))
            .collect();
        let utf16 = |mark: u16, octets: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(mark).chain(text.encode_utf16()).flat_map(octets).collect()
        };
        let forms = [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16(0xfeff, u16::to_le_bytes),
            utf16(0xfeff, u16::to_be_bytes),
        ];
        for form in &forms {
            for window in [1, 2, 3, 5, 4096] {
                assert_eq!(all(form, window, 100), expected, "{window} {form:?}");
            }
        }
    }

    #[test]
    fn a_pair_of_surrogates_on_the_edge_of_a_window_stays_one_character() {
        for before in [WINDOW / 2 - 2, WINDOW / 2 - 1, WINDOW / 2] {
            let text = format!("{}😀x", "a".repeat(before));
            let octets = std::iter::once(0xfeff_u16).chain(text.encode_utf16());
            let octets: Vec<u8> = octets.flat_map(u16::to_le_bytes).collect();
            assert_eq!(all(&octets, 100, 1 << 20), [(text.into_bytes(), Line::Whole)]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let found = all(b"abcdef\nabc\r\nabcd\r\n", 2, 3);
        let expected = [("abc", Line::Cut), ("abc", Line::Whole), ("abc", Line::Cut)];
        assert_eq!(found, expected.map(|(line, how)| (line.as_bytes().to_vec(), how)));
    }

    #[test]
    fn a_line_comes_once_more_and_counts_once() {
        let mut lines = Lines::new(&b"a\nb"[..]);
        let mut line = Vec::new();
        lines.append(&mut line, 10).unwrap();
        lines.unread(&line);
        let mut again = Vec::new();
        lines.append(&mut again, 10).unwrap();
        assert_eq!((again.as_slice(), lines.number()), (&b"a"[..], 1));
    }
}
