//! All of an authority, a template, an object or a record, line by line under labels.

use pki_inventory::{
    Access, Asset, AssetId, Authority, Body, DirectoryObject, DirectoryRole, Disposition, Issuance,
    Right, Template, Time, View,
};

use super::{access, flags, usages};
use crate::told::{Rows, Told};
use crate::words;

fn stated(text: Option<&String>) -> Vec<Told> {
    vec![Told::text(text.cloned().unwrap_or_else(|| "not stated".to_owned()))]
}

fn date(time: Option<Time>) -> Vec<Told> {
    time.map(|time| Told::text(time.to_string())).into_iter().collect()
}

fn answer(yes: Option<bool>, otherwise: &str) -> Vec<Told> {
    let told = match yes {
        Some(true) => "yes",
        Some(false) => "no",
        None => otherwise,
    };
    vec![Told::text(told)]
}

/// What the bits mean; of those that are not there and of none that are set it is said.
fn bits(bits: Option<u32>, known: &flags::Set) -> Vec<Told> {
    match bits.map(|bits| flags::words(bits, known)) {
        None => vec![Told::text("not stated")],
        Some(told) if told.is_empty() => vec![Told::text("none")],
        Some(told) => Told::texts(told),
    }
}

/// Everything about who may do what.
fn may(rows: &mut Rows, access: Option<&Access>, enrolment: bool) {
    let Some(access) = access else {
        rows.push(("who may what", vec![Told::text("not read")]));
        return;
    };
    let owner = access.owner.as_ref().map(|owner| {
        let name = owner.name.as_ref().map_or_else(String::new, |name| format!("{name}, "));
        format!("{name}{}, {}", owner.sid, owner.standing.name())
    });
    rows.push(("owner", stated(owner.as_ref())));
    let nobody = |lines: Vec<String>| {
        if lines.is_empty() { vec![Told::text("nobody")] } else { Told::texts(lines) }
    };
    if enrolment {
        rows.push(("may enrol", nobody(access::lines(access, access::enrols, false))));
        rows.push(("may auto-enrol", nobody(access::lines(access, access::auto_enrols, false))));
    }
    rows.push(("may take it over", nobody(access::lines(access, Right::is_takeover, true))));
    rows.push(("may create below it", Told::texts(access::lines(access, access::creates, false))));
    let denied = access.denied.iter().map(|one| match &one.name {
        Some(name) => format!("{name} ({})", one.sid),
        None => one.sid.clone(),
    });
    rows.push(("denied", Told::texts(denied)));
    let doubts = access.unresolved.iter().chain(&access.not_evaluated).cloned();
    rows.push(("could not be told", Told::texts(doubts)));
}

/// All of an authority.
pub(crate) fn authority(body: &Authority, view: &View<'_>, as_of: Time) -> Rows {
    let certificates = body.certificates.iter();
    let certificates: Vec<Told> =
        certificates.map(|digest| super::certificate(*digest, view, Some(as_of))).collect();
    let certificates =
        if certificates.is_empty() { vec![Told::text("none")] } else { certificates };
    let published = super::published(body, view);
    let published = if published.is_empty() { vec![Told::text("none")] } else { published };
    let name = body.name.to_lowercase();
    let recorded = view.inventory().assets().filter(|asset| match &asset.body {
        Body::Issuance(record) => {
            record.authority.as_ref().is_some_and(|other| other.to_lowercase() == name)
        }
        _ => false,
    });
    let recorded = match recorded.count() {
        0 => "its records were not read".to_owned(),
        count => words::count(count, "request", "requests"),
    };
    let mut rows = vec![
        ("name", vec![Told::text(body.name.clone())]),
        ("dn", vec![Told::text(body.dn.clone())]),
        ("host", stated(body.host.as_ref())),
        ("subject", stated(body.subject.as_ref())),
        ("certificates", certificates),
        ("publishes", published),
        ("enrolment by HTTPS", Told::texts(body.enrolment_urls.clone())),
        ("flags", bits(body.flags, &flags::AUTHORITY)),
        ("records", vec![Told::text(recorded)]),
        ("created", date(body.created)),
        ("changed", date(body.changed)),
    ];
    may(&mut rows, body.access.as_ref(), true);
    rows
}

/// All of a template.
pub(crate) fn template(body: &Template, view: &View<'_>) -> Rows {
    let told = |oids: &[String]| Told::texts(oids.iter().map(|oid| usages::told(oid)));
    let purposes = if body.extended_key_usage.is_empty() && body.application_policies.is_empty() {
        vec![Told::text("any usage: none is stated")]
    } else {
        told(&body.extended_key_usage)
    };
    let validity = body.validity_secs.map_or_else(|| "not stated".to_owned(), super::period);
    let renewal = body.renewal_secs.map_or_else(
        || "not stated".to_owned(),
        |seconds| format!("{} before the end", super::period(seconds)),
    );
    let algorithms = body.algorithms.iter().map(|(name, value)| format!("{name}: {value}"));
    let mut rows = vec![
        ("name", vec![Told::text(body.name.clone())]),
        ("display name", Told::texts(body.display_name.clone())),
        ("dn", vec![Told::text(body.dn.clone())]),
        ("oid", stated(body.oid.as_ref())),
        ("schema", vec![Told::text(super::schema(body))]),
        ("published by", super::publishers(body, view)),
        ("supersedes", supersedes(body, view)),
        ("superseded by", successors(body, view)),
        ("usages", purposes),
        ("application policies", told(&body.application_policies)),
        ("key usage", Told::texts(usages::key_usage(&body.key_usage))),
        ("subject", vec![Told::text(super::subject(body))]),
        ("names", bits(body.name_flags, &flags::NAME)),
        ("approval", Told::texts(super::approval(body))),
        ("enrolment", bits(body.enrolment_flags, &flags::ENROLMENT)),
        ("key", Told::texts(super::key(body))),
        ("key flags", bits(body.private_key_flags, &flags::PRIVATE_KEY)),
        ("algorithms", Told::texts(algorithms)),
        ("providers", Told::texts(body.providers.clone())),
        ("flags", bits(body.general_flags, &flags::GENERAL)),
        ("validity", vec![Told::text(validity)]),
        ("renewal", vec![Told::text(renewal)]),
        ("issuance policies", policies(body, view)),
        ("created", date(body.created)),
        ("changed", date(body.changed)),
    ];
    may(&mut rows, body.access.as_ref(), true);
    rows
}

