//! Whether ordinary accounts get certificates of a template: what every rule about a way of attack
//! asks once the condition of its own holds.

use pki_inventory::{Access, Asset, Authority, Grant, Ordinary, Right, Standing, Template, View};

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

/// Who publishes a template.
#[derive(Debug)]
pub(crate) enum Publication<'a> {
    /// These authorities do.
    By(Vec<(&'a Asset, &'a Authority)>),
    /// The authorities of its forest were read, and none does.
    Nobody,
    /// What they publish was not read; the clause says so.
    Unclear(String),
}

enum Gate {
    Unpublished,
    Shut(String),
    Unclear(String),
    Open(String),
}

/// Looks for the way: the template is published, ordinary accounts may enrol, no manager approves
/// and no agent signs.
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
pub(crate) fn both(one: Condition, other: Condition) -> Condition {
    match (one, other) {
        (Condition::Absent, _) | (_, Condition::Absent) => Condition::Absent,
        (Condition::Unread(clause), _) | (_, Condition::Unread(clause)) => {
            Condition::Unread(clause)
        }
        (Condition::Holds(one), Condition::Holds(other)) => {
            Condition::Holds(format!("{one}, {other}"))
        }
    }
}

impl Condition {
    /// The same with other words for that it is there.
    pub(crate) fn map(self, words: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Holds(clause) => Self::Holds(words(clause)),
            other => other,
        }
    }
}

