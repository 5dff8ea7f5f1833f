//! Our side of the key exchanges of TLS 1.3.
//!
//! The certificates of TLS 1.3 are encrypted, so a key has to be agreed on to read them. It
//! protects nothing of ours: no data is ever sent under it. One set of keys therefore serves all
//! probes of a run, which spares most of what a handshake costs.

use std::sync::OnceLock;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kem::{self, DecapsulationKey};

use super::names::group_code::{
    MLKEM512, MLKEM768, MLKEM1024, SECP256R1, SECP256R1_MLKEM768, SECP384R1, SECP384R1_MLKEM1024,
    SECP521R1, X25519, X25519_MLKEM768,
};

/// Private keys, each made when it is first needed.
#[derive(Default)]
pub(super) struct Keys {
    x25519: Curve,
    secp256r1: Curve,
    secp384r1: Curve,
    secp521r1: Curve,
    mlkem512: Lattice,
    mlkem768: Lattice,
    mlkem1024: Lattice,
    hybrid: OnceLock<Vec<u8>>,
}

#[derive(Default)]
struct Curve(OnceLock<Option<(PrivateKey, Vec<u8>)>>);

#[derive(Default)]
struct Lattice(OnceLock<Option<(DecapsulationKey, Vec<u8>)>>);

/// Sizes of public keys and ciphertexts (FIPS 203, table 3; RFC 8446, 4.2.8.2).
const CIPHERTEXT_768: usize = 1088;
const POINT_P256: usize = 65;
const POINT_P384: usize = 97;

impl Keys {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What we send for a group; `None` for one that we cannot compute.
    pub(super) fn share(&self, group: u16) -> Option<Vec<u8>> {
        let joined = |a: Option<&[u8]>, b: Option<&[u8]>| Some([a?, b?].concat());
        match group {
            X25519 => self.x25519.share(&agreement::X25519).map(<[u8]>::to_vec),
            SECP256R1 => self.secp256r1.share(&agreement::ECDH_P256).map(<[u8]>::to_vec),
            SECP384R1 => self.secp384r1.share(&agreement::ECDH_P384).map(<[u8]>::to_vec),
            SECP521R1 => self.secp521r1.share(&agreement::ECDH_P521).map(<[u8]>::to_vec),
            MLKEM512 => self.mlkem512.share(&kem::ML_KEM_512).map(<[u8]>::to_vec),
            MLKEM768 => self.mlkem768.share(&kem::ML_KEM_768).map(<[u8]>::to_vec),
            MLKEM1024 => self.mlkem1024.share(&kem::ML_KEM_1024).map(<[u8]>::to_vec),
            // RFC 10024: the order of the parts is that of the name, but for X25519.
            X25519_MLKEM768 => {
                if let Some(known) = self.hybrid.get() {
                    return Some(known.clone());
                }
                let share = joined(
                    self.mlkem768.share(&kem::ML_KEM_768),
                    self.x25519.share(&agreement::X25519),
                )?;
                Some(self.hybrid.get_or_init(|| share).clone())
            }
            SECP256R1_MLKEM768 => joined(
                self.secp256r1.share(&agreement::ECDH_P256),
                self.mlkem768.share(&kem::ML_KEM_768),
            ),
            SECP384R1_MLKEM1024 => joined(
                self.secp384r1.share(&agreement::ECDH_P384),
                self.mlkem1024.share(&kem::ML_KEM_1024),
            ),
            _ => None,
        }
    }

    /// The secret both sides have; `None` when the server's share is none.
    pub(super) fn agree(&self, group: u16, theirs: &[u8]) -> Option<Vec<u8>> {
        let split = |at: usize| theirs.split_at_checked(at);
        let joined = |a: Option<Vec<u8>>, b: Option<Vec<u8>>| Some([a?, b?].concat());
        match group {
            X25519 => self.x25519.agree(&agreement::X25519, theirs),
            SECP256R1 => self.secp256r1.agree(&agreement::ECDH_P256, theirs),
            SECP384R1 => self.secp384r1.agree(&agreement::ECDH_P384, theirs),
            SECP521R1 => self.secp521r1.agree(&agreement::ECDH_P521, theirs),
            MLKEM512 => self.mlkem512.agree(theirs),
            MLKEM768 => self.mlkem768.agree(theirs),
            MLKEM1024 => self.mlkem1024.agree(theirs),
            X25519_MLKEM768 => {
                let (lattice, curve) = split(CIPHERTEXT_768)?;
                let curve = self.x25519.agree(&agreement::X25519, curve);
                joined(self.mlkem768.agree(lattice), curve)
            }
            SECP256R1_MLKEM768 => {
                let (curve, lattice) = split(POINT_P256)?;
                let curve = self.secp256r1.agree(&agreement::ECDH_P256, curve);
                joined(curve, self.mlkem768.agree(lattice))
            }
            SECP384R1_MLKEM1024 => {
                let (curve, lattice) = split(POINT_P384)?;
                let curve = self.secp384r1.agree(&agreement::ECDH_P384, curve);
                joined(curve, self.mlkem1024.agree(lattice))
            }
            _ => None,
        }
    }
}

