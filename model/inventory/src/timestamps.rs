//! Signed certificate timestamps (RFC 6962): which logs gave them.

use x509_parser::asn1_rs::Tag;

use crate::certificate::hex;
use crate::der::Elements;

/// `id` of a version 1 timestamp in front of everything else, RFC 6962, 3.2.
const LOG_ID: std::ops::Range<usize> = 1..33;

/// Version, log id, time, and the lengths of the extensions and the signature.
const SHORTEST: usize = 1 + 32 + 8 + 2 + 4;

/// The logs of a `SignedCertificateTimestampList` (RFC 6962, 3.3) with its length in front, as it
/// stands in the TLS extension: their ids in lower-case hexadecimal, one for each timestamp, in the
/// order of the list.
///
/// Timestamps of versions that are not known are left out. Octets that are no such list give
/// nothing.
#[must_use]
pub fn sct_log_ids(list: &[u8]) -> Vec<String> {
    read(list).unwrap_or_default()
}

/// The same for the value of an extension of a certificate or an OCSP response, where the list is
/// in an OCTET STRING of its own.
pub(crate) fn log_ids_of_extension(value: &[u8]) -> Vec<String> {
    let mut elements = Elements::of(value);
    elements.universal(Tag::OctetString, "list").map(sct_log_ids).unwrap_or_default()
}

fn read(list: &[u8]) -> Option<Vec<String>> {
    let (mut rest, after) = opaque(list)?;
    if !after.is_empty() {
        return None;
    }
    let mut ids = Vec::new();
    while !rest.is_empty() {
        let (timestamp, after) = opaque(rest)?;
        if timestamp.first() == Some(&0) {
            let id = timestamp.get(LOG_ID).filter(|_| timestamp.len() >= SHORTEST)?;
            ids.push(hex(id));
        }
        rest = after;
    }
    Some(ids)
}

/// Splits off octets that have their length in two octets before them (RFC 8446, 3.4).
fn opaque(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
