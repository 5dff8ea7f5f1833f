//! Whom to ask: names, addresses, networks, ranges.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::spread::{Addresses, distance};

/// One or many hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// A DNS name, without the dot that may end one; every address of it is asked, with the name as
    /// server name.
    Name(String),
    /// One address, asked without a server name.
    Address(IpAddr),
    /// Every host address of a network: of IPv4 not the first and the last, which mean the network
    /// and all of its hosts.
    Network(IpNet),
    /// Every address from the first to the last, both included.
    Range(IpAddr, IpAddr),
}

impl Hosts {
    /// How many there are; a name counts as one, and all of IPv6 as one less than it has.
    #[must_use]
    pub fn count(&self) -> u128 {
        match (self, self.ends()) {
            (Self::Name(_), _) => 1,
            (_, Some((first, last))) => {
                distance(first, last).map_or(0, |distance| distance.saturating_add(1))
            }
            (_, None) => 0,
        }
    }

    /// Every address exactly once, in an order that is always the same and in which neighbours are
    /// far apart; none for a name. A large network costs no memory.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.ends().map_or_else(Addresses::none, |(first, last)| Addresses::between(first, last))
    }

    /// The fewest networks that hold these addresses and no other; none for a name. The network
    /// and broadcast addresses of a network are in it.
    #[must_use]
    pub fn networks(&self) -> Vec<IpNet> {
        match *self {
            Self::Name(_) => Vec::new(),
            Self::Address(address) => vec![IpNet::from(address)],
            Self::Network(network) => vec![network],
            Self::Range(IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            Self::Range(IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            Self::Range(..) => Vec::new(),
        }
    }

    fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        match *self {
            Self::Name(_) => None,
            Self::Address(address) => Some((address, address)),
            Self::Range(first, last) => Some((first, last)),
            Self::Network(IpNet::V6(network)) => {
                Some((network.network().into(), network.broadcast().into()))
            }
            Self::Network(IpNet::V4(network)) => {
                let (first, last) = (network.network(), network.broadcast());
                // Both addresses of a /31 are hosts (RFC 3021).
                let apart = u32::from(network.prefix_len() < 31);
                let first = Ipv4Addr::from(u32::from(first).saturating_add(apart));
                let last = Ipv4Addr::from(u32::from(last).saturating_sub(apart));
                Some((first.into(), last.into()))
            }
        }
    }

    /// Reads what stands before the ports, without its brackets.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        // A name may begin like an address (`192.0.2.7-static.example.org`); only one that goes on
        // like a range is taken for one.
        if let Some((first, last)) = text.split_once('-')
            && let Ok(first) = first.parse::<IpAddr>()
            && (last.contains(':') || last.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        {
            return range(first, last);
        }
        name(text).map(Self::Name).ok_or_else(|| {
            "the host is neither a name, an address, a network nor a range".to_owned()
        })
    }
}

fn range(first: IpAddr, last: &str) -> Result<Hosts, String> {
    let short = match first {
        IpAddr::V4(first) => super::digits::<u8>(last).map(|octet| {
            let [a, b, c, _] = first.octets();
            IpAddr::from([a, b, c, octet])
        }),
        IpAddr::V6(_) => None,
    };
    let last = match short {
        Some(last) => last,
        None => last.parse().map_err(|_| "the range does not end in an address".to_owned())?,
    };
    if first.is_ipv4() != last.is_ipv4() {
        return Err("the range begins in one family of addresses and ends in the other".to_owned());
    }
    match first.cmp(&last) {
        std::cmp::Ordering::Less => Ok(Hosts::Range(first, last)),
        std::cmp::Ordering::Equal => Ok(Hosts::Address(first)),
        std::cmp::Ordering::Greater => Err("the range ends before it begins".to_owned()),
    }
}

