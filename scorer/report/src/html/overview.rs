//! The first screen: the three scores and the evidence share, the charts, and what to look at
//! first.

use std::collections::BTreeMap;

use pki_inventory::GapReason;
use pki_maturity::Model;
use pki_rules::Outcome;
use pki_scoring::official::{Score, Scores};
use pki_scoring::{Measure, Totals, Verdict};

use super::Context;
use super::chart::{Axis, Chart, radar};
use super::table::{Cell, Table};
use crate::{titles, words};

pub(super) struct Overview {
    pub(super) confirmed: Card,
    pub(super) provisional: Card,
    pub(super) range: Range,
    pub(super) evidence_share: String,
    pub(super) evidence_width: String,
    pub(super) answered: usize,
    pub(super) suggested: usize,
    pub(super) in_scope: usize,
    pub(super) contents: Vec<Content>,
    pub(super) look: Vec<Look>,
    pub(super) charts: Vec<Chart>,
    pub(super) modules: Table,
    pub(super) categories: Table,
}

/// A big figure.
pub(super) struct Card {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) average: String,
    pub(super) meter: Meter,
}

/// Five cells of which some are full.
pub(super) struct Meter {
    pub(super) label: String,
    pub(super) cells: Vec<&'static str>,
}

pub(super) struct Range {
    pub(super) text: String,
    pub(super) low: String,
    pub(super) width: String,
    pub(super) confirmed: Option<String>,
    pub(super) provisional: Option<String>,
}

/// A module in the contents.
pub(super) struct Content {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) level: String,
}

/// A group of things to look at first.
pub(super) struct Look {
    pub(super) heading: String,
    pub(super) class: &'static str,
    pub(super) items: Vec<Item>,
}

pub(super) struct Item {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) figures: String,
}

pub(super) fn overview(context: &Context<'_>) -> Overview {
    let assessment = context.document.assessment;
    let (model, scores) = (context.document.model, &assessment.scores);
    let suggested = assessment
        .requirements
        .iter()
        .filter(|requirement| matches!(requirement.verdict, Verdict::Suggested(_)));
    Overview {
        confirmed: card(model, &scores.confirmed.overall),
        provisional: card(model, &scores.provisional.overall),
        range: range(model, scores),
        evidence_share: scores
            .evidence_share
            .map_or_else(|| "nothing in scope".to_owned(), words::percent),
        evidence_width: format!("{:.1}", scores.evidence_share.unwrap_or(0.0) * 100.0),
        answered: scores.confirmed.overall.assessed,
        suggested: suggested.count(),
        in_scope: scores.confirmed.overall.in_scope,
        contents: contents(model, scores),
        look: look(context),
        charts: charts(model, scores),
        modules: modules(model, scores),
        categories: categories(model, scores),
    }
}

fn card(model: &Model, score: &Score) -> Card {
    let standing = words::standing(model, score);
    let (number, name) = match standing.split_once(' ') {
        Some((number, name)) if number.parse::<u8>().is_ok() => {
            (number.to_owned(), name.to_owned())
        }
        _ => ("–".to_owned(), standing),
    };
    let average = words::average(score).filter(|_| score.assessed > 0);
    let meter = meter(score.level, "on", &name);
    Card { number, name, average: average.unwrap_or_default(), meter }
}

fn meter(level: u8, class: &'static str, name: &str) -> Meter {
    Meter {
        label: if level == 0 { name.to_owned() } else { format!("level {level} of 5") },
        cells: (1..=5).map(|cell| if cell <= level { class } else { "" }).collect(),
    }
}

/// The range as a bar from 0 to 5.
fn range(model: &Model, scores: &Totals) -> Range {
    let (low, high) = (&scores.lowest.overall, &scores.highest.overall);
    let percent = |raw: f64| format!("{:.1}", raw * 20.0);
    let (from, to) = (low.raw.unwrap_or(0.0), high.raw.unwrap_or(0.0));
    let mark = |score: &Score| score.raw.filter(|_| score.assessed > 0).map(percent);
    Range {
        text: format!(
            "{} to {}",
            words::end_of_range(model, low),
            words::end_of_range(model, high)
        ),
        low: percent(from),
        width: percent((to - from).max(0.0)),
        confirmed: mark(&scores.confirmed.overall),
        provisional: mark(&scores.provisional.overall),
    }
}

