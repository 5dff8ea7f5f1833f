//! `why <asset>`: everything that is known of one asset and everything that was found about it.

use pki_inventory::{Asset, AssetId, Body, Digest, Endpoint, Handshake, Kind, View, signs};
use serde_json::Value;

use super::{COLUMN, exception, provenance};
use crate::directory::rows as directory;
use crate::plain::Plain;
use crate::token::rows as token;
use crate::told::Rows;
use crate::{
    Document, automation, configuration, endpoint, facts, keystore, members, sighting, titles,
    words,
};

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
        facts(&mut plain, document, asset, &view);
        plain.heading("Places");
        for sighting in asset.sightings() {
            plain.line(2, &sighting.place.to_string());
            let (first, last) = (sighting.first_seen, sighting.last_seen);
            plain.line(4, &format!("seen by {} from {first} to {last}", sighting.collector));
            let circumstances = sighting::circumstances(sighting, &view);
            if !circumstances.is_empty() {
                plain.line(4, &circumstances);
            }
            rows(&mut plain, 4, &token::object_at(sighting, &view));
        }
    }
    private(&mut plain, asset, id, &view);
    joined(&mut plain, asset, id, &view);
    about(&mut plain, document, id);
    provenance(&mut plain, document);
    Some(plain.finish())
}

/// Shown in words of their own and not as the export has them.
const APART: &[&str] = &[
    "sightings",
    "chain_facts",
    "trust_stores",
    "posture",
    "settings",
    "private_keys",
    "private_places",
    "certificates",
    "keystores",
    "automation",
    "renewal",
    "signs",
    "members",
    "member_facts",
    "counts",
    "published",
    "key_published",
    "snakeoil",
];

/// What an asset is, without its places.
fn facts(plain: &mut Plain, document: &Document<'_>, asset: &Asset, view: &View<'_>) {
    let as_of = document.assessment.as_of;
    let told = match &asset.body {
        Body::Authority(body) => Some(directory::authority(body, view, as_of)),
        Body::DirectoryObject(body) => Some(directory::object(body, view, as_of)),
        Body::Issuance(body) => Some(directory::issuance(body, view)),
        Body::Template(body) => Some(directory::template(body, view)),
        Body::SecretKey(body) => Some(token::secret_key(asset, body, view)),
        Body::Token(body) => Some(token::token(asset, body, view)),
        Body::Keystore(body) => Some(keystore::rows(body, view)),
        Body::Automation(body) => Some(automation::rows(asset, body, view)),
        Body::Configuration(body) => Some(configuration::rows(asset, body, view)),
        _ => None,
    };
    if let Some(told) = told {
        rows(plain, 2, &told);
        return;
    }
    if let Value::Object(facts) = facts::of(asset, view, as_of) {
        for (name, value) in facts.iter().filter(|(name, _)| !APART.contains(&name.as_str())) {
            fact(plain, name, value);
        }
    }
    let known = titles::known(asset);
    if !known.is_empty() {
        plain.field(2, 22, "known", &known);
    }
    match &asset.body {
        Body::Endpoint(body) => tls(plain, asset, body, view),
        Body::Certificate(body) => {
            let Some(renewal) = automation::renewed(asset, body, view) else { return };
            plain.heading("Renewal");
            plain.line(2, renewal);
            for sign in signs(asset, body, view) {
                let (strength, direction) =
                    (automation::strength(&sign), automation::direction(&sign));
                plain.field(2, 22, &format!("{direction}, {strength}"), &sign.what);
            }
        }
        Body::TrustStore(store) => {
            let members = members::sorted(store, view, as_of);
            let counts = members::Counts::of(&members);
            plain.heading(&format!("Members: {}", counts.members));
            counts.lines().iter().for_each(|line| plain.line(2, line));
            for member in &members {
                let id = AssetId::new(Kind::Certificate, member.sha256);
                plain.line(2, &format!("{id}  {}", titles::by_id(id, view)));
                let against = member.facts.as_ref().map(members::against).unwrap_or_default();
                if !against.is_empty() {
                    plain.line(4, &against.join("; "));
                }
            }
        }
        _ => {}
    }
}

/// Lines under their labels, with the ids of what they are about.
fn rows(plain: &mut Plain, indent: usize, rows: &Rows) {
    for (label, lines) in rows {
        for (at, line) in lines.iter().enumerate() {
            let text =
                line.asset.map_or_else(|| line.text.clone(), |id| format!("{id}  {}", line.text));
            plain.field(indent, indent + 20, if at == 0 { label } else { "" }, &text);
        }
    }
}

