//! The three scores that are always shown together, and the share of them that rests on evidence.

use std::collections::BTreeMap;

use pki_config::BlankRule;
use pki_maturity::{Level, Model};

use crate::official::{
    Blank, CategoryWeights, ModuleWeights, Progress, Rating, RequirementWeight, Scores, Weights,
    score,
};
use crate::{RequirementVerdict, Verdict};

/// The scores of an assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// The rule for requirements without a rating that the confirmed and the provisional score use.
    pub blank: BlankRule,
    /// Answers only, capped where evidence contradicts them.
    pub confirmed: Scores,
    /// Suggestions too.
    pub provisional: Scores,
    /// What it would be if every requirement without an answer counted as 0.
    pub lowest: Scores,
    /// What it would be if every requirement without an answer came to the highest level that the
    /// evidence is consistent with.
    pub highest: Scores,
    /// Weight of requirements whose verdict rests on evidence ÷ weight in scope; `None` when nothing
    /// is in scope.
    pub evidence_share: Option<f64>,
}

/// The weights of a model, in its order.
#[must_use]
pub fn weights_of(model: &Model) -> Weights {
    let own = |id: &str| id.rsplit_once('.').map_or(id, |(_, own)| own).to_owned();
    Weights {
        modules: model
            .modules
            .iter()
            .map(|module| ModuleWeights {
                id: module.id.clone(),
                categories: module
                    .categories
                    .iter()
                    .map(|category| CategoryWeights {
                        id: own(&category.id),
                        weight: f64::from(category.weight),
                        requirements: category
                            .requirements
                            .iter()
                            .map(|requirement| RequirementWeight {
                                id: own(&requirement.id),
                                weight: f64::from(requirement.weight),
                            })
                            .collect(),
                    })
                    .collect(),
            })
            .collect(),
    }
}

impl Totals {
    pub(crate) fn of(model: &Model, verdicts: &[RequirementVerdict], blank: BlankRule) -> Self {
        let weights = weights_of(model);
        let official = match blank {
            BlankRule::Leave => Blank::Leaves,
            BlankRule::Zero => Blank::CountsZero,
        };
        let rated = |level: &dyn Fn(&RequirementVerdict) -> Option<Level>| Progress {
            categories: BTreeMap::new(),
            requirements: verdicts
                .iter()
                .map(|verdict| {
                    let rating = match (&verdict.verdict, level(verdict)) {
                        (Verdict::OutOfScope { .. }, _) => Rating::not_applicable(),
                        (_, Some(level)) => Rating::at(level.number().into()),
                        (_, None) => Rating::at(0),
                    };
                    (verdict.id.clone(), rating)
                })
                .collect(),
        };
        let confirmed = rated(&|verdict| verdict.verdict.confirmed());
        let provisional = rated(&|verdict| verdict.verdict.provisional());
        let highest = rated(&|verdict| {
            Some(verdict.verdict.confirmed().or(verdict.bound()).unwrap_or(Level::HIGHEST))
        });
        Self {
            blank,
            confirmed: score(&weights, &confirmed, official),
            provisional: score(&weights, &provisional, official),
            lowest: score(&weights, &confirmed, Blank::CountsZero),
            highest: score(&weights, &highest, official),
            evidence_share: evidence_share(model, verdicts),
        }
    }
}

/// A requirement weighs its share of its category, times the category's weight: what it moves in
/// the overall score.
fn evidence_share(model: &Model, verdicts: &[RequirementVerdict]) -> Option<f64> {
    let by_id: BTreeMap<&str, &Verdict> =
        verdicts.iter().map(|verdict| (verdict.id.as_str(), &verdict.verdict)).collect();
    let (mut resting, mut whole) = (0.0, 0.0);
    for category in model.categories() {
        let in_scope: Vec<(f64, &Verdict)> = category
            .requirements
            .iter()
            .filter_map(|requirement| {
                let verdict = *by_id.get(requirement.id.as_str())?;
                let inside = !matches!(verdict, Verdict::OutOfScope { .. });
                inside.then(|| (f64::from(requirement.weight), verdict))
            })
            .collect();
        let sum: f64 = in_scope.iter().map(|(weight, _)| weight).sum();
        if sum <= 0.0 {
            continue;
        }
        let weight = f64::from(category.weight);
        whole += weight;
        let seen: f64 =
            in_scope.iter().filter(|(_, v)| v.rests_on_evidence()).map(|(weight, _)| weight).sum();
        resting += weight * seen / sum;
    }
    (whole > 0.0).then(|| resting / whole)
}
