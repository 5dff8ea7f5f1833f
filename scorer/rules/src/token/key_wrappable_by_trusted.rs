//! `token.key-wrappable-by-trusted`: a key can leave its token under a key that is trusted.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_EXTRACTABLE` with `CKA_WRAP_WITH_TRUSTED`. Met are
//! those that cannot leave at all; those that any key can take out are another finding.
//! ## Why it matters
//! That is how keys are backed up as they should be. It is the only way out, so the security
//! officer who says which keys are trusted, and those keys, are worth as much as the key itself.
//! ## What it cannot see
//! Who holds the trusted keys outside, and which copies were made. Products that tell it wrong are
//! unknown.

use pki_inventory::TokenKey;

use crate::token::{each, told, told_or_no};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-wrappable-by-trusted",
    title: "A key can leave its token under a trusted key",
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
    each(key, |held| {
        let extractable = told(held, "CKA_EXTRACTABLE", held.object.extractable, cx);
        let trusted = held.object.wrap_with_trusted;
        let trusted = told_or_no(held, "CKA_WRAP_WITH_TRUSTED", trusted, cx);
        match (extractable, trusted) {
            (Ok(false), _) => Outcome::Met,
            (Ok(true), Ok(false)) => Outcome::NotApplicable,
            (Ok(true), Ok(true)) => Outcome::NotMet(
                "can leave the token under a trusted key (CKA_WRAP_WITH_TRUSTED is true)"
                    .to_owned(),
            ),
            (Err(why), _) | (_, Err(why)) => Outcome::Unknown(why),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{check, limits};
    use crate::token_fixtures::{OPENSC, attribute, holding, private, quirky};

    use pki_inventory::TokenObject;

    fn open(trusted: Option<bool>) -> TokenObject {
        TokenObject { extractable: Some(true), wrap_with_trusted: trusted, ..private() }
    }

    #[test]
    fn a_key_that_stays_is_met_and_one_that_any_key_takes_out_is_another_finding() {
        let expected = ["met", "not-applicable", "unknown"];
        attribute(&RULE, |object, value| object.extractable = value, expected);
    }

    #[test]
    fn not_met_where_trusted_keys_take_it_out() {
        check(&RULE, &holding(open(Some(true))), &limits(), "not-met");
        check(&RULE, &holding(open(None)), &limits(), "unknown");
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        quirky(&RULE, OPENSC, open(Some(true)), "unknown");
    }
}
