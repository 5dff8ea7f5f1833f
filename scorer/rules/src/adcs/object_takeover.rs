//! `adcs.object-takeover`: ordinary accounts can change what a PKI rests on.
//!
//! ## What it looks at
//! Rights on the objects of a PKI in a directory, denials taken off and groups resolved: the
//! containers, the stores of authorities that log on, of roots and of certificates of authorities,
//! distribution points, recovery agents, policies, and the computers that authorities run on. In a
//! container to create objects is enough.
//! ## Why it matters
//! Whoever can write them puts an authority of his own where everybody trusts it, links a policy to
//! a group, or takes over the host of an authority.
//! ## What it cannot see
//! What an authority's host allows by itself; rights on objects above, such as the domain.

use pki_inventory::{Asset, DirectoryObject, DirectoryRole, Right};

use crate::takeover::{Takeover, takeover};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.object-takeover",
    title: "Ordinary accounts can take over an object that the PKI rests on (ESC5)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC5" },
        Cite { document: "[MS-ADTS]", section: "5.1.3 and 6.1.1.2" },
        Cite { document: "[MS-WCCE]", section: "2.2.2.11" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, cx: &RuleContext<'_>) -> Outcome {
    let enough = match object.role {
        DirectoryRole::Account => return Outcome::NotApplicable,
        DirectoryRole::Container => Some(&Right::CreateChild),
        _ => None,
    };
    // Account Operators may write every computer by default, the host of an authority too: while
    // nobody is in that group, that is nobody.
    match takeover(object.access.as_ref(), enough, None, cx) {
        Takeover::ByNobody => Outcome::Met,
        Takeover::Unclear(why) => Outcome::Unknown(why),
        Takeover::ByOrdinary(how) => Outcome::NotMet(how),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{access, may, object, team, users};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{DirectoryRole, Right, Trustee};

    fn outcome(role: DirectoryRole, right: Right, who: Trustee, expected: &'static str) {
        let mut object = object(role);
        object.access = Some(access(&[may(right, who)]));
        check(&RULE, &World::default().object(object), &limits(), expected);
    }

    #[test]
    fn met_where_administrators_may() {
        let store = World::default().object(object(DirectoryRole::LogonStore));
        check(&RULE, &store, &limits(), "met");
        outcome(DirectoryRole::LogonStore, Right::CreateChild, users(), "met");
    }

    #[test]
    fn not_met_where_users_may_write_it_or_create_in_a_container() {
        let write = Right::WriteProperty("cACertificate".to_owned());
        outcome(DirectoryRole::LogonStore, write, users(), "not-met");
        outcome(DirectoryRole::AuthorityHost, Right::FullControl, users(), "not-met");
        outcome(DirectoryRole::Container, Right::CreateChild, users(), "not-met");
    }

    #[test]
    fn unknown_for_a_particular_group_unless_nobody_is_in_it() {
        outcome(DirectoryRole::RootStore, Right::WriteDacl, team(), "unknown");
        for (members, expected) in [(None, "unknown"), (Some(2), "unknown"), (Some(0), "met")] {
            let sid = crate::takeover::ACCOUNT_OPERATORS.to_owned();
            let operators = Trustee { sid, members, ..team() };
            outcome(DirectoryRole::AuthorityHost, Right::FullControl, operators, expected);
        }
    }

    #[test]
    fn not_applicable_to_accounts() {
        outcome(DirectoryRole::Account, Right::FullControl, users(), "not-applicable");
    }
}
