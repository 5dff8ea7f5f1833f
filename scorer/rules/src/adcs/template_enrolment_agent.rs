//! `adcs.template-enrolment-agent`: ordinary accounts become agents, who ask for certificates in
//! the name of others.
//!
//! ## What it looks at
//! Certificate templates for the usage Certificate Request Agent. Then: some authority publishes
//! the template, ordinary accounts may enrol, no manager approves, no agent signs. The sentence
//! names the published templates that accept an agent's signature and log on.
//! ## Why it matters
//! With an agent's certificate one asks for a certificate that logs on as anybody else.
//! ## What it cannot see
//! Restrictions of agents: which agent may ask by which template for whom stands in the registry of
//! the authority's host.

use pki_inventory::enrolment_flag::PEND_ALL_REQUESTS;
use pki_inventory::{Asset, Template, View};

use crate::enrolment::{Condition, Path, limited, path};
use crate::usages::{AGENT, has, logon, schema};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-enrolment-agent",
    title: "A template for enrolment agents is open to ordinary accounts (ESC3)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC3" },
        Cite { document: "[MS-WCCE]", section: "3.2.2.6.2.1.4.5.7" },
        Cite { document: "[MS-CRTD]", section: "2.18 and 2.23" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    let condition = match has(template, AGENT) {
        false => Condition::Absent,
        true => Condition::Holds("its certificates are those of enrolment agents".to_owned()),
    };
    match path(template, condition, cx) {
        Path::None => Outcome::Met,
        Path::Closed(why) => Outcome::MetBecause(why),
        Path::Unpublished(why) => Outcome::NotApplicableBecause(why),
        Path::Unclear(why) => Outcome::Unknown(why),
        Path::Open(how) => Outcome::NotMet(format!("{how}; {}", targets(template, cx))),
    }
}

/// What an agent can ask for: templates of the first version take any agent, later ones those that
/// they ask for ([MS-CRTD], 2.18 and 2.23). Where a manager approves, an agent alone gets nothing.
fn targets(template: &Template, cx: &RuleContext<'_>) -> String {
    let accepts = |other: &Template| {
        let asked = other.agent_policies.iter().any(|policy| policy == AGENT);
        schema(other) == 1 || (other.agent_signatures.unwrap_or(0) >= 1 && asked)
    };
    let forest = View::forest_of(&template.dn);
    // A rule keeps nothing from one item to the next, so that each open template asks again: what
    // costs least is asked first, and `logon`, which may look through all templates, last.
    let found = cx.view.templates().map(|(_, other)| other).filter(|other| {
        other.enrols(PEND_ALL_REQUESTS) != Some(true)
            && accepts(other)
            && View::forest_of(&other.dn) == forest
            && !cx.view.publishers(other).is_empty()
            && matches!(logon(other, cx), Condition::Holds(_))
    });
    match limited(found.map(|other| match other.agent_signatures {
        Some(many @ 2..) => format!("{} (which {many} agents have to sign)", other.name),
        _ => other.name.clone(),
    })) {
        names if names.is_empty() => {
            "no published template that logs on accepts an agent".to_owned()
        }
        names => {
            format!("an agent may log on as others by {names}, unless restricted on the authority")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{approved, issuing, published, template, used_for, ways};
    use crate::fixtures::{World, limits};
    use crate::usages::{AGENT, SERVER};

    use pki_inventory::Template;

    fn armed() -> Template {
        used_for(AGENT, template("Agent"))
    }

    #[test]
    fn with_the_condition_the_way_decides() {
        ways(&RULE, World::default, &armed(), ["not-met", "met", "unknown", "not-applicable"]);
    }

    #[test]
    fn met_for_other_usages() {
        published(&RULE, [(template("T"), "met")]);
    }

    #[test]
    fn templates_that_accept_an_agent_are_named() {
        let takes = Template {
            agent_signatures: Some(1),
            agent_policies: vec![AGENT.to_owned()],
            ..template("Signed")
        };
        let old = Template { schema_version: None, ..template("Old") };
        let twice = Template {
            agent_signatures: Some(2),
            ..Template { name: "Two".to_owned(), ..takes.clone() }
        };
        let twice = Template { dn: twice.dn.replace("Signed", "Two"), ..twice };
        let asked = Template { schema_version: None, ..approved(template("Asked")) };
        let old_too = |name| Template { schema_version: None, ..template(name) };
        let for_servers = used_for(SERVER, old_too("Server"));
        let mut foreign = old_too("Foreign");
        foreign.dn = foreign.dn.replace("DC=corp", "DC=other");
        let names = ["Agent", "Signed", "Old", "Other", "Two", "Asked", "Server", "Foreign"];
        let mut theirs = issuing(&names);
        theirs.dn = theirs.dn.replace("DC=corp", "DC=other");
        let all = [armed(), takes, old, template("Other"), twice, asked, for_servers, foreign];
        let world = all.into_iter().fold(World::default(), World::template);
        let world = world.template(old_too("Unpublished"));
        let world = world.issued_by(issuing(&names)).issued_by(theirs);
        let found = world.sentences(&RULE, &limits());
        let expected =
            "others by Old, Signed, Two (which 2 agents have to sign), unless restricted";
        assert!(found[0].contains(expected), "{found:?}");
    }
}
