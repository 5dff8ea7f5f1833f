//! `token.key-without-certificate`: a private key lies on a token, and no certificate for it was
//! seen.
//!
//! ## What it looks at
//! Private keys on tokens: whether any certificate that was seen anywhere certifies them, or SSH
//! uses them.
//! ## Why it matters
//! A key that nothing uses is the one that nobody misses when it is copied. It was forgotten, or
//! its use is one that the inventory should know of.
//! ## What it cannot see
//! Certificates where nobody looked, requests that are not answered yet, and uses without
//! certificates, such as the signing of zones or of tokens for programs. Keys that do not tell
//! their public half, and those on devices that keep no certificates, are unknown.

use pki_inventory::{Oddity, TokenKey};

use crate::key::ssh_use;
use crate::token::{is_symmetric, odd};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "token.key-without-certificate",
    title: "No certificate was seen for a private key on a token",
    cites: &[
        Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "8.3.4" },
    ],
    in_force: InForce::Always,
    fed_by: &["pkcs11"],
    reach: Reach::WhereShown,
    check: Check::TokenKey(check),
};

fn check(key: &TokenKey<'_>, cx: &RuleContext<'_>) -> Outcome {
    if is_symmetric(key) {
        return Outcome::NotApplicable;
    }
    let Some(spki) = key.asset.key().and_then(|key| key.spki) else {
        return Outcome::Unknown("no token tells its public half".to_owned());
    };
    if !cx.view.certificates_of(spki).is_empty() {
        return Outcome::Met;
    }
    if let Some(what) = ssh_use(spki, cx) {
        return Outcome::MetBecause(format!("it is {what}"));
    }
    let mut places = key.objects.iter().map(|held| &held.sighting.place);
    if let Some(quirk) = places.find_map(|place| odd(place, Oddity::NoCertificates, cx)) {
        return Outcome::Unknown(format!(
            "no certificate for it was seen, but {} keeps none ({})",
            quirk.product, quirk.source
        ));
    }
    Outcome::NotMet("no certificate for it was seen anywhere that was read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, clear, leaf, limits};
    use crate::token_fixtures::{TOKEN, holding, private, quirky, secret};

    use pki_inventory::{Digest, Key};

    #[test]
    fn met_with_a_certificate_anywhere_or_a_use_by_ssh() {
        let mut certificate = leaf("a.example");
        certificate.spki = Digest::of(b"k");
        check(&RULE, &holding(private()).served(certificate), &limits(), "met");
        let mut listed = clear(0o600);
        if let Some(form) = &mut listed.key {
            form.encoding = "authorized_keys".to_owned();
        }
        let place = "file:///home/a/.ssh/authorized_keys#1";
        let world = holding(private()).key_at(Digest::of(b"k"), place, listed);
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_without_one() {
        let world = holding(private()).served(leaf("b.example"));
        check(&RULE, &world, &limits(), "not-met");
        assert!(world.sentences(&RULE, &limits())[0].ends_with("anywhere that was read"));
    }

    #[test]
    fn unknown_without_a_public_half_or_on_a_device_that_keeps_no_certificates() {
        let place = format!("{TOKEN};object=k;type=private");
        let key = Key { spki: None, algorithm: None };
        let world = World::default().bare_key_on(key, private(), &place);
        check(&RULE, &world, &limits(), "unknown");
        quirky(&RULE, "AWS CloudHSM", private(), "unknown");
    }

    #[test]
    fn not_applicable_to_symmetric_keys() {
        check(&RULE, &holding(secret()), &limits(), "not-applicable");
    }
}
