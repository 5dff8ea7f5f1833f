//! Trust stores and their members.

use std::collections::BTreeSet;

use pki_inventory::{Asset, AssetId, Kind, TrustStore};

use super::super::table::{Cell, Table};
use super::super::{Context, ROWS, anchor};
use super::{Store, folded, left_out, seen, short, with_id};
use crate::members::{self, Counts};
use crate::titles;

pub(super) const HEAD: &[&str] =
    &["Trust store", "Members", "What speaks against members", "Places", "Seen"];

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &TrustStore) -> Vec<Cell> {
    let found = members::sorted(body, &context.view, context.document.assessment.as_of);
    let lines = Counts::of(&found).lines();
    let against = if lines.is_empty() { Cell::text("nothing") } else { Cell::default() };
    vec![
        with_id(Cell::text("Trust store"), asset),
        Cell::number(body.members.len()),
        lines.into_iter().fold(against, Cell::and),
        Cell::places(asset.places()),
        seen(asset),
    ]
}

/// Every member with what speaks against it; those with something first.
pub(super) fn members(
    context: &Context<'_>,
    asset: &Asset,
    body: &TrustStore,
    anchored: &mut BTreeSet<AssetId>,
) -> Store {
    let mut table =
        Table::new("Members", &["Certificate", "Key", "Signature", "Valid until", "Against it"]);
    let found = members::sorted(body, &context.view, context.document.assessment.as_of);
    for member in found.iter().take(ROWS) {
        let id = AssetId::new(Kind::Certificate, member.sha256);
        let Some(facts) = &member.facts else {
            let name = Cell::text("Not in the inventory").classed(short(id), "small code");
            table.row("", vec![name]);
            continue;
        };
        let certificate = facts.certificate;
        let known = context.document.inventory.get(id);
        let here = known.is_some_and(|known| folded(context, known)) && anchored.insert(id);
        let name = certificate.display_name();
        let name = match context.href(id) {
            Some(href) if !here => Cell::link(name, href),
            _ => Cell::text(name),
        };
        table.row(
            if here { anchor(id) } else { String::new() },
            vec![
                name.small(certificate.subject.text.clone()).classed(short(id), "small code"),
                Cell::text(certificate.key.label()),
                Cell::text(certificate.signature.name.clone()),
                Cell::date(certificate.not_after.date()),
                members::against(facts)
                    .into_iter()
                    .fold(Cell::default(), |cell, line| cell.classed(line, "strong")),
            ],
        );
    }
    table.left_out = left_out(found.len() - table.rows.len());
    let mut name = titles::asset(asset);
    let lines = Counts::of(&found).lines();
    if !lines.is_empty() {
        name.push_str(&format!(" ({})", lines.join(", ")));
    }
    Store { name, members: table }
}
