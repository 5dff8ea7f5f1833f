//! Which settings stand behind an endpoint.

use std::collections::{BTreeMap, BTreeSet};

use crate::asked::{Asked, Name, Suits, patterns};
use crate::disk::{Disk, beside, file_paths, push};
use crate::{Asset, AssetId, Body, Configuration, Digest, Inventory, Kind, Place, View};

/// Configurations and endpoints that belong together.
#[derive(Debug, Default)]
pub(crate) struct Settings<'a> {
    configurations: BTreeMap<AssetId, Vec<&'a Asset>>,
    endpoints: BTreeMap<AssetId, Vec<&'a Asset>>,
}

/// Configurations that one endpoint may belong to. Of more, which one answered is beyond telling.
pub(crate) const MOST: usize = 100;

impl<'a> Settings<'a> {
    /// Joins configurations and endpoints.
    pub(crate) fn of(inventory: &'a Inventory, disk: &Disk<'a>) -> Self {
        let index = Index::of(inventory, disk);
        let mut settings = Self::default();
        for endpoint in inventory.assets().filter(|asset| asset.id.kind == Kind::Endpoint) {
            let found = index.configurations(endpoint, inventory);
            for configuration in &found {
                settings.endpoints.entry(configuration.id).or_default().push(endpoint);
            }
            if !found.is_empty() {
                settings.configurations.insert(endpoint.id, found);
            }
        }
        settings
    }
}

impl<'a> View<'a> {
    /// The configurations that an endpoint belongs to, sorted by id; a hundred at most.
    ///
    /// On a loopback address, which is the host whose files were read: those that listen there, but
    /// none of an image or archive. Anywhere: those that listen on its port and name a certificate
    /// or key file in which the key was seen that the endpoint proves to have, if they listen on
    /// this very address or on all. On all is no proof: several hosts may have one key. Where a
    /// loopback address shows that this host presents another certificate to whoever asks the same,
    /// it was another host; otherwise [`compared`](crate::compared) tells no drift.
    ///
    /// Where the endpoint was asked by a name, of all these only the ones that suit it best:
    /// by the name itself, else by a wildcard, else without names, else, with the same key, by
    /// another name, since servers have one that answers to names they do not know. Server names
    /// written as regular expressions suit nothing. Several may be left.
    #[must_use]
    pub fn configurations_of(&self, endpoint: &Asset) -> Vec<&'a Asset> {
        self.settings.configurations.get(&endpoint.id).cloned().unwrap_or_default()
    }

    /// The endpoints that belong to a configuration, sorted by id: those that
    /// [`configurations_of`](Self::configurations_of) names it for.
    #[must_use]
    pub fn endpoints_of(&self, configuration: &Asset) -> Vec<&'a Asset> {
        self.settings.endpoints.get(&configuration.id).cloned().unwrap_or_default()
    }
}

/// A port, and the protocol inside of which TLS is spoken there.
type Port<'p> = (u16, Option<&'p str>);

/// Configurations by what an endpoint may have in common with them.
#[derive(Default)]
struct Index<'a> {
    by_port: BTreeMap<Port<'a>, ByName<'a>>,
    by_key: BTreeMap<(Digest, Port<'a>), ByName<'a>>,
    /// What loopback addresses present, by port and by the name that was asked for.
    loopback: BTreeMap<(Port<'a>, Option<String>), BTreeSet<Digest>>,
}

/// Configurations by their names, each list sorted by id.
#[derive(Default)]
struct ByName<'a> {
    whole: BTreeMap<String, Vec<&'a Asset>>,
    patterns: BTreeMap<String, Vec<&'a Asset>>,
    any: Vec<&'a Asset>,
    all: Vec<&'a Asset>,
}

impl<'a> Index<'a> {
    fn of(inventory: &'a Inventory, disk: &Disk<'a>) -> Self {
        let mut index = Self::default();
        for asset in inventory.assets() {
            match &asset.body {
                Body::Configuration(configuration) => {
                    let listens = configuration.listens.iter();
                    let ports: BTreeSet<Port<'a>> =
                        listens.map(|one| (one.port, one.starttls.as_deref())).collect();
                    let keys = keys_of(asset, configuration, disk);
                    for port in ports {
                        if is_of_host(asset) {
                            index.by_port.entry(port).or_default().add(asset, configuration);
                        }
                        for key in &keys {
                            let same = index.by_key.entry((*key, port)).or_default();
                            same.add(asset, configuration);
                        }
                    }
                }
                Body::Endpoint(_) => {
                    if let Some(asked) = Asked::of(asset).filter(Asked::is_loopback) {
                        let port = (asked.port, asked.starttls);
                        let shown = index.loopback.entry((port, asked.server_name));
                        shown.or_default().extend(served(asset));
                    }
                }
                _ => {}
            }
        }
        index
    }

