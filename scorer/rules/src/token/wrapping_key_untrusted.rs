//! `token.wrapping-key-untrusted`: a key that nobody trusted can take others off the token.
//!
//! ## What it looks at
//! Tokens with a key, symmetric or public, that may wrap and is not trusted (`CKA_TRUSTED`), beside
//! another key that can leave without asking for a trusted one (`CKA_WRAP_WITH_TRUSTED`).
//! ## Why it matters
//! The means and the opportunity lie on one token: whoever is logged in needs no key of his own.
//! ## What it cannot see
//! Keys that a user may bring along to wrap with, and settings of the device that forbid it. Tokens
//! of which not all keys were seen are unknown unless such a pair was.

use std::collections::BTreeSet;

use pki_inventory::{Asset, AssetId, ObjectClass, Token, Usage};

use crate::token::{is_set_up, may, told, told_or_no, unread};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.wrapping-key-untrusted",
    title: "A key that is not trusted can wrap keys that can leave the token",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.8 to 4.10" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
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
    let (mut open, mut wrapping) = (BTreeSet::<AssetId>::new(), BTreeSet::<AssetId>::new());
    let (mut keys, mut why_not) = (0_usize, unread(place, token, cx));
    for held in cx.view.objects_on(place) {
        let object = held.object;
        if object.is_secret() {
            keys += 1;
            let extractable = told(held, "CKA_EXTRACTABLE", object.extractable, cx);
            let restricted = object.wrap_with_trusted;
            match (extractable, told_or_no(held, "CKA_WRAP_WITH_TRUSTED", restricted, cx)) {
                (Ok(false), _) | (_, Ok(true)) => {}
                (Ok(true), Ok(false)) => drop(open.insert(held.asset.id)),
                (Err(why), _) | (_, Err(why)) => why_not = Some(why),
            }
        }
        if matches!(object.class, ObjectClass::PublicKey | ObjectClass::SecretKey) {
            match (may(held, Usage::Wrap), told_or_no(held, "CKA_TRUSTED", object.trusted, cx)) {
                (Ok(false), _) | (_, Ok(true)) => {}
                (Ok(true), Ok(false)) => drop(wrapping.insert(held.asset.id)),
                (Err(why), _) | (_, Err(why)) => why_not = Some(why),
            }
        }
    }
    // A key is not wrapped by itself, nor to any use by its own public half.
    let is_alone = open.len() == 1 && open == wrapping;
    if !open.is_empty() && !wrapping.is_empty() && !is_alone {
        return Outcome::NotMet(format!(
            "{} may wrap and no officer trusts them; {} can leave under any key",
            count(wrapping.len()),
            count(open.len())
        ));
    }
    match (why_not, keys) {
        (Some(why), _) => Outcome::Unknown(why),
        (None, 0) => Outcome::NotApplicable,
        (None, _) => Outcome::Met,
    }
}

fn count(keys: usize) -> String {
    if keys == 1 { "1 key".to_owned() } else { format!("{keys} keys") }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{TOKEN, holding, private, secret, spare, token, using};

    use pki_inventory::{Digest, GapReason, Login, ObjectClass, Token, TokenObject, Usage};

    fn wrapping(trusted: Option<bool>) -> TokenObject {
        TokenObject { trusted, ..using(Usage::Wrap, Some(true), secret()) }
    }

    fn open(with_trusted: Option<bool>) -> TokenObject {
        TokenObject { extractable: Some(true), wrap_with_trusted: with_trusted, ..private() }
    }

    #[test]
    fn met_where_no_key_can_leave_or_trusted_ones_alone_wrap() {
        let no = || wrapping(Some(false));
        check(&RULE, &holding(private()).on_token(no()), &limits(), "met");
        check(&RULE, &holding(open(Some(true))).on_token(no()), &limits(), "met");
        check(&RULE, &holding(open(Some(false))).on_token(wrapping(Some(true))), &limits(), "met");
    }

    #[test]
    fn not_met_by_the_pair_also_on_a_token_that_was_read_in_part() {
        let world = holding(open(Some(false))).on_token(wrapping(Some(false)));
        check(&RULE, &world, &limits(), "not-met");
        check(&RULE, &world.token_gap(TOKEN, GapReason::TimedOut), &limits(), "not-met");
    }

    #[test]
    fn met_where_the_only_wrapping_key_is_the_public_half_of_the_only_open_one() {
        let class = ObjectClass::PublicKey;
        let public = TokenObject { class, ..wrapping(Some(false)) };
        let place = format!("{TOKEN};object=k;type=public");
        let world = holding(open(Some(false)));
        let own = world.key_on(Digest::of(b"k"), public.clone(), &place);
        check(&RULE, &own, &limits(), "met");
        let foreign = holding(open(Some(false))).key_on(Digest::of(b"other"), public, &place);
        check(&RULE, &foreign, &limits(), "not-met");
    }

    #[test]
    fn unknown_where_keys_were_not_seen_or_not_told_of() {
        for login in [Login::NotConfigured, Login::NotTried, Login::Refused] {
            let world = World::default().token(Token { login, ..token() });
            check(&RULE, &world, &limits(), "unknown");
        }
        let world = holding(private()).token_gap(TOKEN, GapReason::ModuleFailed);
        check(&RULE, &world, &limits(), "unknown");
        check(&RULE, &holding(open(None)).on_token(wrapping(Some(false))), &limits(), "unknown");
        check(&RULE, &holding(open(Some(false))).on_token(wrapping(None)), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_keys() {
        check(&RULE, &World::default().token(token()), &limits(), "not-applicable");
        check(&RULE, &World::default().token(spare()), &limits(), "not-applicable");
    }
}
