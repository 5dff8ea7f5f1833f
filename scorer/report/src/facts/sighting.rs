//! What a place told, as JSON.

use pki_inventory::{Encryption, Fate, Half, Layer, Sighting, SshCertificate};
use serde::Serialize;

use super::token::{self, ObjectFacts};

#[derive(Serialize)]
pub(super) struct SightingFacts<'a> {
    place: String,
    collector: &'a str,
    first_seen: String,
    last_seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_position: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileFacts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<LayerFacts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyFacts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssh_certificate: Option<SshFacts<'a>>,
    /// What the token that it lies on says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<ObjectFacts<'a>>,
}

#[derive(Serialize)]
struct FileFacts<'a> {
    mode: String,
    uid: u32,
    gid: u32,
    owner: Option<&'a str>,
    group: Option<&'a str>,
    modified: String,
    filesystem: Option<&'a str>,
    access_list: bool,
    behind: Option<&'a str>,
}

#[derive(Serialize)]
struct LayerFacts<'a> {
    digest: &'a str,
    number: u32,
    of: u32,
    fate: &'static str,
    /// The layer that deletes or replaces it.
    fate_in: Option<u32>,
}

#[derive(Serialize)]
struct KeyFacts<'a> {
    half: &'static str,
    encoding: &'a str,
    #[serde(flatten)]
    protection: Protection<'a>,
}

/// How something at rest is protected by its own format.
#[derive(Serialize)]
pub(super) struct Protection<'a> {
    encryption: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<u32>,
}

#[derive(Serialize)]
struct SshFacts<'a> {
    #[serde(rename = "type")]
    of: &'static str,
    key_id: &'a str,
    principals: &'a [String],
    valid_after: String,
    valid_before: Option<String>,
    authority_spki_sha256: Option<String>,
}

pub(super) fn of(sighting: &Sighting) -> SightingFacts<'_> {
    let circumstances = &sighting.circumstances;
    SightingFacts {
        place: sighting.place.to_string(),
        collector: &sighting.collector,
        first_seen: sighting.first_seen.to_string(),
        last_seen: sighting.last_seen.to_string(),
        chain_position: circumstances.chain_position,
        label: circumstances.label.as_deref(),
        file: circumstances.file.as_ref().map(|file| FileFacts {
            mode: format!("{:04o}", file.mode),
            uid: file.uid,
            gid: file.gid,
            owner: file.owner.as_deref(),
            group: file.group.as_deref(),
            modified: file.modified.to_string(),
            filesystem: file.filesystem.as_deref(),
            access_list: file.access_list,
            behind: file.behind.as_deref(),
        }),
        layer: circumstances.layer.as_ref().map(layer),
        key: circumstances.key.as_ref().map(|form| KeyFacts {
            half: match form.half {
                Half::Public => "public",
                Half::Private => "private",
            },
            encoding: &form.encoding,
            protection: protection(&form.encryption),
        }),
        ssh_certificate: circumstances.ssh_certificate.as_ref().map(ssh_certificate),
        token: circumstances.token.as_deref().map(token::object),
    }
}

pub(super) fn protection(encryption: &Encryption) -> Protection<'_> {
    match encryption {
        Encryption::None => {
            Protection { encryption: "none", kdf: None, cipher: None, iterations: None }
        }
        Encryption::Token => {
            Protection { encryption: "token", kdf: None, cipher: None, iterations: None }
        }
        Encryption::Passphrase { kdf, cipher, iterations } => Protection {
            encryption: "passphrase",
            kdf: kdf.as_deref(),
            cipher: cipher.as_deref(),
            iterations: *iterations,
        },
    }
}

fn layer(layer: &Layer) -> LayerFacts<'_> {
    let (fate, fate_in) = match layer.fate {
        Fate::Kept => ("kept", None),
        Fate::DeletedIn(upper) => ("deleted-in-upper-layer", Some(upper)),
        Fate::ReplacedIn(upper) => ("replaced-in-upper-layer", Some(upper)),
    };
    LayerFacts { digest: &layer.digest, number: layer.number, of: layer.of, fate, fate_in }
}

fn ssh_certificate(certificate: &SshCertificate) -> SshFacts<'_> {
    SshFacts {
        of: if certificate.host { "host" } else { "user" },
        key_id: &certificate.key_id,
        principals: &certificate.principals,
        valid_after: certificate.valid_after.to_string(),
        valid_before: certificate.valid_before.map(|time| time.to_string()),
        authority_spki_sha256: certificate.authority.map(|spki| spki.to_string()),
    }
}