impl Curve {
    fn get(&self, algorithm: &'static agreement::Algorithm) -> Option<&(PrivateKey, Vec<u8>)> {
        let make = || {
            let private = PrivateKey::generate(algorithm).ok()?;
            let public = private.compute_public_key().ok()?.as_ref().to_vec();
            Some((private, public))
        };
        self.0.get_or_init(make).as_ref()
    }

    fn share(&self, algorithm: &'static agreement::Algorithm) -> Option<&[u8]> {
        self.get(algorithm).map(|(_, public)| public.as_slice())
    }

    fn agree(&self, algorithm: &'static agreement::Algorithm, theirs: &[u8]) -> Option<Vec<u8>> {
        let (private, _) = self.get(algorithm)?;
        let theirs = UnparsedPublicKey::new(algorithm, theirs);
        agreement::agree(private, theirs, Unspecified, |secret| Ok(secret.to_vec())).ok()
    }
}

impl Lattice {
    fn share(&self, algorithm: &'static kem::Algorithm) -> Option<&[u8]> {
        let make = || {
            let private = DecapsulationKey::generate(algorithm).ok()?;
            let public = private.encapsulation_key().ok()?.key_bytes().ok()?.as_ref().to_vec();
            Some((private, public))
        };
        self.0.get_or_init(make).as_ref().map(|(_, public)| public.as_slice())
    }

    /// Whoever answers a share of ours had it, so the key is there.
    fn agree(&self, theirs: &[u8]) -> Option<Vec<u8>> {
        let (private, _) = self.0.get()?.as_ref()?;
        private.decapsulate(theirs.into()).ok().map(|secret| secret.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other side of a key encapsulation.
    fn encapsulate(
        algorithm: &'static kem::Algorithm<kem::AlgorithmId>,
        share: &[u8],
    ) -> (Vec<u8>, Vec<u8>) {
        let key = kem::EncapsulationKey::new(algorithm, share).expect("a public key");
        let (ciphertext, secret) = key.encapsulate().expect("a secret");
        (ciphertext.as_ref().to_vec(), secret.as_ref().to_vec())
    }

    #[test]
    fn both_sides_of_every_curve_come_to_the_same_secret() {
        for group in [X25519, SECP256R1, SECP384R1, SECP521R1] {
            let (ours, theirs) = (Keys::new(), Keys::new());
            let (our, their) = (ours.share(group), theirs.share(group));
            let secret = ours.agree(group, &their.expect("a share")).expect("a secret");
            assert_eq!(theirs.agree(group, &our.expect("a share")), Some(secret));
        }
    }

    #[test]
    fn both_sides_of_every_key_encapsulation_come_to_the_same_secret() {
        for (group, algorithm) in [
            (MLKEM512, &kem::ML_KEM_512),
            (MLKEM768, &kem::ML_KEM_768),
            (MLKEM1024, &kem::ML_KEM_1024),
        ] {
            let keys = Keys::new();
            let (answer, secret) = encapsulate(algorithm, &keys.share(group).expect("a share"));
            assert_eq!(keys.agree(group, &answer), Some(secret));
        }
    }

    #[test]
    fn hybrids_put_their_parts_in_the_order_of_the_standard() {
        for (hybrid, curve, point, algorithm, curve_first) in [
            (X25519_MLKEM768, X25519, 32, &kem::ML_KEM_768, false),
            (SECP256R1_MLKEM768, SECP256R1, 65, &kem::ML_KEM_768, true),
            (SECP384R1_MLKEM1024, SECP384R1, 97, &kem::ML_KEM_1024, true),
        ] {
            let (keys, theirs) = (Keys::new(), Keys::new());
            let share = keys.share(hybrid).expect("a share");
            let (ours, lattice) = if curve_first {
                share.split_at(point)
            } else {
                let (lattice, ours) = share.split_at(share.len() - point);
                (ours, lattice)
            };
            let (ciphertext, lattice_secret) = encapsulate(algorithm, lattice);
            let curve_secret = theirs.agree(curve, ours).expect("a secret");
            let their_point = theirs.share(curve).expect("a share");
            let in_order = |curve: Vec<u8>, lattice: Vec<u8>| {
                if curve_first { [curve, lattice].concat() } else { [lattice, curve].concat() }
            };
            let answer = in_order(their_point, ciphertext);
            let secret = in_order(curve_secret, lattice_secret);
            assert_eq!(keys.agree(hybrid, &answer), Some(secret), "{hybrid}");
        }
    }

    #[test]
    fn what_is_no_share_makes_no_secret() {
        let keys = Keys::new();
        for group in [X25519, SECP256R1, MLKEM768, X25519_MLKEM768, SECP384R1_MLKEM1024] {
            assert!(keys.share(group).is_some());
            for length in [0, 1, 31, 33, 65, 97, 1087, 1089, 2000] {
                assert_eq!(keys.agree(group, &vec![4; length]), None, "{group} {length}");
            }
        }
        assert_eq!(keys.share(30), None, "x448 is not computed");
    }

    #[test]
    fn shares_have_the_sizes_of_the_standard() {
        let keys = Keys::new();
        for (group, length) in
            [(X25519_MLKEM768, 1216), (SECP256R1_MLKEM768, 1249), (SECP384R1_MLKEM1024, 1665)]
        {
            assert_eq!(keys.share(group).map(|share| share.len()), Some(length));
        }
    }
}
