//! The facts of an asset as JSON.
//!
//! The JSON types live here and not beside the inventory's, so that those can change without
//! changing what others read.

mod directory;
mod disk;
mod sighting;
pub(crate) mod tls;
pub(crate) mod token;

use std::collections::BTreeSet;

use pki_inventory::{
    Asset, AssetId, Body, Certificate, DistinguishedName, Key, KeyAlgorithm, Time, View, published,
    signs, snakeoil,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{automation, words};

#[derive(Serialize)]
struct CertificateFacts<'a> {
    version: u32,
    serial: &'a str,
    subject: Name<'a>,
    issuer: Name<'a>,
    not_before: String,
    not_after: String,
    validity_days: i64,
    names: Vec<AlternativeName>,
    key: Algorithm<'a>,
    spki_sha256: String,
    signature: Value,
    is_ca: Option<bool>,
    self_signed: bool,
    role: &'static str,
    trust_anchor: bool,
    eku: &'a [String],
    subject_key_id: Option<&'a str>,
    authority_key_id: Option<&'a str>,
    crl_urls: &'a [String],
    ocsp_urls: &'a [String],
    policies: &'a [String],
    sct_logs: &'a [String],
    broken_extensions: &'a [String],
    encoding_length: usize,
    key_published: Option<&'static str>,
    snakeoil: Option<&'static str>,
    private_keys: Vec<String>,
    keystores: Vec<String>,
    automation: Vec<String>,
    renewal: Option<&'static str>,
    signs: Vec<SignFacts>,
}

#[derive(Serialize)]
struct SignFacts {
    what: String,
    direction: &'static str,
    strength: &'static str,
}

#[derive(Serialize)]
struct Name<'a> {
    text: &'a str,
    sha256: String,
    common_name: Option<&'a str>,
    organisation: Option<&'a str>,
}

#[derive(Serialize)]
struct AlternativeName {
    form: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Algorithm<'a> {
    name: &'a str,
    bits: Option<u32>,
    curve: Option<&'a str>,
    label: String,
}

/// Every field of an asset's body, and under `sightings` what each of its places told. What depends
/// on the day (the members of a trust store) is told as of this instant.
pub(crate) fn of(asset: &Asset, view: &View<'_>, at: Time) -> Value {
    let mut facts = match &asset.body {
        Body::Authority(body) => directory::authority(body, view),
        Body::Automation(body) => disk::automation(asset, body, view),
        Body::Certificate(body) => value(&certificate(asset, body, view)),
        Body::Configuration(body) => disk::configuration(asset, body, view),
        Body::DirectoryObject(body) => directory::object(body),
        Body::Endpoint(endpoint) => tls::of(asset, endpoint, view),
        Body::Issuance(body) => directory::issuance(body),
        Body::Key(body) => key(asset, body, view),
        Body::Keystore(body) => disk::keystore(body),
        Body::RevocationList(list) => json!({
            "issuer": value(&name(&list.issuer)),
            "this_update": list.this_update.to_string(),
            "next_update": list.next_update.map(|time| time.to_string()),
            "entries": list.entries,
            "signature": { "name": list.signature.name, "hash": list.signature.hash },
            "encoding_length": list.der.len(),
        }),
        Body::SecretKey(key) => token::secret_key(asset, key, view),
        Body::SigningRequest(request) => json!({
            "subject": value(&name(&request.subject)),
            "key": value(&algorithm(&request.key)),
            "spki_sha256": request.spki.to_string(),
            "encoding_length": request.der.len(),
        }),
        Body::Template(body) => directory::template(body, view),
        Body::Token(token) => token::token(asset, token, view),
        Body::TrustStore(store) => disk::trust_store(store, view, at),
        Body::Unparsed(unparsed) => json!({
            "claimed": unparsed.claimed,
            "length": unparsed.length,
            "error": unparsed.error,
        }),
    };
    let sightings: Vec<_> = asset.sightings().map(sighting::of).collect();
    set(&mut facts, "sightings", value(&sightings));
    facts
}

