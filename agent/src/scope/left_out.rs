//! What a scope leaves out on purpose, though it lies within what it looks at.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use pki_config::{Globs, Hosts, Target};
use pki_inventory::Place;

use super::Scope;

/// Places that are left out: below excluded paths, of files that no pattern asks for, in archives
/// that are not opened, at excluded hosts, and by names that nobody asks for any more.
pub struct LeftOut {
    paths: BTreeSet<PathBuf>,
    patterns: Globs,
    /// Where there are such, only what they match is looked at.
    include: Option<Globs>,
    opens_archives: bool,
    /// Files that are read because they are named, whatever is said of others.
    named: BTreeSet<PathBuf>,
    hosts: Ranges,
    names: BTreeSet<String>,
    asked: Option<Asked>,
}

/// The names that servers are asked for.
struct Asked {
    anywhere: BTreeSet<String>,
    within: Vec<(Ranges, BTreeSet<String>)>,
}

/// Addresses from the first to the last of each, sorted by the first; none touches another.
struct Ranges(Vec<(IpAddr, IpAddr)>);

impl LeftOut {
    pub(super) fn of(scope: &Scope) -> Self {
        let mut names = BTreeSet::new();
        let mut hosts = Vec::new();
        for host in scope.hosts_left_out.iter().filter_map(|text| hosts_of(text)) {
            match host {
                Hosts::Name(name) => drop(names.insert(plain(&name))),
                other => hosts.push(other),
            }
        }
        let (patterns, include) = scope.files.globs();
        Self {
            patterns,
            include,
            opens_archives: scope.files.archives.is_some(),
            named: scope.directories.files(),
            paths: scope.trees_left_out.iter().map(PathBuf::from).collect(),
            hosts: Ranges::of(&hosts),
            names,
            asked: scope.server_names.is_some().then(|| Asked::of(scope)),
        }
    }

    /// Whether this place is one of them.
    pub fn holds(&self, place: &Place) -> bool {
        match place {
            Place::File { .. } => place.file_path().is_some_and(|path| {
                let is_left_out = path
                    .ancestors()
                    .any(|above| self.paths.contains(above) || self.patterns.matches(above))
                    || self.include.as_ref().is_some_and(|include| !include.matches(&path))
                    || (!self.opens_archives && place.inner().is_some());
                is_left_out && !self.named.contains(&path)
            }),
            Place::Tls { host, server_name, .. } => {
                let address = address_of(host);
                let is_excluded = match address {
                    Some(address) => self.hosts.hold(address),
                    None => self.names.contains(&plain(host)),
                };
                is_excluded
                    || server_name.as_ref().is_some_and(|name| {
                        let name = plain(name);
                        self.names.contains(&name)
                            || self
                                .asked
                                .as_ref()
                                .is_some_and(|asked| !asked.asks_for(&name, address))
                    })
            }
            // What is outside of the bases of a directory or the chosen tokens is in no scope that was
            // covered.
            Place::Directory { .. } | Place::Token { .. } | Place::Scope(_) => false,
        }
    }
}

impl Asked {
    fn of(scope: &Scope) -> Self {
        let mut anywhere = BTreeSet::new();
        let targets = scope.tls.iter().chain(scope.loopback.iter().flatten());
        for target in targets.filter_map(|text| text.parse::<Target>().ok()) {
            anywhere.extend(target.server_names.iter().map(|name| plain(name)));
            if let Hosts::Name(name) = &target.hosts {
                anywhere.insert(plain(name));
            }
        }
        let within = scope.names().filter_map(|(network, names)| {
            let networks = Ranges::of(&[hosts_of(network)?]);
            Some((networks, names.iter().map(|name| plain(name)).collect()))
        });
        Self { anywhere, within: within.collect() }
    }

    fn asks_for(&self, name: &str, address: Option<IpAddr>) -> bool {
        self.anywhere.contains(name)
            || address.is_some_and(|address| {
                let mut within = self.within.iter();
                within.any(|(networks, names)| names.contains(name) && networks.hold(address))
            })
    }
}

impl Ranges {
    fn of(hosts: &[Hosts]) -> Self {
        let ends = hosts.iter().flat_map(Hosts::networks).map(|network| {
            let (first, last) = (network.network(), network.broadcast());
            // IPv4 written as IPv6 is what it is, as far as all of the network is.
            match (first.to_canonical(), last.to_canonical()) {
                (first @ IpAddr::V4(_), last @ IpAddr::V4(_)) => (first, last),
                _ => (first, last),
            }
        });
        let mut ends: Vec<(IpAddr, IpAddr)> = ends.collect();
        ends.sort_unstable();
        let mut joined: Vec<(IpAddr, IpAddr)> = Vec::with_capacity(ends.len());
        for (first, last) in ends {
            match joined.last_mut() {
                Some((_, end)) if first <= *end => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    fn hold(&self, address: IpAddr) -> bool {
        let at = self.0.partition_point(|(first, _)| *first <= address);
        at > 0 && self.0.get(at - 1).is_some_and(|(_, last)| address <= *last)
    }
}

/// The host of a place, when it is an address.
fn address_of(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn hosts_of(text: &str) -> Option<Hosts> {
    text.parse::<Target>().ok().map(|target| target.hosts)
}

/// Names are the same with a dot at the end and without, in any case (RFC 1034, 3.1).
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
