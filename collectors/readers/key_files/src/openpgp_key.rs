//! One key packet of OpenPGP (RFC 9580, 5.5).

use pki_inventory::KeyAlgorithm;

use crate::spki::{self, Plain};
use crate::wire::Wire;

/// What is kept of a key packet.
pub struct Found<'a> {
    pub material: Material,
    /// The public fields, which make the identity of a key that has no other.
    pub public: &'a [u8],
    /// Whether the private half is there, encrypted or not.
    pub private: bool,
    pub protection: Protection,
}

pub enum Material {
    Spki(Vec<u8>),
    Other(KeyAlgorithm),
}

pub enum Protection {
    NotThere,
    Clear,
    Passphrase { kdf: Option<String>, cipher: Option<String>, iterations: Option<u32> },
}

/// The curves that OpenPGP named itself before RFC 9580 (section 9.2).
const ED25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
const CURVE25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01];
/// GnuPG has the curves of 448 bits by the identifiers of RFC 8410.
const X448: &[u8] = &[0x2b, 0x65, 0x6f];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];

/// Reads the body of a key packet. `None` when it is broken, of an unknown version or algorithm, or
/// does not end where its fields do.
pub fn read(body: &[u8], secret: bool) -> Option<Found<'_>> {
    let mut wire = Wire(body);
    let version = wire.u8()?;
    let _created = wire.u32()?;
    match version {
        // RFC 4880, 5.5.2: days of validity. Version 2 differs in nothing.
        2 | 3 => drop(wire.u16()?),
        4..=6 => {}
        _ => return None,
    }
    let algorithm = wire.u8()?;
    let material = if version >= 5 {
        let length = usize::try_from(wire.u32()?).ok()?;
        let mut fields = Wire(wire.take(length)?);
        let material = material(algorithm, &mut fields).or_else(|| composite(algorithm));
        // Of algorithms that are only known by name the fields are stepped over.
        material.filter(|_| fields.is_empty() || composite(algorithm).is_some())?
    } else {
        material(algorithm, &mut wire)?
    };
    let public = &body[..body.len() - wire.0.len()];
    if !secret {
        let (private, protection) = (false, Protection::NotThere);
        return wire.is_empty().then_some(Found { material, public, private, protection });
    }
    let (private, protection) = protection(version, &mut wire)?;
    Some(Found { material, public, private, protection })
}

/// Algorithms of draft-ietf-openpgp-pqc, whose keys are two in one.
fn composite(algorithm: u8) -> Option<Material> {
    let name = match algorithm {
        30 => "ML-DSA-65+Ed25519",
        31 => "ML-DSA-87+Ed448",
        32 => "SLH-DSA-SHAKE-128s",
        33 => "SLH-DSA-SHAKE-128f",
        34 => "SLH-DSA-SHAKE-256s",
        35 => "ML-KEM-768+X25519",
        36 => "ML-KEM-1024+X448",
        _ => return None,
    };
    Some(Material::Other(KeyAlgorithm::named(name)))
}

/// RFC 9580, 5.5.5 and 9.1.
fn material(algorithm: u8, wire: &mut Wire<'_>) -> Option<Material> {
    let spki = match algorithm {
        1..=3 => {
            let (modulus, exponent) = (wire.counted_bits()?, wire.counted_bits()?);
            spki::rsa(modulus, exponent)?
        }
        16 | 20 => {
            let (p, g, y) = (wire.counted_bits()?, wire.counted_bits()?, wire.counted_bits()?);
            let sized = p.len() >= 64 && !g.is_empty() && !y.is_empty();
            let bits = u32::try_from(p.len() * 8).ok()? - p.first()?.leading_zeros();
            let name = "ElGamal".to_owned();
            let algorithm = KeyAlgorithm { name, bits: Some(bits), curve: None };
            return sized.then_some(Material::Other(algorithm));
        }
        17 => spki::dsa([
            wire.counted_bits()?,
            wire.counted_bits()?,
            wire.counted_bits()?,
            wire.counted_bits()?,
        ])?,
        18 | 19 | 22 => {
            let length = wire.u8().filter(|length| !matches!(length, 0 | 255))?;
            let oid = wire.take(usize::from(length))?;
            let point = wire.counted_bits()?;
            if algorithm == 18 {
                // Hash and cipher that wrap the session key.
                let length = wire.u8()?;
                wire.take(usize::from(length))?;
            }
            return on_curve(oid, point);
        }
        25 => spki::plain(Plain::X25519, wire.take(32)?)?,
        26 => spki::plain(Plain::X448, wire.take(56)?)?,
        27 => spki::plain(Plain::Ed25519, wire.take(32)?)?,
        28 => spki::plain(Plain::Ed448, wire.take(57)?)?,
        _ => return None,
    };
    Some(Material::Spki(spki))
}

