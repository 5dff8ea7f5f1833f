//! What disks and tokens hold, in a few lines.

use std::collections::BTreeMap;

use pki_inventory::{
    Asset, AssetId, Body, Fate, Half, KeptIn, Lock, Login, Place, Role, Token, View, published,
    renewal,
};

use super::EXAMPLES;
use crate::members::{self, Counts};
use crate::plain::Plain;
use crate::text::shortened;
use crate::{Document, automation, configuration, titles, words};

/// Keystores by lock, keys that are public or left in images, trust stores, renewal, drift.
pub(super) fn disk(plain: &mut Plain, document: &Document<'_>, view: &View<'_>) {
    let mut locks: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut known, mut left, mut compared, mut differing) = (0, 0, 0, 0);
    let mut stores: Vec<String> = Vec::new();
    for asset in document.inventory.assets() {
        match &asset.body {
            Body::Keystore(store) => *locks.entry(lock(&store.lock)).or_default() += 1,
            Body::Key(key) => {
                known += usize::from(key.spki.as_ref().is_some_and(|it| published(it).is_some()));
                left += usize::from(is_left_in_image(asset));
            }
            Body::Certificate(certificate) if !certificate.is_authority() => {
                if matches!(view.role(asset, certificate), Role::Served | Role::Held) {
                    let way = automation::renewal_name(renewal(asset, certificate, view));
                    *ways.entry(way).or_default() += 1;
                }
            }
            Body::Endpoint(_) => {
                if let Some(differs) = configuration::differs(asset, view) {
                    compared += 1;
                    differing += usize::from(differs);
                }
            }
            Body::TrustStore(store) => {
                let found = members::sorted(store, view, document.assessment.as_of);
                let lines = Counts::of(&found).lines();
                if !lines.is_empty() {
                    let place = asset.places().next().map_or_else(String::new, path);
                    stores.push(format!("Trust store {place}: {}", lines.join(", ")));
                }
            }
            _ => {}
        }
    }
    for store in stores.iter().take(EXAMPLES) {
        plain.line(2, store);
    }
    if stores.len() > EXAMPLES {
        let more = stores.len() - EXAMPLES;
        plain.line(2, &format!("and {more} more trust stores with something against members"));
    }
    let told = |counts: &BTreeMap<&str, usize>| {
        let told: Vec<String> = counts.iter().map(|(what, n)| format!("{what} {n}")).collect();
        told.join(" · ")
    };
    if !locks.is_empty() {
        plain.line(2, &format!("Keystores: {}", told(&locks)));
    }
    if known > 0 {
        let keys = words::count(known, "key", "keys");
        plain.line(2, &format!("Known test material, whose private half is published: {keys}"));
    }
    if left > 0 {
        let keys = words::count(left, "private key", "private keys");
        plain.line(2, &format!("Deleted or replaced in an image, but readable in it: {keys}"));
    }
    if !ways.is_empty() {
        let told = told(&ways);
        plain.line(2, &format!("Renewal of certificates in use, by their signs: {told}"));
    }
    if compared > 0 {
        let endpoints = words::count(compared, "endpoint", "endpoints");
        plain.line(2, &format!("Compared with settings: {endpoints}, not as set up {differing}"));
    }
}

/// How many tokens there are, what keeps their keys, and how far they let themselves be read.
pub(super) fn tokens(plain: &mut Plain, view: &View<'_>) {
    let mut all: BTreeMap<AssetId, &Token> = BTreeMap::new();
    all.extend(view.tokens().map(|(asset, body)| (asset.id, body)));
    if all.is_empty() {
        return;
    }
    let of = |wanted: &dyn Fn(&Token) -> bool| all.values().filter(|body| wanted(body)).count();
    let kept: Vec<String> = [
        (KeptIn::Hardware, "hardware"),
        (KeptIn::Software, "software"),
        (KeptIn::Unknown, "not known"),
    ]
    .into_iter()
    .map(|(kept_in, what)| (of(&|body| body.kept_in() == kept_in), what))
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{what} {count}"))
    .collect();
    let tokens = words::count(all.len(), "token", "tokens");
    let mut parts = vec![format!("{tokens} by their own word: {}", kept.join(" · "))];
    parts.push(format!("private and symmetric keys on them {}", view.token_keys().count()));
    let spare = of(&|body| !body.flags.initialized);
    parts.extend((spare > 0).then(|| format!("not initialised {spare}")));
    for (login, what) in [
        (Login::Refused, "logins refused"),
        (Login::NotTried, "logins not tried"),
        (Login::NotConfigured, "without a configured PIN"),
    ] {
        let count = of(&|body| body.login == login);
        parts.extend((count > 0).then(|| format!("{what} {count}")));
    }
    plain.line(2, &parts.join(" · "));
}

fn path(place: &Place) -> String {
    shortened(&titles::path(place), 40)
}

fn lock(lock: &Lock) -> &'static str {
    match lock {
        Lock::Closed(_) => "closed",
        Lock::Configured => "opened by a configured password",
        Lock::WellKnown(_) => "opened by a well-known password",
        Lock::None => "without a lock",
    }
}

/// Whether its private half lies in a layer of an image that layers above hide.
fn is_left_in_image(asset: &Asset) -> bool {
    asset.sightings().any(|sighting| {
        let told = &sighting.circumstances;
        let hidden = told.layer.as_ref().is_some_and(|layer| layer.fate != Fate::Kept);
        hidden && told.key.as_ref().is_some_and(|form| form.half == Half::Private)
    })
}
