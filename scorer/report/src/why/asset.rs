//! `why <asset>`: everything that is known of one asset and everything that was found about it.

use pki_inventory::{Asset, AssetId, Body, Digest, Endpoint, Handshake, Kind, View};
use serde_json::Value;

use super::{COLUMN, exception, provenance};
use crate::plain::Plain;
use crate::{Document, endpoint, facts, titles, words};

/// What is known of an asset: facts, places with times and circumstances, findings about it, the
/// requirements they bear on, and what is joined with it. Also answers for the key of a
/// certificate that was seen nowhere else. `None` for an id that nothing has.
#[must_use]
pub fn why_asset(document: &Document<'_>, id: AssetId) -> Option<String> {
    let view = View::of(document.inventory);
    let asset = document.inventory.get(id);
    let certified = match id.kind {
        Kind::Key => view.certificates_of(id.sha256),
        _ => &[],
    };
    if asset.is_none() && certified.is_empty() {
        return None;
    }
    let mut plain = Plain::copyable();
    plain.line(0, &id.to_string());
    plain.line(2, &titles::by_id(id, &view));

    if let Some(asset) = asset {
        plain.heading("Facts");
        if let Value::Object(facts) = facts::of(asset, &view) {
            let apart = ["sightings", "chain_facts", "trust_stores", "posture"];
            for (name, value) in facts.iter().filter(|(name, _)| !apart.contains(&name.as_str())) {
                fact(&mut plain, name, value);
            }
        }
        if let Body::Endpoint(body) = &asset.body {
            tls(&mut plain, asset, body, &view);
        }
        plain.heading("Places");
        for sighting in asset.sightings() {
            plain.line(2, &sighting.place.to_string());
            let (first, last) = (sighting.first_seen, sighting.last_seen);
            plain.line(4, &format!("seen by {} from {first} to {last}", sighting.collector));
            let circumstances = facts::circumstances(sighting);
            if !circumstances.is_empty() {
                plain.line(4, &circumstances);
            }
        }
    }
    joined(&mut plain, asset, id, &view);
    about(&mut plain, document, id);
    provenance(&mut plain, document);
    Some(plain.finish())
}

/// What follows from the chain, and what many handshakes showed.
fn tls(plain: &mut Plain, asset: &Asset, body: &Endpoint, view: &View<'_>) {
    let mut lines = |name: &str, lines: Vec<String>| {
        for (at, line) in lines.iter().enumerate() {
            plain.field(2, 22, if at == 0 { name } else { "" }, line);
        }
    };
    if !matches!(body.handshake, Handshake::NoTls { .. }) {
        lines("speaks", endpoint::versions(body));
    }
    if let Some(chain) = endpoint::chain(asset, body, view) {
        let anchors = endpoint::trust_stores(body, view);
        lines("chain", endpoint::chain_lines(&chain, view).into_iter().chain(anchors).collect());
    }
    if let Some(posture) = &body.posture {
        plain.heading("Posture");
        for (question, answers) in endpoint::posture(posture, view) {
            for (at, answer) in answers.iter().enumerate() {
                plain.field(2, 28, if at == 0 { &question } else { "" }, answer);
            }
        }
    }
}

/// One fact in as many lines as it takes. Names stay those of the export, so that what is read
/// here can be searched for there.
fn fact(plain: &mut Plain, name: &str, value: &Value) {
    match value {
        Value::Null => plain.field(2, 22, name, "not stated"),
        Value::Bool(yes) => plain.field(2, 22, name, if *yes { "yes" } else { "no" }),
        Value::String(text) => plain.field(2, 22, name, text),
        Value::Number(number) => plain.field(2, 22, name, &number.to_string()),
        Value::Array(items) if items.is_empty() => plain.field(2, 22, name, "none"),
        Value::Array(items) => items.iter().for_each(|item| fact(plain, name, item)),
        Value::Object(inner) => {
            let parts: Vec<String> = inner
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| match value {
                    Value::String(text) => format!("{key} {text}"),
                    other => format!("{key} {other}"),
                })
                .collect();
            plain.field(2, 22, name, &parts.join(", "));
        }
    }
}

