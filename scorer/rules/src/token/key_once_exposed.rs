//! `token.key-once-exposed`: a key that is safe on its token today was not always so.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens that cannot be read in the clear, or cannot leave:
//! `CKA_ALWAYS_SENSITIVE` and `CKA_NEVER_EXTRACTABLE`. Keys that can be read and can leave today are
//! other findings.
//! ## Why it matters
//! An attribute that was set later does not call back a copy that was made before. A key that was
//! imported was never safe from its beginning on.
//! ## What it cannot see
//! Whether a copy was made. Products that tell it wrong are unknown.

use pki_inventory::{Held, TokenKey};

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-once-exposed",
    title: "A key on a token could once be read or taken out",
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
    each(key, |held| one(held, cx))
}

fn one(held: &Held<'_>, cx: &RuleContext<'_>) -> Outcome {
    let object = held.object;
    let asked = [
        (
            told(held, "CKA_SENSITIVE", object.sensitive, cx),
            "CKA_ALWAYS_SENSITIVE",
            object.always_sensitive,
            "could once be read in the clear (CKA_ALWAYS_SENSITIVE is false)",
        ),
        (
            told(held, "CKA_EXTRACTABLE", object.extractable, cx).map(|extractable| !extractable),
            "CKA_NEVER_EXTRACTABLE",
            object.never_extractable,
            "could once leave the token (CKA_NEVER_EXTRACTABLE is false)",
        ),
    ];
    let (mut found, mut open, mut safe) = (Vec::new(), Vec::new(), false);
    for (now, attribute, always, words) in asked {
        match now {
            // Another finding.
            Ok(false) => continue,
            Err(why) => open.push(why),
            Ok(true) => match told(held, attribute, always, cx) {
                Ok(true) => safe = true,
                Ok(false) => found.push(words),
                Err(why) => open.push(why),
            },
        }
    }
    match (found.is_empty(), open.is_empty(), safe) {
        (false, ..) => Outcome::NotMet(found.join(" and ")),
        (true, false, _) => Outcome::Unknown(open.join(", and ")),
        (true, true, true) => Outcome::Met,
        (true, true, false) => Outcome::NotApplicable,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{check, limits};
    use crate::token_fixtures::{GOOGLE, attribute, holding, private, quirky};

    use pki_inventory::TokenObject;

    #[test]
    fn the_attributes_decide() {
        let expected = ["not-met", "met", "unknown"];
        attribute(&RULE, |object, value| object.always_sensitive = value, expected);
        attribute(&RULE, |object, value| object.never_extractable = value, expected);
    }

    #[test]
    fn not_applicable_to_a_key_that_is_exposed_today() {
        let object = TokenObject { sensitive: Some(false), extractable: Some(true), ..private() };
        let object =
            TokenObject { always_sensitive: Some(false), never_extractable: Some(false), ..object };
        check(&RULE, &holding(object), &limits(), "not-applicable");
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        let odd = TokenObject { never_extractable: Some(false), ..private() };
        quirky(&RULE, GOOGLE, odd, "unknown");
    }
}
