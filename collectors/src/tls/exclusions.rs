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
                Hosts::Network(network) => exclusions.networks.push(*network),
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

    /// Whether a whole network is excluded.
    pub(super) fn network(&self, network: &IpNet) -> bool {
        self.networks.iter().any(|excluded| excluded.contains(network))
    }
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
        let written =
            ["192.0.2.7", "198.51.100.0/24:8443", "secret.example.org", "[2001:db8::]/32"];
        let targets: Vec<Target> = written.iter().filter_map(|text| text.parse().ok()).collect();
        let exclusions = Exclusions::of(&targets);
        for (address, excluded) in [
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("198.51.100.200", true),
            ("::ffff:198.51.100.200", true),
            ("198.51.101.1", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(exclusions.address(address), excluded, "{address}");
        }
        assert!(exclusions.name("Secret.example.org."));
        assert!(!exclusions.name("www.example.org"));
        assert!(exclusions.network(&"198.51.100.128/25".parse().expect("a network")));
        assert!(!exclusions.network(&"198.51.0.0/16".parse().expect("a network")));
    }
}
