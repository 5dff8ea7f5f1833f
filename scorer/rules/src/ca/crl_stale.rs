//! `ca.crl-stale`: a directory hands out a revocation list that is past its next update.
//!
//! ## What it looks at
//! Revocation lists that a directory holds, unless the same entry has a newer one of the same key
//! of the issuer. Full lists and those of changes are looked at apart.
//! ## Why it matters
//! Clients that check take a list that is over for none: they refuse everything, or they accept
//! what was revoked.
//! ## What it cannot see
//! Lists at addresses on the web, or in files: clients that look in the directory do not see those
//! either. Whether the authority is still in operation.

use pki_inventory::{Asset, Place, RevocationList};

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
            let others = cx.view.lists_of(list.issuer.sha256).iter();
            let newer = others.filter(|(other, newer)| {
                newer.this_update > list.this_update
                    && newer.is_delta == list.is_delta
                    && newer.authority_key_id == list.authority_key_id
                    && share_an_entry(asset, other)
            });
            if let Some(newest) = newer.map(|(_, newer)| newer.this_update).max() {
                let day = newest.date();
                return Outcome::MetBecause(format!("a newer one, of {day}, is in the same entry"));
            }
            let days = due.days_until(cx.as_of);
            Outcome::NotMet(format!("the next one was due on {}, {days} days ago", due.date()))
        }
    }
}

/// Whether a directory has both in one entry, on whichever server or in whichever dump it was seen.
fn share_an_entry(one: &Asset, other: &Asset) -> bool {
    let entries = |asset: &Asset| -> Vec<String> {
        let seen = asset.sightings().filter(|sighting| sighting.collector == "directory");
        seen.filter_map(|sighting| entry(&sighting.place)).collect()
    };
    let (one, other) = (entries(one), entries(other));
    one.iter().any(|entry| other.contains(entry))
}

fn entry(place: &Place) -> Option<String> {
    match place {
        Place::Directory { dn, .. } => Some(dn.to_lowercase()),
        place => place.inner().map(str::to_lowercase),
    }
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
        let world = held(list("CA", Some(-9))).revoking(list("CA", Some(3)), "directory");
        assert_eq!(world.outcomes(&RULE, &limits()), [("met", 2)].into());
        let dumped = "file:///dump.ldif!/CN=X,DC=corp,DC=example#2";
        let world =
            held(list("CA", Some(-9))).revoking_at(list("CA", Some(3)), dumped, "directory");
        assert_eq!(world.outcomes(&RULE, &limits()), [("met", 2)].into());
    }

    #[test]
    fn not_met_after_that() {
        check(&RULE, &held(list("CA", Some(-9))), &limits(), "not-met");
        let changes = RevocationList { is_delta: true, ..list("CA", Some(3)) };
        let renewed = RevocationList { authority_key_id: None, ..list("CA", Some(3)) };
        for newer in [changes, renewed, list("Other", Some(3))] {
            let world = held(list("CA", Some(-9))).revoking(newer, "directory");
            let expected = [("met", 1), ("not-met", 1)].into();
            assert_eq!(world.outcomes(&RULE, &limits()), expected);
        }
    }

    #[test]
    fn not_met_by_a_newer_one_elsewhere() {
        let world = held(list("CA", Some(-9))).revoking(list("CA", Some(3)), "filesystem");
        let expected = [("not-applicable", 1), ("not-met", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
        let beside = "ldap://corp.example/CN=y,DC=corp,DC=example";
        let world =
            held(list("CA", Some(-9))).revoking_at(list("CA", Some(3)), beside, "directory");
        let expected = [("met", 1), ("not-met", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
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
