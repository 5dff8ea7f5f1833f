//! `token.key-modifiable`: whoever is logged in to a token may change what a key is for.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_MODIFIABLE`.
//! ## Why it matters
//! Permissions that can be changed bind nobody: a key that may only sign is let decrypt or unwrap,
//! and devices have had faults by which a key that could not leave was made to.
//! ## What it cannot see
//! What the device refuses to change all the same. Products that tell it wrong are unknown.

use pki_inventory::TokenKey;

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-modifiable",
    title: "The attributes of a key on a token can be changed",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.4" },
        Cite { document: "CVE-2015-5464", section: "Gemalto SafeNet Luna HSM" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    each(key, |held| match told(held, "CKA_MODIFIABLE", held.object.modifiable, cx) {
        Ok(false) => Outcome::Met,
        Ok(true) => {
            Outcome::NotMet("its attributes can be changed (CKA_MODIFIABLE is true)".to_owned())
        }
        Err(why) => Outcome::Unknown(why),
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::token_fixtures::{OPENSC, attribute, private, quirky};

    use pki_inventory::TokenObject;

    #[test]
    fn the_attribute_decides() {
        attribute(&RULE, |object, value| object.modifiable = value, ["met", "not-met", "unknown"]);
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        let odd = TokenObject { modifiable: Some(true), ..private() };
        quirky(&RULE, OPENSC, odd, "unknown");
    }
}
