//! `token.key-id-missing`: a key on a token has no identifier or no label.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: an empty `CKA_ID`, or no `CKA_LABEL`.
//! ## Why it matters
//! The identifier is what joins a private key with its certificate and names a symmetric one to the
//! programs that use it, and the label is all that a person sees of it. A key without them is
//! deleted by mistake, or kept because nobody dares to.
//! ## What it cannot see
//! Whether a label says what the key is for, and lists of keys that are kept elsewhere.

use pki_inventory::TokenKey;

use crate::token::{each, untold};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-id-missing",
    title: "A key on a token has no identifier or no label",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.4 and 4.7" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, _: &RuleContext<'_>) -> Outcome {
    each(key, |held| {
        let label = held.sighting.circumstances.label.as_deref();
        let has_label = label.is_some_and(|label| !label.trim().is_empty());
        let mut lacks = Vec::new();
        if held.object.id.as_deref() == Some("") {
            lacks.push("no identifier (CKA_ID)");
        }
        if !has_label && !held.object.untold.contains_key("CKA_LABEL") {
            lacks.push("no label");
        }
        if !lacks.is_empty() {
            return Outcome::NotMet(format!("has {}", lacks.join(" and ")));
        }
        match (&held.object.id, has_label) {
            (None, _) => Outcome::Unknown(untold(held, "CKA_ID")),
            (_, false) => Outcome::Unknown(untold(held, "CKA_LABEL")),
            _ => Outcome::Met,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{TOKEN, holding, private, secret};

    use pki_inventory::{AssetId, Body, Circumstances, Digest, Key, Kind, TokenObject};

    fn unlabelled(object: TokenObject) -> World {
        let seen = Circumstances { token: Some(Box::new(object)), ..Circumstances::default() };
        let body = Body::Key(Key { spki: None, algorithm: None });
        let place = format!("{TOKEN};type=private");
        let mut world = World::default();
        world.add(AssetId::new(Kind::Key, Digest::of(b"k")), body, &place, "pkcs11", seen);
        world
    }

    #[test]
    fn met_with_both() {
        check(&RULE, &holding(private()), &limits(), "met");
    }

    #[test]
    fn not_met_without_one() {
        let object = TokenObject { id: Some(String::new()), ..private() };
        check(&RULE, &holding(object), &limits(), "not-met");
        check(&RULE, &unlabelled(private()), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_it_is_not_told() {
        check(&RULE, &holding(TokenObject { id: None, ..private() }), &limits(), "unknown");
        let mut silent = private();
        silent.untold.insert("CKA_LABEL".to_owned(), "unavailable".to_owned());
        check(&RULE, &unlabelled(silent), &limits(), "unknown");
    }

    #[test]
    fn symmetric_keys_are_judged_too() {
        check(&RULE, &holding(secret()), &limits(), "met");
        let object = TokenObject { id: Some(String::new()), ..secret() };
        check(&RULE, &holding(object), &limits(), "not-met");
    }
}
