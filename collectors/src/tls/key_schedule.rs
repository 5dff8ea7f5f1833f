//! The key schedule of TLS 1.3 as far as the server's certificates (RFC 8446, section 7.1), and the
//! records under it.
//!
//! Nothing is verified: neither the server's signature nor its Finished. We only read what it
//! shows, and what a certificate is worth is judged from the record.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::cipher::{AES_128, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::{digest, hmac};

/// The hash and the cipher of a suite of TLS 1.3.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    hash: &'static digest::Algorithm,
    mac: hmac::Algorithm,
    cipher: Cipher,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aead(&'static aws_lc_rs::aead::Algorithm),
    /// AES-128-CCM with a tag of this many octets. Small devices have it, and no library at hand
    /// does; reading it takes no more than its counter mode.
    Ccm(usize),
}

enum Key {
    Aead(LessSafeKey),
    Ccm { key: Vec<u8>, tag: usize },
}

/// Reads the records of one side, or writes them.
pub(super) struct Records {
    key: Key,
    iv: [u8; 12],
    sequence: u64,
}

/// What a decrypted record holds.
pub(super) struct Opened {
    /// Content type (RFC 8446, 5.2).
    pub(super) kind: u8,
    pub(super) content: Vec<u8>,
}

impl Suite {
    pub(super) fn of(code: u16) -> Option<Self> {
        let cipher = match code {
            0x1301 => Cipher::Aead(&AES_128_GCM),
            0x1302 => Cipher::Aead(&AES_256_GCM),
            0x1303 => Cipher::Aead(&CHACHA20_POLY1305),
            0x1304 => Cipher::Ccm(16),
            0x1305 => Cipher::Ccm(8),
            _ => return None,
        };
        let (hash, mac) = match code {
            0x1302 => (&digest::SHA384, hmac::HMAC_SHA384),
            _ => (&digest::SHA256, hmac::HMAC_SHA256),
        };
        Some(Self { hash, mac, cipher })
    }

    /// The hash of all messages so far. After a HelloRetryRequest the first hello is replaced by
    /// its own hash (RFC 8446, 4.4.1).
    pub(super) fn transcript(self, retried: Option<(&[u8], &[u8])>, hellos: [&[u8]; 2]) -> Vec<u8> {
        let mut context = digest::Context::new(self.hash);
        if let Some((first, request)) = retried {
            let first = digest::digest(self.hash, first);
            // message_hash (254), and no hash is longer than 255 octets.
            context.update(&[254, 0, 0, first.as_ref().len() as u8]);
            context.update(first.as_ref());
            context.update(request);
        }
        hellos.iter().for_each(|hello| context.update(hello));
        context.finish().as_ref().to_vec()
    }

    /// The records of the server and ours, under the handshake secret.
    pub(super) fn handshake_records(
        self,
        shared: &[u8],
        transcript: &[u8],
    ) -> Option<(Records, Records)> {
        let zeros = [0; 48];
        let length = self.hash.output_len();
        let early = self.extract(&[], &zeros[..length]);
        let empty = digest::digest(self.hash, &[]);
        let derived = self.expand(&early, b"derived", empty.as_ref(), length);
        let handshake = self.extract(&derived, shared);
        let theirs = self.expand(&handshake, b"s hs traffic", transcript, length);
        let ours = self.expand(&handshake, b"c hs traffic", transcript, length);
        Some((self.records(&theirs)?, self.records(&ours)?))
    }

    fn records(self, secret: &[u8]) -> Option<Records> {
        let iv = self.expand(secret, b"iv", &[], 12);
        let key = match self.cipher {
            Cipher::Aead(cipher) => {
                let key = self.expand(secret, b"key", &[], cipher.key_len());
                Key::Aead(LessSafeKey::new(UnboundKey::new(cipher, &key).ok()?))
            }
            Cipher::Ccm(tag) => Key::Ccm { key: self.expand(secret, b"key", &[], 16), tag },
        };
        Some(Records { key, iv: iv.try_into().ok()?, sequence: 0 })
    }

    /// HKDF-Extract (RFC 5869, 2.2).
    fn extract(self, salt: &[u8], secret: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(self.mac, salt), secret).as_ref().to_vec()
    }

    /// HKDF-Expand-Label. One block of output is enough for all that is derived here.
    fn expand(self, secret: &[u8], label: &[u8], context: &[u8], length: usize) -> Vec<u8> {
        const PREFIX: &[u8] = b"tls13 ";
        let mut info = Vec::with_capacity(80);
        // Labels, contexts and lengths are ours, and none is longer than 64 octets.
        info.extend([0, length as u8, (PREFIX.len() + label.len()) as u8]);
        info.extend(PREFIX);
        info.extend(label);
        info.push(context.len() as u8);
        info.extend(context);
        info.push(1);
        let block = hmac::sign(&hmac::Key::new(self.mac, secret), &info);
        block.as_ref()[..length].to_vec()
    }
}

