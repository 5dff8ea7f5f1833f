//! What the readers of this crate report.

use pki_encodings::{Report, base64, public_key};
use pki_inventory::{Encryption, Half, KeyForm, Kind, Object, Raw};
use zeroize::Zeroizing;

/// The most octets that are kept of what people wrote.
const LONGEST_LABEL: usize = 256;

/// A key by its `SubjectPublicKeyInfo`. `None` would mean that what this crate assembled is none.
pub fn key(spki: &[u8], form: KeyForm, label: Option<String>) -> Option<Object> {
    let (id, key) = public_key::read(spki)?;
    Some(Object { key: Some(form), label, ..Object::of(Raw::Key { id, key }) })
}

/// Reports a key by its `SubjectPublicKeyInfo`.
pub fn report_key(spki: &[u8], form: KeyForm, label: Option<String>, report: &mut dyn Report) {
    if let Some(object) = key(spki, form, label)
        && !report.is_full()
    {
        report.object(object);
    }
}

/// Reports what claims to be a key and is not readable as one.
pub fn report_unparsed(octets: &[u8], error: String, report: &mut dyn Report) {
    if !report.is_full() {
        report.unparsed(Kind::Key, octets, error);
    }
}

pub fn public(encoding: &str) -> KeyForm {
    let encoding = encoding.to_owned();
    KeyForm { half: Half::Public, encoding, encryption: Encryption::None }
}

pub fn private(encoding: &str, encryption: Encryption) -> KeyForm {
    KeyForm { half: Half::Private, encoding: encoding.to_owned(), encryption }
}

/// What people wrote, fit for a report: no control characters, not long, not empty.
pub fn label(octets: &[u8]) -> Option<String> {
    // One octet of the input makes at most three of the output.
    let text = String::from_utf8_lossy(&octets[..octets.len().min(4 * LONGEST_LABEL)]);
    let mut label = String::new();
    for character in text.trim().chars() {
        if label.len() + character.len_utf8() > LONGEST_LABEL {
            break;
        }
        label.push(if character.is_control() { '?' } else { character });
    }
    (!label.is_empty()).then_some(label)
}

/// The octets of base64 that is whole and has no fault.
pub fn decoded(text: &[u8], limit: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoder = base64::Decoder::default();
    decoder.push(text, limit).ok()?;
    let (octets, whole) = decoder.finish();
    whole.then_some(octets)
}

/// The lines of a piece of text, without their ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The line that begins here, without its end, and where the next one begins.
pub fn line_at(text: &[u8], at: usize) -> (&[u8], usize) {
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
    let line = &text[at..end];
    (line.strip_suffix(b"\r").unwrap_or(line), (end + 1).min(text.len()))
}
