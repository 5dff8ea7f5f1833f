//! `token.secret-key-weak`: a symmetric key on a token is of a kind or size that is broken.
//!
//! ## What it looks at
//! Symmetric keys on tokens, by `CKA_KEY_TYPE` and `CKA_VALUE_LEN`: DES, 3DES, CDMF, RC2, RC4 and
//! Skipjack whatever their size, others below 112 bits, keys of codes of authentication included.
//! ## Why it matters
//! A key that wraps others, or that a protocol rests on, is as strong as its cipher. The best
//! device makes no good key for a broken one.
//! ## What it cannot see
//! What the key is used for: old data may still have to be decrypted. Types of vendors, and sizes
//! that are not told, are unknown.

use pki_inventory::{Body, Held, ObjectClass, TokenKey};

use crate::token::{each, untold};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.secret-key-weak",
    title: "A symmetric key on a token is weak",
    cites: &[
        Cite { document: "NIST SP 800-131A r2", section: "2 and 10" },
        Cite { document: "PKCS #11 v3.1", section: "4.10" },
        Cite { document: "RFC 7465", section: "1" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

/// Fewest bits of security that are allowed.
const LEAST_BITS: u32 = 112;

const BROKEN: &[&str] =
    &["CKK_CDMF", "CKK_DES", "CKK_DES2", "CKK_DES3", "CKK_RC2", "CKK_RC4", "CKK_SKIPJACK"];

fn check(key: &TokenKey<'_>, _: &RuleContext<'_>) -> Outcome {
    each(key, |held| match held.object.class {
        ObjectClass::SecretKey => judged(held),
        _ => Outcome::NotApplicable,
    })
}

fn judged(held: &Held<'_>) -> Outcome {
    let Some(kind) = held.object.key_type.as_deref() else {
        return Outcome::Unknown(untold(held, "CKA_KEY_TYPE"));
    };
    let bits = match &held.asset.body {
        Body::SecretKey(key) => key.algorithm.bits.filter(|bits| *bits > 0),
        _ => None,
    };
    let name = kind.strip_prefix("CKK_");
    match (name, bits) {
        (Some(name), _) if BROKEN.contains(&kind) => {
            Outcome::NotMet(format!("is a key for {name}, which is not allowed at any size"))
        }
        (None, _) => Outcome::Unknown(format!("{kind} is a type of its vendor")),
        // The smallest has 128 bits (FIPS 197).
        (Some("AES"), _) => Outcome::Met,
        (Some(name), Some(bits)) if bits < LEAST_BITS => Outcome::NotMet(format!(
            "is a key for {name} with {bits} bits; {LEAST_BITS} are the least"
        )),
        (Some(_), Some(_)) => Outcome::Met,
        (Some(_), None) => Outcome::Unknown(untold(held, "CKA_VALUE_LEN")),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{holding, private, secret, token};

    use pki_inventory::TokenObject;

    fn of(kind: &str, bits: Option<u32>) -> World {
        let object = TokenObject { key_type: Some(kind.to_owned()), ..secret() };
        World::default().token(token()).secret_on("any", bits, object, "s")
    }

    #[test]
    fn met_with_the_usual_cipher_and_enough_bits() {
        check(&RULE, &of("CKK_AES", None), &limits(), "met");
        check(&RULE, &of("CKK_GENERIC_SECRET", Some(112)), &limits(), "met");
        check(&RULE, &of("CKK_SHA256_HMAC", Some(256)), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_broken_cipher_or_few_bits() {
        check(&RULE, &of("CKK_DES3", Some(168)), &limits(), "not-met");
        check(&RULE, &of("CKK_RC4", Some(256)), &limits(), "not-met");
        check(&RULE, &of("CKK_GENERIC_SECRET", Some(104)), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_size_or_kind_is_not_told() {
        check(&RULE, &of("CKK_GENERIC_SECRET", None), &limits(), "unknown");
        check(&RULE, &of("CKK_GENERIC_SECRET", Some(0)), &limits(), "unknown");
        check(&RULE, &of("0x80000042", Some(256)), &limits(), "unknown");
        let silent = TokenObject { key_type: None, ..secret() };
        check(&RULE, &holding(silent), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_private_keys() {
        check(&RULE, &holding(private()), &limits(), "not-applicable");
    }
}
