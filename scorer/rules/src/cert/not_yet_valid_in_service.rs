//! `cert.not-yet-valid-in-service`: a server presents a certificate before its notBefore.
//!
//! ## What it looks at
//! Certificates that a server presents, as its own or in its chain.
//! ## Why it matters
//! Clients refuse it, and a certificate deployed before its day shows that nobody checked what was
//! installed, or that clocks disagree.
//! ## What it cannot see
//! Endpoints outside the scanned ranges; a wrong clock of this machine shows as findings
//! everywhere.

use pki_inventory::{Asset, Certificate};

use crate::population::is_presented;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.not-yet-valid-in-service",
    title: "A served certificate is not valid yet",
    cites: &[Cite { document: "RFC 5280", section: "4.1.2.5" }],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_presented(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    if certificate.not_before <= cx.as_of {
        return Outcome::Met;
    }
    Outcome::NotMet(format!(
        "is served although it becomes valid only on {}",
        certificate.not_before
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    #[test]
    fn met_once_valid() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_before_its_day() {
        let mut early = leaf("a.example");
        early.not_before = NOW.plus_days(1);
        check(&RULE, &World::default().served(early), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_file() {
        let mut early = leaf("a.example");
        early.not_before = NOW.plus_days(1);
        check(&RULE, &World::default().stored(early), &limits(), "not-applicable");
    }
}
