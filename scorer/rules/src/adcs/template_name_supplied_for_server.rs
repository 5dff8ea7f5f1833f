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
    use crate::directory_fixtures::{published, template, used_for, ways};
    use crate::fixtures::World;

    use pki_inventory::Template;

    fn armed() -> Template {
        used_for(crate::usages::SERVER, Template { name_flags: Some(1), ..template("T") })
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        ways(&RULE, World::default, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn the_requester_names_the_subject_and_the_usage_is_that_of_servers() {
        let named_by_the_directory = used_for(crate::usages::SERVER, template("T"));
        let for_clients = Template { name_flags: Some(1), ..template("T") };
        let unread = Template { name_flags: None, ..armed() };
        let cases = [(named_by_the_directory, "met"), (for_clients, "met"), (unread, "unknown")];
        published(&RULE, cases);
    }

    #[test]
    fn not_met_by_the_extended_key_usage_alone_or_for_any_purpose() {
        let any = used_for("2.5.29.37.0", armed());
        let application_policies = vec!["1.3.6.1.5.5.7.3.2".to_owned()];
        let mixed = Template { application_policies, schema_version: Some(2), ..armed() };
        published(&RULE, [(any, "not-met"), (mixed, "not-met")]);
    }
}
