//! `token.key-not-private`: a key on a token can be used without a login.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens: `CKA_PRIVATE`, and whether the token asks for a login at
//! all (`CKF_LOGIN_REQUIRED`).
//! ## Why it matters
//! An object that is not private is there for every program that may load the module, and so is
//! everything on a token that asks for no login. No PIN stands between it and the key.
//! ## What it cannot see
//! Whether the token asks for the PIN at each use all the same, and who may reach the device.

use pki_inventory::TokenKey;

use crate::token::{each, told};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-not-private",
    title: "A key on a token is open to whoever has no PIN",
    cites: &[
        Cite { document: "PKCS #11 v3.1", section: "4.4" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    each(key, |held| {
        let token = cx.view.token_at(&held.sighting.place);
        if token.is_some_and(|(_, token)| !token.flags.login_required) {
            return Outcome::NotMet(
                "the token asks for no login, so whoever reaches it may use the key".to_owned(),
            );
        }
        match told(held, "CKA_PRIVATE", held.object.private, cx) {
            Ok(true) => Outcome::Met,
            Ok(false) => Outcome::NotMet(
                "every session may use it, logged in or not (CKA_PRIVATE is false)".to_owned(),
            ),
            Err(why) => Outcome::Unknown(why),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{attribute, private, secret, token};

    #[test]
    fn the_attribute_decides() {
        attribute(&RULE, |object, value| object.private = value, ["not-met", "met", "unknown"]);
    }

    #[test]
    fn not_met_on_a_token_that_asks_for_no_login() {
        let mut open = token();
        open.flags.login_required = false;
        for object in [private(), secret()] {
            let world = World::default().token(open.clone()).on_token(object);
            check(&RULE, &world, &limits(), "not-met");
            assert!(world.sentences(&RULE, &limits())[0].contains("asks for no login"));
        }
    }
}
