//! Configured cryptography.

use pki_inventory::{Asset, Configuration};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::{OPENED, left_out, when, with_id};
use crate::{configuration as words_of, titles, words};

pub(super) const HEAD: &[&str] = &[
    "Configuration",
    "Listens and names",
    "Versions and suites",
    "Certificates and keys",
    "What endpoints show",
];

/// So many assets of one file, and names of a server, in a cell.
const FIRST: usize = 5;

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Configuration) -> Vec<Cell> {
    let listens = body.listens.iter().map(words_of::listens).fold(Cell::default(), Cell::and);
    let names = body.server_names.iter().take(FIRST).cloned().fold(listens, Cell::small);
    let names = match body.server_names.len().saturating_sub(FIRST) {
        0 => names,
        rest => names.small(format!("and {rest} more names in the export")),
    };
    let suites = body.suites.clone();
    let versions = Cell::text(words_of::versions(body))
        .classed(suites.clone().unwrap_or_default(), "small code")
        .small(if suites.is_none() { "suites left to the program" } else { "" });
    let versions = if body.settings.is_empty() {
        versions
    } else {
        versions.opening("Other settings", settings(body))
    };
    let name = with_id(Cell::text(titles::asset(asset)), asset);
    let name = asset.places().fold(name, |cell, place| cell.classed(place.to_string(), "code"));
    let name = name.small(format!("line {}", body.line)).classed(when(asset), "small nowrap");
    let unresolved = body.unresolved.iter().take(FIRST);
    let name = unresolved.fold(name, |cell, what| cell.small(format!("not followed: {what}")));
    let name = match body.unresolved.len().saturating_sub(FIRST) {
        0 => name,
        rest => name.small(format!("not followed: {rest} more in the export")),
    };
    vec![name, names, versions, files(context, asset, body), endpoints(context, asset)]
}

fn settings(body: &Configuration) -> Table {
    let mut table = Table::new("Other settings of cryptography", &["Setting"]);
    for (name, value) in body.settings.iter().take(OPENED) {
        table.row("", vec![Cell::code(format!("{name} = {value}"))]);
    }
    table.left_out = left_out(body.settings.len() - table.rows.len());
    table
}

fn files(context: &Context<'_>, asset: &Asset, body: &Configuration) -> Cell {
    let view = &context.view;
    let files = words_of::files(asset, body, view).into_iter();
    files.fold(Cell::default(), |cell, file| {
        let cell = cell.small(file.what).classed(file.path, "code");
        if file.assets.is_empty() {
            return cell.small("nothing was seen there");
        }
        let cell = file.assets.iter().take(FIRST).fold(cell, |cell, id| {
            cell.linked(titles::by_id(*id, view), context.href(*id).unwrap_or_default())
        });
        match file.assets.len().saturating_sub(FIRST) {
            0 => cell,
            rest => cell
                .small(format!("and {} more", words::count(rest, "certificate", "certificates"))),
        }
    })
}

/// The endpoints that belong to it, and how they stand to it.
fn endpoints(context: &Context<'_>, asset: &Asset) -> Cell {
    let all = context.view.endpoints_of(asset);
    let cell = all.iter().take(FIRST).fold(Cell::default(), |cell, endpoint| {
        let cell =
            cell.linked(titles::asset(endpoint), context.href(endpoint.id).unwrap_or_default());
        compared(context, cell, endpoint)
    });
    match all.len().saturating_sub(FIRST) {
        0 if all.is_empty() => cell.small("none is known to belong to it"),
        0 => cell,
        rest => cell.small(format!("and {rest} more in the export")),
    }
}

/// What agrees, what differs and what was not compared.
pub(super) fn compared(context: &Context<'_>, cell: Cell, endpoint: &Asset) -> Cell {
    let Some(found) = words_of::comparison(endpoint, &context.view) else { return cell };
    let cell = found.answers.into_iter().fold(cell, Cell::small);
    found.drifts.into_iter().fold(cell, |cell, drift| cell.and(words::capital(&words::stop(drift))))
}
