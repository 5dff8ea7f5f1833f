//! Authorities that directories register.

use pki_inventory::{Asset, Authority, Right};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::{OPENED, left_out, told, when, with_id};
use crate::directory::{self, access};
use crate::told::Told;

pub(super) const HEAD: &[&str] =
    &["Authority", "Host", "Certificates", "Publishes", "Who may", "Places and when seen"];

/// So many templates in a cell.
const FIRST: usize = 8;

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Authority) -> Vec<Cell> {
    let (view, as_of) = (&context.view, context.document.assessment.as_of);
    let name = Cell::default().classed(body.name.clone(), "strong");
    let host = Cell::text(body.host.clone().unwrap_or_else(|| "not stated".to_owned()));
    let urls = body.enrolment_urls.iter().take(FIRST).cloned();
    let host = urls.fold(host, |cell, url| cell.classed(url, "small code"));
    let host = match body.enrolment_urls.len().saturating_sub(FIRST) {
        0 => host,
        rest => host.small(format!("and {rest} more in the export")),
    };
    vec![
        with_id(name.small(body.subject.clone().unwrap_or_default()), asset),
        host,
        certificates(context, &body.certificates, Some(as_of)),
        published(context, directory::published(body, view)),
        may(body.access.as_ref()),
        Cell::places(asset.places()).classed(when(asset), "small nowrap"),
    ]
}

/// Certificates with their ends, the first few in the cell.
pub(super) fn certificates(
    context: &Context<'_>,
    digests: &[pki_inventory::Digest],
    as_of: Option<pki_inventory::Time>,
) -> Cell {
    let first = digests.iter().take(FIRST);
    let lines = first.map(|digest| directory::certificate(*digest, &context.view, as_of)).collect();
    let cell = told(context, Cell::default(), lines);
    match digests.len().saturating_sub(FIRST) {
        0 => cell,
        rest => cell.small(format!("and {rest} more in the export")),
    }
}

fn published(context: &Context<'_>, mut lines: Vec<Told>) -> Cell {
    if lines.is_empty() {
        return Cell::default().small("no template");
    }
    let rest = lines.split_off(lines.len().min(FIRST));
    let cell = told(context, Cell::default(), lines);
    if rest.is_empty() {
        return cell;
    }
    let (count, mut table) = (rest.len(), Table::new("More templates", &["Template"]));
    for line in rest.into_iter().take(OPENED) {
        table.row("", vec![told(context, Cell::default(), vec![line])]);
    }
    table.left_out = left_out(count - table.rows.len());
    cell.opening("More templates", table)
}

/// Who may enrol and who may take the object over; all of it where it opens.
pub(super) fn may(access: Option<&pki_inventory::Access>) -> Cell {
    let Some(access) = access else { return Cell::default().small("not read") };
    let cell = access::short(Some(access), access::enrols)
        .into_iter()
        .fold(Cell::default().classed("enrol", "small who"), Cell::and);
    let auto = access::unprivileged(access, access::auto_enrols);
    let cell = if auto.is_empty() { cell } else { cell.small("auto-enrol") };
    let cell = auto.into_iter().fold(cell, Cell::and);
    takeovers(cell, access)
}

/// Who may take it over, beyond those who administer everything; all of it where it opens.
pub(super) fn takeovers(cell: Cell, access: &pki_inventory::Access) -> Cell {
    let others = access::unprivileged(access, Right::is_takeover);
    let cell = if others.is_empty() {
        cell.small("take over: privileged ones only")
    } else {
        others.into_iter().fold(cell.small("take over"), |cell, who| cell.classed(who, "strong"))
    };
    let doubts = access.unresolved.iter().chain(&access.not_evaluated);
    let cell = doubts.fold(cell, |cell, doubt| cell.small(doubt.clone()));
    let lines = access::lines(access, |_| true, true);
    if lines.is_empty() {
        return cell;
    }
    let mut table = Table::new("Everybody who may do something", &["Who and what"]);
    for line in lines.iter().take(OPENED) {
        table.row("", vec![Cell::text(line.clone())]);
    }
    table.left_out = left_out(lines.len() - table.rows.len());
    cell.opening("Everybody", table)
}
