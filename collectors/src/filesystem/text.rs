//! Text: blocks between markers, blocks inside of base64, and keys that stand on lines of their own.
//!
//! Three readers go through the same windows. Each says how much of a window it is done with; the
//! next window begins with what the slowest of them still needs.

use std::io;

use pki_encodings::embedded::Embedded;
use pki_encodings::objects::{self, Strictness};
use pki_encodings::pem::{Block, Fault, Scanner};
use pki_encodings::{Report, Utf16};

use super::content::Look;
use super::reading::Reading;
use super::report::FileReport;
use super::stores;

/// The readers of one text.
pub(super) struct Text<'t> {
    look: &'t Look<'t>,
    strict: Strictness,
    readers: Readers,
    scanner: Scanner,
    embedded: Embedded,
    lines: pki_key_files::Text,
    /// For text in units of two octets.
    utf16: Option<Utf16>,
}

/// Which readers a text is shown to, besides the one that looks for markers. Programs and pictures
/// are spared the others: they hold none of what those look for, and much to search through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readers {
    /// Blocks inside of base64.
    pub(super) embedded: bool,
    /// Keys on lines of their own.
    pub(super) lines: bool,
}

impl<'t> Text<'t> {
    pub(super) fn new(
        look: &'t Look<'t>,
        strict: Strictness,
        readers: Readers,
        utf16: Option<Utf16>,
    ) -> Self {
        Self {
            look,
            strict,
            readers,
            scanner: Scanner::new(),
            embedded: Embedded::with(block),
            lines: pki_key_files::Text::new(),
            utf16,
        }
    }

    /// Goes through everything from here on.
    ///
    /// # Errors
    ///
    /// When reading fails; what was found before stays in the report.
    pub(super) fn read(
        mut self,
        reading: &mut Reading<'_>,
        from: usize,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        match self.utf16.take() {
            Some(utf16) => self.in_pairs(utf16, reading, from, report),
            None => self.in_octets(reading, from, report),
        }
    }

    fn in_octets(
        &mut self,
        reading: &mut Reading<'_>,
        from: usize,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        let mut at = [from; 3];
        loop {
            let (last, cut) = (reading.at_end(), reading.cut);
            let texts = at.map(|at| reading.window(at));
            let done = self.feed(texts, Cut { last, cut }, report);
            at = [at[0] + done[0], at[1] + done[1], at[2] + done[2]];
            if last {
                return Ok(());
            }
            let least = at.into_iter().min().unwrap_or_default();
            // The readers always make room; if they did not, going on would never end.
            if least == 0 && reading.filled == reading.room() {
                reading.end();
            }
            reading.advance(least)?;
            at = at.map(|at| at - least);
        }
    }

    /// The same for UTF-16: what becomes of a window is text of its own.
    fn in_pairs(
        &mut self,
        mut utf16: Utf16,
        reading: &mut Reading<'_>,
        from: usize,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        let mut text = zeroize::Zeroizing::new(Vec::with_capacity(reading.room()));
        let mut at = [0; 3];
        let mut from = from;
        loop {
            let (last, cut) = (reading.at_end(), reading.cut);
            utf16.feed(reading.window(from), &mut text);
            let texts = at.map(|at| &text[at..]);
            let done = self.feed(texts, Cut { last, cut }, report);
            at = [at[0] + done[0], at[1] + done[1], at[2] + done[2]];
            if last {
                return Ok(());
            }
            let least = at.into_iter().min().unwrap_or_default();
            let stuck = least == 0 && text.len() > reading.room();
            if stuck {
                reading.end();
            }
            let rest = text.len() - least;
            text.copy_within(least.., 0);
            text.truncate(rest);
            at = at.map(|at| at - least);
            reading.advance(reading.filled)?;
            from = 0;
        }
    }

    /// Shows each reader what it is not done with, and gives how much it is done with then.
    fn feed(&mut self, texts: [&[u8]; 3], window: Cut, report: &mut FileReport<'_>) -> [usize; 3] {
        let Cut { last, cut } = window;
        let (strict, [marked, based, lined]) = (self.strict, texts);
        let blocks = self.scanner.feed(marked, last, &mut |block| {
            found(block, strict, cut, report);
        });
        let look = self.look;
        let keystore = &mut |octets: &[u8], report: &mut dyn Report| {
            stores::inside(look, octets, report);
        };
        let embedded = match self.readers.embedded {
            true => self.embedded.feed_with(based, last, keystore, report),
            false => based.len(),
        };
        let lines = match self.readers.lines {
            true => self.lines.feed(lined, last, report),
            false => lined.len(),
        };
        [blocks, embedded, lines]
    }
}

/// Where a window is cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// It is the last one.
    last: bool,
    /// The text goes on behind the last one.
    cut: bool,
}

fn found(mut found: Block, strict: Strictness, cut: bool, report: &mut FileReport<'_>) {
    if cut && found.fault == Some(Fault::NoEnd) {
        found.fault = Some(Fault::Cut);
    }
    block(found, strict, report);
}

/// Hands a block to who reads its form.
fn block(block: Block, strict: Strictness, report: &mut dyn Report) {
    if !pki_key_files::block(&block, report) {
        objects::block(block, strict, report);
    }
}
