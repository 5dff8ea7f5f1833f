//! `adcs.template-schema-outdated`: a template of the first version is still published.
//!
//! ## What it looks at
//! The version of the schema of certificate templates; an object that names none is of version 1.
//! Only templates that an authority publishes.
//! ## Why it matters
//! Templates of version 1 cannot be changed but for who may enrol: no approval of one's own, no
//! least key, no policies, no automatic enrolment for users.
//! ## What it cannot see
//! Who still needs the template.

use pki_inventory::{Asset, Template};

use crate::enrolment::{Publication, publication};
use crate::usages::schema;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-schema-outdated",
    title: "A published template is of version 1 of the schema",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.16" },
        Cite {
            document: "Certified Pre-Owned (SpecterOps, 2021)",
            section: "Certificate Templates",
        },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    match publication(template, cx) {
        Publication::By(_) => {}
        Publication::Nobody => return Outcome::NotApplicable,
        Publication::Unclear(why) => return Outcome::Unknown(why),
    }
    match schema(template) {
        0 | 1 => Outcome::NotMet("is of version 1 of the schema, of Windows 2000".to_owned()),
        _ => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{published, template, unpublished};

    use pki_inventory::Template;

    #[test]
    fn met_from_version_2_on_and_none_is_version_1() {
        let of = |schema_version| Template { schema_version, ..template("T") };
        let cases = [(Some(2), "met"), (Some(1), "not-met"), (None, "not-met")];
        published(&RULE, cases.map(|(version, expected)| (of(version), expected)));
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
