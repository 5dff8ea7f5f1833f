//! What is never asked, whatever the targets say.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use pki_config::{Hosts, Target};

/// Excluded hosts. Ports are not looked at: whoever excludes a host means the host, and a target
/// that is written without a port has one filled in, which would exclude nothing else.
#[derive(Debug, Default)]
pub(super) struct Exclusions {
    names: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
    networks: Vec<IpNet>,
}

impl Exclusions {
    pub(super) fn of(targets: &[Target]) -> Self {
        let mut exclusions = Self::default();
        for target in targets {
            match &target.hosts {
                Hosts::Name(name) => {
                    exclusions.names.insert(plain(name));
                }
                Hosts::Address(address) => {
                    exclusions.addresses.insert(address.to_canonical());
                }
                hosts @ (Hosts::Network(_) | Hosts::Range(..)) => {
                    exclusions.networks.extend(hosts.networks().iter().map(canonical));
                }
            }
        }
        exclusions
    }

    /// Whether a name is excluded. The addresses behind it are not: they may serve other names.
    pub(super) fn name(&self, name: &str) -> bool {
        self.names.contains(&plain(name))
    }

    /// Whether an address is excluded, by itself or with its network, also when it is written as
    /// an IPv6 address.
    pub(super) fn address(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.addresses.contains(&plain)
            || self
                .networks
                .iter()
                .any(|network| network.contains(&plain) || network.contains(&address))
    }

    /// Every excluded address and network.
    pub(super) fn all(&self) -> Vec<IpNet> {
        let addresses = self.addresses.iter().copied().map(IpNet::from);
        addresses.chain(self.networks.iter().copied()).collect()
    }

    /// Whether a whole network is excluded.
    pub(super) fn network(&self, network: &IpNet) -> bool {
        let network = canonical(network);
        self.networks.iter().any(|excluded| excluded.contains(&network))
    }
}

/// A network of IPv4 addresses that is written as one of IPv6 (RFC 4291, 2.5.5.2) as what it is.
fn canonical(network: &IpNet) -> IpNet {
    let plain = match network.addr().to_canonical() {
        IpAddr::V4(address) if network.max_prefix_len() == 128 => network
            .prefix_len()
            .checked_sub(96)
            .and_then(|length| IpNet::new(IpAddr::V4(address), length).ok()),
        _ => None,
    };
    plain.unwrap_or(*network)
}

/// Names are the same with a dot at the end and without, in any case (RFC 1034, 3.1).
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_host_is_excluded_on_every_port_and_in_every_spelling() {
        let written = [
            "192.0.2.7",
            "198.51.100.0/24:8443",
            "secret.example.org",
            "[2001:db8::/32]",
            "[::ffff:203.0.113.0/120]:443",
            "192.0.2.20-192.0.2.29",
        ];
        let targets = written.map(|text| text.parse::<Target>().expect("a target"));
        let exclusions = Exclusions::of(&targets);
        for (address, excluded) in [
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("192.0.2.19", false),
            ("192.0.2.20", true),
            ("192.0.2.29", true),
            ("192.0.2.30", false),
            ("198.51.100.200", true),
            ("::ffff:198.51.100.200", true),
            ("198.51.101.1", false),
            ("2001:db8:7::1", true),
            ("2001:db9::1", false),
            ("203.0.113.5", true),
            ("::ffff:203.0.113.5", true),
            ("203.0.114.5", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(exclusions.address(address), excluded, "{address}");
        }
        assert!(exclusions.name("Secret.example.org."));
        assert!(!exclusions.name("www.example.org"));
        for (network, excluded) in [
            ("198.51.100.128/25", true),
            ("::ffff:198.51.100.128/121", true),
            ("203.0.113.0/24", true),
            ("198.51.0.0/16", false),
            ("::ffff:198.51.0.0/112", false),
        ] {
            let parsed: IpNet = network.parse().expect("a network");
            assert_eq!(exclusions.network(&parsed), excluded, "{network}");
        }
    }
}
