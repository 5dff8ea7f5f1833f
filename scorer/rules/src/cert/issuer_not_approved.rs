//! `cert.issuer-not-approved`: a certificate in use was issued by a CA that the policy does not
//! approve.
//!
//! ## What it looks at
//! End-entity certificates that a server presents or whose private key lies here, against the
//! approved issuers of the policy. Self-signed ones are left to their own rule.
//! ## Why it matters
//! Certificates from CAs nobody chose escape the inventory, the profile and the revocation process.
//! ## What it cannot see
//! The issuer is taken by name; the signature is not verified. A policy without approved issuers
//! makes this unknown.

use pki_inventory::{Asset, Certificate};

use crate::population::is_own_leaf;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.issuer-not-approved",
    title: "A certificate in use comes from a CA that is not approved",
    cites: &[Cite { document: "ISO/IEC 27001:2022", section: "A.8.24" }],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_leaf(asset, certificate, cx) || certificate.is_self_signed() {
        return Outcome::NotApplicable;
    }
    if cx.limits.issuers.is_empty() {
        return Outcome::Unknown("the policy names no approved issuers".to_owned());
    }
    if cx.limits.approves_issuer(certificate) {
        return Outcome::Met;
    }
    Outcome::NotMet(format!("was issued by {}", certificate.issuer.text))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits, name};

    use crate::{Approval, Limits};

    fn approved(approval: Approval) -> Limits {
        Limits { issuers: vec![approval], ..limits() }
    }

    #[test]
    fn met_by_any_way_of_naming_the_issuer() {
        let world = World::default().served(leaf("a.example"));
        check(&RULE, &world, &approved(Approval::CommonName("Test CA".to_owned())), "met");
        check(&RULE, &world, &approved(Approval::Organisation("Test".to_owned())), "met");
        check(&RULE, &world, &approved(Approval::Name("CN=Test CA".to_owned())), "met");
    }

    #[test]
    fn not_met_by_another_issuer() {
        let limits = approved(Approval::CommonName("Other CA".to_owned()));
        check(&RULE, &World::default().served(leaf("a.example")), &limits, "not-met");
    }

    #[test]
    fn unknown_when_none_is_named() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_a_self_signed_one() {
        let mut own = leaf("a.example");
        own.issuer = name("a.example");
        check(&RULE, &World::default().served(own), &limits(), "not-applicable");
    }
}
