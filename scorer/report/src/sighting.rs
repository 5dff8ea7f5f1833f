//! What a sighting told besides place and time, in words.

use pki_inventory::{
    AssetId, Encryption, Fate, FileFacts, Half, KeyForm, Kind, Layer, Sighting, SshCertificate,
    View,
};

use crate::titles;
use crate::token::object;

/// Everything a place told, such as `position 0 of the chain` or `mode 0600, owner root`. Empty
/// when it told nothing.
pub(crate) fn circumstances(sighting: &Sighting, view: &View<'_>) -> String {
    let circumstances = &sighting.circumstances;
    let mut parts = beside(sighting, view);
    parts.extend(circumstances.file.as_ref().map(file));
    parts.extend(circumstances.layer.as_ref().map(layer));
    parts.join("; ")
}

/// Name and layer alone: of what is public, owner and mode of the file matter little, and its role
/// says how servers present it.
pub(crate) fn public(sighting: &Sighting) -> String {
    let circumstances = &sighting.circumstances;
    let label = circumstances.label.as_deref().map(called);
    label.into_iter().chain(circumstances.layer.as_ref().map(layer)).collect::<Vec<_>>().join("; ")
}

/// What is told of the thing rather than of the file it lies in.
fn beside(sighting: &Sighting, view: &View<'_>) -> Vec<String> {
    let circumstances = &sighting.circumstances;
    let mut parts = Vec::new();
    match circumstances.chain_position {
        Some(0) => parts.push("presented as the server's own".to_owned()),
        Some(position) => parts.push(format!("presented at position {position} of the chain")),
        None => {}
    }
    parts.extend(circumstances.key.as_ref().map(form));
    parts.extend(circumstances.ssh_certificate.as_ref().map(|one| ssh_certificate(one, view)));
    parts.extend(circumstances.label.as_deref().map(called));
    let token = view.token_at(&sighting.place).map(|(_, token)| token);
    let object = circumstances.token.as_deref();
    parts.extend(object.map(|object| object::in_short(object, token)));
    parts
}

/// Whether it is a private half.
pub(crate) fn is_private(sighting: &Sighting) -> bool {
    sighting.circumstances.key.as_ref().is_some_and(|form| form.half == Half::Private)
}

fn called(label: &str) -> String {
    format!("called \"{label}\"")
}

/// Which half of a key, in which format, how protected.
pub(crate) fn form(form: &KeyForm) -> String {
    let half = match form.half {
        Half::Public => return format!("public half, {}", form.encoding),
        Half::Private => "private half",
    };
    format!("{half}, {}, {}", form.encoding, wrapped(&form.encryption))
}

/// How something at rest is protected by its own format.
pub(crate) fn wrapped(encryption: &Encryption) -> String {
    let (kdf, cipher, iterations) = match encryption {
        Encryption::None => return "not encrypted".to_owned(),
        Encryption::Token => return "kept by the token".to_owned(),
        Encryption::Passphrase { kdf, cipher, iterations } => (kdf, cipher, iterations),
    };
    let stated: Vec<String> = kdf
        .iter()
        .chain(cipher)
        .cloned()
        .chain(iterations.map(|count| format!("{count} iterations")))
        .collect();
    let how = if stated.is_empty() { String::new() } else { format!(" ({})", stated.join(", ")) };
    format!("under a passphrase{how}")
}

/// Who may read a file and what it lies on.
pub(crate) fn file(file: &FileFacts) -> String {
    let owner = file.owner.clone().unwrap_or_else(|| file.uid.to_string());
    let group = file.group.clone().unwrap_or_else(|| file.gid.to_string());
    let mut told = format!("mode {:04o}, owner {owner}, group {group}", file.mode);
    if file.access_list {
        told.push_str(", an access list says more");
    }
    if let Some(filesystem) = &file.filesystem {
        told.push_str(&format!(", on {filesystem}"));
    }
    if let Some(folder) = &file.behind {
        told.push_str(&format!(", behind {folder}, which only its owner may enter"));
    }
    told
}

/// Where in an image it lies and what the layers above do to it.
pub(crate) fn layer(layer: &Layer) -> String {
    let Layer { number, of, fate, digest } = layer;
    let told = match fate {
        Fate::Kept => format!("in layer {number} of {of} of the image"),
        Fate::DeletedIn(upper) => format!(
            "in layer {number}, deleted in layer {upper} of {of}, still readable in the image"
        ),
        Fate::ReplacedIn(upper) => format!(
            "in layer {number}, replaced in layer {upper} of {of}, still readable in the image"
        ),
    };
    format!("{told} ({})", crate::text::shortened(digest, 23))
}

/// What a certificate of OpenSSH says.
fn ssh_certificate(certificate: &SshCertificate, view: &View<'_>) -> String {
    let who = if certificate.host { "host" } else { "user" };
    let whom = match certificate.principals.as_slice() {
        [] => format!("every {who}"),
        [one] => format!("the {who} {one}"),
        several => format!("the {who}s {}", several.join(", ")),
    };
    let until = certificate
        .valid_before
        .map_or_else(|| "without an end".to_owned(), |end| format!("to {}", end.date()));
    let signed = certificate.authority.map_or_else(String::new, |spki| {
        let id = AssetId::new(Kind::Key, spki);
        let is_known = view.inventory().get(id).is_some() || !view.certificates_of(spki).is_empty();
        let known = if is_known { format!(", {}", titles::by_id(id, view)) } else { String::new() };
        format!(", signed by {}…{known}", spki.short())
    });
    format!(
        "SSH certificate \"{}\" for {whom}, valid {} {until}{signed}",
        certificate.key_id,
        certificate.valid_after.date()
    )
}
