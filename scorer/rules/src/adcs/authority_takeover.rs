//! `adcs.authority-takeover`: ordinary accounts can change what a directory says of an authority.
//!
//! ## What it looks at
//! Rights on the objects of enrolment services, denials taken off and groups resolved: full
//! control, writing the access list, the owner, all attributes or one that decides, and owning it.
//! ## Why it matters
//! Whoever writes the object publishes any template, the worst one too, and replaces the
//! certificate or the host that clients are sent to.
//! ## What it cannot see
//! The access list in the registry of the authority's host, which decides who manages it and who
//! may ask.

use pki_inventory::{Asset, Authority};

use crate::takeover::{Takeover, takeover};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-takeover",
    title: "Ordinary accounts can take over the entry of an authority (ESC5)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC5" },
        Cite { document: "[MS-WCCE]", section: "2.2.2.11.2" },
        Cite { document: "[MS-ADTS]", section: "5.1.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, cx: &RuleContext<'_>) -> Outcome {
    match takeover(authority.access.as_ref(), None, None, cx) {
        Takeover::ByNobody => Outcome::Met,
        Takeover::Unclear(why) => Outcome::Unknown(why),
        Takeover::ByOrdinary(how) => Outcome::NotMet(how),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{access, issuing, may, users};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{Access, Authority, Right};

    fn outcome(access: Option<Access>, expected: &'static str) {
        let one = Authority { access, ..issuing(&[]) };
        check(&RULE, &World::default().issued_by(one), &limits(), expected);
    }

    #[test]
    fn met_where_users_may_only_enrol() {
        outcome(issuing(&[]).access, "met");
    }

    #[test]
    fn not_met_where_users_may_write_it() {
        let right = Right::WriteProperty("certificateTemplates".to_owned());
        outcome(Some(access(&[may(right, users())])), "not-met");
    }

    #[test]
    fn unknown_without_the_list() {
        outcome(None, "unknown");
    }
}
