//! `token.key-mechanism-weak`: a key on a token is restricted to mechanisms, and weak ones are
//! among them.
//!
//! ## What it looks at
//! Private and symmetric keys on tokens with `CKA_ALLOWED_MECHANISMS`: the mechanisms in that list
//! that nobody should use any more, as far as the key may be used so.
//! ## Why it matters
//! Somebody said on purpose what this key is for. A weak mechanism in such a list is wanted.
//! ## What it cannot see
//! Keys without a list may be used with all that the token offers; that says nothing of what they
//! are used with.

use std::collections::BTreeMap;

use pki_inventory::{Held, TokenKey, Usage};

use crate::token::{each, some, untold};
use crate::weak_mechanisms::{weakness, words};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-mechanism-weak",
    title: "A key on a token is meant for weak mechanisms",
    cites: &[
        Cite { document: "NIST SP 800-131A r2", section: "2, 3 and 6" },
        Cite { document: "PKCS #11 v3.1", section: "4.7" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

const LIST: &str = "CKA_ALLOWED_MECHANISMS";

fn check(key: &TokenKey<'_>, _: &RuleContext<'_>) -> Outcome {
    each(key, |held| {
        let Some(allowed) = held.object.allowed_mechanisms.as_ref().filter(|it| !it.is_empty())
        else {
            // Where the type is not valid, the token has no such lists.
            let why = held.object.untold.get(LIST).filter(|why| *why != "invalid");
            return why.map_or(Outcome::NotApplicable, |_| Outcome::Unknown(untold(held, LIST)));
        };
        let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut open = None;
        for name in allowed {
            let Some(weakness) = weakness(name) else { continue };
            match uses(held, weakness.of) {
                Ok(true) => found.entry(weakness.what).or_default().push(name.clone()),
                Ok(false) => {}
                Err(why) => open = Some(why),
            }
        }
        if !found.is_empty() {
            let all =
                found.into_iter().map(|(what, by)| format!("{what} ({})", some(by.into_iter())));
            return Outcome::NotMet(format!("is meant for {}", all.collect::<Vec<_>>().join(", ")));
        }
        open.map_or(Outcome::Met, Outcome::Unknown)
    })
}

/// Whether the key may be used in one of these ways. Some of them objects of its class have not.
fn uses(held: &Held<'_>, ways: &[Usage]) -> Result<bool, String> {
    if ways.iter().any(|way| held.object.may(*way) == Some(true)) {
        return Ok(true);
    }
    let mut attributes = ways.iter().map(|way| words(*way).1);
    let silent = attributes.find(|attribute| held.object.untold.contains_key(*attribute));
    silent.map_or(Ok(false), |attribute| Err(untold(held, attribute)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{check, limits};
    use crate::token_fixtures::{holding, private, using};

    use pki_inventory::{TokenObject, Usage};

    fn meant_for(names: &[&str]) -> TokenObject {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        TokenObject { allowed_mechanisms: Some(names), ..private() }
    }

    #[test]
    fn met_by_strong_ones_and_by_weak_ones_that_the_key_may_not_be_used_with() {
        check(&RULE, &holding(meant_for(&["CKM_SHA256_RSA_PKCS"])), &limits(), "met");
        check(&RULE, &holding(meant_for(&["CKM_RSA_PKCS"])), &limits(), "met");
    }

    #[test]
    fn not_met_by_weak_ones() {
        check(&RULE, &holding(meant_for(&["CKM_SHA1_RSA_PKCS"])), &limits(), "not-met");
        let decrypting = using(Usage::Decrypt, Some(true), meant_for(&["CKM_RSA_PKCS"]));
        check(&RULE, &holding(decrypting), &limits(), "not-met");
    }

    #[test]
    fn unknown_where_list_or_use_is_not_told() {
        let silent = |attribute: &str, why: &str, mut object: TokenObject| {
            object.untold.insert(attribute.to_owned(), why.to_owned());
            holding(object)
        };
        let list = "CKA_ALLOWED_MECHANISMS";
        check(&RULE, &silent(list, "CKR_DEVICE_ERROR", private()), &limits(), "unknown");
        check(&RULE, &silent(list, "invalid", private()), &limits(), "not-applicable");
        let object = using(Usage::Decrypt, None, meant_for(&["CKM_RSA_PKCS"]));
        check(&RULE, &silent("CKA_DECRYPT", "unavailable", object), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_a_list() {
        check(&RULE, &holding(private()), &limits(), "not-applicable");
        check(&RULE, &holding(meant_for(&[])), &limits(), "not-applicable");
    }
}
