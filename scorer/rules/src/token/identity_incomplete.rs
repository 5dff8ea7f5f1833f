//! `token.identity-incomplete`: a token does not say which one it is.
//!
//! ## What it looks at
//! Tokens that are initialised and claim to be devices (`CKF_HW_SLOT`): label, manufacturer, model,
//! serial number, version of the firmware. A serial number of zeros is none, and so is version 0.0.
//! ## Why it matters
//! What a list of devices needs is what the device says of itself. Two that look alike are one on
//! the list, and a fault in a firmware cannot be looked up.
//! ## What it cannot see
//! What is printed on the case, and whether the answers are true. Tokens in software are on no list
//! of devices. Products whose tokens all have one serial number are unknown.

use pki_inventory::{Asset, Oddity, Token};

use crate::token::{odd, some};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.identity-incomplete",
    title: "A token does not tell what it takes to recognise it",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "3.2" },
        Cite { document: "RFC 7512", section: "2.3" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::Whole,
    check: Check::Token(check),
};

fn check(asset: &Asset, token: &Token, cx: &RuleContext<'_>) -> Outcome {
    if !token.flags.initialized {
        return Outcome::NotApplicable;
    }
    if !token.slot.hardware {
        return Outcome::NotApplicableBecause("it does not claim to be a device".to_owned());
    }
    let asked = [
        (told(&token.label, ""), "label"),
        (told(&token.manufacturer, ""), "manufacturer"),
        (told(&token.model, ""), "model"),
        (has_serial(token), "serial number"),
        (told(&token.firmware_version, "0."), "version of the firmware"),
    ];
    let missing = asked.into_iter().filter(|(told, _)| !told).map(|(_, what)| what.to_owned());
    let missing: Vec<String> = missing.collect();
    if missing.is_empty() {
        return Outcome::Met;
    }
    let mut places = asset.places();
    match places.find_map(|place| odd(place, Oddity::SerialNotUnique, cx)) {
        Some(quirk) if missing == ["serial number"] => Outcome::Unknown(format!(
            "{} has no serial numbers of its own ({})",
            quirk.product, quirk.source
        )),
        _ => Outcome::NotMet(format!("tells no {}", some(missing.into_iter()))),
    }
}

/// Whether a text holds a character that is neither space nor one of these.
fn told(text: &Option<String>, besides: &str) -> bool {
    let says = |one: char| !one.is_whitespace() && !besides.contains(one);
    text.as_ref().is_some_and(|text| text.chars().any(says))
}

/// Whether the token has a serial number that is one.
pub(super) fn has_serial(token: &Token) -> bool {
    told(&token.serial, "0")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::token;

    use pki_inventory::Token;

    fn with(change: impl FnOnce(&mut Token)) -> World {
        let mut token = token();
        change(&mut token);
        World::default().token(token)
    }

    #[test]
    fn met_with_all_of_it() {
        check(&RULE, &with(|_| ()), &limits(), "met");
        check(&RULE, &with(|token| token.label = Some("0".to_owned())), &limits(), "met");
    }

    #[test]
    fn not_met_without_one_of_it() {
        check(&RULE, &with(|token| token.label = None), &limits(), "not-met");
        check(&RULE, &with(|token| token.manufacturer = None), &limits(), "not-met");
        check(&RULE, &with(|token| token.model = Some("  ".to_owned())), &limits(), "not-met");
        check(&RULE, &with(|token| token.serial = Some("0000".to_owned())), &limits(), "not-met");
        let zero = with(|token| token.firmware_version = Some("0.0".to_owned()));
        check(&RULE, &zero, &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_product_has_no_serial_numbers() {
        let nss = |label: Option<&str>| {
            with(|token| {
                token.model = Some("NSS 3".to_owned());
                token.serial = Some("0000000000000000".to_owned());
                token.label = label.map(str::to_owned);
            })
        };
        check(&RULE, &nss(Some("NSS Certificate DB")), &limits(), "unknown");
        check(&RULE, &nss(None), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_one_that_is_not_set_up_or_no_device() {
        check(&RULE, &with(|token| token.slot.hardware = false), &limits(), "not-applicable");
        check(&RULE, &with(|token| token.flags.initialized = false), &limits(), "not-applicable");
    }
}
