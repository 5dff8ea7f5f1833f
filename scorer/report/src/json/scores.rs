//! The scores of the JSON document: every figure three times, as it is in all reports.

use pki_maturity::Model;
use pki_scoring::Totals;
use pki_scoring::official::{Blank, Score, Source, Standing};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Scores {
    /// What a requirement without a rating does in `confirmed` and `provisional`.
    blank: &'static str,
    evidence_share: Option<f64>,
    overall: Four,
}

#[derive(Serialize)]
pub(super) struct Module<'a> {
    id: &'a str,
    name: &'a str,
    scores: Option<Four>,
}

#[derive(Serialize)]
pub(super) struct Category<'a> {
    id: &'a str,
    module: &'a str,
    name: &'a str,
    weight: u32,
    source: Option<&'static str>,
    scores: Option<Four>,
}

#[derive(Serialize)]
pub(super) struct Four {
    confirmed: Figure,
    provisional: Figure,
    lowest: Figure,
    highest: Figure,
}

/// `raw` is the untruncated average, `exact` the same as a fraction where one was computed,
/// `level` the average rounded down once.
#[derive(Serialize)]
struct Figure {
    standing: &'static str,
    level: u8,
    raw: Option<f64>,
    exact: Option<String>,
    percent_to_next: u8,
    assessed: usize,
    in_scope: usize,
    requirements: usize,
}

impl Scores {
    pub(super) fn of(totals: &Totals) -> Self {
        Self {
            blank: match totals.confirmed.blank {
                Blank::Leaves => "leaves",
                Blank::CountsZero => "counts-zero",
            },
            evidence_share: totals.evidence_share,
            overall: Four {
                confirmed: figure(&totals.confirmed.overall),
                provisional: figure(&totals.provisional.overall),
                lowest: figure(&totals.lowest.overall),
                highest: figure(&totals.highest.overall),
            },
        }
    }
}

pub(super) fn modules<'a>(model: &'a Model, totals: &Totals) -> Vec<Module<'a>> {
    let of = |scores: &pki_scoring::official::Scores, id: &str| {
        scores.modules.iter().find(|module| module.id == id).map(|module| figure(&module.score))
    };
    model
        .modules
        .iter()
        .map(|module| Module {
            id: &module.id,
            name: &module.name,
            scores: four(totals, |scores| of(scores, &module.id)),
        })
        .collect()
}

pub(super) fn categories<'a>(model: &'a Model, totals: &Totals) -> Vec<Category<'a>> {
    let find = |scores: &pki_scoring::official::Scores, id: &str| {
        scores.categories.iter().find(|category| category.key == id).cloned()
    };
    let mut all = Vec::new();
    for module in &model.modules {
        all.extend(module.categories.iter().map(|category| Category {
            id: &category.id,
            module: &module.id,
            name: &category.name,
            weight: category.weight,
            source: find(&totals.confirmed, &category.id).map(|score| match score.source {
                Source::Requirements => "requirements",
                Source::SelfDeclared => "none-rated",
                Source::DerivedNotApplicable => "not-applicable",
            }),
            scores: four(totals, |scores| find(scores, &category.id).map(|c| figure(&c.score))),
        }));
    }
    all
}

fn four(
    totals: &Totals,
    of: impl Fn(&pki_scoring::official::Scores) -> Option<Figure>,
) -> Option<Four> {
    Some(Four {
        confirmed: of(&totals.confirmed)?,
        provisional: of(&totals.provisional)?,
        lowest: of(&totals.lowest)?,
        highest: of(&totals.highest)?,
    })
}

fn figure(score: &Score) -> Figure {
    Figure {
        standing: match score.standing() {
            Standing::NotApplicable => "not-applicable",
            Standing::NotAssessed if score.assessed > 0 => "below-level-1",
            Standing::NotAssessed => "not-assessed",
            Standing::Reached(_) => "reached",
        },
        level: score.level,
        raw: score.raw,
        exact: score.exact.map(|exact| format!("{}/{}", exact.numerator(), exact.denominator())),
        percent_to_next: score.percent_to_next(),
        assessed: score.assessed,
        in_scope: score.in_scope,
        requirements: score.requirements,
    }
}
