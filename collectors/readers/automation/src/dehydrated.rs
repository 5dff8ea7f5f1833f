//! dehydrated: a line of `domains.txt` a certificate, `config` beside it, versions in `certs/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, settings};

pub(crate) const TOOL: Tool = Tool {
    name: "dehydrated",
    commands: &[
        Command::once(&["dehydrated", "-c"]),
        Command::once(&["dehydrated", "--cron"]),
        Command::once(&["dehydrated.sh", "-c"]),
        Command::once(&["dehydrated.sh", "--cron"]),
        Command::once(&["letsencrypt.sh", "-c"]),
        Command::once(&["letsencrypt.sh", "--cron"]),
    ],
    recognise,
    recognise_link: never,
    read,
};

/// Settings that nobody else's file `config` has.
const ITS_OWN: [&str; 6] =
    ["WELLKNOWN", "CHALLENGETYPE", "CERTDIR", "DOMAINS_TXT", "BASEDIR", "RENEW_DAYS"];

/// So many lines are looked at: for each a folder is listed.
const MOST_CERTIFICATES: usize = 2_000;

fn recognise(spot: &Spot<'_>) -> bool {
    spot.name == b"domains.txt"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let Some(config) = Config::find(artefact) else { return Vec::new() };
    let text = artefact.text();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let lines = lines.filter(|line| !line.trim().is_empty()).take(MOST_CERTIFICATES);
    lines.filter_map(|line| certificate(artefact, &config, line)).collect()
}

fn certificate(artefact: &Artefact<'_>, config: &Config, line: &str) -> Option<Automation> {
    let (names, alias) = match line.split_once('>') {
        Some((names, alias)) => (names, Some(alias.trim())),
        None => (line, None),
    };
    let domains = bounds::domains(names.split_whitespace());
    let name =
        alias.or(domains.first().map(String::as_str)).filter(|name| bounds::is_name(name))?;
    // It is the name of a folder.
    if domains.is_empty() || name.starts_with('.') {
        return None;
    }
    let folder = config.certificates.join(name);
    let own = artefact.beside(&folder.join("config")).unwrap_or_default();
    let value =
        |key| settings::assigned(&own, key).or_else(|| settings::assigned(&config.text, key));
    let is_known = !config.text.is_empty();
    // The default is a new key each time.
    let keeps_key = value("PRIVATE_KEY_RENEW").map(|renew| settings::yes(renew) == Some(false));
    let way = value("CHALLENGETYPE").or(is_known.then_some("http-01"));
    let hook = value("HOOK").is_some_and(|hook| !hook.is_empty());
    Some(Automation {
        name: Some(name.to_owned()),
        manages: places::folder(&folder).into_iter().collect(),
        issuer: value("CA").and_then(bounds::issuer),
        authenticator: way.and_then(bounds::word),
        key_type: value("KEY_ALGO").and_then(bounds::word),
        reuses_key: keeps_key.or(is_known.then_some(false)),
        renewals: renewals(artefact, &folder),
        hook: hook.then_some(true),
        domains,
        ..Automation::of("dehydrated", AutomationRole::Lineage)
    })
}

/// Each version carries the moment it was made: `cert-1795289790.pem`.
fn renewals(artefact: &Artefact<'_>, folder: &Path) -> Option<u32> {
    let listed = artefact.list(folder);
    let stamp = |name: &'_ String| -> Option<u64> {
        name.strip_prefix("cert-")?.strip_suffix(".pem")?.parse().ok()
    };
    let versions: BTreeSet<u64> = listed.iter().filter_map(stamp).collect();
    u32::try_from(versions.len()).ok()?.checked_sub(1)
}

struct Config {
    /// Empty where it could not be read.
    text: String,
    certificates: PathBuf,
}

impl Config {
    /// The settings that go with these domains; `None` where nothing says that they are
    /// dehydrated's: other programs have a `domains.txt` too.
    fn find(artefact: &Artefact<'_>) -> Option<Self> {
        let folder = artefact.folder();
        let is_named = memchr::memmem::find(artefact.spot.path, b"dehydrated").is_some();
        let elsewhere = ["/etc/dehydrated/config", "/usr/local/etc/dehydrated/config"];
        let usual = elsewhere.iter().filter(|_| is_named).map(PathBuf::from);
        let mut places = std::iter::once(folder.join("config")).chain(usual);
        let is_its =
            |text: &String| ITS_OWN.iter().any(|key| settings::assigned(text, key).is_some());
        let found =
            places.find_map(|path| artefact.beside(&path).filter(is_its).map(|text| (path, text)));
        let Some((path, text)) = found else {
            let certificates = folder.join("certs");
            return is_named.then_some(Self { text: String::new(), certificates });
        };
        let start = path.parent().unwrap_or(folder).to_owned();
        let base = settings::assigned(&text, "BASEDIR")
            .and_then(|value| folder_of(value, &start, &start))
            .unwrap_or_else(|| start.clone());
        let certificates = settings::assigned(&text, "CERTDIR")
            .and_then(|value| folder_of(value, &start, &base))
            .unwrap_or_else(|| base.join("certs"));
        Some(Self { text, certificates })
    }
}

/// A folder as the settings have it: it may begin with one of two variables.
fn folder_of(value: &str, script: &Path, base: &Path) -> Option<PathBuf> {
    let variables = [
        ("${BASEDIR}", base),
        ("$BASEDIR", base),
        ("${SCRIPTDIR}", script),
        ("$SCRIPTDIR", script),
    ];
    for (variable, folder) in variables {
        if let Some(rest) = value.strip_prefix(variable) {
            let rest = rest.trim_start_matches('/');
            return if rest.is_empty() {
                Some(folder.to_owned())
            } else {
                places::resolve(folder, rest)
            };
        }
    }
    places::resolve(base, value)
}
