//! Private and symmetric keys on tokens, and the row of a symmetric key.

use pki_inventory::{Asset, Body, Held, SecretKey, Sighting, TokenKey};

use super::super::table::{Cell, Table};
use super::super::{Context, ROWS};
use super::{OPENED, left_out, seen, short, sightings, token, with_id};
use crate::token::{self as words, object};
use crate::{sighting, titles};

/// Of the symmetric keys in the inventory.
pub(super) const HEAD: &[&str] = &["Key", "Algorithm", "Token", "Places and protection", "Seen"];

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &SecretKey) -> Vec<Cell> {
    let places: Vec<&Sighting> = asset.sightings().collect();
    let circumstances = |at: &Sighting| sighting::circumstances(at, &context.view);
    let tokens = asset.places().filter_map(|place| context.view.token_at(place));
    let tokens = tokens.fold(Cell::default(), |cell, (token, known)| {
        let name = words::distinct(known, &context.view);
        cell.linked(name, context.href(token.id).unwrap_or_default())
    });
    vec![
        with_id(Cell::text(titles::by_id(asset.id, &context.view)), asset),
        Cell::text(body.algorithm.label()),
        tokens,
        sightings(Cell::default(), &places, circumstances),
        seen(asset),
    ]
}

/// A row for each object, so many of them, and how many there are in all.
pub(super) fn table(context: &Context<'_>) -> (Table, usize) {
    let mut table = Table::new(
        "Keys on tokens",
        &["Key", "Token", "Protection, as the token tells it", "May be used to", "Certified by"],
    );
    let mut all: Vec<(&TokenKey<'_>, &Held<'_>)> = context
        .view
        .token_keys()
        .flat_map(|key| key.objects.iter().map(move |held| (key, held)))
        .collect();
    all.sort_by_cached_key(|(_, held)| {
        let name = object::name(held.sighting, held.object).to_lowercase();
        (held.sighting.place.token_part(), name, held.asset.id)
    });
    for (at, (key, held)) in all.iter().take(ROWS).enumerate() {
        table.row("", cells(context, key, held, at < OPENED));
    }
    table.left_out = left_out(all.len() - table.rows.len());
    (table, all.len())
}

/// `whole` with every attribute where it opens; two dozen of each of thousands would drown the
/// page.
fn cells(context: &Context<'_>, key: &TokenKey<'_>, held: &Held<'_>, whole: bool) -> Vec<Cell> {
    let (view, object) = (&context.view, held.object);
    let (algorithm, spki) = match &key.asset.body {
        Body::Key(body) => (body.algorithm.as_ref(), body.spki),
        Body::SecretKey(body) => (Some(&body.algorithm), None),
        _ => (None, None),
    };
    let algorithm = algorithm.map_or_else(|| "not visible".to_owned(), |known| known.label());
    let href = context.href(key.asset.id).unwrap_or_default();
    let name = Cell::link(object::name(held.sighting, object), href);
    let name = name.and(algorithm).small(object::class(object.class));
    let known = view.token_at(&held.sighting.place);
    let on = match known {
        Some((asset, known)) => {
            let href = context.href(asset.id).unwrap_or_default();
            let cell = Cell::link(words::distinct(known, view), href).small(words::kept_in(known));
            token::noted(context, cell, known, true)
        }
        None => Cell::text("not in the inventory"),
    };
    let protection = object::protection(object, known.map(|(_, known)| known));
    let protection = protection.into_iter().fold(Cell::default(), |cell, said| {
        cell.classed(said.text, if said.open { "strong" } else { "" })
    });
    let usages = object::usages(object);
    let none = if object.usages.is_empty() { "not told" } else { "nothing" };
    let may = Cell::text(if usages.is_empty() { none.to_owned() } else { usages.join(", ") });
    let certified = spki.map_or(&[][..], |spki| view.certificates_of(spki));
    let certified = certified.iter().fold(Cell::default(), |cell, other| {
        cell.linked(titles::asset(other), context.href(other.id).unwrap_or_default())
    });
    let others = spki.map(|spki| view.private_places(spki)).unwrap_or_default();
    let elsewhere = others.iter().filter(|(_, at)| at.place.token_part().is_none()).count();
    let certified = match elsewhere {
        0 => certified,
        1 => certified.classed("also in a file: see the key", "strong"),
        more => certified.classed(format!("also in {more} files: see the key"), "strong"),
    };
    vec![
        name.classed(short(key.asset.id), "small code"),
        on,
        if whole {
            protection.opening("Attributes", attributes(object))
        } else {
            protection.small("its attributes are in the export")
        },
        may,
        certified,
    ]
}

fn attributes(object: &pki_inventory::TokenObject) -> Table {
    let mut table = Table::new("Attributes", &["Attribute", "Value"]);
    for (name, value) in object::attributes(object) {
        table.row("", vec![Cell::code(name), Cell::text(value)]);
    }
    table
}
