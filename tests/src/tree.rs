//! Plants trees of files with certificates and keys among them.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData as _,
    SerialNumber,
};

use crate::certificates::sha256;

/// What was planted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The file.
    pub path: PathBuf,
    /// `certificate` or `key`.
    pub kind: &'static str,
    /// What the inventory has to call it: SHA-256 of the encoding, for keys of the public half.
    pub sha256: String,
}

/// How large a tree is to be.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Files in all.
    pub files: usize,
    /// How many of them hold a certificate or key.
    pub planted: usize,
    /// Where the numbers begin: the same seed gives the same names, sizes and places.
    pub seed: u64,
}

/// What fills files that hold nothing.
const POOL: usize = 1024 * 1024;
/// Files of one folder.
const FOLDER: usize = 40;

/// Plants a tree and gives what is to be found in it and how many octets it has.
#[must_use]
pub fn plant(root: &Path, plan: Plan) -> (Vec<Planted>, u64) {
    let mut dice = Dice(plan.seed | 1);
    let noise: Vec<u8> = (0..POOL).map(|_| dice.next().to_le_bytes()[3]).collect();
    let words: Vec<u8> = noise
        .iter()
        .map(|octet| b"abcdefghijklmnopqrstuvwxyz    \n."[usize::from(octet % 32)])
        .collect();
    let mut maker = Maker::new();
    let mut all = Vec::new();
    let mut total = 0;
    let mut folder = root.to_owned();
    for number in 0..plan.files {
        if number % FOLDER == 0 {
            folder = root.join(nested(number / FOLDER));
            fs::create_dir_all(&folder).unwrap();
        }
        // Spread evenly, whatever the numbers.
        let count = |number: usize| number * plan.planted / plan.files;
        let (name, content) = if count(number + 1) > count(number) {
            let (kind, sha256, content) = maker.make(all.len());
            // Names say nothing about what is in a file.
            let ending = ["pem", "bin", "txt", "conf", "bak"][dice.below(5)];
            let name = format!("{number}.{ending}");
            all.push(Planted { path: folder.join(&name), kind, sha256 });
            (name, content)
        } else if dice.below(3) == 0 {
            (format!("{number}.dat"), dice.slice(&noise, 16_384).to_vec())
        } else {
            (format!("{number}.txt"), dice.slice(&words, 8_192).to_vec())
        };
        total += content.len() as u64;
        fs::write(folder.join(name), content).unwrap();
    }
    (all, total)
}

/// A folder by its number, four levels deep.
fn nested(number: usize) -> PathBuf {
    [number % 7, number / 7 % 11, number / 77 % 13, number / 1001]
        .iter()
        .map(|part| format!("d{part}"))
        .collect()
}

/// Makes certificates and keys in turn.
struct Maker {
    issuer: KeyPair,
}

impl Maker {
    fn new() -> Self {
        Self { issuer: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap() }
    }

    fn make(&mut self, number: usize) -> (&'static str, String, Vec<u8>) {
        // As many keys as certificates would cost time and show nothing more.
        let key = || match number % 16 {
            7 => KeyPair::generate_for(&PKCS_ED25519).unwrap(),
            _ => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
        };
        match number % 8 {
            3 | 7 => {
                let key = key();
                let content = if number % 16 > 7 {
                    key.serialize_der()
                } else {
                    key.serialize_pem().into_bytes()
                };
                ("key", sha256(&key.subject_public_key_info()), content)
            }
            form => {
                let mut parameters =
                    CertificateParams::new(vec![format!("host-{number}.test")]).unwrap();
                parameters.distinguished_name.push(DnType::CommonName, format!("host-{number}"));
                parameters.serial_number = Some(SerialNumber::from(number as u64 + 1));
                let certificate = parameters.self_signed(&self.issuer).unwrap();
                let content = match form {
                    0 | 4 => certificate.der().to_vec(),
                    1 => format!("# a comment\n\n{}", certificate.pem()).into_bytes(),
                    _ => certificate.pem().into_bytes(),
                };
                ("certificate", sha256(certificate.der()), content)
            }
        }
    }
}

/// Numbers that look random and are the same every time (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn slice<'p>(&mut self, pool: &'p [u8], most: usize) -> &'p [u8] {
        let length = 1 + self.below(most);
        let start = self.below(pool.len() - length);
        &pool[start..start + length]
    }
}
