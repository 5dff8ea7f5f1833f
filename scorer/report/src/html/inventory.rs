//! What was seen, what was not read, and what has changed.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::{
    Asset, AssetId, Body, Certificate, Endpoint, Gap, GapReason, Handshake, Kind, Role, TrustStore,
    View,
};

use super::table::{Cell, Table};
use super::{Context, anchor};
use crate::{endpoint as words_of, facts, titles, words};

/// So many rows of one table on the page.
const ROWS: usize = 2_000;

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

pub(super) struct GapGroup {
    pub(super) reason: String,
    pub(super) heading: String,
    pub(super) meaning: &'static str,
    pub(super) table: Table,
}

pub(super) struct Changed {
    pub(super) since: String,
    pub(super) groups: Vec<(String, &'static str, Table)>,
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
    rows.sort_by_cached_key(|asset| (titles::by_id(asset.id, &context.view), asset.id));
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
            rows.extend(members(context, store).map(|member| member.id).take(ROWS));
        }
    }
    rows
}

/// The folded members of a store that are in the inventory.
fn members<'a>(context: &'a Context<'a>, store: &'a TrustStore) -> impl Iterator<Item = &'a Asset> {
    store
        .members
        .iter()
        .filter_map(|member| {
            context.document.inventory.get(AssetId::new(Kind::Certificate, *member))
        })
        .filter(|member| folded(context, member))
}

pub(super) fn sections(context: &Context<'_>) -> Vec<Section> {
    // A member of two stores is anchored at the first.
    let mut anchored = BTreeSet::new();
    titles::counts(context.document.inventory)
        .into_iter()
        .filter(|(_, count)| *count > 0)
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
                Body::TrustStore(body) => Some(store(context, asset, body, &mut anchored)),
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

fn store(
    context: &Context<'_>,
    asset: &Asset,
    body: &TrustStore,
    anchored: &mut BTreeSet<AssetId>,
) -> Store {
    let mut table = Table::new("Members", &["Certificate", "Key", "Signature", "Valid until"]);
    let mut rest = 0;
    for member in members(context, body) {
        let Some(certificate) = member.certificate() else { continue };
        if table.rows.len() == ROWS {
            rest += 1;
            continue;
        }
        let id = if anchored.insert(member.id) { anchor(member.id) } else { String::new() };
        table.row(
            id,
            vec![
                Cell::text(certificate.display_name())
                    .small(certificate.subject.text.clone())
                    .classed(short(member.id), "small code"),
                Cell::text(certificate.key.label()),
                Cell::text(certificate.signature.name.clone()),
                Cell::date(certificate.not_after.date()),
            ],
        );
    }
    if rest > 0 {
        table.left_out = format!("{rest} more are in `pkimm-agent inventory export`.");
    }
    let elsewhere = body.members.len() - table.rows.len() - rest;
    let name = match elsewhere {
        0 => titles::asset(asset),
        count => format!("{} ({count} of them in the table of certificates)", titles::asset(asset)),
    };
    Store { name, members: table }
}

fn head(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Certificate => &[
            "Certificate",
            "Issuer",
            "Key and signature",
            "Valid",
            "SCTs",
            "Role",
            "Places and when seen",
        ],
        Kind::Endpoint => &[
            "Endpoint",
            "Outcome",
            "Protocol versions",
            "Key exchange and status",
            "Chain",
            "Seen",
        ],
        Kind::Key => &["Key", "Algorithm", "Certified by", "Places and protection", "Seen"],
        Kind::RevocationList => &["Issuer", "Made", "Next due", "Entries", "Signature", "Places"],
        Kind::SigningRequest => &["Subject", "Key", "Places", "Seen"],
        Kind::TrustStore => &["Trust store", "Members", "Places", "Seen"],
        Kind::Unparsed => &["Claimed to be", "Octets", "Why it could not be read", "Places"],
    }
}

