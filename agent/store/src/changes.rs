//! What changed from one run to a later one.
//!
//! Nothing here is stored: changes are computed from what the two runs saw. An asset is called
//! gone only when every place it was at was looked at again; where that cannot be told it is
//! listed as not looked at.
//!
//! What a run was told to leave out leaves no gap and is still within a scope: whoever knows what
//! that was says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pki_inventory::{Asset, AssetId, Certificate, GapReason, Inventory, Kind, Place, Sighting};

/// What changed from one run to a later one; every list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Seen now and not before.
    pub new: Vec<AssetId>,
    /// Seen before, and now no more at any of its places, all of which were looked at.
    pub gone: Vec<AssetId>,
    /// Certificates replaced by ones that are valid for longer. Neither is in another list.
    pub renewed: Vec<Renewal>,
    /// Seen before and not now, but not every one of its places was looked at, and none of them
    /// shows a successor.
    pub not_looked_at: Vec<AssetId>,
}

/// One certificate took the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renewal {
    /// The certificate that was there.
    pub old: AssetId,
    /// The one that is valid for longer.
    pub new: AssetId,
}

impl Changes {
    /// Compares what two runs saw. `left_out` says whether the later one was told not to look at a
    /// place.
    #[must_use]
    pub fn between(
        previous: &Inventory,
        current: &Inventory,
        left_out: &dyn Fn(&Place) -> bool,
    ) -> Self {
        let mut new: BTreeSet<AssetId> =
            current.assets().map(|a| a.id).filter(|id| previous.get(*id).is_none()).collect();
        let looked = Looked::of(previous, current);
        let (mut gone, mut not_looked_at) = (BTreeSet::new(), BTreeSet::new());
        for asset in previous.assets().filter(|asset| current.get(asset.id).is_none()) {
            let looked_at = |s: &Sighting| looked.at(s) && !left_out(&s.place);
            if asset.sightings().all(looked_at) {
                gone.insert(asset.id);
            } else {
                not_looked_at.insert(asset.id);
            }
        }

        let mut renewed = renewed_in_place(previous, current);
        renewed_by_name(previous, current, &gone, &mut renewed);
        for Renewal { old, new: successor } in &renewed {
            gone.remove(old);
            not_looked_at.remove(old);
            new.remove(successor);
        }
        Self {
            new: new.into_iter().collect(),
            gone: gone.into_iter().collect(),
            renewed: renewed.into_iter().collect(),
            not_looked_at: not_looked_at.into_iter().collect(),
        }
    }
}

/// A new end-entity certificate lies where another lay before.
///
/// CA certificates are left to their names: the object numbers of a bundle shift whenever one is
/// put in, and what then lies at a number has nothing to do with what lay there before. For the
/// same reason the old one must have left the whole file, not only its number.
fn renewed_in_place(previous: &Inventory, current: &Inventory) -> BTreeSet<Renewal> {
    let mut fresh: BTreeMap<&Place, Vec<Held<'_>>> = BTreeMap::new();
    for held in end_entities(current).filter(|(asset, _)| previous.get(asset.id).is_none()) {
        for place in own_places(held.0) {
            fresh.entry(place).or_default().push(held);
        }
    }
    let stays = |old: AssetId, place: &Place| {
        current.get(old).is_some_and(|asset| own_places(asset).any(|p| whole(p) == whole(place)))
    };
    let mut renewed = BTreeSet::new();
    for old in end_entities(previous) {
        for place in own_places(old.0) {
            let Some(candidates) = fresh.get(place) else { continue };
            if !stays(old.0.id, place) {
                renewed.extend(successor(old, candidates, &BTreeSet::new()));
            }
        }
    }
    renewed
}

/// A certificate is gone and a new one is for exactly the same names.
fn renewed_by_name(
    previous: &Inventory,
    current: &Inventory,
    gone: &BTreeSet<AssetId>,
    renewed: &mut BTreeSet<Renewal>,
) {
    let mut by_names: BTreeMap<Vec<String>, Vec<Held<'_>>> = BTreeMap::new();
    for held in certificates(current).filter(|(asset, _)| previous.get(asset.id).is_none()) {
        by_names.entry(held.1.lineage_names()).or_default().push(held);
    }
    let paired: BTreeSet<AssetId> = renewed.iter().map(|renewal| renewal.old).collect();
    let mut olds: Vec<Held<'_>> = certificates(previous)
        .filter(|(asset, _)| gone.contains(&asset.id) && !paired.contains(&asset.id))
        .collect();
    olds.sort_by_key(|(asset, certificate)| (certificate.not_after, asset.id));
    let mut used: BTreeSet<AssetId> = renewed.iter().map(|renewal| renewal.new).collect();
    for old in olds {
        let names = old.1.lineage_names();
        // Certificates without any name are not of one lineage.
        if names.iter().all(String::is_empty) {
            continue;
        }
        let candidates = by_names.get(&names).map_or(&[][..], Vec::as_slice);
        if let Some(renewal) = successor(old, candidates, &used) {
            used.insert(renewal.new);
            renewed.insert(renewal);
        }
    }
}

