//! `token.key-imported`: a key on a token was made somewhere else.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_LOCAL`. A key on several tokens is not met if it came to
//! one of them from outside.
//! ## Why it matters
//! A key that was made outside was outside: in the memory of a host, in a file, in a backup. No
//! token can tell where copies of it are.
//! ## What it cannot see
//! Where the key was made, and whether in another token: a copy that a key ceremony carried over looks
//! the same. Products that tell it wrong are unknown.

use pki_inventory::TokenKey;

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-imported",
    title: "A key on a token was not generated there",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.7" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    each(key, |held| match told(held, "CKA_LOCAL", held.object.local, cx) {
        Ok(true) => Outcome::Met,
        Ok(false) => Outcome::NotMet("was not generated there (CKA_LOCAL is false)".to_owned()),
        Err(why) => Outcome::Unknown(why),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::token_fixtures::{GOOGLE, attribute, private, quirky};

    use pki_inventory::TokenObject;

    #[test]
    fn the_attribute_decides() {
        attribute(&RULE, |object, value| object.local = value, ["not-met", "met", "unknown"]);
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        let odd = TokenObject { local: Some(false), ..private() };
        quirky(&RULE, GOOGLE, odd, "unknown");
    }
}
