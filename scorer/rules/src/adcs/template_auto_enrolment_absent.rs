//! `adcs.template-auto-enrolment-absent`: certificates of the template are asked for by hand.
//!
//! ## What it looks at
//! The flag AUTO_ENROLLMENT of certificate templates and who has the right to be enrolled. Those
//! for authorities are left out. Only templates that an authority publishes.
//! ## Why it matters
//! What enrols and renews by itself is not forgotten. By hand it is, now and then.
//! ## What it cannot see
//! Whether clients have the policy switched on, which for templates of version 1 takes the place of
//! the right; other programs that ask by the template. Names that
//! the requester gives cannot be filled in by the directory, so that those templates count as by
//! hand.

use pki_inventory::{Asset, Right, Template, enrolment_flag, general_flag};

use crate::enrolment::{Publication, UNREAD, publication, undecided};
use crate::usages::schema;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-auto-enrolment-absent",
    title: "A published template is not set up for automatic enrolment",
    cites: &[Cite { document: "[MS-CRTD]", section: "2.26 and 2.5" }],
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
    if template.general_flags.is_some_and(|flags| flags & general_flag::AUTHORITY != 0) {
        return Outcome::NotApplicableBecause("is for authorities, which people set up".to_owned());
    }
    match template.enrols(enrolment_flag::AUTO_ENROLMENT) {
        None => Outcome::Unknown("its `msPKI-Enrollment-Flag` was not read".to_owned()),
        Some(false) => {
            Outcome::NotMet("does not ask clients to enrol (AUTO_ENROLLMENT)".to_owned())
        }
        Some(true) => match &template.access {
            None => Outcome::Unknown(UNREAD.to_owned()),
            Some(access) if access.of(&Right::AutoEnrol).next().is_none() => {
                match undecided(access) {
                    Some(why) => Outcome::Unknown(why),
                    None if schema(template) == 1 => Outcome::Unknown(
                        "asks clients to enrol (AUTO_ENROLLMENT) and is of version 1: such a one \
                         needs no right for that, but a policy of the domain, which was not read"
                            .to_owned(),
                    ),
                    None => Outcome::NotMet(
                        "asks clients to enrol (AUTO_ENROLLMENT), but nobody has the right to"
                            .to_owned(),
                    ),
                }
            }
            Some(_) => Outcome::Met,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{access, may, published, template, unpublished, users};

    use pki_inventory::{Grant, Right, Template};

    fn with(grants: &[Grant]) -> Template {
        let access = Some(access(grants));
        Template { enrolment_flags: Some(0x20), access, ..template("T") }
    }

    #[test]
    fn met_with_the_flag_and_the_right() {
        published(&RULE, [(with(&[may(Right::AutoEnrol, users())]), "met")]);
    }

    #[test]
    fn not_met_without_either() {
        let no_right = with(&[may(Right::Enrol, users())]);
        published(&RULE, [(template("T"), "not-met"), (no_right, "not-met")]);
    }

    #[test]
    fn unknown_without_the_flags_or_the_list() {
        let no_list = Template { access: None, ..with(&[]) };
        let no_flags = Template { enrolment_flags: None, ..template("T") };
        published(&RULE, [(no_list, "unknown"), (no_flags, "unknown")]);
    }

    #[test]
    fn unknown_by_version_1_with_the_flag_and_no_right() {
        let old = |one| Template { schema_version: None, ..one };
        let no_right = with(&[may(Right::Enrol, users())]);
        published(&RULE, [(old(no_right), "unknown"), (old(template("T")), "not-met")]);
    }

    #[test]
    fn not_applicable_to_authorities() {
        let theirs = Template { general_flags: Some(0x80), ..template("T") };
        published(&RULE, [(theirs, "not-applicable")]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