type Held<'a> = (&'a Asset, &'a Certificate);

/// The candidate that most likely replaced the old one. A server with an RSA and an ECDSA
/// certificate gets two new ones at once, so names and algorithm count first.
fn successor(old: Held<'_>, candidates: &[Held<'_>], used: &BTreeSet<AssetId>) -> Option<Renewal> {
    let names = old.1.lineage_names();
    candidates
        .iter()
        .filter(|(_, new)| {
            new.not_after > old.1.not_after && new.is_authority() == old.1.is_authority()
        })
        .min_by_key(|(asset, new)| {
            (
                new.lineage_names() != names,
                new.key.name != old.1.key.name,
                used.contains(&asset.id),
                new.not_after,
                asset.id,
            )
        })
        .map(|(asset, _)| Renewal { old: old.0.id, new: asset.id })
}

fn certificates(inventory: &Inventory) -> impl Iterator<Item = Held<'_>> {
    inventory.assets().filter_map(|asset| asset.certificate().map(|c| (asset, c)))
}

fn end_entities(inventory: &Inventory) -> impl Iterator<Item = Held<'_>> {
    certificates(inventory).filter(|(_, certificate)| !certificate.is_authority())
}

/// Where a certificate lay for itself; of what a server sends, only the first one is its own.
fn own_places(asset: &Asset) -> impl Iterator<Item = &Place> {
    let own = |sighting: &&Sighting| {
        !sighting.place.is_network() || sighting.circumstances.chain_position == Some(0)
    };
    asset.sightings().filter(own).map(|sighting| &sighting.place)
}

/// The file or entry an object lies in; any other place as it is.
fn whole(place: &Place) -> Place {
    match place {
        Place::File { path, .. } => Place::File { path: path.clone(), object: None },
        Place::Directory { server, dn, .. } => {
            Place::Directory { server: server.clone(), dn: dn.clone(), object: None }
        }
        Place::Token { token, .. } => Place::Token { token: token.clone(), object: None },
        other => other.clone(),
    }
}

