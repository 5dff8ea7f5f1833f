//! What was seen, a section for each kind.

mod authority;
mod automation;
mod certificate;
mod configuration;
mod directory_object;
mod endpoint;
mod issuance;
mod key;
mod keystore;
mod template;
pub(super) mod token;
mod token_key;
mod trust_store;

use std::collections::BTreeSet;

use pki_inventory::{Asset, AssetId, Body, Kind, Role, Sighting};

use super::table::{Cell, Table};
use super::{Context, ROWS, anchor};
use crate::told::Told;
use crate::{members, titles, words};

/// So many rows of a table that opens in a cell.
const OPENED: usize = 200;

pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) heading: String,
    pub(super) note: String,
    pub(super) table: Table,
    pub(super) stores: Vec<Store>,
}

/// The members of a trust store, which have no rows of their own.
pub(super) struct Store {
    pub(super) name: String,
    pub(super) members: Table,
}

/// Trust anchors that are nothing else here are listed with their store only: 150 roots of an
/// operating system must not drown what the organisation has to renew.
fn folded(context: &Context<'_>, asset: &Asset) -> bool {
    asset.certificate().is_some_and(|certificate| {
        context.view.is_anchor(asset.id) && context.view.role(asset, certificate) == Role::Authority
    })
}

/// The assets of one kind that have a row, by name, and how many there are in all.
fn shown<'a>(context: &Context<'a>, kind: Kind) -> (Vec<&'a Asset>, usize) {
    let of_kind = context.document.inventory.assets().filter(|asset| asset.id.kind == kind);
    let mut rows: Vec<&Asset> = of_kind.filter(|asset| !folded(context, asset)).collect();
    let all = rows.len();
    // What the whole world knows is test material mostly; where rows are left out, it goes first.
    rows.sort_by_cached_key(|asset| {
        let known = !titles::known(asset).is_empty();
        (known, titles::by_id(asset.id, &context.view), asset.id)
    });
    rows.truncate(ROWS);
    (rows, all)
}

/// Every asset that the page describes somewhere.
pub(super) fn rows(context: &Context<'_>) -> BTreeSet<AssetId> {
    let mut rows = BTreeSet::new();
    for kind in Kind::ALL {
        rows.extend(shown(context, *kind).0.iter().map(|asset| asset.id));
    }
    for asset in context.document.inventory.assets() {
        if let Body::TrustStore(store) = &asset.body {
            let found = members::sorted(store, &context.view, context.document.assessment.as_of);
            let ids = found
                .iter()
                .take(ROWS)
                .map(|member| AssetId::new(Kind::Certificate, member.sha256));
            let known = ids.filter_map(|id| context.document.inventory.get(id));
            rows.extend(known.filter(|one| folded(context, one)).map(|one| one.id));
        }
    }
    rows
}

pub(super) fn sections(context: &Context<'_>) -> Vec<Section> {
    // A member of two stores is anchored at the first.
    let mut anchored = BTreeSet::new();
    titles::counts(context.document.inventory)
        .into_iter()
        // Tokens have a section of their own.
        .filter(|(kind, count)| *count > 0 && *kind != Kind::Token)
        .map(|(kind, count)| {
            let (assets, all) = shown(context, kind);
            let mut table = Table::new(words::capital(words::kinds(kind)), head(kind));
            for asset in &assets {
                table.row(anchor(asset.id), row(context, asset));
            }
            if all > assets.len() {
                table.left_out = format!(
                    "{} more of {all} are in `pkimm-agent inventory export`.",
                    all - assets.len()
                );
            }
            let note = match count - all {
                0 => String::new(),
                folded => format!("{folded} more are listed with the trust stores they lie in."),
            };
            let stores = assets.iter().filter_map(|asset| match &asset.body {
                Body::TrustStore(body) => {
                    Some(trust_store::members(context, asset, body, &mut anchored))
                }
                _ => None,
            });
            Section {
                id: kind.name(),
                heading: format!("{} ({count})", words::capital(words::kinds(kind))),
                note,
                stores: stores.collect(),
                table,
            }
        })
        .collect()
}

fn head(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Authority => authority::HEAD,
        Kind::Automation => automation::HEAD,
        Kind::Certificate => certificate::HEAD,
        Kind::Configuration => configuration::HEAD,
        Kind::DirectoryObject => directory_object::HEAD,
        Kind::Endpoint => endpoint::HEAD,
        Kind::Issuance => issuance::HEAD,
        Kind::Key => key::HEAD,
        Kind::Keystore => keystore::HEAD,
        Kind::RevocationList => &["Issuer", "Made", "Next due", "Entries", "Signature", "Places"],
        Kind::SecretKey => token_key::HEAD,
        Kind::SigningRequest => &["Subject", "Key", "Places", "Seen"],
        Kind::Template => template::HEAD,
        Kind::Token => token::HEAD,
        Kind::TrustStore => trust_store::HEAD,
        Kind::Unparsed => &["Claimed to be", "Octets", "Why it could not be read", "Places"],
    }
}

