//! Whether ordinary accounts get certificates of a template: what every rule about a way of attack
//! asks once the condition of its own holds.

use pki_inventory::{Access, Asset, Authority, Grant, Ordinary, Right, Standing, Template};

use crate::RuleContext;

/// Names that a sentence has of each sort.
const NAMED: usize = 5;

/// What a rule looks for in a template itself.
#[derive(Debug)]
pub(crate) enum Condition {
    /// It is not there.
    Absent,
    /// What would tell was not read; the clause says what.
    Unread(String),
    /// It is there; the clause says how it shows.
    Holds(String),
}

/// A way from an ordinary account to a certificate with the condition.
#[derive(Debug)]
pub(crate) enum Path {
    /// The condition is not there.
    None,
    /// It is, and something is in the way.
    Closed(String),
    /// It is, and nobody issues certificates of the template.
    Unpublished(String),
    /// Whether there is a way is not known.
    Unclear(String),
    /// There is one.
    Open(String),
}

enum Gate {
    Unpublished,
    Shut(String),
    Unclear(String),
    Open(String),
}

/// Looks for the way: the template is published, ordinary accounts may enrol, no manager approves and
/// no agent signs.
pub(crate) fn path(template: &Template, condition: Condition, cx: &RuleContext<'_>) -> Path {
    let condition = match condition {
        Condition::Absent => return Path::None,
        Condition::Unread(clause) => Err(clause),
        Condition::Holds(clause) => Ok(clause),
    };
    match (gate(template, cx), condition) {
        (Gate::Unpublished, Ok(clause)) => {
            Path::Unpublished(format!("{clause}, but no authority publishes the template"))
        }
        (Gate::Unpublished, Err(_)) => {
            Path::Unpublished("no authority publishes the template".to_owned())
        }
        (Gate::Shut(why), Ok(clause)) => Path::Closed(format!("{clause}, but {why}")),
        (Gate::Shut(why), Err(_)) => Path::Closed(why),
        (Gate::Unclear(why), Ok(clause)) => Path::Unclear(format!("{clause}; {why}")),
        (Gate::Unclear(_) | Gate::Open(_), Err(unread)) => Path::Unclear(unread),
        (Gate::Open(how), Ok(clause)) => Path::Open(format!("{clause}; {how}")),
    }
}

/// The condition and another one: both have to hold.
pub(crate) fn both(one: Condition, other: Option<String>) -> Condition {
    match (one, other) {
        (_, None) => Condition::Absent,
        (Condition::Holds(one), Some(other)) => Condition::Holds(format!("{one}, {other}")),
        (one, Some(_)) => one,
    }
}

/// A bit of the flags of this attribute.
pub(crate) fn flag(set: Option<bool>, attribute: &str, clause: &str) -> Condition {
    match set {
        None => Condition::Unread(unread(attribute)),
        Some(false) => Condition::Absent,
        Some(true) => Condition::Holds(clause.to_owned()),
    }
}

fn gate(template: &Template, cx: &RuleContext<'_>) -> Gate {
    let publishers = cx.view.publishers(template);
    if publishers.is_empty() {
        return Gate::Unpublished;
    }
    let approval = template.enrols(pki_inventory::enrolment_flag::PEND_ALL_REQUESTS);
    if approval == Some(true) {
        return Gate::Shut("a manager approves each request (PEND_ALL_REQUESTS)".to_owned());
    }
    match template.agent_signatures {
        None | Some(0) => {}
        Some(1) => return Gate::Shut("an agent has to sign each request".to_owned()),
        Some(many) => return Gate::Shut(format!("{many} agents have to sign each request")),
    }
    let Some(access) = &template.access else { return Gate::Unclear(UNREAD.to_owned()) };
    let all: Vec<&Grant> = access.of(&Right::Enrol).collect();
    let ordinary: Vec<&Grant> = all.iter().filter(|grant| grant.is_ordinary()).copied().collect();
    if ordinary.is_empty() {
        let open: Vec<&Grant> = all.iter().filter(|grant| is_open(grant, cx)).copied().collect();
        return match (open.is_empty(), undecided(access), all.is_empty()) {
            (false, ..) => Gate::Unclear(untold(&open, "enrol")),
            (true, Some(why), _) => Gate::Unclear(why),
            (true, None, true) => Gate::Shut("nobody may enrol".to_owned()),
            (true, None, false) => {
                Gate::Shut(format!("no ordinary account may enrol: it is for {}", who(&all)))
            }
        };
    }
    let names = limited(publishers.iter().map(|(_, authority)| authority.name.clone()));
    let who = who(&ordinary);
    if !publishers.iter().any(|publisher| lets_ask(publisher, &ordinary)) {
        return Gate::Unclear(format!(
            "{who} may enrol, but the entry of {names} lets none of them ask; the list that counts \
             is in the registry of the authority's host"
        ));
    }
    match approval {
        None => Gate::Unclear(unread("msPKI-Enrollment-Flag")),
        Some(_) => Gate::Open(format!(
            "{who} may enrol, no approval and no agent's signature is asked for; published by \
             {names}"
        )),
    }
}

