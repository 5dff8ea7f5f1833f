//! The certificates for the same names, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::disk::Disk;
use crate::{Asset, AssetId, Certificate, Time};

/// Certificates for exactly the same names, and what follows from all of them together: hosts have
/// thousands for `localhost`, so nothing here is computed for each of them anew.
#[derive(Debug, Default)]
pub(crate) struct Lineage<'a> {
    /// By id.
    pub(crate) assets: Vec<&'a Asset>,
    /// What each trace of automation manages of it.
    pub(crate) traces: BTreeMap<AssetId, Kept<'a>>,
    /// The newest that some trace manages, by the algorithm of the key, with one that does.
    kept: BTreeMap<&'a str, Newest<'a>>,
    /// Organisations that issued within a year of a certificate, where there are several.
    pub(crate) organisations: BTreeMap<AssetId, Organisations<'a>>,
    /// The latest beginning, by the algorithm of the key.
    newest: BTreeMap<&'a str, Time>,
    /// Beginnings in order, each with the latest end of what begins then or later.
    ends: Vec<(Time, Time)>,
}

/// The certificates of one lineage that one trace manages.
#[derive(Debug, Default)]
pub(crate) struct Kept<'a> {
    /// How many.
    pub(crate) count: usize,
    /// The latest end.
    pub(crate) ends: Option<Time>,
    /// The newest, by the algorithm of the key.
    newest: BTreeMap<&'a str, Newest<'a>>,
}

/// A certificate and a trace that manages it.
type Newest<'a> = (&'a Certificate, &'a Asset);

/// Organisations, a few of them by name.
#[derive(Debug)]
pub(crate) struct Organisations<'a> {
    /// The first, sorted.
    pub(crate) first: Vec<&'a str>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// Organisations that are named.
const NAMED: usize = 4;

impl<'a> Lineage<'a> {
    pub(crate) fn of(assets: Vec<&'a Asset>, disk: &Disk<'a>) -> Self {
        let mut lineage = Self::default();
        let mut ordered: Vec<(&'a Asset, &'a Certificate)> =
            assets.iter().filter_map(|asset| Some((*asset, asset.certificate()?))).collect();
        ordered.sort_by_key(|(asset, one)| (one.not_before, asset.id));
        for (asset, one) in &ordered {
            let newest = lineage.newest.entry(&one.key.name).or_insert(one.not_before);
            *newest = one.not_before.max(*newest);
            // In the order of their beginnings: each one is newer than those before.
            let traces = if one.is_authority() { Vec::new() } else { disk.traces_of(asset) };
            for trace in traces {
                lineage.kept.insert(&one.key.name, (*one, trace));
                let kept = lineage.traces.entry(trace.id).or_default();
                kept.count += 1;
                kept.ends = kept.ends.max(Some(one.not_after));
                kept.newest.insert(&one.key.name, (*one, trace));
            }
        }
        let mut latest = Time(i64::MIN);
        for (_, one) in ordered.iter().rev() {
            latest = latest.max(one.not_after);
            lineage.ends.push((one.not_before, latest));
        }
        lineage.ends.reverse();
        lineage.organisations = organisations(&ordered);
        lineage.assets = assets;
        lineage
    }

    /// See [`View::is_outlasted`](crate::View::is_outlasted).
    pub(crate) fn is_outlasted(&self, certificate: &Certificate, until: Time) -> bool {
        let later = self.ends.partition_point(|(begins, _)| *begins <= certificate.not_before);
        self.ends.get(later).is_some_and(|(_, latest)| *latest >= until)
    }

    /// See [`View::is_renewed`](crate::View::is_renewed).
    pub(crate) fn is_renewed(&self, certificate: &Certificate, traces: &[&Asset]) -> bool {
        let same = self.newest.get(certificate.key.name.as_str()).copied();
        let kept = traces.iter().filter_map(|trace| self.traces.get(&trace.id));
        let kept = kept.flat_map(|kept| kept.newest.values()).map(|(one, _)| one.not_before);
        kept.chain(same).any(|begins| begins > certificate.not_before)
    }

    /// See [`View::newest_kept`](crate::View::newest_kept).
    pub(crate) fn newest_kept(
        &self,
        certificate: &Certificate,
        traces: Option<&[&Asset]>,
    ) -> Option<Newest<'a>> {
        let name = certificate.key.name.as_str();
        let Some(traces) = traces else { return self.kept.get(name).copied() };
        let kept = traces.iter().filter_map(|trace| self.traces.get(&trace.id)?.newest.get(name));
        kept.copied().max_by_key(|(one, _)| one.not_before)
    }
}

/// For each certificate the organisations that issued others within a year of it, in one pass over
/// the certificates by their beginnings.
fn organisations<'a>(
    ordered: &[(&'a Asset, &'a Certificate)],
) -> BTreeMap<AssetId, Organisations<'a>> {
    let organisation = |one: &'a Certificate| one.issuer.organisation.as_deref();
    let all: BTreeSet<&str> = ordered.iter().filter_map(|(_, one)| organisation(one)).collect();
    if all.len() < 2 {
        return BTreeMap::new();
    }
    let mut found = BTreeMap::new();
    let mut within: BTreeMap<&'a str, usize> = BTreeMap::new();
    let (mut from, mut to) = (0, 0);
    for (asset, one) in ordered {
        let (first, last) = (one.not_before.plus_days(-365), one.not_before.plus_days(365));
        while let Some((_, next)) = ordered.get(to).filter(|(_, next)| next.not_before <= last) {
            if let Some(name) = organisation(next) {
                *within.entry(name).or_default() += 1;
            }
            to += 1;
        }
        while let Some((_, next)) = ordered.get(from).filter(|(_, next)| next.not_before < first) {
            if let Some(name) = organisation(next)
                && let Some(count) = within.get_mut(name)
            {
                *count -= 1;
                if *count == 0 {
                    within.remove(name);
                }
            }
            from += 1;
        }
        if within.len() > 1 {
            let first: Vec<&str> = within.keys().copied().take(NAMED).collect();
            let more = within.len() - first.len();
            found.insert(asset.id, Organisations { first, more });
        }
    }
    found
}
