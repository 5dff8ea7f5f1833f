//! `adcs.root-store-unmatched`: trusted roots and the authorities that there are do not match.
//!
//! ## What it looks at
//! Certificates that a directory publishes as trusted roots, each of which an authority's chain or
//! the published certificates of authorities should lead to; and self-signed ones among the latter,
//! which should be roots.
//! ## Why it matters
//! A root that nothing here comes from is trusted by every member of the domain for no reason
//! anybody remembers. An authority whose root is not published is trusted by chance.
//! ## What it cannot see
//! Roots that are published on purpose for others; roots that come by group policy. Chains go by
//! names and key identifiers, no signature is verified.

use std::collections::BTreeSet;

use pki_inventory::{Asset, Digest, DirectoryObject, DirectoryRole, View};

use crate::enrolment::limited;
use crate::roots::{listed, reads_roots, used};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.root-store-unmatched",
    title: "Trusted roots and authorities of a directory do not match",
    cites: &[
        Cite { document: "[MS-WCCE]", section: "2.2.2.11" },
        Cite { document: "RFC 5280", section: "6.1.1" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, cx: &RuleContext<'_>) -> Outcome {
    let forest = View::forest_of(&object.dn);
    let (found, what): (BTreeSet<Digest>, _) = match object.role {
        _ if object.certificates.is_empty() => return Outcome::NotApplicable,
        DirectoryRole::RootStore => {
            (used(&forest, cx), "is published as a root, but no authority leads to it")
        }
        DirectoryRole::AuthorityInformation => (
            listed(DirectoryRole::RootStore, &forest, cx).collect(),
            "is an authority of its own, but is not published as a root",
        ),
        _ => return Outcome::NotApplicable,
    };
    let is_root_store = object.role == DirectoryRole::RootStore;
    if is_root_store && found.is_empty() {
        return Outcome::Unknown(
            "no certificate of an authority was read to compare with".to_owned(),
        );
    }
    let without_roots = !is_root_store && !reads_roots(&forest, cx);
    let (mut unmatched, mut unread, mut matched) = (Vec::new(), 0_usize, false);
    for digest in &object.certificates {
        let known = cx.view.certificate(*digest).map(|(_, certificate)| certificate);
        let is_root = |one: &pki_inventory::Certificate| one.is_authority() && one.is_self_signed();
        match (object.role, known) {
            (DirectoryRole::AuthorityInformation, Some(one)) if !is_root(one) => {}
            _ if found.contains(digest) => matched = true,
            (_, Some(one)) => unmatched.push(one.display_name()),
            (_, None) => unread += 1,
        }
    }
    if !unmatched.is_empty() && without_roots {
        return Outcome::Unknown("no trusted root was read to compare with".to_owned());
    }
    if !unmatched.is_empty() {
        return Outcome::NotMet(format!("{} {what}", limited(unmatched.into_iter())));
    }
    match (unread, matched) {
        (0, true) => Outcome::Met,
        (0, false) => Outcome::NotApplicable,
        (some, _) => Outcome::Unknown(format!("{some} certificates are not in the inventory")),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{container, holding, issuing};
    use crate::fixtures::{World, authority, check, leaf, limits, name};

    use pki_inventory::{Authority, Certificate, DirectoryRole};

    fn root_store() -> World {
        let root = authority("Root");
        World::default()
            .object(holding(DirectoryRole::RootStore, &[&root]))
            .listed(root, "cACertificate")
    }

    fn intermediate() -> Certificate {
        Certificate { issuer: name("Root"), ..authority("Corp CA") }
    }

    #[test]
    fn met_where_the_chain_of_an_authority_leads_to_the_root() {
        let below = intermediate();
        let issuing = Authority { certificates: vec![below.digest()], ..issuing(&[]) };
        let world = root_store().listed(below, "cACertificate").issued_by(issuing);
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_by_a_root_that_nothing_leads_to_or_an_authority_that_is_no_root() {
        let other = Authority { certificates: vec![leaf("gone").digest()], ..issuing(&[]) };
        check(&RULE, &root_store().issued_by(other), &limits(), "not-met");
        let own = authority("Own");
        let object = holding(DirectoryRole::AuthorityInformation, &[&own]);
        let world = World::default().object(object).listed(own, "x");
        check(&RULE, &world, &limits(), "unknown");
        let read = world.object(container("Certification Authorities"));
        let expected = [("not-applicable", 1), ("not-met", 1)].into();
        assert_eq!(read.outcomes(&RULE, &limits()), expected);
    }

    #[test]
    fn other_forests_tell_nothing() {
        let foreign = |dn: String| dn.replace("DC=corp", "DC=other");
        let root = authority("Root");
        let mut other = Authority { certificates: vec![root.digest()], ..issuing(&[]) };
        other.dn = foreign(other.dn);
        check(&RULE, &root_store().issued_by(other), &limits(), "unknown");
        let mut below = holding(DirectoryRole::AuthorityInformation, &[&root]);
        below.dn = foreign(below.dn);
        let world = root_store().object(below);
        assert_eq!(world.outcomes(&RULE, &limits()), [("unknown", 2)].into());
    }

    #[test]
    fn unknown_without_the_certificate_or_any_authority() {
        let object = holding(DirectoryRole::RootStore, &[&leaf("gone")]);
        let other = Authority { certificates: vec![leaf("other").digest()], ..issuing(&[]) };
        let world = World::default().object(object).issued_by(other);
        check(&RULE, &world, &limits(), "unknown");
        check(&RULE, &root_store(), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_authorities_below_others() {
        let object = holding(DirectoryRole::AuthorityInformation, &[&intermediate()]);
        let world = World::default().object(object).listed(intermediate(), "cACertificate");
        check(&RULE, &world, &limits(), "not-applicable");
    }
}
