//! `adcs.template-any-purpose`: ordinary accounts get certificates that are good for anything.
//!
//! ## What it looks at
//! Certificate templates that name no usage, or any purpose. Then: some authority publishes the
//! template, ordinary accounts may enrol, no manager approves, no agent signs.
//! ## Why it matters
//! The certificate signs code, stands for a server, logs on or signs for others as an agent,
//! whatever it was meant for. One without any usage may even pass for an authority's where nobody
//! looks closely.
//! ## What it cannot see
//! What relying parties accept; whether the authority's host restricts agents.

use pki_inventory::general_flag::AUTHORITY;
use pki_inventory::{Asset, Template};

use crate::enrolment::{Path, path};
use crate::usages::any_purpose;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-any-purpose",
    title: "A template for any purpose is open to ordinary accounts (ESC2)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC2" },
        Cite { document: "RFC 5280", section: "4.2.1.12" },
        Cite { document: "[MS-CRTD]", section: "2.12 and 2.25" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let is_authority = template.general_flags.is_some_and(|flags| flags & AUTHORITY != 0);
    let who = if is_authority { "those of authorities, " } else { "" };
    let condition =
        any_purpose(template, cx).map(|what| format!("its certificates are {who}{what}"));
    match path(template, condition, cx) {
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
        used_for("2.5.29.37.0", template("T"))
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        ways(&RULE, World::default, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn no_usage_at_all_is_any_where_others_have_some_and_one_for_authorities_is_said_to_be_one() {
        let (application_policies, extended_key_usage) = (Vec::new(), Vec::new());
        let none = Template { application_policies, extended_key_usage, ..template("T") };
        published(&RULE, [(template("T"), "met"), (none.clone(), "unknown")]);
        let sub = Template { general_flags: Some(0x80), ..none };
        let world = World::default().template(template("Other")).published(sub);
        let found = world.sentences(&RULE, &limits());
        let expected =
            "its certificates are those of authorities, for any purpose, as the template";
        assert!(found[0].starts_with(expected), "{found:?}");
        let expected = [("met", 1), ("not-met", 1)].into();
        assert_eq!(world.outcomes(&RULE, &limits()), expected);
    }
}
