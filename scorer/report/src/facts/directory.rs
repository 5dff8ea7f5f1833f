//! The facts of what directories and authorities' records hold as JSON.

use pki_inventory::{
    Access, Authority, Digest, DirectoryObject, Disposition, Issuance, Ordinary, Right, Template,
    Time, Trustee, View,
};
use serde_json::{Value, json};

use super::ids;
use crate::directory::{flags, usages};

fn time(time: Option<Time>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn digests(digests: &[Digest]) -> Vec<String> {
    digests.iter().map(ToString::to_string).collect()
}

/// The number as it was read, with the names of its bits; null where there is none.
fn bits(bits: Option<u32>, known: &flags::Set) -> Value {
    bits.map_or(Value::Null, |bits| json!({ "bits": bits, "names": flags::names(bits, known) }))
}

fn named(oids: &[String]) -> Vec<Value> {
    oids.iter().map(|oid| json!({ "oid": oid, "name": usages::name(oid) })).collect()
}

/// The name of a right, and the attribute that it is for.
fn right(right: &Right) -> (&'static str, Option<&str>) {
    match right {
        Right::Enrol => ("enrol", None),
        Right::AutoEnrol => ("auto-enrol", None),
        Right::Own => ("own", None),
        Right::FullControl => ("full-control", None),
        Right::WriteDacl => ("write-dacl", None),
        Right::WriteOwner => ("write-owner", None),
        Right::WriteProperties => ("write-properties", None),
        Right::WriteProperty(name) => ("write-property", Some(name)),
        Right::CreateChild => ("create-child", None),
    }
}

fn trustee(trustee: &Trustee) -> Value {
    json!({
        "trustee": trustee.name,
        "sid": trustee.sid,
        "standing": trustee.standing.name(),
    })
}

/// Owner, grants, denied trustees and what could not be told; all null where the descriptor was not
/// read.
fn may(facts: &mut Value, access: Option<&Access>) {
    let reaches = |one: &Ordinary| one.name();
    let grants = access.map(|access| {
        let grants = access.grants.iter().map(|grant| {
            let (right, property) = right(&grant.right);
            let mut facts = trustee(&grant.trustee);
            super::set(&mut facts, "right", right);
            super::set(&mut facts, "property", property);
            let reaches: Vec<&str> = grant.reaches.iter().map(reaches).collect();
            super::set(&mut facts, "reaches", reaches);
            super::set(&mut facts, "through", grant.trustee.through.clone());
            super::set(&mut facts, "members", grant.trustee.members);
            facts
        });
        grants.collect::<Vec<_>>()
    });
    let owner = access.and_then(|access| access.owner.as_ref()).map(trustee);
    let denied = access.map(|access| access.denied.iter().map(trustee).collect::<Vec<_>>());
    let unresolved = access.and_then(|access| access.unresolved.clone());
    super::set(facts, "access", grants);
    super::set(facts, "owner", owner);
    super::set(facts, "denied", denied);
    let not_evaluated = access.and_then(|access| access.not_evaluated.clone());
    super::set(facts, "unresolved", unresolved);
    super::set(facts, "not_evaluated", not_evaluated);
}

pub(super) fn authority(body: &Authority, view: &View<'_>) -> Value {
    let known = body.certificates.iter().filter_map(|digest| view.certificate(*digest));
    let known = known.map(|(asset, certificate)| {
        json!({
            "sha256": asset.id.sha256.to_string(),
            "name": certificate.display_name(),
            "not_before": certificate.not_before.to_string(),
            "not_after": certificate.not_after.to_string(),
        })
    });
    let mut facts = json!({
        "name": body.name,
        "dn": body.dn,
        "host": body.host,
        "subject": body.subject,
        "certificates": digests(&body.certificates),
        "certificate_facts": known.collect::<Vec<_>>(),
        "templates": body.templates,
        "published": ids(view.published_by(body).iter().map(|(asset, _)| asset.id)),
        "enrolment_urls": body.enrolment_urls,
        "flags": bits(body.flags, &flags::AUTHORITY),
        "created": time(body.created),
        "changed": time(body.changed),
    });
    may(&mut facts, body.access.as_ref());
    facts
}

pub(super) fn template(body: &Template, view: &View<'_>) -> Value {
    let octets: String = body.key_usage.iter().map(|octet| format!("{octet:02x}")).collect();
    let algorithms = body.algorithms.iter();
    let algorithms = algorithms.map(|(name, value)| json!({ "name": name, "value": value }));
    let mut facts = json!({
        "name": body.name,
        "display_name": body.display_name,
        "dn": body.dn,
        "oid": body.oid,
        "schema_version": body.schema_version,
        "revision": body.revision.map(|(major, minor)| format!("{major}.{minor}")),
        "validity_secs": body.validity_secs,
        "renewal_secs": body.renewal_secs,
        "extended_key_usage": named(&body.extended_key_usage),
        "application_policies": named(&body.application_policies),
        "key_usage": { "octets": octets, "names": usages::key_usage(&body.key_usage) },
        "general_flags": bits(body.general_flags, &flags::GENERAL),
        "enrolment_flags": bits(body.enrolment_flags, &flags::ENROLMENT),
        "private_key_flags": bits(body.private_key_flags, &flags::PRIVATE_KEY),
        "name_flags": bits(body.name_flags, &flags::NAME),
        "minimal_key_bits": body.minimal_key_bits,
        "providers": body.providers,
        "agent_signatures": body.agent_signatures,
        "agent_policies": named(&body.agent_policies),
        "algorithms": algorithms.collect::<Vec<_>>(),
        "issuance_policies": body.issuance_policies,
        "supersedes": body.supersedes,
        "publishers": ids(view.publishers(body).iter().map(|(asset, _)| asset.id)),
        "successors": ids(view.successors(body).iter().map(|(asset, _)| asset.id)),
        "created": time(body.created),
        "changed": time(body.changed),
    });
    may(&mut facts, body.access.as_ref());
    facts
}

pub(super) fn object(body: &DirectoryObject) -> Value {
    let group = body
        .group
        .as_ref()
        .map(|group| json!({ "dn": group.dn, "name": group.name, "privileged": group.privileged }));
    let mappings = body.mappings.iter().map(|mapping| {
        json!({
            "form": super::value(&mapping.form),
            "weak": mapping.form.is_weak(),
            "text": mapping.text,
        })
    });
    let mut facts = json!({
        "role": body.role.name(),
        "name": body.name,
        "dn": body.dn,
        "certificates": digests(&body.certificates),
        "lists": digests(&body.lists),
        "oid": body.oid,
        "group": group,
        "mappings": mappings.collect::<Vec<_>>(),
        "enabled": body.enabled,
        "administers": body.administers,
        "created": time(body.created),
        "changed": time(body.changed),
    });
    may(&mut facts, body.access.as_ref());
    facts
}

pub(super) fn issuance(body: &Issuance) -> Value {
    let (disposition, written) = match &body.disposition {
        Disposition::Other(text) => ("other", Some(text)),
        known => (known.name(), None),
    };
    json!({
        "authority": body.authority,
        "request": body.request,
        "disposition": disposition,
        "disposition_written": written,
        "serial": body.serial,
        "requester": body.requester,
        "template": body.template,
        "common_name": body.common_name,
        "not_before": time(body.not_before),
        "not_after": time(body.not_after),
        "revoked": time(body.revoked),
        "revocation_reason": body.revocation_reason,
        "certificate": body.certificate.map(|digest| digest.to_string()),
    })
}