/// What to say of an attribute that is not there although every template has it.
pub(crate) fn unread(attribute: &str) -> String {
    format!("its `{attribute}` was not read")
}

/// What to say of an access list that is not there.
pub(crate) const UNREAD: &str = "its access list was not to be read";

/// Whether how far somebody is trusted is not in the directory and not in the policy. A group with
/// nobody in it is nobody.
pub(crate) fn is_open(grant: &Grant, cx: &RuleContext<'_>) -> bool {
    let trustee = &grant.trustee;
    let is_particular = trustee.standing == Standing::Particular && trustee.members != Some(0);
    is_particular && !cx.limits.trusts(trustee)
}

/// What could not be told of an access list, where that is not about somebody particular: those are
/// looked at one by one.
pub(crate) fn undecided(access: &Access) -> Option<String> {
    let is_particular = |grant: &Grant| grant.trustee.standing == Standing::Particular;
    let why = access.unresolved.as_ref().filter(|_| !access.grants.iter().any(is_particular))?;
    Some(format!("what its access list comes to is not known: {why}"))
}

/// What to say of those, who may do this.
pub(crate) fn untold(grants: &[&Grant], what: &str) -> String {
    format!(
        "{} may {what}; list them under `trusted_principals` of the policy if they are trusted as \
         administrators are",
        who(grants)
    )
}

/// Names, with who is in them and by which groups, and how many there are.
pub(crate) fn who(grants: &[&Grant]) -> String {
    let mut seen = std::collections::BTreeSet::new();
    let trustees = grants.iter().filter(|grant| seen.insert(&grant.trustee.sid));
    limited(trustees.map(|grant| {
        let mut words: Vec<String> = Vec::new();
        if grant.is_ordinary() {
            let sorts: Vec<&str> = grant.reaches.iter().map(|sort| sort.name()).collect();
            words.push(sorts.join(" and "));
        } else if let Some(members) = grant.trustee.members {
            words.push(format!("{members} {}", if members == 1 { "account" } else { "accounts" }));
        }
        if !grant.trustee.through.is_empty() {
            words.push(format!("through {}", grant.trustee.through.join(", ")));
        }
        match words.is_empty() {
            true => grant.trustee.to_string(),
            false => format!("{} ({})", grant.trustee, words.join(", ")),
        }
    }))
}