/// Where the later run looked, as far as its coverage and gaps tell.
struct Looked<'a> {
    /// Scopes of the later run, by collector.
    scopes: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Collectors for which every scope of the earlier run is one of the later run too.
    same_scopes: BTreeSet<&'a str>,
    /// Collectors that failed as a whole.
    failed: BTreeSet<&'a str>,
    /// Files and folders that were not read.
    unread: BTreeSet<(&'a str, PathBuf)>,
    /// Servers that did not answer, with the name they were asked by.
    silent: BTreeMap<(&'a str, &'a str, u16), BTreeSet<Option<&'a str>>>,
    /// Bases that directories were read below, by collector and server.
    bases: BTreeMap<(&'a str, String), BTreeSet<String>>,
    /// Entries that were not read, by collector and server; one without a name is all of them.
    entries: BTreeMap<(&'a str, String), BTreeSet<String>>,
    /// Tokens of which not all was read.
    tokens: BTreeSet<&'a str>,
    /// Other places that were not read.
    others: BTreeSet<(&'a str, &'a Place)>,
    /// Servers and tokens that answered.
    answered: BTreeSet<&'a Place>,
}

impl<'a> Looked<'a> {
    fn of(previous: &'a Inventory, current: &'a Inventory) -> Self {
        let (before, scopes) = (scopes(previous), scopes(current));
        let same_scopes = scopes
            .iter()
            .filter(|(collector, now)| {
                before.get(*collector).is_none_or(|then| then.is_subset(now))
            })
            .map(|(collector, _)| *collector)
            .collect();
        let mut bases: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
        for (collector, scope) in scopes.iter().flat_map(|(c, all)| all.iter().map(|s| (*c, *s))) {
            if let Some((server, base)) = directory_scope(scope) {
                bases.entry((collector, server)).or_default().insert(base);
            }
        }
        let mut looked = Self {
            scopes,
            bases,
            entries: BTreeMap::new(),
            same_scopes,
            failed: BTreeSet::new(),
            unread: BTreeSet::new(),
            silent: BTreeMap::new(),
            tokens: BTreeSet::new(),
            others: BTreeSet::new(),
            answered: current
                .assets()
                .filter(|asset| matches!(asset.id.kind, Kind::Endpoint | Kind::Token))
                .flat_map(Asset::places)
                .collect(),
        };
        for gap in current.gaps() {
            let collector = gap.collector.as_str();
            if gap.reason == GapReason::CollectorFailed {
                looked.failed.insert(collector);
            }
            match &gap.place {
                place @ Place::File { .. } => {
                    looked.unread.extend(place.file_path().map(|path| (collector, path)));
                }
                Place::Tls { host, port, server_name, .. } => {
                    let names = looked.silent.entry((collector, host, *port)).or_default();
                    names.insert(server_name.as_deref());
                }
                Place::Directory { server, dn, .. } => {
                    let key = (collector, decoded(server));
                    looked.entries.entry(key).or_default().insert(plain(dn));
                }
                Place::Token { token, .. } => {
                    looked.tokens.insert(token);
                }
                other @ Place::Scope(scope) => {
                    // More gaps than are named one by one: any entry of the scope may be one.
                    if let Some((server, base)) = directory_scope(scope) {
                        looked.entries.entry((collector, server)).or_default().insert(base);
                    }
                    looked.others.insert((collector, other));
                }
            }
        }
        looked
    }

    fn at(&self, sighting: &Sighting) -> bool {
        let (place, collector) = (&sighting.place, sighting.collector.as_str());
        if self.is_gap(place, collector) {
            return false;
        }
        if self.answered.contains(place) {
            return true;
        }
        let Some(scopes) = self.scopes.get(collector) else { return false };
        if self.failed.contains(collector) {
            return false;
        }
        match place {
            Place::File { .. } => place
                .file_path()
                .is_some_and(|path| scopes.iter().any(|scope| path.starts_with(root(scope)))),
            Place::Directory { server, dn, .. } => {
                let bases = self.bases.get(&(collector, decoded(server)));
                bases.is_some_and(|bases| upwards(&plain(dn)).any(|above| bases.contains(above)))
            }
            // What was on a token that is there no more may be on it still, wherever that is.
            Place::Token { token, .. } => {
                let whole = Place::Token { token: token.clone(), object: None };
                self.answered.contains(&whole)
            }
            // A network scope does not say which places it meant; when one of the earlier scopes
            // is missing, this place may have been of that one.
            Place::Tls { .. } | Place::Scope(_) => self.same_scopes.contains(collector),
        }
    }

    fn is_gap(&self, place: &Place, collector: &str) -> bool {
        match place {
            Place::File { .. } => place.file_path().is_some_and(|path| {
                // A folder that could not be entered hides everything below it.
                path.ancestors().any(|above| self.unread.contains(&(collector, above.to_owned())))
            }),
            Place::Tls { host, port, server_name, .. } => {
                let name = server_name.as_deref();
                let at_address = self.silent.get(&(collector, host.as_str(), *port));
                // A name that had no address this time is a gap at the name, not at the address.
                let at_name = name.and_then(|name| self.silent.get(&(collector, name, *port)));
                at_name.is_some()
                    || at_address
                        .is_some_and(|names| names.contains(&None) || names.contains(&name))
            }
            // What hides an entry hides all that is below it; what hides the server hides all.
            Place::Directory { server, dn, .. } => {
                let entries = self.entries.get(&(collector, decoded(server)));
                entries.is_some_and(|gaps| upwards(&plain(dn)).any(|above| gaps.contains(above)))
            }
            Place::Token { token, .. } => self.tokens.contains(token.as_str()),
            Place::Scope(_) => self.others.contains(&(collector, place)),
        }
    }
}

/// The server and the base that a scope of a directory names.
fn directory_scope(scope: &str) -> Option<(String, String)> {
    let (server, base) = scope.strip_prefix("ldap://")?.split_once('/')?;
    Some((decoded(server), plain(base)))
}

/// A distinguished name in the one form in which it can be compared, be it written as in a place or
/// as it is: names are the same in any case, and with or without a space behind a comma (RFC 4514,
/// 2.4 and 3).
fn plain(dn: &str) -> String {
    decoded(dn).to_lowercase().replace(", ", ",")
}

/// A part of a place without its percent-encoding (RFC 3986, 2.1).
fn decoded(part: &str) -> String {
    let mut octets = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits =
            tail.get(..2).filter(|two| first == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let octet = digits.and_then(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        octets.push(octet.unwrap_or(first));
        rest = if octet.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// A distinguished name and those above it, to the one without any part, which stands for the server.
fn upwards(dn: &str) -> impl Iterator<Item = &str> {
    // Behind an odd number of backslashes a comma is part of a value (RFC 4514, 2.4).
    let separates = move |(at, _): &(usize, &str)| {
        (at - dn[..*at].trim_end_matches('\\').len()).is_multiple_of(2)
    };
    let above = dn.match_indices(',').filter(separates).map(move |(at, _)| &dn[at + 1..]);
    std::iter::once(dn).chain(above).chain(std::iter::once(""))
}

fn scopes(inventory: &Inventory) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut scopes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (collector, scope, _) in inventory.coverage() {
        scopes.entry(collector).or_default().insert(scope);
    }
    scopes
}

/// The path a filesystem scope names, be it written as a path or as a place.
fn root(scope: &str) -> PathBuf {
    let place = scope.parse::<Place>().ok().and_then(|place| place.file_path());
    place.unwrap_or_else(|| Path::new(scope).to_owned())
}