/// Certificates of a key, keys of a certificate, the chain of an endpoint, members of a store.
fn joined(plain: &mut Plain, asset: Option<&Asset>, id: AssetId, view: &View<'_>) {
    let certificate = |digest: Digest| AssetId::new(Kind::Certificate, digest);
    let mut all: Vec<(String, AssetId)> = Vec::new();
    match asset.map(|asset| &asset.body) {
        Some(Body::Certificate(body)) => {
            let key = AssetId::new(Kind::Key, body.spki);
            if view.inventory().get(key).is_some() {
                let half = if view.holds_private(body.spki) { "private key" } else { "public key" };
                all.push((half.to_owned(), key));
            }
            let same_key = view.certificates_of(body.spki).iter().filter(|other| other.id != id);
            all.extend(same_key.map(|other| ("same key".to_owned(), other.id)));
            let same_names = view.lineage(body).iter().filter(|other| other.id != id);
            all.extend(same_names.map(|other| ("same names".to_owned(), other.id)));
            let stores = view.inventory().assets().filter(|store| match &store.body {
                Body::TrustStore(store) => store.members.contains(&id.sha256),
                _ => false,
            });
            all.extend(stores.map(|store| ("member of".to_owned(), store.id)));
            let served = view.inventory().assets().filter(|other| {
                let session = other.endpoint().and_then(|endpoint| endpoint.session());
                session.is_some_and(|session| session.chain.contains(&id.sha256))
            });
            all.extend(served.map(|other| ("presented by".to_owned(), other.id)));
        }
        Some(Body::Endpoint(endpoint)) => {
            if let Handshake::Shown(session) = &endpoint.handshake {
                let chain = session.chain.iter().enumerate();
                all.extend(chain.map(|(at, one)| (format!("chain {at}"), certificate(*one))));
            }
        }
        Some(Body::TrustStore(store)) => {
            let members = store.members.iter();
            all.extend(members.map(|one| ("member".to_owned(), certificate(*one))));
        }
        Some(Body::SigningRequest(request)) => {
            let same = view.certificates_of(request.spki).iter();
            all.extend(same.map(|other| ("same key".to_owned(), other.id)));
        }
        Some(Body::Key(key)) => {
            let certified = key.spki.map_or(&[][..], |spki| view.certificates_of(spki));
            all.extend(certified.iter().map(|other| ("certified by".to_owned(), other.id)));
        }
        None => {
            let certified = view.certificates_of(id.sha256).iter();
            all.extend(certified.map(|other| ("certified by".to_owned(), other.id)));
        }
        Some(Body::RevocationList(_) | Body::Unparsed(_)) => {}
    }
    if all.is_empty() {
        return;
    }
    plain.heading("Joined with");
    for (how, other) in all {
        plain.field(2, COLUMN, &how, &format!("{other}  {}", titles::by_id(other, view)));
    }
}

fn about(plain: &mut Plain, document: &Document<'_>, id: AssetId) {
    let judgement = &document.assessment.judgement;
    let counting = judgement.findings.iter().map(|finding| (finding, None));
    let accepted = judgement
        .excepted
        .iter()
        .map(|excepted| (&excepted.finding, exception(document, excepted.exception)));
    let findings: Vec<_> =
        counting.chain(accepted).filter(|(finding, _)| titles::is_about(finding, id)).collect();
    plain.heading("Findings");
    if findings.is_empty() {
        plain.line(2, "No rule came to not met or unknown for it.");
    }
    for (finding, accepted) in findings {
        let outcome = finding.outcome.name().replace('-', " ");
        let title = titles::rule_title(document.rules, finding.rule);
        plain.line(2, &format!("{}: {outcome}", finding.rule));
        plain.line(4, title);
        if let Some(sentence) = finding.outcome.sentence() {
            plain.line(4, sentence);
        }
        if let Some(rule) = titles::rule(document.rules, finding.rule) {
            plain.line(4, &format!("cites {}", words::citations(rule)));
        }
        if let Some(why) = accepted {
            plain.line(4, &format!("accepted: {why}"));
        }
        for requirement in document.map.requirements_of(finding.rule) {
            let verdict = document.assessment.requirement(requirement);
            let verdict = verdict.map_or_else(String::new, |verdict| {
                format!(" ({})", words::verdict(&verdict.verdict))
            });
            plain.line(4, &format!("bears on {requirement}{verdict}"));
        }
    }
}
