//! What GnuPG keeps under its home: `pubring.kbx` (kbx/keybox-blob.c describes the form) and the
//! files of `private-keys-v1.d` (agent/keyformat.txt): S-expressions, alone or behind `Key:`.

use pki_encodings::der_shape::{self, Shape};
use pki_encodings::{Report, objects};
use pki_inventory::{Encryption, Kind};
use zeroize::Zeroizing;

use crate::expression::{self, Expression};
use crate::found;
use crate::openpgp;
use crate::openpgp_key::Material;
use crate::spki::{self, Curve, Plain};
use crate::text::{Reader, Window};

/// How the new form begins its key, at the start of a line.
pub const SIGN: &[u8] = b"Key: (";

/// The most octets of one private key.
const LARGEST: usize = 64 * 1024;
/// The name of a key may stand behind it, or before it, in a line of its own.
const NAME: &[u8] = b"Label:";
/// How far away that line may be.
const NEAR: usize = 4 * 1024;

/// Whether a file of `private-keys-v1.d` in its old form begins here.
pub fn begins_key(octets: &[u8]) -> bool {
    [&b"(11:private-key("[..], b"(21:protected-private-key(", b"(20:shadowed-private-key("]
        .iter()
        .any(|begin| octets.starts_with(begin))
}

/// Whether a keybox begins here: the header is the first blob.
pub fn begins_keybox(octets: &[u8]) -> bool {
    octets.get(4).is_some_and(|kind| *kind == 1) && octets.get(8..12) == Some(b"KBXf")
}

/// Reads keys of the new form.
#[derive(Default)]
pub struct Keys {
    /// Up to here, names of keys were given to the keys before them.
    named: usize,
}

impl Reader for Keys {
    fn read(&mut self, window: Window<'_>, report: &mut dyn Report) -> usize {
        let (text, limit) = (window.text, window.limit(&[SIGN]));
        for at in window.hits(SIGN, limit) {
            if window.starts_line(at) {
                self.key(text, at, report);
            }
        }
        limit
    }

    fn moved(&mut self, octets: usize) {
        self.named = self.named.saturating_sub(octets);
    }
}

impl Keys {
    /// Reads the key whose line begins here.
    fn key(&mut self, text: &[u8], at: usize, report: &mut dyn Report) {
        let start = at + SIGN.len() - 1;
        let end = start + value_length(&text[start..]);
        let value = unfolded(&text[start..end]);
        let Some(key) = expression::read(&value) else { return };
        let Some(spki) = public_half(&key) else { return };
        let before = &text[self.named.max(at.saturating_sub(NEAR)).min(at)..at];
        let label = name_before(before).and_then(found::label).or_else(|| {
            let behind = &text[end..text.len().min(end + NEAR)];
            let (name, length) = name_behind(behind)?;
            self.named = end + length;
            found::label(name)
        });
        report_key(&key, spki, label, report);
    }
}

/// The name in the lines before a key. Those of one file have no other key between them.
fn name_before(text: &[u8]) -> Option<&[u8]> {
    let mut lines = text.rsplit(|octet| *octet == b'\n').take_while(|line| !line.starts_with(SIGN));
    lines.find_map(|line| line.strip_prefix(NAME))
}

/// The name in the lines behind a key, and where it ends. Another file begins with another key, or
/// with the date that GnuPG writes first.
fn name_behind(text: &[u8]) -> Option<(&[u8], usize)> {
    let mut at = 0;
    while at < text.len() {
        let (line, next) = found::line_at(text, at);
        if let Some(name) = line.strip_prefix(NAME) {
            return Some((name, next));
        }
        if line.starts_with(SIGN) || line.starts_with(b"Created:") {
            return None;
        }
        at = next;
    }
    None
}

/// How long the value is that begins here. It goes on in lines that begin with a blank.
fn value_length(text: &[u8]) -> usize {
    let text = &text[..text.len().min(LARGEST)];
    let mut ends = memchr::memchr_iter(b'\n', text).filter(|end| text.get(end + 1) != Some(&b' '));
    ends.next().unwrap_or(text.len())
}

/// A value in one piece: lines are broken anywhere, inside of words too (common/name-value.c). It
/// may be a secret.
fn unfolded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut value = Zeroizing::new(Vec::with_capacity(text.len()));
    for (number, line) in found::lines(text).enumerate() {
        value.extend_from_slice(if number > 0 { &line[1..] } else { line });
    }
    value
}

/// Reads a whole file of the old form.
pub fn read_key(octets: &[u8], report: &mut dyn Report) {
    report.secret();
    let limited = &octets[..octets.len().min(LARGEST)];
    let read = expression::read(limited).is_some_and(|key| match public_half(&key) {
        Some(spki) => report_key(&key, spki, None, report),
        None => false,
    });
    if !read {
        let error = "a private key of GnuPG that is broken or of an unknown kind".to_owned();
        found::report_unparsed(octets, error, report);
    }
}

