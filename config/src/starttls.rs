//! Protocols that begin in the clear and change to TLS on the same connection.

use std::fmt;
use std::str::FromStr;

use crate::target::shown;

/// A protocol inside of which TLS can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartTls {
    /// RFC 4217, `AUTH TLS`.
    Ftp,
    /// RFC 9051, 6.2.1.
    Imap,
    /// IRCv3 `tls`.
    Irc,
    /// RFC 4511, 4.14.
    Ldap,
    /// RFC 2033 with RFC 3207.
    Lmtp,
    /// Microsoft MS-TDS, 2.2.6.5.
    Mssql,
    /// MySQL and MariaDB, `SSLRequest`.
    Mysql,
    /// RFC 4642.
    Nntp,
    /// RFC 2595, 4.
    Pop3,
    /// PostgreSQL, `SSLRequest`.
    Postgres,
    /// Microsoft MS-RDPBCGR, 2.2.1.1.1.
    Rdp,
    /// RFC 5804, 2.2.
    Sieve,
    /// RFC 3207.
    Smtp,
    /// RFC 6120, 5, client to server.
    XmppClient,
    /// RFC 6120, 5, server to server.
    XmppServer,
}

/// A name that is not one of a [`StartTls`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no protocol with TLS inside; there are {known}", known = known())]
pub struct StartTlsError(String);

/// Where each protocol is usual, its first port first.
const PORTS: &[(u16, StartTls)] = &[
    (21, StartTls::Ftp),
    (143, StartTls::Imap),
    (6667, StartTls::Irc),
    (389, StartTls::Ldap),
    // The global catalogue of Active Directory.
    (3268, StartTls::Ldap),
    (24, StartTls::Lmtp),
    (1433, StartTls::Mssql),
    (3306, StartTls::Mysql),
    (119, StartTls::Nntp),
    (110, StartTls::Pop3),
    (5432, StartTls::Postgres),
    (3389, StartTls::Rdp),
    (4190, StartTls::Sieve),
    (25, StartTls::Smtp),
    (587, StartTls::Smtp),
    (2525, StartTls::Smtp),
    (5222, StartTls::XmppClient),
    (5269, StartTls::XmppServer),
];

/// Other names in use, for those who know a protocol by one of them.
const ALIASES: &[(&str, StartTls)] = &[
    ("managesieve", StartTls::Sieve),
    ("mariadb", StartTls::Mysql),
    ("postgresql", StartTls::Postgres),
    ("tds", StartTls::Mssql),
    ("xmpp-client", StartTls::XmppClient),
];

impl StartTls {
    /// Every one, sorted by name.
    pub const ALL: &[Self] = &[
        Self::Ftp,
        Self::Imap,
        Self::Irc,
        Self::Ldap,
        Self::Lmtp,
        Self::Mssql,
        Self::Mysql,
        Self::Nntp,
        Self::Pop3,
        Self::Postgres,
        Self::Rdp,
        Self::Sieve,
        Self::Smtp,
        Self::XmppClient,
        Self::XmppServer,
    ];

    /// The name in targets and places: `smtp`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Imap => "imap",
            Self::Irc => "irc",
            Self::Ldap => "ldap",
            Self::Lmtp => "lmtp",
            Self::Mssql => "mssql",
            Self::Mysql => "mysql",
            Self::Nntp => "nntp",
            Self::Pop3 => "pop3",
            Self::Postgres => "postgres",
            Self::Rdp => "rdp",
            Self::Sieve => "sieve",
            Self::Smtp => "smtp",
            Self::XmppClient => "xmpp",
            Self::XmppServer => "xmpp-server",
        }
    }

    /// The protocol that is usual on a port.
    #[must_use]
    pub fn by_port(port: u16) -> Option<Self> {
        PORTS.iter().find(|(known, _)| *known == port).map(|(_, protocol)| *protocol)
    }

    /// The ports where this protocol is usual, the first one first; never empty.
    pub fn ports(self) -> impl Iterator<Item = u16> {
        PORTS.iter().filter(move |(_, protocol)| *protocol == self).map(|(port, _)| *port)
    }
}

impl fmt::Display for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StartTls {
    type Err = StartTlsError;

    fn from_str(text: &str) -> Result<Self, StartTlsError> {
        let names = Self::ALL.iter().map(|protocol| (protocol.name(), *protocol));
        let mut known = names.chain(ALIASES.iter().copied());
        known
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, protocol)| protocol)
            .ok_or_else(|| StartTlsError(shown(text)))
    }
}

fn known() -> String {
    StartTls::ALL.iter().map(|protocol| protocol.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PortProfile;

    /// Without a wildcard, so that a new protocol has to be counted here.
    fn place(protocol: StartTls) -> usize {
        match protocol {
            StartTls::Ftp => 0,
            StartTls::Imap => 1,
            StartTls::Irc => 2,
            StartTls::Ldap => 3,
            StartTls::Lmtp => 4,
            StartTls::Mssql => 5,
            StartTls::Mysql => 6,
            StartTls::Nntp => 7,
            StartTls::Pop3 => 8,
            StartTls::Postgres => 9,
            StartTls::Rdp => 10,
            StartTls::Sieve => 11,
            StartTls::Smtp => 12,
            StartTls::XmppClient => 13,
            StartTls::XmppServer => 14,
        }
    }

    #[test]
    fn the_list_is_complete_and_sorted_by_name() {
        let places: Vec<usize> = StartTls::ALL.iter().map(|protocol| place(*protocol)).collect();
        assert_eq!(places, (0..15).collect::<Vec<_>>());
        assert!(StartTls::ALL.is_sorted_by_key(|protocol| protocol.name()));
        assert!(StartTls::ALL.is_sorted(), "the order of the variants is the one of the names");
    }

    #[test]
    fn each_is_read_by_its_name_and_by_what_others_call_it() {
        for protocol in StartTls::ALL {
            assert_eq!(protocol.to_string().parse(), Ok(*protocol));
        }
        for (alias, name) in [
            ("postgresql", "postgres"),
            ("xmpp-client", "xmpp"),
            ("managesieve", "sieve"),
            ("tds", "mssql"),
            ("mariadb", "mysql"),
            ("SMTP", "smtp"),
        ] {
            assert_eq!(alias.parse::<StartTls>().map(StartTls::name), Ok(name));
        }
        let error = "telnet".parse::<StartTls>().unwrap_err().to_string();
        assert!(error.starts_with("`telnet` is no") && error.contains("xmpp-server"), "{error}");
    }

    #[test]
    fn each_has_a_port_and_every_port_of_one_is_in_a_profile() {
        let known = PortProfile::AllKnown.ports();
        for protocol in StartTls::ALL {
            assert!(protocol.ports().next().is_some(), "{protocol} is usual nowhere");
            for port in protocol.ports() {
                assert_eq!(StartTls::by_port(port), Some(*protocol), "{port}");
                assert!(known.contains(&port), "{port} is not in all-known");
            }
        }
        assert_eq!(StartTls::by_port(443), None);
        assert_eq!(StartTls::Smtp.ports().next(), Some(25), "the port of the protocol itself");
    }
}
