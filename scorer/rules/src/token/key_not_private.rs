//! `token.key-not-private`: a key on a token can be used without a login.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_PRIVATE`.
//! ## Why it matters
//! An object that is not private is there for every program that may load the module. No PIN stands
//! between it and the key.
//! ## What it cannot see
//! Whether the token asks for the PIN at each use all the same, and who may reach the device.

use pki_inventory::TokenKey;

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-not-private",
    title: "A key on a token is open to whoever has no PIN",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.4" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    each(key, |held| match told(held, "CKA_PRIVATE", held.object.private, cx) {
        Ok(true) => Outcome::Met,
        Ok(false) => Outcome::NotMet(
            "every session may use it, logged in or not (CKA_PRIVATE is false)".to_owned(),
        ),
        Err(why) => Outcome::Unknown(why),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::token_fixtures::attribute;

    #[test]
    fn the_attribute_decides() {
        attribute(&RULE, |object, value| object.private = value, ["not-met", "met", "unknown"]);
    }
}
