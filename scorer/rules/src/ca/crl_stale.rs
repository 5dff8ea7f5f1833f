//! `ca.crl-stale`: a directory hands out a revocation list that is past its next update.
//!
//! ## What it looks at
//! Revocation lists that a directory holds, unless a newer one of the same issuer was seen. Full
//! lists and those of changes are looked at apart.
//! ## Why it matters
//! Clients that check take a list that is over for none: they refuse everything, or they accept
//! what was revoked.
//! ## What it cannot see
//! Lists at addresses on the web. An authority with several keys has a list for each: a newer one
//! of another key hides an old one here. Whether the authority is still in operation.

use pki_inventory::{Asset, Body, RevocationList};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "ca.crl-stale",
    title: "A revocation list in a directory is past its next update",
    cites: &[
        Cite { document: "RFC 5280", section: "5.1.2.5" },
        Cite { document: "RFC 4523", section: "4.4" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::RevocationList(check),
};

fn check(asset: &Asset, list: &RevocationList, cx: &RuleContext<'_>) -> Outcome {
    if !asset.sightings().any(|sighting| sighting.collector == "directory") {
        return Outcome::NotApplicable;
    }
    match list.next_update {
        None => Outcome::Unknown("it does not say when the next one is due".to_owned()),
        Some(due) if cx.as_of <= due => Outcome::Met,
        Some(due) => {
            let others = cx.view.inventory().assets().filter_map(|other| match &other.body {
                Body::RevocationList(other) => Some(other),
                _ => None,
            });
            let newer = others.filter(|other| {
                other.issuer.sha256 == list.issuer.sha256 && other.this_update > list.this_update
            });
            let newer = newer.filter(|other| is_delta(other) == is_delta(list));
            if let Some(newest) = newer.map(|other| other.this_update).max() {
                let day = newest.date();
                return Outcome::MetBecause(format!(
                    "a newer one of its issuer, of {day}, was seen"
                ));
            }
            let days = due.days_until(cx.as_of);
            Outcome::NotMet(format!("the next one was due on {}, {days} days ago", due.date()))
        }
    }
}

/// deltaCRLIndicator, 2.5.29.27.
const DELTA: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x1b];

/// Whether it is a list of changes (RFC 5280, 5.2.4): only those have the extension.
fn is_delta(list: &RevocationList) -> bool {
    list.der.windows(DELTA.len()).any(|octets| octets == DELTA)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::list;
    use crate::fixtures::{World, check, limits};

    use pki_inventory::RevocationList;

    fn held(list: RevocationList) -> World {
        World::default().revoking(list, "directory")
    }

    #[test]
    fn met_until_the_next_one_is_due_or_once_a_newer_one_is_there() {
        check(&RULE, &held(list("CA", Some(0))), &limits(), "met");
        let world = held(list("CA", Some(-9))).revoking(list("CA", Some(3)), "filesystem");
        let expected = [("met", 1), ("not-applicable", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
    }

    #[test]
    fn not_met_after_that() {
        check(&RULE, &held(list("CA", Some(-9))), &limits(), "not-met");
        let mut changes = list("CA", Some(3));
        changes.der.extend(super::DELTA);
        for newer in [changes, list("Other", Some(3))] {
            let world = held(list("CA", Some(-9))).revoking(newer, "directory");
            let expected = [("met", 1), ("not-met", 1)].into();
            assert_eq!(world.outcomes(&RULE, &limits()), expected);
        }
    }

    #[test]
    fn unknown_without_a_next_update() {
        check(&RULE, &held(list("CA", None)), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_elsewhere() {
        let world = World::default().revoking(list("CA", Some(-9)), "filesystem");
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
