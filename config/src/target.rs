//! What to look at on the network: hosts, addresses, networks, with ports.

mod hosts;
mod ports;
mod spread;

use std::fmt;
use std::str::FromStr;

pub use hosts::Hosts;
pub(crate) use hosts::server_name;
pub use ports::{KNOWN_PORTS, KnownPort, PortProfile, Ports};
pub use spread::Addresses;

use crate::{Problem, Problems, StartTls};

/// One line of scope: hosts, with the ports to try there.
///
/// `[scheme://]hosts[:ports][?sni=name,name]`, where
///
/// - the scheme is `tls` for TLS at once on any port, or `smtp+tls` and its like for TLS inside of
///   that protocol; without one, the port decides;
/// - hosts are a name, an address, a network (`192.0.2.0/24`) or a range (`192.0.2.10-192.0.2.40`,
///   `192.0.2.10-40`); with ports after it, IPv6 stands in brackets (`[2001:db8::1-2001:db8::ff]`).
///   Without them, what may be an address with a port is refused: `2001:db8::1:443` is another
///   address when read to its end. That is so where the last group has two to five digits and no
///   letter, and what stands before it is an address by itself;
/// - ports are numbers, ranges and the names of a [`PortProfile`] (`443,8000-8100,mail`);
/// - the names are asked for besides asking without one.
///
/// Places that the tool prints, such as `smtp+tls://192.0.2.7:25?sni=mx.example.org`, are targets.
///
/// ```
/// use pki_config::Target;
///
/// let target: Target = "192.0.2.10-12:443,8000-8003?sni=www.example.org".parse()?;
/// assert_eq!(target.hosts.count(), 3);
/// assert_eq!(target.ports.len(), 5);
/// assert_eq!(target.ports.to_string(), "443,8000-8003");
/// # Ok::<(), pki_config::TargetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub hosts: Hosts,
    /// TCP ports, in the order given, each once; never empty.
    pub ports: Ports,
    /// What comes before TLS.
    pub opening: Opening,
    /// Names to ask for at every address, besides asking without a name.
    pub server_names: Vec<String>,
}

/// What comes before TLS on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opening {
    /// What is usual on the port: [`StartTls::by_port`], else nothing.
    #[default]
    ByPort,
    /// Nothing.
    Tls,
    /// This protocol, on any port.
    StartTls(StartTls),
}

/// A target that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target: {why}")]
pub struct TargetError {
    text: String,
    why: Why,
}

/// Why a text is no target, with what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error("{0}; write host, host:port, address:port,port, first-last:port or network/bits:port")]
    Form(String),
    #[error("it may end in a port; write [{before}]:{port}, or [{before}:{port}] for the address")]
    PortOrGroup { before: String, port: String },
    #[error("IPv6 stands in brackets before a port; write [{before}]:{port}")]
    NoBrackets { before: String, port: String },
}

/// The port where HTTPS listens, tried when a target names none.
pub const DEFAULT_PORT: u16 = 443;

impl Target {
    /// Reads a list: one target a line, or several with white space between them. What follows a
    /// `#` is a comment.
    ///
    /// # Errors
    ///
    /// Everything that is no target, each with its line in `file`.
    pub fn parse_list(file: &str, text: &str) -> Result<Vec<Self>, Problems> {
        let mut targets = Vec::new();
        let mut problems = Vec::new();
        // Editors of Windows begin a text with this mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, written) in (1..).zip(text.lines()) {
            let written = written.split_once('#').map_or(written, |(before, _)| before);
            for word in written.split_whitespace() {
                match word.parse() {
                    Ok(target) => targets.push(target),
                    Err(error) => {
                        let message = TargetError::to_string(&error);
                        let (file, key) = (file.to_owned(), String::new());
                        problems.push(Problem { file, line, key, message });
                    }
                }
            }
        }
        if problems.is_empty() { Ok(targets) } else { Err(Problems(problems)) }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        parse(text.trim()).map_err(|why| TargetError { text: shown(text), why })
    }
}

fn parse(text: &str) -> Result<Target, Why> {
    let (opening, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (read_scheme(scheme)?, rest),
        None => (Opening::ByPort, text),
    };
    let (authority, server_names) = match rest.split_once('?') {
        Some((authority, query)) => (authority, read_names(query)?),
        None => (rest, Vec::new()),
    };
    mind_brackets(authority)?;
    let split = split_ports(authority);
    let (hosts, ports) = split.ok_or_else(|| "a `]` is missing or not the last".to_owned())?;
    let hosts = Hosts::parse(hosts)?;
    let ports = match (ports, opening) {
        (Some(list), _) => ports::parse(list)?,
        // Nobody who writes `smtp+tls://mx.example.org` means port 443.
        (None, Opening::StartTls(protocol)) => protocol.ports().take(1).collect(),
        (None, _) => Ports::from_iter([DEFAULT_PORT]),
    };
    Ok(Target { hosts, ports, opening, server_names })
}

impl From<String> for Why {
    fn from(why: String) -> Self {
        Self::Form(why)
    }
}

fn read_scheme(text: &str) -> Result<Opening, String> {
    let text = text.to_ascii_lowercase();
    if text == "tls" {
        return Ok(Opening::Tls);
    }
    let Some(protocol) = text.strip_suffix("+tls") else {
        let protocols = StartTls::ALL.iter().map(|protocol| format!("{protocol}+tls"));
        let protocols: Vec<String> = protocols.collect();
        return Err(format!("before :// there may be tls, {}", protocols.join(", ")));
    };
    protocol.parse().map(Opening::StartTls).map_err(|error: crate::StartTlsError| error.to_string())
}

fn read_names(query: &str) -> Result<Vec<String>, String> {
    let list = query.strip_prefix("sni=").ok_or("after ? there may be sni=name,name")?;
    let mut names: Vec<String> = Vec::new();
    for name in list.split(',') {
        let name = server_name(name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Refuses IPv6 without brackets with a port after it, and what may be that: silently it would be
/// another address, on a port that nobody wrote. One digit is a group far more often than a port.
fn mind_brackets(text: &str) -> Result<(), Why> {
    let Some((before, port)) = text.rsplit_once(':') else { return Ok(()) };
    let alone = !text.starts_with('[') && before.contains(':') && Hosts::parse(before).is_ok();
    if !alone {
        return Ok(());
    }
    let is_address = Hosts::parse(text).is_ok();
    let (before, shown) = (shown(before), shown(port));
    if !is_address {
        return Err(Why::NoBrackets { before, port: shown });
    }
    if (2..=5).contains(&port.len()) && port.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(Why::PortOrGroup { before, port: shown });
    }
    Ok(())
}

/// Splits `hosts:ports`, minding that IPv6 addresses hold colons themselves.
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

/// A number of nothing but digits; the standard library lets a `+` precede them.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|octet| octet.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// What somebody wrote, as it may stand in a message: short, and nothing in it that a terminal
/// would obey.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for Target {
    /// In the one way that reads back as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.opening {
            Opening::ByPort => {}
            Opening::Tls => f.write_str("tls://")?,
            Opening::StartTls(protocol) => write!(f, "{protocol}+tls://")?,
        }
        write!(f, "{}:{}", self.hosts, self.ports)?;
        if !self.server_names.is_empty() {
            write!(f, "?sni={}", self.server_names.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
