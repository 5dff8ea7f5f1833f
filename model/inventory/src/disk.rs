//! What lies where on disk: the index behind the joins by path.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::automations::is_for;
use crate::starting::archive;
use crate::{
    Asset, AssetId, Automation, AutomationRole, Body, Digest, Half, Inventory, Place, Sighting,
    View,
};

/// Assets by the files they lie in, and what files say of other files. Paths are encoded as in
/// [`Place::file`].
#[derive(Debug, Default)]
pub(crate) struct Disk<'a> {
    /// Certificates, by file.
    pub(crate) certificates: BTreeMap<&'a str, Vec<&'a Asset>>,
    /// The SPKI of private keys, by file.
    pub(crate) private_keys: BTreeMap<&'a str, Vec<Digest>>,
    /// Traces of one certificate each, by the paths they manage; folders end in `/`.
    pub(crate) managed: BTreeMap<String, Vec<&'a Asset>>,
    /// The same, by the file they lie in.
    pub(crate) lineages: BTreeMap<&'a str, Vec<&'a Asset>>,
    /// Schedules by tool and by the image or archive they lie in, see
    /// [`archive`](crate::starting::archive).
    pub(crate) schedules: BTreeMap<(&'a str, &'a str), Vec<&'a Asset>>,
    /// Schedules and monitors, by tool.
    pub(crate) tools: BTreeMap<AutomationRole, BTreeMap<&'a str, Vec<&'a Asset>>>,
    pub(crate) keys: BTreeMap<Digest, Vec<&'a Asset>>,
    keystores: BTreeMap<AssetId, Vec<&'a Asset>>,
}

/// Traces that one certificate has: a host has a few tools, and whoever plants thousands of traces
/// for one folder shall not make each certificate below it cost that much.
const MOST_TRACES: usize = 64;

impl<'a> Disk<'a> {
    /// Indexes everything that lies in a file.
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let mut disk = Self::default();
        for asset in inventory.assets() {
            match &asset.body {
                Body::Certificate(_) => {
                    for path in file_paths(asset) {
                        push(disk.certificates.entry(path).or_default(), asset);
                    }
                }
                Body::Key(key) => {
                    let Some(spki) = key.spki else { continue };
                    disk.keys.entry(spki).or_default().push(asset);
                    for sighting in asset.sightings().filter(|sighting| is_private(sighting)) {
                        if let Some(path) = file_path(&sighting.place) {
                            disk.private_keys.entry(path).or_default().push(spki);
                        }
                    }
                }
                Body::Keystore(store) => {
                    for id in store.entries.iter().flat_map(|entry| &entry.assets) {
                        push(disk.keystores.entry(*id).or_default(), asset);
                    }
                }
                Body::Automation(automation) => disk.add_automation(asset, automation),
                _ => {}
            }
        }
        disk
    }

    fn add_automation(&mut self, asset: &'a Asset, automation: &'a Automation) {
        if automation.role != AutomationRole::Lineage {
            let tools = self.tools.entry(automation.role).or_default();
            tools.entry(&automation.tool).or_default().push(asset);
            if automation.role == AutomationRole::Schedule {
                for path in file_paths(asset) {
                    let key = (automation.tool.as_str(), archive(path).0);
                    push(self.schedules.entry(key).or_default(), asset);
                }
            }
            return;
        }
        for path in file_paths(asset) {
            push(self.lineages.entry(path).or_default(), asset);
            for managed in &automation.manages {
                push(self.managed.entry(beside(path, managed)).or_default(), asset);
            }
        }
    }

    /// The certificates in the file of this path that are not those of authorities, unless all are.
    ///
    /// certbot's `live/<name>/<file>.pem` is a link to the newest `archive/<name>/<file><N>.pem`: where
    /// nothing was seen under the former, the highest number of the latter stands for it.
    pub(crate) fn leaves_at(&self, path: &str) -> Vec<&'a Asset> {
        let found = self.certificates.get(path).or_else(|| live(&self.certificates, path));
        let all = found.map_or(&[][..], Vec::as_slice);
        let leaves: Vec<_> = all.iter().copied().filter(|asset| !is_authority(asset)).collect();
        if leaves.is_empty() { all.to_vec() } else { leaves }
    }

    /// The traces of automation that manage a certificate, see
    /// [`View::automation_of`](crate::View::automation_of).
    pub(crate) fn traces_of(&self, certificate: &Asset) -> Vec<&'a Asset> {
        let mut found = BTreeMap::new();
        for path in file_paths(certificate) {
            let folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
            let managing = folders.chain([path]).filter_map(|path| self.managed.get(path));
            let managing = managing.flatten().take(MOST_TRACES);
            found.extend(managing.map(|asset| (asset.id, *asset)));
            let beside = self.lineages.get(path).into_iter().flatten();
            found.extend(beside.filter(|it| is_for(it, certificate)).map(|it| (it.id, *it)));
            if found.len() >= MOST_TRACES {
                break;
            }
        }
        found.into_values().take(MOST_TRACES).collect()
    }

    /// The files with certificates from this path on, sorted.
    pub(crate) fn below(&self, start: &str) -> impl Iterator<Item = (&'a str, &Vec<&'a Asset>)> {
        let from = (Bound::Included(start), Bound::Unbounded);
        self.certificates.range::<str, _>(from).map(|(path, assets)| (*path, assets))
    }
}

