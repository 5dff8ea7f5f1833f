//! Where a thing was seen, as a URI.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A place that can be looked at again.
///
/// `tls://192.0.2.7:443?sni=www.example.org`, `smtp+tls://192.0.2.7:25`, `file:///etc/ssl/x.pem#2`,
/// `ldap://corp.example/CN=AIA,CN=Public%20Key%20Services,DC=corp,DC=example#1`,
/// `pkcs11:token=CA;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;serial=1f2e;id=%01;type=private`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// An object in a file; the number counts the objects of that file from 1 and is absent for
    /// the file as a whole.
    File {
        /// The absolute path, percent-encoded as in RFC 8089. Behind each `!/` goes on the path
        /// inside of an archive: `/srv/shop.war!/WEB-INF/lib/a.jar!/META-INF/A.RSA`.
        path: String,
        /// Which object of the file.
        object: Option<u32>,
    },
    /// A TLS server.
    Tls {
        /// IPv4 address, bracketed IPv6 address, or a name that could not be resolved.
        host: String,
        /// TCP port.
        port: u16,
        /// The name sent in the server name indication (RFC 6066, section 3).
        server_name: Option<String>,
        /// The protocol inside of which TLS was asked for, such as `smtp`; absent where TLS comes
        /// first.
        starttls: Option<String>,
    },
    /// An entry of a directory (RFC 4516), `ldap` whatever the transport was.
    Directory {
        /// The domain, or the host with its port, as the settings name it, percent-encoded.
        server: String,
        /// The distinguished name, percent-encoded.
        dn: String,
        /// Which object in the attributes of the entry, counted from 1; absent for the entry as a
        /// whole.
        object: Option<u32>,
    },
    /// A token, or an object on it (RFC 7512).
    Token {
        /// What tells the token, percent-encoded: label, manufacturer, model, serial number, those
        /// that it has; and its slot where that does not tell it from another one.
        token: String,
        /// What tells the object on it, percent-encoded: `id`, `object`, `type`; and a number where
        /// that does not tell it from another one. Absent for the token as a whole.
        object: Option<String>,
    },
    /// Any other place, such as the scope of a collector that failed as a whole.
    Scope(String),
}

/// A text that is not a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceError(String);

impl Place {
    /// The file at this path as a whole. The path is taken as octets: names on disk need not be
    /// UTF-8.
    #[must_use]
    pub fn file(path: impl AsRef<std::path::Path>) -> Self {
        let path = encoded(path.as_ref().as_os_str().as_encoded_bytes());
        Self::File { path, object: None }
    }

    /// An entry of a directory as a whole.
    #[must_use]
    pub fn directory(server: &str, dn: &str) -> Self {
        let server = encoded(server.as_bytes()).replace('/', "%2F");
        Self::Directory { server, dn: encoded(dn.as_bytes()), object: None }
    }

    /// A token as a whole, by these attributes of RFC 7512, 2.3, in this order; empty ones are left
    /// out.
    #[must_use]
    pub fn token<'t>(attributes: impl IntoIterator<Item = (&'t str, &'t [u8])>) -> Self {
        Self::Token { token: attributes_of(attributes), object: None }
    }

    /// The object with these attributes on the token of this place; other places stay as they are.
    #[must_use]
    pub fn on_token<'t>(&self, attributes: impl IntoIterator<Item = (&'t str, &'t [u8])>) -> Self {
        match self {
            Self::Token { token, .. } => {
                Self::Token { token: token.clone(), object: Some(attributes_of(attributes)) }
            }
            other => other.clone(),
        }
    }

    /// What tells the token that this is or that it lies on; `None` for other places.
    #[must_use]
    pub fn token_part(&self) -> Option<&str> {
        let Self::Token { token, .. } = self else { return None };
        Some(token)
    }

    /// What lies under this name in the archive at this place.
    #[must_use]
    pub fn within(&self, name: &[u8]) -> Self {
        match self {
            Self::File { path, .. } => {
                let start = name.iter().take_while(|octet| **octet == b'/').count();
                Self::File { path: format!("{path}!/{}", encoded(&name[start..])), object: None }
            }
            other => other.clone(),
        }
    }

    /// For something in an archive, the encoded path inside of it; the innermost of several.
    #[must_use]
    pub fn inner(&self) -> Option<&str> {
        let Self::File { path, .. } = self else { return None };
        path.rsplit_once("!/").map(|(_, inner)| inner)
    }

    /// The file on disk that this is, or that it lies in, as a whole; `None` for other places.
    #[must_use]
    pub fn outermost(&self) -> Option<Self> {
        let Self::File { path, .. } = self else { return None };
        let path = path.split_once("!/").map_or(path.as_str(), |(outer, _)| outer).to_owned();
        Some(Self::File { path, object: None })
    }

    /// The same file or entry, one object of it, counted from 1.
    #[must_use]
    pub fn object(&self, number: u32) -> Self {
        match self {
            Self::File { path, .. } => Self::File { path: path.clone(), object: Some(number) },
            Self::Directory { server, dn, .. } => {
                Self::Directory { server: server.clone(), dn: dn.clone(), object: Some(number) }
            }
            other => other.clone(),
        }
    }

    /// The path of a file place, decoded; `None` for other places. For something in an archive it
    /// is the path of the archive.
    #[must_use]
    pub fn file_path(&self) -> Option<std::path::PathBuf> {
        let Self::File { path, .. } = self else { return None };
        let path = path.split_once("!/").map_or(path.as_str(), |(outer, _)| outer);
        let mut octets = Vec::with_capacity(path.len());
        let mut rest = path.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            let decoded = (first == b'%')
                .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
                .flatten()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            octets.push(decoded.unwrap_or(first));
            rest = if decoded.is_some() { &tail[2..] } else { tail };
        }
        use std::os::unix::ffi::OsStringExt as _;
        Some(std::ffi::OsString::from_vec(octets).into())
    }

    /// A TLS server at an address, asked for by name or without one.
    #[must_use]
    pub fn tls(address: std::net::SocketAddr, server_name: Option<&str>) -> Self {
        let host = match address.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let server_name = server_name.map(str::to_owned);
        Self::Tls { host, port: address.port(), server_name, starttls: None }
    }

    /// The same TLS server, asked inside of this protocol.
    #[must_use]
    pub fn inside(self, protocol: Option<&str>) -> Self {
        match self {
            Self::Tls { host, port, server_name, .. } => {
                Self::Tls { host, port, server_name, starttls: protocol.map(str::to_owned) }
            }
            other => other,
        }
    }

    /// Whether this is a server that was asked for TLS, rather than a place where things lie.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Tls { .. })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, object: None } => write!(f, "file://{path}"),
            Self::File { path, object: Some(number) } => write!(f, "file://{path}#{number}"),
            Self::Tls { host, port, server_name, starttls } => {
                if let Some(protocol) = starttls {
                    write!(f, "{protocol}+")?;
                }
                write!(f, "tls://{host}:{port}")?;
                server_name.as_ref().map_or(Ok(()), |name| write!(f, "?sni={name}"))
            }
            Self::Directory { server, dn, object: None } => write!(f, "ldap://{server}/{dn}"),
            Self::Directory { server, dn, object: Some(number) } => {
                write!(f, "ldap://{server}/{dn}#{number}")
            }
            Self::Token { token, object: None } => write!(f, "pkcs11:{token}"),
            Self::Token { token, object: Some(object) } => write!(f, "pkcs11:{token};{object}"),
            Self::Scope(text) => write!(f, "scope:{text}"),
        }
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a place: file:///path#n, tls://host:port?sni=name, \
             protocol+tls://host:port, ldap://server/dn#n, pkcs11:token=label, scope:text",
            self.0
        )
    }
}

