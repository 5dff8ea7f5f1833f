//! What stands before a value: whether it is one, and under which key.

use crate::base64::Decoder;

/// How far is looked back.
const NEAR: usize = 256;

/// The longest key that is kept.
const LONGEST_KEY: usize = 64;

/// Whether what follows this text stands where a value does: in quotes, behind a colon or an equals
/// sign, in an element of XML, as the member of a list, or at the very start.
pub(super) fn is_value(before: &[u8], from_start: bool) -> bool {
    let near = &before[before.len().saturating_sub(NEAR)..];
    let blank = near.iter().rev().take_while(|octet| octet.is_ascii_whitespace()).count();
    let text = &near[..near.len() - blank];
    match text {
        [] => from_start && near.len() == before.len(),
        // Block scalars (YAML 1.2.2, section 8.1.1) begin on the next line.
        [.., b'|' | b'>', b'-' | b'+'] => blank > 0,
        // The member of a list in YAML, and no dashes of a marker.
        [.., b'-'] => {
            let line = &text[..text.len() - 1];
            blank > 0 && line.last().is_none_or(u8::is_ascii_whitespace)
        }
        [.., b'"' | b'\'' | b'>' | b':' | b'=' | b'[' | b',' | b'|'] => true,
        // A line end that is written out, at the start of a string.
        [.., b'"' | b'\'', b'\\', b'n'] => true,
        _ => false,
    }
}

/// The key of the value that follows this text.
pub(super) fn key_before(before: &[u8]) -> Option<String> {
    let near = &before[before.len().saturating_sub(NEAR)..];
    if assigned(near) {
        if near.strip_suffix(b"=").is_some_and(is_base64) {
            return None;
        }
        let near = trim(near, b" \t\"'\\");
        return key_at_end(near.strip_suffix(b"=")?);
    }
    let near = near.trim_ascii_end();
    if near.ends_with(b">")
        && let Some(tag) = element(near)
    {
        return Some(tag);
    }
    let near = trim(near, b" \t\r\n\"'\\|>+-[");
    let near = near.strip_suffix(b"!!binary").unwrap_or(near);
    let near = trim(near, b" \t");
    key_at_end(near.strip_suffix(b":")?)
}

/// Whether an equals sign assigns what follows. It may also be the padding of other base64, which
/// may be a secret and must not become a name: so the value stands right behind it, with its quotes
/// or without, or
/// a blank or a colon before it.
fn assigned(near: &[u8]) -> bool {
    let bare = near.strip_suffix(b"\"").or_else(|| near.strip_suffix(b"'")).unwrap_or(near);
    let bare = bare.strip_suffix(b"\\").unwrap_or(bare);
    let line = trim(near, b" \t\"'\\");
    let key = line.strip_suffix(b"=");
    let blank = key.is_some_and(|key| key.ends_with(b" ") || key.ends_with(b":"));
    bare.ends_with(b"=") || blank
}

/// Whether this ends with what may be base64 with a secret in it, for which the equals sign behind
/// it is padding or a mark between values: one digit is missing and no bits are left over (RFC 4648,
/// section 3.5), it says text, or it is long and mixed as no name is.
fn is_base64(near: &[u8]) -> bool {
    let digit = |octet: &&u8| octet.is_ascii_alphanumeric() || b"+/".contains(octet);
    let length = near.iter().rev().take_while(digit).count();
    let run = &near[near.len() - length..];
    let no_bits_left = run.last().is_some_and(|last| b"AEIMQUYcgkosw048".contains(last));
    let mixed = run.iter().any(u8::is_ascii_lowercase)
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_digit);
    let says_text = || {
        let mut decoder = Decoder::default();
        decoder.push(run, NEAR).is_ok()
            && decoder.octets().iter().all(|octet| matches!(octet, b' '..=b'~' | b'\n'))
    };
    run.iter().any(|octet| b"+/".contains(octet))
        || (length % 4 == 3 && no_bits_left)
        || (length >= 16 && mixed)
        || (length >= 8 && says_text())
}

