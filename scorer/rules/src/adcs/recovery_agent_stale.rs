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

use crate::stale::stale;
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
    match object.role {
        DirectoryRole::RecoveryAgent => stale(object, cx),
        _ => Outcome::NotApplicable,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{finds_stale, object};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::DirectoryRole;

    #[test]
    fn stale_certificates_of_an_agent_are_found() {
        finds_stale(&RULE, DirectoryRole::RecoveryAgent, "userCertificate");
    }

    #[test]
    fn not_applicable_to_other_objects() {
        let other = World::default().object(object(DirectoryRole::Container));
        check(&RULE, &other, &limits(), "not-applicable");
    }
}
