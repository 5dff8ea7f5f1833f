//! The tokens, and every key wherever it lies.

use pki_inventory::{Asset, Body, Half, Key, Sighting, Token, TokenKey, View, quirks};

use super::{COLUMN, row};
use crate::plain::Plain;
use crate::token::{self, object};
use crate::{sighting, titles, words};

/// Every token that a PKCS #11 module showed. No line is wider than 100 columns.
#[must_use]
pub fn tokens(view: &View<'_>) -> String {
    let mut plain = Plain::fitting();
    let mut all: Vec<(&Asset, &Token)> = view.tokens().collect();
    all.sort_by_cached_key(|(asset, body)| (token::name(body).to_lowercase(), asset.id));
    // A token that was seen at two places is one.
    all.dedup_by_key(|(asset, _)| asset.id);
    let hardware = all.iter().filter(|(_, body)| body.slot.hardware).count();
    plain
        .heading(&format!("Tokens: {}, of them hardware by their own word: {hardware}", all.len()));
    let widths = [22, 18, 18, 8, 8, 12];
    if all.is_empty() {
        plain.line(2, "No PKCS #11 module that was read shows one.");
    } else {
        let head = ["Label", "Model", "Serial", "Firmware", "Kept in", "Login"];
        plain.line(2, &row(head, widths));
    }
    for (asset, body) in all {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let cells = [
            &token::name(body),
            &known(&body.model),
            &known(&body.serial),
            &known(&body.firmware_version),
            token::kept_in(body),
            token::login_word(body.login),
        ];
        plain.line(2, &row(cells, widths));
        under(&mut plain, asset, body, view);
    }
    let gaps: Vec<_> = token::all_gaps(view).collect();
    if !gaps.is_empty() {
        let places = words::count(gaps.len(), "place", "places");
        plain.heading(&format!("Asked for on tokens and not read: {places}"));
    }
    for gap in gaps {
        plain.line(2, &gap.place.to_string());
        plain.line(6, &format!("{}: {}", gap.reason, gap.detail));
    }
    plain.finish()
}

fn under(plain: &mut Plain, asset: &Asset, body: &Token, view: &View<'_>) {
    let mut field = |label: &str, lines: Vec<String>| {
        for (at, line) in lines.iter().enumerate() {
            plain.field(6, COLUMN, if at == 0 { label } else { "" }, line);
        }
    };
    let hardware = body.hardware_version.as_ref().map(|version| format!("hardware {version}"));
    let made: Vec<String> = body.manufacturer.iter().cloned().chain(hardware).collect();
    if !made.is_empty() {
        field("vendor", vec![made.join(", ")]);
    }
    let said = token::module(&body.module);
    let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
    field("module", vec![format!("{}{said}", body.module.path)]);
    field("slot", vec![token::slot(&body.slot)]);
    let objects = token::objects(body);
    let none = || "none was seen".to_owned();
    field("objects", vec![if objects.is_empty() { none() } else { objects.join(", ") }]);
    let stated = body.validations.iter();
    let stated =
        stated.map(|one| format!("{}; {}", token::validation(one), token::UNVERIFIED)).collect();
    field("certified", stated);
    let flags = [
        (!body.flags.initialized, "not initialised"),
        (body.flags.error, "it failed a test of itself"),
    ];
    let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, what)| what.to_owned());
    field("state", flags.chain(token::pins(body)).collect());
    let gaps = asset.places().flat_map(|place| token::gaps(place, view));
    field("not read", gaps.map(|gap| format!("{}: {}", gap.reason, gap.detail)).collect());
    field("known as odd", quirks(body).map(token::quirk).collect());
}

