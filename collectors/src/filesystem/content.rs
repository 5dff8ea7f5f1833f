//! Looks through the octets of one file, or of one entry of an archive, and recognises what they
//! hold: by content and never by name.
//!
//! Every file is searched for the markers of text encodings and for the first octets of binary ones;
//! the search costs about what reading costs. Only a hit is looked at more closely. A file is read
//! into one buffer that its thread uses for all files; a larger one is pushed through that buffer:
//! binary objects from its start first, then text from where they end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pki_containers::Budget;
use pki_encodings::der_shape::{Shape, announced, shape};
use pki_encodings::objects::{self, Strictness};
use pki_encodings::pem::{BEGIN, LARGEST_OBJECT};
use pki_encodings::{Report as _, Utf16, embedded, pem, utf16};
use pki_inventory::{FileFacts, GapReason, Kind};
use pki_keystores::Purse;
use zeroize::Zeroizing;

use super::archive;
use super::boundaries::Boundaries;
use super::reading::{Input, Reading};
use super::report::FileReport;
use super::text::{Readers, Text};
use super::{declared, stores};
use crate::{Context, Sink};

/// The buffers of one thread.
#[derive(Default)]
pub(super) struct Eye {
    /// One for each archive that is open inside of another. They are wiped when they are dropped,
    /// also when that is because a reader broke down.
    buffers: Vec<Zeroizing<Vec<u8>>>,
}

/// What is the same for a file on disk and all that lies in it.
#[derive(Clone, Copy)]
pub(super) struct Look<'w> {
    pub(super) cx: &'w Context,
    pub(super) out: &'w Sink,
    pub(super) boundaries: &'w Boundaries,
    /// The file on disk.
    pub(super) path: &'w Path,
    /// What opening keystores may still cost for it.
    pub(super) purse: &'w Purse,
}

/// Files up to this size are read at once.
const WINDOW: usize = 4 * 1024 * 1024;

/// The octets in which text is told from what is not.
const HEAD: usize = 1024;

/// Endings by which people mark cryptographic material. They decide nothing about what is read,
/// only whether finding nothing is worth a word.
const TELLING_NAMES: &[&str] = &[
    "bcfks",
    "bks",
    "cer",
    "cert",
    "crl",
    "crt",
    "csr",
    "der",
    "jceks",
    "jks",
    "key",
    "keystore",
    "p12",
    "p7b",
    "p7c",
    "p8",
    "pem",
    "pfx",
    "ppk",
    "truststore",
];

/// What is recognised at the start of some octets.
struct First {
    keystore: Option<pki_keystores::Format>,
    container: Option<pki_containers::Format>,
    keys: Option<pki_key_files::Binary>,
    utf16: Option<Utf16>,
    binary: bool,
    declared: bool,
    /// There is a marker in the octets, or there are more of them than the window holds.
    marked: bool,
    /// There may be keys on lines of their own.
    lines: bool,
    is_text: bool,
    strict: Strictness,
}

impl Eye {
    /// Looks through an open file and returns how many octets were read.
    ///
    /// # Errors
    ///
    /// When reading fails; what was found before stays in the report.
    pub(super) fn look(
        &mut self,
        look: &Look<'_>,
        file: &mut File,
        size: u64,
        describe: impl FnOnce(&File) -> FileFacts,
        report: &mut FileReport<'_>,
    ) -> io::Result<u64> {
        self.with_buffer(|eye, buffer| {
            let mut reading = Reading::start(Input::File(file), buffer, Some(size), most(look.cx))?;
            let name = look.path.as_os_str().as_encoded_bytes();
            let first = first(look, &reading, name, declared::is_declared(look.path));
            let Some(first) = first else { return Ok(reading.octets) };
            if let Some(file) = reading.file() {
                report.describe(describe(file));
            }
            if let (Some(format), Some(file)) = (first.container, reading.file()) {
                let read = archive::file(eye, look, format, file, report);
                if report.secret {
                    reading.wipe();
                }
                return read;
            }
            let read = examine(look, first, &mut reading, report);
            let octets = reading.octets;
            conclude(name, &mut reading, report);
            read.map(|()| octets)
        })
    }

    /// Looks through an entry of an archive.
    ///
    /// # Errors
    ///
    /// When reading fails; what was found before stays in the report.
    pub(super) fn entry(
        &mut self,
        look: &Look<'_>,
        name: &[u8],
        content: &mut dyn Read,
        budget: &mut Budget,
        report: &mut FileReport<'_>,
    ) -> io::Result<()> {
        self.with_buffer(|eye, buffer| {
            let mut reading = Reading::start(Input::Stream(content), buffer, None, most(look.cx))?;
            let Some(first) = first(look, &reading, name, false) else { return Ok(()) };
            if let Some(format) = first.container {
                archive::entry(eye, look, format, &mut reading, budget, report);
                if report.secret {
                    reading.wipe();
                }
                return Ok(());
            }
            let read = examine(look, first, &mut reading, report);
            conclude(name, &mut reading, report);
            read
        })
    }

