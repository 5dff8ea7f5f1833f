//! What people read of an endpoint: the same words on the page, in `why` and in the summary.

use std::collections::BTreeMap;

use pki_inventory::{
    Asset, AssetId, ChainFacts, ClientCertificate, Endpoint, Fact, Kind, Place, Posture,
    RevocationStatus, Session, StapleContent, VersionFacts, View, anchorings, chain_facts,
};

use crate::{titles, words};

/// Every protocol version, newest first.
pub(crate) const VERSIONS: &[&str] =
    &["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3", "SSLv2"];

/// The facts of its chain, asked for by the name of its place.
pub(crate) fn chain(asset: &Asset, endpoint: &Endpoint, view: &View<'_>) -> Option<ChainFacts> {
    let named = asset.places().find_map(|place| match place {
        Place::Tls { server_name, .. } => server_name.as_deref(),
        _ => None,
    });
    chain_facts(endpoint, named, view)
}

/// How its chain stands to the trust stores that were found, as one line; none where there are
/// none.
pub(crate) fn trust_stores(endpoint: &Endpoint, view: &View<'_>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in anchorings(endpoint, view) {
        *counts.entry(one.path.name()).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|(path, count)| format!("{path} {count}")).collect();
    (!told.is_empty()).then(|| format!("path to trust stores: {}", told.join(", ")))
}

/// Names by answer, each answer a line: `yes: a, b`, `no: c`, `not observed: d (why)`.
pub(crate) fn grouped<'a>(facts: impl Iterator<Item = (&'a str, Fact)>) -> Vec<String> {
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    let mut open: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, fact) in facts {
        match fact {
            Fact::Yes => yes.push(name),
            Fact::No => no.push(name),
            Fact::NotObserved(why) => match open.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => open.push((why, vec![name])),
            },
        }
    }
    let said = [("yes", yes), ("no", no)].into_iter().filter(|(_, names)| !names.is_empty());
    let said = said.map(|(answer, names)| format!("{answer}: {}", names.join(", ")));
    let open =
        open.iter().map(|(why, names)| format!("not observed: {} ({why})", names.join(", ")));
    said.chain(open).collect()
}

/// Each protocol version with its answer.
pub(crate) fn versions(endpoint: &Endpoint) -> Vec<String> {
    grouped(VERSIONS.iter().map(|version| (*version, endpoint.speaks(version))))
}

/// What it wants of its clients.
pub(crate) fn client(session: &Session) -> String {
    let wanted = match session.client_certificate {
        ClientCertificate::NotObserved => "client certificate: not observed",
        ClientCertificate::NotAsked => "client certificate: not asked for",
        ClientCertificate::Asked => "client certificate: asked for",
        ClientCertificate::Optional => "client certificate: asked for, optional",
        ClientCertificate::Required => "client certificate: required",
    };
    match session.accepted_authorities.len() {
        0 => wanted.to_owned(),
        count => format!("{wanted}, of {}", words::count(count, "authority", "authorities")),
    }
}

/// What it staples.
pub(crate) fn staple(session: &Session) -> String {
    let Some(staple) = &session.staple else {
        return session.stapled().why().map_or_else(
            || "no status stapled".to_owned(),
            |why| format!("stapled status: not observed ({why})"),
        );
    };
    match &staple.content {
        StapleContent::Refused(word) => format!("stapled status: refused, {word}"),
        StapleContent::Unreadable(error) => format!("stapled status: unreadable, {error}"),
        StapleContent::Status(status) => {
            let due = status.next_update.map_or_else(
                || "no next update stated".to_owned(),
                |next| format!("next update {}", next.date()),
            );
            let of = format!("of {}, {due}", status.this_update.date());
            match &status.status {
                RevocationStatus::Good => format!("stapled status: good, {of}"),
                RevocationStatus::Unknown => format!("stapled status: unknown, {of}"),
                RevocationStatus::Revoked { at, reason } => {
                    let reason = reason.as_deref().unwrap_or("no reason stated");
                    format!("stapled status: revoked on {} ({reason}), {of}", at.date())
                }
            }
        }
    }
}