fn row(context: &Context<'_>, asset: &Asset) -> Vec<Cell> {
    let places = || Cell::places(asset.places());
    match &asset.body {
        Body::Authority(body) => authority::row(context, asset, body),
        Body::Automation(body) => automation::row(context, asset, body),
        Body::Certificate(body) => certificate::row(context, asset, body),
        Body::Configuration(body) => configuration::row(context, asset, body),
        Body::DirectoryObject(body) => directory_object::row(context, asset, body),
        Body::Endpoint(body) => endpoint::row(context, asset, body),
        Body::Issuance(body) => issuance::row(context, asset, body),
        Body::Key(body) => key::row(context, asset, body),
        Body::Keystore(body) => keystore::row(context, asset, body),
        Body::RevocationList(list) => vec![
            with_id(Cell::text(list.issuer.text.clone()), asset),
            Cell::date(list.this_update.date()),
            Cell::date(list.next_update.map_or_else(|| "–".to_owned(), |next| next.date())),
            Cell::number(list.entries),
            Cell::text(list.signature.name.clone()),
            places(),
        ],
        Body::SecretKey(body) => token_key::row(context, asset, body),
        Body::SigningRequest(request) => vec![
            with_id(Cell::text(request.subject.text.clone()), asset),
            Cell::text(request.key.label()),
            places(),
            seen(asset),
        ],
        Body::Template(body) => template::row(context, asset, body),
        Body::Token(body) => token::row(context, asset, body),
        Body::TrustStore(body) => trust_store::row(context, asset, body),
        Body::Unparsed(unparsed) => vec![
            with_id(Cell::text(unparsed.claimed.clone()), asset),
            Cell::number(unparsed.length),
            Cell::text(unparsed.error.clone()),
            places(),
        ],
    }
}

/// The cell that names an asset, with enough of its id to tell it apart.
fn with_id(cell: Cell, asset: &Asset) -> Cell {
    cell.classed(short(asset.id), "small code")
}

fn small(cell: Cell, lines: impl IntoIterator<Item = String>) -> Cell {
    lines.into_iter().fold(cell, Cell::small)
}

/// Lines, linked where they are about something that the page describes.
fn told(context: &Context<'_>, cell: Cell, lines: Vec<Told>) -> Cell {
    lines.into_iter().fold(cell, |cell, line| match line.asset {
        Some(id) => cell.linked(line.text, context.href(id).unwrap_or_default()),
        None => cell.small(line.text),
    })
}

/// Links to these assets under a word: `in` a keystore.
fn named(context: &Context<'_>, cell: Cell, word: &str, assets: &[&Asset]) -> Cell {
    assets.iter().fold(cell, |cell, asset| {
        let text = format!("{word} {}", titles::by_id(asset.id, &context.view));
        cell.linked(text, context.href(asset.id).unwrap_or_default())
    })
}

/// Places with what each told, the first few in the cell and more in a table that opens.
fn sightings(cell: Cell, sightings: &[&Sighting], words: impl Fn(&Sighting) -> String) -> Cell {
    const FIRST: usize = 5;
    let cell = sightings.iter().take(FIRST).fold(cell, |cell, sighting| {
        cell.classed(sighting.place.to_string(), "code").small(words(sighting))
    });
    if sightings.len() <= FIRST {
        return cell;
    }
    let mut table = Table::new("More places", &["Place"]);
    for sighting in sightings.iter().skip(FIRST).take(OPENED) {
        let (first, last) = (sighting.first_seen.date(), sighting.last_seen.date());
        let place = Cell::code(sighting.place.to_string()).small(words(sighting));
        table.row("", vec![place.small(format!("seen {first} to {last}"))]);
    }
    table.left_out = left_out(sightings.len() - FIRST - table.rows.len());
    cell.opening("More places", table)
}

/// What a table does not show; empty when it shows all.
fn left_out(rest: usize) -> String {
    if rest == 0 {
        return String::new();
    }
    format!("{rest} more are in `pkimm-agent inventory export`.")
}

/// First and last day on which it was seen anywhere.
fn days(asset: &Asset) -> (String, String) {
    let date = |time: Option<pki_inventory::Time>| time.map_or_else(String::new, |t| t.date());
    (date(asset.first_seen()), date(asset.last_seen()))
}

/// The same in words, where it has no column.
fn when(asset: &Asset) -> String {
    let (first, last) = days(asset);
    if first == last { format!("seen {first}") } else { format!("seen {first} to {last}") }
}

fn seen(asset: &Asset) -> Cell {
    let (first, last) = days(asset);
    let until = if first == last { String::new() } else { format!("to {last}") };
    Cell::date(first).classed(until, "nowrap")
}

/// Enough digits to tell it apart; commands take them too. The anchor of the row has all.
fn short(id: AssetId) -> String {
    format!("{}…", id.sha256.short())
}
