//! Private keys as OpenSSH writes them (PROTOCOL.key), and the public keys of ssh.com (RFC 4716).
//!
//! The public halves stand in front of what a passphrase protects, so nothing secret is touched
//! but to step over it to the comment.

use pki_encodings::Report;
use pki_inventory::{Encryption, KeyForm};

use crate::found;
use crate::ssh_blob::{self, Problem};
use crate::text::Window;
use crate::wire::Wire;

pub const MAGIC: &[u8] = b"openssh-key-v1\0";

/// More keys than any tool writes; OpenSSH writes and reads one.
const MOST_KEYS: u32 = 64;

/// Reads the octets of an `OPENSSH PRIVATE KEY`.
pub fn read(octets: &[u8], report: &mut dyn Report) {
    report.secret();
    if let Err(error) = keys(octets, report) {
        found::report_unparsed(octets, format!("`OPENSSH PRIVATE KEY`: {error}"), report);
    }
}

fn keys(octets: &[u8], report: &mut dyn Report) -> Result<(), String> {
    let broken = || "not in the form of openssh-key-v1".to_owned();
    let mut wire = Wire(octets.strip_prefix(MAGIC).ok_or_else(broken)?);
    let mut header = || Some((wire.name()?, wire.name()?, wire.string()?, wire.u32()?));
    let (cipher, kdf, options, count) = header().ok_or_else(broken)?;
    if !(1..=MOST_KEYS).contains(&count) {
        return Err(format!("it announces {count} keys"));
    }
    let mut blobs = Vec::new();
    for _ in 0..count {
        blobs.push(wire.string().ok_or_else(broken)?);
    }
    let section = wire.string().ok_or_else(broken)?;
    let encryption = encryption(cipher, kdf, options);
    let mut comments = (encryption == Encryption::None).then_some(Comments::new(section));
    let mut read = Vec::new();
    for blob in blobs {
        let blob = ssh_blob::read(blob).map_err(|problem| match problem {
            Problem::Broken => "the public half is broken".to_owned(),
            Problem::UnknownType(name) => {
                format!("a key of the type `{name}`, which is not known here")
            }
        })?;
        read.push((blob, comments.as_mut().and_then(Comments::next)));
    }
    for (blob, comment) in read {
        let form = form(blob.security_key, encryption.clone());
        found::report_key(&blob.spki, form, comment, report);
    }
    Ok(())
}

/// The file of a security key holds a handle; the private key never leaves the device.
fn form(security_key: bool, encryption: Encryption) -> KeyForm {
    match security_key {
        true => found::public("OpenSSH security key handle"),
        false => found::private("OpenSSH", encryption),
    }
}

fn encryption(cipher: &str, kdf: &str, options: &[u8]) -> Encryption {
    if cipher == "none" {
        return Encryption::None;
    }
    let mut options = Wire(options);
    // The salt and the rounds.
    let rounds = options.string().and_then(|_| options.u32());
    Encryption::Passphrase {
        kdf: (kdf != "none").then(|| kdf.to_owned()),
        cipher: Some(cipher.to_owned()),
        iterations: rounds,
    }
}

/// Steps from comment to comment in the private section.
struct Comments<'a>(Option<Wire<'a>>);

impl<'a> Comments<'a> {
    fn new(section: &'a [u8]) -> Self {
        let mut wire = Wire(section);
        let checked = wire.u32().zip(wire.u32()).is_some_and(|(one, other)| one == other);
        Self(checked.then_some(wire))
    }

    fn next(&mut self) -> Option<String> {
        let mut wire = self.0.take()?;
        // How many strings stand between the name of the type and the comment.
        let before_flags = match wire.name()? {
            "ssh-rsa" => (6, 0),
            "ssh-dss" => (5, 0),
            "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => (3, 0),
            "ssh-ed25519" | "ssh-ed448" => (2, 0),
            // Flags are one octet, then handle and reserved.
            "sk-ssh-ed25519@openssh.com" => (2, 2),
            "sk-ecdsa-sha2-nistp256@openssh.com" => (3, 2),
            _ => return None,
        };
        for _ in 0..before_flags.0 {
            wire.string()?;
        }
        if before_flags.1 > 0 {
            wire.u8()?;
        }
        for _ in 0..before_flags.1 {
            wire.string()?;
        }
        let comment = wire.string()?;
        self.0 = Some(wire);
        found::label(comment)
    }
}

pub const SSH2: &[u8] = b"---- BEGIN SSH2 ";
const PUBLIC: &[u8] = b"---- BEGIN SSH2 PUBLIC KEY ----";
const PRIVATE: &[u8] = b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----";
const END: &[u8] = b"---- END SSH2 ";

/// Reads the blocks of ssh.com in a window; their dashes are not those of PEM.
pub fn ssh2(window: Window<'_>, report: &mut dyn Report) -> usize {
    let (text, limit) = (window.text, window.limit(&[SSH2]));
    let mut from = 0;
    for start in window.hits(SSH2, limit) {
        if start < from {
            continue;
        }
        let (line, next) = found::line_at(text, start);
        from = next.max(start + SSH2.len());
        let own_line = window.starts_line(start);
        let marker = line.trim_ascii_end();
        let rest = &text[next..text.len().min(next + 2 * ssh_blob::LARGEST)];
        // Up to the next marker, so that many of them cost no more than one.
        let rest = &rest[..memchr::memmem::find(rest, SSH2).unwrap_or(rest.len())];
        let Some(end) = memchr::memmem::find(rest, END) else { continue };
        let body = &rest[..end];
        if marker == PUBLIC {
            ssh2_public(body, report);
        } else if marker == PRIVATE && own_line && body.len() > 64 {
            report.secret();
            report.not_read("an SSH2 private key of ssh.com".to_owned());
        }
    }
    from.max(limit)
}

/// RFC 4716, 3: headers `Name: value`, going on where a line ends in a backslash, then base64.
fn ssh2_public(body: &[u8], report: &mut dyn Report) {
    let (mut comment, mut base64) = (None::<Vec<u8>>, Vec::new());
    let (mut continued, mut in_comment) = (false, false);
    for line in found::lines(body) {
        let header = base64.is_empty() && (continued || memchr::memchr(b':', line).is_some());
        if !header {
            base64.extend_from_slice(line.trim_ascii());
            continue;
        }
        let goes_on = line.ends_with(b"\\");
        let part = line.strip_suffix(b"\\").unwrap_or(line);
        if !continued {
            let name = part.split(|octet| *octet == b':').next().unwrap_or_default();
            in_comment = name.eq_ignore_ascii_case(b"comment");
            if in_comment {
                comment = Some(part[name.len() + 1..].trim_ascii().to_vec());
            }
        } else if in_comment && let Some(comment) = &mut comment {
            comment.extend_from_slice(part);
        }
        continued = goes_on;
    }
    let Some(blob) = found::decoded(&base64, ssh_blob::LARGEST) else { return };
    let Ok(blob) = ssh_blob::read(&blob) else { return };
    let comment = comment.as_deref().map(|text| match text {
        [b'"', inside @ .., b'"'] => inside,
        bare => bare,
    });
    let label = comment.and_then(found::label);
    found::report_key(&blob.spki, found::public("SSH2"), label, report);
}
