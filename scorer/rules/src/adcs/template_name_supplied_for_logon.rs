//! `adcs.template-name-supplied-for-logon`: whoever asks may name somebody else, and the
//! certificate logs on.
//!
//! ## What it looks at
//! Certificate templates by which the requester names the subject or the alternative names, for
//! usages that log on (or for any). Then: some authority publishes the template, ordinary accounts
//! may enrol, no manager approves, no agent signs.
//! ## Why it matters
//! Any user asks for a certificate in the name of an administrator and is that administrator to
//! everything that takes certificates for a logon.
//! ## What it cannot see
//! What a policy module or an agent's restriction on the authority forbids; they stand in the
//! registry of its host, as does the list of those who may ask that counts.

use pki_inventory::{Asset, Template};

use crate::enrolment::{Path, both, path};
use crate::usages::{logon, names_itself};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-name-supplied-for-logon",
    title: "A template lets ordinary accounts log on under any name (ESC1)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC1" },
        Cite { document: "[MS-CRTD]", section: "2.28 and 2.12" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let usage = logon(template, cx).map(|usage| format!("and the certificate is {usage}"));
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
    use crate::fixtures::{World, limits};

    use pki_inventory::Template;

    fn armed() -> Template {
        Template { name_flags: Some(1), ..template("T") }
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        ways(&RULE, World::default, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn the_requester_names_the_subject_and_the_usage_logs_on() {
        let unread = Template { name_flags: None, ..armed() };
        let for_servers = used_for(crate::usages::SERVER, armed());
        published(&RULE, [(template("T"), "met"), (for_servers, "met"), (unread, "unknown")]);
    }

    #[test]
    fn not_met_by_the_weaker_variant_and_said_to_be_one() {
        let weaker = Template { name_flags: Some(0x1_0000), ..template("T") };
        let found = World::default().published(weaker).sentences(&RULE, &limits());
        assert!(found[0].contains("ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME, the weaker"), "{found:?}");
    }
}
