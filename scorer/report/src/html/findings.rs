//! One section for each rule: its measure, its citation and its findings.

use std::collections::BTreeMap;

use pki_rules::{Finding, Outcome, Rule, Subject};

use super::Context;
use super::table::{Cell, Table};
use crate::{titles, words};

/// So many findings of one rule on the page.
const ROWS: usize = 200;

pub(super) struct RuleSection {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) looks_at: &'static str,
    pub(super) cites: String,
    pub(super) in_force: &'static str,
    pub(super) fed_by: String,
    pub(super) figures: String,
    pub(super) judged: u64,
    pub(super) not_met: u64,
    pub(super) unknown: u64,
    pub(super) excepted: u64,
    pub(super) gaps: u64,
    pub(super) asked: u64,
    pub(super) share: String,
    pub(super) clean: bool,
    pub(super) bears_on: Vec<Bearing>,
    pub(super) findings: Option<Table>,
}

pub(super) struct Bearing {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) says: String,
}

pub(super) fn rules(context: &Context<'_>) -> Vec<RuleSection> {
    let document = context.document;
    let judgement = &document.assessment.judgement;
    let mut by_rule: BTreeMap<&str, Vec<(&Finding, Option<usize>)>> = BTreeMap::new();
    for finding in &judgement.findings {
        by_rule.entry(finding.rule).or_default().push((finding, None));
    }
    for excepted in &judgement.excepted {
        let entry = by_rule.entry(excepted.finding.rule).or_default();
        entry.push((&excepted.finding, Some(excepted.exception)));
    }
    let empty = Vec::new();
    document
        .rules
        .iter()
        .map(|rule| section(context, rule, by_rule.get(rule.id).unwrap_or(&empty)))
        .collect()
}

fn section(
    context: &Context<'_>,
    rule: &'static Rule,
    findings: &[(&Finding, Option<usize>)],
) -> RuleSection {
    let measures = &context.document.assessment.judgement.measures;
    let measure = measures.get(rule.id).copied().unwrap_or_default();
    RuleSection {
        id: rule.id,
        title: rule.title,
        looks_at: words::population(rule),
        cites: words::citations(rule),
        in_force: words::in_force(rule),
        fed_by: rule.fed_by.join(", "),
        figures: words::not_met(&measure),
        judged: measure.judged,
        not_met: measure.not_met,
        unknown: measure.unknown,
        excepted: measure.excepted,
        gaps: measure.gaps,
        asked: measure.asked,
        share: measure.not_met_share().map_or_else(|| "–".to_owned(), words::percent),
        clean: measure.not_met == 0,
        bears_on: bears_on(context, rule),
        findings: (!findings.is_empty()).then(|| table(context, rule, findings)),
    }
}

fn bears_on(context: &Context<'_>, rule: &Rule) -> Vec<Bearing> {
    let document = context.document;
    document
        .map
        .requirements_of(rule.id)
        .map(|id| {
            let verdict = document.assessment.requirement(id);
            let evidence = verdict.and_then(|v| v.rules().iter().find(|e| e.rule == rule.id));
            let says = evidence.map_or_else(String::new, |evidence| {
                let origin = words::origin(evidence);
                format!("scale {} ({origin}): {}", evidence.scale, evidence.threshold)
            });
            let title = document.model.requirement(id).map_or("", |r| &r.title).to_owned();
            Bearing { id: id.to_owned(), title, says }
        })
        .collect()
}

/// Not met first, then unknown, then what exceptions accept.
fn table(context: &Context<'_>, rule: &Rule, findings: &[(&Finding, Option<usize>)]) -> Table {
    let mut table = Table::new(
        format!("Findings of {}", rule.id),
        &["Asset", "Outcome", "How it shows", "Places"],
    );
    let order = |(finding, exception): &(&Finding, Option<usize>)| {
        (exception.is_some(), matches!(finding.outcome, Outcome::Unknown(_)))
    };
    let mut sorted: Vec<_> = findings.to_vec();
    sorted.sort_by_key(order);
    for (finding, exception) in sorted.iter().take(ROWS) {
        let name = titles::subject(&finding.subject, &context.view);
        let asset = match &finding.subject {
            Subject::Asset(id) => {
                let short = format!("{} {}…", id.kind, id.sha256.short());
                match context.href(*id) {
                    Some(href) => Cell::link(name, href).classed(short, "small code"),
                    None => Cell::text(name).classed(id.to_string(), "small code"),
                }
            }
            Subject::Scope { .. } => Cell::link(name, "#coverage"),
        };
        let outcome = match exception {
            Some(_) => Cell::text("accepted"),
            None => Cell::text(finding.outcome.name().replace('-', " ")),
        };
        let accepted = exception
            .and_then(|number| context.document.assessment.exceptions.get(number))
            .map(|used| {
                format!("Accepted until {}: {}", used.exception.expires, used.exception.reason)
            });
        let sentence = finding.outcome.sentence().unwrap_or_default();
        let shows = Cell::text(words::capital(sentence)).small(accepted.unwrap_or_default());
        table.row("", vec![asset, outcome, shows, Cell::places(finding.places.iter())]);
    }
    let rest = findings.len().saturating_sub(ROWS);
    if rest > 0 {
        table.left_out = format!(
            "{rest} more of {} are in the JSON report and in `pkimm-agent findings export`.",
            findings.len()
        );
    }
    table
}
