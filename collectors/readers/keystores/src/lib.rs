//! Reads keystores and key databases from their octets, as far as they open.
//!
//! ## Sees
//! - PKCS#12: how each part is protected; certificates, revocation lists and keys outside of the
//!   encryption; all of it, if a password fits.
//! - JKS and JCEKS: aliases, certificates and which of them have a private key, without a password;
//!   whether a password fits.
//! - BKS: the same, and keys that lie there in the clear. UBER and BCFKS: that there is one, and how
//!   it is protected.
//! - NSS: certificates and public keys of `cert9.db`, private keys of `key4.db` with their public
//!   half, and whether they are under a password. The older `cert8.db` and `key3.db`: that there is
//!   one.
//! - Keychains of macOS, auto-login wallets of Oracle, key databases of IBM: that there is one.
//!
//! What this crate does not do: it opens no file, guesses no password beyond those that are written
//! in manuals, keeps no private key and judges nothing.
//!
//! ```
//! use pki_encodings::Collected;
//! use pki_keystores::{Format, Passwords, Purse, read, recognise};
//!
//! // A JKS store without entries, cut off before its digest.
//! let octets = [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0];
//! let mut found = Collected::default();
//! let format = recognise(&octets).expect("the magic number of Java");
//! assert_eq!(format, Format::Jks);
//! let purse = Purse::default();
//! let passwords = Passwords { configured: &[], well_known: true, purse: &purse };
//! read(format, &octets, passwords, &mut found);
//! assert_eq!(found.objects.len(), 1, "the store itself");
//! assert_eq!(found.gaps.len(), 1, "it is damaged");
//! ```

mod ber;
mod bouncy_castle;
mod closed;
mod contents;
mod derivation;
mod java;
mod nss;
mod passwords;
mod pkcs12;
mod scheme;

use pki_encodings::Report;
use zeroize::Zeroizing;

pub use passwords::Purse;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// PKCS#12 (RFC 7292).
    Pkcs12,
    /// Java's first keystore.
    Jks,
    /// The keystore of the Java Cryptography Extension.
    Jceks,
    /// Bouncy Castle's first keystore.
    Bks,
    /// Bouncy Castle's keystore that is encrypted as a whole.
    Uber,
    /// Bouncy Castle's keystore of FIPS-approved algorithms.
    Bcfks,
    /// A database of SQLite, which may be one of NSS: only all of its octets tell.
    Sqlite,
    /// A hash table of Berkeley DB 1.85, which may be an old database of NSS: only all of its octets
    /// tell.
    BerkeleyDb,
    /// A keychain file of macOS.
    Keychain,
    /// An auto-login wallet of Oracle (`cwallet.sso`).
    OracleWallet,
    /// A key database of IBM (CMS).
    IbmKeyDatabase,
}

impl Format {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Pkcs12,
        Self::Jks,
        Self::Jceks,
        Self::Bks,
        Self::Uber,
        Self::Bcfks,
        Self::Sqlite,
        Self::BerkeleyDb,
        Self::Keychain,
        Self::OracleWallet,
        Self::IbmKeyDatabase,
    ];
}

/// Passwords that may be tried on a keystore.
#[derive(Clone, Copy)]
pub struct Passwords<'a> {
    /// Those that the configuration has for its path, in order.
    pub configured: &'a [Zeroizing<String>],
    /// Whether those are tried that are written in manuals.
    pub well_known: bool,
    /// The work that is left for this file and everything else in the same file on disk.
    pub purse: &'a Purse,
}

impl std::fmt::Debug for Passwords<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = if self.well_known { "with" } else { "without" };
        write!(f, "Passwords({} configured, {known} the well-known ones)", self.configured.len())
    }
}

/// Tells by the first octets (a few hundred are enough) whether a keystore begins here.
///
/// For databases of SQLite and Berkeley DB a few hundred only tell that it may be one. Of SQLite
/// 64 KiB tell for nearly every database: pass what there is.
#[must_use]
pub fn recognise(prefix: &[u8]) -> Option<Format> {
    java::recognise(prefix)
        .or_else(|| closed::recognise(prefix))
        .or_else(|| nss::recognise(prefix))
        .or_else(|| bouncy_castle::recognise(prefix))
        .or_else(|| pkcs12::recognise(prefix).then_some(Format::Pkcs12))
}

/// Reads a whole keystore: reports the store itself and what lies in it. Returns how many octets from
/// the first on belong to it: what follows is for the caller to search.
///
/// Nothing is reported of a database that turns out to be no keystore. Of such a one, and of a format
/// that is only recognised, nothing was used: then the answer is 0, and all of it is for the caller.
pub fn read(
    format: Format,
    octets: &[u8],
    passwords: Passwords<'_>,
    report: &mut dyn Report,
) -> usize {
    match format {
        Format::Pkcs12 => pkcs12::read(octets, passwords, report),
        Format::Jks | Format::Jceks => java::read(format, octets, passwords, report),
        Format::Bks | Format::Uber | Format::Bcfks => {
            bouncy_castle::read(format, octets, passwords, report)
        }
        Format::Sqlite => nss::read(octets, passwords, report),
        Format::BerkeleyDb | Format::Keychain | Format::OracleWallet | Format::IbmKeyDatabase => {
            closed::read(format, octets, report);
            0
        }
    }
}
