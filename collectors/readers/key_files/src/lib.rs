//! Reads keys in the forms of OpenSSH, PuTTY, OpenPGP, GnuPG, JOSE, WireGuard and age.
//!
//! ## Sees
//! Public halves, in the form that certificates carry them, so that a key is the same asset in
//! every file; how private halves are protected; names and comments; certificates of OpenSSH. Of
//! symmetric JSON Web Keys their names and lengths: without a name one is known by its place in its
//! set, and alone in its file it is not told apart from others of its length.
//!
//! What this crate does not do: it opens no file, tries no passphrase, keeps no private key and
//! judges nothing.
//!
//! ```
//! use pki_encodings::Collected;
//!
//! let line = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me\n";
//! let mut found = Collected::default();
//! pki_key_files::Text::new().feed(line, true, &mut found);
//! assert_eq!(found.objects[0].label.as_deref(), Some("me"));
//! ```

mod age;
mod expression;
mod found;
mod gnupg;
mod jose;
mod openpgp;
mod openpgp_key;
mod putty;
mod spki;
mod ssh_blob;
mod ssh_lines;
mod ssh_private;
#[cfg(test)]
mod tests;
mod text;
mod wire;
mod wireguard;

use std::sync::LazyLock;

use memchr::memmem::Finder;
use pki_encodings::Report;
use pki_encodings::pem::{Block, Fault};
pub use text::Text;

/// The least that is called a broken key: what breaks off earlier is an example in a text.
const LEAST_BROKEN: usize = 64;

/// Binary forms that are told by their first octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// Packets of OpenPGP, as `pubring.gpg` and exported keys without armour.
    Keyring,
    /// GnuPG's `pubring.kbx`.
    Keybox,
    /// A file of GnuPG's `private-keys-v1.d` in its old form.
    AgentKey,
}

/// Reads a block of text between `BEGIN` and `END` that is one of these forms: `OPENSSH PRIVATE
/// KEY`, OpenPGP armour. Says whether it was one; other blocks are not touched.
pub fn block(block: &Block, report: &mut dyn Report) -> bool {
    let octets = &block.octets;
    match block.label.as_str() {
        "OPENSSH PRIVATE KEY" => {
            if !octets.is_empty() {
                report.secret();
            }
            let plausible = octets.starts_with(ssh_private::MAGIC);
            armour(block, plausible, ssh_private::read, report);
        }
        "PGP PUBLIC KEY BLOCK" | "PGP PRIVATE KEY BLOCK" => {
            if block.label.contains("PRIVATE") && !octets.is_empty() {
                report.secret();
            }
            let read = |octets: &[u8], report: &mut dyn Report| openpgp::read(octets, true, report);
            armour(block, openpgp::begins(octets), read, report);
        }
        "PGP MESSAGE" | "PGP SIGNATURE" | "PGP SIGNED MESSAGE" | "AGE ENCRYPTED FILE" => {
            if block.own_line && block.fault.is_none() {
                report.known();
            }
        }
        _ => return false,
    }
    true
}

/// Reads what has no fault, and tells of what has one where it stands like a key and looks like one.
fn armour(
    block: &Block,
    plausible: bool,
    read: fn(&[u8], &mut dyn Report),
    report: &mut dyn Report,
) {
    match &block.fault {
        None if plausible => read(&block.octets, report),
        None | Some(Fault::NotBase64 { text: false }) => {}
        Some(fault) if block.own_line && plausible && block.octets.len() >= LEAST_BROKEN => {
            found::report_unparsed(&block.octets, format!("`{}`: {fault}", block.label), report);
        }
        Some(_) => {}
    }
}

/// Tells by the first octets whether a binary form begins here. Of a keyring the first key has to be
/// among them: 4096 octets hold all but the longest private ones.
#[must_use]
pub fn recognise(prefix: &[u8]) -> Option<Binary> {
    if gnupg::begins_keybox(prefix) {
        Some(Binary::Keybox)
    } else if gnupg::begins_key(prefix) {
        Some(Binary::AgentKey)
    } else {
        openpgp::begins(prefix).then_some(Binary::Keyring)
    }
}

/// Reads a file of a binary form. Unless it is complete, as when more of it was not read, an end in
/// the middle of something is nothing broken.
pub fn binary(form: Binary, octets: &[u8], complete: bool, report: &mut dyn Report) {
    match form {
        Binary::Keyring => openpgp::read(octets, complete, report),
        Binary::Keybox => gnupg::read_keybox(octets, complete, report),
        Binary::AgentKey => gnupg::read_key(octets, report),
    }
}

/// What the readers of text look for.
static SIGNS: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| {
    let more = [ssh_private::SSH2, putty::SIGN, gnupg::SIGN, jose::SIGN, age::SIGN];
    let signs = ssh_lines::SIGNS.iter().chain(&wireguard::SIGNS).chain(&more);
    signs.map(|sign| Finder::new(*sign)).collect()
});

/// Whether [`Text`] could find anything here: cheap, and wrong only in saying yes.
#[must_use]
pub fn is_worth_a_look(text: &[u8]) -> bool {
    SIGNS.iter().any(|sign| sign.find(text).is_some())
}
