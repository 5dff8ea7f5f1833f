//! What people read of the members of a trust store.

use pki_inventory::{Dates, Member, MemberFacts, Time, TrustStore, View, members};

/// How many members have what against them.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) members: usize,
    /// Not in the inventory, so that nothing is known of them.
    pub(crate) unknown: usize,
    pub(crate) expired: usize,
    pub(crate) not_yet_valid: usize,
    pub(crate) weak_key: usize,
    /// Where somebody relies on that signature.
    pub(crate) weak_signature: usize,
    pub(crate) distrusted: usize,
}

/// The members at an instant, those with something against them first, then by name.
pub(crate) fn sorted<'a>(store: &TrustStore, view: &View<'a>, at: Time) -> Vec<Member<'a>> {
    let mut all = members(store, view, at);
    all.sort_by_cached_key(|member| {
        let facts = member.facts.as_ref();
        let clean = facts.is_some_and(|facts| against(facts).is_empty());
        (clean, facts.map(|facts| facts.certificate.display_name()), member.sha256)
    });
    all
}

/// What speaks against a member, each in a few words; empty for most.
pub(crate) fn against(facts: &MemberFacts<'_>) -> Vec<String> {
    let mut told = Vec::new();
    match facts.dates {
        Dates::Valid => {}
        Dates::Expired => told.push(format!("expired {}", facts.certificate.not_after.date())),
        Dates::NotYetValid => {
            told.push(format!("not valid before {}", facts.certificate.not_before.date()));
        }
    }
    told.extend(facts.weak_key.as_ref().map(|key| format!("weak key, {key}")));
    told.extend(weak_signature(facts).map(|hash| format!("signed with {hash}")));
    told.extend(facts.distrusted.map(|one| {
        let from = one.issued_from.map_or_else(String::new, |from| {
            format!(", for what it issues from {} on", from.date())
        });
        format!("distrusted by Mozilla's root program as {}{from}", one.label)
    }));
    told
}

/// A weak hash of a signature that somebody relies on.
fn weak_signature<'f>(facts: &'f MemberFacts<'_>) -> Option<&'f str> {
    facts.weak_signature.as_deref().filter(|_| facts.signature_matters)
}

impl Counts {
    /// Counts them.
    pub(crate) fn of(members: &[Member<'_>]) -> Self {
        let mut counts = Self { members: members.len(), ..Self::default() };
        for member in members {
            let Some(facts) = &member.facts else {
                counts.unknown += 1;
                continue;
            };
            counts.expired += usize::from(facts.dates == Dates::Expired);
            counts.not_yet_valid += usize::from(facts.dates == Dates::NotYetValid);
            counts.weak_key += usize::from(facts.weak_key.is_some());
            counts.weak_signature += usize::from(weak_signature(facts).is_some());
            counts.distrusted += usize::from(facts.distrusted.is_some());
        }
        counts
    }

    /// `1 expired`, `2 with a weak key`: what there is at least one of.
    pub(crate) fn lines(&self) -> Vec<String> {
        [
            (self.expired, "expired"),
            (self.not_yet_valid, "not valid yet"),
            (self.weak_key, "with a weak key"),
            (self.weak_signature, "with a weak signature"),
            (self.distrusted, "distrusted by a root program"),
            (self.unknown, "not in the inventory"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}
