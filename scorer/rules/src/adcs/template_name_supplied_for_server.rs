//! `adcs.template-name-supplied-for-server`: whoever asks gets a certificate for the server that he
//! names.
//!
//! ## What it looks at
//! Certificate templates by which the requester names the subject or the alternative names, for
//! servers or any purpose. Of the two lists of usages either counts: most software reads the
//! extended key usage alone. Then: some authority publishes the template, ordinary accounts may
//! enrol, no manager approves, no agent signs.
//! ## Why it matters
//! Any user stands in for any server of the organisation, to everything that trusts the authority.
//! ## What it cannot see
//! Which names the authority's policy module refuses; whether clients trust the authority for
//! servers.

use pki_inventory::{Asset, Template};

use crate::enrolment::{Path, both, path};
use crate::usages::{names_itself, server};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-name-supplied-for-server",
    title: "A template gives ordinary accounts certificates for any server (ESC17)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC17" },
        Cite { document: "[MS-CRTD]", section: "2.28 and 2.12" },
        Cite { document: "RFC 5280", section: "4.2.1.12" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let usage = server(template, cx).map(|usage| format!("and the certificate is {usage}"));
    match path(template, both(names_itself(template), usage), cx) {
        Path::None => Outcome::Met,
        Path::Closed(why) => Outcome::MetBecause(why),
        Path::Unpublished(why) => Outcome::NotApplicableBecause(why),
        Path::Unclear(why) => Outcome::Unknown(why),
        Path::Open(how) => Outcome::NotMet(how),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{approved, enrolled_by, team, template, used_for};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::Template;

    fn armed() -> Template {
        used_for(crate::usages::SERVER, Template { name_flags: Some(1), ..template("T") })
    }

    fn outcome(template: Template, expected: &'static str) {
        check(&RULE, &World::default().published(template), &limits(), expected);
    }

    #[test]
    fn met_without_the_condition_or_with_approval() {
        outcome(used_for(crate::usages::SERVER, template("T")), "met");
        outcome(approved(armed()), "met");
    }

    #[test]
    fn not_met_where_users_may_enrol() {
        outcome(armed(), "not-met");
    }

    #[test]
    fn unknown_where_a_particular_group_may() {
        outcome(enrolled_by(team(), armed()), "unknown");
    }

    #[test]
    fn not_applicable_unpublished() {
        check(&RULE, &World::default().unpublished(armed()), &limits(), "not-applicable");
    }

    #[test]
    fn unknown_where_the_flags_were_not_read() {
        outcome(Template { name_flags: None, ..armed() }, "unknown");
    }

    #[test]
    fn not_met_by_the_extended_key_usage_alone_or_for_any_purpose() {
        outcome(used_for("2.5.29.37.0", armed()), "not-met");
        let application_policies = vec!["1.3.6.1.5.5.7.3.2".to_owned()];
        outcome(Template { application_policies, schema_version: Some(2), ..armed() }, "not-met");
    }

    #[test]
    fn met_for_another_usage() {
        outcome(Template { name_flags: Some(1), ..template("T") }, "met");
    }
}
