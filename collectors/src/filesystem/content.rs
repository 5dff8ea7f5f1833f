//! Reads one file and recognises what it holds, by content and never by name.
//!
//! Every file is searched for the marker of text encodings and for the first octets of binary ones;
//! the search costs about what reading costs. Only a hit is looked at more closely. A file is read
//! into one buffer that its thread uses for all files; a larger one is pushed through that buffer:
//! binary objects from its start first, then text from where they end.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use memchr::memmem::Finder;
use pki_inventory::GapReason;
use zeroize::{Zeroize as _, Zeroizing};

use super::der_shape::{Shape, announced, shape};
use super::objects;
use super::pem::{BEGIN, Fault, LARGEST_OBJECT, Scanner};
use super::report::FileReport;

/// The buffer of one thread, and what it searches with.
pub(super) struct Eye {
    buffer: Vec<u8>,
    begin: Finder<'static>,
}

/// Files up to this size are read at once.
const WINDOW: usize = 4 * 1024 * 1024;

/// Endings by which people mark cryptographic material. They decide nothing about what is read,
/// only whether finding nothing is worth a word.
const TELLING_NAMES: &[&str] = &[
    "cer",
    "cert",
    "crl",
    "crt",
    "csr",
    "der",
    "jks",
    "key",
    "keystore",
    "p12",
    "p7b",
    "p7c",
    "p8",
    "pem",
    "pfx",
    "truststore",
];

impl Eye {
    pub(super) fn new() -> Self {
        // Zeroed memory costs nothing until it is touched.
        Self { buffer: vec![0; WINDOW], begin: Finder::new(BEGIN) }
    }

    /// Looks through an open file and returns how many octets were read.
    ///
    /// # Errors
    ///
    /// When reading fails; what was found before stays in the report.
    pub(super) fn look(
        &mut self,
        file: &mut File,
        metadata: &Metadata,
        path: &Path,
        most: u64,
        describe: impl FnOnce(&mut FileReport<'_>),
        report: &mut FileReport<'_>,
    ) -> io::Result<u64> {
        let size = metadata.len();
        let limit = size.min(most);
        if size > most {
            report.gap(
                GapReason::TooLarge,
                format!("{size} octets; the first {most} were read (`max_file_bytes`)"),
            );
        }
        if limit == 0 {
            return Ok(0);
        }
        let mut reading = Reading::start(file, &mut self.buffer, limit, size > most)?;
        let window = reading.window(0);
        let telling = has_telling_name(path);
        let marked = !reading.at_end() || self.begin.find(window).is_some();
        let strict = Strictness { telling, begins: begins_with_marker(window) };
        let binary = shape(window).is_some();
        if !binary && !marked && !telling {
            return Ok(reading.octets);
        }
        describe(report);
        let read = reading.objects(binary, marked, strict, report);
        let octets = reading.octets;
        if report.private_key {
            self.wipe();
        }
        read?;
        if telling && report.is_blank() && size <= most {
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            report.gap(
                GapReason::Unrecognised,
                format!("named like cryptographic material (.{ending}), but holds none of the formats known here"),
            );
        }
        Ok(octets)
    }

    /// Forgets what was read: it may have been a secret.
    pub(super) fn wipe(&mut self) {
        self.buffer.as_mut_slice().zeroize();
    }
}

/// A file that is pushed through a buffer.
struct Reading<'a> {
    file: &'a mut File,
    buffer: &'a mut [u8],
    /// Octets in the buffer.
    filled: usize,
    /// Octets read so far.
    octets: u64,
    /// The most that are read.
    limit: u64,
    /// The file is larger than that.
    cut: bool,
    /// The file was shorter than it said.
    ended: bool,
}

impl<'a> Reading<'a> {
    fn start(file: &'a mut File, buffer: &'a mut [u8], limit: u64, cut: bool) -> io::Result<Self> {
        let mut reading = Self { file, buffer, filled: 0, octets: 0, limit, cut, ended: false };
        reading.advance(0)?;
        Ok(reading)
    }

    /// What is in the buffer from here on.
    fn window(&self, from: usize) -> &[u8] {
        &self.buffer[from..self.filled]
    }

    /// Whether nothing more will be read than is in the buffer.
    fn at_end(&self) -> bool {
        self.ended || self.octets >= self.limit
    }

    fn left(&self) -> u64 {
        if self.ended { 0 } else { self.limit - self.octets }
    }

