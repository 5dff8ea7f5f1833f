//! `trust-store.anchor-stale`: a trust store holds anchors that nobody should rely on any more.
//!
//! ## What it looks at
//! Trust stores, member by member: expired; a key weaker than 112 bits or one whose private half is
//! published; an authority that Mozilla's root program distrusts, altogether or for so long that
//! nothing it issued before is valid any more.
//! ## Why it matters
//! Whoever has the key of one anchor can be any server to everything that uses the store. Anchors
//! that are of no use are kept only where nobody looks after the store.
//! ## What it cannot see
//! Distrust that is newer than the built-in list, or of other programs; which software uses the
//! store; why an anchor was put there. The signature of an anchor is not judged: it is trusted for
//! being in the store.

use pki_inventory::{Asset, Dates, Member, MemberFacts, TrustStore, members, published};

use crate::population::is_shipped;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "trust-store.anchor-stale",
    title: "A trust store holds expired, weak or distrusted anchors",
    cites: &[
        Cite { document: "RFC 5280", section: "6.1.1 and 6.2" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.6.1.1" },
        Cite { document: "Mozilla Root Store Policy", section: "7.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem"],
    reach: Reach::WhereShown,
    check: Check::TrustStore(check),
};

/// Names that a sentence has for each reason.
const NAMED: usize = 3;

/// The longest life of a server's certificate since 2018 (TLS BR 6.3.2): after as many days the
/// last one that was issued before the distrust has expired.
const LAST_ISSUED_DAYS: i64 = 825;

fn check(asset: &Asset, store: &TrustStore, cx: &RuleContext<'_>) -> Outcome {
    if is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    let all = members(store, cx.view, cx.as_of);
    let (known, unknown): (Vec<&Member<'_>>, Vec<&Member<'_>>) =
        all.iter().partition(|member| member.facts.is_some());
    let facts: Vec<&MemberFacts<'_>> =
        known.iter().filter_map(|member| member.facts.as_ref()).collect();
    let list = |what: &str, is: &dyn Fn(&MemberFacts<'_>) -> bool| {
        let names: Vec<String> =
            facts.iter().filter(|one| is(one)).map(|one| one.certificate.display_name()).collect();
        let more = if names.len() > NAMED { ", …" } else { "" };
        let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("{} {what} ({first}{more})", names.len()))
    };
    let is_open = |one: &MemberFacts<'_>| {
        one.weak_key.is_some() || published(&one.certificate.spki).is_some()
    };
    let found = [
        list("distrusted by Mozilla", &|one| is_distrusted(one, cx)),
        list("with a weak or published key", &is_open),
        list("expired", &|one| one.dates == Dates::Expired),
    ];
    let found: Vec<String> = found.into_iter().flatten().collect();
    if !found.is_empty() {
        return Outcome::NotMet(format!("of {} anchors {}", all.len(), found.join(", ")));
    }
    if !unknown.is_empty() {
        return Outcome::Unknown(format!(
            "{} of {} members are not in the inventory",
            unknown.len(),
            all.len()
        ));
    }
    Outcome::Met
}

fn is_distrusted(one: &MemberFacts<'_>, cx: &RuleContext<'_>) -> bool {
    one.distrusted.is_some_and(|distrusted| {
        distrusted.issued_from.is_none_or(|from| from.plus_days(LAST_ISSUED_DAYS) < cx.as_of)
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, authority, check, limits, test_key};

    use pki_inventory::{Certificate, Digest, KeyAlgorithm};

    fn with(change: impl FnOnce(&mut Certificate)) -> World {
        let mut one = authority("One CA");
        change(&mut one);
        World::default().trusting(&[one, authority("Another CA")])
    }

    #[test]
    fn met_with_valid_anchors_of_strong_keys() {
        check(&RULE, &with(|_| ()), &limits(), "met");
    }

    #[test]
    fn not_met_with_an_expired_a_weak_a_published_or_a_distrusted_one() {
        check(&RULE, &with(|one| one.not_after = NOW.plus_days(-1)), &limits(), "not-met");
        check(&RULE, &with(|one| one.key = KeyAlgorithm::rsa(1024)), &limits(), "not-met");
        check(&RULE, &with(|one| one.spki = test_key()), &limits(), "not-met");
        let diginotar = "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024";
        let diginotar: Digest = diginotar.parse().unwrap();
        check(&RULE, &with(|one| one.spki = diginotar), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_a_member_is_not_there() {
        let members = [authority("One CA").digest()].into();
        let store = pki_inventory::TrustStore { members };
        check(&RULE, &World::default().trust_store(store), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_one_that_comes_with_software() {
        let shipped = crate::Limits { shipped: vec!["file:///r*".to_owned()], ..limits() };
        let weak = with(|one| one.key = KeyAlgorithm::rsa(1024));
        check(&RULE, &weak, &shipped, "not-applicable");
    }
}
