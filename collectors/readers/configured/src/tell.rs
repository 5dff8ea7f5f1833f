//! Fills in a [`Configuration`] within limits.

use std::borrow::Cow;
use std::path::Path;

use pki_inventory::{Configuration, Listens};

use crate::sources::{At, Sources, resolved};
use crate::versions::{self, Versions};

/// How many configurations one main file may tell of.
pub(crate) const CONFIGURATIONS: usize = 2_000;

/// How long a text may be, in octets.
pub(crate) const TEXT: usize = 4 << 10;

/// How many octets the configurations of one main file may hold together.
const OCTETS: usize = 16 << 20;

/// How many names, files or ports one configuration may hold.
const ENTRIES: usize = 256;

/// A configuration of a program with the name of its part: where the part is not in the main file,
/// the name says where it is.
pub(crate) fn part(
    software: &str,
    kind: &str,
    name: &str,
    at: &At,
    sources: &Sources<'_>,
) -> Configuration {
    let mut words = vec![kind.to_owned(), kept(name)];
    if *at.file != *sources.main() {
        words.push(format!("({}:{})", at.file.display(), at.line));
    }
    words.retain(|word| !word.is_empty());
    Configuration::of(software, Some(words.join(" ")).filter(|text| !text.is_empty()), at.line)
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A certificate that is presented.
    Certificate,
    /// Its private key.
    Key,
    /// Certificate and key in one file.
    Both,
    /// Certificates of CAs that are trusted.
    Trust,
}

/// What is told of a configuration, each kind once, within limits, and without secrets: whatever is
/// written here goes through [`kept`].
pub(crate) trait Tell {
    fn settings_mut(&mut self) -> &mut Configuration;

    /// A file that a setting of this name says. What lies in no file is kept as the setting, and
    /// what depends on a variable as unresolved.
    fn file(&mut self, kind: Kind, name: &str, base: &Path, written: &str) {
        if elsewhere(written) {
            return self.further(name, written);
        }
        if written.contains('$') {
            return self.unresolved(&format!("{name} {written}"));
        }
        let path = kept(&resolved(base, written).to_string_lossy());
        let made = self.settings_mut();
        match kind {
            Kind::Certificate => add(&mut made.certificates, path),
            Kind::Key => add(&mut made.keys, path),
            Kind::Trust => add(&mut made.trusts, path),
            Kind::Both => {
                add(&mut made.certificates, path.clone());
                add(&mut made.keys, path);
            }
        }
    }

    /// A file of a program that finds relative paths where it was started: those cannot be followed.
    fn absolute(&mut self, kind: Kind, name: &str, written: &str) {
        if written.starts_with('/') || elsewhere(written) {
            self.file(kind, name, Path::new("/"), written);
        } else {
            self.unresolved(&format!("{name} {written}"));
        }
    }

    fn server_name(&mut self, name: &str) {
        add(&mut self.settings_mut().server_names, kept(name));
    }

    fn unresolved(&mut self, what: &str) {
        add(&mut self.settings_mut().unresolved, kept(what));
    }

    /// A setting; the later value counts.
    fn setting(&mut self, name: &str, value: &str) {
        let settings = &mut self.settings_mut().settings;
        if settings.len() < ENTRIES || settings.contains_key(name) {
            settings.insert(clipped(name), kept(value));
        }
    }

    /// One more value of a setting that may be there several times.
    fn further(&mut self, name: &str, value: &str) {
        let value = kept(value);
        match self.settings_mut().settings.get(name).filter(|before| !before.is_empty()) {
            None => self.setting(name, &value),
            // Nothing would be left of it; whoever says it ten thousand times is not read as often.
            Some(before) if before.len() + BETWEEN.len() >= TEXT => {}
            Some(before) if before.split(BETWEEN).any(|known| known == value) => {}
            Some(before) => {
                let both = [before, value.as_str()].join(BETWEEN);
                self.setting(name, &both);
            }
        }
    }

    fn listens(&mut self, address: Option<&str>, port: u16, starttls: Option<&str>) {
        let listens = &mut self.settings_mut().listens;
        let one =
            Listens { address: address.map(kept), port, starttls: starttls.map(str::to_owned) };
        if listens.len() < ENTRIES && !listens.contains(&one) {
            listens.push(one);
        }
    }

