//! The facts of keystores, trust stores, traces of automation and settings as JSON.

use pki_inventory::{
    Asset, Automation, AutomationRole, Configuration, Holds, Keystore, Lock, MemberFacts, Time,
    TrustStore, View,
};
use serde_json::{Map, Value, json};

use super::{ids, sighting, value};
use crate::members::Counts;
use crate::{configuration, keystore as words_of, members};

pub(super) fn keystore(store: &Keystore) -> Value {
    let (why, password) = match &store.lock {
        Lock::Closed(why) => (Some(why), None),
        Lock::WellKnown(password) => (None, Some(password)),
        Lock::Configured | Lock::None => (None, None),
    };
    let entries = store.entries.iter().map(|entry| {
        json!({
            "alias": entry.alias,
            "holds": holds(entry.holds),
            "assets": ids(entry.assets.iter().copied()),
            "created": entry.created.map(|time| time.to_string()),
        })
    });
    json!({
        "format": store.format,
        "lock": { "state": words_of::lock_name(&store.lock), "why": why, "password": password },
        "integrity": store.integrity,
        "protection": store
            .protection
            .iter()
            .map(|one| value(&sighting::protection(one)))
            .collect::<Vec<_>>(),
        "count": store.count,
        "entries": entries.collect::<Vec<_>>(),
    })
}

fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::PrivateKey => "private-key",
        Holds::Certificate => "certificate",
        Holds::SecretKey => "secret-key",
        Holds::Unknown => "unknown",
    }
}

pub(super) fn automation(asset: &Asset, body: &Automation, view: &View<'_>) -> Value {
    let managed = view.managed_by(asset);
    let helpers = |assets: &[&Asset]| match body.role {
        AutomationRole::Lineage => ids(assets.iter().map(|one| one.id)),
        AutomationRole::Schedule | AutomationRole::Monitor => Vec::new(),
    };
    json!({
        "tool": body.tool,
        "role": body.role.name(),
        "name": body.name,
        "domains": body.domains,
        "manages": body.manages,
        "issuer": body.issuer,
        "authenticator": body.authenticator,
        "key_type": body.key_type,
        "reuses_key": body.reuses_key,
        "active": body.active,
        "next_renewal": body.next_renewal.map(|time| time.to_string()),
        "renewals": body.renewals,
        "hook": body.hook,
        "schedule": body.schedule,
        "managed_certificates": managed.certificates,
        "newest_certificate": managed.newest.map(|newest| newest.id.to_string()),
        "schedules": helpers(view.schedules(&body.tool)),
        "monitors": helpers(view.monitors(&body.tool)),
    })
}

pub(super) fn configuration(asset: &Asset, body: &Configuration, view: &View<'_>) -> Value {
    let listens = body
        .listens
        .iter()
        .map(|one| json!({ "address": one.address, "port": one.port, "starttls": one.starttls }));
    let files = configuration::files(asset, body, view);
    let files: Map<String, Value> =
        files.into_iter().map(|file| (file.path.to_owned(), ids(file.assets).into())).collect();
    json!({
        "software": body.software,
        "part": body.part,
        "line": body.line,
        "listens": listens.collect::<Vec<_>>(),
        "server_names": body.server_names,
        "versions": body.versions,
        "suites": body.suites,
        "certificates": body.certificates,
        "keys": body.keys,
        "trusts": body.trusts,
        "settings": body.settings,
        "unresolved": body.unresolved,
        "files": files,
        "endpoints": ids(view.endpoints_of(asset).iter().map(|endpoint| endpoint.id)),
    })
}

pub(super) fn trust_store(store: &TrustStore, view: &View<'_>, at: Time) -> Value {
    let sorted = members::sorted(store, view, at);
    let Counts {
        members: all,
        unknown,
        expired,
        not_yet_valid,
        weak_key,
        weak_signature,
        distrusted,
    } = Counts::of(&sorted);
    let each = sorted.iter().map(|member| {
        let facts = member.facts.as_ref().map_or(Value::Null, member_facts);
        json!({ "sha256": member.sha256.to_string(), "facts": facts })
    });
    json!({
        "members": store.members.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "as_of": at.to_string(),
        "counts": {
            "members": all,
            "unknown": unknown,
            "expired": expired,
            "not_yet_valid": not_yet_valid,
            "weak_key": weak_key,
            "weak_signature": weak_signature,
            "distrusted": distrusted,
        },
        "member_facts": each.collect::<Vec<_>>(),
    })
}

fn member_facts(facts: &MemberFacts<'_>) -> Value {
    json!({
        "name": facts.certificate.display_name(),
        "dates": facts.dates.name(),
        "not_before": facts.certificate.not_before.to_string(),
        "not_after": facts.certificate.not_after.to_string(),
        "weak_key": facts.weak_key,
        "weak_signature": facts.weak_signature,
        "signature_matters": facts.signature_matters,
        "distrusted": facts.distrusted.map(|one| json!({
            "label": one.label,
            "issued_from": one.issued_from.map(|time| time.to_string()),
        })),
    })
}
