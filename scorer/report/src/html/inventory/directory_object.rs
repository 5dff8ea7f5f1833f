//! Other objects of directories.

use pki_inventory::{Asset, DirectoryObject};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::authority::{certificates, takeovers};
use super::{OPENED, left_out, told, when, with_id};
use crate::directory::{self, rows};

pub(super) const HEAD: &[&str] =
    &["Object", "Part", "What lies in it", "Who may change it", "Places and when seen"];

/// So many revocation lists or mappings in a cell.
const FIRST: usize = 5;

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &DirectoryObject) -> Vec<Cell> {
    let disabled = if body.enabled == Some(false) { "cannot log on" } else { "" };
    let administers = if body.administers == Some(true) { "marked as administrator" } else { "" };
    let may = match &body.access {
        Some(access) => takeovers(Cell::default(), access),
        None => Cell::default().small("not read"),
    };
    vec![
        with_id(Cell::default().classed(body.name.clone(), "strong"), asset),
        Cell::text(directory::role(body.role)).small(disabled).small(administers),
        holds(context, body),
        may,
        Cell::places(asset.places()).classed(when(asset), "small nowrap"),
    ]
}

fn holds(context: &Context<'_>, body: &DirectoryObject) -> Cell {
    let as_of = context.document.assessment.as_of;
    let cell = certificates(context, &body.certificates, Some(as_of));
    let lists = body.lists.iter().take(FIRST);
    let lists = lists.map(|digest| directory::list(*digest, &context.view)).collect();
    let cell = told(context, cell, lists);
    let cell = match body.lists.len().saturating_sub(FIRST) {
        0 => cell,
        rest => cell.small(format!("and {rest} more revocation lists in the export")),
    };
    let cell = cell.classed(body.oid.clone().unwrap_or_default(), "code");
    let cell = cell.small(rows::linked(body).unwrap_or_default());
    let mappings = body.mappings.iter().take(FIRST);
    let cell = mappings.fold(cell, |cell, mapping| cell.and(directory::mapping(mapping)));
    if body.mappings.len() <= FIRST {
        return cell;
    }
    let mut table = Table::new("More mappings", &["Mapping"]);
    for mapping in body.mappings.iter().skip(FIRST).take(OPENED) {
        table.row("", vec![Cell::text(directory::mapping(mapping))]);
    }
    table.left_out = left_out(body.mappings.len() - FIRST - table.rows.len());
    cell.opening("More mappings", table)
}