    fn with_buffer<T>(&mut self, work: impl FnOnce(&mut Self, &mut [u8]) -> T) -> T {
        // Zeroed memory costs nothing until it is touched.
        let mut buffer = self.buffers.pop().unwrap_or_else(|| Zeroizing::new(vec![0; WINDOW]));
        let result = work(self, &mut buffer);
        self.buffers.push(buffer);
        result
    }
}

/// What these octets begin with; `None` when there is nothing to look at.
fn first(look: &Look<'_>, reading: &Reading<'_>, name: &[u8], declared: bool) -> Option<First> {
    let window = reading.window(0);
    let keystore = pki_keystores::recognise(window);
    let opens = look.cx.filesystem.archives.open && keystore.is_none();
    let utf16 = utf16(window);
    let head = &window[..window.len().min(HEAD)];
    let is_text = !head.contains(&0);
    let lines = pki_key_files::is_worth_a_look(if is_text { window } else { head });
    let first = First {
        keystore,
        container: if opens { container(window, is_text, reading) } else { None },
        keys: pki_key_files::recognise(window),
        binary: shape(window).is_some(),
        declared: declared && reading.at_end(),
        marked: !reading.at_end()
            || utf16.is_some()
            || lines
            || pem::is_worth_a_look(window)
            || (is_text && embedded::is_worth_a_look(window)),
        utf16,
        // What is longer than the window may have lines of keys anywhere, if it is text.
        lines: lines || (is_text && !reading.at_end()),
        is_text,
        strict: Strictness { telling: has_telling_name(name), begins: begins(window) },
    };
    let anything = first.keystore.is_some()
        || first.container.is_some()
        || first.keys.is_some()
        || first.binary
        || first.declared
        || first.marked
        || reading.cut
        || (first.strict.telling && !window.is_empty());
    anything.then_some(first)
}

/// The archive that begins here or, behind a program that unpacks or runs it, ends here.
fn container(
    window: &[u8],
    is_text: bool,
    reading: &Reading<'_>,
) -> Option<pki_containers::Format> {
    let runs = !is_text || window.starts_with(b"#!");
    pki_containers::recognise(window).or_else(|| {
        let tail = if runs { reading.tail(pki_containers::TAIL) } else { None };
        tail.and_then(|tail| pki_containers::recognise_end(&tail))
    })
}

/// Says so when a name promised what the octets do not hold, and forgets secrets.
fn conclude(name: &[u8], reading: &mut Reading<'_>, report: &mut FileReport<'_>) {
    if report.secret {
        reading.wipe();
    }
    if has_telling_name(name) && report.is_blank() && !reading.cut {
        let ending = String::from_utf8_lossy(ending(name)).into_owned();
        report.gap(
            GapReason::Unrecognised,
            format!("named like cryptographic material (.{ending}), but holds none of the formats known here"),
        );
    }
}

fn examine(
    look: &Look<'_>,
    first: First,
    reading: &mut Reading<'_>,
    report: &mut FileReport<'_>,
) -> io::Result<()> {
    if first.declared {
        declared::file(look.path, reading.window(0), look.boundaries, report);
    }
    let mut from = 0;
    if let Some(format) = first.keystore {
        from = keystore(look, format, reading, report)?;
    }
    if let Some(form) = first.keys {
        return keyring(form, reading, report);
    }
    if first.binary || from > 0 {
        from = encodings(reading, from, report)?;
    }
    if reading.cut {
        let most = reading.limit;
        let size = reading.size.map_or_else(|| "more".to_owned(), |size| size.to_string());
        report.gap(
            GapReason::TooLarge,
            format!("{size} octets; the first {most} were read (`max_file_bytes`)"),
        );
    }
    if !first.marked {
        return Ok(());
    }
    let readers = Readers {
        embedded: first.is_text || first.utf16.is_some(),
        lines: first.lines || first.utf16.is_some(),
    };
    Text::new(look, first.strict, readers, first.utf16).read(reading, from, report)
}

/// Reads a keystore and says where in the buffer what follows it begins: at its start for a database
/// that holds nothing of ours, which is searched like any other file.
fn keystore(
    look: &Look<'_>,
    format: pki_keystores::Format,
    reading: &mut Reading<'_>,
    report: &mut FileReport<'_>,
) -> io::Result<usize> {
    if reading.at_end() {
        return Ok(stores::read(look, format, reading.window(0), report));
    }
    let all = reading.all(stores::LARGEST)?;
    let used = stores::read(look, format, &all, report);
    if used == 0 && reading.restart()? {
        return Ok(0);
    }
    if used < all.len() || !reading.at_end() || reading.cut {
        let read = all.len();
        report.gap(
            GapReason::TooLarge,
            format!("a keystore took {used} of {read} octets; what follows was not searched"),
        );
    }
    Ok(reading.filled)
}

