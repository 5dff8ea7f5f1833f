//! Who is being asked right now, so that no host and no network is asked by too many at once.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use ipnet::IpNet;

/// Places under way by host and network, and those that wait because theirs are busy.
#[derive(Debug)]
pub(super) struct Crowd<T> {
    per_host: usize,
    per_network: usize,
    hosts: BTreeMap<IpAddr, usize>,
    networks: BTreeMap<IpNet, usize>,
    held: BTreeMap<IpNet, VecDeque<(IpAddr, T)>>,
    count: usize,
}

impl<T> Crowd<T> {
    pub(super) fn new(per_host: usize, per_network: usize) -> Self {
        Self {
            per_host: per_host.max(1),
            per_network: per_network.max(1),
            hosts: BTreeMap::new(),
            networks: BTreeMap::new(),
            held: BTreeMap::new(),
            count: 0,
        }
    }

    /// Lets a place in, or keeps it until somebody of its host or network has left.
    pub(super) fn enter(&mut self, address: IpAddr, place: T) -> Option<T> {
        let address = address.to_canonical();
        let network = network_of(address);
        if self.has_room(address, network) {
            self.count_in(address, network);
            return Some(place);
        }
        self.held.entry(network).or_default().push_back((address, place));
        self.count += 1;
        None
    }

    /// Notes that one has left, and gives those who may come in now.
    pub(super) fn leave(&mut self, address: IpAddr) -> Vec<T> {
        let address = address.to_canonical();
        let network = network_of(address);
        count_out(&mut self.hosts, address);
        count_out(&mut self.networks, network);
        let mut freed = Vec::new();
        let Some(mut waiting) = self.held.remove(&network) else { return freed };
        let mut busy = VecDeque::new();
        while let Some((address, place)) = waiting.pop_front() {
            if self.has_room(address, network) {
                self.count_in(address, network);
                self.count -= 1;
                freed.push(place);
            } else {
                busy.push_back((address, place));
                if self.networks.get(&network).is_some_and(|count| *count >= self.per_network) {
                    break;
                }
            }
        }
        busy.extend(waiting);
        if !busy.is_empty() {
            self.held.insert(network, busy);
        }
        freed
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.count
    }

    /// Everybody who waits, who is not let in any more.
    pub(super) fn dismiss(&mut self) -> Vec<T> {
        self.count = 0;
        std::mem::take(&mut self.held).into_values().flatten().map(|(_, place)| place).collect()
    }

    fn has_room(&self, address: IpAddr, network: IpNet) -> bool {
        let below = |count: Option<&usize>, most| count.is_none_or(|count| *count < most);
        below(self.hosts.get(&address), self.per_host)
            && below(self.networks.get(&network), self.per_network)
    }

    fn count_in(&mut self, address: IpAddr, network: IpNet) {
        *self.hosts.entry(address).or_default() += 1;
        *self.networks.entry(network).or_default() += 1;
    }
}

fn count_out<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let std::collections::btree_map::Entry::Occupied(mut entry) = counts.entry(key) {
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
    }
}

/// The /24 of an IPv4 address, the /64 of an IPv6 address: what usually stands behind one line.
fn network_of(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 64 };
    // Both lengths are ones that their family has.
    IpNet::new(address, length).map_or_else(|_| IpNet::from(address), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn no_host_and_no_network_is_asked_by_more_than_allowed() {
        let mut crowd = Crowd::new(1, 2);
        let [a, b, c] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(ip);
        assert_eq!(crowd.enter(a, "a1"), Some("a1"));
        assert_eq!(crowd.enter(a, "a2"), None, "the host is busy");
        assert_eq!(crowd.enter(ip("198.51.100.1"), "far"), Some("far"));
        assert_eq!(crowd.enter(b, "b"), Some("b"), "its neighbour is not");
        assert_eq!(crowd.enter(c, "c"), None, "the network is busy");
        assert_eq!(crowd.waiting(), 2);
        assert_eq!(crowd.leave(b), ["c"], "the host of the first one is still busy");
        assert_eq!(crowd.leave(a), ["a2"]);
        assert!(crowd.leave(a).is_empty() && crowd.leave(c).is_empty());
        assert_eq!(crowd.waiting(), 0);
    }

    #[test]
    fn an_ipv6_network_is_a_64_and_a_mapped_address_is_what_it_maps() {
        let mut crowd = Crowd::new(1, 1);
        assert_eq!(crowd.enter(ip("2001:db8::1"), 1), Some(1));
        assert_eq!(crowd.enter(ip("2001:db8::2"), 2), None);
        assert_eq!(crowd.enter(ip("2001:db8:0:1::1"), 3), Some(3));
        assert_eq!(crowd.enter(ip("192.0.2.1"), 4), Some(4));
        assert_eq!(crowd.enter(ip("::ffff:192.0.2.2"), 5), None);
        assert_eq!(crowd.dismiss().len(), 2);
    }
}
