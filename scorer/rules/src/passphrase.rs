//! How fast the passphrase of an encrypted key can be guessed.

use pki_inventory::Encryption;

use crate::Limits;

/// What a derivation and a cipher allow, the worst last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guessing {
    /// Each try costs what the policy asks for.
    Slow,
    /// The format does not say.
    NotTold(String),
    /// Each try costs less, or no passphrase is needed at all.
    Fast(String),
}

/// Derivations of one round, or of few by their standard, by how their names begin. `SHA-1` is
/// PuTTY's before its version 3, `MD5` OpenPGP's before it had any derivation.
const ALWAYS_WEAK: &[&str] = &[
    "EVP_BytesToKey",
    "JKS SHA-1 keystream",
    "MD5",
    "OpenPGP salted S2K",
    "OpenPGP simple S2K",
    "PBKDF1",
    "SHA-1",
];

/// Derivations whose iterations count as those of PBKDF2 do.
const ITERATED: &[&str] = &["JCEKS MD5", "PBKDF2", "PKCS12"];

/// The rounds that ssh-keygen took by default when it began to use bcrypt (OpenSSH 6.5).
const BCRYPT_ROUNDS: u32 = 16;

/// How fast the passphrase of a key can be guessed, as far as its format tells.
pub(crate) fn guessing(encryption: &Encryption, limits: &Limits) -> Guessing {
    let Encryption::Passphrase { kdf, cipher, iterations } = encryption else {
        return Guessing::Fast("is not encrypted".to_owned());
    };
    // Triple DES has keys of 112 bits at least.
    let is_broken = |cipher: &&String| {
        let cipher = cipher.to_ascii_uppercase();
        let is_des = cipher.starts_with("DES-") && !cipher.starts_with("DES-EDE");
        is_des || cipher.starts_with("RC2") || cipher.starts_with("RC4")
    };
    if let Some(cipher) = cipher.as_ref().filter(is_broken) {
        return Guessing::Fast(format!("is encrypted with {cipher}"));
    }
    let Some(kdf) = kdf else {
        return Guessing::NotTold("its format does not say how the passphrase is used".to_owned());
    };
    let begins = |names: &[&str]| names.iter().any(|name| kdf.starts_with(name));
    let few = |least: u32| match iterations {
        Some(count) if *count < least => {
            Guessing::Fast(format!("{kdf} with {count} iterations; {least} are the least"))
        }
        Some(_) => Guessing::Slow,
        None => Guessing::NotTold(format!("its format does not say how often {kdf} iterates")),
    };
    if begins(ALWAYS_WEAK) {
        return Guessing::Fast(format!(
            "its passphrase is used with {kdf}, which is fast to guess"
        ));
    }
    if begins(ITERATED) {
        return few(limits.pbkdf2_iterations);
    }
    if begins(&["bcrypt"]) {
        return few(BCRYPT_ROUNDS);
    }
    // What an iterated string-to-key of OpenPGP counts are octets, and GnuPG measures how many.
    if begins(&["Argon2", "OpenPGP iterated"]) {
        return Guessing::Slow;
    }
    let Some(costs) = kdf.strip_prefix("scrypt") else {
        return Guessing::NotTold(format!("what {kdf} costs is not known here"));
    };
    let cost = costs.strip_prefix(" (N=").and_then(|rest| rest.split(',').next()?.parse().ok());
    match cost {
        None => Guessing::NotTold("its format does not say what scrypt costs".to_owned()),
        Some(cost) if limits.scrypt_cost <= cost => Guessing::Slow,
        Some::<u64>(_) => Guessing::Fast(format!("{kdf}; N={} is the least", limits.scrypt_cost)),
    }
}
