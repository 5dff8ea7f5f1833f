//! `cert.algorithm-not-approved`: a certificate uses a key or signature algorithm that the policy
//! does not approve.
//!
//! ## What it looks at
//! Certificates that a server presents, and valid ones elsewhere that are not members of a trust
//! store. The signature of a self-signed one is left out, its key is not.
//! ## Why it matters
//! A written list of approved algorithms means something only if what is in use follows it.
//! ## What it cannot see
//! Whether the list itself is right; the strength of keys inside an approved size.

use pki_inventory::{Asset, Certificate};

use crate::population::is_current;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.algorithm-not-approved",
    title: "A certificate uses an algorithm that is not approved",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.6.1" },
        Cite { document: "CA/B Forum TLS BR", section: "6.1.5" },
    ],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_current(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let mut wrong = Vec::new();
    if cx.limits.is_undecided(&certificate.key) {
        return Outcome::Unknown(format!(
            "the size of its {} key cannot be read",
            certificate.key.name
        ));
    }
    if !cx.limits.approves_key(&certificate.key) {
        wrong.push(format!("its key is {}", certificate.key.label()));
    }
    let signature = &certificate.signature.name;
    if !certificate.is_self_signed() && !approves_signature(certificate, cx) {
        wrong.push(match &certificate.signature.hash {
            Some(hash) => format!("it is signed with {signature} ({hash})"),
            None => format!("it is signed with {signature}"),
        });
    }
    if wrong.is_empty() {
        return Outcome::Met;
    }
    Outcome::NotMet(format!("{}, which the policy does not approve", wrong.join(" and ")))
}

/// `rsassaPss` stands for three strengths; lists name it with its hash: `rsassaPss-SHA-256`.
fn approves_signature(certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    let signature = &certificate.signature;
    let with_hash = signature.hash.as_ref().map(|hash| format!("{}-{hash}", signature.name));
    let approved = &cx.limits.signatures;
    approved.iter().any(|name| *name == signature.name || Some(name) == with_hash.as_ref())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    use pki_inventory::KeyAlgorithm;

    #[test]
    fn met_with_approved_algorithms() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_short_key() {
        let mut weak = leaf("a.example");
        weak.key = KeyAlgorithm::rsa(1024);
        check(&RULE, &World::default().stored(weak), &limits(), "not-met");
    }

    #[test]
    fn not_met_with_an_unlisted_signature() {
        let mut weak = leaf("a.example");
        weak.signature.name = "ecdsa-with-SHA1".to_owned();
        check(&RULE, &World::default().served(weak), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_the_size_cannot_be_read() {
        let mut odd = leaf("a.example");
        odd.key = KeyAlgorithm::named("RSA");
        check(&RULE, &World::default().served(odd), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_once_expired_in_a_file() {
        let mut old = leaf("a.example");
        old.not_after = old.not_before;
        check(&RULE, &World::default().stored(old), &limits(), "not-applicable");
    }
}
