//! `renewal.stalled`: a tool should renew a certificate by itself and has not.
//!
//! ## What it looks at
//! End-entity certificates that a trace of automation says it manages, of each lineage the newest
//! one: of the same kind of key wherever the newer one lies, of any where one trace manages both.
//! Stalled is a renewal that the tool planned, or that is due by the policy where no plan was seen,
//! and that is overdue for more than the days of grace; so is one that nothing starts, because the
//! timer or the tool is not active.
//! ## Why it matters
//! Whoever relies on automation does not look. When it fails quietly the certificate ends quietly.
//! ## What it cannot see
//! Why it failed; whether somebody was told; tools whose traces were not read. A lineage that is of
//! no use any more and was not removed stalls too: the tool goes on trying.

use pki_inventory::{Asset, Automation, Body, Certificate, Start, Time};

use crate::population::is_shipped;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "renewal.stalled",
    title: "Automatic renewal has stalled",
    cites: &[
        Cite { document: "ISO/IEC 27001:2022", section: "A.8.16" },
        Cite { document: "RFC 5280", section: "4.1.2.5" },
    ],
    in_force: InForce::Policy,
    fed_by: &["filesystem"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    let found = cx.view.automation_of(asset);
    if certificate.is_authority() || found.is_empty() || is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    let traces = found.iter().filter_map(|trace| match &trace.body {
        Body::Automation(body) => Some((*trace, &**body)),
        _ => None,
    });
    if cx.view.is_renewed(asset, certificate) {
        return Outcome::NotApplicable;
    }
    // Of several tools one that works is enough.
    let reasons: Option<Vec<String>> =
        traces.map(|(trace, body)| stalled(trace, body, certificate, cx)).collect();
    match reasons.and_then(|reasons| reasons.into_iter().next()) {
        Some(reason) => Outcome::NotMet(reason),
        None => Outcome::Met,
    }
}

fn stalled(
    trace: &Asset,
    body: &Automation,
    one: &Certificate,
    cx: &RuleContext<'_>,
) -> Option<String> {
    let tool = &body.tool;
    if cx.view.start_of(trace) == Start::Inactive {
        return Some(format!("{tool} manages it, but what starts {tool} is not active"));
    }
    // As `cert.expiring-without-successor` has it.
    let before = (one.validity_days() / 3).min(cx.limits.renewal_days);
    let due = one.not_after.plus_days(-before);
    let (planned, what) = match body.next_renewal {
        Some(next) => (next.min(one.not_after), "meant to renew it"),
        None => (due, "should have renewed it"),
    };
    let is_over = planned.plus_days(cx.limits.renewal_grace_days) < cx.as_of;
    let days = planned.days_until(cx.as_of);
    is_over.then(|| {
        let end = Time::date(one.not_after);
        format!(
            "{tool} {what} on {}, {days} days ago, and no newer one was seen; it ends on {end}",
            planned.date()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, leaf, limits, lineage, timer};

    use pki_inventory::{Automation, Certificate};

    const TIMER: &str = "file:///etc/systemd/certbot.timer";

    fn ending(days: i64) -> Certificate {
        Certificate { not_after: NOW.plus_days(days), ..leaf("a.example") }
    }

    fn managed(one: Certificate, trace: Automation) -> World {
        World::default()
            .stored_at(one, "file:///etc/letsencrypt/archive/a/cert1.pem#1")
            .automated(trace, "file:///etc/letsencrypt/renewal/a.conf")
    }

    fn trace() -> Automation {
        lineage("/etc/letsencrypt/archive/a/")
    }

    #[test]
    fn met_until_the_day_and_the_days_of_grace_are_over() {
        check(&RULE, &managed(ending(40), trace()).automated(timer(true), TIMER), &limits(), "met");
        // Of 72 days a third is 24: due three days ago, then two days of grace.
        check(&RULE, &managed(ending(22), trace()), &limits(), "met");
        let planned = Automation { next_renewal: Some(NOW.plus_days(-2)), ..trace() };
        check(&RULE, &managed(ending(1), planned), &limits(), "met");
    }

    #[test]
    fn not_met_after_them() {
        check(&RULE, &managed(ending(20), trace()), &limits(), "not-met");
        let planned = Automation { next_renewal: Some(NOW.plus_days(-3)), ..trace() };
        check(&RULE, &managed(ending(40), planned), &limits(), "not-met");
        let later = Automation { next_renewal: Some(NOW.plus_days(9)), ..trace() };
        check(&RULE, &managed(ending(-5), later), &limits(), "not-met");
    }

    #[test]
    fn not_met_when_nothing_starts_the_tool() {
        let world = managed(ending(40), trace()).automated(timer(false), TIMER);
        check(&RULE, &world, &limits(), "not-met");
        let off = Automation { active: Some(false), ..trace() };
        check(&RULE, &managed(ending(40), off), &limits(), "not-met");
        let other = "file:///etc/cron.d/certbot#1";
        check(&RULE, &world.automated(timer(true), other), &limits(), "met");
    }

    #[test]
    fn not_applicable_once_the_tool_has_a_newer_one_with_another_kind_of_key() {
        let newer = Certificate {
            der: b"next".to_vec(),
            not_before: NOW.plus_days(-40),
            key: pki_inventory::KeyAlgorithm::elliptic(Some("1.2.840.10045.3.1.7")),
            ..leaf("a.example")
        };
        let second = "file:///etc/letsencrypt/archive/a/cert2.pem#1";
        let world = managed(ending(1), trace()).stored_at(newer.clone(), second);
        let expected = [("met", 1), ("not-applicable", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
        // The twin of another tool, or of none, says nothing about this one.
        let world = managed(ending(1), trace()).stored_at(newer, "file:///srv/twin.pem");
        let expected = [("not-met", 1), ("not-applicable", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
    }

    #[test]
    fn a_timer_that_cannot_be_the_one_says_nothing() {
        let world = managed(ending(40), trace());
        let world = world.automated(timer(false), "file:///home/dev/checkout/etc/certbot.timer");
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_applicable_without_automation_or_once_renewed() {
        check(&RULE, &World::default().stored(ending(1)), &limits(), "not-applicable");
        let mut next = leaf("a.example");
        next.der = b"next".to_vec();
        next.not_before = NOW;
        let world = managed(ending(1), trace()).stored_at(next, "file:///srv/next.pem");
        assert_eq!(world.outcomes(&RULE, &limits()), [("not-applicable", 2)].into());
    }
}
