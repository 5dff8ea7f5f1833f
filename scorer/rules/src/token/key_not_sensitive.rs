//! `token.key-not-sensitive`: whoever is logged in to a token may read the key itself.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_SENSITIVE`. A key on several tokens is not met if it
//! is on one of them.
//! ## Why it matters
//! A token that hands out the value of a key protects it no better than a file does. A program that
//! was broken into has the key for ever, not only while it runs.
//! ## What it cannot see
//! Whether anybody ever read it. What the token does not tell is unknown.

use pki_inventory::{Held, TokenKey};

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-not-sensitive",
    title: "A key on a token can be read in the clear",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.9 and 4.10" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    each(key, |held| readable(held, cx))
}

/// Whether the value of an object can be read.
pub(crate) fn readable(held: &Held<'_>, cx: &RuleContext<'_>) -> Outcome {
    match told(held, "CKA_SENSITIVE", held.object.sensitive, cx) {
        Ok(true) => Outcome::Met,
        Ok(false) => Outcome::NotMet(
            "its value can be read in the clear (CKA_SENSITIVE is false)".to_owned(),
        ),
        Err(why) => Outcome::Unknown(why),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::token_fixtures::attribute;

    #[test]
    fn the_attribute_decides() {
        attribute(&RULE, |object, value| object.sensitive = value, ["not-met", "met", "unknown"]);
    }
}
