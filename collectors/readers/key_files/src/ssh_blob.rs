//! Public keys and certificates of SSH (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4; OpenSSH's
//! PROTOCOL.certkeys and PROTOCOL.u2f).

use pki_encodings::public_key;
use pki_inventory::{Digest, SshCertificate, Time};

use crate::found;
use crate::spki::{self, Curve, Plain};
use crate::wire::Wire;

/// The most octets of one key or certificate.
pub const LARGEST: usize = 64 * 1024;

/// The most names of a certificate that are kept; OpenSSH makes no more.
const MOST_PRINCIPALS: usize = 256;

const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// What a blob holds.
pub struct Blob {
    /// The `SubjectPublicKeyInfo` of the key.
    pub spki: Vec<u8>,
    /// The key's type lies in a security key: the private half is not in any file.
    pub security_key: bool,
    pub certificate: Option<SshCertificate>,
}

/// Why a blob is no key that is known here.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is a key of this type.
    UnknownType(String),
    Broken,
}

/// Reads a whole blob.
pub fn read(octets: &[u8]) -> Result<Blob, Problem> {
    let mut wire = Wire(octets);
    let name = wire.name().ok_or(Problem::Broken)?;
    let (plain, certified) = match name.strip_suffix(CERTIFICATE) {
        // The `sk-` types carry the domain in both of their names.
        Some(base) if base.starts_with("sk-") => (format!("{base}@openssh.com"), true),
        Some(base) => (base.to_owned(), true),
        None => (name.to_owned(), false),
    };
    if !is_known(&plain) {
        return Err(Problem::UnknownType(name.to_owned()));
    }
    if certified {
        // A nonce stands in front of the key.
        wire.string().ok_or(Problem::Broken)?;
    }
    let spki = fields(&plain, &mut wire).ok_or(Problem::Broken)?;
    let certificate = match certified {
        true => Some(certificate(&mut wire).ok_or(Problem::Broken)?),
        false => None,
    };
    if !wire.is_empty() {
        return Err(Problem::Broken);
    }
    Ok(Blob { spki, security_key: plain.starts_with("sk-"), certificate })
}

fn is_known(name: &str) -> bool {
    [
        "ssh-rsa",
        "ssh-dss",
        "ssh-ed25519",
        "ssh-ed448",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ]
    .contains(&name)
}

fn fields(name: &str, wire: &mut Wire<'_>) -> Option<Vec<u8>> {
    match name {
        "ssh-rsa" => {
            let (exponent, modulus) = (wire.number()?, wire.number()?);
            spki::rsa(modulus, exponent)
        }
        "ssh-dss" => spki::dsa([wire.number()?, wire.number()?, wire.number()?, wire.number()?]),
        "ssh-ed25519" => spki::plain(Plain::Ed25519, wire.string()?),
        "ssh-ed448" => spki::plain(Plain::Ed448, wire.string()?),
        "sk-ssh-ed25519@openssh.com" => {
            let key = spki::plain(Plain::Ed25519, wire.string()?);
            // The application, for which the security key answers.
            wire.string()?;
            key
        }
        "sk-ecdsa-sha2-nistp256@openssh.com" => {
            let key = point("nistp256", Curve::P256, wire);
            wire.string()?;
            key
        }
        "ecdsa-sha2-nistp256" => point("nistp256", Curve::P256, wire),
        "ecdsa-sha2-nistp384" => point("nistp384", Curve::P384, wire),
        "ecdsa-sha2-nistp521" => point("nistp521", Curve::P521, wire),
        _ => None,
    }
}

fn point(name: &str, curve: Curve, wire: &mut Wire<'_>) -> Option<Vec<u8>> {
    wire.name().filter(|stated| *stated == name)?;
    spki::elliptic(curve, wire.string()?)
}

/// What follows the key in a certificate (PROTOCOL.certkeys, "New public key formats").
fn certificate(wire: &mut Wire<'_>) -> Option<SshCertificate> {
    let _serial = wire.u64()?;
    let host = match wire.u32()? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let key_id = found::label(wire.string()?).unwrap_or_default();
    let mut names = Wire(wire.string()?);
    let mut principals = Vec::new();
    while !names.is_empty() {
        let name = found::label(names.string()?).unwrap_or_default();
        if principals.len() < MOST_PRINCIPALS {
            principals.push(name);
        }
    }
    let (after, before) = (wire.u64()?, wire.u64()?);
    let time = |seconds: u64| Time(i64::try_from(seconds).unwrap_or(i64::MAX));
    let (_critical, _extensions, _reserved) = (wire.string()?, wire.string()?, wire.string()?);
    let authority = wire.string()?;
    let _signature = wire.string()?;
    // A certificate signs no certificate in SSH, so the authority is a bare key.
    let mut signer = Wire(authority);
    let authority = signer
        .name()
        .and_then(|name| fields(name, &mut signer))
        .and_then(|spki| public_key::read(&spki))
        .map(|(id, _): (Digest, _)| id);
    Some(SshCertificate {
        host,
        key_id,
        principals,
        valid_after: time(after),
        valid_before: (before != u64::MAX).then(|| time(before)),
        authority,
    })
}
