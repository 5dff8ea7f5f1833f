//! Modules, categories and requirements: each verdict with both of its sides.

use pki_maturity::{Category as OfModel, Level, Model, Requirement as Wanted};
use pki_scoring::official::{Score, Scores};
use pki_scoring::{Answer, Basis, Rating, RequirementVerdict, RuleEvidence, Verdict};

use super::Context;
use super::table::{Cell, Table};
use crate::{titles, words};

pub(super) struct Module<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) figures: Vec<Figure>,
    pub(super) categories: Vec<Category<'a>>,
}

pub(super) struct Category<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) weight: u32,
    pub(super) description: &'a str,
    pub(super) figures: Vec<Figure>,
    pub(super) levels: Vec<(String, &'a str)>,
    pub(super) requirements: Vec<Requirement<'a>>,
}

/// `Confirmed`, `2 Foundational (2.25)`.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) value: String,
}

pub(super) struct Requirement<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) weight: u32,
    pub(super) guidance: &'a str,
    pub(super) asks: &'a [String],
    /// Name of the verdict, which is its class too.
    pub(super) verdict: &'static str,
    pub(super) verdict_words: String,
    pub(super) symbol: &'static str,
    pub(super) sentence: String,
    pub(super) level: String,
    pub(super) level_kind: &'static str,
    pub(super) meter_label: String,
    pub(super) meter: Vec<&'static str>,
    pub(super) manual: Option<&'a str>,
    pub(super) bound: String,
    pub(super) suggestion: String,
    pub(super) can: String,
    pub(super) beyond: &'a str,
    pub(super) rules: Option<Table>,
    pub(super) answer: Option<Answered<'a>>,
}

pub(super) struct Answered<'a> {
    pub(super) level: String,
    pub(super) by: &'a str,
    pub(super) when: String,
    pub(super) why: &'a str,
    pub(super) evidence: &'a [String],
    pub(super) review: String,
    pub(super) overdue: bool,
}

pub(super) fn modules<'a>(context: &Context<'a>) -> Vec<Module<'a>> {
    let model: &'a Model = context.document.model;
    model
        .modules
        .iter()
        .map(|module| Module {
            id: &module.id,
            name: &module.name,
            description: &module.description,
            figures: figures(context, |scores| {
                let mut all = scores.modules.iter();
                all.find(|score| score.id == module.id).map(|score| score.score)
            }),
            categories: module.categories.iter().map(|c| category(context, c)).collect(),
        })
        .collect()
}

fn figures(context: &Context<'_>, of: impl Fn(&Scores) -> Option<Score>) -> Vec<Figure> {
    let (model, totals) = (context.document.model, &context.document.assessment.scores);
    let score =
        |scores: &Scores| of(scores).map_or_else(String::new, |score| words::score(model, &score));
    let end = |scores: &Scores| {
        of(scores).map_or_else(String::new, |score| words::end_of_range(model, &score))
    };
    let answered = of(&totals.confirmed).map_or_else(String::new, |score| {
        format!("{} of {} in scope", score.assessed, score.in_scope)
    });
    vec![
        Figure { label: "Confirmed", value: score(&totals.confirmed) },
        Figure { label: "Provisional", value: score(&totals.provisional) },
        Figure {
            label: "Range",
            value: format!("{} to {}", end(&totals.lowest), end(&totals.highest)),
        },
        Figure { label: "Answered", value: answered },
    ]
}

fn category<'a>(context: &Context<'a>, category: &'a OfModel) -> Category<'a> {
    let model = context.document.model;
    let levels = category.levels.iter().enumerate().map(|(at, text)| {
        let level = u8::try_from(at + 1).ok().and_then(|number| Level::try_from(number).ok());
        (level.map_or_else(String::new, |level| words::level(model, level)), text.as_str())
    });
    Category {
        id: &category.id,
        name: &category.name,
        weight: category.weight,
        description: &category.description,
        figures: figures(context, |scores| {
            let mut all = scores.categories.iter();
            all.find(|score| score.key == category.id).map(|score| score.score)
        }),
        levels: levels.collect(),
        requirements: category
            .requirements
            .iter()
            .filter_map(|wanted| {
                let verdict = context.document.assessment.requirement(&wanted.id)?;
                Some(requirement(context, wanted, verdict))
            })
            .collect(),
    }
}