/// The first few, and how many more there are.
pub(crate) fn limited(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// Whether the entry of an authority lets any of the accounts ask that these rights reach; one that
/// was not to be read forbids nothing.
fn lets_ask((_, authority): &(&Asset, &Authority), enrolling: &[&Grant]) -> bool {
    let Some(access) = &authority.access else { return true };
    let wanted: Vec<Ordinary> =
        enrolling.iter().flat_map(|grant| grant.reaches.iter().copied()).collect();
    let mut asking = access.of(&Right::Enrol).flat_map(|grant| &grant.reaches);
    asking.any(|sort| wanted.contains(sort))
}

#[cfg(test)]
mod tests {
    use super::{Condition, Path, path};
    use crate::directory_fixtures::{
        access, admins, approved, enrolled_by, issuing, may, team, template, users,
    };
    use crate::fixtures::{World, limits};
    use crate::{Limits, RuleContext};

    use pki_inventory::{Access, Ordinary, Right, Standing, Template, Trustee};

    const CLAUSE: &str = "the condition holds";

    fn way(world: &World, template: &Template, limits: &Limits) -> Path {
        world.viewed(|view| {
            let cx = RuleContext { as_of: crate::fixtures::NOW, view, limits };
            path(template, Condition::Holds(CLAUSE.to_owned()), &cx)
        })
    }

    fn published(template: Template) -> Path {
        way(&World::default().published(template.clone()), &template, &limits())
    }

    #[test]
    fn open_where_all_that_could_be_in_the_way_is_not() {
        let Path::Open(sentence) = published(template("T")) else { panic!("not open") };
        assert_eq!(
            sentence,
            "the condition holds; CORP\\Domain Users (users) may enrol, no approval and no agent's \
             signature is asked for; published by Corp CA"
        );
    }

    #[test]
    fn the_groups_between_are_named() {
        let who = Trustee {
            through: vec!["CORP\\Office".to_owned()],
            standing: Standing::Ordinary,
            ..team()
        };
        let Path::Open(sentence) = published(enrolled_by(who, template("T"))) else {
            panic!("not open")
        };
        assert!(
            sentence.contains("CORP\\Web Team (users, through CORP\\Office) may"),
            "{sentence}"
        );
    }

    #[test]
    fn closed_by_approval_by_an_agent_and_for_administrators_or_nobody() {
        let signed = Template { agent_signatures: Some(1), ..template("T") };
        let nobody = Template { access: Some(access(&[])), ..template("T") };
        let all = [approved(template("T")), signed, enrolled_by(admins(), template("T")), nobody];
        for (one, why) in all.into_iter().zip(["manager", "sign", "Domain Admins", "nobody"]) {
            let Path::Closed(sentence) = published(one) else { panic!("not closed: {why}") };
            assert!(sentence.contains(why), "{sentence}");
        }
    }

    #[test]
    fn closed_where_a_denial_leaves_no_ordinary_account() {
        let mut one = template("T");
        one.access.as_mut().unwrap().grants[0].reaches.clear();
        assert!(matches!(published(one), Path::Closed(_)));
    }

    #[test]
    fn unpublished_where_no_authority_names_it() {
        let world = World::default().template(template("T")).issued_by(issuing(&["Other"]));
        assert!(matches!(way(&world, &template("T"), &limits()), Path::Unpublished(_)));
    }

    #[test]
    fn unclear_for_a_particular_group_unless_the_policy_trusts_it_or_nobody_is_in_it() {
        let one = enrolled_by(team(), template("T"));
        let Path::Unclear(sentence) = published(one.clone()) else { panic!("not unclear") };
        assert!(sentence.contains("CORP\\Web Team") && sentence.contains("trusted_principals"));
        for name in ["corp\\web team", "s-1-5-21-1-2-3-1104"] {
            let limits = Limits { trusted_principals: vec![name.to_owned()], ..limits() };
            let found = way(&World::default().published(one.clone()), &one, &limits);
            assert!(matches!(found, Path::Closed(_)), "{name}");
        }
        let empty = Trustee { members: Some(0), ..team() };
        assert!(matches!(published(enrolled_by(empty, template("T"))), Path::Closed(_)));
    }

    #[test]
    fn unclear_where_a_list_or_a_flag_was_not_read() {
        let unread = Template { access: None, ..template("T") };
        assert!(matches!(published(unread), Path::Unclear(_)));
        let unread = Template { enrolment_flags: None, ..template("T") };
        assert!(matches!(published(unread), Path::Unclear(_)));
        let unresolved = Some("its access list was not handed over".to_owned());
        let list = Access { unresolved, ..access(&[]) };
        let unread = Template { access: Some(list), ..template("T") };
        assert!(matches!(published(unread), Path::Unclear(why) if why.contains("handed over")));
    }

    #[test]
    fn unclear_where_the_entry_of_the_authority_lets_none_of_them_ask() {
        let one = template("T");
        let asked_by = |grants: &[_]| {
            let access = Some(access(grants));
            let authority = pki_inventory::Authority { access, ..issuing(&["T"]) };
            way(&World::default().template(one.clone()).issued_by(authority), &one, &limits())
        };
        let Path::Unclear(sentence) = asked_by(&[may(Right::Enrol, admins())]) else {
            panic!("not unclear")
        };
        assert!(sentence.contains("registry"), "{sentence}");
        let mut computers = may(Right::Enrol, users());
        computers.reaches = vec![Ordinary::Computer];
        assert!(matches!(asked_by(&[computers]), Path::Unclear(_)), "not the same accounts");
        assert!(matches!(asked_by(&[may(Right::Enrol, users())]), Path::Open(_)));
    }
}
