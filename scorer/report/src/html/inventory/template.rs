//! Certificate templates.

use pki_inventory::{Asset, Template, enrolment_flag, private_key_flag};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::authority::may;
use super::{told, when, with_id};
use crate::directory::{self, flags, usages};
use crate::told::Told;

pub(super) const HEAD: &[&str] = &[
    "Template",
    "Published by",
    "Usages",
    "Subject and key",
    "Validity and approval",
    "Who may",
    "Changed, places and when seen",
];

/// So many authorities, usages or names in a cell.
const FIRST: usize = 8;

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Template) -> Vec<Cell> {
    let view = &context.view;
    let name = Cell::default().classed(body.name.clone(), "strong");
    let other = body.display_name.clone().filter(|other| *other != body.name);
    let name = name.small(other.unwrap_or_default());
    let period = |what: &str, seconds: Option<i64>| {
        seconds.map_or_else(String::new, |seconds| format!("{what}{}", directory::period(seconds)))
    };
    let validity = body.validity_secs.map_or_else(
        || Cell::default().small("validity not stated"),
        |seconds| Cell::text(directory::period(seconds)),
    );
    let validity = validity.small(period("renewed before the end by ", body.renewal_secs));
    let mut publishers = directory::publishers(body, view);
    let rest = publishers.split_off(publishers.len().min(FIRST)).len();
    let published = told(context, Cell::default(), publishers);
    let published = if rest == 0 {
        published
    } else {
        published.small(format!("and {rest} more in the export"))
    };
    let successors = view.successors(body);
    let replaced = successors.iter().take(FIRST).map(|(other, template)| Told {
        text: format!("superseded by {}", template.name),
        asset: Some(other.id),
    });
    let changed = body.changed.map(|at| format!("changed {}", at.date()));
    let seen = Cell::default().small(changed.unwrap_or_default());
    let places = asset.places().take(FIRST);
    let seen = places.fold(seen, |cell, place| cell.classed(place.to_string(), "code"));
    vec![
        with_id(name.small(format!("schema {}", directory::schema(body))), asset),
        told(context, published, replaced.collect()),
        purposes(body),
        subject(body),
        directory::approval(body).into_iter().fold(validity, Cell::small),
        may(body.access.as_ref()),
        seen.classed(when(asset), "small nowrap"),
    ]
}

fn purposes(body: &Template) -> Cell {
    let all = directory::purposes(body);
    let cell = all.iter().take(FIRST).cloned().fold(Cell::default(), Cell::and);
    let cell = match all.len().saturating_sub(FIRST) {
        0 => cell,
        rest => cell.small(format!("and {rest} more in the export")),
    };
    cell.small(usages::key_usage(&body.key_usage).join(", "))
}

/// Who names the subject, what key there has to be, and every flag where it opens.
fn subject(body: &Template) -> Cell {
    let cell = Cell::text(directory::subject(body));
    let cell = directory::key(body).into_iter().fold(cell, Cell::small);
    let marked = [
        (body.keys(private_key_flag::ARCHIVAL), "the key is archived"),
        (body.keys(private_key_flag::LEGACY_PROVIDER), "by providers of the old interface"),
        (body.keys(private_key_flag::ATTESTATION_REQUIRED), "attestation is required"),
        (
            body.enrols(enrolment_flag::NO_SECURITY_EXTENSION),
            "certificates do not name the account's security identifier",
        ),
    ];
    let marked = marked.into_iter().filter(|(set, _)| *set == Some(true));
    let cell = marked.fold(cell, |cell, (_, what)| cell.small(what));
    let mut table = Table::new("Flags", &["Attribute", "What it says"]);
    for (name, bits, known) in [
        ("msPKI-Certificate-Name-Flag", body.name_flags, &flags::NAME),
        ("msPKI-Enrollment-Flag", body.enrolment_flags, &flags::ENROLMENT),
        ("msPKI-Private-Key-Flag", body.private_key_flags, &flags::PRIVATE_KEY),
        ("flags", body.general_flags, &flags::GENERAL),
    ] {
        let Some(bits) = bits else { continue };
        let name = Cell::code(name).classed(format!("0x{bits:08x}"), "code");
        let words = flags::words(bits, known);
        let none = if words.is_empty() { "none" } else { "" };
        table.row("", vec![name, words.into_iter().fold(Cell::text(""), Cell::and).small(none)]);
    }
    if table.rows.is_empty() { cell } else { cell.opening("Flags", table) }
}