fn on_curve(oid: &[u8], point: &[u8]) -> Option<Material> {
    // RFC 9580, 11.2.2: an octet in front says that the rest is in the curve's own form.
    let native = point.strip_prefix(&[0x40]);
    let spki = match oid {
        ED25519_LEGACY => spki::plain(Plain::Ed25519, native?)?,
        CURVE25519_LEGACY => spki::plain(Plain::X25519, native?)?,
        X448 => spki::plain(Plain::X448, native.unwrap_or(point))?,
        ED448 => spki::plain(Plain::Ed448, native.unwrap_or(point))?,
        _ => match spki::CURVES.iter().find(|(_, known, _)| *known == oid) {
            Some((curve, ..)) => spki::elliptic(*curve, point)?,
            None => {
                let known = spki::named_curve(oid)?;
                return Some(Material::Other(known));
            }
        },
    };
    Some(Material::Spki(spki))
}

/// What the octets behind the public fields say of the secret ones (RFC 9580, 5.5.3).
fn protection(version: u8, wire: &mut Wire<'_>) -> Option<(bool, Protection)> {
    let usage = wire.u8()?;
    if usage == 0 {
        // Nothing behind it would be a private key without a number in it.
        return (wire.0.len() > 2).then_some((true, Protection::Clear));
    }
    if version >= 5 {
        // How many octets say how it is protected.
        wire.u8()?;
    }
    let (kdf, cipher) = match usage {
        253..=255 => {
            let cipher = cipher(wire.u8()?);
            let mode = if usage == 253 { mode(wire.u8()?) } else { "CFB" };
            if version == 6 {
                wire.u8()?;
            }
            (kdf(wire)?, format!("{cipher}-{mode}"))
        }
        // RFC 4880, 3.7.2.1: the usage is the cipher, and the key is the MD5 of the passphrase.
        direct => {
            let kdf = Kdf { name: Some("MD5".to_owned()), iterations: None, there: true };
            (kdf, format!("{}-CFB", cipher(direct)))
        }
    };
    if !kdf.there {
        return Some((false, Protection::NotThere));
    }
    let (kdf, iterations) = (kdf.name, kdf.iterations);
    Some((true, Protection::Passphrase { kdf, cipher: Some(cipher), iterations }))
}

struct Kdf {
    name: Option<String>,
    iterations: Option<u32>,
    /// GnuPG's extension: the private key is elsewhere.
    there: bool,
}

/// String-to-key (RFC 9580, 3.7.1). Iterations are given as octets that are hashed.
fn kdf(wire: &mut Wire<'_>) -> Option<Kdf> {
    let kind = wire.u8()?;
    if kind == 4 {
        wire.take(16)?;
        let (passes, parallelism, memory) = (wire.u8()?, wire.u8()?, wire.u8()?);
        let memory = 1u64.checked_shl(u32::from(memory))?;
        let name =
            Some(format!("Argon2id ({memory} KiB, {passes} passes, parallelism {parallelism})"));
        return Some(Kdf { name, iterations: None, there: true });
    }
    let hash = hash(wire.u8()?);
    let (name, iterations) = match kind {
        0 => (Some(format!("OpenPGP simple S2K, {hash}")), None),
        1 => {
            wire.take(8)?;
            (Some(format!("OpenPGP salted S2K, {hash}")), None)
        }
        3 => {
            wire.take(8)?;
            let coded = u32::from(wire.u8()?);
            let count = (16 + (coded & 15)) << ((coded >> 4) + 6);
            (Some(format!("OpenPGP iterated and salted S2K, {hash}")), Some(count))
        }
        // GnuPG's DETAILS: `GNU` and 1 for no secret at all, 2 for one on a card.
        101 => {
            let there = !matches!(wire.take(4)?, [b'G', b'N', b'U', 1 | 2]);
            return Some(Kdf { name: None, iterations: None, there });
        }
        _ => (None, None),
    };
    Some(Kdf { name, iterations, there: true })
}

/// RFC 9580, 9.3.
fn cipher(number: u8) -> String {
    match number {
        1 => "IDEA",
        2 => "3DES",
        3 => "CAST5",
        4 => "Blowfish",
        7 => "AES-128",
        8 => "AES-192",
        9 => "AES-256",
        10 => "Twofish",
        11 => "Camellia-128",
        12 => "Camellia-192",
        13 => "Camellia-256",
        other => return format!("cipher {other}"),
    }
    .to_owned()
}

/// RFC 9580, 9.6.
fn mode(number: u8) -> &'static str {
    match number {
        1 => "EAX",
        2 => "OCB",
        3 => "GCM",
        _ => "unknown mode",
    }
}

/// RFC 9580, 9.5.
fn hash(number: u8) -> String {
    match number {
        1 => "MD5",
        2 => "SHA-1",
        3 => "RIPEMD-160",
        8 => "SHA-256",
        9 => "SHA-384",
        10 => "SHA-512",
        11 => "SHA-224",
        12 => "SHA3-256",
        14 => "SHA3-512",
        other => return format!("hash {other}"),
    }
    .to_owned()
}
