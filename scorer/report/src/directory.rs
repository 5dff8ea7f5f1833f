//! What people read of a directory: its authorities, templates and objects, and what authorities
//! recorded.

pub(crate) mod access;
pub(crate) mod flags;
pub(crate) mod rows;
pub(crate) mod usages;

use pki_inventory::{
    AssetId, Authority, Certificate, Digest, DirectoryObject, DirectoryRole, Issuance, Kind,
    Mapping, MappingForm, Template, Time, View, name_flag,
};

use crate::told::Told;
use crate::words;

/// What an object is there for.
pub(crate) fn role(role: DirectoryRole) -> &'static str {
    match role {
        DirectoryRole::Container => "container",
        DirectoryRole::LogonStore => "log-on store",
        DirectoryRole::RootStore => "trusted root",
        DirectoryRole::AuthorityInformation => "AIA object",
        DirectoryRole::DistributionPoint => "CRL distribution point",
        DirectoryRole::RecoveryAgent => "key recovery agent",
        DirectoryRole::ObjectIdentifier => "object identifier",
        DirectoryRole::AuthorityHost => "host of an authority",
        DirectoryRole::Account => "account",
    }
}

/// The form of a mapping as the attribute has it, without the names in it.
pub(crate) fn form(form: MappingForm) -> &'static str {
    match form {
        MappingForm::IssuerAndSerial => "issuer and serial number",
        MappingForm::SubjectKeyIdentifier => "subject key identifier",
        MappingForm::PublicKey => "public key",
        MappingForm::IssuerAndSubject => "issuer and subject",
        MappingForm::Subject => "subject",
        MappingForm::Mail => "mail address",
        MappingForm::Kerberos => "Kerberos name",
        MappingForm::Other => "another form",
    }
}

/// A mapping with how strong it is.
pub(crate) fn mapping(mapping: &Mapping) -> String {
    let strength = match mapping.form.is_weak() {
        Some(true) => ", weak",
        Some(false) => ", strong",
        None => "",
    };
    format!("by {}{strength}: {}", form(mapping.form), mapping.text)
}

