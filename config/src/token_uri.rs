//! URIs that choose tokens (RFC 7512).

use std::ffi::OsString;
use std::fmt;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// Which tokens are meant: every part that is given has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenUri {
    /// Label (`token`).
    pub token: Option<String>,
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Description of the slot.
    pub slot_description: Option<String>,
    /// Manufacturer of the slot.
    pub slot_manufacturer: Option<String>,
    /// Number of the slot.
    pub slot_id: Option<u64>,
    /// Description of the module.
    pub library_description: Option<String>,
    /// Manufacturer of the module.
    pub library_manufacturer: Option<String>,
    /// Version of the module as `major.minor`; `2` is read as `2.0`.
    pub library_version: Option<String>,
    /// Name of the module's file without `lib` and `.so`, in any case (`module-name`).
    pub module_name: Option<String>,
    /// Path of the module (`module-path`).
    pub module_path: Option<PathBuf>,
}

/// What a token is like, for [`TokenUri::fits`]. Texts come without the blanks that fill them up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenDescription {
    /// Label.
    pub token: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Description of the slot.
    pub slot_description: String,
    /// Manufacturer of the slot.
    pub slot_manufacturer: String,
    /// Number of the slot.
    pub slot_id: u64,
    /// Description of the module.
    pub library_description: String,
    /// Manufacturer of the module.
    pub library_manufacturer: String,
    /// Version of the module, such as `2.6`.
    pub library_version: String,
    /// Path of the module.
    pub module_path: PathBuf,
}

/// A text that chooses no tokens. It does not tell the text, which may hold a PIN that somebody put
/// there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenUriError {
    /// No URI of RFC 7512.
    #[error("must be a URI of RFC 7512 such as pkcs11:token=CA%20keys;serial=1f2e")]
    NotOne,
    /// It holds a PIN, or says where one is.
    #[error("must not hold a PIN; pin_file, pin_env and the like are keys of their own")]
    Pin,
    /// It chooses objects.
    #[error("must choose tokens; id, object and type choose objects on them, which are all read")]
    Object,
    /// An attribute that stands there more than once (RFC 7512, 2.3).
    #[error("names {0} twice")]
    Twice(&'static str),
    /// An attribute that is unknown here.
    #[error("has an attribute that is unknown here: {0}")]
    Attribute(String),
}

/// The attributes of the path that choose tokens, in the order in which they are written.
const OF_TOKENS: [&str; 10] = [
    "token",
    "manufacturer",
    "serial",
    "model",
    "library-manufacturer",
    "library-version",
    "library-description",
    "slot-manufacturer",
    "slot-description",
    "slot-id",
];

/// Those of the query.
const OF_MODULES: [&str; 2] = ["module-name", "module-path"];

/// Those that choose objects on a token.
const OF_OBJECTS: [&str; 3] = ["id", "object", "type"];

/// Octets that may stand in a value as they are (RFC 7512, 2.3), besides letters and digits.
const IN_ANY: &[u8] = b"-._~:[]@!$'()*+,=";
const IN_PATH: &[u8] = b"&";
const IN_QUERY: &[u8] = b"/?|";

/// No URI of a token is longer.
const MAX_BYTES: usize = 8192;