fn row(context: &Context<'_>, asset: &Asset) -> Vec<Cell> {
    let id = |cell: Cell| cell.classed(short(asset.id), "small code");
    let places = || Cell::places(asset.places());
    match &asset.body {
        Body::Certificate(body) => certificate(context, asset, body),
        Body::Endpoint(body) => endpoint(context, asset, body),
        Body::Key(key) => {
            let certified = key.spki.map_or(&[][..], |spki| context.view.certificates_of(spki));
            let certified = certified.iter().fold(Cell::default(), |cell, other| {
                cell.linked(titles::asset(other), context.href(other.id).unwrap_or_default())
            });
            let held = asset.sightings().take(5).fold(Cell::default(), |cell, sighting| {
                cell.classed(sighting.place.to_string(), "code")
                    .small(facts::circumstances(sighting))
            });
            let rest = asset.sightings().count().saturating_sub(5);
            let rest =
                if rest > 0 { format!("and {rest} more in the export") } else { String::new() };
            vec![
                id(Cell::text(titles::by_id(asset.id, &context.view))),
                Cell::text(
                    key.algorithm.as_ref().map_or_else(|| "not visible".to_owned(), |a| a.label()),
                ),
                certified,
                held.small(rest),
                seen(asset),
            ]
        }
        Body::RevocationList(list) => vec![
            id(Cell::text(list.issuer.text.clone())),
            Cell::date(list.this_update.date()),
            Cell::date(list.next_update.map_or_else(|| "–".to_owned(), |next| next.date())),
            Cell::number(list.entries),
            Cell::text(list.signature.name.clone()),
            places(),
        ],
        Body::SigningRequest(request) => vec![
            id(Cell::text(request.subject.text.clone())),
            Cell::text(request.key.label()),
            places(),
            seen(asset),
        ],
        Body::TrustStore(store) => vec![
            id(Cell::text("Trust store")),
            Cell::number(store.members.len()),
            places(),
            seen(asset),
        ],
        Body::Unparsed(unparsed) => vec![
            id(Cell::text(unparsed.claimed.clone())),
            Cell::number(unparsed.length),
            Cell::text(unparsed.error.clone()),
            places(),
        ],
    }
}

fn endpoint(context: &Context<'_>, asset: &Asset, body: &Endpoint) -> Vec<Cell> {
    let session = body.session();
    let small = |cell: Cell, lines: Vec<String>| lines.into_iter().fold(cell, Cell::small);
    let none = || Cell::text("–");
    let chain = session.map_or(&[][..], |session| &session.chain);
    let chain = chain.iter().fold(Cell::default(), |cell, digest| {
        let id = AssetId::new(Kind::Certificate, *digest);
        let href = context.href(id).unwrap_or_default();
        cell.linked(titles::by_id(id, &context.view), href)
    });
    let facts = words_of::chain(asset, body, &context.view);
    let anchors = words_of::trust_stores(body, &context.view);
    let facts = facts.map(|facts| {
        let lines = words_of::chain_lines(&facts, &context.view);
        lines.into_iter().chain(anchors).collect::<Vec<_>>()
    });
    let protocol = session.map_or_else(none, |session| {
        let settled = session.version.clone().unwrap_or_else(|| "not settled".to_owned());
        Cell::text(settled).classed(session.cipher_suite.clone().unwrap_or_default(), "small code")
    });
    let protocol = match body.handshake {
        Handshake::NoTls { .. } => none(),
        _ => small(protocol, words_of::versions(body)),
    };
    let protocol = match &body.posture {
        None => protocol,
        Some(posture) => {
            let mut table = Table::new("What many handshakes showed", &["Question", "Answer"]);
            for (question, lines) in words_of::posture(posture, &context.view) {
                let answer = lines.into_iter().fold(Cell::default(), Cell::and);
                table.row("", vec![Cell::text(question), answer]);
            }
            protocol.opening("Posture", table)
        }
    };
    let exchange = session.map_or_else(none, |session| {
        let group = session.group.clone();
        let cell = Cell::text(group.unwrap_or_else(|| "no group settled".to_owned()))
            .small(words_of::client(session))
            .small(words_of::staple(session));
        small(cell, words_of::extensions(session))
    });
    vec![
        Cell::code(titles::asset(asset)).classed(short(asset.id), "small code"),
        Cell::text(words::capital(&titles::outcome(&body.handshake))).small(words::count(
            body.connections as usize,
            "connection",
            "connections",
        )),
        protocol,
        exchange,
        small(chain, facts.unwrap_or_default()),
        seen(asset),
    ]
}

fn certificate(context: &Context<'_>, asset: &Asset, body: &Certificate) -> Vec<Cell> {
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
    let (first, last) = days(asset);
    let self_signed = if body.is_self_signed() { "self-signed" } else { "" };
    vec![
        cell.classed(short(asset.id), "small code"),
        Cell::text(body.issuer.text.clone()).small(self_signed),
        Cell::text(body.key.label()).and(body.signature.name.clone()).small(broken),
        Cell::date(body.not_before.date())
            .classed(format!("to {}", body.not_after.date()), "nowrap")
            .classed(end, "strong"),
        Cell::number(body.sct_logs.len()),
        Cell::text(words::role(context.view.role(asset, body))),
        Cell::places(asset.places()).small(if first == last {
            format!("seen {first}")
        } else {
            format!("seen {first} to {last}")
        }),
    ]
}

/// First and last day on which it was seen anywhere.
fn days(asset: &Asset) -> (String, String) {
    let date = |time: Option<pki_inventory::Time>| time.map_or_else(String::new, |t| t.date());
    (date(asset.first_seen()), date(asset.last_seen()))
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

pub(super) fn coverage(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        "How much of each scope was read",
        &["Collector", "Scope", "Asked for", "Read", "Not read", "Share not read", "Finished"],
    );
    for (collector, scope, coverage) in context.document.inventory.coverage() {
        let share = coverage.gap_share().map_or_else(|| "–".to_owned(), words::percent);
        table.row(
            "",
            vec![
                Cell::text(collector),
                Cell::code(scope),
                Cell::number(coverage.asked),
                Cell::number(coverage.read),
                Cell::number(coverage.not_read),
                Cell::number(share),
                Cell::date(coverage.finished.to_string()),
            ],
        );
    }
    table
}

