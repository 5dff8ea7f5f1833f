//! Where what an endpoint shows and what settings ask for part ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::asked::Asked;
use crate::disk::file_path;
use crate::settings::{MOST, certificate_paths, served};
use crate::suite_names::explicit;
use crate::{
    Asset, AssetId, Body, Certificate, Configuration, Digest, Endpoint, Fact, Kind, Sighting, Time,
    View,
};

/// The versions that are compared, oldest first.
const VERSIONS: [&str; 6] = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// An endpoint beside the settings it belongs to. Each fact is `Yes` where both agree in all that is
/// to be compared, `No` where there is a drift, and otherwise says what could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The configurations, as [`View::configurations_of`] finds them. With several, only what
    /// holds for each of them is a drift: which one answered is not to be seen.
    pub configurations: Vec<AssetId>,
    /// Protocol versions.
    pub versions: Fact,
    /// Cipher suites.
    pub suites: Fact,
    /// Certificates.
    pub certificates: Fact,
    /// What differs.
    pub drifts: Vec<Drift>,
}

/// One thing that differs; prints as a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// It speaks a version that the settings do not enable.
    VersionOffered(String),
    /// It was seen to decline a version that the settings enable.
    VersionDeclined(String),
    /// It accepts a suite that the settings leave out.
    SuiteAccepted {
        /// The version with which it does.
        version: String,
        /// The suite, by IANA's name.
        suite: String,
    },
    /// It presents a certificate that lies in none of the configured files.
    Certificate {
        /// The one it presents.
        served: Digest,
        /// Those in the files.
        configured: Vec<Digest>,
        /// The newest of these that is for the same names and was made valid later than the one
        /// presented: it was renewed, but is not in use.
        newer_on_disk: Option<Digest>,
    },
}

/// What differs between an endpoint and its settings; empty also where nothing could be compared,
/// see [`compared`].
#[must_use]
pub fn drifts(endpoint: &Asset, view: &View<'_>) -> Vec<Drift> {
    compared(endpoint, view).map(|comparison| comparison.drifts).unwrap_or_default()
}

/// An endpoint beside its settings; `None` for other assets and where no settings belong to it.
///
/// Where it is in doubt whether the settings are those of the host that answered, or whether they
/// were the same when it did, a difference is none: nothing was compared then.
#[must_use]
pub fn compared(endpoint: &Asset, view: &View<'_>) -> Option<Comparison> {
    let all = || {
        let endpoints = view.inventory().assets().filter(|asset| asset.endpoint().is_some());
        let found = endpoints.filter_map(|one| Some((one.id, compare(one, view)?)));
        Comparisons(found.collect())
    };
    view.comparisons.get_or_init(all).0.get(&endpoint.id).cloned()
}

/// The comparisons of all endpoints: each one is asked for from many sides.
#[derive(Debug)]
pub(crate) struct Comparisons(BTreeMap<AssetId, Comparison>);

fn compare(endpoint: &Asset, view: &View<'_>) -> Option<Comparison> {
    let found = view.configurations_of(endpoint);
    let configurations: Vec<(&Asset, &Configuration)> = found
        .iter()
        .filter_map(|asset| match &asset.body {
            Body::Configuration(configuration) => Some((*asset, &**configuration)),
            _ => None,
        })
        .collect();
    let body = endpoint.endpoint().filter(|_| !configurations.is_empty())?;
    let mut drifts = Vec::new();
    let versions = versions(body, &configurations, &mut drifts);
    let suites = suites(body, &configurations, &mut drifts);
    let certificates = certificates(endpoint, body, &configurations, view, &mut drifts);
    let configurations_ids = found.iter().map(|asset| asset.id).collect();
    let why = doubt(endpoint, body, &configurations);
    Some(match why.filter(|_| !drifts.is_empty()) {
        None => Comparison {
            configurations: configurations_ids,
            versions,
            suites,
            certificates,
            drifts,
        },
        Some(why) => {
            let open = || Fact::NotObserved(why.to_owned());
            Comparison {
                configurations: configurations_ids,
                versions: open(),
                suites: open(),
                certificates: open(),
                drifts: Vec::new(),
            }
        }
    })
}

/// Why these settings may not be those that the endpoint had when it was asked.
fn doubt(
    endpoint: &Asset,
    body: &Endpoint,
    configurations: &[(&Asset, &Configuration)],
) -> Option<&'static str> {
    if configurations.len() >= MOST {
        return Some("more settings than can be told apart may have answered");
    }
    let asked = Asked::of(endpoint);
    if !configurations.iter().all(|(_, one)| asked.as_ref().is_some_and(|it| it.is_of(one))) {
        return Some("it has the key of these settings, but may be another host");
    }
    let changed = |asset: &Asset| {
        let mut files = asset.sightings().filter_map(|at| at.circumstances.file.as_ref());
        files.any(|file| file.modified > body.observed)
    };
    let is_changed = configurations.iter().any(|(asset, _)| changed(asset));
    is_changed.then_some("the settings were changed after it was asked")
}

