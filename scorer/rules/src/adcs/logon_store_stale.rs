//! `adcs.logon-store-stale`: an authority that may log people on has a certificate of no use, or a
//! weak one.
//!
//! ## What it looks at
//! The certificates in NTAuthCertificates: expired; a key weaker than 112 bits; a signature with
//! MD2, MD4, MD5 or SHA-1 that is not the root's own.
//! ## Why it matters
//! Whoever has the key of one of these authorities, or makes a second certificate like it, logs on
//! as anybody. What is of no use there was forgotten.
//! ## What it cannot see
//! Whether an authority that is still listed is still in operation; certificates that were not in
//! the inventory are unknown.

use pki_inventory::{Asset, DirectoryObject, DirectoryRole};

use crate::stale::{Members, stale};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.logon-store-stale",
    title: "The store of authorities that log on has expired or weak members",
    cites: &[
        Cite { document: "[MS-WCCE]", section: "2.2.2.11.3" },
        Cite { document: "RFC 5280", section: "4.1.2.5" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.6.1.1" },
        Cite { document: "NIST SP 800-131A r2", section: "9" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, cx: &RuleContext<'_>) -> Outcome {
    if object.role != DirectoryRole::LogonStore {
        return Outcome::NotApplicable;
    }
    match stale(object, cx) {
        Members::None => Outcome::NotApplicableBecause("holds no certificate".to_owned()),
        Members::Fresh => Outcome::Met,
        Members::NotRead(why) => Outcome::Unknown(why),
        Members::Stale(which) => Outcome::NotMet(which),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{holding, object};
    use crate::fixtures::{NOW, World, authority, check, leaf, limits};

    use pki_inventory::{Certificate, DirectoryRole, KeyAlgorithm};

    fn with(certificate: Certificate) -> World {
        let object = holding(DirectoryRole::LogonStore, &[&certificate]);
        World::default().object(object).listed(certificate, "cACertificate")
    }

    #[test]
    fn met_by_valid_certificates_of_strong_keys() {
        check(&RULE, &with(leaf("one")), &limits(), "met");
        let mut own = authority("root");
        own.signature.hash = Some("SHA-1".to_owned());
        check(&RULE, &with(own), &limits(), "met");
    }

    #[test]
    fn not_met_by_expired_ones_weak_keys_and_weak_signatures() {
        let with_changed = |change: &dyn Fn(&mut Certificate)| {
            let mut one = leaf("one");
            change(&mut one);
            check(&RULE, &with(one), &limits(), "not-met");
        };
        with_changed(&|one| one.not_after = NOW.plus_days(-1));
        with_changed(&|one| one.key = KeyAlgorithm::rsa(1024));
        with_changed(&|one| one.signature.hash = Some("SHA-1".to_owned()));
    }

    #[test]
    fn unknown_where_a_certificate_is_not_in_the_inventory() {
        let object = holding(DirectoryRole::LogonStore, &[&leaf("gone")]);
        check(&RULE, &World::default().object(object), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_an_empty_one_and_to_others() {
        for role in [DirectoryRole::LogonStore, DirectoryRole::Container] {
            let world = World::default().object(object(role));
            check(&RULE, &world, &limits(), "not-applicable");
        }
    }
}
