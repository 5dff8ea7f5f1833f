//! Which public half a private key has that does not tell its own.
//!
//! Many modules tell of a private key on a curve nothing but the curve; its point is in the public key
//! or the certificate beside it, with the same `CKA_ID` (PKCS #11 v3.1, 4.6.3). People set that id, and
//! people make mistakes: where two answers are possible there is none, and where there is one, it is
//! said that it rests on the id. Labels are for people and pair nothing: each `CA key` of a token may be
//! another one.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::Digest;

use crate::public_half::{PublicHalf, agree};

/// An object, as far as it matters to which other it belongs.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) role: Role,
    pub(crate) half: PublicHalf,
    /// Digest of `CKA_ID`, unless that is empty.
    pub(crate) id: Option<Digest>,
    /// How its public half is known, where it is.
    pub(crate) told_by: ToldBy,
}

/// What tells which public half a key has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ToldBy {
    /// The object: all of the public half, or the modulus, which only one key has.
    #[default]
    Itself,
    /// Another object with the same `CKA_ID`.
    Id,
}

/// What an object can be in a pair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// A private key.
    Private,
    /// A public key or a certificate.
    Public,
    /// Neither.
    #[default]
    Other,
}

/// Gives each private key that does not tell its public half the one it has to be, if there is one.
pub(crate) fn pair(members: &mut [Member]) {
    let known = Known::of(members);
    let halves: Vec<(usize, PublicHalf, ToldBy)> = claimants(members)
        .filter_map(|(at, member)| {
            known.half_of(member, members).map(|(half, told_by)| (at, half.clone(), told_by))
        })
        .collect();
    for (at, half, told_by) in halves {
        members[at].told_by = told_by;
        let own = &mut members[at].half;
        own.spki = half.spki;
        // The encoding does not tell the size of every kind, the object may.
        if own.algorithm.as_ref().is_none_or(|own| own.bits.is_none()) {
            own.algorithm = half.algorithm.or_else(|| own.algorithm.take());
        }
    }
}

/// The private keys that do not tell their public half.
fn claimants(members: &[Member]) -> impl Iterator<Item = (usize, &Member)> {
    let all = members.iter().enumerate();
    all.filter(|(_, member)| member.role == Role::Private && member.half.spki.is_none())
}

/// What there is to choose from.
struct Known {
    /// Public halves that a private key has told as its own.
    taken: BTreeSet<Digest>,
    /// One of those that have it; none where they differ in their exponent.
    by_modulus: BTreeMap<Digest, Option<usize>>,
    by_id: BTreeMap<Digest, Vec<usize>>,
    /// How many private keys look for one under this id. Of two that do, one is wrong.
    ids_asked: BTreeMap<Digest, usize>,
}

impl Known {
    fn of(members: &[Member]) -> Self {
        let mut known = Self {
            taken: BTreeSet::new(),
            by_modulus: BTreeMap::new(),
            by_id: BTreeMap::new(),
            ids_asked: BTreeMap::new(),
        };
        for (at, member) in members.iter().enumerate() {
            match (member.role, member.half.spki) {
                (Role::Public, Some(spki)) => {
                    if let Some(modulus) = member.half.modulus {
                        let one = known.by_modulus.entry(modulus).or_insert(Some(at));
                        *one = one.filter(|one| members[*one].half.spki == Some(spki));
                    }
                    if let Some(id) = member.id {
                        known.by_id.entry(id).or_default().push(at);
                    }
                }
                (Role::Private, Some(spki)) => {
                    known.taken.insert(spki);
                }
                (Role::Private, None) => {
                    if let Some(id) = member.id {
                        *known.ids_asked.entry(id).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        known
    }

    /// The one public half that fits, if there is exactly one.
    fn half_of<'m>(
        &self,
        private: &Member,
        members: &'m [Member],
    ) -> Option<(&'m PublicHalf, ToldBy)> {
        // The modulus is the key: no name says more, and none says otherwise.
        if let Some(modulus) = private.half.modulus {
            let one = self.by_modulus.get(&modulus)?;
            return one.map(|at| (&members[at].half, ToldBy::Itself));
        }
        let fits = |offer: &&Member| {
            let taken = offer.half.spki.is_none_or(|spki| self.taken.contains(&spki));
            !taken && agree(private.half.algorithm.as_ref(), offer.half.algorithm.as_ref())
        };
        let id = private.id.filter(|id| self.ids_asked.get(id) == Some(&1))?;
        let offers = self.by_id.get(&id)?.iter().map(|at| &members[*at]);
        only(offers.filter(fits)).map(|half| (half, ToldBy::Id))
    }
}

/// The half that all of them have.
fn only<'m>(mut offers: impl Iterator<Item = &'m Member>) -> Option<&'m PublicHalf> {
    let first = &offers.next()?.half;
    offers.all(|other| other.half.spki == first.spki).then_some(first)
}
