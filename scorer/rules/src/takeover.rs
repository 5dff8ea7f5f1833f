//! Who can make an object of a directory say whatever he likes.

use std::collections::BTreeMap;

use pki_inventory::{Access, Grant, Right, Standing};

use crate::RuleContext;
use crate::enrolment::{UNREAD, besides, denial, is_open, limited, undecided, untold, who};

/// Account Operators ([MS-DTYP], 2.4.2.4): they administer accounts and computers by default.
pub(crate) const ACCOUNT_OPERATORS: &str = "S-1-5-32-548";

/// What an access list comes to.
#[derive(Debug)]
pub(crate) enum Takeover {
    /// Only those who are trusted anyway can take the object over.
    ByNobody,
    /// Ordinary accounts can; the clause says who, and by which rights.
    ByOrdinary(String),
    /// Whether anybody can who should not is not known.
    Unclear(String),
}

/// Looks for rights that are enough to take an object over. Another right may be enough for it too;
/// some may be trusted with objects of its sort.
pub(crate) fn takeover(
    access: Option<&Access>,
    enough: Option<&Right>,
    trusted: Option<&str>,
    cx: &RuleContext<'_>,
) -> Takeover {
    let Some(access) = access else { return Takeover::Unclear(UNREAD.to_owned()) };
    let grants: Vec<&Grant> = access
        .grants
        .iter()
        .filter(|grant| grant.right.is_takeover() || Some(&grant.right) == enough)
        .collect();
    let mut rights: BTreeMap<&str, (Vec<&Grant>, Vec<String>)> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| grant.is_ordinary()) {
        let (of, names) = rights.entry(&grant.trustee.sid).or_default();
        of.push(grant);
        names.push(grant.right.name());
    }
    let mut found: Vec<String> =
        rights.values().map(|(of, names)| format!("{} ({})", who(of), names.join(", "))).collect();
    let owner = access.owner.as_ref().filter(|owner| owner.standing == Standing::Ordinary);
    if let Some(owner) = owner.filter(|owner| !rights.contains_key(owner.sid.as_str())) {
        found.push(format!("{owner} ({})", Right::Own.name()));
    }
    if !found.is_empty() {
        let found = limited(found.into_iter());
        // No denial keeps an owner from the list ([MS-DTYP], 2.5.3.2).
        let owns = |grant: &&Grant| grant.is_ordinary() && grant.right == Right::Own;
        let is_owned = owner.is_some() || grants.iter().any(owns);
        return match denial(access).filter(|_| !is_owned) {
            Some(why) => Takeover::Unclear(format!(
                "ordinary accounts can take it over, unless a denial says otherwise: {found}; {why}"
            )),
            None => Takeover::ByOrdinary(format!(
                "ordinary accounts can take it over: {found}{}",
                besides(access)
            )),
        };
    }
    let open: Vec<&Grant> = grants
        .into_iter()
        .filter(|grant| is_open(grant, cx) && trusted != Some(grant.trustee.sid.as_str()))
        .collect();
    match (open.is_empty(), undecided(access)) {
        (false, _) => Takeover::Unclear(untold(&open, "take it over")),
        (true, Some(why)) => Takeover::Unclear(why),
        (true, None) => Takeover::ByNobody,
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNT_OPERATORS, Takeover, takeover};
    use crate::directory_fixtures::{access, admins, may, team, users};
    use crate::fixtures::{NOW, World, limits};
    use crate::{Limits, RuleContext};

    use pki_inventory::{Access, Grant, Right, Trustee};

    fn of(access: &Access, limits: &Limits) -> Takeover {
        World::default().viewed(|view| {
            let cx = RuleContext { as_of: NOW, view, limits };
            takeover(Some(access), None, Some(ACCOUNT_OPERATORS), &cx)
        })
    }

    fn one(grant: Grant) -> Takeover {
        of(&access(&[grant]), &limits())
    }

    #[test]
    fn rights_of_one_trustee_stand_together() {
        let grants = [may(Right::WriteDacl, users()), may(Right::WriteOwner, users())];
        let Takeover::ByOrdinary(clause) = of(&access(&grants), &limits()) else { panic!() };
        assert_eq!(
            clause,
            "ordinary accounts can take it over: CORP\\Domain Users (users) (write the access \
             list, write the owner)"
        );
    }

    #[test]
    fn an_ordinary_owner_is_enough() {
        let owned = Access { owner: Some(users()), ..Access::default() };
        assert!(matches!(of(&owned, &limits()), Takeover::ByOrdinary(_)));
    }

    #[test]
    fn enrolment_is_no_takeover_and_administrators_are_trusted() {
        assert!(matches!(one(may(Right::Enrol, users())), Takeover::ByNobody));
        assert!(matches!(one(may(Right::CreateChild, users())), Takeover::ByNobody));
        assert!(matches!(one(may(Right::FullControl, admins())), Takeover::ByNobody));
    }

    #[test]
    fn a_particular_group_is_trusted_by_the_policy_or_not_known() {
        let particular = || access(&[may(Right::FullControl, team())]);
        assert!(matches!(of(&particular(), &limits()), Takeover::Unclear(_)));
        let trusted = vec!["CORP\\web TEAM".to_owned()];
        let limits = Limits { trusted_principals: trusted, ..limits() };
        assert!(matches!(of(&particular(), &limits), Takeover::ByNobody));
    }

    #[test]
    fn what_could_not_be_told_of_the_list_is_not_known() {
        let trusted = vec!["CORP\\Web Team".to_owned()];
        let limits = Limits { trusted_principals: trusted, ..limits() };
        for who in [admins(), team()] {
            let not_evaluated = Some("its access list was not handed over".to_owned());
            let list = Access { not_evaluated, ..access(&[may(Right::Own, who)]) };
            let Takeover::Unclear(why) = of(&list, &limits) else { panic!() };
            assert!(why.contains("handed over"), "{why}");
        }
    }

    #[test]
    fn what_was_not_evaluated_is_said_beside_what_was_found_and_may_take_it_off_again() {
        let with = |what: &str| {
            let not_evaluated = Some(what.to_owned());
            of(&Access { not_evaluated, ..access(&[may(Right::WriteDacl, users())]) }, &limits())
        };
        let Takeover::ByOrdinary(how) = with("not evaluated: a condition") else { panic!() };
        assert!(how.ends_with("; besides, not evaluated: a condition"), "{how}");
        assert!(matches!(with("not evaluated: a conditional denial"), Takeover::Unclear(_)));
        let not_evaluated = Some("not evaluated: a conditional denial".to_owned());
        let owned = Access { owner: Some(users()), not_evaluated, ..Access::default() };
        assert!(
            matches!(of(&owned, &limits()), Takeover::ByOrdinary(_)),
            "no denial keeps him out"
        );
    }

    #[test]
    fn operators_of_accounts_may_be_trusted() {
        let operators = Trustee { sid: ACCOUNT_OPERATORS.to_owned(), ..team() };
        assert!(matches!(one(may(Right::FullControl, operators)), Takeover::ByNobody));
    }
}
