//! The facts of an asset as JSON.
//!
//! The JSON types live here and not beside the inventory's, so that those can change without
//! changing what others read.

pub(crate) mod tls;

use pki_inventory::{
    Asset, Body, Certificate, DistinguishedName, Encryption, Half, KeyAlgorithm, Sighting, View,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::words;

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

#[derive(Serialize)]
struct SightingFacts<'a> {
    place: String,
    collector: &'a str,
    first_seen: String,
    last_seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_position: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileFacts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyFacts<'a>>,
}

#[derive(Serialize)]
struct FileFacts<'a> {
    mode: String,
    uid: u32,
    gid: u32,
    owner: Option<&'a str>,
    group: Option<&'a str>,
    modified: String,
}

#[derive(Serialize)]
struct KeyFacts<'a> {
    half: &'static str,
    encoding: &'a str,
    encryption: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<u32>,
}

/// Every field of an asset's body, and under `sightings` what each of its places told.
pub(crate) fn of(asset: &Asset, view: &View<'_>) -> Value {
    let mut facts = match &asset.body {
        Body::Certificate(body) => value(&certificate(asset, body, view)),
        Body::Endpoint(endpoint) => tls::of(asset, endpoint, view),
        Body::Key(key) => json!({
            "algorithm": key.algorithm.as_ref().map(|key| value(&algorithm(key))),
            "spki_sha256": key.spki.map(|spki| spki.to_string()),
            "certificates": key.spki.map(|spki| {
                let all = view.certificates_of(spki);
                all.iter().map(|asset| asset.id.to_string()).collect::<Vec<_>>()
            }).unwrap_or_default(),
        }),
        Body::RevocationList(list) => json!({
            "issuer": value(&name(&list.issuer)),
            "this_update": list.this_update.to_string(),
            "next_update": list.next_update.map(|time| time.to_string()),
            "entries": list.entries,
            "signature": { "name": list.signature.name, "hash": list.signature.hash },
            "encoding_length": list.der.len(),
        }),
        Body::SigningRequest(request) => json!({
            "subject": value(&name(&request.subject)),
            "key": value(&algorithm(&request.key)),
            "spki_sha256": request.spki.to_string(),
            "encoding_length": request.der.len(),
        }),
        Body::TrustStore(store) => json!({
            "members": store.members.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        Body::Unparsed(unparsed) => json!({
            "claimed": unparsed.claimed,
            "length": unparsed.length,
            "error": unparsed.error,
        }),
    };
    let sightings: Vec<_> = asset.sightings().map(sighting).collect();
    set(&mut facts, "sightings", value(&sightings));
    facts
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

fn sighting(sighting: &Sighting) -> SightingFacts<'_> {
    let circumstances = &sighting.circumstances;
    SightingFacts {
        place: sighting.place.to_string(),
        collector: &sighting.collector,
        first_seen: sighting.first_seen.to_string(),
        last_seen: sighting.last_seen.to_string(),
        chain_position: circumstances.chain_position,
        file: circumstances.file.as_ref().map(|file| FileFacts {
            mode: format!("{:04o}", file.mode),
            uid: file.uid,
            gid: file.gid,
            owner: file.owner.as_deref(),
            group: file.group.as_deref(),
            modified: file.modified.to_string(),
        }),
        key: circumstances.key.as_ref().map(|form| {
            let half = match form.half {
                Half::Public => "public",
                Half::Private => "private",
            };
            let (encryption, kdf, cipher, iterations) = match &form.encryption {
                Encryption::None => ("none", None, None, None),
                Encryption::Passphrase { kdf, cipher, iterations } => {
                    ("passphrase", kdf.as_deref(), cipher.as_deref(), *iterations)
                }
            };
            KeyFacts { half, encoding: &form.encoding, encryption, kdf, cipher, iterations }
        }),
    }
}

/// What a sighting told besides place and time, in words: `position 0 of the chain`, `mode 0600,
/// owner root`. Empty when it told nothing.
pub(crate) fn circumstances(sighting: &Sighting) -> String {
    let circumstances = &sighting.circumstances;
    let mut parts = Vec::new();
    match circumstances.chain_position {
        Some(0) => parts.push("presented as the server's own".to_owned()),
        Some(position) => parts.push(format!("presented at position {position} of the chain")),
        None => {}
    }
    if let Some(form) = &circumstances.key {
        let half = match form.half {
            Half::Public => "public half",
            Half::Private => "private half",
        };
        let wrapped = match &form.encryption {
            Encryption::None => "not encrypted".to_owned(),
            Encryption::Passphrase { kdf, cipher, iterations } => {
                let stated: Vec<String> = kdf
                    .iter()
                    .chain(cipher)
                    .cloned()
                    .chain(iterations.map(|count| format!("{count} iterations")))
                    .collect();
                let how = if stated.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", stated.join(", "))
                };
                format!("under a passphrase{how}")
            }
        };
        parts.push(format!("{half}, {}, {wrapped}", form.encoding));
    }
    if let Some(file) = &circumstances.file {
        let owner = file.owner.clone().unwrap_or_else(|| file.uid.to_string());
        let group = file.group.clone().unwrap_or_else(|| file.gid.to_string());
        parts.push(format!("mode {:04o}, owner {owner}, group {group}", file.mode));
    }
    parts.join("; ")
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