fn versions(
    endpoint: &Endpoint,
    configurations: &[(&Asset, &Configuration)],
    drifts: &mut Vec<Drift>,
) -> Fact {
    let mut lists = Vec::new();
    for (_, configuration) in configurations {
        match &configuration.versions {
            Some(versions) => lists.push(versions),
            None => return left_to("versions", configuration),
        }
    }
    let before = drifts.len();
    let mut unseen = None;
    for version in VERSIONS {
        let has = |list: &&Vec<String>| list.iter().any(|one| one == version);
        match endpoint.speaks(version) {
            Fact::Yes if !lists.iter().any(has) => {
                drifts.push(Drift::VersionOffered(version.to_owned()));
            }
            Fact::No if lists.iter().all(has) => {
                drifts.push(Drift::VersionDeclined(version.to_owned()));
            }
            Fact::NotObserved(why) => {
                unseen = unseen.or(Some(format!("{version}: {why}")));
            }
            Fact::Yes | Fact::No => {}
        }
    }
    verdict(drifts.len() > before, unseen)
}

fn suites(
    endpoint: &Endpoint,
    configurations: &[(&Asset, &Configuration)],
    drifts: &mut Vec<Drift>,
) -> Fact {
    let mut allowed: BTreeSet<&str> = BTreeSet::new();
    let mut names_tls13 = true;
    for (_, configuration) in configurations {
        let Some(list) = configuration.suites.as_deref() else {
            return left_to("suites", configuration);
        };
        match explicit(list) {
            Ok(names) => {
                names_tls13 &= names.iter().any(|name| is_of_tls13(name));
                allowed.extend(names);
            }
            Err(word) => {
                return Fact::NotObserved(format!(
                    "`{word}` in the settings of {} is not the name of one suite",
                    configuration.software
                ));
            }
        }
    }
    let before = drifts.len();
    let mut unseen = None;
    for (version, (accepted, why)) in accepted(endpoint) {
        // Where a list has no suite of TLS 1.3, that version is set up elsewhere or not at all.
        if version == "TLSv1.3" && !names_tls13 {
            unseen = unseen.or(Some("suites of TLSv1.3 are not in the settings".to_owned()));
            continue;
        }
        unseen = unseen.or(why.map(|why| format!("{version}: {why}")));
        let others = accepted.into_iter().filter(|suite| !allowed.contains(suite));
        drifts.extend(others.map(|suite| Drift::SuiteAccepted {
            version: version.to_owned(),
            suite: suite.to_owned(),
        }));
    }
    verdict(drifts.len() > before, unseen)
}

/// The suites that each version was seen with, and why these may not be all.
fn accepted(endpoint: &Endpoint) -> BTreeMap<&str, (BTreeSet<&str>, Option<String>)> {
    let mut seen: BTreeMap<&str, (BTreeSet<&str>, Option<String>)> = BTreeMap::new();
    for (version, facts) in endpoint.posture.iter().flat_map(|posture| &posture.versions) {
        if facts.offered == Fact::No {
            continue;
        }
        let (suites, why) = seen.entry(version).or_default();
        suites.extend(facts.preferred_suite.as_deref());
        *why = match &facts.suites {
            Some(found) => {
                suites.extend(found.accepted.iter().map(String::as_str));
                match &found.complete {
                    Fact::Yes => None,
                    Fact::No => Some("there may be more".to_owned()),
                    Fact::NotObserved(why) => Some(why.clone()),
                }
            }
            None => Some("not all suites were asked for".to_owned()),
        };
    }
    let session = endpoint.session();
    let one = session.and_then(|session| Some((session.version.as_deref()?, session)));
    match one {
        Some((version, session)) => {
            let why = Some("only one handshake was asked for".to_owned());
            let entry = seen.entry(version).or_insert_with(|| (BTreeSet::new(), why));
            entry.0.extend(session.cipher_suite.as_deref());
        }
        None if seen.is_empty() => {
            let why = Some("it showed no suite".to_owned());
            seen.insert("any version", (BTreeSet::new(), why));
        }
        None => {}
    }
    seen
}

