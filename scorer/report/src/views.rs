//! Tables for a terminal: what directories hold of a PKI, its authorities with the hierarchy of
//! their certificates and its templates; and the tokens with the keys on them and elsewhere.

mod keys;
mod tokens;

use pki_inventory::{Access, Authority, Inventory, Template, Time, View, hierarchy};

use crate::directory::{self, access};
use crate::list::column;
use crate::plain::Plain;
use crate::{hierarchy as tree, words};

pub use keys::keys;
pub use tokens::tokens;

/// The column that what stands under a row begins in.
const COLUMN: usize = 20;

/// Every authority that a directory registers, and below them the CA certificates of the inventory
/// as a tree, as of this instant. No line is wider than 100 columns.
#[must_use]
pub fn cas(inventory: &Inventory, view: &View<'_>, as_of: Time) -> String {
    let mut plain = Plain::fitting();
    let mut all: Vec<_> = view.authorities().to_vec();
    all.sort_by_cached_key(|(asset, body)| (body.name.to_lowercase(), asset.id));
    plain.heading(&format!("Authorities in directories: {}", all.len()));
    if all.is_empty() {
        plain.line(2, "No directory that was read registers one.");
    } else {
        plain.line(2, &row(["Name", "Host", "Last certificate", "Templates"], [30, 28, 20, 9]));
    }
    for (_, body) in all {
        authority(&mut plain, body, view, as_of);
    }
    let gaps = inventory.gaps().filter(|gap| gap.collector == "directory").count();
    if gaps > 0 {
        let places = words::count(gaps, "place", "places");
        plain.line(2, &format!("Asked for in directories and not read: {places}."));
    }
    let nodes = hierarchy(view);
    plain.heading(&format!(
        "Hierarchy: {}",
        words::count(nodes.len(), "CA certificate", "CA certificates")
    ));
    if nodes.is_empty() {
        plain.line(2, "No CA certificate was seen but in trust stores.");
        return plain.finish();
    }
    plain.line(2, "By names and key identifiers; no signature was verified.");
    plain.blank();
    plain.finish() + &tree::tree(&nodes, as_of, 2)
}

fn authority(plain: &mut Plain, body: &Authority, view: &View<'_>, as_of: Time) {
    let known = body.certificates.iter().filter_map(|digest| view.certificate(*digest));
    let last = known.map(|(_, one)| one).max_by_key(|one| one.not_after);
    let last = last.map_or_else(|| "-".to_owned(), |one| directory::end(one, Some(as_of)));
    let (host, count) = (body.host.as_deref().unwrap_or("-"), body.templates.len().to_string());
    plain.line(2, &row([&body.name, host, &last, &count], [30, 28, 20, 9]));
    let missing = directory::published(body, view).into_iter().filter(|one| one.asset.is_none());
    for one in missing {
        plain.field(6, COLUMN, "publishes", &one.text);
    }
    may(plain, body.access.as_ref());
}

/// Every certificate template, the published ones first. No line is wider than 100 columns.
#[must_use]
pub fn templates(view: &View<'_>) -> String {
    let mut plain = Plain::fitting();
    let mut all: Vec<_> = view
        .templates()
        .map(|(asset, body)| (directory::publishers(body, view), asset.id, body))
        .collect();
    let is_published = |by: &[crate::told::Told]| by.iter().any(|one| one.asset.is_some());
    all.sort_by_cached_key(|(by, id, body)| (!is_published(by), body.name.to_lowercase(), *id));
    let published = all.iter().filter(|(by, _, _)| is_published(by)).count();
    plain.heading(&format!("Certificate templates: {}, of them published: {published}", all.len()));
    if all.is_empty() {
        plain.line(2, "No directory that was read has one.");
        return plain.finish();
    }
    let widths = [36, 6, 9, 8, 5, 10, 10];
    let head = ["Name", "Schema", "Subject", "Approval", "Bits", "Key", "Valid"];
    plain.line(2, &row(head, widths));
    for (by, _, body) in &all {
        let schema = body.schema_version.unwrap_or(1).to_string();
        let bits = body.minimal_key_bits.filter(|bits| *bits > 0);
        let bits = bits.map_or_else(|| "-".to_owned(), |bits| bits.to_string());
        let valid = body.validity_secs.map_or_else(|| "-".to_owned(), directory::period);
        let cells =
            [&body.name, schema.as_str(), subject(body), &approval(body), &bits, key(body), &valid];
        plain.line(2, &row(cells, widths));
        plain.field(6, COLUMN, "usages", &directory::purposes(body).join(", "));
        let by: Vec<&str> = by.iter().map(|one| one.text.as_str()).collect();
        plain.field(6, COLUMN, "published by", &by.join(", "));
        may(&mut plain, body.access.as_ref());
    }
    plain.blank();
    plain.line(
        2,
        "Subject: who supplies the names. Particular trustees are named, privileged ones counted.",
    );
    plain.finish()
}

/// Who may enrol and, beyond those who administer everything, who may take it over.
fn may(plain: &mut Plain, access: Option<&Access>) {
    plain.field(6, COLUMN, "enrol", &access::short(access, access::enrols).join(", "));
    let Some(access) = access else { return };
    let others: Vec<String> = access::unprivileged(access, pki_inventory::Right::is_takeover);
    if !others.is_empty() {
        plain.field(6, COLUMN, "take over", &others.join(", "));
    }
}

fn subject(body: &Template) -> &'static str {
    use pki_inventory::name_flag::{ENROLLEE_SUPPLIES_ALTERNATIVE_NAME, ENROLLEE_SUPPLIES_SUBJECT};
    match body.names(ENROLLEE_SUPPLIES_SUBJECT | ENROLLEE_SUPPLIES_ALTERNATIVE_NAME) {
        None => "-",
        Some(true) => "enrollee",
        Some(false) => "directory",
    }
}

fn approval(body: &Template) -> String {
    let agents = body.agent_signatures.unwrap_or_default();
    match (body.enrols(pki_inventory::enrolment_flag::PEND_ALL_REQUESTS), agents) {
        (Some(true), _) => "manager".to_owned(),
        (_, 1..) => words::count(agents as usize, "agent", "agents"),
        (Some(false), 0) => "none".to_owned(),
        (None, 0) => "-".to_owned(),
    }
}

fn key(body: &Template) -> &'static str {
    match body.keys(pki_inventory::private_key_flag::EXPORTABLE) {
        Some(true) => "exportable",
        Some(false) => "stays",
        None => "-",
    }
}

fn row<const N: usize>(cells: [&str; N], widths: [usize; N]) -> String {
    let cells = cells.into_iter().zip(widths);
    let cells: Vec<String> = cells.map(|(cell, width)| column(cell, width)).collect();
    cells.join("  ")
}