/// Reports a key; says whether it was one that is known.
fn report_key(
    key: &Expression<'_>,
    spki: Material,
    label: Option<String>,
    report: &mut dyn Report,
) -> bool {
    let form = match key.head {
        // The rest is on a card.
        b"shadowed-private-key" => found::public("GnuPG"),
        b"protected-private-key" => found::private("GnuPG", protection(key)),
        b"private-key" => found::private("GnuPG", Encryption::None),
        _ => return false,
    };
    report.secret();
    match spki {
        Material::Spki(spki) => found::report_key(&spki, form, label, report),
        // ElGamal: GnuPG's keyring tells the same key and has an identity for it.
        Material::Other(_) => report.known(),
    }
    true
}

fn public_half(key: &Expression<'_>) -> Option<Material> {
    let number = |name: &str| key.value(name);
    let spki = match key.algorithm {
        b"rsa" | b"openpgp-rsa" => spki::rsa(&number("n")?, &number("e")?)?,
        b"dsa" => {
            let numbers = [number("p")?, number("q")?, number("g")?, number("y")?];
            spki::dsa([&numbers[0], &numbers[1], &numbers[2], &numbers[3]])?
        }
        b"elg" => return Some(Material::Other(pki_inventory::KeyAlgorithm::named("ElGamal"))),
        b"ecc" | b"ecdsa" | b"eddsa" | b"ecdh" => {
            let (curve, point) = (number("curve")?, number("q")?);
            on_curve(&curve, &point)?
        }
        _ => return None,
    };
    Some(Material::Spki(spki))
}

/// Libgcrypt's names of curves (its manual, "ECC key parameters").
fn on_curve(name: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    let native = point.strip_prefix(&[0x40]).unwrap_or(point);
    let curve = match name {
        b"Ed25519" => return spki::plain(Plain::Ed25519, native),
        b"Curve25519" | b"X25519" => return spki::plain(Plain::X25519, native),
        b"Ed448" => return spki::plain(Plain::Ed448, native),
        b"X448" => return spki::plain(Plain::X448, native),
        b"NIST P-256" => Curve::P256,
        b"NIST P-384" => Curve::P384,
        b"NIST P-521" => Curve::P521,
        b"secp256k1" => Curve::Secp256k1,
        b"brainpoolP256r1" => Curve::Brainpool256,
        b"brainpoolP384r1" => Curve::Brainpool384,
        b"brainpoolP512r1" => Curve::Brainpool512,
        _ => return None,
    };
    spki::elliptic(curve, point)
}

/// `(protected openpgp-s2k3-ocb-aes ((sha1 SALT COUNT) NONCE) …)`.
fn protection(key: &Expression<'_>) -> Encryption {
    let cipher = match key.protected.as_deref() {
        Some(b"openpgp-s2k3-ocb-aes") => Some("AES-128-OCB".to_owned()),
        Some(b"openpgp-s2k3-sha1-aes-cbc") => Some("AES-128-CBC".to_owned()),
        Some(b"openpgp-s2k3-sha1-aes256-cbc") => Some("AES-256-CBC".to_owned()),
        Some(other) => found::label(other),
        None => None,
    };
    let kdf = cipher.as_ref().map(|_| "OpenPGP iterated and salted S2K, SHA-1".to_owned());
    Encryption::Passphrase { kdf, cipher, iterations: key.count }
}

/// The blobs of a keybox that hold keys: OpenPGP and X.509.
const OPENPGP: u8 = 2;
const X509: u8 = 3;

/// Reads a keybox: the keyrings and certificates in it. Only where all of it is there, an end inside
/// of a blob is a fault.
pub fn read_keybox(octets: &[u8], complete: bool, report: &mut dyn Report) {
    let mut at = 0;
    while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(blob) = blob(rest) else {
            if complete {
                let error = "a keybox of GnuPG ends inside of a blob".to_owned();
                found::report_unparsed(rest, error, report);
            }
            return;
        };
        at += blob.len();
        match (blob.get(4).copied(), held(blob)) {
            (Some(OPENPGP), Some(keys)) => openpgp::read(keys, true, report),
            (Some(X509), Some(octets)) => certificate(octets, report),
            _ => {}
        }
    }
}

fn certificate(octets: &[u8], report: &mut dyn Report) {
    if der_shape::shape(octets) == Some(Shape::Certificate) {
        objects::encoding(Shape::Certificate, octets, report);
    } else {
        let error = "a keybox of GnuPG says that this is a certificate".to_owned();
        report.unparsed(Kind::Certificate, octets, error);
    }
}

/// Length, type, version, flags, and where in the blob the key block lies, all big-endian.
fn blob(octets: &[u8]) -> Option<&[u8]> {
    let length = number(octets, 0).filter(|length| *length >= 8)?;
    octets.get(..length)
}

fn held(blob: &[u8]) -> Option<&[u8]> {
    let (offset, length) = (number(blob, 8)?, number(blob, 12)?);
    blob.get(offset..offset.checked_add(length)?)
}

fn number(octets: &[u8], at: usize) -> Option<usize> {
    let octets: [u8; 4] = octets.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(octets)).ok()
}
