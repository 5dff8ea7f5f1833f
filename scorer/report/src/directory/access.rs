//! Who may do what to an object of a directory, in words: ordinary accounts first.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::{Access, Grant, Ordinary, Right, Standing, Trustee};

use crate::words;

/// What some trustee may, grant by grant.
struct May<'a> {
    trustee: &'a Trustee,
    rights: Vec<&'a Right>,
    reaches: BTreeSet<Ordinary>,
}

/// The grants of these rights by trustee; those of ordinary accounts first, then particular ones.
fn by_trustee<'a>(access: &'a Access, rights: impl Fn(&Right) -> bool) -> Vec<May<'a>> {
    let mut all: BTreeMap<&str, May<'a>> = BTreeMap::new();
    for Grant { right, trustee, reaches } in &access.grants {
        if !rights(right) {
            continue;
        }
        let may = all.entry(&trustee.sid).or_insert_with(|| May {
            trustee,
            rights: Vec::new(),
            reaches: BTreeSet::new(),
        });
        may.rights.push(right);
        may.reaches.extend(reaches);
    }
    let mut all: Vec<May<'a>> = all.into_values().collect();
    all.sort_by_cached_key(|may| (rank(may), may.trustee.to_string(), &may.trustee.sid));
    all
}

fn rank(may: &May<'_>) -> u8 {
    match (may.reaches.is_empty(), may.trustee.standing) {
        (false, _) => 0,
        (true, Standing::Ordinary) => 1,
        (true, Standing::Particular) => 2,
        (true, Standing::Privileged) => 3,
    }
}

/// The ordinary accounts that a grant is for: `users and computers`.
fn ordinary(reaches: &BTreeSet<Ordinary>) -> String {
    let names: Vec<&str> = reaches.iter().map(|one| one.name()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A trustee with its identifier, and what is known of it, each part once.
fn described(trustee: &Trustee, reaches: &BTreeSet<Ordinary>) -> String {
    let mut parts = vec![match &trustee.name {
        Some(name) => format!("{name} ({})", trustee.sid),
        None => trustee.sid.clone(),
    }];
    parts.push(match (reaches.is_empty(), trustee.standing) {
        (false, _) => format!("reaches ordinary {}", ordinary(reaches)),
        (true, standing) => standing.name().to_owned(),
    });
    if !trustee.through.is_empty() {
        parts.push(format!("through {}", trustee.through.join(" > ")));
    }
    parts.extend(
        trustee
            .members
            .map(|count| words::count(count as usize, "account in it", "accounts in it")),
    );
    parts.join(", ")
}

/// Who has one of these rights, a line for each trustee, with the rights where there may be
/// several.
pub(crate) fn lines(access: &Access, rights: impl Fn(&Right) -> bool, say: bool) -> Vec<String> {
    let all = by_trustee(access, rights).into_iter();
    let told = all.map(|may| {
        let who = described(may.trustee, &may.reaches);
        if !say {
            return who;
        }
        let names: Vec<String> = may.rights.iter().map(|right| right.name()).collect();
        format!("{who}: {}", names.join(", "))
    });
    told.collect()
}

/// Who has one of these rights, in as few words as tables have room for: ordinary accounts and
/// particular trustees by name, privileged ones by number.
pub(crate) fn short(access: Option<&Access>, rights: impl Fn(&Right) -> bool) -> Vec<String> {
    let Some(access) = access else { return vec!["not read".to_owned()] };
    let all = by_trustee(access, rights);
    let mut told = named(&all);
    if told.len() < all.len() {
        told.push(format!("{} privileged", all.len() - told.len()));
    }
    if told.is_empty() { vec!["nobody".to_owned()] } else { told }
}

/// Who has one of these rights without being privileged.
pub(crate) fn unprivileged(access: &Access, rights: impl Fn(&Right) -> bool) -> Vec<String> {
    named(&by_trustee(access, rights))
}

/// Who has one of these rights, in a few words: which ordinary accounts, and how many more
/// trustees.
pub(crate) fn counted(access: Option<&Access>, rights: impl Fn(&Right) -> bool) -> String {
    let Some(access) = access else { return "not read".to_owned() };
    let all = by_trustee(access, rights);
    let reaches: BTreeSet<Ordinary> = all.iter().flat_map(|may| may.reaches.clone()).collect();
    let others = all.iter().filter(|may| may.reaches.is_empty()).count();
    match (reaches.is_empty(), others) {
        (true, 0) => "nobody".to_owned(),
        (true, _) => words::count(others, "trustee", "trustees"),
        (false, 0) => format!("ordinary {}", ordinary(&reaches)),
        (false, _) => format!("ordinary {}, {others} more", ordinary(&reaches)),
    }
}

fn named(all: &[May<'_>]) -> Vec<String> {
    let named = all.iter().filter(|may| rank(may) < 3).map(|may| match may.reaches.is_empty() {
        true => may.trustee.to_string(),
        false => format!("{} (ordinary {})", may.trustee, ordinary(&may.reaches)),
    });
    named.collect()
}

/// Whether the right is to enrol.
pub(crate) fn enrols(right: &Right) -> bool {
    *right == Right::Enrol
}

/// Whether the right is to be enrolled without asking.
pub(crate) fn auto_enrols(right: &Right) -> bool {
    *right == Right::AutoEnrol
}

/// What does not enrol and does not take over.
pub(crate) fn creates(right: &Right) -> bool {
    *right == Right::CreateChild
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(right: Right, name: &str, standing: Standing, reaches: &[Ordinary]) -> Grant {
        let trustee = Trustee {
            sid: format!("S-1-5-{name}"),
            name: Some(name.to_owned()),
            standing,
            through: Vec::new(),
            members: None,
        };
        Grant { right, trustee, reaches: reaches.to_vec() }
    }

    #[test]
    fn ordinary_accounts_come_first_and_privileged_ones_are_counted() {
        let access = Access {
            grants: vec![
                grant(Right::Enrol, "Admins", Standing::Privileged, &[]),
                grant(Right::Enrol, "A team", Standing::Particular, &[]),
                grant(Right::Enrol, "Domain Users", Standing::Ordinary, &[Ordinary::User]),
                grant(Right::WriteDacl, "Admins", Standing::Privileged, &[]),
                grant(Right::WriteOwner, "Admins", Standing::Privileged, &[]),
            ],
            ..Access::default()
        };
        assert_eq!(
            short(Some(&access), enrols),
            ["Domain Users (ordinary users)", "A team", "1 privileged"]
        );
        assert_eq!(counted(Some(&access), enrols), "ordinary users, 2 more");
        assert_eq!(counted(Some(&access), Right::is_takeover), "1 trustee");
        assert_eq!(short(None, enrols), ["not read"]);
        assert_eq!(short(Some(&Access::default()), enrols), ["nobody"]);
        assert_eq!(
            lines(&access, Right::is_takeover, true),
            ["Admins (S-1-5-Admins), privileged: write the access list, write the owner"]
        );
    }
}