impl<'a> View<'a> {
    /// The certificates that lie in the file of this path, encoded as in [`Place::file`]; only
    /// those of authorities where there are no others.
    #[must_use]
    pub fn certificates_at(&self, path: &str) -> Vec<&'a Asset> {
        self.disk.leaves_at(path)
    }

    /// The keys whose private half lies in the file of this path, encoded as in [`Place::file`]; of
    /// certbot's `live` as [`certificates_at`](Self::certificates_at) has it. Keys whose format shows
    /// no public half without a passphrase are not among them.
    #[must_use]
    pub fn private_keys_at(&self, path: &str) -> Vec<&'a Asset> {
        let keys = &self.disk.private_keys;
        let found = keys.get(path).or_else(|| live(keys, path)).map_or(&[][..], Vec::as_slice);
        let distinct: BTreeSet<&Digest> = found.iter().collect();
        let assets = distinct.into_iter().filter_map(|spki| self.disk.keys.get(spki)?.first());
        assets.copied().collect()
    }

    /// The keystores that a certificate or key lies in.
    #[must_use]
    pub fn keystores_of(&self, id: AssetId) -> &[&'a Asset] {
        self.disk.keystores.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Every place where the private half of this key was seen, in files, keystores and layers of
    /// images alike, with the asset that was seen there. Copies whose format shows no public half
    /// without a passphrase are not among them.
    #[must_use]
    pub fn private_places(&self, spki: Digest) -> Vec<(&'a Asset, &'a Sighting)> {
        let assets = self.disk.keys.get(&spki).map_or(&[][..], Vec::as_slice);
        let places = assets.iter().flat_map(|asset| asset.sightings().map(move |at| (*asset, at)));
        places.filter(|(_, sighting)| is_private(sighting)).collect()
    }
}

/// What lies where a path of certbot's `live` leads to, by file.
fn live<'m, T>(files: &'m BTreeMap<&str, T>, path: &str) -> Option<&'m T> {
    let (folder, rest) = path.rsplit_once("/live/")?;
    let (name, file) = rest.split_once('/')?;
    let start = format!("{folder}/archive/{name}/{}", file.strip_suffix(".pem")?);
    let from = (Bound::Included(start.as_str()), Bound::Unbounded);
    let below = files.range::<str, _>(from);
    let mut newest = None;
    for (path, here) in below.take_while(|(path, _)| path.starts_with(&start)) {
        let number = path[start.len()..].strip_suffix(".pem").map(str::parse::<u32>);
        if let Some(Ok(number)) = number
            && newest.is_none_or(|(before, _)| before < number)
        {
            newest = Some((number, here));
        }
    }
    newest.map(|(_, here)| here)
}

/// The files an asset lies in, each once for every object of it.
pub(crate) fn file_paths(asset: &Asset) -> impl Iterator<Item = &str> {
    asset.places().filter_map(file_path)
}

/// The encoded path of a file place.
pub(crate) fn file_path(place: &Place) -> Option<&str> {
    match place {
        Place::File { path, .. } => Some(path),
        _ => None,
    }
}

/// A path that a file names, as seen from where that file lies: what a file of an image says is
/// about files of the same image.
pub(crate) fn beside(file: &str, named: &str) -> String {
    match file.rsplit_once("!/") {
        Some((archive, _)) => format!("{archive}!{named}"),
        None => named.to_owned(),
    }
}

pub(crate) fn is_authority(asset: &Asset) -> bool {
    asset.certificate().is_some_and(crate::Certificate::is_authority)
}

fn is_private(sighting: &Sighting) -> bool {
    sighting.circumstances.key.as_ref().is_some_and(|form| form.half == Half::Private)
}

/// Adds an asset unless it was the last one added: assets come one after the other.
pub(crate) fn push<'a>(assets: &mut Vec<&'a Asset>, asset: &'a Asset) {
    if assets.last().is_none_or(|last| last.id != asset.id) {
        assets.push(asset);
    }
}
