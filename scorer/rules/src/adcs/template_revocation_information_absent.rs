//! `adcs.template-revocation-information-absent`: certificates do not say where their revocation
//! can be looked up.
//!
//! ## What it looks at
//! The flag NOREVOCATIONINFOINISSUEDCERTS of certificate templates, unless they are for status
//! responders. Only templates that an authority publishes.
//! ## Why it matters
//! A certificate without the address of a list or a responder cannot be revoked as far as its users
//! can tell.
//! ## What it cannot see
//! Other ways by which clients know of revocations; whether the addresses answer that the authority
//! puts in.

use pki_inventory::{Asset, Template, enrolment_flag};

use crate::enrolment::{Publication, publication};
use crate::usages::{STATUS, has};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-revocation-information-absent",
    title: "A published template leaves revocation information out",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.26" },
        Cite { document: "RFC 5280", section: "4.2.1.13 and 4.2.2.1" },
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
    if has(template, STATUS) {
        return Outcome::NotApplicableBecause(
            "certificates of status responders may do without (RFC 6960, 4.2.2.2.1)".to_owned(),
        );
    }
    match template.enrols(enrolment_flag::NO_REVOCATION_INFORMATION) {
        Some(false) => Outcome::Met,
        Some(true) => Outcome::NotMet(
            "its certificates name no revocation list and no responder \
             (NOREVOCATIONINFOINISSUEDCERTS)"
                .to_owned(),
        ),
        None => Outcome::Unknown("its `msPKI-Enrollment-Flag` was not read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{published, template, unpublished, used_for};

    use pki_inventory::Template;

    fn with(enrolment_flags: Option<u32>) -> Template {
        Template { enrolment_flags, ..template("T") }
    }

    #[test]
    fn the_flag_decides_where_it_was_read() {
        let (unset, set) = (with(Some(0)), with(Some(0x4000)));
        published(&RULE, [(unset, "met"), (set, "not-met"), (with(None), "unknown")]);
    }

    #[test]
    fn not_applicable_to_responders() {
        let theirs = used_for(crate::usages::STATUS, with(Some(0x4000)));
        published(&RULE, [(theirs, "not-applicable")]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &with(Some(0x4000)), "not-applicable", "unknown");
    }
}
