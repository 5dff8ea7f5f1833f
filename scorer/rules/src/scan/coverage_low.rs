//! `scan.coverage-low`: a scope was asked for and a good part of it was not read.
//!
//! ## What it looks at
//! Every scope of every collector: places asked for against places not read.
//! ## Why it matters
//! An inventory with holes proves little, and what is not looked at is where forgotten certificates
//! lie.
//! ## What it cannot see
//! Networks and disks that nobody put into the scope.

use pki_inventory::Coverage;

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "scan.coverage-low",
    title: "Part of a scope could not be read",
    cites: &[Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" }],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Scope(check),
};

fn check(coverage: &Coverage, cx: &RuleContext<'_>) -> Outcome {
    let Some(share) = coverage.gap_share() else {
        return Outcome::Unknown("nothing was found to ask in this scope".to_owned());
    };
    if share <= cx.limits.max_gap_share {
        return Outcome::Met;
    }
    Outcome::NotMet(format!(
        "{} of {} places were not read ({:.1} %); {:.1} % is the most that the policy allows",
        coverage.not_read,
        coverage.asked,
        share * 100.0,
        cx.limits.max_gap_share * 100.0
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits};

    #[test]
    fn met_with_few_gaps() {
        check(&RULE, &World::default().scope(100, 2), &limits(), "met");
    }

    #[test]
    fn not_met_with_many() {
        check(&RULE, &World::default().scope(100, 3), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_nothing_was_asked() {
        check(&RULE, &World::default().scope(0, 0), &limits(), "unknown");
    }
}
