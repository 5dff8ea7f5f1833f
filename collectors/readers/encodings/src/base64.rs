//! Base64 (RFC 4648, section 4), a line at a time.
//!
//! The published decoders want the whole text at once. A block here arrives in pieces, may be a
//! revocation list of many megabytes, and may hold a secret, so nothing is copied on the way and
//! what grows wipes what it leaves behind.

use zeroize::{Zeroize as _, Zeroizing};

/// Collects octets from base64 lines.
#[derive(Debug, Default)]
pub struct Decoder {
    octets: Zeroizing<Vec<u8>>,
    held: u32,
    /// Digits held that do not make a full group of four yet.
    digits: u8,
    padding: u8,
}

/// Why a line was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is not base64.
    Character,
    /// It would be more octets than allowed.
    Limit,
}

const INVALID: u8 = 0xff;
const PADDING: u8 = 0xfe;

const VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    while at < alphabet.len() {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values[b'=' as usize] = PADDING;
    values
};

impl Decoder {
    /// Takes one line without its white space, as long as no more than `limit` octets come out.
    /// Octets before the fault are kept.
    ///
    /// # Errors
    ///
    /// When the line is not base64, or too much.
    pub fn push(&mut self, line: &[u8], limit: usize) -> Result<(), Refused> {
        self.make_room(line.len() / 4 * 3 + 3, limit);
        for &character in line {
            match VALUES[usize::from(character)] {
                PADDING if self.digits + self.padding >= 2 && self.padding < 2 => self.padding += 1,
                INVALID | PADDING => return Err(Refused::Character),
                _ if self.padding > 0 => return Err(Refused::Character),
                value => {
                    self.held = self.held << 6 | u32::from(value);
                    self.digits += 1;
                    if self.digits == 4 {
                        let [_, group @ ..] = self.held.to_be_bytes();
                        self.octets.extend_from_slice(&group);
                        (self.held, self.digits) = (0, 0);
                    }
                }
            }
        }
        if self.octets.len() > limit { Err(Refused::Limit) } else { Ok(()) }
    }

    /// Octets so far.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Everything, unless the text ended inside an octet. Absent padding is forgiven: the digits
    /// say the same without it.
    #[must_use]
    pub fn finish(mut self) -> (Zeroizing<Vec<u8>>, bool) {
        let [_, first, second, _] = (self.held << (6 * (4 - u32::from(self.digits)))).to_be_bytes();
        match self.digits {
            0 => {}
            2 => self.octets.push(first),
            3 => self.octets.extend_from_slice(&[first, second]),
            _ => return (self.octets, false),
        }
        self.held = 0;
        (self.octets, true)
    }

    /// A vector that grows by itself leaves its old octets in freed memory.
    /// It doubles, but not beyond the limit.
    fn make_room(&mut self, more: usize, limit: usize) {
        let needed = self.octets.len() + more;
        if needed > self.octets.capacity() {
            let doubled = (self.octets.capacity() * 2).clamp(4096, limit.max(4096));
            let mut larger = Vec::with_capacity(needed.max(doubled));
            larger.extend_from_slice(&self.octets);
            self.octets.zeroize();
            self.octets = Zeroizing::new(larger);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(lines: &[&str]) -> Option<Vec<u8>> {
        let mut decoder = Decoder::default();
        for line in lines {
            decoder.push(line.as_bytes(), 100).ok()?;
        }
        let (octets, whole) = decoder.finish();
        whole.then(|| octets.to_vec())
    }

    #[test]
    fn lines_may_break_anywhere_and_padding_may_be_missing() {
        for lines in [&["Zm9vYmFy"][..], &["Z", "m9vY", "mFy"], &["Zm9vYm", "Fy"]] {
            assert_eq!(decode(lines).as_deref(), Some(&b"foobar"[..]));
        }
        for lines in [&["Zm9vYg=="][..], &["Zm9vYg"], &["Zm9vYg=", "="]] {
            assert_eq!(decode(lines).as_deref(), Some(&b"foob"[..]));
        }
        assert_eq!(decode(&["Zm9vYmE="]).as_deref(), Some(&b"fooba"[..]));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for lines in [&["Zm9v!"][..], &["Zg==", "Zg=="], &["Zm9vY"], &["="], &["Zg==="], &["Zm9v="]]
        {
            assert_eq!(decode(lines), None, "{lines:?}");
        }
        assert_eq!(Decoder::default().push(&[b'A'; 200], 100), Err(Refused::Limit));
    }
}
