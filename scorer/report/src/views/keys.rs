//! Every key wherever it lies.

use std::collections::BTreeMap;

use pki_inventory::{Asset, Body, Held, Key, KeyAlgorithm, Sighting, TokenKey, View};

use super::{COLUMN, row, tokens};
use crate::plain::Plain;
use crate::token::{self, object};
use crate::{sighting, titles, words};

const ON_TOKEN: [usize; 6] = [16, 21, 14, 9, 13, 13];
const ELSEWHERE: [usize; 4] = [16, 40, 20, 12];

/// A key with one of the objects on a token that it is.
type Lying<'k, 'a> = (&'k TokenKey<'a>, &'k Held<'a>);

/// Every key wherever it lies: private and symmetric ones token by token, then private ones
/// elsewhere, then those of which the public half alone was seen, and at last the tokens that did
/// not show what is private. Keys that only a certificate shows are not among them. No line is
/// wider than 100 columns, but for places that are longer by themselves.
#[must_use]
pub fn keys(view: &View<'_>) -> String {
    let mut plain = Plain::fitting();
    let on_tokens = view.token_keys().count();
    let (mut private, mut public) = (Vec::new(), Vec::new());
    for asset in view.inventory().assets() {
        let Body::Key(key) = &asset.body else { continue };
        if asset.sightings().any(is_secret_object) {
            continue;
        }
        let is_private = asset.sightings().any(sighting::is_private);
        let group = if is_private { &mut private } else { &mut public };
        group.push((titles::by_id(asset.id, view), asset, key));
    }
    private.sort_by_key(|(title, asset, _)| (title.to_lowercase(), asset.id));
    public.sort_by_key(|(title, asset, _)| (title.to_lowercase(), asset.id));
    let all = on_tokens + private.len() + public.len();
    plain.heading(&format!("Keys: {all}"));
    if all == 0 {
        plain.line(2, "None was seen outside of certificates.");
    }
    if on_tokens > 0 {
        plain.heading(&format!("Private and symmetric keys on tokens: {on_tokens}"));
        let head = ["Id", "Label", "Algorithm", "Born here", "Sensitive", "Extractable"];
        plain.line(2, &row(head, ON_TOKEN));
        by_token(&mut plain, view);
    }
    for (heading, group) in [
        ("Private keys in files, keystores and images", private),
        ("Keys of which the public half alone was seen", public),
    ] {
        if group.is_empty() {
            continue;
        }
        plain.heading(&format!("{heading}: {}", group.len()));
        plain.line(2, &row(["Id", "Key", "Algorithm", "Certificates"], ELSEWHERE));
        for (title, asset, key) in group {
            elsewhere(&mut plain, &title, asset, key, view);
        }
    }
    unseen(&mut plain, view);
    plain.finish()
}

fn is_secret_object(sighting: &Sighting) -> bool {
    sighting.circumstances.token.as_ref().is_some_and(|object| object.is_secret())
}

