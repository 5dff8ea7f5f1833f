//! `token.pin-at-risk`: a PIN of a token is locked, about to be, still the first one, or not set.
//!
//! ## What it looks at
//! The flags of tokens that are initialised: for the security officer, and for the user where a
//! login is asked for, whether wrong PINs were entered, one more locks, it is locked, or it has to
//! be changed; and whether the user's was ever set. That of the officer is often locked on purpose,
//! so that nobody sets up the device anew: then nothing of it counts.
//! ## Why it matters
//! A locked PIN takes its keys out of service, and wrong ones mean that somebody tries. A PIN that
//! was delivered with the device is in its manual.
//! ## What it cannot see
//! Who tried, how good a PIN is, and tokens that do not raise the flags. Tokens that ask for no
//! login have no PIN to lose.

use pki_inventory::{Asset, PinState, Token};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.pin-at-risk",
    title: "A PIN of a token is locked, at risk, or not set",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "3.2 and 5.5" },
        Cite { document: "CWE-1393", section: "Use of Default Password" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

fn check(_: &Asset, token: &Token, _: &RuleContext<'_>) -> Outcome {
    let flags = &token.flags;
    if !flags.initialized {
        return Outcome::NotApplicable;
    }
    let user = Some(("user", &token.user_pin)).filter(|_| flags.login_required);
    let officer = Some(("security officer", &token.so_pin)).filter(|(_, pin)| !pin.locked);
    let mut found = Vec::new();
    for (whose, pin) in user.into_iter().chain(officer) {
        found.extend(risks(pin).map(|what| format!("the PIN of the {whose} {what}")));
    }
    if flags.login_required && !flags.user_pin_initialized {
        found.push("the PIN of the user was never set".to_owned());
    }
    match (found.is_empty(), flags.login_required) {
        (false, _) => Outcome::NotMet(found.join(", ")),
        (true, true) => Outcome::Met,
        (true, false) => Outcome::NotApplicable,
    }
}

/// What is wrong with a PIN; of its tries only the worst.
fn risks(pin: &PinState) -> impl Iterator<Item = &'static str> {
    let tries = if pin.locked {
        Some("is locked")
    } else if pin.final_try {
        Some("is locked by one more wrong try")
    } else if pin.count_low {
        Some("was entered wrongly")
    } else {
        None
    };
    tries.into_iter().chain(pin.to_be_changed.then_some("has to be changed"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::token;

    use pki_inventory::{PinState, Token};

    fn with(change: impl FnOnce(&mut Token)) -> World {
        let mut token = token();
        change(&mut token);
        World::default().token(token)
    }

    #[test]
    fn met_where_no_flag_is_raised() {
        check(&RULE, &with(|_| ()), &limits(), "met");
    }

    #[test]
    fn not_met_by_each_of_the_flags() {
        let none = PinState::default();
        for pin in [
            PinState { count_low: true, ..none },
            PinState { final_try: true, ..none },
            PinState { locked: true, ..none },
            PinState { to_be_changed: true, ..none },
        ] {
            check(&RULE, &with(|token| token.user_pin = pin), &limits(), "not-met");
            let expected = if pin.locked { "met" } else { "not-met" };
            check(&RULE, &with(|token| token.so_pin = pin), &limits(), expected);
        }
        let locked = PinState { locked: true, to_be_changed: true, final_try: true, ..none };
        check(&RULE, &with(|token| token.so_pin = locked), &limits(), "met");
        check(&RULE, &with(|token| token.flags.user_pin_initialized = false), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_without_a_login_or_before_it_is_set_up() {
        let world = with(|token| {
            (token.flags.login_required, token.flags.user_pin_initialized) = (false, false);
        });
        check(&RULE, &world, &limits(), "not-applicable");
        let risky = PinState { final_try: true, to_be_changed: true, ..PinState::default() };
        let world = with(|token| (token.flags.login_required, token.user_pin) = (false, risky));
        check(&RULE, &world, &limits(), "not-applicable");
        let officer = with(|token| (token.flags.login_required, token.so_pin) = (false, risky));
        check(&RULE, &officer, &limits(), "not-met");
        let world = with(|token| {
            token.flags.initialized = false;
            (token.user_pin, token.so_pin) = (risky, risky);
        });
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