fn certificates(
    asset: &Asset,
    endpoint: &Endpoint,
    configurations: &[(&Asset, &Configuration)],
    view: &View<'_>,
    drifts: &mut Vec<Drift>,
) -> Fact {
    let shown = served(asset);
    if shown.is_empty() {
        return Fact::NotObserved("it showed no certificate".to_owned());
    }
    let mut configured: BTreeMap<Digest, &Certificate> = BTreeMap::new();
    let mut written: BTreeMap<Digest, Time> = BTreeMap::new();
    for (asset, configuration) in configurations {
        if configuration.certificates.is_empty() {
            return left_to("certificates", configuration);
        }
        for path in certificate_paths(asset, configuration) {
            let here = view.certificates_at(&path);
            if here.is_empty() {
                return Fact::NotObserved(format!("no certificate was seen in {path}"));
            }
            for one in here {
                configured.extend(one.certificate().map(|body| (one.id.sha256, body)));
                if let Some(when) = modified(one, &path) {
                    let latest = written.entry(one.id.sha256).or_insert(when);
                    *latest = when.max(*latest);
                }
            }
        }
    }
    let before = drifts.len();
    let mut unseen = None;
    for digest in shown.iter().filter(|digest| !configured.contains_key(digest)) {
        let id = AssetId::new(Kind::Certificate, *digest);
        let presented = view.inventory().get(id).and_then(Asset::certificate);
        let newer = presented.and_then(|presented| newest_after(presented, &configured));
        // Authorities date certificates back, some by an hour: where the file does not tell when it
        // was written, the certificate may be as much younger than it says.
        let is_later = |digest: &Digest, one: &Certificate| match written.get(digest) {
            Some(when) => *when > endpoint.observed || one.not_before > endpoint.observed,
            None => one.not_before.0.saturating_add(DATED_BACK) > endpoint.observed.0,
        };
        if newer.is_some_and(|(digest, newer)| is_later(&digest, newer)) {
            unseen = unseen.or(Some("it was asked before the certificate was renewed".to_owned()));
            continue;
        }
        if written.values().any(|when| *when > endpoint.observed) {
            let why = "a file of certificates was written after it was asked";
            unseen = unseen.or(Some(why.to_owned()));
            continue;
        }
        drifts.push(Drift::Certificate {
            served: *digest,
            configured: configured.keys().copied().collect(),
            newer_on_disk: newer.map(|(digest, _)| digest),
        });
    }
    verdict(drifts.len() > before, unseen)
}

/// Seconds by which authorities date certificates back.
const DATED_BACK: i64 = 3_600;

/// When the file of this path was last written, as the certificate in it tells; for a path of
/// certbot's `live`, the file that it leads to.
fn modified(asset: &Asset, path: &str) -> Option<Time> {
    let here = |at: &&Sighting| {
        let file = file_path(&at.place);
        file == Some(path) || (path.contains("/live/") && file.is_some_and(|it| is_kept(it, path)))
    };
    let files = asset.sightings().filter(here).filter_map(|at| at.circumstances.file.as_ref());
    files.map(|file| file.modified).max()
}

/// Whether a file lies in the `archive` that belongs to a path of certbot's `live`.
fn is_kept(file: &str, live: &str) -> bool {
    let folder = live.rsplit_once('/').map(|(folder, _)| folder.replace("/live/", "/archive/"));
    folder.is_some_and(|folder| file.rsplit_once('/').is_some_and(|(it, _)| it == folder))
}

/// The newest for the same names, where it is newer.
fn newest_after<'c>(
    presented: &Certificate,
    configured: &BTreeMap<Digest, &'c Certificate>,
) -> Option<(Digest, &'c Certificate)> {
    let names = presented.lineage_names();
    let later = configured
        .iter()
        .map(|(digest, one)| (*digest, *one))
        .filter(|(_, one)| one.not_before > presented.not_before && one.lineage_names() == names);
    later.max_by_key(|(digest, one)| (one.not_before, *digest))
}

fn verdict(found: bool, unseen: Option<String>) -> Fact {
    match (found, unseen) {
        (true, _) => Fact::No,
        (false, Some(why)) => Fact::NotObserved(why),
        (false, None) => Fact::Yes,
    }
}

fn left_to(what: &str, configuration: &Configuration) -> Fact {
    let software = &configuration.software;
    Fact::NotObserved(format!("the settings of {software} do not say which {what}"))
}

/// Suites of TLS 1.3 name no key exchange (RFC 8446, B.4).
fn is_of_tls13(suite: &str) -> bool {
    suite.starts_with("TLS_") && !suite.contains("_WITH_")
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VersionOffered(version) => {
                write!(f, "{version} is offered, but the settings do not enable it")
            }
            Self::VersionDeclined(version) => {
                write!(f, "{version} is enabled in the settings, but was declined")
            }
            Self::SuiteAccepted { version, suite } => {
                write!(f, "{suite} is accepted with {version}, but the settings leave it out")
            }
            Self::Certificate { served, configured, newer_on_disk } => {
                write!(
                    f,
                    "certificate {} is served, but the configured files hold ",
                    served.short()
                )?;
                for (at, digest) in configured.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", digest.short())?;
                }
                match newer_on_disk {
                    Some(newer) => write!(f, "; {} is newer on disk", newer.short()),
                    None => Ok(()),
                }
            }
        }
    }
}
