//! `adcs.logon-mapping-permissive`: domain controllers may take certificates that name an account
//! weakly.
//!
//! ## What it looks at
//! The store of authorities that log on, which shows that certificates log on at all. The answer
//! itself is not in a directory.
//! ## Why it matters
//! Until domain controllers insist on strong mappings, a certificate with the right name is enough
//! to log on as somebody else.
//! ## What it cannot see
//! StrongCertificateBindingEnforcement and CertificateMappingMethods in the registry of every
//! domain controller: so it is always unknown here.

use pki_inventory::{Asset, DirectoryObject, DirectoryRole};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.logon-mapping-permissive",
    title: "Domain controllers may map certificates to accounts weakly (ESC10)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC10" },
        Cite { document: "KB5014754", section: "Registry key information" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, _: &RuleContext<'_>) -> Outcome {
    if object.role != DirectoryRole::LogonStore {
        return Outcome::NotApplicable;
    }
    Outcome::Unknown(
        "the answer is in the registry of the domain controllers: \
         StrongCertificateBindingEnforcement below Services\\Kdc, and CertificateMappingMethods \
         below SecurityProviders\\Schannel"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::object;
    use crate::fixtures::{World, check, limits};

    use pki_inventory::DirectoryRole;

    #[test]
    fn unknown_for_the_store_and_not_applicable_to_others() {
        for (role, expected) in
            [(DirectoryRole::LogonStore, "unknown"), (DirectoryRole::RootStore, "not-applicable")]
        {
            check(&RULE, &World::default().object(object(role)), &limits(), expected);
        }
    }
}
