//! `token.key-pair-wraps`: a key pair on a token brings other keys of the token into the clear.
//!
//! ## What it looks at
//! Tokens with a pair whose public half may wrap and whose private half may decrypt or unwrap,
//! beside another key that can leave without asking for a trusted one (`CKA_WRAP_WITH_TRUSTED`).
//! ## Why it matters
//! What the public half wraps the private half decrypts: the other key is in the clear then,
//! although it says of itself that it cannot be read. Unwrapped, it is a copy with weaker
//! attributes.
//! ## What it cannot see
//! Devices that refuse it, and templates that keep a key from being wrapped or unwrapped so. Halves
//! that do not tell which pair they are of. Tokens of which not all keys were seen are unknown
//! unless such a pair was.

use std::collections::BTreeSet;

use pki_inventory::{Asset, AssetId, ObjectClass, Token, Usage};

use crate::token::{is_set_up, may, told, told_or_no, unread};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-pair-wraps",
    title: "A key pair can wrap keys that can leave the token, and decrypt them",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.8 to 4.10" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.2" },
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
    let mut why_not = unread(place, token, cx);
    let (mut wrapping, mut reading) = (BTreeSet::<AssetId>::new(), BTreeSet::<AssetId>::new());
    let (mut open, mut pairs) = (BTreeSet::<AssetId>::new(), 0_usize);
    for held in cx.view.objects_on(place) {
        let (object, id) = (held.object, held.asset.id);
        if object.is_secret() {
            let extractable = told(held, "CKA_EXTRACTABLE", object.extractable, cx);
            let restricted = object.wrap_with_trusted;
            match (extractable, told_or_no(held, "CKA_WRAP_WITH_TRUSTED", restricted, cx)) {
                (Ok(false), _) | (_, Ok(true)) => {}
                (Ok(true), Ok(false)) => drop(open.insert(id)),
                (Err(why), _) | (_, Err(why)) => why_not = Some(why),
            }
        }
        // A half without these permissions often has no such attribute: that is no permission.
        match object.class {
            ObjectClass::PublicKey if may(held, Usage::Wrap) == Ok(true) => {
                wrapping.insert(id);
            }
            ObjectClass::PrivateKey => {
                pairs += 1;
                let reads = [Usage::Decrypt, Usage::Unwrap].map(|usage| may(held, usage));
                if reads.contains(&Ok(true)) {
                    reading.insert(id);
                }
            }
            _ => {}
        }
    }
    let both: Vec<&AssetId> = wrapping.intersection(&reading).collect();
    // A pair does not wrap itself.
    let threatened = both
        .first()
        .map_or(0, |pair| open.len() - usize::from(both.len() == 1 && open.contains(*pair)));
    if threatened > 0 {
        return Outcome::NotMet(format!(
            "{} of its key pairs may wrap and read what comes out; {threatened} of its keys can \
             leave under any key",
            both.len()
        ));
    }
    match (why_not, pairs) {
        (Some(why), _) => Outcome::Unknown(why),
        (None, 0) => Outcome::NotApplicable,
        (None, _) => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{TOKEN, holding, private, secret, spare, token, using};

    use pki_inventory::{Digest, Login, ObjectClass, Token, TokenObject, Usage};

    /// A pair whose halves may do these, beside a symmetric key that can leave or not.
    fn pair(wraps: bool, reads: Usage, extractable: bool) -> World {
        let world = holding(using(reads, Some(true), private()));
        let open = TokenObject { extractable: Some(extractable), ..secret() };
        public(world.on_token(open), b"k", wraps)
    }

    fn public(world: World, spki: &[u8], wraps: bool) -> World {
        let half = TokenObject::of(ObjectClass::PublicKey);
        let place = format!("{TOKEN};object=k;type=public");
        world.key_on(Digest::of(spki), using(Usage::Wrap, Some(wraps), half), &place)
    }

    #[test]
    fn not_met_by_a_pair_beside_a_key_that_can_leave() {
        check(&RULE, &pair(true, Usage::Decrypt, true), &limits(), "not-met");
        check(&RULE, &pair(true, Usage::Unwrap, true), &limits(), "not-met");
    }

    #[test]
    fn met_where_no_other_key_can_leave_or_no_pair_does_both() {
        check(&RULE, &pair(true, Usage::Decrypt, false), &limits(), "met");
        check(&RULE, &pair(false, Usage::Decrypt, true), &limits(), "met");
        check(&RULE, &pair(true, Usage::Sign, true), &limits(), "met");
        let itself = TokenObject { extractable: Some(true), ..private() };
        let itself = holding(using(Usage::Decrypt, Some(true), itself));
        check(&RULE, &public(itself, b"k", true), &limits(), "met");
        let open = TokenObject { extractable: Some(true), ..secret() };
        let other = holding(using(Usage::Decrypt, Some(true), private())).on_token(open);
        check(&RULE, &public(other, b"other", true), &limits(), "met");
    }

    #[test]
    fn unknown_where_keys_were_not_seen_or_not_told_of() {
        let locked = Token { login: Login::Refused, ..token() };
        check(&RULE, &World::default().token(locked), &limits(), "unknown");
        let silent = TokenObject { extractable: None, ..secret() };
        let world = holding(using(Usage::Decrypt, Some(true), private())).on_token(silent);
        check(&RULE, &public(world, b"k", true), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_private_keys() {
        check(&RULE, &holding(secret()), &limits(), "not-applicable");
        check(&RULE, &World::default().token(spare()), &limits(), "not-applicable");
    }
}
