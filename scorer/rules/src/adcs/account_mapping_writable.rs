//! `adcs.account-mapping-writable`: ordinary accounts can say whose certificate logs on as
//! somebody.
//!
//! ## What it looks at
//! Rights on accounts that certificates are mapped to: writing altSecurityIdentities, or any that
//! is enough for it, denials taken off and groups resolved.
//! ## Why it matters
//! Whoever writes a mapping logs on as the account with a certificate of his own.
//! ## What it cannot see
//! Accounts without a mapping, which were not asked for their access lists.

use pki_inventory::{Asset, DirectoryObject, DirectoryRole};

use crate::takeover::{ACCOUNT_OPERATORS, Takeover, takeover};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.account-mapping-writable",
    title: "Ordinary accounts can map certificates to an account (ESC14)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC14" },
        Cite { document: "[MS-PKCA]", section: "3.1.5.2.1.3 and 3.1.5.2.1.5" },
        Cite { document: "KB5014754", section: "Certificate mappings" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, cx: &RuleContext<'_>) -> Outcome {
    if object.role != DirectoryRole::Account {
        return Outcome::NotApplicable;
    }
    match takeover(object.access.as_ref(), None, Some(ACCOUNT_OPERATORS), cx) {
        Takeover::ByNobody => Outcome::Met,
        Takeover::Unclear(why) => Outcome::Unknown(why),
        Takeover::ByOrdinary(how) => Outcome::NotMet(match object.administers {
            Some(true) => format!("{how}; the account is an administrator's"),
            _ => how,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{access, may, object, users};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{Access, DirectoryObject, DirectoryRole, Right};

    fn outcome(access: Option<Access>, expected: &'static str) {
        let account = DirectoryObject { access, ..object(DirectoryRole::Account) };
        check(&RULE, &World::default().object(account), &limits(), expected);
    }

    #[test]
    fn met_where_administrators_may() {
        outcome(object(DirectoryRole::Account).access, "met");
    }

    #[test]
    fn not_met_where_users_may() {
        let right = Right::WriteProperty("altSecurityIdentities".to_owned());
        outcome(Some(access(&[may(right, users())])), "not-met");
    }

    #[test]
    fn unknown_without_the_list() {
        outcome(None, "unknown");
    }

    #[test]
    fn not_applicable_to_other_objects() {
        let store = object(DirectoryRole::RootStore);
        check(&RULE, &World::default().object(store), &limits(), "not-applicable");
    }
}
