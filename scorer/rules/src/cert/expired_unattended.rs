//! `cert.expired-unattended`: a server has presented an expired certificate for longer than anybody
//! who watches would let it.
//!
//! ## What it looks at
//! Certificates that a server presents as its own.
//! ## Why it matters
//! Monitoring that works notices an expired certificate within hours. One that is still served
//! after a week says that no alarm reached anybody.
//! ## What it cannot see
//! Whether an alarm was raised and ignored; endpoints outside the scanned ranges.

use pki_inventory::{Asset, Certificate};

use crate::population::is_served;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.expired-unattended",
    title: "A served certificate expired long ago and nobody replaced it",
    cites: &[
        Cite { document: "RFC 5280", section: "4.1.2.5" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.8.16" },
    ],
    in_force: InForce::Policy,
    fed_by: &["tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_served(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let days = certificate.not_after.days_until(cx.as_of);
    if days <= cx.limits.unattended_days {
        return Outcome::Met;
    }
    Outcome::NotMet(format!(
        "expired {days} days ago and is still served; an alarm would have led to a \
         replacement within {} days",
        cx.limits.unattended_days
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    #[test]
    fn met_within_the_days_of_grace() {
        let mut expired = leaf("a.example");
        expired.not_after = NOW.plus_days(-7);
        check(&RULE, &World::default().served(expired), &limits(), "met");
    }

    #[test]
    fn not_met_after_them() {
        let mut expired = leaf("a.example");
        expired.not_after = NOW.plus_days(-8);
        check(&RULE, &World::default().served(expired), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_to_a_file() {
        check(&RULE, &World::default().stored(leaf("a.example")), &limits(), "not-applicable");
    }
}
