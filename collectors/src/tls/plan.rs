//! What a scope would cost, without sending anything.

use std::time::Duration;

use ipnet::IpNet;
use pki_config::{Hosts, Target, TlsScope};

use super::certificate::most_connections;
use super::exclusions::Exclusions;

/// What a scan of a scope would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One for each target, in the order of the scope.
    pub lines: Vec<PlanLine>,
    /// Places asked in all.
    pub probes: u128,
    /// The least and the most connections, with a name counted as one address.
    pub connections: (u128, u128),
    /// The least time it takes, when everybody answers at once.
    pub at_least: Duration,
    /// The most time it takes, when everybody needs all the time there is and a window is open.
    pub at_most: Duration,
}

/// What one target comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanLine {
    /// The target as it is recorded.
    pub target: String,
    /// Addresses, or one for a name: how many it has is not looked up.
    pub hosts: u128,
    /// Addresses, or a name, that are never asked.
    pub excluded: u128,
    /// Ports.
    pub ports: usize,
    /// Names asked for at every address, no name counted as one; those that are listed for some
    /// addresses only are in the places.
    pub server_names: u128,
    /// Places asked.
    pub probes: u128,
}

/// Addresses that are counted one by one; of more the networks are compared.
const COUNTED: u128 = 1 << 16;

/// Says what a scan of this scope would do. Nothing is sent and no name is looked up.
#[must_use]
pub fn plan(scope: &TlsScope) -> Plan {
    let exclusions = Exclusions::of(&scope.exclude);
    let lines: Vec<PlanLine> =
        scope.targets.iter().map(|target| line(target, scope, &exclusions)).collect();
    let probes = lines.iter().fold(0_u128, |all, line| all.saturating_add(line.probes));
    let most =
        probes.saturating_mul(u128::from(most_connections(scope.depth, None, scope.retries)));
    let paced = |connections: u128| seconds(connections, u128::from(scope.connections_per_sec));
    let whole = scope.deadline();
    // Lines that wait for their hosts and networks wait beside each other, and all share the places
    // under way.
    let waits = |places: u128, at_a_time: usize| {
        let time = places.saturating_mul(u128::from(whole.as_secs()));
        seconds(time, u128::try_from(at_a_time).unwrap_or(u128::MAX))
    };
    let narrowest = lines.iter().map(|line| {
        let shares = line.hosts.saturating_mul(scope.per_host as u128);
        let networks = line.hosts.div_ceil(256).saturating_mul(scope.per_network as u128);
        waits(line.probes, usize::try_from(shares.min(networks).max(1)).unwrap_or(usize::MAX))
    });
    let waited = narrowest.max().unwrap_or_default().max(waits(probes, scope.concurrency));
    Plan {
        at_least: paced(probes),
        at_most: if probes == 0 { Duration::ZERO } else { paced(most) + waited + whole },
        lines,
        probes,
        connections: (probes, most),
    }
}

fn line(target: &Target, scope: &TlsScope, exclusions: &Exclusions) -> PlanLine {
    let hosts = target.hosts.count();
    let excluded = match &target.hosts {
        Hosts::Name(name) => u128::from(exclusions.name(name)),
        _ if hosts <= COUNTED => {
            let excluded = target.hosts.addresses().filter(|ip| exclusions.address(*ip));
            excluded.count() as u128
        }
        large => overlap(&large.networks(), &exclusions.all()).min(hosts),
    };
    let asked = |names: &[String]| names.iter().filter(|name| !exclusions.name(name)).count();
    let written = asked(&target.server_names) as u128;
    let server_names = match &target.hosts {
        // A name is asked for by itself, and without one where others are listed.
        Hosts::Name(_) => 1 + if written > 0 { written + 1 } else { 0 },
        _ => 1 + written,
    };
    // Names that are listed for a part of the addresses are asked for at those.
    let networks = target.hosts.networks();
    let listed = scope.server_names.iter().fold(0_u128, |all, (network, names)| {
        let places =
            overlap(&networks, &[*network]).min(hosts).saturating_mul(asked(names) as u128);
        all.saturating_add(places)
    });
    let ports = target.ports.len();
    let places = (hosts - excluded).saturating_mul(server_names).saturating_add(listed);
    let probes = places.saturating_mul(ports as u128);
    PlanLine { target: target.to_string(), hosts, excluded, ports, server_names, probes }
}

/// Addresses that are in both; networks either lie in each other or apart.
fn overlap(some: &[IpNet], others: &[IpNet]) -> u128 {
    let others = IpNet::aggregate(&others.to_vec());
    let pairs = some.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs.fold(0, |all, (one, other)| {
        let smaller = match (one.contains(other), other.contains(one)) {
            (true, _) => other,
            (_, true) => one,
            _ => return all,
        };
        let bits = u32::from(smaller.max_prefix_len() - smaller.prefix_len());
        all.saturating_add(1_u128.checked_shl(bits).unwrap_or(u128::MAX))
    })
}

/// Whole seconds, rounded up; as many as there can be where there are more.
fn seconds(amount: u128, per_second: u128) -> Duration {
    let seconds = amount.div_ceil(per_second.max(1));
    // More than a thousand years is as good as for ever, and can be added to.
    Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX).min(1 << 35))
}

#[cfg(test)]
mod tests {
    use pki_config::Depth;

    use super::*;

    fn of(targets: &[&str], exclude: &[&str]) -> TlsScope {
        let parse = |texts: &[&str]| {
            texts.iter().map(|text| text.parse().expect("a target")).collect::<Vec<Target>>()
        };
        TlsScope { targets: parse(targets), exclude: parse(exclude), ..TlsScope::default() }
    }

    fn counts(targets: &[&str], exclude: &[&str]) -> Vec<(u128, u128, u128)> {
        let plan = plan(&of(targets, exclude));
        plan.lines.iter().map(|line| (line.hosts, line.excluded, line.probes)).collect()
    }

    #[test]
    fn hosts_ports_names_and_exclusions_are_counted() {
        assert_eq!(
            counts(
                &[
                    "192.0.2.0/24:443,8443",
                    "192.0.2.10-192.0.2.19:443?sni=a.test,b.test",
                    "www.example.org:443",
                    "secret.example.org:443",
                ],
                &["192.0.2.16/28", "192.0.2.7", "secret.example.org", "b.test"],
            ),
            [(254, 17, 474), (10, 4, 12), (1, 0, 1), (1, 1, 0)]
        );
    }

    #[test]
    fn a_large_network_is_counted_without_going_through_it() {
        let lines = counts(&["10.0.0.0/8:443"], &["10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24"]);
        assert_eq!(lines, [(16_777_214, 65_536, 16_711_678)]);
        assert_eq!(counts(&["[2001:db8::/32]:443"], &[])[0].1, 0);
    }

    #[test]
    fn time_follows_from_rate_and_concurrency() {
        let scope = TlsScope {
            connections_per_sec: 10,
            concurrency: 4,
            deadline_secs: Some(20),
            depth: Depth::Posture,
            ..of(&["192.0.2.1-192.0.2.100:443"], &[])
        };
        let plan = plan(&scope);
        assert_eq!((plan.probes, plan.connections), (100, (100, 4000)));
        assert_eq!(plan.at_least, Duration::from_secs(10));
        // A hundred times twenty seconds, four at a time, and the last one's time.
        // After waiting for a turn for each of the most connections.
        assert_eq!(plan.at_most, Duration::from_secs(400 + 500 + 20));
        assert_eq!(super::plan(&TlsScope::default()).at_most, Duration::ZERO);
    }
}
