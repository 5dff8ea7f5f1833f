//! `token.key-usage-pair`: what one symmetric key may do together takes other keys off the token.
//!
//! ## What it looks at
//! Symmetric keys on tokens that may wrap and decrypt, or unwrap and encrypt. Private keys that may
//! unwrap and decrypt are usual; what their public halves may do is another rule's business.
//! ## Why it matters
//! Whoever may wrap a key and decrypt what comes out has it in the clear, although each key by
//! itself says that it cannot be read. The other pair brings a key of one's own onto the token, to
//! wrap others with.
//! ## What it cannot see
//! Devices that refuse to decrypt what they wrapped, and templates that keep a key from being
//! wrapped.

use pki_inventory::{Held, ObjectClass, TokenKey, Usage};

use crate::token::{each, may};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-usage-pair",
    title: "A symmetric key on a token may wrap and decrypt, or unwrap and encrypt",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.10" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, _: &RuleContext<'_>) -> Outcome {
    each(key, |held| {
        if held.object.class != ObjectClass::SecretKey {
            return Outcome::NotApplicable;
        }
        let pairs = [
            (both(held, Usage::Wrap, Usage::Decrypt), "may wrap keys and decrypt what comes out"),
            (both(held, Usage::Unwrap, Usage::Encrypt), "may encrypt, and unwrap that as a key"),
        ];
        let may: Vec<&str> =
            pairs.iter().filter(|(both, _)| *both == Ok(true)).map(|(_, words)| *words).collect();
        if !may.is_empty() {
            return Outcome::NotMet(may.join("; "));
        }
        match pairs.into_iter().find_map(|(both, _)| both.err()) {
            Some(why) => Outcome::Unknown(why),
            None => Outcome::Met,
        }
    })
}

/// Whether the key may do both: it may not as soon as it may not do one.
fn both(held: &Held<'_>, one: Usage, other: Usage) -> Result<bool, String> {
    match (may(held, one), may(held, other)) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Ok(true), Ok(true)) => Ok(true),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{check, limits};
    use crate::token_fixtures::{holding, private, secret, using};

    use pki_inventory::Usage;

    #[test]
    fn met_by_a_key_for_data_or_one_for_keys() {
        check(&RULE, &holding(secret()), &limits(), "met");
        let object = using(Usage::Wrap, Some(true), secret());
        let object = using(Usage::Unwrap, Some(true), object);
        let object = using(Usage::Encrypt, Some(false), object);
        let object = using(Usage::Decrypt, Some(false), object);
        check(&RULE, &holding(object), &limits(), "met");
    }

    #[test]
    fn not_met_by_each_of_the_pairs() {
        for usage in [Usage::Wrap, Usage::Unwrap] {
            let object = using(usage, Some(true), secret());
            check(&RULE, &holding(object), &limits(), "not-met");
        }
    }

    #[test]
    fn unknown_where_one_half_is_not_told_and_the_other_allowed() {
        check(&RULE, &holding(using(Usage::Wrap, None, secret())), &limits(), "unknown");
        let object = using(Usage::Decrypt, Some(false), secret());
        check(&RULE, &holding(using(Usage::Wrap, None, object)), &limits(), "met");
    }

    #[test]
    fn not_applicable_to_private_keys() {
        let object = using(Usage::Decrypt, Some(true), private());
        let object = using(Usage::Wrap, Some(true), object);
        check(&RULE, &holding(object), &limits(), "not-applicable");
    }
}
