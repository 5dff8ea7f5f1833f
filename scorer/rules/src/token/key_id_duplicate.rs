//! `token.key-id-duplicate`: different keys of one class on a token have the same identifier.
//!
//! ## What it looks at
//! Tokens: private keys among each other and symmetric keys among each other, by `CKA_ID`. That the
//! two halves of a key and its certificates have one identifier is as it should be.
//! ## Why it matters
//! Programs ask for a key by its identifier and take the first that comes. Which one signs is then
//! chance, and a key may be deleted in place of another.
//! ## What it cannot see
//! Keys that were not seen: a token that was read in part is unknown unless a pair was found on it.
//! Keys without an identifier are another finding.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::{Asset, AssetId, ObjectClass, Token};

use crate::token::{is_set_up, some, unread, untold};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-id-duplicate",
    title: "Different keys on a token have the same identifier",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.7 and 4.9" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

fn check(asset: &Asset, token: &Token, cx: &RuleContext<'_>) -> Outcome {
    let Some(place) = asset.places().next().filter(|_| is_set_up(token)) else {
        return Outcome::NotApplicable;
    };
    // One pass: a token may hold a hundred thousand keys.
    let mut keys: BTreeMap<(ObjectClass, &str), BTreeSet<AssetId>> = BTreeMap::new();
    let mut why_not = unread(place, token, cx);
    for held in cx.view.objects_on(place).iter().filter(|held| held.object.is_secret()) {
        match held.object.id.as_deref() {
            None => why_not = Some(untold(held, "CKA_ID")),
            Some("") => {}
            Some(id) => {
                keys.entry((held.object.class, id)).or_default().insert(held.asset.id);
            }
        }
    }
    let shared = keys.iter().filter(|(_, keys)| keys.len() > 1);
    let shared: Vec<String> = shared
        .map(|((class, id), keys)| format!("{id} of {} objects `{}`", keys.len(), class.name()))
        .collect();
    if !shared.is_empty() {
        return Outcome::NotMet(format!("has identifiers twice: {}", some(shared.into_iter())));
    }
    match (why_not, keys.is_empty()) {
        (Some(why), _) => Outcome::Unknown(why),
        (None, true) => Outcome::NotApplicable,
        (None, false) => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{TOKEN, holding, private, secret, spare, token};

    use pki_inventory::{Digest, GapReason, TokenObject};

    fn second(object: TokenObject, spki: &[u8]) -> World {
        let place = format!("{TOKEN};object=l;type=private");
        holding(private()).key_on(Digest::of(spki), object, &place)
    }

    #[test]
    fn met_by_keys_that_differ_and_by_a_symmetric_one_of_the_same_identifier() {
        let other = TokenObject { id: Some("02".to_owned()), ..private() };
        check(&RULE, &second(other, b"l"), &limits(), "met");
        check(&RULE, &holding(private()).on_token(secret()), &limits(), "met");
    }

    #[test]
    fn met_by_the_same_key_twice() {
        check(&RULE, &second(private(), b"k"), &limits(), "met");
    }

    #[test]
    fn not_met_by_two_keys() {
        check(&RULE, &second(private(), b"l"), &limits(), "not-met");
        let world = second(private(), b"l").token_gap(TOKEN, GapReason::TimedOut);
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn unknown_where_not_all_was_read_or_told() {
        let world = holding(private()).token_gap(TOKEN, GapReason::TimedOut);
        check(&RULE, &world, &limits(), "unknown");
        check(&RULE, &second(TokenObject { id: None, ..private() }, b"l"), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_identifiers() {
        check(&RULE, &World::default().token(token()), &limits(), "not-applicable");
        check(&RULE, &World::default().token(spare()), &limits(), "not-applicable");
    }
}
