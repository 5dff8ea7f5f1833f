//! The facts of an endpoint as JSON.

use std::collections::BTreeMap;

use pki_inventory::{
    AnchorPath, Anchoring, Asset, ChainFacts, Comparison, Drift, Endpoint, Fact, Handshake,
    Posture, RevocationStatus, Staple, StapleContent, VersionFacts, View, anchorings, compared,
};
use serde_json::{Map, Value, json};

use crate::endpoint;

/// Everything of an endpoint but its sightings.
pub(crate) fn of(asset: &Asset, endpoint: &Endpoint, view: &View<'_>) -> Value {
    let mut facts = handshake(&endpoint.handshake);
    if let Some(facts) = facts.as_object_mut() {
        let chain = endpoint::chain(asset, endpoint, view);
        facts.extend([
            ("observed".to_owned(), endpoint.observed.to_string().into()),
            ("connections".to_owned(), endpoint.connections.into()),
            ("chain_facts".to_owned(), chain.as_ref().map_or(Value::Null, chain_facts)),
            ("trust_stores".to_owned(), trust_stores(endpoint, view)),
            ("posture".to_owned(), endpoint.posture.as_deref().map_or(Value::Null, posture)),
            ("settings".to_owned(), compared(asset, view).as_ref().map_or(Value::Null, settings)),
        ]);
    }
    facts
}

/// How it stands to the settings it belongs to.
fn settings(found: &Comparison) -> Value {
    json!({
        "configurations": found.configurations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "versions": fact(&found.versions),
        "suites": fact(&found.suites),
        "certificates": fact(&found.certificates),
        "drifts": found.drifts.iter().map(drift).collect::<Vec<_>>(),
    })
}

fn drift(drift: &Drift) -> Value {
    let sentence = drift.to_string();
    match drift {
        Drift::VersionOffered(version) => {
            json!({ "kind": "version-offered", "sentence": sentence, "version": version })
        }
        Drift::VersionDeclined(version) => {
            json!({ "kind": "version-declined", "sentence": sentence, "version": version })
        }
        Drift::SuiteAccepted { version, suite } => json!({
            "kind": "suite-accepted",
            "sentence": sentence,
            "version": version,
            "suite": suite,
        }),
        Drift::Certificate { served, configured, newer_on_disk } => json!({
            "kind": "certificate",
            "sentence": sentence,
            "served": served.to_string(),
            "configured": texts(configured),
            "newer_on_disk": newer_on_disk.map(|newer| newer.to_string()),
        }),
    }
}

/// `{"value": "yes"}`, `{"value": "no"}`, or `{"value": "not-observed", "why": …}`.
fn fact(fact: &Fact) -> Value {
    match fact.why() {
        None => json!({ "value": fact.name() }),
        Some(why) => json!({ "value": fact.name(), "why": why }),
    }
}

fn facts(all: &BTreeMap<String, Fact>) -> Value {
    all.iter().map(|(name, one)| (name.clone(), fact(one))).collect::<Map<_, _>>().into()
}

fn handshake(handshake: &Handshake) -> Value {
    match handshake {
        Handshake::Shown(session) => json!({
            "outcome": "shown",
            "version": session.version,
            "cipher_suite": session.cipher_suite,
            "group": session.group,
            "offered_groups": session.offered_groups,
            "alpn": session.alpn,
            "chose_protocol": fact(&session.chose_protocol()),
            "staple": session.staple.as_ref().map(staple),
            "stapled": fact(&session.stapled()),
            "sct_logs": session.sct_logs,
            "timestamped": fact(&session.timestamped()),
            "client_certificate": session.client_certificate.name(),
            "accepted_authorities": session.accepted_authorities,
            "chain": texts(&session.chain),
            "ended": session.ended,
        }),
        Handshake::Declined { alert, offered } => {
            json!({ "outcome": "declined", "alert": alert, "offered_versions": offered })
        }
        Handshake::NoTls { reason } => json!({ "outcome": "no-tls", "reason": reason }),
    }
}

