//! `cert.expiring-without-successor`: a certificate in use ends soon and no newer one for the same
//! names was seen.
//!
//! ## What it looks at
//! Valid end-entity certificates that a server presents or whose private key lies here. Due is the
//! last third of the life, or the last days that the policy sets if those are fewer. A successor is
//! a certificate for the same names, seen anywhere, that begins later and outlasts it by at least
//! the days of renewal.
//! ## Why it matters
//! A renewal that has not begun when a third of the life is left ends in a hurry or an outage.
//! ## What it cannot see
//! Successors that were issued but lie where nothing was read.

use pki_inventory::{Asset, Certificate};

use crate::population::is_own_leaf;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.expiring-without-successor",
    title: "A certificate in use is about to expire and has no successor",
    cites: &[
        Cite { document: "RFC 5280", section: "4.1.2.5" },
        Cite { document: "ISO/IEC 27001:2022", section: "A.8.24" },
    ],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_leaf(asset, certificate, cx) || certificate.not_after < cx.as_of {
        return Outcome::NotApplicable;
    }
    let third = certificate.validity_days() / 3;
    let due = third.min(cx.limits.renewal_days);
    let left = cx.as_of.days_until(certificate.not_after);
    if left >= due {
        return Outcome::Met;
    }
    // A twin issued at the same time, an ECDSA one beside an RSA one, is no successor: it ends too.
    if cx.view.is_outlasted(certificate, certificate.not_after.plus_days(due)) {
        return Outcome::Met;
    }
    Outcome::NotMet(format!(
        "expires on {}, in {left} days, renewal was due {due} days before, and no \
         successor was seen",
        certificate.not_after.date()
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits};

    #[test]
    fn met_with_time_left() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "met");
    }

    #[test]
    fn not_met_near_the_end() {
        let mut ending = leaf("a.example");
        ending.not_after = NOW.plus_days(5);
        check(&RULE, &World::default().served(ending), &limits(), "not-met");
    }

    #[test]
    fn met_with_a_successor_in_a_file() {
        let mut ending = leaf("a.example");
        ending.not_after = NOW.plus_days(5);
        let mut successor = leaf("a.example");
        successor.der = b"successor".to_vec();
        successor.not_before = NOW;
        successor.not_after = NOW.plus_days(90);
        let outcomes = World::default().served(ending).stored(successor).outcomes(&RULE, &limits());
        assert_eq!(outcomes.get("met"), Some(&1));
        assert_eq!(outcomes.get("not-met"), None);
    }

    #[test]
    fn not_met_with_a_twin_that_ends_at_the_same_time() {
        let mut ending = leaf("a.example");
        ending.not_after = NOW.plus_days(5);
        let mut twin = ending.clone();
        twin.der = b"twin".to_vec();
        twin.not_before = twin.not_before.plus_days(1);
        twin.not_after = NOW.plus_days(6);
        let outcomes = World::default().served(ending).stored(twin).outcomes(&RULE, &limits());
        assert_eq!(outcomes.get("not-met"), Some(&1));
    }

    #[test]
    fn not_applicable_without_a_use() {
        let mut ending = leaf("a.example");
        ending.not_after = NOW.plus_days(5);
        check(&RULE, &World::default().stored(ending), &limits(), "not-applicable");
    }
}
