//! Encryption under a password: PBES2 (RFC 8018, 6.2) and the fixed schemes of PKCS#12 (RFC 7292,
//! C).
//!
//! Why not a published reader of PKCS#12: `p12-keystore` shows nothing of a store without the right
//! password and no certificate that has no key, and pins pre-releases. The functions themselves are
//! those of RustCrypto, which has the old ones (RC2, triple DES) too.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, KeyInit};
use des::{TdesEde2, TdesEde3};
use pki_encodings::encrypted_pkcs8;
use pki_encodings::tlv::{self, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use pki_inventory::Encryption;
use rc2::Rc2;
use zeroize::Zeroizing;

use crate::ber::{Node, Nodes};
use crate::derivation::{Hash, Purpose};

/// Salts are 8 to 64 octets; a longer one is an attempt to keep us busy.
const MOST_SALT: usize = 1024;

/// How something is encrypted, and how it is opened.
pub(crate) struct Scheme {
    /// In the words of the inventory.
    pub(crate) encryption: Encryption,
    method: Result<Method, String>,
}

struct Method {
    derivation: Derivation,
    salt: Vec<u8>,
    iterations: u32,
    cipher: Cipher,
}

enum Derivation {
    /// Key and initialisation vector are both derived.
    Pkcs12(Hash),
    /// Only the key is.
    Pbkdf2 { function: Hash, vector: Vec<u8> },
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    /// With the octets of its key.
    Rc2(usize),
    TripleDes2,
    TripleDes3,
}

/// A password in the encodings that derivations want.
pub(crate) struct Password<'a> {
    /// For the derivation of PKCS#12.
    pub(crate) bmp: &'a [u8],
    /// For PBKDF2.
    pub(crate) octets: &'a [u8],
}

/// Parameters of PBKDF2 (RFC 8018, A.2).
pub(crate) struct Pbkdf2 {
    pub(crate) function: Hash,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    /// Octets to derive, where stated.
    pub(crate) length: Option<u32>,
}

impl Scheme {
    /// Reads an `AlgorithmIdentifier`.
    pub(crate) fn read(algorithm: Node<'_>) -> Self {
        Self { encryption: named(algorithm.whole), method: Method::read(algorithm) }
    }

    /// Why this cannot be opened, whatever the password.
    pub(crate) fn obstacle(&self) -> Option<&str> {
        self.method.as_ref().err().map(String::as_str)
    }

    /// What a try costs, in iterations.
    pub(crate) fn work(&self, octets: usize) -> u64 {
        let Ok(method) = &self.method else { return 0 };
        let (function, length) = match &method.derivation {
            Derivation::Pkcs12(function) => (*function, method.cipher.key() + function.size()),
            Derivation::Pbkdf2 { function, .. } => (*function, method.cipher.key()),
        };
        // Slow ciphers take about as long for 16 octets as an iteration takes.
        function.work(method.iterations, length) + octets as u64 / 16
    }

    /// The plain octets, if the padding is right: by chance it is for one of 256 wrong passwords.
    pub(crate) fn decrypt(
        &self,
        password: &Password<'_>,
        octets: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let Method { derivation, salt, iterations, cipher } = self.method.as_ref().ok()?;
        match derivation {
            Derivation::Pkcs12(function) => {
                let derive = |purpose, length| {
                    function.pkcs12(purpose, password.bmp, salt, *iterations, length)
                };
                let (key, vector) =
                    (derive(Purpose::Key, cipher.key()), derive(Purpose::Vector, 8));
                cipher.decrypt(&key, &vector, octets)
            }
            Derivation::Pbkdf2 { function, vector } => {
                let key = function.pbkdf2(password.octets, salt, *iterations, cipher.key());
                cipher.decrypt(&key, vector, octets)
            }
        }
    }
}

impl Method {
    fn read(algorithm: Node<'_>) -> Result<Self, String> {
        const DAMAGED: &str = "the description of its encryption is damaged";
        let mut fields = algorithm.inside();
        let oid = fields.take(OBJECT_IDENTIFIER).and_then(Node::oid).ok_or(DAMAGED)?;
        let mut parameters = fields.take(SEQUENCE).ok_or(DAMAGED)?.inside();
        if oid == "1.2.840.113549.1.5.13" {
            return Self::pbes2(parameters);
        }
        let cipher = match oid.as_str() {
            "1.2.840.113549.1.12.1.3" => Cipher::TripleDes3,
            "1.2.840.113549.1.12.1.4" => Cipher::TripleDes2,
            "1.2.840.113549.1.12.1.5" => Cipher::Rc2(16),
            "1.2.840.113549.1.12.1.6" => Cipher::Rc2(5),
            _ => return Err(format!("its encryption ({oid}) is not opened here")),
        };
        let salt = parameters.take(OCTET_STRING).ok_or(DAMAGED)?.octets().to_vec();
        let iterations = parameters.take(INTEGER).and_then(Node::number).ok_or(DAMAGED)?;
        Self { derivation: Derivation::Pkcs12(Hash::Sha1), salt, iterations, cipher }.checked()
    }

