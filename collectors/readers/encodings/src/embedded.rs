//! Finds what lies in text as base64: PEM inside of strings, as Kubernetes, Traefik and cloud-init
//! keep it, and bare certificates and keys, as JSON Web Keys and SAML metadata hold them, and the
//! keystores of Kubernetes' secrets.
//!
//! Text is full of base64 that is something else. PEM says what it is; a bare encoding is reported
//! only when it stands where a value stands and is, to the last octet, one certificate, one private
//! key or one keystore.

mod kubernetes;
mod names;
mod runs;

use memchr::memmem::Finder;
use pki_inventory::GapReason;

use crate::base64::Decoder;
use crate::der_shape::{Shape, announced, is_certificate, is_pkcs12, shape};
use crate::objects::{self, Strictness};
use crate::pem::{Block, LARGEST_OBJECT, Scanner};
use crate::report::Called;
use crate::{Report, private_key};
use kubernetes::Document;
use runs::{Run, unfold};

/// What reads the blocks of PEM that were in base64; [`objects::block`] is one.
pub type BlockReader = fn(Block, Strictness, &mut dyn Report);

/// What reads a keystore that was in base64: PKCS#12 in DER, JKS or JCEKS, as far as its first fields
/// tell, and to its last octet. The report puts the key before the value in front of labels.
pub type KeystoreReader<'a> = dyn FnMut(&[u8], &mut dyn Report) + 'a;

/// Finds base64 of PEM and of DER in text, and keeps its place between windows.
pub struct Embedded {
    read: BlockReader,
    finders: [(Mark, Finder<'static>); MARKS.len()],
    /// Octets at the front of the window that were looked through and are there to tell names.
    skip: usize,
    /// Where the last object ended, and what it was called: members of a list share a name.
    named: Option<(usize, String)>,
}

/// What a hit of the search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `-----BEGIN ` in base64.
    Pem,
    /// A sequence with a length of two octets.
    Large,
    /// Version 0 and the algorithm of an elliptic curve (RFC 5958, section 2), behind the header.
    Elliptic,
    /// Ed25519 and X25519 in PKCS#8 without a public half.
    Edwards,
    /// A keystore of Java: the magic number and the front of the version.
    Java,
}

const MARKS: [(Mark, &[u8]); 6] = [
    (Mark::Pem, DASHES),
    (Mark::Large, b"MII"),
    (Mark::Elliptic, b"AgEAMB"),
    (Mark::Edwards, b"MC4CAQAwBQYDK2V"),
    (Mark::Java, b"/u3+7QAAAA"),
    (Mark::Java, b"zs7OzgAAAA"),
];

/// What every base64 of five dashes has, whichever octet of a group of three they begin with.
const DASHES: &[u8] = b"tLS";
/// `-----BEGIN ` in base64 for each of the three, and where in it the dashes were found. What
/// stands before a block, such as a comment, moves it.
const BEGINS: [(&[u8], usize); 3] =
    [(b"LS0tLS1CRUdJTi", 3), (b"0tLS0tQkVHSU4g", 1), (b"tLS0tLUJFR0lOI", 0)];
/// From the group of four digits that the first dash is in to where they were found.
const INTO_GROUP: usize = 3;

/// What is kept in front of what is not done with, to tell names.
const CONTEXT: usize = 64 * 1024;

/// The longest piece of base64 that is decoded; what lies in strings is small.
const MOST_TEXT: usize = 2 * 1024 * 1024;

/// The longest mark, and a little for what stands before.
const LONGEST_MARK: usize = 32;

/// Text has no such octet near its beginning, programs do.
const NO_TEXT: usize = 1024;

/// How far the members of a list stand apart.
const BETWEEN: usize = 64;

/// Whether [`Embedded`] could find anything in this text: cheap, and wrong only in saying yes.
/// Octets that are no text hold nothing that it looks for.
#[must_use]
pub fn is_worth_a_look(text: &[u8]) -> bool {
    memchr::memchr(0, &text[..text.len().min(NO_TEXT)]).is_none()
        && MARKS.iter().any(|(mark, octets)| match mark {
            Mark::Pem => memchr::memmem::find_iter(text, octets).any(|hit| is_begin(text, hit)),
            _ => memchr::memmem::find(text, octets).is_some(),
        })
}

/// Whether the dashes that were found here are those of a `BEGIN`.
fn is_begin(text: &[u8], hit: usize) -> bool {
    hit >= INTO_GROUP && BEGINS.iter().any(|(begin, into)| text[hit - into..].starts_with(begin))
}

/// What became of a hit.
enum Step {
    /// Goes on here.
    On(usize),
    /// It is cut by the end of the window: once more with what follows.
    Wait(usize),
}

impl Default for Embedded {
    fn default() -> Self {
        Self::new()
    }
}

impl Embedded {
    /// At the start of a text; what is found in PEM is read by this crate.
    #[must_use]
    pub fn new() -> Self {
        Self::with(objects::block)
    }