/// Letters, digits, hyphens and underscores in labels of at most 63 octets (RFC 1123, 2.1), in
/// small letters. The last label is not all digits: such a name would be a mistyped address. None
/// begins with a hyphen: that would be a mistyped option. A dot at the end, which says that the
/// name is whole, is left out: with it and without it is one host.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let labels = || text.split('.');
    let good = text.len() <= 253
        && !text.starts_with('-')
        && labels().all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
        && !labels().next_back().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    good.then(|| text.to_ascii_lowercase())
}

/// A name as the server name indication carries it: without a dot at its end (RFC 6066, 3).
pub(crate) fn server_name(text: &str) -> Result<String, String> {
    name(text.trim())
        .ok_or_else(|| format!("`{}` is not a name that a server can have", super::shown(text)))
}

impl fmt::Display for Hosts {
    /// As in a target: everything of IPv6 in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Network(IpNet::V6(network)) => write!(f, "[{network}]"),
            Self::Network(IpNet::V4(network)) => write!(f, "{network}"),
            Self::Range(first @ IpAddr::V6(_), last) => write!(f, "[{first}-{last}]"),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn hosts(text: &str) -> Hosts {
        Hosts::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_hosts_of_a_network_are_those_that_can_be_asked() {
        for (text, count) in [
            ("www.example.org", 1),
            ("192.0.2.7", 1),
            ("192.0.2.0/24", 254),
            ("192.0.2.0/30", 2),
            ("192.0.2.0/31", 2),
            ("192.0.2.0/32", 1),
            ("192.0.2.10-40", 31),
            ("10.0.0.0/8", (1 << 24) - 2),
            ("0.0.0.0/0", (1 << 32) - 2),
            ("2001:db8::/126", 4),
            ("2001:db8::/64", 1 << 64),
            ("::/0", u128::MAX),
        ] {
            assert_eq!(hosts(text).count(), count, "{text}");
        }
    }

    #[test]
    fn addresses_are_those_that_the_network_itself_lists() {
        for text in ["192.0.2.0/24", "192.0.2.8/30", "192.0.2.8/31", "192.0.2.8/32", "10.9.0.0/18"]
        {
            let network: IpNet = text.parse().expect("a network");
            let listed: BTreeSet<IpAddr> = network.hosts().collect();
            let visited: Vec<IpAddr> = hosts(text).addresses().collect();
            assert_eq!(visited.len(), listed.len(), "{text}");
            assert_eq!(visited.into_iter().collect::<BTreeSet<_>>(), listed, "{text}");
        }
        assert_eq!(hosts("www.example.org").addresses().count(), 0);
        assert_eq!(
            hosts("::1").addresses().collect::<Vec<_>>(),
            [IpAddr::from([0u16, 0, 0, 0, 0, 0, 0, 1])]
        );
    }

    #[test]
    fn networks_hold_the_same_addresses() {
        for (text, networks) in [
            ("192.0.2.7", vec!["192.0.2.7/32"]),
            ("192.0.2.0/24", vec!["192.0.2.0/24"]),
            ("192.0.2.10-17", vec!["192.0.2.10/31", "192.0.2.12/30", "192.0.2.16/31"]),
            ("0.0.0.0-255.255.255.255", vec!["0.0.0.0/0"]),
            ("2001:db8::1-2001:db8::2", vec!["2001:db8::1/128", "2001:db8::2/128"]),
            ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", vec!["::/0"]),
            ("example.org", vec![]),
        ] {
            let found: Vec<String> = hosts(text).networks().iter().map(IpNet::to_string).collect();
            assert_eq!(found, networks, "{text}");
        }
    }

    #[test]
    fn a_range_made_the_wrong_way_round_is_empty() {
        let [low, high, other]: [IpAddr; 3] =
            ["192.0.2.1", "192.0.2.9", "::1"].map(|text| text.parse().expect("an address"));
        for range in [Hosts::Range(high, low), Hosts::Range(low, other), Hosts::Range(other, low)] {
            assert_eq!(range.count(), 0, "{range:?}");
            assert_eq!(range.addresses().count(), 0, "{range:?}");
            assert!(range.networks().is_empty(), "{range:?}");
        }
    }
}
