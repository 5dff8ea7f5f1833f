//! `cert.owner-unassigned`: a certificate in use belongs to nobody by the policy.
//!
//! ## What it looks at
//! End-entity certificates that a server presents or whose private key lies here, against the
//! owners of the policy by name and place.
//! ## Why it matters
//! A certificate without an owner is renewed by nobody until it fails.
//! ## What it cannot see
//! Owners who are known but not written in the policy; a policy without owners makes this unknown.

use pki_inventory::{Asset, Certificate};

use crate::pattern::matches;
use crate::population::is_own_leaf;
use crate::{Check, Cite, InForce, Outcome, Owner, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "cert.owner-unassigned",
    title: "A certificate in use has no owner",
    cites: &[Cite { document: "ISO/IEC 27001:2022", section: "A.5.9" }],
    in_force: InForce::Policy,
    fed_by: &["filesystem", "tls"],
    reach: Reach::Whole,
    check: Check::Certificate(check),
};

fn check(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> Outcome {
    if !is_own_leaf(asset, certificate, cx) {
        return Outcome::NotApplicable;
    }
    if cx.limits.owners.is_empty() {
        return Outcome::Unknown("the policy names no owners".to_owned());
    }
    let names = certificate.lineage_names();
    let places: Vec<String> = asset.places().map(ToString::to_string).collect();
    let any = |patterns: &[String], texts: &[String]| {
        patterns.iter().any(|pattern| texts.iter().any(|text| matches(pattern, text)))
    };
    let owned = |owner: &Owner| any(&owner.names, &names) || any(&owner.places, &places);
    if cx.limits.owners.iter().any(owned) {
        return Outcome::Met;
    }
    Outcome::NotMet(format!("no owner of the policy covers {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, leaf, limits};

    use crate::{Limits, Owner};

    fn owned(names: &str, places: &str) -> Limits {
        let owner = Owner {
            owner: "Web team".to_owned(),
            names: vec![names.to_owned()],
            places: vec![places.to_owned()],
        };
        Limits { owners: vec![owner], ..limits() }
    }

    #[test]
    fn met_by_name_or_by_place() {
        let world = World::default().served(leaf("www.example.org"));
        check(&RULE, &world, &owned("*.example.org", "-"), "met");
        check(&RULE, &world, &owned("-", "tls://192.0.2.*"), "met");
    }

    #[test]
    fn not_met_by_a_stranger() {
        let world = World::default().served(leaf("www.example.com"));
        check(&RULE, &world, &owned("*.example.org", "-"), "not-met");
    }

    #[test]
    fn unknown_when_nobody_is_named() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_a_use() {
        check(&RULE, &World::default().stored(leaf("a.example")), &limits(), "not-applicable");
    }
}
