//! Keys from passwords: PBKDF2 (RFC 8018, 5.2) and the derivation of PKCS#12 (RFC 7292, B.2).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::{Zeroize as _, Zeroizing};

/// The hash functions that occur.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// What a derived octet is for (RFC 7292, B.3).
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Key = 1,
    Vector = 2,
    Mac = 3,
}

impl Hash {
    /// By the identifier of the function itself.
    pub(crate) fn by_oid(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.3.14.3.2.26" => Self::Sha1,
            "2.16.840.1.101.3.4.2.1" => Self::Sha256,
            "2.16.840.1.101.3.4.2.2" => Self::Sha384,
            "2.16.840.1.101.3.4.2.3" => Self::Sha512,
            "2.16.840.1.101.3.4.2.4" => Self::Sha224,
            _ => return None,
        })
    }

    /// By the identifier of the HMAC that is built on it (RFC 8018, B.1.2).
    pub(crate) fn by_hmac(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.2.840.113549.2.7" => Self::Sha1,
            "1.2.840.113549.2.8" => Self::Sha224,
            "1.2.840.113549.2.9" => Self::Sha256,
            "1.2.840.113549.2.10" => Self::Sha384,
            "1.2.840.113549.2.11" => Self::Sha512,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    /// Octets of a digest.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Octets that the function takes at a time.
    fn block(self) -> usize {
        if matches!(self, Self::Sha384 | Self::Sha512) { 128 } else { 64 }
    }

    pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        macro_rules! with {
            ($hash:ty) => {{
                let mut mac = Hmac::<$hash>::new_from_slice(key).expect("HMAC takes any key");
                mac.update(message);
                mac.finalize().into_bytes().to_vec()
            }};
        }
        match self {
            Self::Sha1 => with!(Sha1),
            Self::Sha224 => with!(Sha224),
            Self::Sha256 => with!(Sha256),
            Self::Sha384 => with!(Sha384),
            Self::Sha512 => with!(Sha512),
        }
    }

    /// The work of deriving so many octets: every block of a digest costs all iterations.
    pub(crate) fn work(self, iterations: u32, length: usize) -> u64 {
        u64::from(iterations) * (length.div_ceil(self.size()).max(1) as u64)
    }

    pub(crate) fn pbkdf2(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![0; length]);
        let derive = match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>,
            Self::Sha224 => pbkdf2::pbkdf2_hmac::<Sha224>,
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>,
            Self::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>,
            Self::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>,
        };
        derive(password, salt, iterations, &mut out);
        out
    }

    /// The password in UTF-16 with its end, see [`crate::passwords::Candidate::bmp`].
    pub(crate) fn pkcs12(
        self,
        purpose: Purpose,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![0; length]);
        let derive = match self {
            Self::Sha1 => pkcs12::<Sha1>,
            Self::Sha224 => pkcs12::<Sha224>,
            Self::Sha256 => pkcs12::<Sha256>,
            Self::Sha384 => pkcs12::<Sha384>,
            Self::Sha512 => pkcs12::<Sha512>,
        };
        derive(self.block(), purpose, password, salt, iterations, &mut out);
        out
    }
}

fn pkcs12<D: Digest>(
    block: usize,
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    out: &mut [u8],
) {
    // Steps 1 to 4: the salt and the password, each repeated up to whole blocks.
    let whole = |part: &[u8]| part.len().div_ceil(block) * block;
    let mut input = Zeroizing::new(Vec::with_capacity(whole(salt) + whole(password)));
    input.extend(salt.iter().cycle().take(whole(salt)));
    input.extend(password.iter().cycle().take(whole(password)));
    let diversifier = vec![purpose as u8; block];
    for piece in out.chunks_mut(<D as Digest>::output_size()) {
        let mut digest = D::new().chain_update(&diversifier).chain_update(&*input).finalize();
        for _ in 1..iterations {
            digest = D::digest(&digest);
        }
        piece.copy_from_slice(&digest[..piece.len()]);
        // Step 6C: every block of the input plus the digest, repeated, plus one.
        for part in input.chunks_mut(block) {
            let mut carry = 1u16;
            for (at, octet) in part.iter_mut().enumerate().rev() {
                carry += u16::from(*octet) + u16::from(digest[at % digest.len()]);
                *octet = (carry & 0xff) as u8;
                carry >>= 8;
            }
        }
        digest.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result is what `openssl kdf -keylen 24 -kdfopt digest:SHA1 -kdfopt hexpass:… -kdfopt
    /// hexsalt:0a58cf64530d823f -kdfopt id:1 -kdfopt iter:1 PKCS12KDF` prints for `smeg`.
    #[test]
    fn the_derivation_of_pkcs12_is_that_of_openssl() {
        let password = crate::passwords::utf16("smeg\0");
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        let key = Hash::Sha1.pkcs12(Purpose::Key, &password, &salt, 1, 24);
        let hex: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3");
    }
}
