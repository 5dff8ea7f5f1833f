//! What a person calls an asset or the subject of a finding.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::{
    Asset, AssetId, AutomationRole, Body, Handshake, Inventory, Issuance, Kind, Place, View,
    published, snakeoil,
};
use pki_rules::{Finding, Rule, Subject};

use crate::directory;
use crate::token::{self, object};

/// `shop.example.org`, `tls://192.0.2.7:443`, `RSA-2048 key`, `JKS keystore /srv/shop.jks`,
/// `certbot: www.example.org`, `nginx server www.example.org`, `template WebServer`,
/// `token CA signing`, `AES-256 key backup`.
pub(crate) fn asset(asset: &Asset) -> String {
    let place = || asset.places().next().map_or_else(String::new, ToString::to_string);
    let path = || asset.places().next().map_or_else(String::new, path);
    match &asset.body {
        Body::Authority(authority) => format!("authority {}", authority.name),
        Body::DirectoryObject(object) => {
            format!("{} {}", directory::role(object.role), object.name)
        }
        Body::Issuance(record) => issuance(record),
        Body::SecretKey(key) => {
            let mut labels = asset.sightings().filter_map(|at| at.circumstances.label.clone());
            format!("{} key {}", key.algorithm.label(), labels.next().unwrap_or_else(place))
        }
        Body::Token(body) => format!("token {}", token::name(body)),
        Body::Template(template) => format!("template {}", template.name),
        Body::Automation(trace) => {
            let name = trace.name.clone().or_else(|| trace.domains.first().cloned());
            let name = name.unwrap_or_else(path);
            match trace.role {
                AutomationRole::Lineage => format!("{}: {name}", trace.tool),
                AutomationRole::Schedule => format!("{} schedule: {name}", trace.tool),
                AutomationRole::Monitor => format!("{} monitor: {name}", trace.tool),
            }
        }
        Body::Configuration(settings) => {
            format!("{} {}", settings.software, settings.part.clone().unwrap_or_else(path))
        }
        Body::Keystore(store) => format!("{} keystore {}", store.format, path()),
        Body::Certificate(certificate) => certificate.display_name(),
        Body::Endpoint(_) => place(),
        Body::Key(key) => key
            .algorithm
            .as_ref()
            .map_or_else(|| "encrypted key".to_owned(), |a| format!("{} key", a.label())),
        Body::RevocationList(list) => format!("revocation list of {}", list.issuer.text),
        Body::SigningRequest(request) => format!("request for {}", request.subject.text),
        Body::TrustStore(store) => {
            format!("trust store of {} certificates, {}", store.members.len(), place())
        }
        Body::Unparsed(unparsed) => format!("unparsed {}", unparsed.claimed),
    }
}

/// `record of Example CA: www.example.org, 0f3a`.
fn issuance(record: &Issuance) -> String {
    let authority = record.authority.as_deref().unwrap_or("an authority");
    let what = match (&record.common_name, &record.serial, record.request) {
        (Some(name), Some(serial), _) => format!("{name}, {serial}"),
        (None, Some(serial), _) => serial.clone(),
        (Some(name), None, _) => name.clone(),
        (None, None, Some(request)) => format!("request {request}"),
        (None, None, None) => "nothing issued".to_owned(),
    };
    format!("record of {authority}: {what}")
}

/// What the world knows of a key or of a certificate's key: that its private half is published, or
/// that a package made it for a start. Empty for most.
pub(crate) fn known(asset: &Asset) -> String {
    let spki = match &asset.body {
        Body::Certificate(certificate) => Some(certificate.spki),
        Body::Key(key) => key.spki,
        _ => None,
    };
    match (spki.as_ref().and_then(published), snakeoil(asset)) {
        (Some(origin), _) => format!("private half published: {origin}"),
        (None, what) => what.unwrap_or_default().to_owned(),
    }
}

