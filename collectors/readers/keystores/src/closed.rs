//! Stores that are known by their first octets and not opened: that there is one has to be known.

use memchr::memmem;
use pki_encodings::Report;
use pki_inventory::Lock;

use crate::Format;
use crate::contents::Contents;

pub(crate) fn recognise(prefix: &[u8]) -> Option<Format> {
    // `SecKeychain` files: signature, then version 1.0.
    if prefix.starts_with(b"kych\0\x01\0\0") {
        return Some(Format::Keychain);
    }
    if let [0xa1, 0xf8, 0x4e, 0x36..=0x38, 0, 0, 0, ..] = prefix {
        return Some(Format::OracleWallet);
    }
    if prefix.starts_with(b"7H") && prefix.get(8..15) == Some(b"X509KEY") {
        return Some(Format::IbmKeyDatabase);
    }
    // Magic, version 2, byte order (hash.h of Berkeley DB 1.85; NSS has never gone on from it).
    let order = [[0, 0, 0x04, 0xd2], [0, 0, 0x10, 0xe1]];
    let hash = prefix.starts_with(&[0, 6, 0x15, 0x61, 0, 0, 0, 2]);
    (hash && prefix.get(8..12).is_some_and(|at| order.iter().any(|order| order == at)))
        .then_some(Format::BerkeleyDb)
}

pub(crate) fn read(format: Format, octets: &[u8], report: &mut dyn Report) {
    const NOT_READ: &str = "the format is recognised and not read here";
    let (name, reason) = match format {
        Format::Keychain => ("macOS keychain", NOT_READ),
        Format::IbmKeyDatabase => ("IBM CMS key database", NOT_READ),
        Format::OracleWallet => (
            "Oracle auto-login wallet",
            "the format is recognised and not read here; it needs no password by design, so who can \
             read the file can open it",
        ),
        _ => match old_nss(octets) {
            Some(name) => (
                name,
                "the format is recognised and not read here; `certutil` reads it with `-d dbm:`",
            ),
            // A database of something else.
            None => return,
        },
    };
    let mut contents = Contents::of(name);
    if format != Format::BerkeleyDb || name.ends_with("key3.db") {
        contents.secret();
    }
    contents.report(octets, Lock::Closed(reason.to_owned()), report);
}

/// What NSS keeps in every database of a kind.
fn old_nss(octets: &[u8]) -> Option<&'static str> {
    let has = |words: &[u8]| memmem::find(octets, words).is_some();
    if has(b"global-salt") && has(b"Version") {
        return Some("NSS key3.db");
    }
    // Entries are under an octet for their type and a name; that of the version is type 0.
    has(b"\0Version\0").then_some("NSS cert8.db")
}