/// A period in the largest unit that it is a whole number of. A year of [MS-CRTD], 2.11 has 365
/// days.
pub(crate) fn period(seconds: i64) -> String {
    let units = [
        (365 * Time::DAY, "year", "years"),
        (7 * Time::DAY, "week", "weeks"),
        (Time::DAY, "day", "days"),
        (3600, "hour", "hours"),
    ];
    let found = units.into_iter().find(|(unit, _, _)| seconds != 0 && seconds % unit == 0);
    let (unit, one, many) = found.unwrap_or((1, "second", "seconds"));
    match seconds / unit {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// `2, revision 100.4`; an object without the attribute is of version 1 ([MS-CRTD], 2.16).
pub(crate) fn schema(body: &Template) -> String {
    let version = body.schema_version.map_or_else(|| "1".to_owned(), |version| version.to_string());
    match body.revision {
        Some((major, minor)) => format!("{version}, revision {major}.{minor}"),
        None => version,
    }
}

/// Who decides the names in a certificate.
pub(crate) fn subject(body: &Template) -> &'static str {
    let supplies = |flag| body.names(flag) == Some(true);
    if body.name_flags.is_none() {
        "not stated who supplies the names"
    } else if supplies(name_flag::ENROLLEE_SUPPLIES_SUBJECT) {
        "whoever enrols supplies the subject"
    } else if supplies(name_flag::ENROLLEE_SUPPLIES_ALTERNATIVE_NAME) {
        "whoever enrols supplies the alternative names"
    } else if supplies(name_flag::OLD_CERTIFICATE_SUPPLIES_NAMES) {
        "from the directory, in a renewal from the old certificate"
    } else {
        "from the directory"
    }
}

/// What has to happen before it is issued, each a line.
pub(crate) fn approval(body: &Template) -> Vec<String> {
    use pki_inventory::enrolment_flag::PEND_ALL_REQUESTS;
    let mut lines = vec![match body.enrols(PEND_ALL_REQUESTS) {
        Some(true) => "a manager approves each request".to_owned(),
        Some(false) => "no manager approves".to_owned(),
        None => "not stated whether a manager approves".to_owned(),
    }];
    lines.extend(match body.agent_signatures {
        None | Some(0) => None,
        Some(count) => {
            let agents = words::count(count as usize, "agent signs", "agents sign");
            let named = usages::names(&body.agent_policies);
            let bearing = if named.is_empty() {
                String::new()
            } else {
                format!(", for {}", named.join(", "))
            };
            Some(format!("{agents}{bearing}"))
        }
    });
    lines
}

/// The key that it asks for, each a line.
pub(crate) fn key(body: &Template) -> Vec<String> {
    use pki_inventory::private_key_flag::EXPORTABLE;
    let algorithm = body.algorithms.iter().find(|(name, _)| name == "msPKI-Asymmetric-Algorithm");
    let algorithm = algorithm.map_or_else(String::new, |(_, value)| format!("{value}, "));
    let bits = match body.minimal_key_bits {
        Some(0) | None => "length not stated".to_owned(),
        Some(bits) => format!("at least {bits} bits"),
    };
    let exportable = match body.keys(EXPORTABLE) {
        Some(true) => "exportable",
        Some(false) => "not exportable",
        None => "not stated whether exportable",
    };
    vec![format!("{algorithm}{bits}"), exportable.to_owned()]
}

/// What it is for, in names; an empty list is any usage ([MS-CRTD], 2.12 and 2.25).
pub(crate) fn purposes(body: &Template) -> Vec<String> {
    let all = body.extended_key_usage.iter().chain(&body.application_policies);
    let mut named: Vec<String> = Vec::new();
    for name in all.map(|oid| usages::name(oid).unwrap_or(oid)) {
        if !named.iter().any(|known| known == name) {
            named.push(name.to_owned());
        }
    }
    if named.is_empty() { vec!["any usage: none is stated".to_owned()] } else { named }
}

/// A certificate by its digest: with its end where it is in the inventory.
pub(crate) fn certificate(digest: Digest, view: &View<'_>, as_of: Option<Time>) -> Told {
    let Some((asset, body)) = view.certificate(digest) else {
        return Told::text(format!("certificate {}…, not in the inventory", digest.short()));
    };
    let text = format!("{}, {}", body.display_name(), end(body, as_of));
    Told { text, asset: Some(asset.id) }
}

/// `until 2030-01-01`, or `expired 2024-01-01` where the instant is known and past its end.
pub(crate) fn end(certificate: &Certificate, as_of: Option<Time>) -> String {
    let date = certificate.not_after.date();
    if as_of.is_some_and(|as_of| certificate.not_after < as_of) {
        format!("expired {date}")
    } else {
        format!("until {date}")
    }
}

/// Each name under which an authority publishes a template, with the template where it was read.
pub(crate) fn published(body: &Authority, view: &View<'_>) -> Vec<Told> {
    let read = view.published_by(body);
    let told = body.templates.iter().map(|name| {
        let found = read.iter().find(|(_, template)| template.name.eq_ignore_ascii_case(name));
        match found {
            Some((asset, _)) => Told { text: name.clone(), asset: Some(asset.id) },
            None => Told::text(format!("{name}: no template of that name was read")),
        }
    });
    told.collect()
}

/// The authorities that publish a template.
pub(crate) fn publishers(body: &Template, view: &View<'_>) -> Vec<Told> {
    let all = view.publishers(body).into_iter();
    let told: Vec<Told> = all
        .map(|(asset, authority)| Told { text: authority.name.clone(), asset: Some(asset.id) })
        .collect();
    if told.is_empty() { vec![Told::text("no authority")] } else { told }
}

/// What lies in an object, in a few words.
pub(crate) fn holds(body: &DirectoryObject) -> String {
    let counted = [
        (body.certificates.len(), "certificate", "certificates"),
        (body.lists.len(), "revocation list", "revocation lists"),
        (body.mappings.len(), "mapping", "mappings"),
    ];
    let counted = counted.into_iter().filter(|(count, _, _)| *count > 0);
    let mut told: Vec<String> =
        counted.map(|(count, one, many)| words::count(count, one, many)).collect();
    told.extend(body.oid.clone());
    told.join(", ")
}

/// A revocation list by its digest, where it is in the inventory.
pub(crate) fn list(digest: Digest, view: &View<'_>) -> Told {
    let id = AssetId::new(Kind::RevocationList, digest);
    match view.inventory().get(id).map(|asset| &asset.body) {
        Some(pki_inventory::Body::RevocationList(list)) => {
            let next = match list.next_update {
                Some(next) => format!("next due {}", next.date()),
                None => "no next one promised".to_owned(),
            };
            let text = format!("of {}, made {}, {next}", list.issuer.text, list.this_update.date());
            Told { text, asset: Some(id) }
        }
        _ => Told::text(format!("revocation list {}…, not in the inventory", digest.short())),
    }
}

/// The authorities by which a record may be meant: those of its name.
pub(crate) fn recording(body: &Issuance, view: &View<'_>) -> Vec<Told> {
    let Some(name) = &body.authority else { return Vec::new() };
    let wanted = name.to_lowercase();
    let all = view.authorities().iter();
    let meant = all.filter(|(_, authority)| authority.name.to_lowercase() == wanted);
    let told: Vec<Told> =
        meant.map(|(asset, _)| Told { text: name.clone(), asset: Some(asset.id) }).collect();
    if told.is_empty() { vec![Told::text(name.clone())] } else { told }
}

/// The templates by which a record may be meant: those of its name or identifier.
pub(crate) fn asked_for(body: &Issuance, view: &View<'_>) -> Vec<Told> {
    let Some(name) = &body.template else { return Vec::new() };
    let meant = view.templates().filter(|(_, template)| {
        template.name.eq_ignore_ascii_case(name) || template.oid.as_ref() == Some(name)
    });
    let told: Vec<Told> = meant
        .map(|(asset, template)| Told { text: template.name.clone(), asset: Some(asset.id) })
        .collect();
    if told.is_empty() { vec![Told::text(name.clone())] } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_told_in_the_largest_whole_unit() {
        for (seconds, said) in [
            (31_536_000, "1 year"),
            (63_072_000, "2 years"),
            (3_628_800, "6 weeks"),
            (86_400, "1 day"),
            (28_800, "8 hours"),
            (0, "0 seconds"),
            (90, "90 seconds"),
            (-86_400, "-1 days"),
        ] {
            assert_eq!(period(seconds), said);
        }
    }
}
