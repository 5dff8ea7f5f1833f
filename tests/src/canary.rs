//! Finds the octets of private keys in outputs, however they were written there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;

/// Secrets, and every way in which a piece of them might be written.
#[derive(Debug, Default)]
pub struct Canary {
    needles: Vec<Needle>,
}

#[derive(Debug)]
struct Needle {
    /// Whose secret, which part of it, in which form.
    name: String,
    form: Form,
    octets: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is.
    Raw,
    /// Hexadecimal digits, searched for without separators and in lower case.
    Hex,
    /// Base64, or numbers with commas; searched for without white space.
    Text,
}

/// A secret that leaks in part has leaked: pieces of this many octets are searched for. By chance,
/// so many octets are equal nowhere.
const PIECE: usize = 16;

impl Canary {
    /// Adds the secret numbers of a private key in PKCS#8, DER.
    pub fn add_key(&mut self, name: &str, pkcs8: &[u8]) {
        let secrets = secrets(pkcs8);
        assert!(!secrets.is_empty(), "{name}: no secret in it");
        for (part, secret) in secrets {
            self.add(&format!("{name}, {part}"), &secret);
        }
    }

    /// Adds octets that must not appear anywhere.
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        for (at, piece) in secret.chunks(PIECE).enumerate() {
            // A short rest would be found by chance; it is covered by what goes before it.
            let piece = if piece.len() < PIECE && secret.len() >= PIECE {
                &secret[secret.len() - PIECE..]
            } else {
                piece
            };
            let mut add = |form, octets: Vec<u8>| {
                let name = format!("{name}, octet {} on", at * PIECE);
                if !self.needles.iter().any(|known| known.form == form && known.octets == octets) {
                    self.needles.push(Needle { name, form, octets });
                }
            };
            add(Form::Raw, piece.to_vec());
            let hex: String = piece.iter().map(|octet| format!("{octet:02x}")).collect();
            add(Form::Hex, hex.into_bytes());
            let numbers: Vec<String> = piece.iter().map(ToString::to_string).collect();
            add(Form::Text, numbers.join(",").into_bytes());
            for alignment in 0..3 {
                for url_safe in [false, true] {
                    add(Form::Text, aligned(piece, alignment, url_safe));
                }
            }
        }
    }

    /// What is found in an output; empty when it is clean.
    #[must_use]
    pub fn found_in(&self, output: &[u8]) -> Vec<&str> {
        // JSON writes line ends as two characters.
        let unescaped = output.split(|octet| *octet == b'\\').collect::<Vec<_>>();
        let unescaped = unescaped
            .iter()
            .enumerate()
            .flat_map(|(at, part)| match part.strip_prefix(b"n") {
                Some(rest) if at > 0 => rest,
                _ => part,
            })
            .copied();
        let text: Vec<u8> = unescaped.filter(|octet| !octet.is_ascii_whitespace()).collect();
        let digits: Vec<u8> = text
            .iter()
            .filter(|octet| !matches!(octet, b':' | b'-'))
            .map(u8::to_ascii_lowercase)
            .collect();
        let is_in = |needle: &&Needle| {
            let haystack = match needle.form {
                Form::Raw => output,
                Form::Hex => &digits,
                Form::Text => &text,
            };
            memmem::find(haystack, &needle.octets).is_some()
        };
        self.needles.iter().filter(is_in).map(|needle| needle.name.as_str()).collect()
    }
}

/// The characters of base64 that depend on these octets alone, wherever in a text they begin.
fn aligned(octets: &[u8], alignment: usize, url_safe: bool) -> Vec<u8> {
    let padded = [&vec![0; alignment][..], octets].concat();
    let text =
        if url_safe { URL_SAFE_NO_PAD.encode(&padded) } else { STANDARD_NO_PAD.encode(&padded) };
    let (first, last) = ((alignment * 8).div_ceil(6), padded.len() * 8 / 6);
    text.into_bytes()[first..last].to_vec()
}

/// The secret numbers of a key: RFC 5958 around RFC 8017, RFC 5915 or RFC 8410.
fn secrets(pkcs8: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (_, info, _) = tlv(pkcs8);
    let (_, _version, rest) = tlv(info);
    let (_, _algorithm, rest) = tlv(rest);
    let (_, key, _) = tlv(rest);
    let (tag, inner, _) = tlv(key);
    if tag == OCTET_STRING {
        return vec![("seed", inner.to_vec())];
    }
    let mut fields = Vec::new();
    let mut rest = inner;
    while !rest.is_empty() {
        let (tag, content, after) = tlv(rest);
        fields.push((tag, content));
        rest = after;
    }
    if fields.get(1).is_some_and(|(tag, _)| *tag == OCTET_STRING) {
        return vec![("scalar", fields[1].1.to_vec())];
    }
    let names = ["d", "p", "q", "d mod p-1", "d mod q-1", "1/q mod p"];
    // Version, modulus and public exponent are no secrets; a leading zero is no octet of a number.
    let numbers = fields
        .iter()
        .skip(3)
        .map(|(_, number)| number.strip_prefix(&[0]).unwrap_or(number).to_vec());
    names.into_iter().zip(numbers).collect()
}

const OCTET_STRING: u8 = 0x04;

/// Tag, content and what follows.
fn tlv(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (tag, length) = (der[0], usize::from(der[1]));
    let (header, length) = if length < 0x80 {
        (2, length)
    } else {
        let count = length & 0x7f;
        let length = der[2..2 + count].iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        (2 + count, length)
    };
    (tag, &der[header..header + length], &der[header + length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_found() {
        let secret: Vec<u8> =
            (0..40_u8).map(|octet| octet.wrapping_mul(37).wrapping_add(11)).collect();
        let mut canary = Canary::default();
        canary.add("it", &secret);
        let hex: String = secret.iter().map(|octet| format!("{octet:02X}:")).collect();
        let base64 = STANDARD_NO_PAD.encode(&secret);
        let mut outputs = vec![
            secret.clone(),
            secret[..16].to_vec(),
            secret[24..].to_vec(),
            hex.into_bytes(),
            format!("{secret:?}").into_bytes(),
            format!("{secret:#?}").into_bytes(),
            format!("{}\n{}", &base64[..10], &base64[10..]).into_bytes(),
            format!("\"{}\\n{}\"", &base64[..10], &base64[10..]).into_bytes(),
        ];
        for before in 0..3 {
            let text = [&vec![7; before][..], &secret, &[9; 2]].concat();
            outputs.push(STANDARD_NO_PAD.encode(&text).into_bytes());
            outputs.push(URL_SAFE_NO_PAD.encode(&text).into_bytes());
        }
        for output in outputs {
            let around = [b"before ", &output[..], b" after"].concat();
            assert!(!canary.found_in(&around).is_empty(), "{}", String::from_utf8_lossy(&around));
        }
        assert!(canary.found_in(b"nothing of the kind").is_empty());
        assert!(canary.found_in(&secret[..15]).is_empty());
    }
}