impl std::error::Error for PlaceError {}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let wrong = || PlaceError(text.to_owned());
        if let Some(scope) = text.strip_prefix("scope:") {
            return Ok(Self::Scope(scope.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("file://") {
            return match rest.split_once('#') {
                None => Ok(Self::File { path: rest.to_owned(), object: None }),
                Some((path, number)) => {
                    let number = number.parse().map_err(|_| wrong())?;
                    Ok(Self::File { path: path.to_owned(), object: Some(number) })
                }
            };
        }
        if let Some(rest) = text.strip_prefix("ldap://") {
            let (server, dn) = rest.split_once('/').ok_or_else(wrong)?;
            let (dn, number) = match dn.split_once('#') {
                None => (dn, None),
                Some((dn, number)) => (dn, Some(number.parse().map_err(|_| wrong())?)),
            };
            let (server, dn) = (server.to_owned(), dn.to_owned());
            return Ok(Self::Directory { server, dn, object: number });
        }
        if let Some(rest) = text.strip_prefix("pkcs11:") {
            let is_of_token = |attribute: &&str| {
                !OF_OBJECTS.iter().any(|name| {
                    attribute.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
                })
            };
            let count = rest.split(';').take_while(is_of_token).count();
            let at = rest.match_indices(';').nth(count.wrapping_sub(1)).map(|(at, _)| at);
            return Ok(match at {
                _ if count == 0 => Self::Token {
                    token: String::new(),
                    object: Some(rest.to_owned()).filter(|rest| !rest.is_empty()),
                },
                None => Self::Token { token: rest.to_owned(), object: None },
                Some(at) => Self::Token {
                    token: rest[..at].to_owned(),
                    object: Some(rest[at + 1..].to_owned()),
                },
            });
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let starttls = match scheme.strip_suffix("tls").ok_or_else(wrong)? {
            "" => None,
            outer => Some(outer.strip_suffix('+').ok_or_else(wrong)?),
        };
        let starttls =
            starttls.map(|name| is_scheme(name).then(|| name.to_owned()).ok_or_else(wrong));
        let starttls = starttls.transpose()?;
        let (authority, name) = match rest.split_once("?sni=") {
            Some((authority, name)) => (authority, Some(name.to_owned())),
            None => (rest, None),
        };
        let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        Ok(Self::Tls { host: host.to_owned(), port, server_name: name, starttls })
    }
}

/// The attributes that tell an object (RFC 7512, 2.3); `x-number` is ours and comes last.
const OF_OBJECTS: [&str; 4] = ["id", "object", "type", "x-number"];

/// Attributes of a URI of RFC 7512, percent-encoded.
fn attributes_of<'t>(attributes: impl IntoIterator<Item = (&'t str, &'t [u8])>) -> String {
    let mut text = String::new();
    for (name, value) in attributes {
        if value.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(';');
        }
        text.push_str(name);
        text.push('=');
        for &octet in value {
            // Fewer than RFC 7512 allows: nothing that means something in another kind of place.
            if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
                text.push(char::from(octet));
            } else {
                // Writing into a String cannot fail.
                let _ = write!(text, "%{octet:02X}");
            }
        }
    }
    text
}

/// Percent-encodes a path (RFC 8089). `!` is encoded too: it separates an archive from what lies in
/// it.
fn encoded(path: &[u8]) -> String {
    let mut encoded = String::new();
    for &octet in path {
        if octet.is_ascii_alphanumeric() || b"/-._~$&'()*+,;=:@".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}

/// A scheme as in RFC 3986, 3.1, in lower case and without the `+` that means something here.
fn is_scheme(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(allowed)
}

impl TryFrom<String> for Place {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}
