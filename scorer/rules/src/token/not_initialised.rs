//! `token.not-initialised`: a token was never set up.
//!
//! ## What it looks at
//! The flag `CKF_TOKEN_INITIALIZED` of tokens.
//! ## Why it matters
//! Whoever comes first sets up such a token, with a PIN of his own. A device that is bought and not
//! in use is on no list of spares.
//! ## What it cannot see
//! Whether it was left so on purpose, as a spare. Products that always show one more are not meant.

use pki_inventory::{Asset, Oddity, Token};

use crate::token::odd;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.not-initialised",
    title: "A token was never set up",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "3.2 and 5.5" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

fn check(asset: &Asset, token: &Token, cx: &RuleContext<'_>) -> Outcome {
    if token.flags.initialized {
        return Outcome::Met;
    }
    // Somebody put them there.
    if let Some((class, _)) = token.objects.iter().find(|(_, count)| *count > 0) {
        return Outcome::MetBecause(format!("its flag is not set, but it holds a {class} object"));
    }
    let mut places = asset.places();
    match places.find_map(|place| odd(place, Oddity::SpareSlot, cx)) {
        Some(quirk) => Outcome::NotApplicableBecause(format!(
            "{} always shows one more ({})",
            quirk.product, quirk.source
        )),
        None => Outcome::NotMet("it was never initialised".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::token;

    use pki_inventory::Token;

    fn fresh(change: impl FnOnce(&mut Token)) -> World {
        let mut token = token();
        token.flags.initialized = false;
        change(&mut token);
        World::default().token(token)
    }

    #[test]
    fn met_by_one_that_is_set_up() {
        check(&RULE, &World::default().token(token()), &limits(), "met");
        let used = fresh(|token| token.objects = vec![("certificate".to_owned(), 1)]);
        check(&RULE, &used, &limits(), "met");
    }

    #[test]
    fn not_met_by_one_that_is_not() {
        check(&RULE, &fresh(|_| ()), &limits(), "not-met");
        let empty = fresh(|token| token.objects = vec![("certificate".to_owned(), 0)]);
        check(&RULE, &empty, &limits(), "not-met");
    }

    #[test]
    fn not_applicable_where_the_product_always_has_one() {
        let spare = fresh(|token| token.model = Some("SoftHSM v2".to_owned()));
        check(&RULE, &spare, &limits(), "not-applicable");
        assert!(spare.sentences(&RULE, &limits())[0].contains("SoftHSM"));
    }
}
