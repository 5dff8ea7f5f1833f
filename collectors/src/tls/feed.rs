//! From the lines of a scope to the places that are asked, one at a time: a /8 costs no memory.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pki_config::{Addresses, Hosts, Opening, StartTls, Target, TlsScope};
use pki_inventory::{GapReason, Place};

use super::exclusions::Exclusions;

/// One line of the scope and what came of it. It is reported when nobody works on it any more.
pub(super) struct Line {
    pub(super) target: Target,
    pub(super) read: AtomicU64,
    pub(super) not_read: AtomicU64,
    pub(super) octets: AtomicU64,
    /// Places under way, and one for the feed while it has more.
    pub(super) open: AtomicU64,
}

/// One place to ask.
#[derive(Clone)]
pub(super) struct Unit {
    pub(super) line: Arc<Line>,
    pub(super) address: SocketAddr,
    pub(super) name: Option<Arc<str>>,
    /// Looking up the name took this long.
    pub(super) spent: Duration,
}

/// What is to be done next.
pub(super) enum Step {
    /// Look up a name, then ask its addresses.
    LookUp(Arc<Line>),
    Ask(Unit),
    /// An address that is not asked was passed over.
    Passed,
    /// There is no more of this line.
    Over(Arc<Line>),
}

/// Goes through the lines, several at a time: one whose hosts are slow must not hold up the others.
pub(super) struct Feed<'a> {
    scope: &'a TlsScope,
    exclusions: &'a Exclusions,
    lines: VecDeque<Arc<Line>>,
    current: VecDeque<Walk>,
}

/// Lines that are gone through at the same time.
const LANES: usize = 256;

/// Where the feed stands in a line of addresses: ports first, so that the same host is not asked on
/// one port after the other.
struct Walk {
    line: Arc<Line>,
    port: usize,
    addresses: Addresses,
    /// Names still to be asked for at an address.
    names: VecDeque<(SocketAddr, Option<Arc<str>>)>,
}

impl Line {
    fn new(target: &Target) -> Self {
        Self {
            target: target.clone(),
            read: AtomicU64::new(0),
            not_read: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            open: AtomicU64::new(1),
        }
    }

    /// Counts a place by the reason why it was not read, if it was not. Nothing was promised to be
    /// at every address of a network: a refused port there was looked at and holds nothing.
    pub(super) fn count(&self, gap: Option<GapReason>) {
        let explicit = matches!(self.target.hosts, Hosts::Name(_) | Hosts::Address(_));
        let read = gap.is_none() || (gap == Some(GapReason::Refused) && !explicit);
        let count = if read { &self.read } else { &self.not_read };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether its places are few enough to remember each.
    pub(super) fn is_small(&self) -> bool {
        let places = self.target.hosts.count().saturating_mul(self.target.ports.len() as u128);
        places <= 1 << 16
    }

    /// What comes before TLS on a port.
    pub(super) fn opening(&self, port: u16) -> Option<StartTls> {
        match self.target.opening {
            Opening::ByPort => StartTls::by_port(port),
            Opening::Tls => None,
            Opening::StartTls(protocol) => Some(protocol),
        }
    }
}

impl Unit {
    pub(super) fn opening(&self) -> Option<StartTls> {
        self.line.opening(self.address.port())
    }

    pub(super) fn place(&self) -> Place {
        let protocol = self.opening().map(StartTls::name);
        Place::tls(self.address, self.name.as_deref()).inside(protocol)
    }
}

impl<'a> Feed<'a> {
    pub(super) fn new(scope: &'a TlsScope, exclusions: &'a Exclusions) -> Self {
        let lines = scope.targets.iter().map(|target| Arc::new(Line::new(target))).collect();
        Self { scope, exclusions, lines, current: VecDeque::new() }
    }

    /// The lines that were not gone through to their end, which they now never are.
    pub(super) fn abandon(&mut self) -> Vec<Arc<Line>> {
        let current = self.current.drain(..).map(|walk| walk.line);
        current.chain(self.lines.drain(..)).collect()
    }
}

impl Iterator for Feed<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.current.len() < LANES
            && let Some(line) = self.lines.pop_front()
        {
            return Some(self.begin(line));
        }
        let mut walk = self.current.pop_front()?;
        let step = walk.next(self.scope, self.exclusions);
        if !matches!(step, Step::Over(_)) {
            self.current.push_back(walk);
        }
        Some(step)
    }
}

impl Feed<'_> {
    fn begin(&mut self, line: Arc<Line>) -> Step {
        match &line.target.hosts {
            Hosts::Name(name) if self.exclusions.name(name) => Step::Over(line),
            Hosts::Name(_) => Step::LookUp(line),
            hosts if hosts.networks().iter().all(|net| self.exclusions.network(net)) => {
                Step::Over(line)
            }
            hosts => {
                let (addresses, names) = (hosts.addresses(), VecDeque::new());
                self.current.push_back(Walk { line, port: 0, addresses, names });
                Step::Passed
            }
        }
    }
}

