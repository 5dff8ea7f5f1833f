//! `adcs.template-policy-gives-group`: a certificate of the template makes its holder a member of a
//! group.
//!
//! ## What it looks at
//! Certificate templates whose issuance policies a directory links to a group, for usages that log
//! on. Then: some authority publishes the template, ordinary accounts may enrol, no manager
//! approves, no agent signs.
//! ## Why it matters
//! Whoever logs on with such a certificate is in the group for that session, in no list of its
//! members.
//! ## What it cannot see
//! Whether the authority leaves the policy out; what the group may do, unless it administers by
//! default.

use pki_inventory::{Asset, DirectoryRole, LinkedGroup, Template, View};

use crate::enrolment::{Condition, Path, both, limited, path};
use crate::usages::logon;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-policy-gives-group",
    title: "An issuance policy gives ordinary accounts a group (ESC13)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC13" },
        Cite { document: "[MS-CRTD]", section: "2.24" },
        Cite { document: "[MS-ADA2]", section: "msDS-OIDToGroupLink" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let forest = View::forest_of(&template.dn);
    let policies = match template.issuance_policies.is_empty() {
        true => &[][..],
        false => cx.view.directory_objects(DirectoryRole::ObjectIdentifier),
    };
    let own = policies.iter().filter(|(_, policy)| View::forest_of(&policy.dn) == forest);
    let policies: Vec<_> = own.collect();
    let groups = policies.iter().filter_map(|(_, policy)| {
        let given = policy.oid.as_ref().is_some_and(|oid| template.issuance_policies.contains(oid));
        Some(called(policy.group.as_ref().filter(|_| given)?, &policy.name))
    });
    let condition = match limited(groups) {
        _ if policies.is_empty() && !template.issuance_policies.is_empty() => {
            Condition::Unread("no object of an issuance policy was read".to_owned())
        }
        groups if groups.is_empty() => Condition::Absent,
        groups => Condition::Holds(format!("its certificates make members of {groups}")),
    };
    let usage = logon(template, cx).map(|usage| format!("and are {usage}"));
    match path(template, both(condition, usage), cx) {
        Path::None => Outcome::Met,
        Path::Closed(why) => Outcome::MetBecause(why),
        Path::Unpublished(why) => Outcome::NotApplicableBecause(why),
        Path::Unclear(why) => Outcome::Unknown(why),
        Path::Open(how) => Outcome::NotMet(how),
    }
}

fn called(group: &LinkedGroup, policy: &str) -> String {
    let name = group.name.as_deref().unwrap_or(&group.dn);
    let standing = match group.privileged {
        Some(true) => "a group of administrators",
        Some(false) => "no group of administrators by default",
        None => "which was not read",
    };
    format!("{name} ({standing}; by the policy {policy})")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{issuing, object, template, used_for, ways};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{DirectoryRole, LinkedGroup, Template};

    fn linked(group: bool) -> World {
        let mut policy = object(DirectoryRole::ObjectIdentifier);
        policy.oid = Some("1.2.3".to_owned());
        let (dn, name) = ("CN=Tier 0,DC=corp".to_owned(), Some("CORP\\Tier 0".to_owned()));
        policy.group = group.then_some(LinkedGroup { dn, name, privileged: Some(true) });
        World::default().object(policy)
    }

    fn armed() -> Template {
        Template { issuance_policies: vec!["1.2.3".to_owned()], ..template("T") }
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        let linked = || linked(true);
        ways(&RULE, linked, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn met_without_a_group_or_a_policy_or_for_usages_that_do_not_log_on() {
        check(&RULE, &linked(false).published(armed()), &limits(), "met");
        check(&RULE, &linked(true).published(template("T")), &limits(), "met");
        let for_servers = used_for(crate::usages::SERVER, armed());
        check(&RULE, &linked(true).published(for_servers), &limits(), "met");
    }

    #[test]
    fn the_group_is_named() {
        let found = linked(true).published(armed()).sentences(&RULE, &limits());
        assert!(found[0].contains("CORP\\Tier 0 (a group of administrators"), "{found:?}");
    }

    #[test]
    fn unknown_where_no_policy_was_read() {
        check(&RULE, &World::default().published(armed()), &limits(), "unknown");
    }

    #[test]
    fn unknown_by_a_policy_of_another_forest() {
        let mut foreign = armed();
        foreign.dn = foreign.dn.replace("DC=corp", "DC=other");
        let mut authority = issuing(&["T"]);
        authority.dn = authority.dn.replace("DC=corp", "DC=other");
        let world = linked(true).template(foreign).issued_by(authority);
        check(&RULE, &world, &limits(), "unknown");
    }
}
