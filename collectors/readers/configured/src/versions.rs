//! Protocol versions, in the many ways programs write them.

use std::collections::BTreeSet;

/// A version of SSL or TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Ssl2,
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// Versions that are enabled together.
pub(crate) type Versions = BTreeSet<Version>;

impl Version {
    pub(crate) const ALL: &[Self] =
        &[Self::Ssl2, Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// As in `pki_inventory::Session::version`, so that what is asked for and what was observed
    /// can be laid side by side.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ssl2 => "SSLv2",
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLSv1.0",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    /// `TLSv1.2`, `TLS1.2`, `tlsv12`, `TLSv1` and their like.
    pub(crate) fn read(written: &str) -> Option<Self> {
        let mut short = written.to_ascii_lowercase();
        short.retain(|letter| !matches!(letter, 'v' | '.' | '_' | ' '));
        match short.as_str() {
            "ssl2" => Some(Self::Ssl2),
            "ssl3" => Some(Self::Ssl3),
            "tls1" | "tls10" => Some(Self::Tls10),
            "tls11" => Some(Self::Tls11),
            "tls12" => Some(Self::Tls12),
            "tls13" => Some(Self::Tls13),
            _ => None,
        }
    }
}

/// All from one to another; none when they are the wrong way round.
pub(crate) fn between(lowest: Version, highest: Version) -> Versions {
    let known = Version::ALL.iter().copied();
    known.filter(|version| (lowest..=highest).contains(version)).collect()
}

/// Every version written in a list, whatever lies between them.
pub(crate) fn listed(written: &str) -> Versions {
    let words = written.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ':'));
    words.filter_map(Version::read).collect()
}

/// What a word without a sign does in a list of words with signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bare {
    /// It is added.
    Adds,
    /// It sets aside what was written before it.
    Replaces,
}

/// A list of words that are added (`+`) to what it begins with or taken from it (`-`, `!`); `all`
/// is TLS 1.0 to TLS 1.3, as OpenSSL has no SSL 3.0 unless it is built with it.
pub(crate) fn signed<'w>(
    words: impl Iterator<Item = &'w str>,
    begin: Versions,
    bare: Bare,
) -> Versions {
    let mut enabled = begin;
    for word in words {
        let name = word.trim_start_matches(['+', '-', '!']);
        let named = if name.eq_ignore_ascii_case("all") {
            between(Version::Tls10, Version::Tls13)
        } else {
            Version::read(name).into_iter().collect()
        };
        match (word.chars().next(), bare) {
            (Some('-' | '!'), _) => enabled.retain(|version| !named.contains(version)),
            (Some('+'), _) | (_, Bare::Adds) => enabled.extend(named),
            (_, Bare::Replaces) => enabled = named,
        }
    }
    enabled
}

/// Their names, sorted.
pub(crate) fn names(versions: &Versions) -> Vec<String> {
    versions.iter().map(|version| version.name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_notation_and_named_as_in_a_handshake() {
        for (written, name) in [
            ("SSLv3", "SSLv3"),
            ("TLSv1", "TLSv1.0"),
            ("TLS1.0", "TLSv1.0"),
            ("tlsv12", "TLSv1.2"),
            ("TLSv1.3", "TLSv1.3"),
        ] {
            assert_eq!(Version::read(written).map(Version::name), Some(name), "{written}");
        }
        assert_eq!(Version::read("DTLSv1.2"), None);
        let all = names(&between(Version::Ssl2, Version::Tls13));
        assert_eq!(all.len(), 6);
        assert!(all.is_sorted());
        assert!(between(Version::Tls13, Version::Tls12).is_empty());
    }
}