    /// At the start of a text, with a reader of one's own for the blocks of PEM.
    #[must_use]
    pub fn with(read: BlockReader) -> Self {
        let finders = MARKS.map(|(mark, octets)| (mark, Finder::new(octets)));
        Self { read, finders, skip: 0, named: None }
    }

    /// Looks through the next window and reports what ends in it. Returns how many octets are done
    /// with; the rest has to stand at the front of the next window, which has to be larger than
    /// three MiB for everything to be found.
    pub fn feed(&mut self, window: &[u8], last: bool, report: &mut dyn Report) -> usize {
        self.feed_with(window, last, &mut |_, _| {}, report)
    }

    /// The same, with a reader for the keystores that Kubernetes' secrets hold.
    pub fn feed_with(
        &mut self,
        window: &[u8],
        last: bool,
        keystore: &mut KeystoreReader<'_>,
        report: &mut dyn Report,
    ) -> usize {
        let mut at = self.skip.min(window.len());
        let mut document = None;
        let mut hits = [Some(0); MARKS.len()];
        let mut stale = [true; MARKS.len()];
        let mut waits = None;
        loop {
            for (number, (_, finder)) in self.finders.iter().enumerate() {
                if stale[number] || hits[number].is_some_and(|hit| hit < at) {
                    hits[number] = finder.find(&window[at..]).map(|hit| at + hit);
                    stale[number] = false;
                }
            }
            let next = (0..hits.len()).filter_map(|number| Some((hits[number]?, number))).min();
            let Some((hit, number)) = next else { break };
            let step = match self.finders[number].0 {
                Mark::Pem if is_begin(window, hit) => {
                    self.pem(window, hit - INTO_GROUP, last, &mut document, report)
                }
                Mark::Pem if !last && window.len() - hit < LONGEST_MARK => {
                    Step::Wait(hit.saturating_sub(INTO_GROUP))
                }
                Mark::Pem => Step::On(hit + 1),
                Mark::Large | Mark::Edwards => {
                    self.der(window, hit, last, &mut document, keystore, report)
                }
                Mark::Java => self.java(window, hit, last, &mut document, keystore, report),
                // Four characters before: the header, of three octets.
                Mark::Elliptic if hit >= 4 => {
                    match self.der(window, hit - 4, last, &mut document, keystore, report) {
                        Step::On(next) => Step::On(next.max(hit + 1)),
                        wait => wait,
                    }
                }
                Mark::Elliptic => Step::On(hit + 1),
            };
            match step {
                Step::On(next) => at = next.max(at + 1).min(window.len()),
                Step::Wait(from) => {
                    waits = Some(from);
                    break;
                }
            }
        }
        let looked = match waits {
            _ if last => window.len(),
            Some(from) => from,
            None => at.max(window.len().saturating_sub(LONGEST_MARK)),
        };
        let done = if last { window.len() } else { looked.saturating_sub(CONTEXT) };
        self.skip = looked - done.min(looked);
        self.named = self.named.take().and_then(|(end, name)| Some((end.checked_sub(done)?, name)));
        done
    }

    /// Base64 of PEM: what it says is pushed through a scanner of its own.
    fn pem(
        &mut self,
        window: &[u8],
        start: usize,
        last: bool,
        document: &mut Option<Document>,
        report: &mut dyn Report,
    ) -> Step {
        let mut decoder = Decoder::default();
        let text = &window[start..window.len().min(start + MOST_TEXT)];
        let whole = last || text.len() == MOST_TEXT;
        let run = unfold(text, whole, &mut |piece| decoder.push(piece, MOST_TEXT).is_ok());
        let length = match run {
            Run::Cut => return Step::Wait(start),
            Run::Ends(length) => length,
        };
        if !last && document_around(document, window, start).goes_on(start, window.len()) {
            return Step::Wait(start);
        }
        if length == MOST_TEXT {
            report.gap(
                GapReason::TooLarge,
                format!(
                    "a string of base64 is longer than the {MOST_TEXT} octets that are read of it"
                ),
            );
        }
        let (octets, _) = decoder.finish();
        let label = self.label(window, start, start + length, document);
        let mut called = Called { report, label: label.as_deref() };
        let strict = Strictness { telling: false, begins: true };
        Scanner::new().feed(&octets, true, &mut |block| (self.read)(block, strict, &mut called));
        Step::On(start + length)
    }

    /// Base64 of a keystore of Java, which ends where its text does.
    fn java(
        &mut self,
        window: &[u8],
        start: usize,
        last: bool,
        document: &mut Option<Document>,
        keystore: &mut KeystoreReader<'_>,
        report: &mut dyn Report,
    ) -> Step {
        if !names::is_value(&window[..start], self.skip == 0) {
            return Step::On(start + 1);
        }
        let mut decoder = Decoder::default();
        let mut fits = true;
        let text = &window[start..window.len().min(start + MOST_TEXT)];
        let whole = last || text.len() == MOST_TEXT;
        let run = unfold(text, whole, &mut |piece| {
            fits = decoder.push(piece, MOST_TEXT).is_ok();
            fits
        });
        let length = match run {
            Run::Cut => return Step::Wait(start),
            Run::Ends(length) => length,
        };
        if !last && document_around(document, window, start).goes_on(start, window.len()) {
            return Step::Wait(start);
        }
        let (octets, whole) = decoder.finish();
        if fits && whole && length < MOST_TEXT && is_java(&octets) {
            let label = self.label(window, start, start + length, document);
            keystore(&octets, &mut Called { report, label: label.as_deref() });
        }
        Step::On(start + length)
    }

