//! `cert.self-signed-in-service`: a server presents a certificate that vouches for itself.
//!
//! ## What it looks at
//! Certificates that a server presents as its own: same subject and issuer, and no key identifier
//! that says another key signed it.
//! ## Why it matters
//! Nobody can check a self-signed server certificate but by comparing it by hand, it cannot be
//! revoked, and it passed no issuing process.
//! ## What it cannot see
//! The signature is not verified; a self-issued certificate signed by another key of the same name
//! without key identifiers counts as self-signed.

use pki_inventory::{Asset, Certificate};

use crate::population::is_served;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.self-signed-in-service",
    title: "A server presents a self-signed certificate",
    cites: &[Cite { document: "RFC 5280", section: "3.2" }],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    if !certificate.is_self_signed() {
        return Outcome::Met;
    }
    Outcome::NotMet(format!("{} signed itself", certificate.display_name()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits, name};

    #[test]
    fn met_when_a_ca_issued_it() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_when_it_issued_itself() {
        let mut own = leaf("a.example");
        own.issuer = name("a.example");
        check(&RULE, &World::default().served(own), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_an_anchor_sent_in_the_chain() {
        let mut root = leaf("Root CA");
        root.issuer = name("Root CA");
        let world = World::default().presented(root, "tls://192.0.2.1:443", 1);
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
