//! `token.serial-duplicate`: two tokens say that they are the same device.
//!
//! ## What it looks at
//! Tokens that are initialised and have the same manufacturer, model and serial number as another
//! one, in another slot or under another label.
//! ## Why it matters
//! On a list of devices the two are one. They may be parts of one device, a pair that stands in for
//! each other, or a copy.
//! ## What it cannot see
//! Which of these it is. Tokens without a serial number, and products whose tokens all have the
//! same one, are unknown.

use pki_inventory::{Asset, Oddity, Token};

use crate::token::identity_incomplete::has_serial;
use crate::token::{odd, some};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.serial-duplicate",
    title: "Several tokens have the same serial number",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "3.2" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

fn check(asset: &Asset, token: &Token, cx: &RuleContext<'_>) -> Outcome {
    if !token.flags.initialized {
        return Outcome::NotApplicable;
    }
    if !has_serial(token) {
        return Outcome::Unknown("the token has no serial number".to_owned());
    }
    let same = |other: &Token| {
        other.flags.initialized
            && other.serial == token.serial
            && other.model == token.model
            && other.manufacturer == token.manufacturer
    };
    let others = cx.view.tokens().filter(|(other, _)| other.id != asset.id);
    let others =
        others.filter(|(_, other)| same(other)).filter_map(|(other, _)| other.places().next());
    let others: Vec<String> = others.map(ToString::to_string).collect();
    if others.is_empty() {
        return Outcome::Met;
    }
    let mut places = asset.places();
    match places.find_map(|place| odd(place, Oddity::SerialNotUnique, cx)) {
        Some(quirk) => Outcome::Unknown(format!(
            "all tokens of {} have the same serial number ({})",
            quirk.product, quirk.source
        )),
        None => Outcome::NotMet(format!("the same one is that of {}", some(others.into_iter()))),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::token;

    use pki_inventory::Token;

    const OTHER: &str = "pkcs11:token=B;manufacturer=Test;model=Device;serial=01";

    fn two(one: Token, other: Token) -> World {
        World::default().token(one).token_at(other, OTHER)
    }

    #[track_caller]
    fn both(world: &World, expected: &'static str) {
        assert_eq!(world.outcomes(&RULE, &limits()), [(expected, 2)].into());
    }

    #[test]
    fn met_by_one_of_its_kind() {
        check(&RULE, &World::default().token(token()), &limits(), "met");
        both(&two(token(), Token { serial: Some("02".to_owned()), ..token() }), "met");
        both(&two(token(), Token { model: Some("Other".to_owned()), ..token() }), "met");
    }

    #[test]
    fn not_met_by_two_of_one_number() {
        both(&two(token(), token()), "not-met");
    }

    #[test]
    fn unknown_without_a_number_or_where_all_have_the_same() {
        check(
            &RULE,
            &World::default().token(Token { serial: None, ..token() }),
            &limits(),
            "unknown",
        );
        let trust = || Token { model: Some("p11-kit-trust".to_owned()), ..token() };
        both(&two(trust(), trust()), "unknown");
    }

    #[test]
    fn not_applicable_to_one_that_is_not_set_up() {
        let mut spare = token();
        spare.flags.initialized = false;
        check(&RULE, &World::default().token(spare), &limits(), "not-applicable");
    }
}
