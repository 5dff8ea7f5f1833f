//! What to look at on the network: hosts, addresses, networks, with ports.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One line of scope: a host, an address or a network, with the ports to try there.
///
/// `www.example.org`, `192.0.2.7:443`, `192.0.2.0/28:443,8443`, `[2001:db8::1]:636`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub hosts: Hosts,
    /// TCP ports, in the order given; never empty.
    pub ports: Vec<u16>,
}

/// One or many hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// A DNS name; every address of it is asked, with the name as server name.
    Name(String),
    /// One address, asked without a server name.
    Address(IpAddr),
    /// Every host address of a network.
    Network(ipnet::IpNet),
}

/// A target that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a target: {why}; write host, host:port, address:port,port or network/bits:port"
)]
pub struct TargetError {
    text: String,
    why: String,
}

/// The port where HTTPS listens, tried when a target names none.
pub const DEFAULT_PORT: u16 = 443;

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = |why: &str| TargetError { text: text.to_owned(), why: why.to_owned() };
        let (host, ports) = split_ports(text).ok_or_else(|| wrong("a `]` is missing"))?;
        let ports = match ports {
            None => vec![DEFAULT_PORT],
            Some(list) => list
                .split(',')
                .map(|port| port.trim().parse().ok().filter(|port| *port != 0))
                .collect::<Option<Vec<u16>>>()
                .ok_or_else(|| wrong("a port is a number from 1 to 65535"))?,
        };
        let hosts = if let Ok(address) = host.parse() {
            Hosts::Address(address)
        } else if let Ok(network) = host.parse::<ipnet::IpNet>() {
            Hosts::Network(network.trunc())
        } else if is_name(host) {
            Hosts::Name(host.to_ascii_lowercase())
        } else {
            return Err(wrong("the host is neither a name, an address nor a network"));
        };
        Ok(Self { hosts, ports })
    }
}

/// Splits `host:ports`, minding that IPv6 addresses hold colons themselves.
fn split_ports(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(ports) => Some((host, Some(ports))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    Some(match text.split_once(':') {
        Some((host, ports)) if !ports.contains(':') => (host, Some(ports)),
        _ => (text, None),
    })
}

/// Letters, digits, hyphens and underscores in labels of at most 63 octets (RFC 1123, 2.1). The
/// last label is not all digits: such a name would be a mistyped address.
fn is_name(host: &str) -> bool {
    let labels = || host.trim_end_matches('.').split('.');
    host.len() <= 253
        && labels().all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
        && !labels().next_back().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Address(IpAddr::V4(ip)) => write!(f, "{ip}")?,
            Hosts::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            Hosts::Network(ipnet::IpNet::V4(net)) => write!(f, "{net}")?,
            Hosts::Network(ipnet::IpNet::V6(net)) => write!(f, "[{net}]")?,
        }
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        write!(f, ":{}", ports.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_read_and_printed_in_one_way() {
        for (written, printed) in [
            ("www.Example.org", "www.example.org:443"),
            ("localhost:8443", "localhost:8443"),
            ("192.0.2.7:443,8443", "192.0.2.7:443,8443"),
            ("192.0.2.9/28:443", "192.0.2.0/28:443"),
            ("[2001:db8::1]:636", "[2001:db8::1]:636"),
            ("2001:db8::1", "[2001:db8::1]:443"),
            ("[2001:db8::/120]:443", "[2001:db8::/120]:443"),
        ] {
            let target: Target = written.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(target.to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_the_reason() {
        for written in
            ["", "host:0", "host:70000", "host:x", "300.0.0.1", "[::1", "a b", "10.0.0.0/33"]
        {
            assert!(written.parse::<Target>().is_err(), "{written} must not be a target");
        }
    }
}
