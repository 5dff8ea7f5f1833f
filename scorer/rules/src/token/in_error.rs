//! `token.in-error`: a token says that it failed a test of itself.
//!
//! ## What it looks at
//! The flag `CKF_ERROR_STATE` of tokens; of those that are not set up only where it is raised.
//! ## Why it matters
//! A device in this state does no cryptography until somebody sees to it, and what it did last may
//! have been wrong.
//! ## What it cannot see
//! Why. Modules that speak a version before 2.30 of the interface have no such flag: unknown.

use pki_inventory::{Asset, Token};

use crate::token::is_set_up;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.in-error",
    title: "A token is in its error state",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "3.2" },
        Cite { document: "FIPS 140-3 (ISO/IEC 19790:2012)", section: "7.10" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

fn check(_: &Asset, token: &Token, _: &RuleContext<'_>) -> Outcome {
    if token.flags.error {
        return Outcome::NotMet("failed a test of itself (CKF_ERROR_STATE is set)".to_owned());
    }
    if !is_set_up(token) {
        return Outcome::NotApplicable;
    }
    let interface = token.module.interface.as_deref();
    match interface.and_then(numbers) {
        Some(version) if version >= (2, 30) => Outcome::Met,
        Some(_) => Outcome::Unknown(format!(
            "its module speaks {} of the interface, which has no such flag",
            interface.unwrap_or_default()
        )),
        None => Outcome::Unknown("which interface its module speaks is not known".to_owned()),
    }
}

/// `2.40` as two numbers.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{spare, token};

    fn told(error: bool, interface: Option<&str>) -> World {
        let mut token = token();
        token.flags.error = error;
        token.module.interface = interface.map(str::to_owned);
        World::default().token(token)
    }

    #[test]
    fn met_without_the_flag() {
        check(&RULE, &told(false, Some("2.40")), &limits(), "met");
        check(&RULE, &told(false, Some("3.0")), &limits(), "met");
    }

    #[test]
    fn not_met_with_it() {
        check(&RULE, &told(true, Some("2.40")), &limits(), "not-met");
        check(&RULE, &told(true, None), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_sound_one_that_is_not_set_up() {
        check(&RULE, &World::default().token(spare()), &limits(), "not-applicable");
        let mut broken = spare();
        broken.flags.error = true;
        check(&RULE, &World::default().token(broken), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_the_interface_has_no_such_flag() {
        check(&RULE, &told(false, Some("2.20")), &limits(), "unknown");
        check(&RULE, &told(false, None), &limits(), "unknown");
    }
}