fn requirement<'a>(
    context: &Context<'a>,
    wanted: &'a Wanted,
    verdict: &'a RequirementVerdict,
) -> Requirement<'a> {
    let model = context.document.model;
    let (level, level_kind) = match (&verdict.verdict, verdict.verdict.provisional()) {
        (Verdict::OutOfScope { .. }, _) => ("out of scope".to_owned(), ""),
        (_, None) => ("not rated".to_owned(), ""),
        (Verdict::Suggested(_), Some(level)) => (words::level(model, level), "suggested"),
        (_, Some(level)) => (words::level(model, level), "counts"),
    };
    let (manual, can, beyond) = match &verdict.basis {
        Basis::Manual { reason } => (Some(reason.as_str()), String::new(), ""),
        Basis::Judged { can, beyond, .. } => (None, words::level(model, *can), beyond.as_str()),
    };
    let (meter, meter_label) = meter(verdict);
    Requirement {
        id: &wanted.id,
        title: &wanted.title,
        weight: wanted.weight,
        guidance: &wanted.guidance,
        asks: &wanted.evidence,
        verdict: verdict.verdict.name(),
        verdict_words: words::verdict(&verdict.verdict),
        symbol: symbol(&verdict.verdict),
        sentence: words::verdict_sentence(model, verdict),
        level,
        level_kind,
        meter_label,
        meter,
        manual,
        bound: verdict.bound().map_or_else(
            || "none, because nothing was judged".to_owned(),
            |bound| words::level(model, bound),
        ),
        suggestion: words::stop(words::capital(&words::suggestion(model, verdict))),
        can,
        beyond,
        rules: (!verdict.rules().is_empty()).then(|| rules(context, verdict)),
        answer: verdict.answer.as_ref().map(|answer| answered(model, verdict, answer)),
    }
}

/// Colour is never the only sign.
fn symbol(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Unrated => "○",
        Verdict::Suggested(_) => "◇",
        Verdict::Declared(_) => "●",
        Verdict::Corroborated(_) => "✓",
        Verdict::BeyondEvidence { .. } => "△",
        Verdict::Contradicted { .. } => "✕",
        Verdict::OutOfScope { .. } => "–",
    }
}

/// Five cells: what counts, what is only suggested, what an answer claimed beyond the bound.
fn meter(verdict: &RequirementVerdict) -> (Vec<&'static str>, String) {
    let counts = verdict.verdict.confirmed().map_or(0, Level::number);
    let suggested = verdict.verdict.provisional().map_or(0, Level::number);
    let claimed = match verdict.verdict {
        Verdict::Contradicted { answered, .. } => answered.number(),
        _ => 0,
    };
    let bound = verdict.bound().map_or(5, Level::number);
    let cells = (1..=5).map(|cell: u8| match cell {
        cell if cell <= counts && cell > bound => "over on",
        cell if cell <= counts => "on",
        cell if cell <= suggested => "maybe",
        cell if cell <= claimed => "over",
        _ => "",
    });
    let label = match (counts, suggested, claimed) {
        (0, 0, _) => "not rated".to_owned(),
        (0, suggested, _) => format!("level {suggested} of 5 suggested"),
        (counts, _, 0) => format!("level {counts} of 5"),
        (counts, _, claimed) => format!("level {counts} of 5 counts, {claimed} was answered"),
    };
    (cells.collect(), label)
}

fn rules(context: &Context<'_>, verdict: &RequirementVerdict) -> Table {
    let mut table = Table::new(
        "The rules that bear on this requirement",
        &["Rule", "N", "n", "u", "g", "Not met", "Scale", "Threshold that decided", "Level"],
    );
    let deciding: Vec<&str> = words::deciding(verdict).map(|rule| rule.rule).collect();
    for evidence in verdict.rules() {
        let decides = deciding.contains(&evidence.rule);
        table.row("", rule_row(context, evidence, decides));
    }
    table
}

fn rule_row(context: &Context<'_>, evidence: &RuleEvidence, decides: bool) -> Vec<Cell> {
    let document = context.document;
    let measure = &evidence.measure;
    let title = titles::rule_title(document.rules, evidence.rule);
    let share = measure.not_met_share().map_or_else(|| "–".to_owned(), words::percent);
    let level = evidence.level.map_or_else(
        || "none".to_owned(),
        |level| format!("at most {}", words::level(document.model, level)),
    );
    let thin = evidence.thin.as_ref().map(|thin| format!("Thin, so no suggestion: {thin}."));
    let excepted = match measure.excepted {
        0 => String::new(),
        count => format!("{count} accepted by exceptions"),
    };
    let cites = titles::rule(document.rules, evidence.rule).map(words::citations);
    vec![
        Cell::link(evidence.rule, format!("#rule-{}", evidence.rule))
            .small(title)
            .small(cites.unwrap_or_default()),
        Cell::number(measure.judged).small(excepted),
        Cell::number(measure.not_met),
        Cell::number(measure.unknown),
        Cell::number(format!("{} of {}", measure.gaps, measure.asked)),
        Cell::number(share),
        Cell::text(evidence.scale.clone()).small(words::origin(evidence)),
        Cell::text(words::capital(&evidence.threshold)).small(thin.unwrap_or_default()),
        Cell::text(level).classed(if decides { "decides the bound" } else { "" }, "strong"),
    ]
}

fn answered<'a>(model: &Model, verdict: &RequirementVerdict, answer: &'a Answer) -> Answered<'a> {
    Answered {
        level: match answer.rating {
            Rating::Level(level) => words::level(model, level),
            Rating::OutOfScope => "out of scope".to_owned(),
        },
        by: &answer.by,
        when: answer.when.date(),
        why: &answer.why,
        evidence: &answer.evidence,
        review: answer.review.map_or_else(String::new, |review| review.date()),
        overdue: verdict.review_overdue,
    }
}
