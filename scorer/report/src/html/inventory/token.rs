//! Tokens: the list of devices, and what is known to be odd about the answers of some.

use std::collections::BTreeMap;

use pki_inventory::{Asset, Body, Kind, Token};

use super::super::table::{Cell, Table};
use super::super::{Context, anchor};
use super::{OPENED, left_out, shown, small, token_key, when, with_id};
use crate::token;

pub(super) const HEAD: &[&str] =
    &["Device", "Serial, versions, certification", "Kept in and where", "Login and PIN", "Holds"];

/// The section about devices.
pub(in crate::html) struct Devices {
    pub(in crate::html) count: usize,
    pub(in crate::html) table: Table,
    pub(in crate::html) keys: Table,
    /// How many keys there are in all.
    pub(in crate::html) key_count: usize,
    pub(in crate::html) notes: Vec<Note>,
}

/// A footnote.
pub(in crate::html) struct Note {
    pub(in crate::html) id: String,
    pub(in crate::html) text: String,
}

/// The devices, or nothing where no token was seen.
pub(in crate::html) fn devices(context: &Context<'_>) -> Option<Devices> {
    let (assets, all) = shown(context, Kind::Token);
    if all == 0 {
        return None;
    }
    let mut table = Table::new("Devices", HEAD);
    for asset in &assets {
        table.row(anchor(asset.id), super::row(context, asset));
        if let Body::Token(body) = &asset.body {
            table.below(mechanisms(body));
        }
    }
    table.left_out = left_out(all - assets.len());
    let mut numbered: Vec<(usize, &String)> =
        context.notes.iter().map(|(text, number)| (*number, text)).collect();
    numbered.sort_unstable();
    let note = |(number, text): (usize, &String)| Note { id: note_id(number), text: text.clone() };
    let notes = numbered.into_iter().map(note).collect();
    let (keys, key_count) = token_key::table(context);
    Some(Devices { count: all, table, keys, key_count, notes })
}

/// What is known to be odd about any token that is shown, numbered in the order of the rows.
pub(in crate::html) fn notes(context: &Context<'_>) -> BTreeMap<String, usize> {
    let mut notes = BTreeMap::new();
    for asset in shown(context, Kind::Token).0 {
        let Body::Token(body) = &asset.body else { continue };
        for quirk in token::odd(body) {
            let next = notes.len() + 1;
            notes.entry(token::quirk(quirk)).or_insert(next);
        }
    }
    notes
}

fn note_id(number: usize) -> String {
    format!("device-note-{number}")
}

/// The notes about a token, by number; where it is told of objects on it those alone that are about
/// them.
pub(super) fn noted(context: &Context<'_>, cell: Cell, body: &Token, of_objects: bool) -> Cell {
    let wanted = token::odd(body).filter(|quirk| !of_objects || token::is_of_objects(quirk.oddity));
    let numbers = wanted.filter_map(|quirk| context.notes.get(&token::quirk(quirk)));
    numbers.fold(cell, |cell, number| {
        cell.linked(format!("known to be odd: note {number}"), format!("#{}", note_id(*number)))
    })
}

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Token) -> Vec<Cell> {
    let name = Cell::default()
        .classed(token::name(body), "strong")
        .classed(token::product(body), "small who");
    let version = |what: &str, version: &Option<String>| {
        version.as_ref().map_or_else(|| format!("{what} not stated"), |it| format!("{what} {it}"))
    };
    let told = token::serial(body);
    let none = if told.number.is_none() && told.odd.is_none() { "no serial number" } else { "" };
    let serial = Cell::code(told.number.unwrap_or_default())
        .small(told.odd.unwrap_or_default())
        .small(none)
        .small(version("hardware", &body.hardware_version))
        .small(version("firmware", &body.firmware_version));
    let place = Cell::text(token::kept_in_words(body)).classed(body.module.path.clone(), "code");
    let place = place.small(token::module(&body.module)).small(token::slot(&body.slot));
    vec![
        noted(context, with_id(name, asset), body, false),
        certified(serial, body),
        asset.places().fold(place, |cell, at| cell.classed(at.to_string(), "small code")),
        login(context, asset, body),
        holds(body).small(when(asset)),
    ]
}

/// How far it let itself be read, what it says of its PINs, and what was not read for it.
fn login(context: &Context<'_>, asset: &Asset, body: &Token) -> Cell {
    let cell = Cell::text(crate::words::capital(&token::login(body.login)));
    let cell = token::pins(body).into_iter().fold(cell, |cell, line| cell.classed(line, "strong"));
    let cell = small(cell, token::flags(body).into_iter().map(str::to_owned));
    let mut gaps: Vec<_> =
        asset.places().flat_map(|place| token::gaps(place, &context.view)).collect();
    let rest = gaps.split_off(gaps.len().min(OPENED)).len();
    if gaps.is_empty() {
        return cell;
    }
    // One column: there is no room for two in a cell.
    let mut table = Table::new("Not read", &["Why and where"]);
    for gap in gaps {
        let why = Cell::text(gap.reason.to_string()).small(gap.detail.clone());
        table.row("", vec![why.classed(gap.place.to_string(), "small code")]);
    }
    table.left_out = left_out(rest);
    cell.opening("Not read", table)
}

fn holds(body: &Token) -> Cell {
    let objects = token::objects(body);
    let none = if objects.is_empty() { "nothing was seen" } else { "" };
    let cell = objects.into_iter().fold(Cell::default(), Cell::and).small(none);
    let memory = [("public", body.public_memory), ("private", body.private_memory)];
    memory.into_iter().fold(cell, |cell, (what, memory)| {
        cell.small(memory.map_or_else(String::new, |it| format!("{what}: {}", token::memory(it))))
    })
}

/// The certifications that it states of itself.
fn certified(cell: Cell, body: &Token) -> Cell {
    if body.validations.is_empty() {
        return cell.small("the device states no certification");
    }
    body.validations.iter().map(token::validation).fold(cell, Cell::and).small(token::UNVERIFIED)
}

/// Its mechanisms: there are too many for a column.
fn mechanisms(body: &Token) -> Cell {
    let cell = Cell::default();
    let Some(mechanisms) = &body.mechanisms else { return cell.small("mechanisms not told") };
    if mechanisms.is_empty() {
        return cell.small("no mechanism");
    }
    let mut table = Table::new("Mechanisms", &["Mechanism", "Keys", "For", "Done by"]);
    for mechanism in mechanisms.iter().take(OPENED) {
        table.row(
            "",
            vec![
                Cell::code(token::mechanism(mechanism)),
                Cell::text(token::sizes(mechanism).unwrap_or_else(|| "–".to_owned())),
                Cell::text(mechanism.uses.join(", ")),
                Cell::text(token::done_by(mechanism)),
            ],
        );
    }
    table.left_out = left_out(mechanisms.len() - table.rows.len());
    let many = mechanisms.len();
    let said = crate::words::count(many, "mechanism", "mechanisms");
    cell.small(said).opening("Mechanisms", table)
}
