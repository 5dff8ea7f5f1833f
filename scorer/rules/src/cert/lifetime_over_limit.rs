//! `cert.lifetime-over-limit`: a server certificate is valid for longer than the limit of the day
//! it began.
//!
//! ## What it looks at
//! End-entity certificates for servers that a server presents or whose private key lies here, each
//! by the limit in force at its notBefore.
//! ## Why it matters
//! Long validity hides manual renewal, keeps keys and names in use that should be gone, and is
//! refused by browsers. Short validity proves that renewal is routine.
//! ## What it cannot see
//! Limits older than the list of the policy; the Forum binds public CAs only, a private PKI takes
//! its own list.

use pki_inventory::{Asset, Certificate};

use crate::population::is_own_server;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.lifetime-over-limit",
    title: "A certificate is valid for longer than its limit",
    cites: &[Cite { document: "CA/B Forum TLS BR 2.2.6", section: "6.3.2" }],
    in_force: InForce::ByDate,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_server(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    let Some(limit) = cx.limits.lifetime_at(certificate.not_before) else {
        return Outcome::NotApplicable;
    };
    let days = certificate.validity_days();
    if days <= limit.days {
        return Outcome::Met;
    }
    Outcome::NotMet(format!(
        "is valid for {days} days; {} is the limit for certificates that begin on or after {}",
        limit.days,
        limit.from.date()
    ))
}

#[cfg(test)]
mod tests {
    use pki_inventory::Time;

    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    fn lasting(not_before: Time, seconds: i64) -> World {
        let mut certificate = leaf("a.example");
        certificate.not_before = not_before;
        certificate.not_after = Time(not_before.0 + seconds);
        World::default().served(certificate)
    }

    /// 2026-03-15, the day from which 200 days hold.
    const CHANGE: Time = Time(1_773_532_800);

    #[test]
    fn met_by_the_limit_of_its_day() {
        check(&RULE, &lasting(Time(CHANGE.0 - 1), 398 * Time::DAY - 1), &limits(), "met");
        check(&RULE, &lasting(CHANGE, 200 * Time::DAY - 1), &limits(), "met");
    }

    #[test]
    fn not_met_by_one_second() {
        check(&RULE, &lasting(Time(CHANGE.0 - 1), 398 * Time::DAY), &limits(), "not-met");
        check(&RULE, &lasting(CHANGE, 200 * Time::DAY), &limits(), "not-met");
    }

    #[test]
    fn not_applicable_before_any_limit() {
        check(&RULE, &lasting(Time(1_000_000_000), 4000 * Time::DAY), &limits(), "not-applicable");
    }
}
