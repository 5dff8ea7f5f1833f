//! `token.key-once-exposed`: a key that is safe on its token today was not always so.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens that were generated there and today can neither be read in
//! the clear nor leave: `CKA_ALWAYS_SENSITIVE` and `CKA_NEVER_EXTRACTABLE`. Keys that came from
//! outside, and those that can be read or can leave today, are what other rules are about.
//! ## Why it matters
//! An attribute that was set later does not call back a copy that was made before.
//! ## What it cannot see
//! Whether a copy was made. Products that tell it wrong are unknown, and so are those that claim
//! the best of every key.

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
    // Where it came from may stay unknown: what follows says enough by itself.
    if told(held, "CKA_LOCAL", object.local, cx) == Ok(false) {
        return Outcome::NotApplicableBecause("it was not generated there".to_owned());
    }
    let sensitive = told(held, "CKA_SENSITIVE", object.sensitive, cx);
    let extractable = told(held, "CKA_EXTRACTABLE", object.extractable, cx);
    if sensitive == Ok(false) || extractable == Ok(true) {
        return Outcome::NotApplicableBecause("it can be read or can leave today".to_owned());
    }
    let mut open: Vec<String> = sensitive.err().into_iter().chain(extractable.err()).collect();
    let asked = [
        (
            "CKA_ALWAYS_SENSITIVE",
            object.always_sensitive,
            "could once be read in the clear (CKA_ALWAYS_SENSITIVE is false)",
        ),
        (
            "CKA_NEVER_EXTRACTABLE",
            object.never_extractable,
            "could once leave the token (CKA_NEVER_EXTRACTABLE is false)",
        ),
    ];
    let mut found = Vec::new();
    for (attribute, always, words) in asked {
        match told(held, attribute, always, cx) {
            Ok(true) => {}
            Ok(false) => found.push(words),
            Err(why) => open.push(why),
        }
    }
    match (found.is_empty(), open.is_empty()) {
        (false, _) => Outcome::NotMet(found.join(" and ")),
        (true, false) => Outcome::Unknown(open.join(", and ")),
        (true, true) => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{CLOUD_KMS, attribute, by, holding, private, quirky};

    use pki_inventory::TokenObject;

    #[test]
    fn the_attributes_decide() {
        let expected = ["not-met", "met", "unknown"];
        attribute(&RULE, |object, value| object.always_sensitive = value, expected);
        attribute(&RULE, |object, value| object.never_extractable = value, expected);
    }

    #[test]
    fn not_applicable_to_a_key_that_is_exposed_today_or_came_from_outside() {
        for object in [
            TokenObject { sensitive: Some(false), ..private() },
            TokenObject { extractable: Some(true), ..private() },
            TokenObject { local: Some(false), ..private() },
            TokenObject { local: Some(false), always_sensitive: Some(false), ..private() },
        ] {
            let world = holding(object);
            check(&RULE, &world, &limits(), "not-applicable");
            assert_eq!(world.sentences(&RULE, &limits()).len(), 1, "it says why");
        }
    }

    #[test]
    fn where_it_came_from_may_stay_unknown() {
        check(&RULE, &holding(TokenObject { local: None, ..private() }), &limits(), "met");
    }

    #[test]
    fn unknown_where_the_product_tells_it_wrong() {
        let odd = TokenObject { never_extractable: Some(false), ..private() };
        quirky(&RULE, CLOUD_KMS, odd, "unknown");
        let mut old = by("SoftHSM");
        check(
            &RULE,
            &World::default().token(old.clone()).on_token(private()),
            &limits(),
            "unknown",
        );
        old.module.version = Some("2.1".to_owned());
        check(&RULE, &World::default().token(old).on_token(private()), &limits(), "met");
    }
}
