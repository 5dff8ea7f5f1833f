//! `token.key-exponent-small`: an RSA key on a token has a public exponent that is too small.
//!
//! ## What it looks at
//! RSA keys whose private half lies on a token: `CKA_PUBLIC_EXPONENT` of the private or of the
//! public object, or else what a certificate for the key says, wherever that lies. 1 and even
//! numbers are broken, others below 65537 weak.
//! ## Why it matters
//! With 1 the signature is the message. With 3 a fault in the padding or in its check is enough to
//! forge signatures or to read what was encrypted for several keys.
//! ## What it cannot see
//! What neither a token nor a certificate tells is unknown. Keys that lie on no token are not
//! meant.

use pki_inventory::{Asset, TokenKey};

use crate::token::is_symmetric;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-exponent-small",
    title: "An RSA key on a token has a small public exponent",
    cites: &[
        Cite { document: "FIPS 186-5", section: "A.1.1" },
        Cite { document: "CA/B Forum TLS BR", section: "6.1.6" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

/// The smallest that is allowed.
const LEAST: u64 = 65_537;

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    if is_symmetric(key) || !is_rsa(key) {
        return Outcome::NotApplicable;
    }
    let told = exponent(key.asset).map(str::to_owned);
    let Some(digits) = told.or_else(|| certified(key, cx)) else {
        return Outcome::Unknown("neither token nor certificate tells its exponent".to_owned());
    };
    let is_even = digits.bytes().last().is_some_and(|last| b"02468aceACE".contains(&last));
    // What does not fit is large.
    let value = u64::from_str_radix(&digits, 16).unwrap_or(u64::MAX);
    if value == 1 || is_even {
        return Outcome::NotMet(format!("has the public exponent 0x{digits}, which is broken"));
    }
    if value < LEAST {
        return Outcome::NotMet(format!("has the public exponent {value}, which is weak"));
    }
    Outcome::Met
}

fn is_rsa(key: &TokenKey<'_>) -> bool {
    let by_key = key.asset.key().and_then(|key| key.algorithm.as_ref());
    by_key.is_some_and(|algorithm| algorithm.name == "RSA")
        || key.objects.iter().any(|held| held.object.key_type.as_deref() == Some("CKK_RSA"))
}

/// The exponent, by either half of the key, wherever it was seen.
fn exponent(asset: &Asset) -> Option<&str> {
    let told = asset.sightings().filter_map(|at| at.circumstances.token.as_deref());
    let mut told = told.filter_map(|object| object.public_exponent.as_deref());
    told.find(|digits| !digits.is_empty())
}

/// The exponent that a certificate for the key has.
fn certified(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Option<String> {
    let spki = key.asset.key()?.spki?;
    let mut certificates = cx.view.certificates_of(spki).iter().filter_map(|it| it.certificate());
    let octets = certificates.find_map(|certificate| certificate.rsa())?.exponent;
    let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let digits = digits.trim_start_matches('0');
    (!digits.is_empty()).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, rsa_leaf};
    use crate::token_fixtures::{TOKEN, holding, private, secret};

    use pki_inventory::{Digest, Key, KeyAlgorithm, ObjectClass, TokenObject};

    fn raised_to(digits: Option<&str>) -> TokenObject {
        TokenObject { public_exponent: digits.map(str::to_owned), ..private() }
    }

    #[test]
    fn met_with_the_usual_one_or_a_large_one() {
        check(&RULE, &holding(raised_to(Some("10001"))), &limits(), "met");
        let large = "1".repeat(60);
        check(&RULE, &holding(raised_to(Some(&large))), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_small_or_an_even_one() {
        for (digits, word) in [("3", "weak"), ("11", "weak"), ("1", "broken"), ("10000", "broken")]
        {
            let world = holding(raised_to(Some(digits)));
            check(&RULE, &world, &limits(), "not-met");
            assert!(world.sentences(&RULE, &limits())[0].ends_with(word), "{digits}");
        }
    }

    #[test]
    fn the_public_half_tells_it_too_and_without_it_it_is_unknown() {
        check(&RULE, &holding(raised_to(None)), &limits(), "unknown");
        let public = TokenObject { class: ObjectClass::PublicKey, ..raised_to(Some("3")) };
        let place = format!("{TOKEN};object=k;type=public");
        let world = holding(raised_to(None)).key_on(Digest::of(b"k"), public, &place);
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn a_certificate_tells_it_where_no_token_does() {
        for (exponent, expected) in [(&[3][..], "not-met"), (&[1, 0, 1], "met")] {
            let mut certificate = rsa_leaf("a.example", &[0xc5; 256], exponent);
            certificate.spki = Digest::of(b"k");
            let world = holding(raised_to(None)).stored(certificate.clone());
            check(&RULE, &world, &limits(), expected);
            let world = holding(raised_to(Some("10001"))).stored(certificate);
            check(&RULE, &world, &limits(), "met");
        }
    }

    #[test]
    fn not_applicable_to_other_kinds() {
        check(&RULE, &holding(secret()), &limits(), "not-applicable");
        let key = Key { spki: None, algorithm: Some(KeyAlgorithm::named("Ed25519")) };
        let object = TokenObject { key_type: Some("CKK_EC_EDWARDS".to_owned()), ..private() };
        let place = format!("{TOKEN};object=e;type=private");
        let world = World::default().bare_key_on(key, object, &place);
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