    fn pbes2(mut parameters: Nodes<'_>) -> Result<Self, String> {
        let derivation = parameters.take(SEQUENCE).and_then(Pbkdf2::read);
        let derivation = derivation.ok_or("its key derivation is not computed here")?;
        let mut cipher = parameters.take(SEQUENCE).map_or(Nodes(&[]), Node::inside);
        let oid = cipher.take(OBJECT_IDENTIFIER).and_then(Node::oid).unwrap_or_default();
        let mut vector = cipher.0;
        let cipher = match oid.as_str() {
            "2.16.840.1.101.3.4.1.2" => Cipher::Aes128,
            "2.16.840.1.101.3.4.1.22" => Cipher::Aes192,
            "2.16.840.1.101.3.4.1.42" => Cipher::Aes256,
            "1.2.840.113549.3.7" => Cipher::TripleDes3,
            _ => return Err(format!("its cipher ({oid}) is not opened here")),
        };
        // NSS takes the whole encoding of an octet string of 14 for the 16 octets of the vector.
        if vector.len() != cipher.block() {
            let octets = Nodes(vector).take(OCTET_STRING);
            vector = octets.ok_or("its initialisation vector is damaged")?.value;
        }
        let Pbkdf2 { function, salt, iterations, .. } = derivation;
        let derivation = Derivation::Pbkdf2 { function, vector: vector.to_vec() };
        Self { derivation, salt, iterations, cipher }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        if self.iterations == 0 || self.salt.len() > MOST_SALT {
            return Err("salt or iterations of its key derivation are out of bounds".to_owned());
        }
        Ok(self)
    }
}

impl Pbkdf2 {
    /// Reads an `AlgorithmIdentifier`; `None` when it is of another derivation.
    pub(crate) fn read(algorithm: Node<'_>) -> Option<Self> {
        let mut fields = algorithm.inside();
        let oid = fields.take(OBJECT_IDENTIFIER)?.oid()?;
        let mut fields = fields.take(SEQUENCE)?.inside();
        let salt = fields.take(OCTET_STRING)?.octets().to_vec();
        let iterations = fields.take(INTEGER)?.number()?;
        let length = fields.take(INTEGER).and_then(Node::number);
        // "prf … DEFAULT algid-hmacWithSHA1".
        let function = match fields.take(SEQUENCE) {
            Some(function) => Hash::by_hmac(&function.inside().take(OBJECT_IDENTIFIER)?.oid()?)?,
            None => Hash::Sha1,
        };
        let bounded = iterations > 0 && salt.len() <= MOST_SALT;
        (oid == "1.2.840.113549.1.5.12" && bounded).then_some(Self {
            function,
            salt,
            iterations,
            length,
        })
    }
}

impl Cipher {
    /// Octets of its key.
    fn key(self) -> usize {
        match self {
            Self::Aes128 | Self::TripleDes2 => 16,
            Self::Aes192 | Self::TripleDes3 => 24,
            Self::Aes256 => 32,
            Self::Rc2(key) => key,
        }
    }

    fn block(self) -> usize {
        if matches!(self, Self::Aes128 | Self::Aes192 | Self::Aes256) { 16 } else { 8 }
    }

    fn decrypt(self, key: &[u8], vector: &[u8], octets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128 => chained(Aes128::new_from_slice(key).ok()?, vector, octets),
            Self::Aes192 => chained(Aes192::new_from_slice(key).ok()?, vector, octets),
            Self::Aes256 => chained(Aes256::new_from_slice(key).ok()?, vector, octets),
            Self::TripleDes2 => chained(TdesEde2::new_from_slice(key).ok()?, vector, octets),
            Self::TripleDes3 => chained(TdesEde3::new_from_slice(key).ok()?, vector, octets),
            Self::Rc2(length) => {
                chained(Rc2::new_with_eff_key_len(key, 8 * length), vector, octets)
            }
        }
    }
}

/// Cipher block chaining with the padding of PKCS#7 (RFC 5652, 6.3).
fn chained<C: BlockCipherDecrypt>(
    cipher: C,
    vector: &[u8],
    octets: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(octets.to_vec());
    let decryptor = Decryptor::inner_iv_slice_init(cipher, vector).ok()?;
    let length = decryptor.decrypt_padded::<Pkcs7>(&mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// The words of the inventory for an `AlgorithmIdentifier`. The reader of encrypted keys has them;
/// it is shown a key that says the same and is empty.
fn named(algorithm: &[u8]) -> Encryption {
    let key = tlv::element(SEQUENCE, &[algorithm, &[OCTET_STRING, 0]]);
    match encrypted_pkcs8(&key) {
        Ok(found) => found.form.encryption,
        Err(_) => Encryption::Passphrase { kdf: None, cipher: None, iterations: None },
    }
}
