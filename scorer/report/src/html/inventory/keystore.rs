//! Keystores.

use pki_inventory::{Asset, Keystore, Sighting};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::{OPENED, left_out, sightings, small, told, when, with_id};
use crate::told::Told;
use crate::{keystore as words_of, sighting, titles};

pub(super) const HEAD: &[&str] =
    &["Keystore", "Lock", "Integrity and protection", "Entries", "Places and when seen"];

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Keystore) -> Vec<Cell> {
    let places: Vec<&Sighting> = asset.sightings().collect();
    let integrity = body.integrity.clone().unwrap_or_else(|| "integrity not stated".to_owned());
    let entries = Cell::text(words_of::entries(body));
    let entries = if body.entries.is_empty() {
        entries
    } else {
        entries.opening("Entries", list(context, body))
    };
    vec![
        with_id(Cell::text(titles::asset(asset)), asset),
        Cell::text(words_of::lock(&body.lock)),
        small(Cell::text(integrity), words_of::protection(body)),
        entries,
        sightings(Cell::default(), &places, |at| sighting::circumstances(at, &context.view))
            .classed(when(asset), "small nowrap"),
    ]
}

fn list(context: &Context<'_>, body: &Keystore) -> Table {
    let mut table = Table::new("Entries of the keystore", &["Entry", "What lies there"]);
    for entry in body.entries.iter().take(OPENED) {
        let name = entry.alias.clone().unwrap_or_else(|| "without a name".to_owned());
        let created = entry.created.map(|at| format!("put in on {}", at.date()));
        let assets = entry.assets.iter().map(|id| Told::asset(*id, &context.view));
        table.row(
            "",
            vec![
                Cell::text(name)
                    .small(words_of::holds(entry.holds))
                    .small(created.unwrap_or_default()),
                told(context, Cell::default(), assets.collect()),
            ],
        );
    }
    table.left_out = left_out(body.entries.len() - table.rows.len());
    table
}