    /// Moves what begins here to the front of the buffer and fills the room behind it.
    fn advance(&mut self, from: usize) -> io::Result<()> {
        self.buffer.copy_within(from..self.filled, 0);
        self.filled -= from;
        let room = self.buffer.len() - self.filled;
        let want = usize::try_from(self.left()).unwrap_or(room).min(room);
        let more = fill(self.file, &mut self.buffer[self.filled..self.filled + want])?;
        self.filled += more;
        self.octets += more as u64;
        self.ended |= more < want;
        Ok(())
    }

    fn objects(
        &mut self,
        binary: bool,
        marked: bool,
        strict: Strictness,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        let text = if binary { self.encodings(report)? } else { 0 };
        if marked { self.text(text, strict, report) } else { Ok(()) }
    }

    /// Hands over binary objects that stand one after the other from the start of the file. Returns
    /// where in the buffer what follows them begins.
    fn encodings(&mut self, report: &mut FileReport<'_>) -> io::Result<usize> {
        let mut at = 0;
        let mut first = true;
        loop {
            // Keys are known as such only when they are complete.
            if self.filled - at < LARGEST_OBJECT && !self.at_end() {
                self.advance(at)?;
                at = 0;
            }
            let rest = self.window(at);
            let shape = match shape(rest) {
                Some(Shape::Container(name)) if first => {
                    report.not_read(name);
                    return Ok(at);
                }
                None | Some(Shape::Container(_)) => return Ok(at),
                Some(shape) => shape,
            };
            first = false;
            let (Some(length), Some(claimed)) = (announced(rest), objects::kind(shape)) else {
                return Ok(at);
            };
            let there = rest.len() as u64 + self.left();
            if length as u64 > there {
                let why = if self.cut {
                    format!("only the first {there} were read (`max_file_bytes`)")
                } else {
                    format!("the file ends after {there}")
                };
                let error = format!("the encoding announces {length} octets and {why}");
                report.unparsed(claimed, rest, error);
                return Ok(at);
            }
            let most = objects::most(shape);
            if length > most {
                let error =
                    format!("longer than {most} octets, the most that is read of one object");
                report.unparsed(claimed, rest, error);
                at = self.skip(at, length)?;
            } else if let Some(object) = rest.get(..length) {
                objects::encoding(shape, object, report);
                at += length;
            } else {
                self.beyond(at, length, shape, report)?;
                at = 0;
            }
        }
    }

    /// Passes over as many octets and returns where in the buffer the next one is.
    fn skip(&mut self, from: usize, length: usize) -> io::Result<usize> {
        let (mut at, mut left) = (from, length);
        while left > self.filled - at {
            left -= self.filled - at;
            self.advance(self.filled)?;
            at = 0;
            if self.filled == 0 {
                return Ok(0);
            }
        }
        Ok(at + left)
    }

    /// Hands over an object that is longer than the buffer, and goes on behind it.
    fn beyond(
        &mut self,
        at: usize,
        length: usize,
        shape: Shape,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        let mut object = Zeroizing::new(vec![0; length]);
        let start = self.filled - at;
        object[..start].copy_from_slice(self.window(at));
        let more = fill(self.file, &mut object[start..])?;
        self.ended |= start + more < length;
        self.octets += more as u64;
        object.truncate(start + more);
        objects::whole(shape, &mut object, report);
        self.advance(self.filled)
    }

    /// Pushes the rest of the file through the scanner, window by window.
    fn text(
        &mut self,
        from: usize,
        strict: Strictness,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        let mut scanner = Scanner::new();
        let mut at = from;
        loop {
            let (last, cut) = (self.at_end(), self.cut);
            at += scanner.feed(self.window(at), last, &mut |mut block| {
                if cut && block.fault == Some(Fault::NoEnd) {
                    block.fault = Some(Fault::Cut);
                }
                objects::block(block, strict, report);
            });
            if last {
                return Ok(());
            }
            // The scanner always makes room; if it did not, going on would never end.
            self.ended |= at == 0 && self.filled == self.buffer.len();
            self.advance(at)?;
            at = 0;
        }
    }
}

/// How sure one has to be before calling something broken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strictness {
    /// The file's name says that it holds cryptographic material.
    pub(super) telling: bool,
    /// The file begins with a marker.
    pub(super) begins: bool,
}

fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn has_telling_name(path: &Path) -> bool {
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| {
        TELLING_NAMES.iter().any(|telling| ending.eq_ignore_ascii_case(telling))
    })
}

fn begins_with_marker(window: &[u8]) -> bool {
    window.strip_prefix(b"\xef\xbb\xbf").unwrap_or(window).trim_ascii_start().starts_with(BEGIN)
}
