//! Keystores: which passwords may be tried on them, and what they may cost.

use pki_encodings::Report;
use pki_keystores::{Format, Passwords};
use zeroize::Zeroizing;

use super::content::Look;

/// The largest keystore that is read; it has to be in memory as a whole.
pub(super) const LARGEST: usize = 64 * 1024 * 1024;

/// Reads a keystore with the passwords of its path on disk. Returns how many octets it took.
pub(super) fn read(
    look: &Look<'_>,
    format: Format,
    octets: &[u8],
    report: &mut dyn Report,
) -> usize {
    let known = look.cx.passwords.iter().filter(|known| known.paths.matches(look.path));
    let configured: Vec<Zeroizing<String>> = known.map(|known| known.password.clone()).collect();
    let well_known = look.cx.filesystem.well_known_passwords;
    let passwords = Passwords { configured: &configured, well_known, purse: look.purse };
    pki_keystores::read(format, octets, passwords, report)
}

/// The same for octets that were found inside of others, if they are a keystore.
pub(super) fn inside(look: &Look<'_>, octets: &[u8], report: &mut dyn Report) {
    if let Some(format) = pki_keystores::recognise(octets) {
        read(look, format, octets, report);
    }
}
