//! `key.passphrase-weak`: a private key is encrypted so that its passphrase is quickly guessed.
//!
//! ## What it looks at
//! Encrypted private keys: how the passphrase becomes a key, how often, and which cipher follows.
//! Weak are derivations of one round, PBKDF1, fewer iterations than the policy asks for, DES, RC2
//! and RC4.
//! ## Why it matters
//! Whoever has a copy of the file tries passphrases as fast as the derivation allows. One round of
//! MD5 allows billions in a second, and a cipher of 40 or 56 bits needs no passphrase at all.
//! ## What it cannot see
//! How good the passphrase is. Formats that do not say how they derive: unknown.

use pki_inventory::{Asset, Encryption, Key};

use crate::key::{is_no_secret, private_sightings};
use crate::passphrase::{Guessing, guessing};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.passphrase-weak",
    title: "A private key is encrypted with a weak derivation or cipher",
    cites: &[
        Cite { document: "NIST SP 800-132", section: "5.2" },
        Cite { document: "RFC 8018", section: "4.2 and 6.1.1" },
        Cite { document: "RFC 7914", section: "2" },
        Cite { document: "OWASP Password Storage Cheat Sheet (2023)", section: "PBKDF2" },
    ],
    in_force: InForce::Policy,
    fed_by: &["filesystem"],
    reach: Reach::WhereShown,
    check: Check::Key(check),
};

fn check(asset: &Asset, key: &Key, cx: &RuleContext<'_>) -> Outcome {
    let mut encrypted = private_sightings(asset, key, cx);
    encrypted.retain(|(_, form)| form.encryption != Encryption::None);
    if encrypted.is_empty() {
        return Outcome::NotApplicable;
    }
    if let Some(what) = is_no_secret(asset, key) {
        return Outcome::NotApplicableBecause(what);
    }
    let all = encrypted.iter();
    let judged = all.map(|(seen, form)| (guessing(&form.encryption, cx.limits), &seen.place));
    match judged.max() {
        None | Some((Guessing::Slow, _)) => Outcome::Met,
        Some((Guessing::NotTold(why), place)) => Outcome::Unknown(format!("{why} ({place})")),
        Some((Guessing::Fast(why), place)) => Outcome::NotMet(format!("{why} ({place})")),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, limits, test_key};

    use pki_inventory::{Digest, Encryption};

    fn under(kdf: &str, cipher: &str, iterations: Option<u32>) -> World {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let encryption =
            Encryption::Passphrase { kdf: text(kdf), cipher: text(cipher), iterations };
        World::default().private_key(None, None, encryption, 0o600)
    }

    #[test]
    fn met_with_derivations_that_cost_enough() {
        for (kdf, iterations) in [
            ("PBKDF2-HMAC-SHA256", Some(10_000)),
            ("PKCS12-SHA1", Some(10_000)),
            ("scrypt (N=16384, r=8, p=1)", None),
            ("bcrypt", Some(16)),
            ("Argon2id (8192 KiB, 21 passes, parallelism 1)", None),
            ("OpenPGP iterated and salted S2K, SHA-1", Some(65_011_712)),
        ] {
            check(&RULE, &under(kdf, "AES-256-CBC", iterations), &limits(), "met");
        }
        check(&RULE, &under("PBKDF2-HMAC-SHA256", "DES-EDE3-CBC", Some(10_000)), &limits(), "met");
    }

    #[test]
    fn not_met_with_cheap_ones_or_with_broken_ciphers() {
        for (kdf, iterations) in [
            ("EVP_BytesToKey MD5", Some(1)),
            ("PBKDF1-MD5", Some(100_000)),
            ("PBKDF2-HMAC-SHA256", Some(9_999)),
            ("PKCS12-SHA1", Some(2_048)),
            ("JCEKS MD5", Some(20)),
            ("JKS SHA-1 keystream", Some(1)),
            ("scrypt (N=1024, r=8, p=1)", None),
            ("bcrypt", Some(1)),
            ("SHA-1", None),
        ] {
            check(&RULE, &under(kdf, "AES-256-CBC", iterations), &limits(), "not-met");
        }
        for cipher in ["DES-CBC", "RC2-40-CBC", "RC4-128"] {
            check(&RULE, &under("PBKDF2", cipher, Some(1_000_000)), &limits(), "not-met");
            check(&RULE, &under("", cipher, None), &limits(), "not-met");
        }
    }

    #[test]
    fn unknown_where_the_format_does_not_say() {
        for kdf in ["", "PBKDF2-HMAC-SHA256", "scrypt", "1.3.6.1.4.1.99999.1"] {
            check(&RULE, &under(kdf, "AES-256-CBC", None), &limits(), "unknown");
        }
    }

    #[test]
    fn not_applicable_in_the_clear_or_to_a_published_key() {
        let world = World::default().key_at(Digest::of(b"k"), "file:///k.pem", clear(0o600));
        check(&RULE, &world, &limits(), "not-applicable");
        let encryption = Encryption::Passphrase {
            kdf: Some("PBKDF1-MD5".to_owned()),
            cipher: None,
            iterations: None,
        };
        let world = World::default().private_key(Some(test_key()), None, encryption, 0o600);
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_key_on_a_token() {
        let world = World::default().on_token(crate::token_fixtures::private());
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
