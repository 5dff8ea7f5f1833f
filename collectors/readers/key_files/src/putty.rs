//! Private key files of PuTTY, versions 1 to 3 (PuTTY's manual, appendix C).
//!
//! The public half is in the clear; the private half is always there and not looked at.

use pki_encodings::Report;
use pki_inventory::Encryption;

use crate::found;
use crate::ssh_blob;
use crate::text::Window;

pub const SIGN: &[u8] = b"PuTTY-User-Key-File-";

/// More lines than any header has.
const MOST_HEADERS: usize = 16;
const MOST_LINES: usize = 2048;
const LEAST_DIGITS: usize = 40;
const LONGEST_LINE: usize = 1024;

/// What the headers say.
#[derive(Default)]
struct Headers<'a> {
    encryption: Option<&'a [u8]>,
    comment: Option<&'a [u8]>,
    public: Vec<u8>,
    derivation: Option<&'a [u8]>,
    memory: Option<&'a [u8]>,
    passes: Option<&'a [u8]>,
    parallelism: Option<&'a [u8]>,
    private: bool,
}

/// Reads the key files in a window.
pub fn read(window: Window<'_>, report: &mut dyn Report) -> usize {
    let (text, limit) = (window.text, window.limit(&[SIGN]));
    let mut done = 0;
    for at in window.hits(SIGN, limit) {
        if at < done || !window.starts_line(at) {
            continue;
        }
        let (line, next) = found::line_at(text, at);
        let [version @ b'1'..=b'3', b':', b' ', name @ ..] = &line[SIGN.len()..] else { continue };
        // What goes on without this header is a text about such files.
        if text[next..].starts_with(b"Encryption: ") {
            done = file(*version - b'0', name.trim_ascii(), &text[at..], next - at, report);
            done += at;
        }
    }
    done.max(limit)
}

/// Reads the file that begins here, up to its private lines; says where those begin.
fn file(version: u8, name: &[u8], text: &[u8], next: usize, report: &mut dyn Report) -> usize {
    let (headers, end) = headers(text, next);
    if headers.private {
        report.secret();
    }
    let blob = found::decoded(&headers.public, ssh_blob::LARGEST)
        .filter(|octets| octets.get(4..).is_some_and(|rest| rest.starts_with(name)))
        .and_then(|octets| ssh_blob::read(&octets).ok());
    match (blob, headers.encryption) {
        (Some(blob), Some(encryption)) if headers.private => {
            let encryption = encrypted(version, encryption, &headers);
            let form = found::private("PuTTY", encryption);
            let label = headers.comment.and_then(found::label);
            found::report_key(&blob.spki, form, label, report);
        }
        // What stops before its key is an example.
        _ if headers.public.len() < LEAST_DIGITS => {}
        _ => {
            let error = "a PuTTY key file whose public half or headers are broken".to_owned();
            found::report_unparsed(&text[..end], error, report);
        }
    }
    end
}

/// Reads headers up to the private lines, and says where they end.
fn headers(text: &[u8], from: usize) -> (Headers<'_>, usize) {
    let mut headers = Headers::default();
    let mut at = from;
    for _ in 0..MOST_HEADERS {
        let (line, next) = found::line_at(text, at);
        let Some(colon) = memchr::memchr(b':', line) else { break };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        at = next;
        match name {
            b"Encryption" => headers.encryption = Some(value),
            b"Comment" => headers.comment = Some(value),
            b"Key-Derivation" => headers.derivation = Some(value),
            b"Argon2-Memory" => headers.memory = Some(value),
            b"Argon2-Passes" => headers.passes = Some(value),
            b"Argon2-Parallelism" => headers.parallelism = Some(value),
            b"Public-Lines" if headers.public.is_empty() => {
                for _ in 0..count(value) {
                    let (line, next) = found::line_at(text, at);
                    if line.len() > LONGEST_LINE || headers.public.len() > 2 * ssh_blob::LARGEST {
                        break;
                    }
                    headers.public.extend_from_slice(line.trim_ascii());
                    at = next;
                }
            }
            b"Private-Lines" => {
                headers.private = count(value) > 0 && at < text.len();
                break;
            }
            _ => {}
        }
    }
    (headers, at)
}

fn count(value: &[u8]) -> usize {
    let number = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
    number.filter(|count| *count <= MOST_LINES).unwrap_or(0)
}

fn encrypted(version: u8, encryption: &[u8], headers: &Headers<'_>) -> Encryption {
    let number = |value: Option<&[u8]>| {
        let value = value.and_then(|value| std::str::from_utf8(value).ok());
        value.and_then(|value| value.parse::<u32>().ok())
    };
    let cipher = match encryption {
        b"none" => return Encryption::None,
        b"aes256-cbc" => Some("AES-256-CBC".to_owned()),
        other => found::label(other),
    };
    let kdf = match (version, headers.derivation.and_then(found::label)) {
        (3, Some(name)) => {
            let costs =
                (number(headers.memory), number(headers.passes), number(headers.parallelism));
            match costs {
                (Some(memory), Some(passes), Some(parallelism)) => Some(format!(
                    "{name} ({memory} KiB, {passes} passes, parallelism {parallelism})"
                )),
                _ => Some(name),
            }
        }
        (3, None) => None,
        // C.5 of the manual: SHA-1 of the passphrase with a counter, once.
        _ => Some("SHA-1".to_owned()),
    };
    Encryption::Passphrase { kdf, cipher, iterations: None }
}