fn contents(model: &Model, scores: &Totals) -> Vec<Content> {
    let all = model.modules.iter().zip(&scores.provisional.modules);
    all.map(|(module, score)| Content {
        href: format!("#module-{}", module.id),
        name: module.name.clone(),
        level: words::average(&score.score)
            .filter(|_| score.score.assessed > 0)
            .unwrap_or_else(|| "–".to_owned()),
    })
    .collect()
}

/// Contradictions, conditions that must not occur, gaps, and decisions that are overdue.
fn look(context: &Context<'_>) -> Vec<Look> {
    let document = context.document;
    let assessment = document.assessment;
    let conflicts = words::conflicts(assessment).map(|requirement| {
        let deciding: Vec<String> = words::deciding(requirement)
            .filter(|_| matches!(requirement.verdict, Verdict::Contradicted { .. }))
            .map(|rule| format!("{}: {}", rule.rule, words::not_met(&rule.measure)))
            .collect();
        let title = document.model.requirement(&requirement.id).map_or("", |r| &r.title);
        Item {
            href: format!("#requirement-{}", requirement.id),
            title: title.to_owned(),
            text: words::verdict_sentence(document.model, requirement),
            figures: deciding.join(" · "),
        }
    });
    let never = titles::never(document);
    let measures = &assessment.judgement.measures;
    let item = |(rule, measure): (&&str, &Measure)| Item {
        href: format!("#rule-{rule}"),
        title: titles::rule_title(document.rules, rule).to_owned(),
        text: assessment
            .judgement
            .findings
            .iter()
            .find(|f| f.rule == *rule && matches!(f.outcome, Outcome::NotMet(_)))
            .map(|finding| {
                let name = titles::subject(&finding.subject, &context.view);
                let sentence = finding.outcome.sentence().unwrap_or_default();
                words::stop(format!("For example {name}: {sentence}"))
            })
            .unwrap_or_default(),
        figures: words::not_met(measure),
    };
    let not_met = || measures.iter().filter(|(_, measure)| measure.not_met > 0);
    // What bears on a requirement comes first.
    let group = |serious: bool| -> Vec<Item> {
        let wanted = || not_met().filter(|(rule, _)| never.contains(*rule) == serious);
        let bearing = wanted().filter(|(rule, _)| titles::bears(document, rule));
        let others = wanted().filter(|(rule, _)| !titles::bears(document, rule));
        bearing.chain(others).map(item).collect()
    };
    let mut reasons: BTreeMap<GapReason, usize> = BTreeMap::new();
    for gap in document.inventory.gaps() {
        *reasons.entry(gap.reason).or_default() += 1;
    }
    let gaps = reasons.into_iter().map(|(reason, count)| Item {
        href: format!("#gaps-{reason}"),
        title: words::capital(&reason.to_string().replace('-', " ")),
        text: words::gap(reason).to_owned(),
        figures: words::count(count, "place", "places"),
    });
    let overdue = assessment.requirements.iter().filter(|r| r.review_overdue).map(|requirement| {
        let title = document.model.requirement(&requirement.id).map_or("", |r| &r.title);
        let answer = requirement.answer.as_ref();
        let review = answer.and_then(|answer| answer.review);
        Item {
            href: format!("#requirement-{}", requirement.id),
            title: title.to_owned(),
            text: "The review date of the answer is past.".to_owned(),
            figures: review.map_or_else(String::new, |review| review.date()),
        }
    });
    let exceptions = assessment.exceptions.iter().filter(|used| used.expired || used.accepted == 0);
    let exceptions = exceptions.map(|used| Item {
        href: "#exceptions".to_owned(),
        title: format!("Exception for {}", used.exception.rule),
        text: if used.expired {
            "It has expired and accepts nothing.".to_owned()
        } else {
            "It matches nothing.".to_owned()
        },
        figures: used.exception.expires.to_string(),
    });
    [
        ("Answers in conflict with what was seen", "bad", conflicts.collect::<Vec<_>>()),
        ("Must not happen, and does", "bad", group(true)),
        ("Other conditions found", "warn", group(false)),
        ("Decisions that are due", "warn", overdue.chain(exceptions).collect()),
        ("Asked for and not read", "note", gaps.collect()),
    ]
    .into_iter()
    .filter(|(_, _, items)| !items.is_empty())
    .map(|(heading, class, items)| Look {
        heading: format!("{heading}: {}", items.len()),
        class,
        items,
    })
    .collect()
}