    /// Base64 of one encoding, which says how long it is.
    fn der(
        &mut self,
        window: &[u8],
        start: usize,
        last: bool,
        document: &mut Option<Document>,
        keystore: &mut KeystoreReader<'_>,
        report: &mut dyn Report,
    ) -> Step {
        let no = Step::On(start + 1);
        let text = &window[start..];
        if !names::is_value(&window[..start], self.skip == 0) {
            return no;
        }
        let Some(begin) = text.get(..8) else {
            return if last { no } else { Step::Wait(start) };
        };
        let mut head = Decoder::default();
        if head.push(begin, LARGEST_OBJECT).is_err() {
            return no;
        }
        let Some(length) = announced(head.octets()).filter(|length| *length <= LARGEST_OBJECT)
        else {
            return no;
        };
        let (mut decoder, mut digits) = (Decoder::default(), (length * 4).div_ceil(3));
        let mut fits = true;
        let run = unfold(text, last, &mut |piece| {
            let taken = piece.len().min(digits);
            digits -= taken;
            let (piece, behind) = piece.split_at(taken);
            // Behind the last digit there may be padding and nothing else.
            fits = decoder.push(piece, LARGEST_OBJECT).is_ok()
                && behind.len() <= 2
                && behind.iter().all(|octet| *octet == b'=');
            fits && digits > 0
        });
        let end = match run {
            Run::Cut if text.len() < MOST_TEXT => return Step::Wait(start),
            Run::Cut => return no,
            Run::Ends(end) => end,
        };
        let (octets, whole) = decoder.finish();
        let behind = &text[end..];
        if !last && behind.len() < LONGEST_MARK {
            return Step::Wait(start);
        }
        let ends = behind.first().is_none_or(|octet| !octet.is_ascii_alphanumeric());
        // A block whose headers end like a key was found as a block.
        let in_block = runs::behind_folds(behind).starts_with(b"-----");
        if !fits || !whole || digits > 0 || !ends || in_block || octets.len() != length {
            return no;
        }
        let shape = shape(&octets).filter(|shape| is_flawless(*shape, &octets));
        if shape.is_none() && !is_pkcs12(&octets) {
            return no;
        }
        if !last && document_around(document, window, start).goes_on(start, window.len()) {
            return Step::Wait(start);
        }
        let label = self.label(window, start, start + end, document);
        let mut called = Called { report, label: label.as_deref() };
        match shape {
            Some(shape) => objects::encoding(shape, &octets, &mut called),
            None => keystore(&octets, &mut called),
        }
        Step::On(start + end)
    }

    /// What an object is called: the key before it, and the object of Kubernetes around it.
    fn label(
        &mut self,
        window: &[u8],
        start: usize,
        end: usize,
        document: &mut Option<Document>,
    ) -> Option<String> {
        let same_list = |(before, _): &(usize, String)| {
            start.checked_sub(*before).is_some_and(|gap| gap < BETWEEN)
        };
        let named = self.named.take().filter(same_list).map(|(_, name)| name);
        let key = names::key_before(&window[..start])
            .or_else(|| names::key_before(&window[..runs::start(window, start, CONTEXT)]))
            .or(named);
        self.named = key.clone().map(|key| (end, key));
        let around = document_around(document, window, start);
        match (around.name(), key) {
            (Some(name), Some(key)) => Some(format!("{name}: {key}")),
            (name, key) => name.map(str::to_owned).or(key),
        }
    }
}

/// The document around a place; the last one, if the place is in it.
fn document_around<'a>(known: &'a mut Option<Document>, window: &[u8], at: usize) -> &'a Document {
    let same = known.take().filter(|document| document.holds(at));
    known.insert(same.unwrap_or_else(|| Document::around(window, at)))
}

/// Whether this is a keystore of Java as far as it tells: a magic number, version 1 or 2, a count of
/// entries, and behind them the digest, 20 octets.
fn is_java(octets: &[u8]) -> bool {
    matches!(
        octets,
        [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 1 | 2, ..] | [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 1 | 2, ..]
    ) && octets.len() >= 32
}

/// Whether these octets are one certificate, or one private key that can be read.
fn is_flawless(shape: Shape, octets: &[u8]) -> bool {
    match (shape, objects::format(shape)) {
        (Shape::Certificate, _) => is_certificate(octets),
        (_, Some(format)) => private_key::read(format, octets).is_ok(),
        _ => false,
    }
}
