//! `adcs.template-key-kept-on-renewal`: renewal keeps the key.
//!
//! ## What it looks at
//! The flag REQUIRE_SAME_KEY_RENEWAL of certificate templates. Only templates that an authority
//! publishes.
//! ## Why it matters
//! A certificate that is renewed with the same key ends on paper only: a key that was copied once
//! stays good.
//! ## What it cannot see
//! What clients do by their own choice; whether a renewal took place.

use pki_inventory::{Asset, Template, private_key_flag};

use crate::enrolment::{Publication, publication};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-key-kept-on-renewal",
    title: "A published template keeps the key on renewal",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.27" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "5.3.4" },
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
    match template.keys(private_key_flag::SAME_KEY_RENEWAL) {
        Some(false) => Outcome::Met,
        Some(true) => {
            Outcome::NotMet("a renewal keeps the old key (REQUIRE_SAME_KEY_RENEWAL)".to_owned())
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
        key_flag(&RULE, 0x80, ["met", "not-met", "unknown"]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