/// The key that this ends with.
fn key_at_end(near: &[u8]) -> Option<String> {
    let near = trim(near, b" \t\"'\\:");
    let part = |octet: &u8| octet.is_ascii_alphanumeric() || b"._-".contains(octet);
    let length = near.iter().rev().take_while(|octet| part(octet)).count();
    let key = &near[near.len() - length..];
    let dashes = key.iter().take_while(|octet| **octet == b'-').count();
    text(&key[dashes..])
}

/// The local name of the element whose start tag this ends with.
fn element(near: &[u8]) -> Option<String> {
    let start = memchr::memrchr(b'<', near)?;
    let tag = &near[start + 1..near.len() - 1];
    let name = tag.split(u8::is_ascii_whitespace).next()?;
    let local = name.rsplit(|octet| *octet == b':').next()?;
    let part = |octet: &u8| octet.is_ascii_alphanumeric() || b"._-".contains(octet);
    if local.iter().all(part) { text(local) } else { None }
}

fn text(name: &[u8]) -> Option<String> {
    let fits = (1..=LONGEST_KEY).contains(&name.len());
    fits.then(|| String::from_utf8_lossy(name).into_owned())
}

fn trim<'a>(text: &'a [u8], what: &[u8]) -> &'a [u8] {
    let trimmed = text.iter().rev().take_while(|octet| what.contains(octet)).count();
    &text[..text.len() - trimmed]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_in_every_notation() {
        for (before, key) in [
            ("data:\n  tls.crt: ", Some("tls.crt")),
            ("{\"tls.crt\": \"", Some("tls.crt")),
            ("{\\\"tls.crt\\\":\\\"", Some("tls.crt")),
            ("  ca.crt: |\n    ", Some("ca.crt")),
            ("  ca.crt: >-\n    ", Some("ca.crt")),
            ("  ca.crt: !!binary |\n    ", Some("ca.crt")),
            ("export CA_BUNDLE='", Some("CA_BUNDLE")),
            ("curl --cacert-data=", Some("cacert-data")),
            ("\"x5c\": [\n  \"", Some("x5c")),
            ("<ds:X509Certificate Id=\"a\">\n", Some("X509Certificate")),
            ("key = \"", Some("key")),
            ("key := ", Some("key")),
            ("<a cert=\"", Some("cert")),
            ("cert-manager.io/ca: ", Some("ca")),
            ("- U2VjcmV0U2VjcmV0cE=\n- ", None),
            ("U2VjcmV0U2VjcmV0cE= ", None),
            ("dXNlcjpwYXNz\ndXNlcjpwYXM=", None),
            ("x: dXNlcjpwYXM=", None),
            ("dXNlcjpwYXNz=", None),
            ("x: 3q2YkzN0pZ7m1QxVbW9sKfGh=", None),
            ("ClientCAFile=", Some("ClientCAFile")),
            ("certificate=", Some("certificate")),
            ("x: dXNl/cjpwYXNz=", None),
            ("U2VjcmV0U2VjcmV0cE=\n", None),
            ("\"U2VjcmV0U2VjcmV0cE=\", \"", None),
            ("\"U2VjcmV0U2VjcmV0cE=\"\n\"", None),
            ("some words ", None),
            (": ", None),
            ("", None),
        ] {
            assert_eq!(key_before(before.as_bytes()).as_deref(), key, "{before}");
        }
    }

    #[test]
    fn a_value_stands_where_values_stand() {
        for (before, expected) in [
            ("a: ", true),
            ("a=", true),
            ("\"a\":[\"", true),
            ("<a>", true),
            ("a:\n  - ", true),
            ("a: |-\n    ", true),
            ("", true),
            ("-----BEGIN CERTIFICATE-----\n", false),
            ("-----BEGIN X-----\nComment: a\n\n", false),
            ("words ", false),
            ("abcdef", false),
        ] {
            assert_eq!(is_value(before.as_bytes(), true), expected, "{before}");
        }
        assert!(!is_value(b"", false));
    }
}
