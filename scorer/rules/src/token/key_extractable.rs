//! `token.key-extractable`: a key can leave its token under any other key.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_EXTRACTABLE` without `CKA_WRAP_WITH_TRUSTED`. A key
//! on several tokens is not met if it can leave one of them.
//! ## Why it matters
//! Whoever is logged in wraps the key under one that he knows, and has it outside. That it was made
//! in a device proves nothing then.
//! ## What it cannot see
//! Whether it ever left, and whether the device refuses to wrap keys by a setting of its own.
//! Products that tell it wrong are unknown.

use pki_inventory::{Held, TokenKey};

use crate::token::{each, told, told_or_no};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-extractable",
    title: "A key can leave its token under any other key",
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
    each(key, |held| leaving(held, cx))
}

/// Whether an object can leave under any key.
pub(crate) fn leaving(held: &Held<'_>, cx: &RuleContext<'_>) -> Outcome {
    match told(held, "CKA_EXTRACTABLE", held.object.extractable, cx) {
        Ok(false) => return Outcome::Met,
        Ok(true) => {}
        Err(why) => return Outcome::Unknown(why),
    }
    match told_or_no(held, "CKA_WRAP_WITH_TRUSTED", held.object.wrap_with_trusted, cx) {
        Ok(true) => {
            Outcome::MetBecause("only trusted keys may take it out of the token".to_owned())
        }
        Ok(false) => Outcome::NotMet(
            "can leave the token under any key that may wrap (CKA_EXTRACTABLE is true)".to_owned(),
        ),
        Err(why) => Outcome::Unknown(format!("it can leave the token, and {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{check, limits};
    use crate::token_fixtures::{OPENSC, attribute, holding, private, quirky, secret};

    use pki_inventory::TokenObject;

    #[test]
    fn the_attribute_decides() {
        let expected = ["met", "not-met", "unknown"];
        attribute(&RULE, |object, value| object.extractable = value, expected);
        let open = TokenObject { extractable: Some(true), ..secret() };
        check(&RULE, &holding(open), &limits(), "not-met");
    }

    #[test]
    fn met_where_only_trusted_keys_take_it_out_and_unknown_where_that_is_not_told() {
        for (trusted, expected) in [(Some(true), "met"), (None, "unknown")] {
            let object = TokenObject { extractable: Some(true), ..private() };
            let object = TokenObject { wrap_with_trusted: trusted, ..object };
            check(&RULE, &holding(object), &limits(), expected);
        }
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        let odd = TokenObject { extractable: Some(true), ..private() };
        quirky(&RULE, OPENSC, odd, "unknown");
    }
}
