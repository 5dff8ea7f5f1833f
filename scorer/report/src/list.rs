//! One line for each asset, for lists on a terminal.

use pki_inventory::{
    Asset, Authority, Automation, AutomationRole, Body, Certificate, ClientCertificate,
    Configuration, DirectoryObject, Endpoint, Handshake, Issuance, Key, Keystore, SecretKey,
    Template, Token, View, published, snakeoil,
};

use crate::directory::{self, access};
use crate::text::{line, shortened};
use crate::token::{self, object};
use crate::{configuration, keystore, sighting, titles, words};

/// Kind, short id, what it is in columns of its kind, where it was seen. An endpoint is its place.
#[must_use]
pub fn list_line(asset: &Asset, view: &View<'_>) -> String {
    let told = match &asset.body {
        Body::Authority(body) => authority(body, view),
        Body::Automation(body) => trace(asset, body, view),
        Body::Certificate(body) => certificate(asset, body, view),
        Body::Configuration(body) => settings(asset, body, view),
        Body::DirectoryObject(body) => object(body),
        Body::Endpoint(body) => return started(asset, &endpoint(asset, body, view)),
        Body::Issuance(body) => record(body),
        Body::Key(body) => key(asset, body, view),
        Body::Keystore(body) => store(body),
        Body::RevocationList(list) => format!("{} entries by {}", list.entries, list.issuer.text),
        Body::SecretKey(body) => secret_key(asset, body),
        Body::SigningRequest(request) => request.subject.text.clone(),
        Body::Template(body) => template(body, view),
        Body::Token(body) => on(body),
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
pub(crate) fn column(text: &str, width: usize) -> String {
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
    let label = algorithm.map(pki_inventory::KeyAlgorithm::label);
    let mut told = match (object::on(asset, view), label) {
        (Some(name), Some(label)) => format!("{label} {name}"),
        (Some(name), None) => name,
        (None, label) => label.unwrap_or_else(|| "encrypted".to_owned()),
    };
    // Where the public half is not told, the same key cannot be known again at another place.
    let private = match body.spki {
        Some(spki) => view.private_places(spki).len(),
        None => asset.sightings().filter(|at| sighting::is_private(at)).count(),
    };
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

/// A symmetric key on a token, with what the first of its places says of it.
fn secret_key(asset: &Asset, body: &SecretKey) -> String {
    let mut objects =
        asset.sightings().filter_map(|at| Some((at, at.circumstances.token.as_ref()?)));
    let (name, may, leave) = match objects.next() {
        Some((at, object)) => {
            let leave = match object.extractable {
                Some(true) => "extractable",
                Some(false) => "not extractable",
                None => "not told",
            };
            (object::name(at, object), object::usages(object).join(", "), leave)
        }
        None => (String::new(), String::new(), "-"),
    };
    format!(
        "{}  {}  {}  {}",
        column(&name, 30),
        column(&body.algorithm.label(), 20),
        column(leave, 15),
        column(if may.is_empty() { "-" } else { &may }, 30)
    )
}

fn on(body: &Token) -> String {
    let objects = token::objects(body);
    format!(
        "{}  {}  {}  {}  {}",
        column(&token::name(body), 26),
        column(&token::product(body), 30),
        column(token::kept_in(body), 9),
        column(&format!("login {}", token::login_word(body.login)), 16),
        column(if objects.is_empty() { "-".to_owned() } else { objects.join(", ") }.as_str(), 44)
    )
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

fn authority(body: &Authority, view: &View<'_>) -> String {
    let last = body.certificates.iter().filter_map(|digest| view.certificate(*digest));
    let last = last.map(|(_, certificate)| certificate.not_after).max();
    let until = last.map_or_else(|| "-".to_owned(), |last| format!("until {}", last.date()));
    let templates = words::count(body.templates.len(), "template", "templates");
    format!(
        "{}  {}  {}  {}",
        column(&body.name, 30),
        column(body.host.as_deref().unwrap_or("-"), 28),
        column(&until, 16),
        column(&templates, 13)
    )
}

fn template(body: &Template, view: &View<'_>) -> String {
    let published = match view.publishers(body).len() {
        0 => "not published".to_owned(),
        count => format!("published by {count}"),
    };
    let who = access::counted(body.access.as_ref(), access::enrols);
    format!(
        "{}  {}  {}  {}",
        column(&body.name, 28),
        column(&published, 14),
        column(&directory::purposes(body).join(", "), 32),
        column(&format!("enrol: {who}"), 44)
    )
}

fn object(body: &DirectoryObject) -> String {
    let holds = directory::holds(body);
    format!(
        "{}  {}  {}",
        column(body.role.name(), 21),
        column(&body.name, 32),
        column(if holds.is_empty() { "-" } else { &holds }, 30)
    )
}

fn record(body: &Issuance) -> String {
    let until = body.not_after.map_or_else(|| "-".to_owned(), |at| format!("until {}", at.date()));
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{}  {}  {}  {}  {}",
        column(body.disposition.name(), 8),
        column(&known(&body.common_name), 30),
        column(&known(&body.template), 20),
        column(&known(&body.requester), 24),
        column(&until, 16)
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
