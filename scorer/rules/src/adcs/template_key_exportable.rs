//! `adcs.template-key-exportable`: private keys of its certificates may be copied.
//!
//! ## What it looks at
//! The flag EXPORTABLE_KEY of certificate templates. Only templates that an authority publishes.
//! ## Why it matters
//! A key that can be exported is on a stick or in a mail some day, and whoever took it leaves no
//! trace.
//! ## What it cannot see
//! Whether anybody did; keys that software was made to give out without the flag.

use pki_inventory::{Asset, Template, private_key_flag};

use crate::enrolment::{Publication, publication};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-key-exportable",
    title: "A published template lets keys be exported",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.27" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2" },
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
    match template.keys(private_key_flag::EXPORTABLE) {
        Some(false) => Outcome::Met,
        Some(true) => {
            Outcome::NotMet("requesters may export the private key (EXPORTABLE_KEY)".to_owned())
        }
        None => Outcome::Unknown("its `msPKI-Private-Key-Flag` was not read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{key_flag, template, unpublished};

    #[test]
    fn the_flag_decides_where_it_was_read() {
        key_flag(&RULE, 0x10, ["met", "not-met", "unknown"]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
