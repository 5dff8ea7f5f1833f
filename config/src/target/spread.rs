//! All addresses from one to another, neighbours far apart.

use std::net::IpAddr;

/// Every address of a network or range exactly once, in an order that is always the same and in
/// which consecutive addresses are far apart: a network is not asked one /24 after the other, so
/// that no firewall, switch or host sees all connections of a run at once.
///
/// Three numbers are all it remembers, however large the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    first: IpAddr,
    /// Addresses in all, less one: all those of IPv6 are one more than fit.
    span: u128,
    step: u128,
    at: u128,
    /// Addresses still to come, less one.
    left: Option<u128>,
}

/// 2^64 divided by the golden ratio. Going round a circle in steps of that share of it, each step
/// falls into one of the widest gaps that the earlier ones left.
const GOLDEN: u128 = 0x9E37_79B9_7F4A_7C15;

impl Addresses {
    /// None at all.
    pub(super) fn none() -> Self {
        let first = IpAddr::from([0, 0, 0, 0]);
        Self { first, span: 0, step: 0, at: 0, left: None }
    }

    /// From the first to the last; none where they are of two families or the wrong way round.
    pub(super) fn between(first: IpAddr, last: IpAddr) -> Self {
        let Some(span) = distance(first, last) else { return Self::none() };
        Self { first, span, step: step(span), at: 0, left: Some(span) }
    }
}

impl Iterator for Addresses {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        let left = self.left?;
        let address = nth(self.first, self.at);
        self.left = left.checked_sub(1);
        // Modulo span + 1, which may not fit.
        self.at = match self.at.checked_sub(self.span - self.step) {
            None => self.at + self.step,
            Some(0) => self.span,
            Some(over) => over - 1,
        };
        Some(address)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let Some(left) = self.left else { return (0, Some(0)) };
        match usize::try_from(left).ok().and_then(|left| left.checked_add(1)) {
            Some(count) => (count, Some(count)),
            None => (usize::MAX, None),
        }
    }
}

impl std::iter::FusedIterator for Addresses {}

/// From one address to another of its family that is not before it.
pub(super) fn distance(first: IpAddr, last: IpAddr) -> Option<u128> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            u32::from(last).checked_sub(u32::from(first)).map(u128::from)
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => u128::from(last).checked_sub(u128::from(first)),
        _ => None,
    }
}

/// The address so much after the first; the caller stays within what [`distance`] allowed, so
/// nothing is ever cut off or wraps.
fn nth(first: IpAddr, offset: u128) -> IpAddr {
    match first {
        IpAddr::V4(first) => {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            IpAddr::V4(u32::from(first).wrapping_add(offset).into())
        }
        IpAddr::V6(first) => IpAddr::V6(u128::from(first).wrapping_add(offset).into()),
    }
}

/// A step near the golden share of the circle that has no divisor in common with its length, so
/// that every address comes once before the first comes again.
fn step(span: u128) -> u128 {
    let share = (span >> 64) * GOLDEN + (((span & u128::from(u64::MAX)) * GOLDEN) >> 64);
    // One less than the length is always such a step, so this ends; a few trials are the rule.
    (share.max(1)..span).find(|step| coprime(*step, span)).unwrap_or(span)
}

/// Whether a step and `span + 1` have no divisor in common.
fn coprime(step: u128, span: u128) -> bool {
    // `span + 1` modulo `step` without the sum, which may not fit.
    let rest = (span % step + 1) % step;
    let (mut a, mut b) = (step, rest);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn addresses(first: &str, last: &str) -> Addresses {
        Addresses::between(first.parse().expect("first"), last.parse().expect("last"))
    }

    #[test]
    fn every_address_comes_exactly_once_whatever_the_size() {
        let base = u32::from_be_bytes([10, 0, 0, 0]);
        let sizes = (1..=600).chain([1000, 1024, 4096, 6765, 10_000, 65_534, 65_536, 75_025]);
        for size in sizes {
            let ends = [base, base + (size - 1)].map(|number| IpAddr::V4(number.into()));
            let all: Vec<IpAddr> = Addresses::between(ends[0], ends[1]).collect();
            assert_eq!(all.len(), size as usize, "{size}");
            let distinct: BTreeSet<IpAddr> = all.into_iter().collect();
            assert_eq!(distinct.len(), size as usize, "{size}");
            let extremes = [distinct.first(), distinct.last()];
            assert_eq!(extremes, [Some(&ends[0]), Some(&ends[1])], "{size}");
        }
    }

    #[test]
    fn the_order_is_always_the_same() {
        let order: Vec<String> =
            addresses("192.0.2.0", "192.0.2.7").map(|address| address.to_string()).collect();
        let last = order.iter().map(|text| &text[8..]).collect::<Vec<_>>().join(" ");
        assert_eq!(last, "0 5 2 7 4 1 6 3");
        let again = addresses("10.0.0.0", "10.0.255.255");
        assert!(again.clone().eq(addresses("10.0.0.0", "10.0.255.255")));
    }

    #[test]
    fn consecutive_addresses_of_a_large_network_lie_in_different_parts_of_it() {
        for (last, apart) in [("10.0.255.255", 64), ("10.255.255.255", 10_000)] {
            let all: Vec<IpAddr> = addresses("10.0.0.0", last).take(20_000).collect();
            for window in all.windows(apart).step_by(97) {
                let parts: BTreeSet<u32> = window
                    .iter()
                    .map(|address| match address {
                        IpAddr::V4(address) => u32::from(*address) >> 8,
                        IpAddr::V6(_) => unreachable!("only IPv4 went in"),
                    })
                    .collect();
                assert_eq!(parts.len(), apart, "/24s among {apart} addresses");
            }
        }
    }

    #[test]
    fn size_costs_no_memory_and_no_number_overflows() {
        for (first, last) in [
            ("10.0.0.0", "10.255.255.255"),
            ("0.0.0.0", "255.255.255.255"),
            ("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"),
            ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            let some: Vec<IpAddr> = addresses(first, last).take(1000).collect();
            let distinct: BTreeSet<&IpAddr> = some.iter().collect();
            assert_eq!(distinct.len(), 1000, "{first}-{last}");
            let ends: [IpAddr; 2] = [first, last].map(|end| end.parse().expect("an end"));
            assert!(some.iter().all(|address| (ends[0]..=ends[1]).contains(address)));
        }
        assert!(size_of::<Addresses>() <= 128);
    }

    #[test]
    fn what_is_left_is_known_and_the_end_is_the_end() {
        let mut two = addresses("192.0.2.254", "192.0.2.255");
        assert_eq!(two.size_hint(), (2, Some(2)));
        assert_eq!(two.by_ref().count(), 2);
        assert_eq!((two.next(), two.size_hint()), (None, (0, Some(0))));
        assert_eq!(addresses("192.0.2.2", "192.0.2.1").next(), None);
        assert_eq!(addresses("192.0.2.2", "::1").next(), None);
        let all = addresses("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_eq!(all.size_hint(), (usize::MAX, None));
    }
}
