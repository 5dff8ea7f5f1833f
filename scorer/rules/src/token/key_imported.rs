//! `token.key-imported`: a key on a token was not generated there.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_LOCAL`. A key on several tokens is not met if one of
//! them did not generate it. One of which the token says as well that it was always sensitive or
//! never extractable is unknown: that is never so of a key that came in from outside (5.7, 5.18).
//! ## Why it matters
//! A key that was made outside was outside: in the memory of a host, in a file, in a backup. No
//! token can tell where copies of it are.
//! ## What it cannot see
//! Where the key was made. One that was derived from another key of the token never left it, and
//! one that a key ceremony carried from token to token was never in the clear: both look like one
//! that was imported. Products that tell it wrong are unknown.

use pki_inventory::{Held, TokenKey};

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-imported",
    title: "A key on a token was not generated there",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.7, 5.7 and 5.18" },
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
        Ok(false) => match contradiction(held, cx) {
            Some(attribute) => Outcome::Unknown(format!(
                "the token says that it was not generated there (CKA_LOCAL is false) and was \
                 always safe there ({attribute} is true): it was derived there, or one of the two is \
                 wrong"
            )),
            None => Outcome::NotMet(
                "was not generated there: imported, unwrapped or derived (CKA_LOCAL is false)"
                    .to_owned(),
            ),
        },
        Err(why) => Outcome::Unknown(why),
    })
}

/// What the token says of the object that is never true of a key from outside.
fn contradiction(held: &Held<'_>, cx: &RuleContext<'_>) -> Option<&'static str> {
    let claims = [
        ("CKA_ALWAYS_SENSITIVE", held.object.always_sensitive),
        ("CKA_NEVER_EXTRACTABLE", held.object.never_extractable),
    ];
    let mut claims = claims.into_iter();
    let claim = claims.find(|(attribute, value)| told(held, attribute, *value, cx) == Ok(true));
    claim.map(|(attribute, _)| attribute)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{CLOUD_KMS, attribute, by, holding, private, quirky};

    use pki_inventory::{Token, TokenObject};

    fn imported() -> TokenObject {
        let (always_sensitive, never_extractable) = (Some(false), Some(false));
        TokenObject { local: Some(false), always_sensitive, never_extractable, ..private() }
    }

    #[test]
    fn the_attribute_decides() {
        let set: fn(&mut TokenObject, Option<bool>) =
            |object, value| *object = TokenObject { local: value, ..imported() };
        attribute(&RULE, set, ["not-met", "met", "unknown"]);
    }

    #[test]
    fn unknown_where_what_the_token_says_contradicts_itself() {
        for object in [
            TokenObject { always_sensitive: Some(true), ..imported() },
            TokenObject { never_extractable: Some(true), ..imported() },
        ] {
            let world = holding(object);
            check(&RULE, &world, &limits(), "unknown");
            assert!(world.sentences(&RULE, &limits())[0].ends_with("one of the two is wrong"));
        }
    }

    #[test]
    fn a_claim_that_the_product_always_makes_contradicts_nothing() {
        let mut old: Token = by("SoftHSM");
        old.module.version = Some("2.0".to_owned());
        let object = TokenObject { never_extractable: Some(true), ..imported() };
        check(&RULE, &World::default().token(old).on_token(object), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        quirky(&RULE, CLOUD_KMS, imported(), "unknown");
        let mut nss = by("NSS Internal Crypto Services");
        nss.model = Some("NSS 3".to_owned());
        check(&RULE, &World::default().token(nss).on_token(imported()), &limits(), "unknown");
    }
}
