//! `adcs.template-takeover`: ordinary accounts can change a certificate template as they like.
//!
//! ## What it looks at
//! Rights on templates, denials taken off and groups resolved: full control, writing the access
//! list, the owner, all attributes or one that decides, and owning it. Whether it is published or
//! not.
//! ## Why it matters
//! Whoever can change a template gives it a name and a usage of his choice, enrols, and changes it
//! back.
//! ## What it cannot see
//! Changes that were made and undone; rights that come by groups that were not read, which the
//! sentence names as they stand in the list.

use pki_inventory::{Asset, Authority, Template};

use crate::enrolment::{Publication, limited, publication};
use crate::takeover::{Takeover, takeover};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-takeover",
    title: "Ordinary accounts can take a template over (ESC4)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC4" },
        Cite { document: "[MS-CRTD]", section: "2.5" },
        Cite { document: "[MS-ADTS]", section: "5.1.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    match takeover(template.access.as_ref(), None, None, cx) {
        Takeover::ByNobody => Outcome::Met,
        Takeover::Unclear(why) => Outcome::Unknown(why),
        Takeover::ByOrdinary(how) => {
            let names = |(_, authority): &(&Asset, &Authority)| authority.name.clone();
            Outcome::NotMet(match publication(template, cx) {
                Publication::By(all) => {
                    format!("{how}; published by {}", limited(all.iter().map(names)))
                }
                Publication::Nobody => {
                    format!("{how}; no authority publishes it, so that it waits for one that does")
                }
                Publication::Unclear(why) => format!("{how}; {why}"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{access, admins, may, team, template, users};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{Grant, Right, Template};

    fn with(grant: Grant) -> Template {
        Template { access: Some(access(&[grant])), ..template("T") }
    }

    #[test]
    fn met_where_administrators_may() {
        let world = World::default().published(with(may(Right::FullControl, admins())));
        check(&RULE, &world, &limits(), "met");
    }

    #[test]
    fn not_met_where_users_may_published_or_not() {
        let armed = || with(may(Right::WriteDacl, users()));
        for (world, word) in [
            (World::default().published(armed()), "published by Corp CA"),
            (World::default().unpublished(armed()), "no authority publishes it"),
            (World::default().template(armed()), "no authority of its forest was read"),
        ] {
            check(&RULE, &world, &limits(), "not-met");
            assert!(world.sentences(&RULE, &limits())[0].contains(word), "{word}");
        }
    }

    #[test]
    fn unknown_for_a_particular_group_or_without_the_list() {
        let world = World::default().published(with(may(Right::WriteOwner, team())));
        check(&RULE, &world, &limits(), "unknown");
        let unread = Template { access: None, ..template("T") };
        check(&RULE, &World::default().published(unread), &limits(), "unknown");
    }
}