/// Who publishes a template, as far as authorities of its forest were read. One whose list came
/// without a single template may have come without the attribute: where no authority names any,
/// that is all there is to say.
pub(crate) fn publication<'a>(template: &Template, cx: &RuleContext<'a>) -> Publication<'a> {
    let publishers = cx.view.publishers(template);
    if !publishers.is_empty() {
        return Publication::By(publishers);
    }
    if !cx.view.reads_authorities(&template.dn) {
        return Publication::Unclear(
            "no authority of its forest was read, so that nobody knows who publishes it".to_owned(),
        );
    }
    let forest = View::forest_of(&template.dn);
    let all = cx.view.authorities().iter().map(|(_, authority)| authority);
    let mut own = all.filter(|authority| View::forest_of(&authority.dn) == forest);
    match own.next() {
        Some(first)
            if first.templates.is_empty() && own.all(|other| other.templates.is_empty()) =>
        {
            Publication::Unclear(
                "no authority of its forest names a template, as if `certificateTemplates` had \
                 not been read"
                    .to_owned(),
            )
        }
        _ => Publication::Nobody,
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
    let publication = publication(template, cx);
    if matches!(publication, Publication::Nobody) {
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
    let who = who(&ordinary);
    if let Some(why) = denial(access) {
        return Gate::Unclear(format!("{who} may enrol, unless a denial says otherwise: {why}"));
    }
    let publishers = match publication {
        Publication::By(publishers) => publishers,
        Publication::Unclear(why) => return Gate::Unclear(format!("{who} may enrol; {why}")),
        Publication::Nobody => return Gate::Unpublished,
    };
    let answers = publishers.iter().map(|(_, one)| (one.name.clone(), answer(one, &ordinary)));
    let answers: Vec<(String, Answer)> = answers.collect();
    let names = |of: Answer| {
        limited(answers.iter().filter(|(_, answer)| *answer == of).map(|(name, _)| name.clone()))
    };
    let (asked, unread, refusing) = (names(Answer::Yes), names(Answer::Unknown), names(Answer::No));
    if asked.is_empty() {
        let registry = "the list that counts is in the registry of the authority's host";
        return Gate::Unclear(match unread.is_empty() {
            false => format!(
                "{who} may enrol; whether the entry of {unread} lets any of them ask is not known, \
                 as not all of its access list was evaluated; {registry}"
            ),
            true => format!(
                "{who} may enrol, but the entry of {refusing} lets none of them ask; {registry}"
            ),
        });
    }
    match approval {
        None => Gate::Unclear(self::unread("msPKI-Enrollment-Flag")),
        Some(_) => Gate::Open(format!(
            "{who} may enrol, no approval and no agent's signature is asked for; published by \
             {asked}{}",
            besides(access)
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

/// What could not be told of an access list. Who is in a particular group is looked at with the
/// group, one by one; what of the list itself was not evaluated stays, whoever else is in it.
pub(crate) fn undecided(access: &Access) -> Option<String> {
    let is_particular = |grant: &Grant| grant.trustee.standing == Standing::Particular;
    let members = access.unresolved.as_ref();
    let members = members.filter(|_| !access.grants.iter().any(is_particular));
    let both = [access.not_evaluated.as_ref(), members];
    let both: Vec<&str> = both.into_iter().flatten().map(String::as_str).collect();
    (!both.is_empty())
        .then(|| format!("what its access list comes to is not known: {}", both.join("; ")))
}

/// What of a list was not evaluated, where it is or may be a denial: then a right that is there may
/// be taken off again. Entries that allow can only add to those.
pub(crate) fn denial(access: &Access) -> Option<&str> {
    access.not_evaluated.as_deref().filter(|what| what.to_lowercase().contains("deni"))
}

/// What to add to a sentence about rights that are there, where more was not evaluated.
pub(crate) fn besides(access: &Access) -> String {
    access.not_evaluated.as_ref().map_or_else(String::new, |what| format!("; besides, {what}"))
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Unknown,
}

/// Whether the entry of an authority lets any of the accounts ask that these rights reach; one that
/// was not to be read forbids nothing.
fn answer(authority: &Authority, enrolling: &[&Grant]) -> Answer {
    let Some(access) = &authority.access else { return Answer::Yes };
    let wanted: Vec<Ordinary> =
        enrolling.iter().flat_map(|grant| grant.reaches.iter().copied()).collect();
    let mut asking = access.of(&Right::Enrol).flat_map(|grant| &grant.reaches);
    match asking.any(|sort| wanted.contains(sort)) {
        true => Answer::Yes,
        false if access.not_evaluated.is_some() => Answer::Unknown,
        false => Answer::No,
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Path, path};
    use crate::directory_fixtures::{
        access, admins, approved, container, enrolled_by, issuing, may, team, template, users,
    };
    use crate::fixtures::{World, limits};
    use crate::{Limits, RuleContext};

    use pki_inventory::{Access, Authority, Ordinary, Right, Standing, Template, Trustee};

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
        let world = World::default().unpublished(template("T"));
        assert!(matches!(way(&world, &template("T"), &limits()), Path::Unpublished(_)));
        let services = container("Enrollment Services");
        let world = World::default().template(template("T")).object(services);
        assert!(matches!(way(&world, &template("T"), &limits()), Path::Unpublished(_)));
    }

    #[test]
    fn unclear_where_what_authorities_publish_was_not_read() {
        let alone = || World::default().template(template("T"));
        let other = container("Certificate Templates");
        let mut foreign = issuing(&["T"]);
        foreign.dn = foreign.dn.replace("DC=corp", "DC=other");
        let worlds = [
            alone(),
            alone().object(other),
            alone().issued_by(foreign),
            alone().issued_by(issuing(&[])),
        ];
        for world in worlds {
            let Path::Unclear(why) = way(&world, &template("T"), &limits()) else { panic!() };
            assert!(why.starts_with(CLAUSE) && why.contains("of its forest"), "{why}");
            let shut = way(&world, &approved(template("T")), &limits());
            assert!(matches!(shut, Path::Closed(_)), "published or not");
        }
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
        for grants in [vec![], vec![may(Right::WriteDacl, team())]] {
            let not_evaluated = Some("its access list was not handed over".to_owned());
            let list = Access { not_evaluated, ..access(&grants) };
            let unread = Template { access: Some(list), ..template("T") };
            assert!(matches!(published(unread), Path::Unclear(why) if why.contains("handed over")));
        }
    }

    #[test]
    fn members_of_a_group_are_in_doubt_with_the_group_only() {
        let unresolved = Some("not all members of these were read: CORP\\Web Team".to_owned());
        let grants = [may(Right::Enrol, admins()), may(Right::WriteDacl, team())];
        let list = Access { unresolved, ..access(&grants) };
        let one = Template { access: Some(list), ..template("T") };
        assert!(matches!(published(one), Path::Closed(_)));
    }

    #[test]
    fn what_was_not_evaluated_beside_an_open_list_is_said_and_a_denial_leaves_it_unclear() {
        let with = |what: &str| {
            let mut one = template("T");
            one.access.as_mut().unwrap().not_evaluated = Some(what.to_owned());
            published(one)
        };
        let Path::Open(how) = with("not evaluated: a condition") else { panic!("not open") };
        assert!(how.ends_with("by Corp CA; besides, not evaluated: a condition"), "{how}");
        let Path::Unclear(why) = with("not evaluated: a conditional denial") else { panic!() };
        assert!(why.contains("unless a denial says otherwise"), "{why}");
    }

    #[test]
    fn a_list_of_an_authority_that_was_not_evaluated_is_no_refusal() {
        let one = template("T");
        let not_evaluated = Some("its access list was not handed over".to_owned());
        let list = Access { not_evaluated, ..Access::default() };
        let unread = Authority { access: Some(list), ..issuing(&["T"]) };
        let world = World::default().template(one.clone()).issued_by(unread);
        let Path::Unclear(why) = way(&world, &one, &limits()) else { panic!("not unclear") };
        assert!(why.contains("is not known") && !why.contains("lets none"), "{why}");
    }

    #[test]
    fn only_authorities_that_let_them_ask_are_named_as_publishers() {
        let one = template("T");
        let (name, access) = ("Shut CA".to_owned(), Some(access(&[may(Right::Enrol, admins())])));
        let dn = issuing(&[]).dn.replace("Corp CA", "Shut CA");
        let shut = Authority { name, dn, access, ..issuing(&["T"]) };
        let world = World::default().published(one.clone()).issued_by(shut);
        let Path::Open(how) = way(&world, &one, &limits()) else { panic!("not open") };
        assert!(how.ends_with("published by Corp CA"), "{how}");
    }

    #[test]
    fn unclear_where_the_entry_of_the_authority_lets_none_of_them_ask() {
        let one = template("T");
        let asked_by = |grants: &[_]| {
            let access = Some(access(grants));
            let authority = Authority { access, ..issuing(&["T"]) };
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
