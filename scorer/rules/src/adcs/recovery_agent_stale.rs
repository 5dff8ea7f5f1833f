//! `adcs.recovery-agent-stale`: a key recovery agent has a certificate of no use, or a weak one.
//!
//! ## What it looks at
//! The certificates of the objects in CN=KRA: expired; a key weaker than 112 bits; a signature with
//! MD2, MD4, MD5 or SHA-1.
//! ## Why it matters
//! Authorities encrypt archived keys for these agents. Where no agent is valid they refuse requests
//! that ask for archival; a weak one opens the whole archive.
//! ## What it cannot see
//! Which agents the authorities use, which stands in their registry; whether the agents still have
//! their keys.

use pki_inventory::{Asset, DirectoryObject, DirectoryRole};

use crate::stale::{Members, stale};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.recovery-agent-stale",
    title: "A key recovery agent has an expired or weak certificate",
    cites: &[
        Cite { document: "[MS-ADSC]", section: "msPKI-PrivateKeyRecoveryAgent" },
        Cite { document: "RFC 5280", section: "4.1.2.5" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.6.1.1" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, cx: &RuleContext<'_>) -> Outcome {
    if object.role != DirectoryRole::RecoveryAgent {
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
        let object = holding(DirectoryRole::RecoveryAgent, &[&certificate]);
        World::default().object(object).listed(certificate, "userCertificate")
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
        let object = holding(DirectoryRole::RecoveryAgent, &[&leaf("gone")]);
        check(&RULE, &World::default().object(object), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_an_empty_one_and_to_others() {
        for role in [DirectoryRole::RecoveryAgent, DirectoryRole::Container] {
            let world = World::default().object(object(role));
            check(&RULE, &world, &limits(), "not-applicable");
        }
    }
}