fn charts(model: &Model, scores: &Totals) -> Vec<Chart> {
    let modules: Vec<Axis<'_>> = model
        .modules
        .iter()
        .zip(scores.confirmed.modules.iter().zip(&scores.provisional.modules))
        .zip(&scores.highest.modules)
        .map(|((module, (confirmed, provisional)), highest)| Axis {
            name: &module.name,
            href: format!("#module-{}", module.id),
            confirmed: confirmed.score,
            provisional: provisional.score,
            highest: highest.score,
        })
        .collect();
    let categories: Vec<Axis<'_>> = model
        .categories()
        .zip(scores.confirmed.categories.iter().zip(&scores.provisional.categories))
        .zip(&scores.highest.categories)
        .map(|((category, (confirmed, provisional)), highest)| Axis {
            name: &category.name,
            href: format!("#category-{}", category.id),
            confirmed: confirmed.score,
            provisional: provisional.score,
            highest: highest.score,
        })
        .collect();
    vec![
        radar("Levels of the modules", &modules, (430, 340), 118.0),
        radar("Levels of the categories", &categories, (640, 490), 156.0),
    ]
}

const HEAD: &[&str] = &["Weight", "Confirmed", "Provisional", "Lowest", "Highest", "Answered"];

fn figures(model: &Model, totals: &Totals, of: impl Fn(&Scores) -> Option<Score>) -> Vec<Cell> {
    let cell = |scores: &Scores, range: bool| {
        let text = of(scores).map_or_else(String::new, |score| {
            if range { words::end_of_range(model, &score) } else { words::score(model, &score) }
        });
        Cell::text(text)
    };
    let answered = of(&totals.confirmed)
        .map_or_else(String::new, |score| format!("{} of {}", score.assessed, score.in_scope));
    vec![
        cell(&totals.confirmed, false),
        cell(&totals.provisional, false),
        cell(&totals.lowest, true),
        cell(&totals.highest, true),
        Cell::number(answered),
    ]
}

fn modules(model: &Model, totals: &Totals) -> Table {
    let mut head = vec!["Module"];
    head.extend(&HEAD[1..]);
    let mut table = Table::new("Levels of the modules", &head);
    for module in &model.modules {
        let of = |scores: &Scores| {
            scores.modules.iter().find(|score| score.id == module.id).map(|score| score.score)
        };
        let name = Cell::link(module.name.clone(), format!("#module-{}", module.id));
        table.row("", std::iter::once(name).chain(figures(model, totals, of)).collect());
    }
    let overall = figures(model, totals, |scores| Some(scores.overall));
    let name = Cell::default().classed("Overall", "strong");
    table.row("", std::iter::once(name).chain(overall).collect());
    table
}

fn categories(model: &Model, totals: &Totals) -> Table {
    let mut head = vec!["Category"];
    head.extend(HEAD);
    let mut table = Table::new("Levels of the categories and their weight in the averages", &head);
    for module in &model.modules {
        for category in &module.categories {
            let of = |scores: &Scores| {
                let mut all = scores.categories.iter();
                all.find(|score| score.key == category.id).map(|score| score.score)
            };
            let name = Cell::link(category.name.clone(), format!("#category-{}", category.id))
                .small(module.name.clone());
            let mut cells = vec![name, Cell::number(category.weight)];
            cells.extend(figures(model, totals, of));
            table.row("", cells);
        }
    }
    table
}
