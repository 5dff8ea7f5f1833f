//! What OpenSSL keeps behind a certificate under `TRUSTED CERTIFICATE`: for what it is trusted and
//! rejected, and its name (`X509_AUX` in openssl-x509(1), "Trust options").

use crate::tlv::{Element, OBJECT_IDENTIFIER, Reader, SEQUENCE, UTF8_STRING};

/// Purposes by the names that `openssl x509 -addtrust` takes (RFC 5280, 4.2.1.12).
const PURPOSES: &[(&str, &str)] = &[
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.17", "ipsecIKE"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("1.3.6.1.5.5.7.3.3", "codeSigning"),
    ("1.3.6.1.5.5.7.3.4", "emailProtection"),
    ("1.3.6.1.5.5.7.3.8", "timeStamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSPSigning"),
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
];

/// The most purposes that are named.
const MOST_PURPOSES: usize = 16;
/// The most characters of a name.
const LONGEST_NAME: usize = 128;

/// The settings as one sentence, such as `trusted for serverAuth; rejected for codeSigning`.
/// `None` when there are none.
pub(crate) fn describe(octets: &[u8]) -> Option<String> {
    let mut fields = Element::first(octets).filter(|outer| outer.tag == SEQUENCE)?.inside();
    let trusted = fields.take(SEQUENCE).map(Element::inside);
    let rejected = fields.take(0xa0).map(Element::inside);
    let name = fields.take(UTF8_STRING).and_then(|name| {
        let name = String::from_utf8_lossy(name.value);
        let plain = |c: char| if c.is_control() { '?' } else { c };
        Some(name.chars().take(LONGEST_NAME).map(plain).collect::<String>())
            .filter(|name| !name.is_empty())
    });
    let list = |what, purposes: Option<Reader<'_>>| {
        purposes
            .map(purposes_of)
            .filter(|names| !names.is_empty())
            .map(|names| format!("{what} for {}", names.join(", ")))
    };
    let parts: Vec<String> = [name, list("trusted", trusted), list("rejected", rejected)]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn purposes_of(mut purposes: Reader<'_>) -> Vec<String> {
    std::iter::from_fn(|| purposes.take(OBJECT_IDENTIFIER)?.oid())
        .take(MOST_PURPOSES)
        .map(|oid| {
            let known = PURPOSES.iter().find(|(known, _)| *known == oid);
            known.map_or(oid, |(_, name)| (*name).to_owned())
        })
        .collect()
}
