//! Which public half a private key has that does not tell its own.
//!
//! Many modules tell of a private key on a curve nothing but the curve; its point is in the public key
//! or the certificate beside it, with the same `CKA_ID` (PKCS #11 v3.1, 4.6.3). People set that id, and
//! people make mistakes: where two answers are possible there is none.

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
    /// Digest of `CKA_LABEL`, unless that is empty.
    pub(crate) label: Option<Digest>,
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
    let halves: Vec<(usize, PublicHalf)> = claimants(members)
        .filter_map(|(at, member)| known.half_of(member, members).map(|half| (at, half.clone())))
        .collect();
    for (at, half) in halves {
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
    by_label: BTreeMap<Digest, Vec<usize>>,
    /// How many private keys look for one under this id or label. Of two that do, one is wrong.
    ids_asked: BTreeMap<Digest, usize>,
    labels_asked: BTreeMap<Digest, usize>,
}

impl Known {
    fn of(members: &[Member]) -> Self {
        let mut known = Self {
            taken: BTreeSet::new(),
            by_modulus: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_label: BTreeMap::new(),
            ids_asked: BTreeMap::new(),
            labels_asked: BTreeMap::new(),
        };
        for (at, member) in members.iter().enumerate() {
            match (member.role, member.half.spki) {
                (Role::Public, Some(spki)) => {
                    if let Some(modulus) = member.half.modulus {
                        let one = known.by_modulus.entry(modulus).or_insert(Some(at));
                        *one = one.filter(|one| members[*one].half.spki == Some(spki));
                    }
                    for (index, key) in
                        [(&mut known.by_id, member.id), (&mut known.by_label, member.label)]
                    {
                        if let Some(key) = key {
                            index.entry(key).or_default().push(at);
                        }
                    }
                }
                (Role::Private, Some(spki)) => {
                    known.taken.insert(spki);
                }
                (Role::Private, None) => {
                    for (asked, key) in
                        [(&mut known.ids_asked, member.id), (&mut known.labels_asked, member.label)]
                    {
                        if let Some(key) = key {
                            *asked.entry(key).or_default() += 1;
                        }
                    }
                }
                _ => {}
            }
        }
        known
    }

    /// The one public half that fits, if there is exactly one.
    fn half_of<'m>(&self, private: &Member, members: &'m [Member]) -> Option<&'m PublicHalf> {
        let among = |index: &BTreeMap<Digest, Vec<usize>>, key: Digest| {
            let all = index.get(&key).map_or(&[][..], Vec::as_slice).iter();
            all.map(|at| &members[*at]).collect::<Vec<_>>()
        };
        // The modulus is the key: no name says more, and none says otherwise.
        if let Some(modulus) = private.half.modulus {
            let one = self.by_modulus.get(&modulus)?;
            return one.map(|at| &members[at].half);
        }
        let fits = |offer: &&Member| {
            let taken = offer.half.spki.is_none_or(|spki| self.taken.contains(&spki));
            !taken && agree(private.half.algorithm.as_ref(), offer.half.algorithm.as_ref())
        };
        if let Some(id) = private.id.filter(|id| self.ids_asked.get(id) == Some(&1)) {
            let offers = among(&self.by_id, id);
            if !offers.is_empty() {
                return only(offers.into_iter().filter(fits));
            }
        }
        let label = private.label.filter(|label| self.labels_asked.get(label) == Some(&1))?;
        // With two ids that differ, somebody has said that they do not belong together.
        let ids = |offer: &&Member| private.id.is_none() || offer.id.is_none();
        only(among(&self.by_label, label).into_iter().filter(ids).filter(fits))
    }
}

/// The half that all of them have.
fn only<'m>(mut offers: impl Iterator<Item = &'m Member>) -> Option<&'m PublicHalf> {
    let first = &offers.next()?.half;
    offers.all(|other| other.half.spki == first.spki).then_some(first)
}
