//! The scope of a run that nobody gave a scope: this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use pki_config::{DEFAULT_ROOTS, FilesystemScope, Hosts, Opening, Settings, Target, TlsScope};

/// The usual trees that exist here, and whatever listens on loopback.
pub fn scope() -> Settings {
    let roots = DEFAULT_ROOTS.iter().map(PathBuf::from).filter(|root| root.is_dir()).collect();
    Settings {
        tls: TlsScope { loopback: true, ..TlsScope::default() },
        filesystem: FilesystemScope { roots, ..FilesystemScope::default() },
        ..Settings::default()
    }
}

/// A target for every loopback address that something listens on, with the ports.
pub fn loopback_targets() -> Vec<Target> {
    let mut targets = Vec::new();
    for (table, parse) in
        [("/proc/net/tcp", parse_v4 as fn(&str) -> Option<IpAddr>), ("/proc/net/tcp6", parse_v6)]
    {
        // No such table means no such protocol on this host.
        let text = std::fs::read_to_string(table).unwrap_or_default();
        targets.extend(listening(&text, parse, has_v6_loopback()));
    }
    let mut by_address: BTreeMap<IpAddr, BTreeSet<u16>> = BTreeMap::new();
    for (address, port) in targets {
        by_address.entry(address).or_default().insert(port);
    }
    // One scope an address, so that one odd port is a part of it and not a scope of its own.
    let target = |(address, ports): (IpAddr, BTreeSet<u16>)| Target {
        hosts: Hosts::Address(address),
        ports: ports.into_iter().collect(),
        opening: Opening::ByPort,
        server_names: Vec::new(),
    };
    by_address.into_iter().map(target).collect()
}

/// The listening sockets of a `/proc/net/tcp` table that loopback reaches.
fn listening(
    table: &str,
    parse: fn(&str) -> Option<IpAddr>,
    has_v6_loopback: bool,
) -> Vec<(IpAddr, u16)> {
    /// TCP_LISTEN of the kernel's `include/net/tcp_states.h`.
    const LISTEN: &str = "0A";
    let mut found = Vec::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(local), Some(&LISTEN)) = (fields.get(1), fields.get(3)) else { continue };
        let Some((address, port)) = local.split_once(':') else { continue };
        let (Some(address), Ok(port)) = (parse(address), u16::from_str_radix(port, 16)) else {
            continue;
        };
        // `::ffff:127.0.0.1` is how a socket for both protocols names an IPv4 address.
        let reached = match address.to_canonical() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() && has_v6_loopback => {
                IpAddr::V6(Ipv6Addr::LOCALHOST)
            }
            // Unless told otherwise, such a socket serves IPv4 as well.
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            other if other.is_loopback() => other,
            _ => continue,
        };
        found.push((reached, port));
    }
    found
}

/// Whether `::1` can be reached: containers often come without it.
fn has_v6_loopback() -> bool {
    let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    table.lines().any(|line| line.starts_with("00000000000000000000000000000001 "))
}

/// Eight hexadecimal digits in the byte order of the host.
fn parse_v4(text: &str) -> Option<IpAddr> {
    let number = u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 8)?;
    Some(Ipv4Addr::from(number.to_ne_bytes()).into())
}

/// Four such groups.
fn parse_v6(text: &str) -> Option<IpAddr> {
    let mut octets = [0; 16];
    for (at, chunk) in octets.chunks_mut(4).enumerate() {
        let number = u32::from_str_radix(text.get(8 * at..8 * at + 8)?, 16).ok()?;
        chunk.copy_from_slice(&number.to_ne_bytes());
    }
    Some(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn listening_sockets_that_loopback_reaches_are_found() {
        let v4 = "  sl  local_address rem_address   st\n\
                  0: 00000000:0016 00000000:0000 0A 0 0\n\
                  1: 0100007F:20FB 00000000:0000 0A 0 0\n\
                  2: 0200000A:01BB 00000000:0000 0A 0 0\n\
                  3: 0100007F:1F90 0100007F:0016 01 0 0\n";
        let found: Vec<String> =
            listening(v4, parse_v4, true).iter().map(|(a, p)| format!("{a} {p}")).collect();
        assert_eq!(found, ["127.0.0.1 22", "127.0.0.1 8443"]);
        let v6 = "  sl\n 0: 00000000000000000000000001000000:01BB 0:0 0A\n \
                  1: 00000000000000000000000000000000:0050 0:0 0A\n \
                  2: 0000000000000000FFFF00000100007F:1F90 0:0 0A\n";
        let ports = |has_v6_loopback| -> Vec<String> {
            let found = listening(v6, parse_v6, has_v6_loopback);
            found.iter().map(|(a, p)| format!("{a} {p}")).collect()
        };
        assert_eq!(ports(true), ["::1 443", "::1 80", "127.0.0.1 8080"]);
        assert_eq!(ports(false), ["::1 443", "127.0.0.1 80", "127.0.0.1 8080"]);
    }
}
