//! `ca.key-exposed`: the key of an authority lies on a token that gives it away.
//!
//! ## What it looks at
//! Certificates of authorities that have not expired and whose private key lies on a token: whether
//! it can leave under any key (`CKA_EXTRACTABLE` without `CKA_WRAP_WITH_TRUSTED`) or be read in the
//! clear (`CKA_SENSITIVE`). That it was imported is no part of this: ceremonies carry keys over.
//! ## Why it matters
//! Whoever is logged in to the token once has the key for ever, and can make any certificate of the
//! authority without a trace. The device around it protects nothing then.
//! ## What it cannot see
//! Whether a copy was made, and whether the device refuses it by a setting of its own. Products
//! that tell it wrong are unknown. Keys in files are said by another rule.

use pki_inventory::{Asset, Certificate, Held, published};

use crate::population::is_shipped;
use crate::token::each_placed;
use crate::token::key_extractable::leaving;
use crate::token::key_not_sensitive::readable;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "ca.key-exposed",
    title: "The private key of an authority can be taken off its token",
    cites: &[
        Cite { document: "CA/B Forum TLS BR", section: "6.2.6 and 6.2.7" },
        Cite { document: "PKCS #11 v3.1", section: "4.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !certificate.is_authority() {
        return Outcome::NotApplicable;
    }
    let seen = cx.view.private_places(certificate.spki).into_iter();
    let held = seen.filter_map(|(asset, sighting)| {
        let object = sighting.circumstances.token.as_deref()?;
        Some(Held { asset, sighting, object })
    });
    let objects: Vec<Held<'_>> = held.collect();
    if objects.is_empty() || is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    if let Some(origin) = published(&certificate.spki) {
        return Outcome::NotApplicableBecause(format!("a key that {origin} publishes"));
    }
    if certificate.not_after < cx.as_of {
        let day = certificate.not_after.date();
        return Outcome::NotApplicableBecause(format!("it expired on {day}"));
    }
    each_placed(&objects, |held| match (leaving(held, cx), readable(held, cx)) {
        (Outcome::NotMet(one), Outcome::NotMet(other)) => {
            Outcome::NotMet(format!("its private key {one}, and {other}"))
        }
        (Outcome::NotMet(why), _) => Outcome::NotMet(format!("its private key {why}")),
        (_, Outcome::NotMet(why)) => Outcome::NotMet(format!("of its private key, {why}")),
        (Outcome::Unknown(why), _) | (_, Outcome::Unknown(why)) => Outcome::Unknown(why),
        (Outcome::MetBecause(why), _) => Outcome::MetBecause(why),
        _ => Outcome::Met,
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, authority, check, leaf, limits};
    use crate::token_fixtures::{OPENSC, TOKEN, by, private, token};

    use pki_inventory::{Certificate, Token, TokenObject};

    fn ca() -> Certificate {
        authority("Corp CA")
    }

    fn of(certificate: Certificate, token: Token, object: TokenObject) -> World {
        let place = format!("{TOKEN};object=k;type=private");
        let spki = certificate.spki;
        World::default().stored(certificate).token(token).key_on(spki, object, &place)
    }

    fn on(object: TokenObject) -> World {
        of(ca(), token(), object)
    }

    #[test]
    fn met_where_it_stays_also_if_it_was_imported_or_is_backed_up() {
        check(&RULE, &on(private()), &limits(), "met");
        check(&RULE, &on(TokenObject { local: Some(false), ..private() }), &limits(), "met");
        let (extractable, wrap_with_trusted) = (Some(true), Some(true));
        let backed_up = TokenObject { extractable, wrap_with_trusted, ..private() };
        check(&RULE, &on(backed_up), &limits(), "met");
    }

    #[test]
    fn not_met_where_it_can_leave_or_be_read() {
        let open = || TokenObject { extractable: Some(true), ..private() };
        for object in [
            open(),
            TokenObject { sensitive: Some(false), ..private() },
            TokenObject { sensitive: Some(false), ..open() },
        ] {
            let world = on(object);
            check(&RULE, &world, &limits(), "not-met");
            let sentence = world.sentences(&RULE, &limits()).concat();
            assert!(sentence.contains("private key") && sentence.contains(TOKEN), "{sentence}");
        }
    }

    #[test]
    fn unknown_where_the_token_does_not_tell_or_tells_it_wrong() {
        check(&RULE, &on(TokenObject { sensitive: None, ..private() }), &limits(), "unknown");
        check(&RULE, &on(TokenObject { extractable: None, ..private() }), &limits(), "unknown");
        let odd = TokenObject { extractable: Some(true), ..private() };
        check(&RULE, &of(ca(), by(OPENSC), odd), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_leaves_to_keys_elsewhere_and_to_what_has_expired() {
        let open = || TokenObject { extractable: Some(true), ..private() };
        check(&RULE, &of(leaf("a.example"), token(), open()), &limits(), "not-applicable");
        check(&RULE, &World::default().stored(ca()).key_of(&ca()), &limits(), "not-applicable");
        let old = Certificate { not_after: NOW.plus_days(-1), ..ca() };
        check(&RULE, &of(old, token(), open()), &limits(), "not-applicable");
    }
}
