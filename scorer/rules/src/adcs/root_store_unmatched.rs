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

use pki_inventory::{Asset, Digest, DirectoryObject, DirectoryRole};

use crate::enrolment::limited;
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
    let (found, what): (BTreeSet<Digest>, _) = match object.role {
        _ if object.certificates.is_empty() => return Outcome::NotApplicable,
        DirectoryRole::RootStore => {
            (used(cx), "is published as a root, but no authority leads to it")
        }
        DirectoryRole::AuthorityInformation => (
            listed(DirectoryRole::RootStore, cx).collect(),
            "is an authority of its own, but is not published as a root",
        ),
        _ => return Outcome::NotApplicable,
    };
    if object.role == DirectoryRole::RootStore && found.is_empty() {
        return Outcome::Unknown(
            "no certificate of an authority was read to compare with".to_owned(),
        );
    }
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
    if !unmatched.is_empty() {
        return Outcome::NotMet(format!("{} {what}", limited(unmatched.into_iter())));
    }
    match (unread, matched) {
        (0, true) => Outcome::Met,
        (0, false) => Outcome::NotApplicable,
        (some, _) => Outcome::Unknown(format!("{some} certificates are not in the inventory")),
    }
}

/// The certificates that objects with this part hold.
fn listed(role: DirectoryRole, cx: &RuleContext<'_>) -> impl Iterator<Item = Digest> {
    cx.view.directory_objects(role).iter().flat_map(|(_, object)| object.certificates.clone())
}

/// The certificates of authorities, and all that they lead to.
fn used(cx: &RuleContext<'_>) -> BTreeSet<Digest> {
    let registered = cx.view.authorities().iter();
    let registered = registered.flat_map(|(_, authority)| authority.certificates.clone());
    let mut open: Vec<Digest> =
        registered.chain(listed(DirectoryRole::AuthorityInformation, cx)).collect();
    let mut found = BTreeSet::new();
    while let Some(digest) = open.pop() {
        if let (true, Some((_, one))) = (found.insert(digest), cx.view.certificate(digest)) {
            open.extend(cx.view.issuers(one).map(|issuer| issuer.id.sha256));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{holding, issuing};
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
        check(&RULE, &World::default().object(object).listed(own, "x"), &limits(), "not-met");
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