fn staple(staple: &Staple) -> Value {
    let status = staple.status();
    let (revoked_at, detail) = match &staple.content {
        StapleContent::Refused(detail) | StapleContent::Unreadable(detail) => (None, Some(detail)),
        StapleContent::Status(status) => match &status.status {
            RevocationStatus::Revoked { at, reason } => (Some(at), reason.as_ref()),
            RevocationStatus::Good | RevocationStatus::Unknown => (None, None),
        },
    };
    json!({
        "length": staple.length,
        "sha256": staple.sha256.to_string(),
        "status": staple.content.name(),
        "detail": detail,
        "serial": status.map(|status| &status.serial),
        "issuer": status.map(|status| json!({
            "algorithm": status.issuer.algorithm,
            "name": status.issuer.name,
            "key": status.issuer.key,
        })),
        "this_update": status.map(|status| status.this_update.to_string()),
        "next_update": status.and_then(|status| status.next_update).map(|time| time.to_string()),
        "produced_at": status.map(|status| status.produced_at.to_string()),
        "revoked_at": revoked_at.map(ToString::to_string),
        "responder": status.map(|status| &status.responder),
        "sct_logs": status.map_or(&[][..], |status| &status.sct_logs),
    })
}

fn chain_facts(chain: &ChainFacts) -> Value {
    json!({
        "names_server": fact(&chain.names_server),
        "ordered": fact(&chain.ordered),
        "complete": fact(&chain.complete),
        "anchor_sent": fact(&chain.anchor_sent),
        "extra": texts(&chain.extra),
        "missing": texts(&chain.missing),
        "unparsed": texts(&chain.unparsed),
    })
}

/// How the chain stands to each trust store that was found.
fn trust_stores(endpoint: &Endpoint, view: &View<'_>) -> Value {
    let stands = |one: &Anchoring| {
        let certificates = match &one.path {
            AnchorPath::Expired(one) => vec![one.to_string()],
            AnchorPath::Missing(all) => texts(all),
            AnchorPath::Found | AnchorPath::UnknownAnchor | AnchorPath::NotObserved(_) => {
                Vec::new()
            }
        };
        let why = match &one.path {
            AnchorPath::NotObserved(why) => Some(why),
            _ => None,
        };
        json!({
            "store": one.store.to_string(),
            "path": one.path.name(),
            "certificates": certificates,
            "why": why,
        })
    };
    anchorings(endpoint, view).iter().map(stands).collect()
}

fn posture(posture: &Posture) -> Value {
    let versions = posture.versions.iter().map(|(name, facts)| (name.clone(), version(facts)));
    let deployments = posture.deployments.iter().map(|(family, one)| {
        (family.clone(), json!({ "offered": fact(&one.offered), "chain": texts(&one.chain) }))
    });
    json!({
        "versions": versions.collect::<Map<_, _>>(),
        "groups": facts(&posture.groups),
        "alpn": facts(&posture.alpn),
        "deployments": deployments.collect::<Map<_, _>>(),
        "resumption_id": fact(&posture.resumption_id),
        "resumption_ticket": fact(&posture.resumption_ticket),
        "early_data": fact(&posture.early_data),
        "secure_renegotiation": fact(&posture.secure_renegotiation),
        "extended_master_secret": fact(&posture.extended_master_secret),
        "compression": fact(&posture.compression),
        "fallback_scsv": fact(&posture.fallback_scsv),
        "client_refusal": posture.client_refusal,
    })
}

fn version(version: &VersionFacts) -> Value {
    json!({
        "offered": fact(&version.offered),
        "preferred_suite": version.preferred_suite,
        "suites": version.suites.as_ref().map(|suites| json!({
            "accepted": suites.accepted,
            "complete": fact(&suites.complete),
            "server_order": fact(&suites.server_order),
        })),
    })
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