impl Walk {
    fn next(&mut self, scope: &TlsScope, exclusions: &Exclusions) -> Step {
        if let Some((address, name)) = self.names.pop_front() {
            let line = Arc::clone(&self.line);
            return Step::Ask(Unit { line, address, name, spent: Duration::ZERO });
        }
        let Some(port) = self.line.target.ports.get(self.port) else {
            return Step::Over(Arc::clone(&self.line));
        };
        match self.addresses.next() {
            None => {
                self.port += 1;
                self.addresses = self.line.target.hosts.addresses();
            }
            Some(address) if exclusions.address(address) => {}
            Some(address) => {
                let place = SocketAddr::new(address, port);
                let names = names(&self.line, None, address, scope, exclusions);
                self.names.extend(names.into_iter().map(|name| (place, name)));
            }
        }
        Step::Passed
    }
}

/// The names to ask for at an address: the one it was found by or none, then those that are listed
/// for the line and for the address. Where names are listed, it is asked without one as well.
fn names(
    line: &Line,
    found_by: Option<&str>,
    address: IpAddr,
    scope: &TlsScope,
    exclusions: &Exclusions,
) -> Vec<Option<Arc<str>>> {
    let listed = scope.server_names.iter();
    let listed = listed.filter(|(network, _)| network.contains(&address.to_canonical()));
    let more = line.target.server_names.iter().chain(listed.flat_map(|(_, names)| names));
    // A dot at the end is no part of a server name (RFC 6066, 3).
    let plain = |name: &str| Some(Arc::from(name.trim_end_matches('.')));
    let mut names: Vec<Option<Arc<str>>> = vec![found_by.and_then(plain)];
    for name in more.filter(|name| !exclusions.name(name)) {
        let name = plain(name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if found_by.is_some() && names.len() > 1 {
        names.push(None);
    }
    names
}

/// The places of a name whose addresses were found.
pub(super) fn units(
    line: &Arc<Line>,
    name: &str,
    addresses: &[IpAddr],
    spent: Duration,
    scope: &TlsScope,
    exclusions: &Exclusions,
) -> Vec<Unit> {
    let mut units = Vec::new();
    for port in line.target.ports.iter() {
        for &address in addresses {
            for name in names(line, Some(name), address, scope, exclusions) {
                let line = Arc::clone(line);
                units.push(Unit { line, address: SocketAddr::new(address, port), name, spent });
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(targets: &[&str], exclude: &[&str], names: &[(&str, &str)]) -> Vec<String> {
        let parse = |texts: &[&str]| -> Vec<Target> {
            texts.iter().map(|text| text.parse().expect("a target")).collect()
        };
        let scope = TlsScope {
            targets: parse(targets),
            server_names: names
                .iter()
                .map(|(network, name)| {
                    (network.parse().expect("a network"), vec![(*name).to_owned()])
                })
                .collect(),
            ..TlsScope::default()
        };
        let exclusions = Exclusions::of(&parse(exclude));
        let steps = Feed::new(&scope, &exclusions);
        let mut places: Vec<String> = steps
            .filter_map(|step| match step {
                Step::Ask(unit) => Some(unit.place().to_string()),
                Step::LookUp(line) => Some(format!("look up {}", line.target)),
                Step::Passed | Step::Over(_) => None,
            })
            .collect();
        places.sort();
        places
    }

    #[test]
    fn every_place_is_asked_once_in_the_protocol_of_its_port() {
        assert_eq!(
            asked(&["192.0.2.0/30:25,443", "mail.example.org:25"], &["192.0.2.2"], &[]),
            ["look up mail.example.org:25", "smtp+tls://192.0.2.1:25", "tls://192.0.2.1:443"]
        );
        assert_eq!(
            asked(&["tls://192.0.2.1:25", "imap+tls://192.0.2.1:1143"], &[], &[]),
            ["imap+tls://192.0.2.1:1143", "tls://192.0.2.1:25"]
        );
    }

    #[test]
    fn an_address_is_asked_without_a_name_and_with_each_that_is_listed() {
        assert_eq!(
            asked(
                &["192.0.2.1:443?sni=a.test,b.test", "198.51.100.1:443"],
                &["b.test"],
                &[("192.0.2.0/24", "c.test"), ("203.0.113.0/24", "d.test")]
            ),
            [
                "tls://192.0.2.1:443",
                "tls://192.0.2.1:443?sni=a.test",
                "tls://192.0.2.1:443?sni=c.test",
                "tls://198.51.100.1:443",
            ]
        );
    }

    #[test]
    fn a_network_of_sixteen_million_begins_at_once() {
        let scope = TlsScope {
            targets: vec!["10.0.0.0/8:443".parse().expect("a target")],
            ..TlsScope::default()
        };
        let exclusions = Exclusions::default();
        let feed = Feed::new(&scope, &exclusions);
        let first: Vec<Unit> = feed
            .filter_map(|step| if let Step::Ask(unit) = step { Some(unit) } else { None })
            .take(1000)
            .collect();
        let networks: std::collections::BTreeSet<String> = first
            .iter()
            .map(|unit| unit.address.ip().to_string())
            .filter_map(|ip| ip.rsplit_once('.').map(|(network, _)| network.to_owned()))
            .collect();
        assert!(networks.len() > 900, "{} networks in a thousand addresses", networks.len());
    }
}