/// A file by its path, other places as they are.
pub(crate) fn path(place: &Place) -> String {
    match place {
        Place::File { path, .. } => path.clone(),
        other => other.to_string(),
    }
}

/// The asset a finding is about, or its scope.
pub(crate) fn subject(subject: &Subject, view: &View<'_>) -> String {
    match subject {
        Subject::Asset(id) => by_id(*id, view),
        Subject::Scope { collector, scope } => format!("{scope} ({collector})"),
    }
}

/// An asset by its id. Keys are called after a certificate of theirs, where there is one: many are
/// in the inventory through it alone. Others on a token have the name they have there:
/// `RSA-2048 key k1 on CA keys`.
pub(crate) fn by_id(id: AssetId, view: &View<'_>) -> String {
    let certified = match id.kind {
        Kind::Key => view.certificates_of(id.sha256).first(),
        _ => None,
    };
    match (view.inventory().get(id), certified) {
        (_, Some(certificate)) => format!("key of {}", asset(certificate)),
        (Some(known), None) => on_token(known, view).unwrap_or_else(|| asset(known)),
        (None, None) => format!("{} {}", id.kind, id.sha256.short()),
    }
}

/// A key on a token; `None` for everything else.
fn on_token(asset: &Asset, view: &View<'_>) -> Option<String> {
    let algorithm = match &asset.body {
        Body::Key(key) => key.algorithm.as_ref(),
        Body::SecretKey(key) => Some(&key.algorithm),
        _ => return None,
    };
    let algorithm = algorithm.map_or_else(String::new, |found| format!("{} ", found.label()));
    Some(format!("{algorithm}key {}", object::on(asset, view)?))
}

/// An asset of this run or, where it is not there any more, of the run before.
pub(crate) fn now_or_before(id: AssetId, now: &View<'_>, before: &View<'_>) -> String {
    by_id(id, if now.inventory().get(id).is_some() { now } else { before })
}

/// How an endpoint answered, in a few words.
pub(crate) fn outcome(handshake: &Handshake) -> String {
    match handshake {
        Handshake::Shown(session) => match &session.ended {
            None => "shown".to_owned(),
            Some(ended) => format!("shown, then ended: {ended}"),
        },
        Handshake::Declined { alert, offered } => {
            format!("declined with {alert}; offered {}", offered.join(", "))
        }
        Handshake::NoTls { reason } => format!("no TLS: {reason}"),
    }
}

/// How many assets there are of each kind, kinds without any included.
pub(crate) fn counts(inventory: &Inventory) -> Vec<(Kind, usize)> {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for asset in inventory.assets() {
        *counts.entry(asset.id.kind).or_default() += 1;
    }
    Kind::ALL.iter().map(|kind| (*kind, counts.get(kind).copied().unwrap_or(0))).collect()
}

/// The rule with this id among those that ran.
pub(crate) fn rule(rules: &[&'static Rule], id: &str) -> Option<&'static Rule> {
    rules.iter().copied().find(|rule| rule.id == id)
}

/// The title of a rule among those that ran, else its id.
pub(crate) fn rule_title<'a>(rules: &[&'static Rule], id: &'a str) -> &'a str {
    rule(rules, id).map_or(id, |rule| rule.title)
}

/// Whether a rule bears on any requirement of the model.
pub(crate) fn bears(document: &crate::Document<'_>, rule: &str) -> bool {
    document.map.requirements_of(rule).next().is_some()
}

/// Whether a finding is about this asset.
pub(crate) fn is_about(finding: &Finding, id: AssetId) -> bool {
    finding.subject == Subject::Asset(id)
}

/// The rules whose condition must not occur at all: those that a requirement puts on the scale
/// `never`.
pub(crate) fn never(document: &crate::Document<'_>) -> BTreeSet<&'static str> {
    let requirements = document.assessment.requirements.iter();
    let rules = requirements.flat_map(|requirement| requirement.rules());
    rules.filter(|rule| rule.scale == "never").map(|rule| rule.rule).collect()
}