impl Records {
    /// Decrypts the fragment of a record; `None` when it was not encrypted for us.
    pub(super) fn open(&mut self, mut fragment: Vec<u8>) -> Option<Opened> {
        let aad = header(fragment.len());
        let nonce = self.nonce();
        match &self.key {
            Key::Aead(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                let length = key.open_in_place(nonce, Aad::from(aad), &mut fragment).ok()?.len();
                fragment.truncate(length);
            }
            Key::Ccm { key, tag } => {
                fragment.truncate(fragment.len().checked_sub(*tag)?);
                // The first counter block for data (RFC 3610, 2.3): a length of three octets, the
                // nonce, one. The tag is not checked: what is shown is recorded, and not trusted.
                let mut counter = [0; 16];
                counter[0] = 2;
                counter[1..13].copy_from_slice(&nonce);
                counter[15] = 1;
                let key = DecryptingKey::ctr(UnboundCipherKey::new(&AES_128, key).ok()?).ok()?;
                let context = DecryptionContext::Iv128(counter.into());
                let length = key.decrypt(&mut fragment, context).ok()?.len();
                fragment.truncate(length);
            }
        }
        // Zeros pad the content, and the last octet before them is its type.
        while fragment.last() == Some(&0) {
            fragment.pop();
        }
        let kind = fragment.pop()?;
        Some(Opened { kind, content: fragment })
    }

    /// Encrypts a content of a type into a whole record; `None` where we can only read.
    pub(super) fn seal(&mut self, kind: u8, content: &[u8]) -> Option<Vec<u8>> {
        let Key::Aead(key) = &self.key else { return None };
        let mut fragment = content.to_vec();
        fragment.push(kind);
        let header = header(fragment.len() + key.algorithm().tag_len());
        let nonce = Nonce::assume_unique_for_key(nonce(&self.iv, self.sequence));
        self.sequence += 1;
        key.seal_in_place_append_tag(nonce, Aad::from(header), &mut fragment).ok()?;
        Some([&header[..], &fragment].concat())
    }

    fn nonce(&mut self) -> [u8; 12] {
        self.sequence += 1;
        nonce(&self.iv, self.sequence - 1)
    }
}

/// RFC 8446, 5.3.
fn nonce(iv: &[u8; 12], sequence: u64) -> [u8; 12] {
    let mut nonce = *iv;
    let sequence = sequence.to_be_bytes();
    nonce[4..].iter_mut().zip(sequence).for_each(|(octet, number)| *octet ^= number);
    nonce
}

fn header(length: usize) -> [u8; 5] {
    // Whoever calls has a fragment of a record, whose length is two octets.
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [23, 3, 3, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
        let pair = |pair: &[u8]| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits")
        };
        digits.chunks(2).map(pair).collect()
    }

    /// RFC 8448, section 3: the secrets of a handshake that others computed.
    #[test]
    fn the_schedule_is_that_of_the_published_trace() {
        let suite = Suite::of(0x1301).expect("a suite");
        let early = suite.extract(&[], &[0; 32]);
        assert_eq!(
            early,
            octets("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a")
        );
        let empty = digest::digest(suite.hash, &[]);
        let derived = suite.expand(&early, b"derived", empty.as_ref(), 32);
        assert_eq!(
            derived,
            octets("6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba")
        );
        let shared = octets("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
        let handshake = suite.extract(&derived, &shared);
        assert_eq!(
            handshake,
            octets("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac")
        );
        let transcript = octets("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
        let theirs = suite.expand(&handshake, b"s hs traffic", &transcript, 32);
        assert_eq!(
            theirs,
            octets("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
        );
        assert_eq!(
            suite.expand(&theirs, b"key", &[], 16),
            octets("3fce516009c21727d0f2e4e86ee403bc")
        );
        assert_eq!(suite.expand(&theirs, b"iv", &[], 12), octets("5d313eb2671276ee13000b30"));
    }

    /// Encrypted with CCM by another library: key of sixteen 01, nonce of twelve 02.
    #[test]
    fn ccm_is_read_without_its_tag() {
        let sealed = octets(
            "327d5b2ed0b10bedcf5765f34f334cf19a6f19f27c12f295ccb84639bbe94d266684d65ec5632df7be121e",
        );
        let key = Key::Ccm { key: vec![1; 16], tag: 16 };
        let mut records = Records { key, iv: [2; 12], sequence: 0 };
        let opened = records.open(sealed).expect("a record");
        assert_eq!(
            (opened.kind, opened.content.as_slice()),
            (22, &b"certificates of a device"[..])
        );
        assert!(records.open(vec![0; 15]).is_none());
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_refused_when_it_was_not() {
        for code in [0x1301, 0x1302, 0x1303] {
            let suite = Suite::of(code).expect("a suite");
            let side = || suite.handshake_records(&[1; 32], &[2; 32]).expect("records").0;
            let (mut writer, mut reader, mut other) = (side(), side(), side());
            for content in [&b"certificates"[..], b"more of them"] {
                let record = writer.seal(22, content).expect("a record");
                assert_eq!(usize::from(record[4]), record.len() - 5);
                let opened = reader.open(record[5..].to_vec()).expect("a record");
                assert_eq!((opened.kind, opened.content.as_slice()), (22, content));
            }
            let mut record = writer.seal(22, b"x").expect("a record");
            record[6] ^= 1;
            assert!(reader.open(record[5..].to_vec()).is_none());
            assert!(other.open(Vec::new()).is_none());
        }
        assert!(Suite::of(0xc02f).is_none());
    }
}