pub(super) fn gaps(context: &Context<'_>) -> Vec<GapGroup> {
    let mut by_reason: BTreeMap<GapReason, Vec<&Gap>> = BTreeMap::new();
    for gap in context.document.inventory.gaps() {
        by_reason.entry(gap.reason).or_default().push(gap);
    }
    by_reason
        .into_iter()
        .map(|(reason, gaps)| {
            let name = words::capital(&reason.to_string().replace('-', " "));
            let mut table =
                Table::new(name.clone(), &["Place", "Collector", "Detail", "Not read since"]);
            for gap in gaps.iter().take(ROWS) {
                table.row(
                    "",
                    vec![
                        Cell::code(gap.place.to_string()),
                        Cell::text(gap.collector.clone()),
                        Cell::text(gap.detail.clone()),
                        Cell::date(gap.first_seen.date()),
                    ],
                );
            }
            let rest = gaps.len().saturating_sub(ROWS);
            if rest > 0 {
                table.left_out = format!(
                    "{rest} more of {} are in the JSON report and in \
                     `pkimm-agent inventory export --gaps`.",
                    gaps.len()
                );
            }
            GapGroup {
                reason: reason.to_string(),
                heading: format!("{name} ({})", gaps.len()),
                meaning: words::gap(reason),
                table,
            }
        })
        .collect()
}

pub(super) fn changes(context: &Context<'_>) -> Option<Changed> {
    let changes = context.document.changes?;
    let before = View::of(&changes.before);
    let asset = |id: AssetId| {
        let href = context.href(id).unwrap_or_default();
        Cell::default()
            .linked(titles::now_or_before(id, &context.view, &before), href)
            .classed(id.to_string(), "small code")
    };
    let list = |ids: &[AssetId]| {
        let rows: Vec<Vec<Cell>> = ids.iter().take(ROWS).map(|id| vec![asset(*id)]).collect();
        limited(Table::new("Assets", &["Asset"]), rows, ids.len())
    };
    let renewed: Vec<Vec<Cell>> = changes
        .renewed
        .iter()
        .take(ROWS)
        .map(|(old, new)| vec![asset(*old), asset(*new)])
        .collect();
    let renewed = limited(
        Table::new("Renewed certificates", &["Before", "Now"]),
        renewed,
        changes.renewed.len(),
    );
    let groups = [
        ("New", changes.new.len(), "Not there before.", list(&changes.new)),
        ("Renewed", changes.renewed.len(), "A successor has taken its place.", renewed),
        (
            "Gone",
            changes.gone.len(),
            "Not there any more, although the place was read.",
            list(&changes.gone),
        ),
        (
            "Not looked at",
            changes.not_looked_at.len(),
            "The place was not read this time, so nothing is known.",
            list(&changes.not_looked_at),
        ),
    ];
    Some(Changed {
        since: changes.since.to_string(),
        groups: groups
            .into_iter()
            .map(|(name, count, meaning, table)| (format!("{name} ({count})"), meaning, table))
            .collect(),
    })
}

fn limited(mut table: Table, rows: Vec<Vec<Cell>>, all: usize) -> Table {
    let rest = all.saturating_sub(rows.len());
    for cells in rows {
        table.row("", cells);
    }
    if rest > 0 {
        table.left_out = format!("{rest} more of {all} are in the JSON report.");
    }
    table
}

pub(super) fn exceptions(context: &Context<'_>) -> Option<Table> {
    let exceptions = &context.document.assessment.exceptions;
    if exceptions.is_empty() {
        return None;
    }
    let mut table = Table::new(
        "Exceptions of the policy",
        &["Rule", "Matches", "Reason", "Until", "State", "Accepted", "Policy"],
    );
    for used in exceptions {
        let exception = &used.exception;
        let known = titles::rule(context.document.rules, &exception.rule).is_some();
        let href = if known { format!("#rule-{}", exception.rule) } else { String::new() };
        let state = match (used.expired, used.accepted) {
            (true, _) => "expired, accepts nothing",
            (false, 0) => "matches nothing",
            (false, _) => "in force",
        };
        table.row(
            "",
            vec![
                Cell::link(exception.rule.clone(), href),
                Cell::code(exception.pattern.clone()),
                Cell::text(exception.reason.clone()),
                Cell::date(exception.expires.to_string()),
                Cell::text(state),
                Cell::number(used.accepted),
                Cell::text(format!("{}:{}", exception.origin.file, exception.origin.line)),
            ],
        );
    }
    Some(table)
}