    fn configurations(&self, endpoint: &'a Asset, inventory: &Inventory) -> Vec<&'a Asset> {
        let Some(asked) = Asked::of(endpoint) else { return Vec::new() };
        let port = (asked.port, asked.starttls);
        let keys = served_keys(endpoint, inventory);
        let same_key: Vec<&ByName<'a>> =
            keys.iter().filter_map(|key| self.by_key.get(&(*key, port))).collect();
        let same_port = self.by_port.get(&port).filter(|_| asked.is_loopback());
        let is_other = self.is_other_host(endpoint, &asked);
        let reaches = |asset: &&'a Asset| match &asset.body {
            Body::Configuration(one) if is_other => asked.is_of(one),
            Body::Configuration(one) => one.listens.iter().any(|listens| asked.reaches(listens)),
            _ => false,
        };
        let name = asked.server_name.as_deref();
        for suits in Suits::ALL {
            let local = same_port.filter(|_| suits != Suits::Not);
            let found: BTreeMap<AssetId, &'a Asset> = same_key
                .iter()
                .copied()
                .chain(local)
                .flat_map(|group| {
                    group.of(suits, name).into_iter().flatten().copied().filter(reaches).take(MOST)
                })
                .map(|asset| (asset.id, asset))
                .collect();
            if !found.is_empty() {
                return found.into_values().take(MOST).collect();
            }
        }
        Vec::new()
    }

    /// Whether an endpoint elsewhere cannot be this host, because this one presents something else
    /// on the same port to whoever asks by the same name.
    fn is_other_host(&self, endpoint: &Asset, asked: &Asked<'_>) -> bool {
        if asked.is_loopback() {
            return false;
        }
        let here = self.loopback.get(&((asked.port, asked.starttls), asked.server_name.clone()));
        here.is_some_and(|here| {
            !here.is_empty() && served(endpoint).iter().all(|digest| !here.contains(digest))
        })
    }
}

impl<'a> ByName<'a> {
    fn add(&mut self, asset: &'a Asset, configuration: &Configuration) {
        push(&mut self.all, asset);
        if configuration.server_names.is_empty() {
            push(&mut self.any, asset);
        }
        for name in &configuration.server_names {
            match Name::of(name) {
                Name::Any => push(&mut self.any, asset),
                Name::Pattern(name) => push(self.patterns.entry(name).or_default(), asset),
                Name::Whole(name) => push(self.whole.entry(name).or_default(), asset),
            }
        }
    }

    /// Those that suit a name this well, or better.
    fn of(&self, suits: Suits, name: Option<&str>) -> Vec<&[&'a Asset]> {
        match (suits, name) {
            (Suits::Exactly, Some(name)) => {
                self.whole.get(name).map(Vec::as_slice).into_iter().collect()
            }
            (Suits::ByWildcard, Some(name)) => {
                let found = patterns(name).into_iter().filter_map(|one| self.patterns.get(&one));
                found.map(Vec::as_slice).collect()
            }
            (Suits::AnyName, Some(_)) => vec![&self.any],
            (Suits::Exactly | Suits::ByWildcard, None) => Vec::new(),
            (Suits::AnyName, None) | (Suits::Not, _) => vec![&self.all],
        }
    }
}

/// Whether it was seen in a file of a host itself, and not in an image or archive.
fn is_of_host(asset: &Asset) -> bool {
    file_paths(asset).any(|path| !path.contains("!/"))
}

/// The certificates an endpoint presents as its own, each once.
pub(crate) fn served(endpoint: &Asset) -> Vec<Digest> {
    let Some(endpoint) = endpoint.endpoint() else { return Vec::new() };
    let first = endpoint.session().and_then(|session| session.chain.first());
    let deployments = endpoint.posture.iter().flat_map(|posture| posture.deployments.values());
    let others = deployments.filter_map(|deployment| deployment.chain.first());
    let mut seen = BTreeSet::new();
    first.into_iter().chain(others).copied().filter(|digest| seen.insert(*digest)).collect()
}

fn served_keys(endpoint: &Asset, inventory: &Inventory) -> BTreeSet<Digest> {
    let certificate =
        |digest| inventory.get(AssetId::new(Kind::Certificate, digest))?.certificate();
    served(endpoint).into_iter().filter_map(certificate).map(|one| one.spki).collect()
}

/// The files of certificates that a configuration names, encoded as in [`Place::file`].
pub(crate) fn certificate_paths(asset: &Asset, configuration: &Configuration) -> BTreeSet<String> {
    named(asset, &configuration.certificates)
}

fn named(asset: &Asset, paths: &[String]) -> BTreeSet<String> {
    let encoded = paths.iter().filter_map(|path| match Place::file(path) {
        Place::File { path, .. } => Some(path),
        _ => None,
    });
    let encoded: Vec<String> = encoded.collect();
    file_paths(asset).flat_map(|file| encoded.iter().map(|path| beside(file, path))).collect()
}

fn keys_of(asset: &Asset, configuration: &Configuration, disk: &Disk<'_>) -> BTreeSet<Digest> {
    let paths = certificate_paths(asset, configuration);
    let certificates = paths.iter().flat_map(|path| disk.leaves_at(path));
    let certified = certificates.filter_map(|asset| asset.certificate().map(|one| one.spki));
    let files = named(asset, &configuration.keys);
    let private = files.iter().filter_map(|path| disk.private_keys.get(path.as_str()));
    certified.chain(private.flatten().copied()).collect()
}
