//! How much was read, what was not, what has changed, and what the policy excepts.

use std::collections::BTreeMap;

use pki_inventory::{AssetId, Gap, GapReason, View};

use super::table::{Cell, Table};
use super::{Context, ROWS};
use crate::{titles, words};

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
                Cell::number(coverage.read).small(words::unchanged(coverage).unwrap_or_default()),
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
