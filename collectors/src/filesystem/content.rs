//! Reads one file and recognises what it holds, by content and never by name.
//!
//! Every file is searched for the marker of text encodings and for the first octets of binary ones;
//! the search costs about what reading costs. Only a hit is looked at more closely. A file is read
//! into one buffer that its thread uses for all files; a larger one is pushed through that buffer.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use memchr::memmem::Finder;
use pki_inventory::{GapReason, Kind, Raw};
use zeroize::{Zeroize as _, Zeroizing};

use super::der_shape::{Shape, announced, shape};
use super::objects;
use super::pem::{BEGIN, LARGEST_OBJECT, LARGEST_REVOCATION_LIST, Scanner};
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
        let first = usize::try_from(limit).unwrap_or(WINDOW).min(WINDOW);
        let filled = fill(file, &mut self.buffer[..first])?;
        let window = &self.buffer[..filled];
        let telling = has_telling_name(path);
        let whole = u64::try_from(filled).is_ok_and(|filled| filled >= limit) || filled < first;
        let binary = shape(window);
        let marked = !whole || self.begin.find(window).is_some();
        if binary.is_none() && !marked && !telling {
            return Ok(filled as u64);
        }
        describe(report);
        let mut octets = filled as u64;
        if let Some(shape) = binary {
            octets += encoded(shape, window, file, limit, report)?;
        }
        if marked && octets == filled as u64 {
            let strict = Strictness { telling, begins: begins_with_marker(window) };
            octets = self.text(file, filled, limit, strict, report)?;
        }
        if report.private_key {
            self.buffer.as_mut_slice().zeroize();
        }
        if telling && report.is_blank() && size <= most {
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            report.gap(
                GapReason::Unrecognised,
                format!("named like cryptographic material (.{ending}), but holds none of the formats known here"),
            );
        }
        Ok(octets)
    }

    /// Pushes the whole file through the scanner, window by window.
    fn text(
        &mut self,
        file: &mut File,
        filled: usize,
        limit: u64,
        strict: Strictness,
        report: &mut FileReport<'_>,
    ) -> io::Result<u64> {
        let mut scanner = Scanner::new();
        let (mut filled, mut total) = (filled, filled as u64);
        let mut ended = filled < WINDOW;
        loop {
            let last = ended || total >= limit;
            let done = scanner.feed(&self.buffer[..filled], last, &mut |block| {
                objects::block(block, strict, report);
            });
            if last {
                return Ok(total);
            }
            self.buffer.copy_within(done..filled, 0);
            filled -= done;
            let room = self.buffer.len() - filled;
            let want = usize::try_from(limit - total).unwrap_or(room).min(room);
            let more = fill(file, &mut self.buffer[filled..filled + want])?;
            // The scanner always makes room; if it did not, going on would never end.
            ended = more < want || want == 0;
            filled += more;
            total += more as u64;
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

/// Hands over binary objects that stand one after the other from the start of the file. Returns
/// how many octets were read beyond the window.
fn encoded(
    first: Shape,
    window: &[u8],
    file: &mut File,
    limit: u64,
    report: &mut FileReport<'_>,
) -> io::Result<u64> {
    let (mut next, mut at) = (Some(first), 0);
    while let Some(shape) = next {
        let rest = &window[at..];
        if let Shape::Container(name) = shape {
            report.not_read(name);
            return Ok(0);
        }
        let Some(length) = announced(rest) else { return Ok(0) };
        let Some(object) = rest.get(..length) else {
            return beyond(shape, rest, length, file, limit - (window.len() as u64), report);
        };
        objects::encoding(shape, object, report);
        at += length;
        next = self::shape(&window[at..]).filter(|shape| !matches!(shape, Shape::Container(_)));
    }
    Ok(0)
}

/// An object that is longer than what is in the window.
fn beyond(
    shape: Shape,
    start: &[u8],
    length: usize,
    file: &mut File,
    left: u64,
    report: &mut FileReport<'_>,
) -> io::Result<u64> {
    let Some(claimed) = objects::kind(shape) else { return Ok(0) };
    let most =
        if shape == Shape::RevocationList { LARGEST_REVOCATION_LIST } else { LARGEST_OBJECT };
    let missing = length - start.len();
    if missing as u64 > left {
        let there = start.len() as u64 + left;
        let error =
            format!("the encoding announces {length} octets and the file ends after {there}");
        report.unparsed(claimed, start, error);
        return Ok(0);
    }
    if length > most {
        let error = format!("longer than {most} octets, the most that is read of one object");
        report.unparsed(claimed, start, error);
        return Ok(0);
    }
    let mut object = Zeroizing::new(vec![0; length]);
    object[..start.len()].copy_from_slice(start);
    let more = fill(file, &mut object[start.len()..])?;
    object.truncate(start.len() + more);
    if claimed == Kind::RevocationList {
        report.encoding(Raw::RevocationList(std::mem::take(&mut *object)));
    } else {
        objects::encoding(shape, &object, report);
    }
    Ok(more as u64)
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
