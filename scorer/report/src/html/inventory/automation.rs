//! Traces of automation.

use pki_inventory::{Asset, Automation};

use super::super::Context;
use super::super::table::Cell;
use super::{told, when, with_id};
use crate::told::Told;
use crate::{automation as words_of, titles};

pub(super) const HEAD: &[&str] =
    &["Automation", "For", "Issuance", "Renewal", "Places and when seen"];

/// So many names or paths in a cell.
const FIRST: usize = 10;

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Automation) -> Vec<Cell> {
    let view = &context.view;
    let (schedules, monitors) = words_of::helpers(body, view);
    let under = |word: &'static str, lines: Vec<Told>| {
        lines.into_iter().map(move |line| Told { text: format!("{word} {}", line.text), ..line })
    };
    let helpers =
        under("schedules of this tool", schedules).chain(under("watched by", monitors)).collect();
    let lines = words_of::renewing(body).into_iter().fold(Cell::default(), Cell::and);
    let managed = words_of::managed(asset, body, view);
    let domains = first(Cell::default(), &body.domains, "");
    vec![
        with_id(Cell::text(titles::asset(asset)).small(words_of::role(body.role)), asset),
        told(context, first(domains, &body.manages, "small code"), managed),
        words_of::asking(body)
            .into_iter()
            .fold(Cell::default(), |cell, (what, text)| cell.small(what).classed(text, "code")),
        told(context, lines, helpers),
        Cell::places(asset.places()).classed(when(asset), "small nowrap"),
    ]
}

/// The first few of many texts.
fn first(cell: Cell, texts: &[String], class: &'static str) -> Cell {
    let cell = texts.iter().take(FIRST).fold(cell, |cell, text| cell.classed(text.clone(), class));
    match texts.len().saturating_sub(FIRST) {
        0 => cell,
        rest => cell.small(format!("and {rest} more in the export")),
    }
}
