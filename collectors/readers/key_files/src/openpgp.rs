//! Keys of OpenPGP (RFC 9580, and RFC 4880 and RFC 1991 for what was written before): packets in
//! armour or in binary keyrings.

use pki_encodings::Report;
use pki_inventory::{Digest, Encryption, Half, Key, KeyForm, Object, Raw};

use crate::found;
use crate::openpgp_key::{self, Material, Protection};
use crate::wire::Wire;

/// The most keys under one primary key.
const MOST_KEYS: usize = 1024;

/// A packet: its type and its body (RFC 9580, 4.2).
struct Packet<'a> {
    kind: u8,
    body: &'a [u8],
}

const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SECRET_SUBKEY: u8 = 7;
const USER_ID: u8 = 13;
const PUBLIC_SUBKEY: u8 = 14;

/// Whether a keyring begins here: a primary key that ends where its packet does. A prefix of the
/// octets is enough, if the first packet is in it.
pub fn begins(octets: &[u8]) -> bool {
    let mut wire = Wire(octets);
    packet(&mut wire)
        .filter(|packet| matches!(packet.kind, SECRET_KEY | PUBLIC_KEY))
        .is_some_and(|packet| openpgp_key::read(packet.body, packet.kind == SECRET_KEY).is_some())
}

/// Reads a keyring: every key, under the first name of the primary key it belongs to. Only where all
/// of it is there, an end inside of a packet is a fault.
pub fn read(octets: &[u8], complete: bool, report: &mut dyn Report) {
    let mut wire = Wire(octets);
    let (mut held, mut name) = (Vec::new(), None);
    let mut broken = false;
    while !wire.is_empty() {
        let Some(packet) = packet(&mut wire) else {
            broken = complete;
            break;
        };
        match packet.kind {
            SECRET_KEY | PUBLIC_KEY | SECRET_SUBKEY | PUBLIC_SUBKEY => {
                let secret = matches!(packet.kind, SECRET_KEY | SECRET_SUBKEY);
                if secret {
                    report.secret();
                }
                if matches!(packet.kind, SECRET_KEY | PUBLIC_KEY) || held.len() >= MOST_KEYS {
                    flush(&mut held, name.take(), report);
                }
                match openpgp_key::read(packet.body, secret) {
                    Some(key) => held.push(key),
                    None => found::report_unparsed(
                        packet.body,
                        "an OpenPGP key packet that is broken or of an unknown kind".to_owned(),
                        report,
                    ),
                }
            }
            USER_ID if name.is_none() => name = found::label(packet.body),
            _ => {}
        }
    }
    flush(&mut held, name, report);
    if broken {
        let rest = wire.0;
        found::report_unparsed(
            rest,
            "an OpenPGP keyring ends inside of a packet".to_owned(),
            report,
        );
    }
}

fn flush(held: &mut Vec<openpgp_key::Found<'_>>, name: Option<String>, report: &mut dyn Report) {
    for key in held.drain(..) {
        let encryption = match key.protection {
            Protection::NotThere | Protection::Clear => Encryption::None,
            Protection::Passphrase { kdf, cipher, iterations } => {
                Encryption::Passphrase { kdf, cipher, iterations }
            }
        };
        let half = if key.private { Half::Private } else { Half::Public };
        let form = KeyForm { half, encoding: "OpenPGP".to_owned(), encryption };
        match key.material {
            Material::Spki(spki) => found::report_key(&spki, form, name.clone(), report),
            // Only certificates would need that form, and none hold such keys.
            Material::Other(algorithm) => {
                let id = Digest::of(key.public);
                let raw = Raw::Key { id, key: Key { spki: None, algorithm: Some(algorithm) } };
                if !report.is_full() {
                    let label = name.clone();
                    report.object(Object { key: Some(form), label, ..Object::of(raw) });
                }
            }
        }
    }
}

/// The next packet. Partial lengths are for data that streams (RFC 9580, 4.2.1.4), which keys are
/// not.
fn packet<'a>(wire: &mut Wire<'a>) -> Option<Packet<'a>> {
    let mut ahead = *wire;
    let first = ahead.u8().filter(|first| first & 0x80 != 0)?;
    let (kind, length) = if first & 0x40 != 0 {
        let length = match ahead.u8()? {
            short @ ..192 => usize::from(short),
            two @ 192..224 => (usize::from(two) - 192) * 256 + usize::from(ahead.u8()?) + 192,
            255 => usize::try_from(ahead.u32()?).ok()?,
            _ => return None,
        };
        (first & 0x3f, length)
    } else {
        let length = match first & 3 {
            0 => usize::from(ahead.u8()?),
            1 => usize::from(ahead.u16()?),
            2 => usize::try_from(ahead.u32()?).ok()?,
            _ => return None,
        };
        (first >> 2 & 0xf, length)
    };
    let body = ahead.take(length)?;
    *wire = ahead;
    Some(Packet { kind, body })
}
