//! `key.algorithm-not-approved`: a private key is of a kind or size that the policy does not
//! approve.
//!
//! ## What it looks at
//! Key pairs of which the private half was seen, in files or on tokens, but none whose private half
//! is published: such keys lie about as test material.
//! ## Why it matters
//! A weak key is weak wherever its certificate is; keys without a certificate would otherwise
//! escape every list.
//! ## What it cannot see
//! Kind and size of an encrypted key whose format does not tell them, or of one whose token does
//! not: unknown. Symmetric keys: the list is one of key pairs.

use pki_inventory::{Asset, Key};

use crate::key::{is_no_secret, on_token, private_sightings};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.algorithm-not-approved",
    title: "A private key uses an algorithm that is not approved",
    cites: &[Cite { document: "NIST SP 800-57 part 1 r5", section: "5.6.1" }],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "pkcs11"],
    reach: Reach::Whole,
    check: Check::Key(check),
};

fn check(asset: &Asset, key: &Key, cx: &RuleContext<'_>) -> Outcome {
    let is_in_file = !private_sightings(asset, key, cx).is_empty();
    if !is_in_file && on_token([asset]).is_none() {
        return Outcome::NotApplicable;
    }
    if let Some(what) = is_no_secret(asset, key) {
        return Outcome::NotApplicableBecause(what);
    }
    match &key.algorithm {
        // The list is one of key pairs.
        Some(algorithm) if algorithm.name == "symmetric" => Outcome::NotApplicable,
        Some(algorithm) if cx.limits.is_undecided(algorithm) => Outcome::Unknown(format!(
            "it is {}, but neither its size nor its curve is told",
            algorithm.name
        )),
        None if !is_in_file => Outcome::Unknown("the token does not tell its kind".to_owned()),
        None => Outcome::Unknown(
            "the key is encrypted and its format does not tell its kind".to_owned(),
        ),
        Some(algorithm) if cx.limits.approves_key(algorithm) => Outcome::Met,
        Some(algorithm) => {
            Outcome::NotMet(format!("is {}, which the policy does not approve", algorithm.label()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, test_key};
    use crate::token_fixtures::{TOKEN, private};

    use pki_inventory::{Digest, Encryption, Key, KeyAlgorithm, ObjectClass, TokenObject};

    fn holding(algorithm: Option<KeyAlgorithm>) -> World {
        let spki = algorithm.as_ref().map(|a| Digest::of(a.label().as_bytes()));
        World::default().private_key(spki, algorithm, Encryption::None, 0o600)
    }

    #[test]
    fn met_with_an_approved_size() {
        check(&RULE, &holding(Some(KeyAlgorithm::rsa(3072))), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_short_one_or_an_unlisted_kind() {
        check(&RULE, &holding(Some(KeyAlgorithm::rsa(1024))), &limits(), "not-met");
        check(&RULE, &holding(Some(KeyAlgorithm::named("Ed448"))), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_encrypted_or_of_a_size_that_is_not_told() {
        check(&RULE, &holding(None), &limits(), "unknown");
        check(&RULE, &holding(Some(KeyAlgorithm::named("RSA"))), &limits(), "unknown");
        check(&RULE, &holding(Some(KeyAlgorithm::named("EC"))), &limits(), "unknown");
    }

    #[test]
    fn a_key_on_a_token_is_judged_and_its_public_half_alone_is_not() {
        let on = |algorithm: Option<KeyAlgorithm>, object: TokenObject| {
            let key = Key { spki: Some(Digest::of(b"k")), algorithm };
            World::default().bare_key_on(key, object, &format!("{TOKEN};object=k"))
        };
        check(&RULE, &on(Some(KeyAlgorithm::rsa(2048)), private()), &limits(), "met");
        check(&RULE, &on(Some(KeyAlgorithm::rsa(1024)), private()), &limits(), "not-met");
        check(&RULE, &on(None, private()), &limits(), "unknown");
        let public = TokenObject { class: ObjectClass::PublicKey, ..private() };
        let short = Some(KeyAlgorithm::rsa(1024));
        check(&RULE, &on(short, public), &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_public_key() {
        let world = World::default().public_key(Digest::of(b"k"));
        check(&RULE, &world, &limits(), "not-applicable");
    }

    #[test]
    fn not_applicable_to_a_symmetric_key_or_one_that_is_published() {
        let symmetric = KeyAlgorithm { bits: Some(128), ..KeyAlgorithm::named("symmetric") };
        check(&RULE, &holding(Some(symmetric)), &limits(), "not-applicable");
        let short = Some(KeyAlgorithm::rsa(512));
        let world = World::default().private_key(Some(test_key()), short, Encryption::None, 0o600);
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
