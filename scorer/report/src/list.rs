//! One line for each asset, for lists on a terminal.

use pki_inventory::{
    Asset, Automation, AutomationRole, Body, Certificate, ClientCertificate, Configuration,
    Endpoint, Handshake, Key, Keystore, View, published, snakeoil,
};

use crate::text::{line, shortened};
use crate::{configuration, keystore, titles, words};

/// Kind, short id, what it is in columns of its kind, where it was seen. An endpoint is its place.
#[must_use]
pub fn list_line(asset: &Asset, view: &View<'_>) -> String {
    let told = match &asset.body {
        Body::Automation(body) => trace(asset, body, view),
        Body::Certificate(body) => certificate(asset, body, view),
        Body::Configuration(body) => settings(asset, body, view),
        Body::Endpoint(body) => return started(asset, &endpoint(asset, body, view)),
        Body::Key(body) => key(asset, body, view),
        Body::Keystore(body) => store(body),
        Body::RevocationList(list) => format!("{} entries by {}", list.entries, list.issuer.text),
        Body::SigningRequest(request) => request.subject.text.clone(),
        Body::TrustStore(store) => format!("{} members", store.members.len()),
        Body::Unparsed(body) => format!("{}: {}", body.claimed, body.error),
    };
    let mut places = asset.places();
    let first = places.next().map(ToString::to_string).unwrap_or_default();
    let more = match places.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    started(asset, &format!("{told}  {first}{more}"))
}

fn started(asset: &Asset, told: &str) -> String {
    // Names are others' words: a line stays a line.
    line(&format!("{:<16} {}  {told}", asset.id.kind, asset.id.sha256.short()))
}

/// A column of this width; what is longer pushes the others on only where it cannot be cut.
fn column(text: &str, width: usize) -> String {
    format!("{:<width$}", shortened(&line(text), width))
}

fn certificate(asset: &Asset, body: &Certificate, view: &View<'_>) -> String {
    let mut told =
        format!("{} until {} by {}", body.display_name(), body.not_after.date(), body.issuer.text);
    let traces = view.automation_of(asset);
    let mut tools: Vec<String> = traces.iter().map(|trace| titles::asset(trace)).collect();
    tools.dedup();
    if !tools.is_empty() {
        told.push_str(&format!(", managed by {}", tools.join(" and ")));
    }
    told
}

fn key(asset: &Asset, body: &Key, view: &View<'_>) -> String {
    let algorithm = body.algorithm.as_ref();
    let mut told = algorithm.map_or_else(|| "encrypted".to_owned(), |found| found.label());
    let private = body.spki.map(|spki| view.private_places(spki).len()).unwrap_or_default();
    told.push_str(&match private {
        0 => String::new(),
        count => format!(", private half in {}", words::count(count, "place", "places")),
    });
    if body.spki.as_ref().is_some_and(|spki| published(spki).is_some()) {
        told.push_str(", published");
    }
    if snakeoil(asset).is_some() {
        told.push_str(", snakeoil");
    }
    told
}

fn store(body: &Keystore) -> String {
    let entries = match (body.count, body.entries.len()) {
        (None, 0) => "-".to_owned(),
        (count, seen) => {
            words::count(count.map_or(seen, |count| count as usize), "entry", "entries")
        }
    };
    format!(
        "{}  {}  {}",
        column(&body.format, 12),
        column(&entries, 12),
        column(&keystore::lock(&body.lock), 52)
    )
}

fn trace(asset: &Asset, body: &Automation, view: &View<'_>) -> String {
    let managed = match body.role {
        AutomationRole::Lineage => {
            let count = view.managed_by(asset).certificates;
            words::count(count, "certificate", "certificates")
        }
        AutomationRole::Schedule | AutomationRole::Monitor => {
            body.schedule.clone().unwrap_or_default()
        }
    };
    let active = match body.active {
        Some(true) => "active",
        Some(false) => "not active",
        None => "-",
    };
    let renewals = body.renewals.map_or_else(String::new, |times| format!("renewed {times}x"));
    format!(
        "{}  {}  {}  {}",
        column(&titles::asset(asset), 40),
        column(active, 10),
        column(&managed, 18),
        column(&renewals, 11)
    )
}

fn settings(asset: &Asset, body: &Configuration, view: &View<'_>) -> String {
    let mut ports: Vec<String> = body.listens.iter().map(|one| one.port.to_string()).collect();
    ports.dedup();
    let ports = if ports.is_empty() { "-".to_owned() } else { ports.join(",") };
    let versions = configuration::versions(body);
    let endpoints = view.endpoints_of(asset);
    let differ = |endpoint: &&&Asset| configuration::differs(endpoint, view) == Some(true);
    let seen = match (endpoints.len(), endpoints.iter().filter(differ).count()) {
        (0, _) => "-".to_owned(),
        (all, 0) => words::count(all, "endpoint", "endpoints"),
        (all, differing) => format!("{differing} of {all} not as set up"),
    };
    format!(
        "{}  {}  {}  {}",
        column(&titles::asset(asset), 40),
        column(&ports, 9),
        column(body.versions.as_ref().map_or("-", |_| &versions), 24),
        column(&seen, 22)
    )
}

/// What a service answered: version, suite, group, what it wants of clients, how many certificates.
fn endpoint(asset: &Asset, body: &Endpoint, view: &View<'_>) -> String {
    let place = asset.places().next().map(ToString::to_string).unwrap_or_default();
    let session = match &body.handshake {
        Handshake::Shown(session) => session,
        Handshake::Declined { alert, .. } => return format!("{place}  declined ({alert})"),
        Handshake::NoTls { .. } => return format!("{place}  no TLS"),
    };
    let settled = [&session.version, &session.cipher_suite, &session.group];
    let settled = settled.map(|known| known.as_deref().unwrap_or("-")).join(" ");
    let client = match session.client_certificate {
        ClientCertificate::NotObserved => "client certificate not observed",
        ClientCertificate::NotAsked => "no client certificate",
        ClientCertificate::Asked => "client certificate asked",
        ClientCertificate::Optional => "client certificate optional",
        ClientCertificate::Required => "client certificate required",
    };
    let chain = words::count(session.chain.len(), "certificate", "certificates");
    let stands = match configuration::differs(asset, view) {
        Some(true) => ", not as set up",
        Some(false) => ", as set up",
        None => "",
    };
    format!("{place}  {settled}  {client}, chain of {chain}{stands}")
}