fn keyring(
    form: pki_key_files::Binary,
    reading: &mut Reading<'_>,
    report: &mut FileReport<'_>,
) -> io::Result<()> {
    if reading.at_end() {
        pki_key_files::binary(form, reading.window(0), !reading.cut, report);
        return Ok(());
    }
    let all = reading.all(stores::LARGEST)?;
    let complete = reading.at_end() && !reading.cut;
    pki_key_files::binary(form, &all, complete, report);
    if !complete {
        let read = all.len();
        report.gap(GapReason::TooLarge, format!("a keyring of more than {read} octets"));
    }
    Ok(())
}

/// Hands over binary objects that stand one after the other from here on. Returns where in the
/// buffer what follows them begins.
fn encodings(
    reading: &mut Reading<'_>,
    from: usize,
    report: &mut FileReport<'_>,
) -> io::Result<usize> {
    let mut at = from;
    loop {
        // Keys are known as such only when they are complete.
        if reading.filled - at < LARGEST_OBJECT && !reading.at_end() {
            reading.advance(at)?;
            at = 0;
        }
        let rest = reading.window(at);
        let space = rest.iter().take(LONGEST_SPACE).take_while(|octet| is_space(**octet)).count();
        let Some(shape) = shape(&rest[space..]) else { return Ok(at) };
        at += space;
        let rest = reading.window(at);
        let (length, claimed) = match (announced(rest), objects::kind(shape)) {
            // A message of open length is not measured before its end is there.
            (None, _) if shape == Shape::Pkcs7 => match open_message(reading, at, report)? {
                Some(next) => {
                    at = next;
                    continue;
                }
                None => return Ok(reading.filled),
            },
            (Some(length), claimed) => (length, claimed.unwrap_or(Kind::Unparsed)),
            (None, _) => return Ok(at),
        };
        let there = rest.len() as u64;
        let missing = length as u64 > there + reading.left();
        if missing && shape != Shape::Pkcs7 {
            let there = there + reading.left();
            // Of a stream nobody knows more than that it goes on to the limit.
            reading.cut |= !reading.at_end();
            let why = if reading.cut {
                format!("only the first {there} were read (`max_file_bytes`)")
            } else {
                format!("the file ends after {there}")
            };
            let error = format!("the encoding announces {length} octets and {why}");
            report.unparsed(claimed, reading.window(at), error);
            return Ok(at);
        }
        let most = objects::most(shape);
        if missing {
            // Certificates may stand before the end that is missing.
            pki_encodings::pkcs7(rest, report);
            return Ok(reading.filled);
        } else if length > most {
            let error = format!("longer than {most} octets, the most that is read of one object");
            report.unparsed(claimed, rest, error);
            at = reading.skip(at, length)?;
        } else if let Some(object) = rest.get(..length) {
            objects::encoding(shape, object, report);
            at += length;
        } else {
            let mut object = reading.beyond(at, length)?;
            objects::whole(shape, &mut object, report);
            at = 0;
        }
    }
}

/// Line ends and padding between binary objects that somebody joined.
const LONGEST_SPACE: usize = 16;

fn is_space(octet: u8) -> bool {
    octet == 0 || octet.is_ascii_whitespace()
}

/// A message of PKCS#7 that does not say how long it is (X.690, 8.1.3.6). Returns where what follows
/// it begins; `None` when that is not to be said.
fn open_message(
    reading: &mut Reading<'_>,
    at: usize,
    report: &mut FileReport<'_>,
) -> io::Result<Option<usize>> {
    if reading.at_end() {
        pki_encodings::pkcs7(reading.window(at), report);
        return Ok(None);
    }
    reading.advance(at)?;
    if let Some(length) = announced(reading.window(0)) {
        pki_encodings::pkcs7(&reading.window(0)[..length], report);
        return Ok(Some(length));
    }
    let all = reading.all(stores::LARGEST)?;
    let used = announced(&all).unwrap_or(all.len());
    pki_encodings::pkcs7(&all[..used], report);
    if used < all.len() || !reading.at_end() || reading.cut {
        let read = all.len();
        report.gap(
            GapReason::TooLarge,
            format!(
                "a message of PKCS#7 took {used} of {read} octets; what follows was not searched"
            ),
        );
    }
    Ok(None)
}

/// The most octets that are read of one file or entry.
fn most(cx: &Context) -> u64 {
    cx.filesystem.max_file_bytes
}

fn ending(name: &[u8]) -> &[u8] {
    let name = name.rsplit(|octet| *octet == b'/').next().unwrap_or_default();
    match name.iter().rposition(|octet| *octet == b'.') {
        None | Some(0) => &[],
        Some(dot) => &name[dot + 1..],
    }
}

fn has_telling_name(name: &[u8]) -> bool {
    let ending = ending(name);
    TELLING_NAMES.iter().any(|telling| ending.eq_ignore_ascii_case(telling.as_bytes()))
}

fn begins(window: &[u8]) -> bool {
    window.strip_prefix(b"\xef\xbb\xbf").unwrap_or(window).trim_ascii_start().starts_with(BEGIN)
}
