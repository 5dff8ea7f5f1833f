//! Certificates.

use pki_inventory::{Asset, Certificate, Sighting, signs};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::{named, sightings, when, with_id};
use crate::{automation, sighting, titles, words};

pub(super) const HEAD: &[&str] = &[
    "Certificate",
    "Issuer",
    "Key and signature",
    "Valid",
    "SCTs",
    "Role and renewal",
    "Places and when seen",
];

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Certificate) -> Vec<Cell> {
    const NAMES: usize = 10;
    let name = body.display_name();
    let mut cell = Cell::default().classed(name.clone(), "strong");
    let others: Vec<String> =
        body.names.iter().map(ToString::to_string).filter(|other| *other != name).collect();
    for other in others.iter().take(NAMES) {
        cell = cell.small(other.clone());
    }
    if others.len() > NAMES {
        cell = cell.small(format!("and {} more names in the export", others.len() - NAMES));
    }
    let broken = match body.broken_extensions.len() {
        0 => String::new(),
        count => words::count(count, "unreadable extension", "unreadable extensions"),
    };
    let end = if body.not_after < context.document.assessment.as_of { "expired" } else { "" };
    let self_signed = if body.is_self_signed() { "self-signed" } else { "" };
    let view = &context.view;
    let role = Cell::text(words::role(view.role(asset, body)));
    let places: Vec<&Sighting> = asset.sightings().collect();
    let kept = named(context, Cell::default(), "in", view.keystores_of(asset.id));
    vec![
        with_id(cell.small(titles::known(asset)), asset),
        Cell::text(body.issuer.text.clone()).small(self_signed),
        Cell::text(body.key.label()).and(body.signature.name.clone()).small(broken),
        Cell::date(body.not_before.date())
            .classed(format!("to {}", body.not_after.date()), "nowrap")
            .classed(end, "strong"),
        Cell::number(body.sct_logs.len()),
        renewal(context, role, asset, body),
        sightings(kept, &places, sighting::public).small(when(asset)),
    ]
}

/// How it is renewed, by what, and what tells.
fn renewal(context: &Context<'_>, cell: Cell, asset: &Asset, body: &Certificate) -> Cell {
    let view = &context.view;
    let Some(renewal) = automation::renewed(asset, body, view) else { return cell };
    let cell = cell.small(format!("renewal: {renewal}"));
    let cell = named(context, cell, "by", &view.automation_of(asset));
    let signs = signs(asset, body, view);
    if signs.is_empty() {
        return cell;
    }
    let mut table = Table::new("Signs of how it is renewed", &["Sign"]);
    for sign in signs {
        let (speaks, weight) = (automation::direction(&sign), automation::strength(&sign));
        let what = Cell::text(words::capital(&sign.what));
        table.row("", vec![what.small(format!("speaks for {speaks} renewal, {weight}"))]);
    }
    cell.opening("Signs", table)
}