/// The templates it replaces, with those that were read.
fn supersedes(body: &Template, view: &View<'_>) -> Vec<Told> {
    let told = body.supersedes.iter().map(|name| {
        let named = view.templates().find(|(_, other)| {
            other.name.eq_ignore_ascii_case(name) && below(&other.dn) == below(&body.dn)
        });
        Told { text: name.clone(), asset: named.map(|(asset, _)| asset.id) }
    });
    told.collect()
}

/// The container that an object lies in.
fn below(dn: &str) -> String {
    dn.split_once(',').map_or_else(String::new, |(_, rest)| rest.to_lowercase())
}

fn successors(body: &Template, view: &View<'_>) -> Vec<Told> {
    let all = view.successors(body).into_iter();
    all.map(|(asset, other)| Told { text: other.name.clone(), asset: Some(asset.id) }).collect()
}

/// The issuance policies, with the groups that they stand for.
fn policies(body: &Template, view: &View<'_>) -> Vec<Told> {
    let objects = view.directory_objects(DirectoryRole::ObjectIdentifier);
    let told = body.issuance_policies.iter().map(|oid| {
        let known = objects.iter().find(|(_, object)| object.oid.as_ref() == Some(oid));
        match known {
            None => Told::text(oid.clone()),
            Some((asset, object)) => {
                let text = match linked(object) {
                    Some(group) => format!("{oid}, {}, {group}", object.name),
                    None => format!("{oid}, {}", object.name),
                };
                Told { text, asset: Some(asset.id) }
            }
        }
    });
    told.collect()
}

/// The group that an issuance policy makes its holders members of.
pub(crate) fn linked(object: &DirectoryObject) -> Option<String> {
    let group = object.group.as_ref()?;
    let name = group.name.as_ref().unwrap_or(&group.dn);
    let standing = match group.privileged {
        Some(true) => "privileged",
        Some(false) => "not privileged by default",
        None => "whether it is privileged was not read",
    };
    Some(format!("makes its holders members of {name}, {standing}"))
}

/// All of an object.
pub(crate) fn object(body: &DirectoryObject, view: &View<'_>, as_of: Time) -> Rows {
    let certificates =
        body.certificates.iter().map(|digest| super::certificate(*digest, view, Some(as_of)));
    let mut rows = vec![
        ("part", vec![Told::text(super::role(body.role))]),
        ("name", vec![Told::text(body.name.clone())]),
        ("dn", vec![Told::text(body.dn.clone())]),
        ("certificates", certificates.collect()),
        ("lists", body.lists.iter().map(|digest| super::list(*digest, view)).collect()),
        ("oid", Told::texts(body.oid.clone())),
        ("group", Told::texts(linked(body))),
        ("mappings", Told::texts(body.mappings.iter().map(super::mapping))),
    ];
    if matches!(body.role, DirectoryRole::Account | DirectoryRole::AuthorityHost) {
        rows.push(("can log on", answer(body.enabled, "not read")));
        rows.push(("administers", answer(body.administers, "not read")));
    }
    rows.push(("created", date(body.created)));
    rows.push(("changed", date(body.changed)));
    may(&mut rows, body.access.as_ref(), false);
    rows
}

/// All of a record.
pub(crate) fn issuance(body: &Issuance, view: &View<'_>) -> Rows {
    let what = match &body.disposition {
        Disposition::Other(text) => format!("disposition {text}"),
        known => known.name().to_owned(),
    };
    let certificate = body.certificate.map(|digest| super::certificate(digest, view, None));
    vec![
        ("authority", super::recording(body, view)),
        ("request", Told::texts(body.request.map(|number| number.to_string()))),
        ("came to", vec![Told::text(what)]),
        ("serial", stated(body.serial.as_ref())),
        ("requester", stated(body.requester.as_ref())),
        ("template", super::asked_for(body, view)),
        ("common name", stated(body.common_name.as_ref())),
        ("not before", date(body.not_before)),
        ("not after", date(body.not_after)),
        ("revoked", date(body.revoked)),
        ("reason", Told::texts(body.revocation_reason.clone())),
        ("certificate", certificate.into_iter().collect()),
    ]
}

/// What directories and records have of a certificate or a revocation list.
pub(crate) fn keepers<'a>(
    id: AssetId,
    view: &View<'a>,
) -> impl Iterator<Item = (&'static str, &'a Asset)> {
    use pki_inventory::Kind::{Certificate, RevocationList};
    view.inventory().assets().filter_map(move |asset| {
        let how = match (&asset.body, id.kind) {
            (Body::Authority(body), Certificate) if body.certificates.contains(&id.sha256) => {
                "certificate of"
            }
            (Body::DirectoryObject(body), Certificate)
                if body.certificates.contains(&id.sha256) =>
            {
                "in directory as"
            }
            (Body::DirectoryObject(body), RevocationList) if body.lists.contains(&id.sha256) => {
                "in directory as"
            }
            (Body::Issuance(body), Certificate) if body.certificate == Some(id.sha256) => {
                "recorded as"
            }
            _ => return None,
        };
        Some((how, asset))
    })
}
