//! Identities of age (age's specification, "X25519 recipient stanza"): Bech32 (BIP 173) in
//! capitals, whose checksum tells a key from a placeholder.

use pki_encodings::Report;
use pki_inventory::Encryption;
use zeroize::Zeroizing;

use crate::found;
use crate::spki;
use crate::text::Window;

pub const SIGN: &[u8] = b"AGE-SECRET-KEY-1";

/// The human-readable part, in the form that the checksum is made over.
const HUMAN: &[u8] = b"age-secret-key-";
const ALPHABET: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
/// 32 octets in groups of five bits.
const DATA: usize = 52;
const CHECKSUM: usize = 6;

/// Reads the identities in a window.
pub fn read(window: Window<'_>, report: &mut dyn Report) -> usize {
    let limit = window.limit(&[SIGN]);
    for at in window.hits(SIGN, limit) {
        let Some(secret) = secret(&window.text[at + SIGN.len()..]) else { continue };
        report.secret();
        report.known();
        if let Some(spki) = spki::of_x25519_secret(&secret) {
            let form = found::private("age", Encryption::None);
            found::report_key(&spki, form, None, report);
        }
    }
    limit
}

fn secret(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut groups = Zeroizing::new(Vec::with_capacity(DATA + CHECKSUM));
    for character in text.get(..DATA + CHECKSUM)? {
        let value = ALPHABET.iter().position(|known| known == character)?;
        groups.push(u8::try_from(value).ok()?);
    }
    if text.get(DATA + CHECKSUM).is_some_and(u8::is_ascii_alphanumeric) || !checked(&groups) {
        return None;
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(32));
    let (mut held, mut bits) = (0u32, 0);
    for group in &groups[..DATA] {
        held = (held << 5 | u32::from(*group)) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            octets.push((held >> bits & 0xff) as u8);
        }
    }
    // 52 groups are 260 bits; the four that are left over have to be zero.
    (octets.len() == 32 && held & 0xf == 0).then_some(octets)
}

/// BIP 173, "Checksum".
fn checked(groups: &[u8]) -> bool {
    let high = HUMAN.iter().map(|octet| octet >> 5);
    let low = HUMAN.iter().map(|octet| octet & 31);
    let all = high.chain([0]).chain(low).chain(groups.iter().copied());
    let sum = all.fold(1u32, |sum, value| {
        let top = sum >> 25;
        let mut sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (bit, term) in
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].iter().enumerate()
        {
            if top >> bit & 1 == 1 {
                sum ^= term;
            }
        }
        sum
    });
    sum == 1
}
