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

use crate::stale::stale;
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
    match object.role {
        DirectoryRole::LogonStore => stale(object, cx),
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
    fn stale_certificates_of_the_store_are_found() {
        finds_stale(&RULE, DirectoryRole::LogonStore, "cACertificate");
    }

    #[test]
    fn not_applicable_to_other_objects() {
        let other = World::default().object(object(DirectoryRole::Container));
        check(&RULE, &other, &limits(), "not-applicable");
    }
}