/// Where else the private half of this key lies: in files, keystores and layers of images.
fn private(plain: &mut Plain, asset: Option<&Asset>, id: AssetId, view: &View<'_>) {
    let spki = match asset.map(|asset| &asset.body) {
        Some(Body::Certificate(certificate)) => Some(certificate.spki),
        Some(Body::Key(key)) => key.spki,
        Some(_) => None,
        None => (id.kind == Kind::Key).then_some(id.sha256),
    };
    let mut places = spki.map(|spki| view.private_places(spki)).unwrap_or_default();
    // Its own places were told with all the others.
    places.retain(|(holder, _)| holder.id != id);
    if places.is_empty() {
        return;
    }
    plain.heading("The private half lies in");
    for (holder, sighting) in places {
        plain.line(2, &sighting.place.to_string());
        plain.line(4, &format!("{}  {}", holder.id, titles::by_id(holder.id, view)));
        plain.line(4, &sighting::circumstances(sighting, view));
        rows(plain, 4, &token::object_at(sighting, view));
    }
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
    if let Some(found) = configuration::comparison(asset, view) {
        lines("settings", found.answers.into_iter().chain(found.drifts).collect());
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

/// Certificates of a key, keys of a certificate, the chain of an endpoint, what keeps and manages
/// them.
fn joined(plain: &mut Plain, asset: Option<&Asset>, id: AssetId, view: &View<'_>) {
    let certificate = |digest: Digest| AssetId::new(Kind::Certificate, digest);
    let mut all: Vec<(String, AssetId)> = Vec::new();
    match asset.map(|asset| (asset, &asset.body)) {
        Some((asset, Body::Certificate(body))) => {
            let key = AssetId::new(Kind::Key, body.spki);
            if view.inventory().get(key).is_some() {
                let half = if view.holds_private(body.spki) { "private key" } else { "public key" };
                all.push((half.to_owned(), key));
            }
            all.extend(kept_in(id, view));
            let traces = view.automation_of(asset).into_iter();
            all.extend(traces.map(|trace| ("managed by".to_owned(), trace.id)));
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
            all.extend(kept_by(id, view));
        }
        Some((asset, Body::Endpoint(endpoint))) => {
            let settings = view.configurations_of(asset).into_iter();
            all.extend(settings.map(|settings| ("set up by".to_owned(), settings.id)));
            if let Handshake::Shown(session) = &endpoint.handshake {
                let chain = session.chain.iter().enumerate();
                all.extend(chain.map(|(at, one)| (format!("chain {at}"), certificate(*one))));
            }
        }
        Some((_, Body::SigningRequest(request))) => {
            let same = view.certificates_of(request.spki).iter();
            all.extend(same.map(|other| ("same key".to_owned(), other.id)));
        }
        Some((_, Body::Key(key))) => {
            all.extend(kept_in(id, view));
            let certified = key.spki.map_or(&[][..], |spki| view.certificates_of(spki));
            all.extend(certified.iter().map(|other| ("certified by".to_owned(), other.id)));
        }
        None => {
            let certified = view.certificates_of(id.sha256).iter();
            all.extend(certified.map(|other| ("certified by".to_owned(), other.id)));
        }
        Some((_, Body::RevocationList(_))) => all.extend(kept_by(id, view)),
        // What they are joined with stands with their facts.
        Some((
            _,
            Body::Authority(_)
            | Body::Automation(_)
            | Body::Configuration(_)
            | Body::DirectoryObject(_)
            | Body::Issuance(_)
            | Body::SecretKey(_)
            | Body::Token(_)
            | Body::Keystore(_)
            | Body::Template(_)
            | Body::TrustStore(_)
            | Body::Unparsed(_),
        )) => {}
    }
    if all.is_empty() {
        return;
    }
    plain.heading("Joined with");
    for (how, other) in all {
        plain.field(2, COLUMN, &how, &format!("{other}  {}", titles::by_id(other, view)));
    }
}

fn kept_in(id: AssetId, view: &View<'_>) -> impl Iterator<Item = (String, AssetId)> {
    view.keystores_of(id).iter().map(|store| ("kept in".to_owned(), store.id))
}

fn kept_by(id: AssetId, view: &View<'_>) -> impl Iterator<Item = (String, AssetId)> {
    directory::keepers(id, view).map(|(how, keeper)| (how.to_owned(), keeper.id))
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
