//! What people read of configured cryptography, and of how an endpoint stands to it.

use pki_inventory::{
    Asset, AssetId, Comparison, Configuration, Fact, Listens, Place, View, compared,
};

use crate::told::{Rows, Told};

/// A file that settings name.
pub(crate) struct File<'c> {
    /// What for.
    pub(crate) what: &'static str,
    /// As written.
    pub(crate) path: &'c str,
    /// What was seen there.
    pub(crate) assets: Vec<AssetId>,
}

/// `all addresses, port 443`, `127.0.0.1, port 25 inside smtp`.
pub(crate) fn listens(listens: &Listens) -> String {
    let address = listens.address.as_deref().unwrap_or("all addresses");
    let inside = listens.starttls.as_ref().map_or_else(String::new, |one| format!(" inside {one}"));
    format!("{address}, port {}{inside}", listens.port)
}

/// The protocol versions, or whose they are.
pub(crate) fn versions(body: &Configuration) -> String {
    match &body.versions {
        None => "versions left to the program".to_owned(),
        Some(none) if none.is_empty() => "no version enabled".to_owned(),
        Some(versions) => versions.join(", "),
    }
}

/// The files that settings name with what was seen in them.
pub(crate) fn files<'c>(asset: &Asset, body: &'c Configuration, view: &View<'_>) -> Vec<File<'c>> {
    let certificates = |path: &str| view.certificates_at(path);
    let keys = |path: &str| view.private_keys_at(path);
    let mut files = Vec::new();
    let mut add = |what, paths: &'c [String], seen: &dyn Fn(&str) -> Vec<AssetId>| {
        for path in paths {
            let places = asset.places().filter_map(|at| beside(at, path));
            let mut assets: Vec<AssetId> = places.flat_map(|place| seen(&place)).collect();
            assets.sort();
            assets.dedup();
            files.push(File { what, path, assets });
        }
    };
    let ids = |assets: Vec<&Asset>| assets.iter().map(|asset| asset.id).collect();
    add("certificate", &body.certificates, &|path| ids(certificates(path)));
    add("key", &body.keys, &|path| ids(keys(path)));
    add("trusted", &body.trusts, &|path| ids(certificates(path)));
    files
}

/// The encoded path that settings at this place mean by a path: those in an image or archive mean
/// its own files.
fn beside(settings: &Place, path: &str) -> Option<String> {
    let Place::File { path: at, .. } = settings else { return None };
    let named = match at.rsplit_once("!/") {
        Some((archive, _)) => {
            Place::File { path: archive.to_owned(), object: None }.within(path.as_bytes())
        }
        None => Place::file(path),
    };
    match named {
        Place::File { path, .. } => Some(path),
        Place::Directory { .. } | Place::Tls { .. } | Place::Token { .. } | Place::Scope(_) => None,
    }
}

/// How an endpoint stands to the settings it belongs to.
pub(crate) struct Compared {
    /// What agrees, what differs and what could not be compared, each a line.
    pub(crate) answers: Vec<String>,
    /// What differs, each a sentence.
    pub(crate) drifts: Vec<String>,
}

/// The same as words; `None` where no settings belong to it.
pub(crate) fn comparison(endpoint: &Asset, view: &View<'_>) -> Option<Compared> {
    let Comparison { versions, suites, certificates, drifts, .. } = compared(endpoint, view)?;
    let facts = [("versions", versions), ("suites", suites), ("certificates", certificates)];
    let answers = facts.into_iter().map(|(what, fact)| match fact {
        Fact::Yes => format!("{what}: as set up"),
        Fact::No => format!("{what}: not as set up"),
        Fact::NotObserved(why) => format!("{what}: not compared ({why})"),
    });
    Some(Compared {
        answers: answers.collect(),
        drifts: drifts.iter().map(ToString::to_string).collect(),
    })
}

/// Whether an endpoint was compared with settings, and differs.
pub(crate) fn differs(endpoint: &Asset, view: &View<'_>) -> Option<bool> {
    let found = compared(endpoint, view)?;
    let facts = [&found.versions, &found.suites, &found.certificates];
    if !found.drifts.is_empty() {
        return Some(true);
    }
    facts.iter().any(|fact| matches!(fact, Fact::Yes)).then_some(false)
}

/// All of it.
pub(crate) fn rows(asset: &Asset, body: &Configuration, view: &View<'_>) -> Rows {
    let mut files: Vec<Told> = Vec::new();
    for file in self::files(asset, body, view) {
        let seen = if file.assets.is_empty() { ": nothing was seen there" } else { "" };
        files.push(Told::text(format!("{} {}{seen}", file.what, file.path)));
        files.extend(file.assets.iter().map(|id| Told::asset(*id, view)));
    }
    let settings = body.settings.iter().map(|(name, value)| format!("{name} = {value}"));
    let suites = body.suites.clone().unwrap_or_else(|| "left to the program".to_owned());
    let mut endpoints = Vec::new();
    for endpoint in view.endpoints_of(asset) {
        endpoints.push(Told::asset(endpoint.id, view));
        if let Some(compared) = comparison(endpoint, view) {
            endpoints.extend(Told::texts(compared.answers));
            endpoints.extend(Told::texts(compared.drifts));
        }
    }
    vec![
        ("software", vec![Told::text(body.software.clone())]),
        ("part", Told::texts(body.part.clone())),
        ("line", vec![Told::text(body.line.to_string())]),
        ("listens", Told::texts(body.listens.iter().map(listens))),
        ("names", Told::texts(body.server_names.clone())),
        ("versions", vec![Told::text(versions(body))]),
        ("suites", vec![Told::text(suites)]),
        ("files", files),
        ("settings", Told::texts(settings)),
        ("not followed", Told::texts(body.unresolved.clone())),
        ("endpoints", endpoints),
    ]
}
