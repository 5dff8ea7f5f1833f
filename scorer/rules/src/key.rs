//! Rules about keys.

pub(crate) mod algorithm_not_approved;
pub(crate) mod in_image;
pub(crate) mod known_weak;
pub(crate) mod left_in_image;
pub(crate) mod location_unknown;
pub(crate) mod passphrase_weak;
pub(crate) mod readable_by_others;
pub(crate) mod roca;
pub(crate) mod shared_between_names;
pub(crate) mod stored_unencrypted;

use pki_inventory::{
    Asset, Body, Digest, Half, Holds, Inventory, Key, KeyForm, Lock, Login, Place, Sighting,
    published, snakeoil,
};

use crate::RuleContext;
use crate::population::{is_served, is_shipped_place};

/// The sightings of the private half in files, each with the form it had there. What lies where
/// software ships its own files is left out, unless a server here uses the key all the same. Tokens
/// are no files: who may read what lies there is said by [other rules](crate::token).
fn private_sightings<'a>(
    asset: &'a Asset,
    key: &Key,
    cx: &RuleContext<'_>,
) -> Vec<(&'a Sighting, &'a KeyForm)> {
    let certificates = key.spki.map_or(&[][..], |spki| cx.view.certificates_of(spki));
    let served = certificates
        .iter()
        .any(|asset| asset.certificate().is_some_and(|c| is_served(asset, c, cx)));
    asset
        .sightings()
        .filter(|sighting| !is_token(&sighting.place))
        .filter(|sighting| served || !is_shipped_place(&sighting.place, cx))
        .filter_map(|sighting| {
            let form = sighting.circumstances.key.as_ref()?;
            (form.half == Half::Private).then_some((sighting, form))
        })
        .collect()
}

/// Where on a token the private half of a key lies.
fn on_token<'a>(assets: impl IntoIterator<Item = &'a Asset>) -> Option<&'a Place> {
    let seen = assets.into_iter().flat_map(Asset::sightings).filter(|at| is_token(&at.place));
    let is_private = |at: &&Sighting| {
        at.circumstances.key.as_ref().is_some_and(|form| form.half == Half::Private)
    };
    seen.filter(is_private).map(|at| &at.place).next()
}

fn is_token(place: &Place) -> bool {
    matches!(place, Place::Token { .. })
}

/// What a key is that nobody here has to keep secret: its private half is published, or a package
/// made it for a placeholder. Whether a server uses it all the same is another question.
fn is_no_secret(asset: &Asset, key: &Key) -> Option<String> {
    let origin = key.spki.as_ref().and_then(published);
    origin
        .map(|origin| format!("a key that {origin} publishes"))
        .or_else(|| snakeoil(asset).map(|what| format!("the {what}")))
}

/// A place that may hold a private key which nobody saw: a keystore that stayed closed, a key whose
/// format shows no public half, a token that let nobody log in.
fn locked(inventory: &Inventory) -> Option<&Place> {
    let closed = inventory.assets().find(|asset| match &asset.body {
        Body::Keystore(store) => {
            let certificates = store.entries.iter().all(|one| one.holds == Holds::Certificate);
            matches!(store.lock, Lock::Closed(_)) && (store.entries.is_empty() || !certificates)
        }
        Body::Token(token) => !matches!(token.login, Login::Done | Login::NotRequired),
        Body::Key(key) => {
            key.spki.is_none() && key.algorithm.as_ref().is_none_or(|it| it.name != "symmetric")
        }
        _ => false,
    });
    closed?.places().next()
}

/// What SSH uses a key for, by the files in which it lies (sshd(8), "FILES").
pub(crate) fn ssh_use(spki: Digest, cx: &RuleContext<'_>) -> Option<&'static str> {
    let seen = cx.view.records_of(spki).iter().flat_map(|asset| asset.sightings());
    seen.filter(|at| !is_shipped_place(&at.place, cx)).find_map(|at| {
        let form = at.circumstances.key.as_ref()?;
        let Place::File { path, .. } = &at.place else { return None };
        let (folders, file) = path.rsplit_once('/')?;
        // A list with one line looks like any public key: its name tells.
        match (form.encoding.as_str(), file) {
            ("authorized_keys", _) | ("OpenSSH", "authorized_keys" | "authorized_keys2") => {
                Some("authorised to log in by SSH")
            }
            ("known_hosts", _) => Some("the host key of a known host of SSH"),
            ("OpenSSH certificate", _) => Some("certified for SSH"),
            _ if folders.ends_with("/etc/ssh") && file.starts_with("ssh_host_") => {
                Some("a host key of SSH")
            }
            _ => None,
        }
    })
}
