//! `adcs.template-published-for-nobody`: a template is published, and nobody may enrol by it.
//!
//! ## What it looks at
//! Who may enrol by certificate templates, denials taken off. Only templates that an authority
//! publishes.
//! ## Why it matters
//! What is published and of no use was forgotten, and the next one to look at the list gives
//! somebody a right to be done with it.
//! ## What it cannot see
//! Whether anybody is in the groups that may: a group without members is somebody here.

use pki_inventory::{Asset, Right, Template};

use crate::enrolment::{Publication, UNREAD, publication, undecided};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-published-for-nobody",
    title: "A published template is open to nobody",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.5.1" },
        Cite { document: "[MS-WCCE]", section: "3.2.2.6.2.1.4.3" },
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
    match &template.access {
        None => Outcome::Unknown(UNREAD.to_owned()),
        Some(access) if access.of(&Right::Enrol).next().is_none() => match undecided(access) {
            Some(why) => Outcome::Unknown(why),
            None => Outcome::NotMet("no account and no group may enrol by it".to_owned()),
        },
        Some(_) => Outcome::Met,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{
        access, admins, enrolled_by, may, published, template, unpublished,
    };

    use pki_inventory::{Right, Template};

    #[test]
    fn met_where_anybody_may() {
        let for_admins = enrolled_by(admins(), template("T"));
        published(&RULE, [(template("T"), "met"), (for_admins, "met")]);
    }

    #[test]
    fn not_met_where_nobody_may() {
        let only = access(&[may(Right::WriteDacl, admins())]);
        let for_nobody = Template { access: Some(only), ..template("T") };
        published(&RULE, [(for_nobody, "not-met")]);
    }

    #[test]
    fn unknown_without_the_list() {
        published(&RULE, [(Template { access: None, ..template("T") }, "unknown")]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
