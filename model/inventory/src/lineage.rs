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
    /// Those that a trace of automation manages, by id.
    pub(crate) managed: Vec<&'a Asset>,
    /// What each trace of automation manages of it.
    pub(crate) traces: BTreeMap<AssetId, Kept>,
    /// Organisations that issued within a year of a certificate, where there are several.
    pub(crate) organisations: BTreeMap<AssetId, Organisations<'a>>,
    /// The latest beginning, by the algorithm of the key.
    newest: BTreeMap<&'a str, Time>,
    /// Beginnings in order, each with the latest end of what begins then or later.
    ends: Vec<(Time, Time)>,
}

/// The certificates of one lineage that one trace manages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// How many.
    pub(crate) count: usize,
    /// The latest beginning.
    pub(crate) begins: Time,
    /// The latest end.
    pub(crate) ends: Time,
}

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
            let traces = if one.is_authority() { Vec::new() } else { disk.traces_of(asset) };
            if !traces.is_empty() {
                lineage.managed.push(asset);
            }
            for trace in traces {
                let (begins, ends) = (one.not_before, one.not_after);
                let kept =
                    lineage.traces.entry(trace.id).or_insert(Kept { count: 0, begins, ends });
                kept.count += 1;
                kept.begins = kept.begins.max(begins);
                kept.ends = kept.ends.max(ends);
            }
        }
        let mut latest = Time(i64::MIN);
        for (_, one) in ordered.iter().rev() {
            latest = latest.max(one.not_after);
            lineage.ends.push((one.not_before, latest));
        }
        lineage.ends.reverse();
        lineage.managed.sort_by_key(|asset| asset.id);
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
        kept.map(|kept| kept.begins).chain(same).any(|begins| begins > certificate.not_before)
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