/// Every key wherever it lies: private and symmetric ones on tokens, then private ones elsewhere, then
/// those of which the public half alone was seen. Keys that only a certificate shows are not among
/// them. No line is wider than 100 columns.
#[must_use]
pub fn keys(view: &View<'_>) -> String {
    let mut plain = Plain::fitting();
    let mut tokens: Vec<&TokenKey<'_>> = view.token_keys().collect();
    tokens.sort_by_cached_key(|key| {
        let first = key.objects.first();
        let name = first.map(|held| object::name(held.sighting, held.object).to_lowercase());
        (name, key.asset.id)
    });
    let on_token = |asset: &Asset| asset.sightings().any(is_secret_object);
    let (mut private, mut public) = (Vec::new(), Vec::new());
    for asset in view.inventory().assets() {
        let Body::Key(key) = &asset.body else { continue };
        if on_token(asset) {
            continue;
        }
        let group = if asset.sightings().any(is_private) { &mut private } else { &mut public };
        group.push((titles::by_id(asset.id, view), asset, key));
    }
    private.sort_by_key(|(title, asset, _)| (title.to_lowercase(), asset.id));
    public.sort_by_key(|(title, asset, _)| (title.to_lowercase(), asset.id));
    let all = tokens.len() + private.len() + public.len();
    plain.heading(&format!("Keys: {all}"));
    if all == 0 {
        plain.line(2, "None was seen outside of certificates.");
        return plain.finish();
    }
    if !tokens.is_empty() {
        plain.heading(&format!("Private and symmetric keys on tokens: {}", tokens.len()));
        let head = ["Label", "Algorithm", "Token", "Born here", "Sensitive", "Extractable"];
        plain.line(2, &row(head, TOKEN));
    }
    tokens.iter().for_each(|key| on_tokens(&mut plain, key, view));
    for (heading, group) in [
        ("Private keys in files, keystores and images", private),
        ("Keys of which the public half alone was seen", public),
    ] {
        if group.is_empty() {
            continue;
        }
        plain.heading(&format!("{heading}: {}", group.len()));
        plain.line(2, &row(["Key", "Algorithm", "Certificates"], ELSEWHERE));
        for (title, asset, key) in group {
            elsewhere(&mut plain, &title, asset, key, view);
        }
    }
    plain.finish()
}

const TOKEN: [usize; 6] = [24, 14, 20, 9, 9, 11];
const ELSEWHERE: [usize; 3] = [52, 20, 12];

fn is_private(sighting: &Sighting) -> bool {
    sighting.circumstances.key.as_ref().is_some_and(|form| form.half == Half::Private)
}

fn is_secret_object(sighting: &Sighting) -> bool {
    sighting.circumstances.token.as_ref().is_some_and(|object| object.is_secret())
}

/// A line for each place on a token, then what goes for all of them.
fn on_tokens(plain: &mut Plain, key: &TokenKey<'_>, view: &View<'_>) {
    let (algorithm, spki) = match &key.asset.body {
        Body::Key(key) => (key.algorithm.as_ref(), key.spki),
        Body::SecretKey(key) => (Some(&key.algorithm), None),
        _ => (None, None),
    };
    let algorithm = algorithm.map_or_else(|| "-".to_owned(), |algorithm| algorithm.label());
    for held in &key.objects {
        let on = view.token_at(&held.sighting.place);
        let on = on.map_or_else(|| "not in the inventory".to_owned(), |(_, on)| token::name(on));
        let object = held.object;
        let cells = [
            &object::name(held.sighting, object),
            &algorithm,
            &on,
            object::told(object.local),
            object::told(object.sensitive),
            object::told(object.extractable),
        ];
        plain.line(2, &row(cells, TOKEN));
        let usages = object::usages(object);
        if !usages.is_empty() {
            plain.field(6, COLUMN, "may", &usages.join(", "));
        }
        let open = object::protection(object).into_iter().filter(|said| said.open);
        let open: Vec<String> = open.map(|said| said.text).collect();
        if !open.is_empty() {
            plain.field(6, COLUMN, "open", &open.join("; "));
        }
        if !object.untold.is_empty() {
            let names: Vec<&str> = object.untold.keys().map(String::as_str).collect();
            plain.field(6, COLUMN, "not told", &names.join(", "));
        }
    }
    let Some(spki) = spki else { return };
    let certified = view.certificates_of(spki).iter().filter_map(|asset| asset.certificate());
    for (at, one) in certified.enumerate() {
        let told = format!("{} until {}", one.display_name(), one.not_after.date());
        plain.field(6, COLUMN, if at == 0 { "certified by" } else { "" }, &told);
    }
    let others = view.private_places(spki).into_iter();
    for (_, at) in others.filter(|(_, at)| at.place.token_part().is_none()) {
        let told = format!("{}, {}", at.place, sighting::circumstances(at, view));
        plain.field(6, COLUMN, "also in", &told);
    }
}

fn elsewhere(plain: &mut Plain, title: &str, asset: &Asset, key: &Key, view: &View<'_>) {
    let algorithm = key.algorithm.as_ref();
    let algorithm = algorithm.map_or_else(|| "-".to_owned(), |algorithm| algorithm.label());
    let certified = key.spki.map_or(0, |spki| view.certificates_of(spki).len());
    plain.line(2, &row([title, &algorithm, &certified.to_string()], ELSEWHERE));
    for seen in asset.sightings() {
        plain.line(6, &seen.place.to_string());
        let told = sighting::circumstances(seen, view);
        if !told.is_empty() {
            plain.line(8, &told);
        }
    }
}
