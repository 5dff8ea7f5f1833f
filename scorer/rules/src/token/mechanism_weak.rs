//! `token.mechanism-weak`: a token offers mechanisms that nobody should use any more.
//!
//! ## What it looks at
//! The mechanisms of tokens that are set up, with what they are offered for: signatures with MD5 or
//! SHA-1, encryption with DES, 3DES, RC2 or RC4 or block by block, RSA without padding or
//! encryption with that of PKCS #1 v1.5, and RSA keys below 2048 bits. What only checks or decrypts
//! what is old does not count.
//! ## Why it matters
//! What is offered can be used, by mistake or on purpose. Many devices can be told not to.
//! ## What it cannot see
//! Whether any key is used so: that is a possibility, not a use. Mechanisms of vendors.

use std::collections::BTreeMap;

use pki_inventory::{Asset, Mechanism, Token};

use crate::token::{is_set_up, some};
use crate::weak_mechanisms::{weakness, words};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.mechanism-weak",
    title: "A token offers weak mechanisms",
    cites: &[
        Cite { document: "NIST SP 800-131A r2", section: "2, 3 and 6" },
        Cite { document: "RFC 8017", section: "7.2" },
        Cite { document: "PKCS #11 v3.1", section: "3.5" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::Token(check),
};

/// Fewest bits of a modulus.
const LEAST_BITS: u64 = 2048;

fn check(_: &Asset, token: &Token, _: &RuleContext<'_>) -> Outcome {
    if !is_set_up(token) {
        return Outcome::NotApplicable;
    }
    let Some(mechanisms) = &token.mechanisms else {
        return Outcome::Unknown("the token does not tell its mechanisms".to_owned());
    };
    if mechanisms.is_empty() {
        return Outcome::NotApplicableBecause("it offers no mechanism".to_owned());
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut open = Vec::new();
    for mechanism in mechanisms {
        let Some(name) = &mechanism.name else { continue };
        match weak(mechanism, name) {
            Ok(Some(what)) => found.entry(what).or_default().push(name.clone()),
            Ok(None) => {}
            Err(()) => open.push(name.clone()),
        }
    }
    if !found.is_empty() {
        let all = found.into_iter().map(|(what, by)| format!("{what} ({})", some(by.into_iter())));
        return Outcome::NotMet(format!("offers {}", all.collect::<Vec<_>>().join(", ")));
    }
    if !open.is_empty() {
        let names = some(open.into_iter());
        return Outcome::Unknown(format!("the token does not tell what {names} can be used for"));
    }
    Outcome::Met
}

/// What is weak about a mechanism as it is offered; an error where the token does not tell how.
fn weak(mechanism: &Mechanism, name: &str) -> Result<Option<String>, ()> {
    if matches!(name, "CKM_RSA_PKCS_KEY_PAIR_GEN" | "CKM_RSA_X9_31_KEY_PAIR_GEN") {
        let smallest = mechanism.smallest.filter(|bits| *bits > 0).ok_or(())?;
        return Ok((smallest < LEAST_BITS).then(|| format!("RSA keys from {smallest} bits on")));
    }
    let Some(weakness) = weakness(name) else { return Ok(None) };
    if mechanism.uses.is_empty() && mechanism.smallest.is_none() && mechanism.hardware.is_none() {
        return Err(());
    }
    let offered = |word: &str| mechanism.uses.iter().any(|one| one == word);
    let is_weak = weakness.of.iter().any(|usage| offered(words(*usage).0));
    Ok(is_weak.then(|| weakness.what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};
    use crate::token_fixtures::{spare, token};

    use pki_inventory::{Mechanism, Token};

    fn offering(name: &str, smallest: Option<u64>, uses: &[&str]) -> World {
        let one = Mechanism {
            number: 1,
            name: Some(name.to_owned()),
            smallest,
            largest: None,
            hardware: None,
            uses: uses.iter().map(|one| (*one).to_owned()).collect(),
        };
        World::default().token(Token { mechanisms: Some(vec![one]), ..token() })
    }

    #[test]
    fn met_by_strong_ones_and_by_weak_ones_for_what_is_old() {
        check(&RULE, &offering("CKM_ECDSA_SHA256", Some(256), &["sign"]), &limits(), "met");
        check(&RULE, &offering("CKM_SHA1_RSA_PKCS", Some(1024), &["verify"]), &limits(), "met");
        check(&RULE, &offering("CKM_RSA_PKCS", Some(2048), &["sign"]), &limits(), "met");
        let generation = offering("CKM_RSA_PKCS_KEY_PAIR_GEN", Some(2048), &["generate-key-pair"]);
        check(&RULE, &generation, &limits(), "met");
    }

    #[test]
    fn not_met_by_weak_ones() {
        check(&RULE, &offering("CKM_SHA1_RSA_PKCS", Some(1024), &["sign"]), &limits(), "not-met");
        check(&RULE, &offering("CKM_RSA_PKCS", Some(2048), &["decrypt"]), &limits(), "not-met");
        let generation = offering("CKM_RSA_PKCS_KEY_PAIR_GEN", Some(512), &["generate-key-pair"]);
        check(&RULE, &generation, &limits(), "not-met");
        let sentence = generation.sentences(&RULE, &limits()).concat();
        assert_eq!(sentence, "offers RSA keys from 512 bits on (CKM_RSA_PKCS_KEY_PAIR_GEN)");
    }

    #[test]
    fn unknown_where_the_token_does_not_tell_what_it_offers() {
        let world = World::default().token(Token { mechanisms: None, ..token() });
        check(&RULE, &world, &limits(), "unknown");
        check(&RULE, &offering("CKM_SHA1_RSA_PKCS", None, &[]), &limits(), "unknown");
        check(&RULE, &offering("CKM_RSA_PKCS_KEY_PAIR_GEN", Some(0), &[]), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_mechanisms_or_before_it_is_set_up() {
        check(&RULE, &World::default().token(token()), &limits(), "not-applicable");
        let spare = Token { mechanisms: None, ..spare() };
        check(&RULE, &World::default().token(spare), &limits(), "not-applicable");
    }
}
