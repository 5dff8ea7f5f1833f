//! Tokens, and how the keys on them are kept.

use std::collections::BTreeMap;

use pki_inventory::{Asset, AssetId, Login, PinState, Token, TokenObject, View};

use super::{Metrics, labels, place};
use crate::token::object;

/// An attribute with what an object tells of it.
type Attribute = (&'static str, fn(&TokenObject) -> Option<bool>);

pub(super) fn add(text: &mut Metrics, view: &View<'_>) {
    let mut tokens: BTreeMap<AssetId, (&Asset, &Token)> = BTreeMap::new();
    tokens.extend(view.tokens().map(|(asset, body)| (asset.id, (asset, body))));
    let tokens: Vec<(&Asset, &Token)> = tokens.into_values().collect();
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    let place = |asset: &Asset| ("place", place(asset));
    text.family("pkimm_token_info", "1 for each token, with what it says of itself.");
    for (asset, body) in &tokens {
        let of = [
            place(asset),
            ("label", known(&body.label)),
            ("manufacturer", known(&body.manufacturer)),
            ("model", known(&body.model)),
            ("serial_number", known(&body.serial)),
            ("hardware_version", known(&body.hardware_version)),
            ("firmware_version", known(&body.firmware_version)),
            ("kept_in", crate::token::kept_in(body).to_owned()),
        ];
        text.sample(&labels(&of), 1);
    }
    text.family("pkimm_token_read", "1 where private objects of the token were to be seen.");
    for (asset, body) in &tokens {
        let read = matches!(body.login, Login::NotRequired | Login::Done);
        text.sample(&labels(&[place(asset)]), u8::from(read));
    }
    text.family("pkimm_token_error", "1 where the token says that it failed a test of itself.");
    for (asset, body) in &tokens {
        text.sample(&labels(&[place(asset)]), u8::from(body.flags.error));
    }
    text.family("pkimm_token_uninitialized", "1 where the token was never initialised.");
    for (asset, body) in &tokens {
        text.sample(&labels(&[place(asset)]), u8::from(!body.flags.initialized));
    }
    text.family("pkimm_token_pin", "1 where the token says this of a PIN.");
    // Before a token is initialised nobody has a PIN, and what its flags say of one is no news.
    for (asset, body) in tokens.iter().filter(|(_, body)| body.flags.initialized) {
        for (whose, state) in [("user", body.user_pin), ("security officer", body.so_pin)] {
            for (said, set) in noted(state) {
                let of = [place(asset), ("pin", whose.to_owned()), ("state", said.to_owned())];
                text.sample(&labels(&of), u8::from(set));
            }
        }
    }
    text.family("pkimm_token_objects", "Objects seen on the token, by class.");
    for (asset, body) in &tokens {
        for (class, count) in &body.objects {
            text.sample(&labels(&[place(asset), ("class", class.clone())]), count);
        }
    }
    text.family(
        "pkimm_token_keys",
        "Private and symmetric keys on the token, by what it tells of an attribute.",
    );
    for (asset, _) in &tokens {
        for ((attribute, told), count) in keys(asset, view) {
            let of = [place(asset), ("attribute", attribute.to_owned()), ("told", told.to_owned())];
            text.sample(&labels(&of), count);
        }
    }
}

fn noted(state: PinState) -> [(&'static str, bool); 4] {
    [
        ("count low", state.count_low),
        ("final try", state.final_try),
        ("locked", state.locked),
        ("to be changed", state.to_be_changed),
    ]
}

/// How many keys have an attribute, have it not, or are not told of; all three, so that a query
/// which adds them up has every key.
fn keys(asset: &Asset, view: &View<'_>) -> BTreeMap<(&'static str, &'static str), u64> {
    let attributes: [Attribute; 3] = [
        ("extractable", |object| object.extractable),
        ("local", |object| object.local),
        ("sensitive", |object| object.sensitive),
    ];
    let mut counts = BTreeMap::new();
    for (name, _) in attributes {
        for value in [Some(true), Some(false), None] {
            counts.insert((name, object::told(value)), 0);
        }
    }
    let held = asset.places().flat_map(|place| view.objects_on(place));
    for held in held.filter(|held| held.object.is_secret()) {
        for (name, attribute) in attributes {
            *counts.entry((name, object::told(attribute(held.object)))).or_default() += 1;
        }
    }
    counts
}