/// What else it said beside its chain: the application protocol, timestamps of its certificate.
pub(crate) fn extensions(session: &Session) -> Vec<String> {
    let said = |what: &str, fact: &Fact, seen: String| match fact {
        Fact::Yes => format!("{what}: {seen}"),
        Fact::No => format!("{what}: none"),
        Fact::NotObserved(why) => format!("{what}: not observed ({why})"),
    };
    let logs = words::count(session.sct_logs.len(), "log", "logs");
    vec![
        said("ALPN", &session.chose_protocol(), session.alpn.clone().unwrap_or_default()),
        said("timestamps in the handshake", &session.timestamped(), format!("of {logs}")),
    ]
}

/// The facts of a chain, by answer, and what is too much or missing.
pub(crate) fn chain_lines(chain: &ChainFacts, view: &View<'_>) -> Vec<String> {
    let facts = [
        ("names the server", &chain.names_server),
        ("in order", &chain.ordered),
        ("complete", &chain.complete),
        ("anchor sent", &chain.anchor_sent),
    ];
    let mut lines = grouped(facts.into_iter().map(|(name, fact)| (name, fact.clone())));
    for (what, those) in
        [("extra", &chain.extra), ("missing", &chain.missing), ("not parsed", &chain.unparsed)]
    {
        if !those.is_empty() {
            let title = |id| titles::by_id(AssetId::new(Kind::Certificate, id), view);
            let titles: Vec<String> = those.iter().map(|id| title(*id)).collect();
            lines.push(format!("{what}: {}", titles.join(", ")));
        }
    }
    lines
}

/// What many handshakes showed, a row for each question, each row with its lines.
pub(crate) fn posture(posture: &Posture, view: &View<'_>) -> Vec<(String, Vec<String>)> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let known = VERSIONS.iter().filter_map(|name| Some((*name, posture.versions.get(*name)?)));
    let others = posture.versions.iter().filter(|(name, _)| !VERSIONS.contains(&name.as_str()));
    let others = others.map(|(name, facts)| (name.as_str(), facts));
    for (name, facts) in known.chain(others) {
        rows.push((name.to_owned(), version(facts)));
    }
    let mut map = |name: &str, facts: &BTreeMap<String, Fact>| {
        if !facts.is_empty() {
            let facts = facts.iter().map(|(name, fact)| (name.as_str(), fact.clone()));
            rows.push((name.to_owned(), grouped(facts)));
        }
    };
    map("Key exchange groups", &posture.groups);
    map("ALPN", &posture.alpn);
    for (family, deployment) in &posture.deployments {
        let title = |id| titles::by_id(AssetId::new(Kind::Certificate, id), view);
        let chain: Vec<String> = deployment.chain.iter().map(|id| title(*id)).collect();
        let chain = (!chain.is_empty()).then(|| format!("chain: {}", chain.join(", ")));
        let lines = std::iter::once(deployment.offered.to_string()).chain(chain).collect();
        rows.push((format!("{family} certificate"), lines));
    }
    for (question, fact) in [
        ("Resumption by identifier", &posture.resumption_id),
        ("Resumption by ticket", &posture.resumption_ticket),
        ("Early data", &posture.early_data),
        ("Secure renegotiation", &posture.secure_renegotiation),
        ("Extended master secret", &posture.extended_master_secret),
        ("Compression", &posture.compression),
        ("Fallback signalling", &posture.fallback_scsv),
    ] {
        rows.push((question.to_owned(), vec![fact.to_string()]));
    }
    if let Some(alert) = &posture.client_refusal {
        rows.push(("Without a client certificate".to_owned(), vec![format!("refused: {alert}")]));
    }
    rows
}

fn version(facts: &VersionFacts) -> Vec<String> {
    let mut lines = vec![facts.offered.to_string()];
    lines.extend(facts.preferred_suite.as_ref().map(|suite| format!("prefers {suite}")));
    if let Some(suites) = &facts.suites {
        lines.push(format!("accepts {}", suites.accepted.join(", ")));
        lines.push(format!("these are all: {}", suites.complete));
        lines.push(format!("insists on its own order: {}", suites.server_order));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::grouped;

    use pki_inventory::Fact;

    #[test]
    fn names_stand_with_their_answer_and_reasons_are_told_apart() {
        let why = |why: &str| Fact::NotObserved(why.to_owned());
        let facts = [
            ("a", Fact::Yes),
            ("b", why("reset")),
            ("c", Fact::No),
            ("d", Fact::Yes),
            ("e", why("timed out")),
            ("f", why("reset")),
        ];
        assert_eq!(
            grouped(facts.into_iter()),
            ["yes: a, d", "no: c", "not observed: b, f (reset)", "not observed: e (timed out)"]
        );
    }
}
