//! All of a token, of a symmetric key on one and of any object on one, line by line under labels.

use pki_inventory::{Asset, Body, Held, SecretKey, Sighting, Token, View};

use super::object;
use crate::told::{Rows, Told};

fn stated(text: Option<&String>) -> Vec<Told> {
    vec![Told::text(text.cloned().unwrap_or_else(|| "not stated".to_owned()))]
}

fn one(text: impl Into<String>) -> Vec<Told> {
    vec![Told::text(text)]
}

/// Lines, or that there are none.
fn or(lines: Vec<Told>, none: &str) -> Vec<Told> {
    if lines.is_empty() { one(none) } else { lines }
}

/// All of a token, with what was seen on it and what was not read.
pub(crate) fn token(asset: &Asset, body: &Token, view: &View<'_>) -> Rows {
    let held: Vec<&Held<'_>> = asset.places().flat_map(|place| view.objects_on(place)).collect();
    let of = |wanted: &dyn Fn(&Held<'_>) -> bool| -> Vec<Told> {
        let wanted = held.iter().filter(|held| wanted(held));
        wanted.map(|held| Told { text: on_it(held), asset: Some(held.asset.id) }).collect()
    };
    let validations = body.validations.iter();
    let validations =
        validations.map(|one| format!("{}; {}", super::validation(one), super::UNVERIFIED));
    let mechanisms = match &body.mechanisms {
        None => one("not told"),
        Some(all) if all.is_empty() => one("none"),
        Some(all) => Told::texts(all.iter().map(mechanism)),
    };
    let gaps = asset.places().flat_map(|place| super::gaps(place, view));
    let gaps = gaps.map(|gap| format!("{}: {}: {}", gap.place, gap.reason, gap.detail));
    let pins = if super::pins(body).is_empty() {
        one("nothing is noted of the PINs")
    } else {
        Told::texts(super::pins(body))
    };
    let lengths = body.pin_lengths.map(super::pin_lengths);
    let serial = super::serial(body);
    let number = serial.number.or(serial.odd.is_none().then_some("not stated"));
    let labelled = |what: &str, memory: Option<(u64, u64)>| {
        memory.map(|memory| format!("for {what} objects {}", super::memory(memory)))
    };
    let memory = labelled("public", body.public_memory)
        .into_iter()
        .chain(labelled("private", body.private_memory));
    let module = super::module(&body.module);
    vec![
        ("label", stated(body.label.as_ref())),
        ("vendor", stated(body.manufacturer.as_ref())),
        ("model", stated(body.model.as_ref())),
        ("serial", Told::texts(number.into_iter().chain(serial.odd))),
        ("hardware version", stated(body.hardware_version.as_ref())),
        ("firmware version", stated(body.firmware_version.as_ref())),
        ("kept in", one(super::kept_in_words(body))),
        (
            "module",
            Told::texts(
                std::iter::once(body.module.path.clone())
                    .chain((!module.is_empty()).then_some(module)),
            ),
        ),
        ("slot", one(super::slot(&body.slot))),
        ("flags", or(Told::texts(super::flags(body)), "none")),
        ("login", one(super::login(body.login))),
        ("PINs", pins),
        ("PIN length", Told::texts(lengths)),
        ("sessions", Told::texts(body.sessions.map(|open| format!("{open} open")))),
        ("memory", Told::texts(memory)),
        ("clock", Told::texts(body.clock.map(|time| time.to_string()))),
        ("certified", or(Told::texts(validations), "the device states no certification")),
        ("objects", or(Told::texts(super::objects(body)), "none was seen")),
        ("keys on it", of(&|held| held.object.is_secret())),
        ("also on it", of(&|held| !held.object.is_secret())),
        ("not read", Told::texts(gaps)),
        ("known to be odd", Told::texts(super::odd(body).map(super::quirk))),
        ("mechanisms", mechanisms),
    ]
}

/// An object on the token that is being told of.
fn on_it(held: &Held<'_>) -> String {
    let name = object::name(held.sighting, held.object);
    let algorithm = match &held.asset.body {
        Body::Key(key) => key.algorithm.as_ref().map(pki_inventory::KeyAlgorithm::label),
        Body::SecretKey(key) => Some(key.algorithm.label()),
        Body::Certificate(certificate) => Some(certificate.display_name()),
        _ => None,
    };
    let algorithm = algorithm.map_or_else(String::new, |algorithm| format!(", {algorithm}"));
    format!("{} {name}{algorithm}", object::class(held.object.class))
}

fn mechanism(mechanism: &pki_inventory::Mechanism) -> String {
    let sizes = super::sizes(mechanism).map(|sizes| format!("keys of {sizes}"));
    let by = mechanism.hardware.map(|_| format!("by {}", super::done_by(mechanism)));
    let uses = (!mechanism.uses.is_empty()).then(|| mechanism.uses.join(", "));
    let told = [sizes, uses, by].into_iter().flatten();
    std::iter::once(super::mechanism(mechanism)).chain(told).collect::<Vec<_>>().join("; ")
}

/// A symmetric key; what its token says of it stands with its place.
pub(crate) fn secret_key(asset: &Asset, body: &SecretKey, view: &View<'_>) -> Rows {
    let labels = asset.sightings().filter_map(|sighting| sighting.circumstances.label.clone());
    let tokens = asset.places().filter_map(|place| view.token_at(place));
    let tokens = tokens.map(|(token, _)| Told::asset(token.id, view));
    vec![
        ("algorithm", one(body.algorithm.label())),
        ("label", or(Told::texts(labels), "none")),
        ("on", or(tokens.collect(), "a token that is not in the inventory")),
        ("value", one("never asked for")),
    ]
}

/// Everything that is said of an object at this place: its token, how that was read, every
/// attribute and what was not told. Empty for a place that is no token.
pub(crate) fn object_at(sighting: &Sighting, view: &View<'_>) -> Rows {
    let Some(object) = sighting.circumstances.token.as_deref() else { return Rows::new() };
    let mut rows: Rows = Vec::new();
    if let Some((asset, token)) = view.token_at(&sighting.place) {
        rows.push(("on", vec![Told::asset(asset.id, view)]));
        rows.push(("kept in", one(super::kept_in_words(token))));
        let through = format!("{}, {}", token.module.path, super::slot(&token.slot));
        rows.push(("through", one(through)));
        rows.push(("login", one(super::login(token.login))));
        let odd = super::odd(token).filter(|quirk| super::is_of_objects(quirk.oddity));
        rows.push(("known to be odd", Told::texts(odd.map(super::quirk))));
    }
    let attributes = object::attributes(object).into_iter();
    let attributes = attributes.map(|(name, value)| format!("{name}: {value}"));
    rows.push(("attributes", or(attributes.map(Told::text).collect(), "none was told")));
    rows
}
