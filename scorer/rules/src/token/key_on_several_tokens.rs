//! `token.key-on-several-tokens`: a private key lies on more than one token.
//!
//! ## What it looks at
//! Private keys on tokens, by their public half: on how many tokens each lies.
//! ## Why it matters
//! Two devices that stand in for each other share their keys, and a backup has them too. A copy
//! that nobody planned looks the same, and one key in two places is as safe as the worse of them.
//! ## What it cannot see
//! Which of the two it is, and copies of symmetric keys: their values are never asked for. A key
//! that does not tell its public half is unknown, and so is every key while another token, or a
//! module, was not read as a whole.

use std::collections::BTreeSet;

use pki_inventory::{Place, TokenKey};

use crate::token::{is_set_up, is_symmetric, some, unread};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-on-several-tokens",
    title: "A private key lies on several tokens",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    if is_symmetric(key) {
        return Outcome::NotApplicable;
    }
    let tokens: BTreeSet<&str> =
        key.objects.iter().filter_map(|held| held.sighting.place.token_part()).collect();
    if tokens.len() > 1 {
        let names = some(tokens.iter().map(|token| format!("pkcs11:{token}")));
        return Outcome::NotMet(format!("lies on {} tokens: {names}", tokens.len()));
    }
    if key.asset.key().is_none_or(|key| key.spki.is_none()) {
        return Outcome::Unknown("no token tells its public half".to_owned());
    }
    let is_own = |place: &Place| place.token_part().is_some_and(|token| tokens.contains(token));
    let elsewhere = |place: &&Place| !is_own(place);
    let gap = cx.view.token_gaps().iter().map(|gap| &gap.place).find(elsewhere);
    let others = cx.view.tokens().filter_map(|(asset, token)| {
        let place = asset.places().find(elsewhere).filter(|_| is_set_up(token))?;
        Some((place, unread(place, token, cx)?))
    });
    match (gap, others.into_iter().next()) {
        (_, Some((place, why))) => Outcome::Unknown(format!("of {place}, {why}")),
        (Some(place), None) => Outcome::Unknown(format!("{place} was not read as a whole")),
        (None, None) => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{TOKEN, holding, private, secret, spare, token};

    use pki_inventory::{Digest, GapReason, Key, Login, Token};

    #[test]
    fn met_on_one_token_however_often() {
        let place = format!("{TOKEN};object=l;type=private");
        let world = holding(private()).key_on(Digest::of(b"k"), private(), &place);
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_on_two() {
        let place = "pkcs11:token=B;serial=02;object=k;type=private";
        let world = holding(private()).key_on(Digest::of(b"k"), private(), place);
        check(&RULE, &world, &limits(), "not-met");
        let sentence = world.sentences(&RULE, &limits()).concat();
        assert_eq!(sentence, format!("lies on 2 tokens: pkcs11:token=B;serial=02, {TOKEN}"));
    }

    #[test]
    fn unknown_without_a_public_half() {
        let place = format!("{TOKEN};object=k;type=private");
        let key = Key { spki: None, algorithm: None };
        let world = World::default().bare_key_on(key, private(), &place);
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn unknown_while_another_token_or_module_was_not_read() {
        let locked = || Token { login: Login::NotConfigured, ..token() };
        let other = "pkcs11:token=B;serial=02";
        check(&RULE, &holding(private()).token_at(locked(), other), &limits(), "unknown");
        check(&RULE, &holding(private()).token_at(token(), other), &limits(), "met");
        for place in [other, "file:///usr/lib/other.so"] {
            let world = holding(private()).token_gap(place, GapReason::ModuleFailed);
            check(&RULE, &world, &limits(), "unknown");
        }
        check(&RULE, &holding(private()).token_at(spare(), other), &limits(), "met");
        // What is hidden on its own token is no other token.
        let world = World::default().token(locked()).on_token(private());
        check(&RULE, &world, &limits(), "met");
        let world = holding(private()).token_gap(TOKEN, GapReason::TimedOut);
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_applicable_to_symmetric_keys() {
        check(&RULE, &holding(secret()), &limits(), "not-applicable");
    }
}
