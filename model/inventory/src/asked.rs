//! How an endpoint was asked, and what of a server's settings suits that.

use std::net::IpAddr;

use crate::{Asset, Configuration, Listens, Place};

/// How an endpoint was asked.
pub(crate) struct Asked<'p> {
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
    pub(crate) server_name: Option<String>,
    pub(crate) starttls: Option<&'p str>,
}

/// How well the names of a configuration suit the name an endpoint was asked by, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suits {
    Exactly,
    ByWildcard,
    /// It has no names, or no name was asked for.
    AnyName,
    Not,
}

impl Suits {
    /// All of them, the best first.
    pub(crate) const ALL: [Self; 4] = [Self::Exactly, Self::ByWildcard, Self::AnyName, Self::Not];
}

impl<'p> Asked<'p> {
    pub(crate) fn of(endpoint: &'p Asset) -> Option<Self> {
        endpoint.endpoint()?;
        endpoint.places().find_map(|place| match place {
            Place::Tls { host, port, server_name, starttls } => Some(Self {
                address: address(host),
                port: *port,
                server_name: server_name
                    .as_deref()
                    .map(|name| name.trim_end_matches('.').to_ascii_lowercase()),
                starttls: starttls.as_deref(),
            }),
            _ => None,
        })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.address.is_some_and(|address| address.is_loopback())
    }

    fn fits(&self, listens: &Listens) -> bool {
        listens.port == self.port && listens.starttls.as_deref() == self.starttls
    }

    /// Whether something that listens so on this host answers at the address.
    pub(crate) fn reaches(&self, listens: &Listens) -> bool {
        let at = match listens.address.as_deref() {
            None | Some("*" | "") => true,
            // A socket for all addresses of IPv6 takes those of IPv4 too unless told otherwise.
            Some(text) => match (address(text), self.address) {
                (Some(IpAddr::V6(listening)), _) if listening.is_unspecified() => true,
                (Some(IpAddr::V4(listening)), Some(IpAddr::V4(_)))
                    if listening.is_unspecified() =>
                {
                    true
                }
                (Some(listening), Some(asked)) => listening == asked,
                (None, Some(asked)) => text == "localhost" && asked.is_loopback(),
                (_, None) => false,
            },
        };
        at && self.fits(listens)
    }

    /// Whether it is sure that something that listens so is what was asked: on a loopback address
    /// of this host, or on the very address. All addresses of a host are those of some host.
    pub(crate) fn is_surely(&self, listens: &Listens) -> bool {
        let listening = listens.address.as_deref().and_then(address);
        let very = listening.is_some() && listening == self.address;
        self.fits(listens) && (very || self.is_loopback())
    }

    /// Whether the configuration is for sure of the host that was asked.
    pub(crate) fn is_of(&self, configuration: &Configuration) -> bool {
        configuration.listens.iter().any(|listens| self.is_surely(listens))
    }
}

/// How the name of a server in settings is looked up.
pub(crate) enum Name {
    /// Stands for all: of nginx, of Apache.
    Any,
    /// Stands for several, in the form of [`patterns`].
    Pattern(String),
    /// Stands for itself.
    Whole(String),
}

impl Name {
    pub(crate) fn of(text: &str) -> Self {
        let name = text.to_ascii_lowercase();
        match name.as_str() {
            "" | "\"\"" | "_" | "*" | "_default_" => Self::Any,
            _ if name.starts_with("*.") || name.starts_with('.') || name.ends_with(".*") => {
                Self::Pattern(name)
            }
            _ => Self::Whole(name),
        }
    }
}

/// The patterns that a name suits: `*.example.org`, `.example.org` (itself and all below) and
/// `www.example.*`, as web servers have them: other than in certificates the `*` may stand for
/// several labels.
pub(crate) fn patterns(asked: &str) -> Vec<String> {
    let mut found = vec![format!(".{asked}")];
    for (at, _) in asked.match_indices('.') {
        found.push(asked[at..].to_owned());
        found.push(format!("*{}", &asked[at..]));
        found.push(format!("{}.*", &asked[..at]));
    }
    found
}

pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.unwrap_or(text).parse().ok()
}
