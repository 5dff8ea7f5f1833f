//! `adcs.template-application-policies-open`: a request may add usages to a template of the first
//! version.
//!
//! ## What it looks at
//! Certificate templates of version 1 of the schema by which the requester names the subject. Then:
//! some authority publishes the template, ordinary accounts may enrol, no manager approves, no
//! agent signs.
//! ## Why it matters
//! An authority without the fix copies application policies out of the request: of a template for
//! servers comes a certificate that logs on, or an agent's.
//! ## What it cannot see
//! Whether the authority has the fix for CVE-2024-49019; no directory says which updates a host
//! has.

use pki_inventory::{Asset, Template};

use crate::enrolment::{Condition, Path, both, path};
use crate::usages::{names_itself, schema};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-application-policies-open",
    title: "A template of version 1 takes names, and perhaps usages, from the request (ESC15)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC15" },
        Cite {
            document: "CVE-2024-49019",
            section: "elevation of privilege by application policies",
        },
        Cite { document: "[MS-CRTD]", section: "2.16 and 2.28" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let old = match schema(template) {
        1 => Condition::Holds(
            "and the template is of version 1; that matters where the authority lacks the fix for \
             CVE-2024-49019, which is not in the directory"
                .to_owned(),
        ),
        _ => Condition::Absent,
    };
    match path(template, both(names_itself(template), old), cx) {
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
    use crate::directory_fixtures::{published, template, ways};
    use crate::fixtures::World;

    use pki_inventory::Template;

    fn armed() -> Template {
        Template {
            schema_version: None,
            name_flags: Some(1),
            extended_key_usage: vec![crate::usages::SERVER.to_owned()],
            ..template("T")
        }
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        ways(&RULE, World::default, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn the_requester_names_the_subject_and_the_version_is_1() {
        let later = Template { schema_version: Some(2), ..armed() };
        let unread = Template { name_flags: None, ..armed() };
        let from_the_directory = Template { name_flags: Some(0), ..armed() };
        let cases = [(template("T"), "met"), (later, "met"), (from_the_directory, "met")];
        published(&RULE, cases.into_iter().chain([(unread, "unknown")]));
    }
}