    fn versions(&mut self, versions: &Versions) {
        self.settings_mut().versions = Some(versions::names(versions));
    }

    fn suites(&mut self, written: &str) {
        self.settings_mut().suites = Some(kept(written));
    }

    /// Takes in what another one tells, of files, of what is unresolved and of settings.
    fn take_in(&mut self, other: &Configuration) {
        let made = self.settings_mut();
        for (list, more) in [
            (&mut made.certificates, &other.certificates),
            (&mut made.keys, &other.keys),
            (&mut made.trusts, &other.trusts),
            (&mut made.unresolved, &other.unresolved),
        ] {
            if list.is_empty() {
                list.clone_from(more);
            } else {
                more.iter().for_each(|text| add(list, text.clone()));
            }
        }
        for (name, value) in &other.settings {
            if made.settings.len() < ENTRIES {
                made.settings.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Stands between the values of a setting that may be there several times.
const BETWEEN: &str = "; ";

impl Tell for Configuration {
    fn settings_mut(&mut self) -> &mut Configuration {
        self
    }
}

/// What was found, within limits. Servers repeat what they inherit, so that a small file could tell
/// of much; beyond the limits nothing is added.
#[derive(Default)]
pub(crate) struct Found {
    configurations: Vec<Configuration>,
    octets: usize,
}

impl Found {
    pub(crate) fn is_full(&self) -> bool {
        self.configurations.len() >= CONFIGURATIONS || self.octets >= OCTETS
    }

    pub(crate) fn push(&mut self, mut configuration: Configuration) {
        if !self.is_full() {
            configuration.listens.sort();
            self.octets += size(&configuration);
            self.configurations.push(configuration);
        }
    }

    /// Everything, with what could not be followed anywhere; where there is nothing, that alone.
    pub(crate) fn with(mut self, software: &str, unresolved: &[String]) -> Vec<Configuration> {
        if self.configurations.is_empty() && !unresolved.is_empty() {
            self.configurations.push(Configuration::of(software, None, 1));
        }
        for configuration in &mut self.configurations {
            if self.octets >= 2 * OCTETS {
                break;
            }
            for what in unresolved {
                configuration.unresolved(what);
                self.octets += what.len();
            }
        }
        self.configurations
    }
}

fn size(configuration: &Configuration) -> usize {
    let lists = [
        &configuration.server_names,
        &configuration.certificates,
        &configuration.keys,
        &configuration.trusts,
        &configuration.unresolved,
    ];
    let texts = lists.into_iter().flatten().chain(configuration.settings.values());
    let texts = texts.chain(&configuration.suites).chain(&configuration.part);
    // A short text takes room as well.
    texts.map(|text| text.len() + 2 * size_of::<String>()).sum::<usize>()
        + configuration.listens.len() * size_of::<Listens>()
        + size_of::<Configuration>()
}

/// Keeps a list of notes within limits.
pub(crate) fn add(list: &mut Vec<String>, text: String) {
    if list.len() < ENTRIES && !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}

/// The start of a text that is too long.
pub(crate) fn clipped(text: &str) -> String {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// An address as it is kept: absent where it stands for all of them.
pub(crate) fn address(written: &str) -> Option<&str> {
    let bare = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(written);
    (!matches!(bare, "" | "*" | "0.0.0.0" | "::" | "_default_")).then_some(bare)
}

/// An address and a port that are written together: `*:443`, `[::]:443`, `443`, `192.0.2.1`.
pub(crate) fn address_and_port(written: &str) -> (Option<&str>, Option<u16>) {
    if let Ok(port) = written.parse() {
        return (None, Some(port));
    }
    match written.rsplit_once(':') {
        // An address of IPv6 without brackets has no port.
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => {
            (address(host), port.parse().ok())
        }
        _ => (address(written), None),
    }
}

/// Whether a key or certificate is named by something other than a file, such as an engine.
pub(crate) fn elsewhere(written: &str) -> bool {
    let schemes = [
        "data:",
        "engine:",
        "org.openssl.engine:",
        "pkcs11:",
        "provider:",
        "store:",
        "tpm2:",
        "-----BEGIN",
    ];
    schemes.iter().any(|scheme| {
        written.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// A text as it may be kept: the start of what is too long, without what may be secret.
pub(crate) fn kept(written: &str) -> String {
    clipped(&without_credentials(without_key(written)))
}

/// A text up to where a key or a PIN begins: whatever follows may be more of it.
fn without_key(written: &str) -> &str {
    let lower = written.to_ascii_lowercase();
    // `data:` of nginx holds the key itself; it may stand behind the name of the setting.
    let data = lower.match_indices("data:").find(|(at, _)| {
        let before = lower[..*at].chars().next_back();
        before.is_none_or(|letter| letter.is_whitespace() || matches!(letter, '=' | '"' | '\''))
    });
    let begin = "-----begin";
    // RFC 7512, 2.4: `pin-value` is the PIN itself, and `pin-source` may tell where it is.
    let ends = [
        data.map(|(at, word)| at + word.len()),
        lower.find(begin).map(|at| at + begin.len()),
        lower.find("pin-value"),
        lower.find("pin-source"),
    ];
    match ends.into_iter().flatten().min() {
        Some(end) => written[..end].trim_end_matches(['?', '&', ';']),
        None => written,
    }
}

/// URLs without user, password and query (RFC 3986, 3.2.1 and 3.4). A password may have a slash in
/// it that ought to have been encoded: everything up to the last `@` of the word is left out.
fn without_credentials(written: &str) -> Cow<'_, str> {
    const SCHEME: &str = "://";
    if !written.contains(SCHEME) {
        return Cow::Borrowed(written);
    }
    let mut kept = String::new();
    let mut rest = written;
    while let Some(at) = rest.find(SCHEME) {
        let (before, after) = rest.split_at(at + SCHEME.len());
        kept.push_str(before);
        let ends =
            |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>');
        let (url, others) = after.split_at(after.find(ends).unwrap_or(after.len()));
        let url = url.rsplit_once('@').map_or(url, |(_, host)| host);
        kept.push_str(url.split('?').next().unwrap_or(url));
        rest = others;
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_kept() {
        for (written, expected) in [
            ("engine:pkcs11:pkcs11:object=k?pin-value=1234", "engine:pkcs11:pkcs11:object=k"),
            ("pkcs11:object=k;PIN-VALUE=1234", "pkcs11:object=k"),
            ("pkcs11:object=k?pin-source=|echo%201&pin-value=1234", "pkcs11:object=k"),
            ("data:$key", "data:"),
            ("ssl_key data:$key", "ssl_key data:"),
            ("/metadata:x/data:y.pem", "/metadata:x/data:y.pem"),
            ("-----BEGIN PRIVATE KEY-----", "-----BEGIN"),
            ("/etc/key.pem", "/etc/key.pem"),
            ("ldaps://u:p@ca.test/x", "ldaps://ca.test/x"),
            ("a https://u:p/q@b.test:8443/?token=t c", "a https://b.test:8443/ c"),
            ("https://token@b.test https://c.test", "https://b.test https://c.test"),
            ("https://u:p?@b.test", "https://b.test"),
        ] {
            assert_eq!(kept(written), expected, "{written}");
        }
    }

    #[test]
    fn addresses_and_ports_are_told_apart() {
        for (written, address, port) in [
            ("443", None, Some(443)),
            ("*:443", None, Some(443)),
            ("[::]:443", None, Some(443)),
            ("[2001:db8::1]:443", Some("2001:db8::1"), Some(443)),
            ("2001:db8::1", Some("2001:db8::1"), None),
            ("192.0.2.1:8443", Some("192.0.2.1"), Some(8443)),
            ("www.example.org", Some("www.example.org"), None),
            ("192.0.2.1:*", Some("192.0.2.1"), None),
        ] {
            assert_eq!(address_and_port(written), (address, port), "{written}");
        }
    }

    #[test]
    fn texts_and_lists_end() {
        let mut one = Configuration::of("x", None, 1);
        for number in 0..1_000 {
            one.file(Kind::Certificate, "x", Path::new("/"), &format!("{number}"));
            one.setting(&number.to_string(), &"ä".repeat(TEXT));
        }
        assert_eq!((one.certificates.len(), one.settings.len()), (ENTRIES, ENTRIES));
        assert!(one.settings.values().all(|text| text.len() <= TEXT));
    }
}