impl TokenUri {
    /// Whether this token is meant. Every part that is given has to be the very same; one that is
    /// given as empty means a token that has none (RFC 7512, 2.4).
    #[must_use]
    pub fn fits(&self, token: &TokenDescription) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
        same(&self.token, &token.token)
            && same(&self.manufacturer, &token.manufacturer)
            && same(&self.model, &token.model)
            && same(&self.serial, &token.serial)
            && same(&self.slot_description, &token.slot_description)
            && same(&self.slot_manufacturer, &token.slot_manufacturer)
            && self.slot_id.is_none_or(|wanted| wanted == token.slot_id)
            && same(&self.library_description, &token.library_description)
            && same(&self.library_manufacturer, &token.library_manufacturer)
            && self.library_version.as_ref().is_none_or(|wanted| {
                version(token.library_version.as_bytes()).as_ref() == Some(wanted)
            })
            && self.module_name.as_ref().is_none_or(|wanted| names(wanted, token))
            && self.module_path.as_ref().is_none_or(|wanted| *wanted == token.module_path)
    }

    /// Whether it names something that tells one token from others: its label, its serial number or
    /// the number of its slot.
    #[must_use]
    pub fn tells_one(&self) -> bool {
        self.token.is_some() || self.serial.is_some() || self.slot_id.is_some()
    }

    /// Whether no token can be meant by both, because they ask for something different of it.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one != other)
        }
        differ(&self.token, &other.token)
            || differ(&self.manufacturer, &other.manufacturer)
            || differ(&self.model, &other.model)
            || differ(&self.serial, &other.serial)
            || differ(&self.slot_description, &other.slot_description)
            || differ(&self.slot_manufacturer, &other.slot_manufacturer)
            || differ(&self.slot_id, &other.slot_id)
            || differ(&self.library_description, &other.library_description)
            || differ(&self.library_manufacturer, &other.library_manufacturer)
            || differ(&self.library_version, &other.library_version)
            || differ(&self.module_name, &other.module_name)
            || differ(&self.module_path, &other.module_path)
    }

    /// Takes one attribute in, its value decoded.
    fn take(&mut self, name: &'static str, value: Vec<u8>) -> Result<(), TokenUriError> {
        let once = |place: &mut Option<String>, value: String| match place.replace(value) {
            Some(_) => Err(TokenUriError::Twice(name)),
            None => Ok(()),
        };
        match name {
            "slot-id" => {
                let number = number(&value).ok_or(TokenUriError::NotOne)?;
                if self.slot_id.replace(number).is_some() {
                    return Err(TokenUriError::Twice(name));
                }
                return Ok(());
            }
            "module-path" => {
                let path = PathBuf::from(OsString::from_vec(value));
                if self.module_path.replace(path).is_some() {
                    return Err(TokenUriError::Twice(name));
                }
                return Ok(());
            }
            "library-version" => {
                let version = version(&value).ok_or(TokenUriError::NotOne)?;
                return once(&mut self.library_version, version);
            }
            _ => {}
        }
        let value = String::from_utf8(value).map_err(|_| TokenUriError::NotOne)?;
        match name {
            "token" => once(&mut self.token, value),
            "manufacturer" => once(&mut self.manufacturer, value),
            "serial" => once(&mut self.serial, value),
            "model" => once(&mut self.model, value),
            "library-manufacturer" => once(&mut self.library_manufacturer, value),
            "library-description" => once(&mut self.library_description, value),
            "slot-manufacturer" => once(&mut self.slot_manufacturer, value),
            "slot-description" => once(&mut self.slot_description, value),
            // Letters of other alphabets are told apart by case; names of files are rarely in them.
            _ => once(&mut self.module_name, value.to_ascii_lowercase()),
        }
    }
}

impl std::str::FromStr for TokenUri {
    type Err = TokenUriError;

    fn from_str(text: &str) -> Result<Self, TokenUriError> {
        if text.len() > MAX_BYTES {
            return Err(TokenUriError::NotOne);
        }
        // Before anything else that is wrong, and wherever it stands: its value is told to nobody.
        let lower = text.to_ascii_lowercase();
        if ["pin-value", "pin-source"].iter().any(|name| holds_attribute(&lower, name)) {
            return Err(TokenUriError::Pin);
        }
        let rest = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("pkcs11") => rest,
            _ => return Err(TokenUriError::NotOne),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut uri = Self::default();
        for attribute in path.split(';').filter(|_| !path.is_empty()) {
            let (name, value) = taken_apart(attribute, &OF_TOKENS)?;
            uri.take(name, decoded(value, IN_PATH)?)?;
        }
        for attribute in
            query.filter(|query| !query.is_empty()).into_iter().flat_map(|q| q.split('&'))
        {
            let (name, value) = taken_apart(attribute, &OF_MODULES)?;
            uri.take(name, decoded(value, IN_QUERY)?)?;
        }
        Ok(uri)
    }
}

impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot_id = self.slot_id.map(|number| number.to_string());
        let path = [
            &self.token,
            &self.manufacturer,
            &self.serial,
            &self.model,
            &self.library_manufacturer,
            &self.library_version,
            &self.library_description,
            &self.slot_manufacturer,
            &self.slot_description,
            &slot_id,
        ];
        f.write_str("pkcs11:")?;
        let given = OF_TOKENS.iter().zip(path).filter_map(|(n, v)| Some((n, v.as_ref()?)));
        for (at, (name, value)) in given.enumerate() {
            write!(f, "{}{name}=", if at > 0 { ";" } else { "" })?;
            encode(f, value.as_bytes(), b"")?;
        }
        let name = self.module_name.as_ref().map(|name| name.as_bytes());
        let path = self.module_path.as_ref().map(|path| path.as_os_str().as_bytes());
        let given = OF_MODULES.iter().zip([name, path]).filter_map(|(n, v)| Some((n, v?)));
        for (at, (name, value)) in given.enumerate() {
            write!(f, "{}{name}=", if at > 0 { "&" } else { "?" })?;
            encode(f, value, b"/")?;
        }
        Ok(())
    }
}

/// Whether an attribute of this name stands anywhere, whatever separates it from others.
fn holds_attribute(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].bytes().next_back();
        let after = text[at + name.len()..].bytes().next();
        before.is_none_or(|octet| b":;?&".contains(&octet) || octet.is_ascii_whitespace())
            && after.is_none_or(|octet| b"=;?&".contains(&octet) || octet.is_ascii_whitespace())
    })
}

/// Name and value of an attribute, the name one of these.
fn taken_apart<'t>(
    attribute: &'t str,
    known: &[&'static str],
) -> Result<(&'static str, &'t str), TokenUriError> {
    let (name, value) = attribute.split_once('=').ok_or(TokenUriError::NotOne)?;
    if let Some(name) = known.iter().find(|known| **known == name) {
        return Ok((name, value));
    }
    if OF_OBJECTS.contains(&name) {
        return Err(TokenUriError::Object);
    }
    // What cannot be the name of an attribute may be half of a value, and is not told.
    let is_name = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet));
    Err(if is_name { TokenUriError::Attribute(name.to_owned()) } else { TokenUriError::NotOne })
}

/// A value without its percent-encoding (RFC 3986, 2.1).
fn decoded(value: &str, besides: &[u8]) -> Result<Vec<u8>, TokenUriError> {
    let digit =
        |octet: Option<u8>| char::from(octet?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut octets = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(octet) = octets.next() {
        if octet == b'%' {
            let (high, low) = (digit(octets.next()), digit(octets.next()));
            let (Some(high), Some(low)) = (high, low) else { return Err(TokenUriError::NotOne) };
            decoded.push(high << 4 | low);
        } else if octet.is_ascii_alphanumeric()
            || IN_ANY.contains(&octet)
            || besides.contains(&octet)
        {
            decoded.push(octet);
        } else {
            return Err(TokenUriError::NotOne);
        }
    }
    // No structure of PKCS #11 and no path holds one.
    if decoded.contains(&0) { Err(TokenUriError::NotOne) } else { Ok(decoded) }
}

fn encode(f: &mut fmt::Formatter<'_>, value: &[u8], besides: &[u8]) -> fmt::Result {
    for &octet in value {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) || besides.contains(&octet) {
            f.write_char(char::from(octet))?;
        } else {
            write!(f, "%{octet:02X}")?;
        }
    }
    Ok(())
}

/// Decimal digits and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `major.minor` of a `CK_VERSION`, which has an octet for each. Without a minor version it is 0.
fn version(text: &[u8]) -> Option<String> {
    let mut parts = text.splitn(2, |octet| *octet == b'.');
    let major = u8::try_from(number(parts.next()?)?).ok()?;
    let minor = parts.next().map_or(Some(0), |minor| u8::try_from(number(minor)?).ok())?;
    Some(format!("{major}.{minor}"))
}

/// Whether this is the name of the token's module without what systems put around it.
fn names(wanted: &str, token: &TokenDescription) -> bool {
    let file = token.module_path.file_name().unwrap_or_default().to_string_lossy();
    let file = file.to_ascii_lowercase();
    let bare = file.split_once(".so").map_or(file.as_str(), |(bare, _)| bare);
    bare == wanted || bare.strip_prefix("lib") == Some(wanted)
}

#[cfg(test)]
mod tests;
