//! `adcs.template-superseded-published`: a template is published although its successor is.
//!
//! ## What it looks at
//! Certificate templates that another published one supersedes. Only templates that an authority
//! publishes.
//! ## Why it matters
//! The old template had its faults, or nobody had made a new one. While it is published they are on
//! offer.
//! ## What it cannot see
//! Who has not moved yet; a successor that names its predecessor by mistake.

use pki_inventory::{Asset, Template};

use crate::enrolment::{Publication, limited, publication};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-superseded-published",
    title: "A superseded template is still published",
    cites: &[Cite { document: "[MS-CRTD]", section: "2.21" }],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let by = match publication(template, cx) {
        Publication::By(by) => by,
        Publication::Nobody => return Outcome::NotApplicable,
        Publication::Unclear(why) => return Outcome::Unknown(why),
    };
    let successors = cx.view.successors(template);
    match limited(successors.iter().map(|(_, successor)| successor.name.clone())) {
        names if names.is_empty() => Outcome::Met,
        names => {
            let by = limited(by.iter().map(|(_, authority)| authority.name.clone()));
            Outcome::NotMet(format!("{names} supersedes it, and {by} still publishes it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{issuing, template};
    use crate::fixtures::{World, check, limits};

    use pki_inventory::Template;

    fn with(published: &[&str]) -> World {
        let newer = Template { supersedes: vec!["Old".to_owned()], ..template("New") };
        World::default().template(template("Old")).template(newer).issued_by(issuing(published))
    }

    #[test]
    fn met_without_a_successor() {
        check(&RULE, &World::default().published(template("T")), &limits(), "met");
    }

    #[test]
    fn not_met_beside_its_successor() {
        let world = with(&["Old", "New"]);
        let found = world.outcomes(&RULE, &limits());
        assert_eq!(found, [("met", 1), ("not-met", 1)].into());
        let found = world.sentences(&RULE, &limits());
        assert_eq!(found, ["New supersedes it, and Corp CA still publishes it"]);
    }

    #[test]
    fn unknown_where_no_authority_was_read() {
        check(&RULE, &World::default().template(template("T")), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_once_it_is_not_published() {
        let found = with(&["New"]).outcomes(&RULE, &limits());
        assert_eq!(found, [("met", 1), ("not-applicable", 1)].into());
    }
}