fn key(asset: &Asset, key: &Key, view: &View<'_>) -> Value {
    let certified = key.spki.map_or(&[][..], |spki| view.certificates_of(spki));
    let private = key.spki.map(|spki| view.private_places(spki)).unwrap_or_default();
    let private = private.iter().map(|(asset, sighting)| {
        json!({ "asset": asset.id.to_string(), "place": sighting.place.to_string() })
    });
    json!({
        "algorithm": key.algorithm.as_ref().map(|key| value(&algorithm(key))),
        "spki_sha256": key.spki.map(|spki| spki.to_string()),
        "certificates": ids(certified.iter().map(|asset| asset.id)),
        "published": key.spki.as_ref().and_then(published),
        "snakeoil": snakeoil(asset),
        "private_places": private.collect::<Vec<_>>(),
        "keystores": ids(view.keystores_of(asset.id).iter().map(|store| store.id)),
    })
}

/// Ids as texts, in their order.
fn ids(ids: impl IntoIterator<Item = AssetId>) -> Vec<String> {
    ids.into_iter().map(|id| id.to_string()).collect()
}

fn certificate<'a>(
    asset: &'a Asset,
    body: &'a Certificate,
    view: &View<'_>,
) -> CertificateFacts<'a> {
    use pki_inventory::AlternativeName as Of;
    let alternative = |name: &Of| AlternativeName {
        form: match name {
            Of::Dns(_) => "dns",
            Of::Ip(_) => "ip",
            Of::Uri(_) => "uri",
            Of::Email(_) => "email",
            Of::Other(_) => "other",
        },
        value: name.to_string(),
    };
    let private = view.private_places(body.spki);
    let private: BTreeSet<AssetId> = private.iter().map(|(asset, _)| asset.id).collect();
    CertificateFacts {
        version: body.version,
        serial: &body.serial,
        subject: name(&body.subject),
        issuer: name(&body.issuer),
        not_before: body.not_before.to_string(),
        not_after: body.not_after.to_string(),
        validity_days: body.validity_days(),
        names: body.names.iter().map(alternative).collect(),
        key: algorithm(&body.key),
        spki_sha256: body.spki.to_string(),
        signature: json!({ "name": body.signature.name, "hash": body.signature.hash }),
        is_ca: body.is_ca,
        self_signed: body.is_self_signed(),
        role: words::role(view.role(asset, body)),
        trust_anchor: view.is_anchor(asset.id),
        eku: &body.extended_key_usage,
        subject_key_id: body.subject_key_id.as_deref(),
        authority_key_id: body.authority_key_id.as_deref(),
        crl_urls: &body.crl_urls,
        ocsp_urls: &body.ocsp_urls,
        policies: &body.policies,
        sct_logs: &body.sct_logs,
        broken_extensions: &body.broken_extensions,
        encoding_length: body.der.len(),
        key_published: published(&body.spki),
        snakeoil: snakeoil(asset),
        private_keys: ids(private),
        keystores: ids(view.keystores_of(asset.id).iter().map(|store| store.id)),
        automation: ids(view.automation_of(asset).iter().map(|trace| trace.id)),
        renewal: automation::renewed(asset, body, view),
        signs: signs(asset, body, view)
            .into_iter()
            .map(|sign| SignFacts {
                direction: automation::direction(&sign),
                strength: automation::strength(&sign),
                what: sign.what,
            })
            .collect(),
    }
}

fn name(name: &DistinguishedName) -> Name<'_> {
    Name {
        text: &name.text,
        sha256: name.sha256.to_string(),
        common_name: name.common_name.as_deref(),
        organisation: name.organisation.as_deref(),
    }
}

fn algorithm(key: &KeyAlgorithm) -> Algorithm<'_> {
    Algorithm { name: &key.name, bits: key.bits, curve: key.curve.as_deref(), label: key.label() }
}

/// Facts are strings, numbers, lists and maps with text keys: none of these can fail.
pub(crate) fn value(facts: &impl Serialize) -> Value {
    serde_json::to_value(facts).unwrap_or_default()
}

fn set(facts: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(facts) = facts.as_object_mut() {
        facts.insert(key.to_owned(), value.into());
    }
}
