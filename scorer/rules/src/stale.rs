//! Certificates in an object of a directory that nobody should rely on any more.

use pki_inventory::{Dates, DirectoryObject, Member, MemberFacts, TrustStore, members};

use crate::enrolment::limited;
use crate::{Outcome, RuleContext};

/// Judges the certificates of an object: all of them have to be valid and strong.
pub(crate) fn stale(object: &DirectoryObject, cx: &RuleContext<'_>) -> Outcome {
    let store = TrustStore { members: object.certificates.iter().copied().collect() };
    let all: Vec<Member<'_>> = members(&store, cx.view, cx.as_of);
    let unread = all.iter().filter(|member| member.facts.is_none()).count();
    let known = all.iter().filter_map(|member| member.facts.as_ref());
    let found: Vec<String> = known.filter_map(why).collect();
    if !found.is_empty() {
        let (stale, all) = (found.len(), all.len());
        return Outcome::NotMet(format!(
            "of {all} {}: {}",
            if stale == 1 { "one is stale".to_owned() } else { format!("{stale} are stale") },
            limited(found.into_iter())
        ));
    }
    match (all.len(), unread) {
        (0, _) => Outcome::NotApplicableBecause("holds no certificate".to_owned()),
        (_, 0) => Outcome::Met,
        (all, unread) => {
            Outcome::Unknown(format!("{unread} of {all} certificates are not in the inventory"))
        }
    }
}

fn why(one: &MemberFacts<'_>) -> Option<String> {
    let mut reasons = Vec::new();
    if one.dates == Dates::Expired {
        reasons.push(format!("expired on {}", one.certificate.not_after.date()));
    }
    reasons.extend(one.weak_key.as_ref().map(|key| format!("has the weak key {key}")));
    let signature = one.weak_signature.as_ref().filter(|_| one.signature_matters);
    reasons.extend(signature.map(|hash| format!("is signed with {hash}")));
    let name = one.certificate.display_name();
    (!reasons.is_empty()).then(|| format!("{name} {}", reasons.join(" and ")))
}
