//! What the directory collector is to read: live servers, and files that were exported elsewhere.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use crate::target::server_name;
use crate::{Origin, SecretSource};

/// The scope of the directory collector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryScope {
    /// Servers to ask.
    pub servers: Vec<DirectoryServer>,
    /// Dumps of a directory (RFC 2849).
    pub dumps: Vec<DirectoryDump>,
    /// Exports of an authority's database.
    pub records: Vec<AuthorityRecords>,
}

/// A directory and how to ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryServer {
    /// Where it is.
    pub address: DirectoryAddress,
    /// How the connection is protected.
    pub transport: Transport,
    /// As whom it is asked.
    pub bind: Bind,
    /// File with the certificates (PEM) of the authorities that the server's certificate has to come
    /// from; those that this machine trusts where there is none.
    pub trusted: Option<PathBuf>,
    /// Where certificates are looked for by the attributes of RFC 4523. Of Active Directory the
    /// naming contexts of its domains where there are none.
    pub bases: Vec<String>,
    /// Whether to read the certificates of accounts (`userCertificate`, `altSecurityIdentities`) of
    /// Active Directory as well.
    pub accounts: bool,
    /// Hosts that a referral may be followed to, besides the server itself: names, or `*.` with a
    /// domain. A referral to any other is a gap.
    pub referrals: Vec<String>,
    /// Entries for a page (RFC 2696).
    pub page_size: u32,
    /// No more entries than these are read; the rest is a gap.
    pub max_entries: u64,
    /// Seconds to connect, and to wait for each answer.
    pub timeout_secs: u64,
    /// Seconds that the whole server may take.
    pub deadline_secs: u64,
    /// Where the settings name it; `None` when the command line does.
    pub origin: Option<Origin>,
}

/// Where a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryAddress {
    /// One host. The port is that of the transport where none is given.
    Host {
        /// Name or address.
        host: String,
        /// TCP port.
        port: Option<u16>,
    },
    /// A domain whose servers DNS knows: `_ldap._tcp.dc._msdcs.DOMAIN`, then `_ldap._tcp.DOMAIN`
    /// (RFC 2782).
    Domain(String),
}

/// How the connection to a directory is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// TLS from the first octet on, port 636.
    #[default]
    Ldaps,
    /// TLS after a request for it (RFC 4511, 4.14), port 389.
    StartTls,
    /// None, port 389.
    Plain,
}

/// As whom a directory is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Bind {
    /// As nobody (RFC 4513, 5.1.1).
    #[default]
    Anonymous,
    /// By name and password (RFC 4513, 5.1.3).
    Simple {
        /// Distinguished name; Active Directory takes `user@domain` as well.
        name: String,
        /// Where the password comes from.
        password: DirectoryPassword,
        /// Whether the password may go over a connection without TLS.
        in_the_clear: bool,
    },
    /// By a client certificate (RFC 4513, 5.2.3).
    External {
        /// File with the certificate and those it comes from (PEM).
        certificate: PathBuf,
        /// File with its private key (PEM).
        key: PathBuf,
    },
    /// By the Kerberos ticket that the environment has (RFC 4752).
    Kerberos,
}

/// Where the password of a bind comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryPassword {
    /// From a file or a variable.
    Kept(SecretSource),
    /// From whoever sits at the terminal.
    Prompt,
}

/// A dump of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryDump {
    /// The file.
    pub path: PathBuf,
    /// Where the settings name it; `None` when the command line does.
    pub origin: Option<Origin>,
}

/// An export of an authority's database: `certutil -view`, as CSV or as rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRecords {
    /// The file.
    pub path: PathBuf,
    /// The common name of the authority, where the export does not tell it.
    pub authority: Option<String>,
    /// Where the settings name it; `None` when the command line does.
    pub origin: Option<Origin>,
}

/// A text that is not the address of a directory. It does not tell the text, which may hold a
/// password that somebody put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryAddressError {
    /// No address of one host.
    #[error(
        "must be ldaps://host, ldap://host or ldap+tls://host (StartTLS), with :port where it is \
         not the usual one"
    )]
    Url,
    /// An address with a name or a password in it.
    #[error("must not hold a name or a password; they have keys of their own")]
    Account,
    /// An address with a base or a filter behind the host (RFC 4516).
    #[error("must end behind the host and its port; what to look at has a key of its own: bases")]
    Path,
    /// No domain.
    #[error("must be a domain such as corp.example")]
    Domain,
}

impl DirectoryScope {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.dumps.is_empty() && self.records.is_empty()
    }
}

impl Default for DirectoryServer {
    fn default() -> Self {
        Self {
            address: DirectoryAddress::Host { host: "localhost".to_owned(), port: None },
            transport: Transport::default(),
            bind: Bind::default(),
            trusted: None,
            bases: Vec::new(),
            accounts: true,
            referrals: Vec::new(),
            page_size: 500,
            max_entries: 10_000_000,
            timeout_secs: 30,
            deadline_secs: 3600,
            origin: None,
        }
    }
}

impl DirectoryServer {
    /// The server at this address, asked as nobody: `ldaps://host`, `ldap://host:port`, or
    /// `ldap+tls://host` for StartTLS.
    ///
    /// # Errors
    ///
    /// When it is not such an address.
    pub fn at(url: &str) -> Result<Self, DirectoryAddressError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(DirectoryAddressError::Url)?;
        let transport = match scheme.to_ascii_lowercase().as_str() {
            "ldaps" => Transport::Ldaps,
            "ldap+tls" => Transport::StartTls,
            "ldap" => Transport::Plain,
            _ => return Err(DirectoryAddressError::Url),
        };
        if rest.contains('@') {
            return Err(DirectoryAddressError::Account);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() {
            return Err(DirectoryAddressError::Path);
        }
        let (host, port) = host_and_port(authority).ok_or(DirectoryAddressError::Url)?;
        Ok(Self { address: DirectoryAddress::Host { host, port }, transport, ..Self::default() })
    }

    /// The servers of a domain, asked as nobody.
    ///
    /// # Errors
    ///
    /// When it is not the name of a domain.
    pub fn of_domain(domain: &str) -> Result<Self, DirectoryAddressError> {
        let domain = server_name(domain).map_err(|_| DirectoryAddressError::Domain)?;
        Ok(Self { address: DirectoryAddress::Domain(domain), ..Self::default() })
    }

    /// What places of this directory name it by: the domain, or the host with its port where that is
    /// not the usual one.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.address {
            DirectoryAddress::Domain(domain) => domain.clone(),
            DirectoryAddress::Host { host, port } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                match port.filter(|port| *port != self.transport.port()) {
                    Some(port) => format!("{host}:{port}"),
                    None => host,
                }
            }
        }
    }
}

/// `host`, `host:port`, `[address]`, `[address]:port` (RFC 3986, 3.2.2).
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (address.parse::<Ipv6Addr>().ok()?.to_string(), port)
        }
        None => {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            let address = host.parse::<IpAddr>().map(|address| address.to_string());
            (address.or_else(|_| server_name(host)).ok()?, port)
        }
    };
    let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port != 0).ok_or(()));
    Some((host, port.transpose().ok()?))
}

impl Transport {
    /// The usual port.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Ldaps => 636,
            Self::StartTls | Self::Plain => 389,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ldaps => "ldaps",
            Self::StartTls => "starttls",
            Self::Plain => "plain",
        })
    }
}
