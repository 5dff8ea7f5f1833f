//! `cert.expired-in-service`: a server still presents a certificate past its notAfter.
//!
//! ## What it looks at
//! Certificates that a server presents, as its own or in its chain. Files may hold old ones.
//! ## Why it matters
//! A certificate that outlives its validity shows that renewal is not under control, and every
//! client that checks dates is locked out.
//! ## What it cannot see
//! Endpoints outside the scanned ranges. Those are gaps, not passes.

use pki_inventory::{Asset, Certificate};

use crate::population::is_presented;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.expired-in-service",
    title: "A served certificate has expired",
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
    if cx.as_of <= certificate.not_after {
        return Outcome::Met;
    }
    let days = certificate.not_after.days_until(cx.as_of);
    Outcome::NotMet(format!(
        "expired on {}, {days} days ago, and is still served",
        certificate.not_after.date()
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    #[test]
    fn met_while_valid() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_the_second_after() {
        let mut expired = leaf("a.example");
        expired.not_after = pki_inventory::Time(NOW.0 - 1);
        check(&RULE, &World::default().served(expired), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_file() {
        let mut expired = leaf("a.example");
        expired.not_after = NOW.plus_days(-400);
        check(&RULE, &World::default().stored(expired), &limits(), "not-applicable");
    }
}
