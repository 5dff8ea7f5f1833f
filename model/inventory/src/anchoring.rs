//! How a presented chain stands to each trust store that was found.
//!
//! Paths follow names and key identifiers, as in [`ChainFacts`](crate::ChainFacts), and dates. What
//! a relying party checks besides, signatures, name constraints, purposes and revocation, is not
//! looked at: a path that is found here may still be refused, one that is not found would be.

use std::collections::BTreeSet;

use crate::{Asset, AssetId, Body, Certificate, Digest, Endpoint, Kind, Time, View};

/// A chain and one trust store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchoring {
    /// The trust store.
    pub store: AssetId,
    /// Whether a path leads there, and if not, why not.
    pub path: AnchorPath,
}

/// The path from the first certificate of a chain to a member of a trust store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorPath {
    /// There is one, all of it within its dates when the endpoint was asked.
    Found,
    /// There is one, but this certificate of it is outside of its dates.
    Expired(Digest),
    /// There is one, but it leads through these, which were not sent, the lowest first.
    Missing(Vec<Digest>),
    /// There is none.
    UnknownAnchor,
    /// Not to be said; the reason.
    NotObserved(String),
}

/// Certificates looked at on the way; see the same limit of chain facts.
const MOST_STEPS: usize = 64;

/// How the chain that an endpoint showed stands to every trust store of the inventory.
#[must_use]
pub fn anchorings(endpoint: &Endpoint, view: &View<'_>) -> Vec<Anchoring> {
    let Some(session) = endpoint.session() else { return Vec::new() };
    if session.chain.is_empty() {
        return Vec::new();
    }
    let stores = view.inventory().assets().filter_map(|asset| match &asset.body {
        Body::TrustStore(store) => Some((asset.id, &store.members)),
        _ => None,
    });
    stores
        .map(|(store, members)| {
            let path = to(members, &session.chain, endpoint.observed, view);
            Anchoring { store, path }
        })
        .collect()
}

/// A certificate on the way up, and the one it issued.
struct Step<'a> {
    sha256: Digest,
    certificate: &'a Certificate,
    below: Option<usize>,
}

fn to(members: &BTreeSet<Digest>, chain: &[Digest], at: Time, view: &View<'_>) -> AnchorPath {
    let id = |sha256| AssetId::new(Kind::Certificate, sha256);
    let known = |sha256| view.inventory().get(id(sha256)).and_then(Asset::certificate);
    let Some(first) = known(chain[0]) else {
        return AnchorPath::NotObserved(
            "the first certificate of the chain did not parse".to_owned(),
        );
    };
    let mut steps = vec![Step { sha256: chain[0], certificate: first, below: None }];
    let mut seen = BTreeSet::from([chain[0]]);
    let mut faulty: Option<AnchorPath> = None;
    let mut next = 0;
    // Nearest first, so that the shortest path is found; one with a fault is kept until a better
    // one is found.
    while let Some(step) = steps.get(next) {
        if members.contains(&step.sha256) {
            match verdict(&steps, next, chain, members, at) {
                AnchorPath::Found => return AnchorPath::Found,
                fault => faulty = Some(faulty.unwrap_or(fault)),
            }
        }
        let certificate = step.certificate;
        for asset in view.issuers(certificate) {
            if let Some(certificate) = asset.certificate()
                && steps.len() < MOST_STEPS
                && seen.insert(asset.id.sha256)
            {
                let sha256 = asset.id.sha256;
                steps.push(Step { sha256, certificate, below: Some(next) });
            }
        }
        next += 1;
    }
    faulty.unwrap_or(AnchorPath::UnknownAnchor)
}

/// What is wrong with the path that ends at a step.
fn verdict(
    steps: &[Step<'_>],
    end: usize,
    chain: &[Digest],
    members: &BTreeSet<Digest>,
    at: Time,
) -> AnchorPath {
    let mut path = Vec::new();
    let mut here = Some(end);
    while let Some(step) = here.and_then(|here| steps.get(here)) {
        path.push(step);
        here = step.below;
    }
    path.reverse();
    let is_outside =
        |step: &&&Step<'_>| step.certificate.not_after < at || at < step.certificate.not_before;
    if let Some(step) = path.iter().find(is_outside) {
        return AnchorPath::Expired(step.sha256);
    }
    let is_missing = |sha256: &Digest| !chain.contains(sha256) && !members.contains(sha256);
    let missing: Vec<Digest> = path.iter().map(|step| step.sha256).filter(is_missing).collect();
    if missing.is_empty() { AnchorPath::Found } else { AnchorPath::Missing(missing) }
}

impl AnchorPath {
    /// The word for it in exports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Expired(_) => "expired",
            Self::Missing(_) => "missing-intermediate",
            Self::UnknownAnchor => "unknown-anchor",
            Self::NotObserved(_) => "not-observed",
        }
    }
}