/// The keys under the token they lie on. One that lies on two stands under both.
fn by_token(plain: &mut Plain, view: &View<'_>) {
    let keys: Vec<&TokenKey<'_>> = view.token_keys().collect();
    let mut tokens: BTreeMap<Option<&str>, Vec<Lying<'_, '_>>> = BTreeMap::new();
    for key in &keys {
        for held in &key.objects {
            tokens.entry(held.sighting.place.token_part()).or_default().push((key, held));
        }
    }
    let named = tokens.into_values().filter_map(|mut lying| {
        lying.sort_by_cached_key(|(key, held)| {
            let name = object::name(held.sighting, held.object).to_lowercase();
            (name, key.asset.id, held.sighting.place.to_string())
        });
        let (_, first) = lying.first()?;
        let name = match view.token_at(&first.sighting.place) {
            Some((_, on)) => format!("{} ({})", token::distinct(on, view), kept(on)),
            None => "a token that is not in the inventory".to_owned(),
        };
        Some((name, lying))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|(name, _)| name.to_lowercase());
    for (name, lying) in named {
        let keys = words::count(lying.len(), "key", "keys");
        plain.blank();
        plain.line(2, &format!("On {name}: {keys}"));
        lying.into_iter().for_each(|(key, held)| on_token(plain, key, held, view));
    }
}

fn kept(on: &pki_inventory::Token) -> String {
    format!("kept in: {}", token::kept_in(on))
}

/// A key at one place on a token, and what else is known of it.
fn on_token(plain: &mut Plain, key: &TokenKey<'_>, held: &Held<'_>, view: &View<'_>) {
    let (algorithm, spki) = match &key.asset.body {
        Body::Key(key) => (key.algorithm.as_ref(), key.spki),
        Body::SecretKey(key) => (Some(&key.algorithm), None),
        _ => (None, None),
    };
    let object = held.object;
    let cells = [
        &key.asset.id.sha256.short(),
        &object::name(held.sighting, object),
        &label(algorithm),
        object::told(object.local),
        object::sensitive_word(object),
        object::extractable_word(object),
    ];
    plain.line(2, &row(cells, ON_TOKEN));
    plain.whole(6, &held.sighting.place.to_string());
    let mut field = |label: &str, text: &str| {
        if !text.is_empty() {
            plain.field(6, COLUMN, label, text);
        }
    };
    field("CKA_ID", object::id(object));
    field("made by", object.key_gen_mechanism.as_deref().unwrap_or_default());
    field("may", &object::usages(object).join(", "));
    let token = view.token_at(&held.sighting.place).map(|(_, token)| token);
    let open = object::protection(object, token).into_iter().filter(|said| said.open);
    let open: Vec<String> = open.map(|said| said.text).collect();
    field("open", &open.join("; "));
    let untold: Vec<&str> = object.untold.keys().map(String::as_str).collect();
    field("not told", &untold.join(", "));
    let here = held.sighting.place.token_part();
    for other in &key.objects {
        let place = &other.sighting.place;
        if place.token_part() != here {
            let on = view.token_at(place).map(|(_, token)| token::distinct(token, view));
            field("also on", &on.unwrap_or_else(|| place.to_string()));
        }
    }
    let Some(spki) = spki else { return };
    let certified = view.certificates_of(spki).iter().filter_map(|asset| asset.certificate());
    for (at, one) in certified.enumerate() {
        let told = format!("{} until {}", one.display_name(), one.not_after.date());
        field(if at == 0 { "certified by" } else { "" }, &told);
    }
    let others = view.private_places(spki).into_iter();
    for (_, at) in others.filter(|(_, at)| at.place.token_part().is_none()) {
        field("also in", &format!("{}, {}", at.place, sighting::circumstances(at, view)));
    }
}

fn label(algorithm: Option<&KeyAlgorithm>) -> String {
    algorithm.map_or_else(|| "-".to_owned(), KeyAlgorithm::label)
}

fn elsewhere(plain: &mut Plain, title: &str, asset: &Asset, key: &Key, view: &View<'_>) {
    let certified = key.spki.map_or(0, |spki| view.certificates_of(spki).len()).to_string();
    let (id, algorithm) = (asset.id.sha256.short(), label(key.algorithm.as_ref()));
    plain.line(2, &row([&id, title, &algorithm, &certified], ELSEWHERE));
    for seen in asset.sightings() {
        plain.whole(6, &seen.place.to_string());
        let told = sighting::circumstances(seen, view);
        if !told.is_empty() {
            plain.line(8, &told);
        }
    }
}

/// The tokens that did not show everything that is private, and the modules that told of none, each
/// with the reason: what lies there is not in the list above.
fn unseen(plain: &mut Plain, view: &View<'_>) {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for (asset, body) in tokens::all(view) {
        let why = token::why_unseen(body.login).map(str::to_owned);
        let gaps = asset.places().flat_map(|place| token::gaps(place, view));
        let gaps = gaps.map(|gap| format!("{}: {}", gap.reason, gap.detail));
        let reasons: Vec<String> = why.into_iter().chain(gaps).collect();
        if !reasons.is_empty() {
            let id = asset.id.sha256.short();
            all.push((format!("{id}  {}", token::distinct(body, view)), reasons));
        }
    }
    for gap in token::all_gaps(view).filter(|gap| view.token_at(&gap.place).is_none()) {
        all.push((gap.place.to_string(), vec![format!("{}: {}", gap.reason, gap.detail)]));
    }
    if all.is_empty() {
        return;
    }
    plain.heading(&format!("Not all seen of what is private: {}", all.len()));
    for (name, reasons) in all {
        plain.whole(2, &name);
        for reason in reasons {
            plain.line(6, &format!("not seen: {reason}"));
        }
    }
}
