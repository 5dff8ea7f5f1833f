//! From inventory, policy, map and answers to an assessment.

use pki_config::Policy;
use pki_inventory::{Inventory, Time};
use pki_maturity::{Bearing, Entry, Level, Map, Model};
use pki_rules::{Reach, Rule};

use crate::judgement::in_force;
use crate::{
    Answers, Assessment, Basis, ExceptionUse, Judgement, Measure, RequirementVerdict, RuleEvidence,
    Suggestion, Totals, Verdict, judge_all,
};

/// Everything an assessment is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The model.
    pub model: &'a Model,
    /// Which rules bear on which requirement.
    pub map: &'a Map,
    /// Thresholds, scales, lists, exceptions.
    pub policy: &'a Policy,
    /// The rules to run.
    pub rules: &'a [&'static Rule],
    /// What was seen.
    pub inventory: &'a Inventory,
    /// What people answered.
    pub answers: &'a Answers,
    /// How long this has been watched.
    pub history: History,
    /// The instant of judgement.
    pub as_of: Time,
}

/// How long this organisation has been watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// Completed runs.
    pub runs: u64,
    /// Days from the first to the last.
    pub days: i64,
}

/// Judges the inventory, joins the answers and scores.
#[must_use]
pub fn assess(inputs: &Inputs<'_>) -> Assessment {
    let Inputs { model, map, policy, inventory, answers, as_of, .. } = *inputs;
    let judgement = judge_all(inputs.rules, inventory, policy, as_of, &mut |_| {});
    let requirements: Vec<RequirementVerdict> = model
        .requirements()
        .map(|requirement| {
            let basis = match map.entry(&requirement.id) {
                Some(Entry::Judged { can, rules, beyond }) => {
                    judged(inputs, &judgement, *can, rules, beyond)
                }
                Some(Entry::Manual { reason }) => Basis::Manual { reason: reason.clone() },
                None => Basis::Manual { reason: "The map does not know it.".to_owned() },
            };
            let answer = answers.get(&requirement.id).cloned();
            let review = answer.as_ref().and_then(|answer| answer.review);
            let mut verdict = RequirementVerdict {
                id: requirement.id.clone(),
                basis,
                review_overdue: review.is_some_and(|review| review < as_of),
                answer,
                verdict: Verdict::Unrated,
            };
            let seen = verdict.rules().iter().map(|rule| rule.measure.judged).max().unwrap_or(0);
            verdict.verdict = Verdict::of(
                verdict.answer.as_ref(),
                verdict.bound(),
                verdict.suggestion(),
                seen,
                &policy.contradicted,
            );
            verdict
        })
        .collect();
    let exceptions = policy
        .exceptions
        .iter()
        .zip(&judgement.exception_uses)
        .map(|(exception, accepted)| ExceptionUse {
            exception: exception.clone(),
            accepted: *accepted,
            expired: !in_force(exception, as_of),
        })
        .collect();
    Assessment {
        as_of,
        model_version: model.version.clone(),
        scores: Totals::of(model, &requirements, policy.blank),
        requirements,
        judgement,
        exceptions,
        history: inputs.history,
    }
}

fn judged(
    inputs: &Inputs<'_>,
    judgement: &Judgement,
    can: Level,
    bearings: &[Bearing],
    beyond: &str,
) -> Basis {
    let rules: Vec<RuleEvidence> =
        bearings.iter().filter_map(|bearing| evidence(inputs, judgement, bearing)).collect();
    let bound = rules.iter().filter_map(|rule| rule.level).min();
    let suggestion = suggest(inputs, &rules, bound, can);
    Basis::Judged { can, beyond: beyond.to_owned(), rules, bound, suggestion }
}

fn evidence(inputs: &Inputs<'_>, judgement: &Judgement, bearing: &Bearing) -> Option<RuleEvidence> {
    let rule = inputs.rules.iter().find(|rule| rule.id == bearing.rule)?;
    let measure = judgement.measures.get(rule.id).copied().unwrap_or_default();
    let scale = inputs.policy.scales.get(&bearing.scale)?;
    let reached = measure.least_not_met_share().map(|share| scale.level(share));
    let level = |(_, level): (Option<usize>, u8)| Level::try_from(level).ok();
    let thin = thin(inputs.policy, &measure);
    let supports = measure.not_met_share().filter(|_| thin.is_none());
    let percent = |share: f64| format!("{} %", (share * 1000.0).round() / 10.0);
    let threshold = match reached {
        None => "nothing was judged".to_owned(),
        Some((Some(step), level)) => {
            let share = percent(scale.steps[step].not_met_share);
            format!("at most {share} not met is consistent with level {level}")
        }
        Some((None, level)) => {
            let last =
                scale.steps.last().map_or_else(|| "0 %".to_owned(), |s| percent(s.not_met_share));
            format!("more than {last} not met is consistent with level {level} only")
        }
    };
    let threshold = match (measure.unknown, measure.not_met) {
        (0, _) | (_, 0) => threshold,
        (unknown, not_met) => format!(
            "at least {not_met} of {} not met, as {unknown} {} unknown: {threshold}",
            measure.judged + unknown,
            if unknown == 1 { "is" } else { "are" }
        ),
    };
    Some(RuleEvidence {
        rule: rule.id,
        scale: bearing.scale.clone(),
        measure,
        level: reached.and_then(level),
        supports: supports.and_then(|share| level(scale.level(share))),
        threshold,
        origin: inputs.policy.origin(&format!("scales.{}", bearing.scale)).cloned(),
        thin,
    })
}

/// Why these figures may contradict a level but not suggest one. A rule whose population is empty
/// is not thin: there was nothing to judge.
fn thin(policy: &Policy, measure: &Measure) -> Option<String> {
    let limits = &policy.thresholds;
    let too_many = |share: Option<f64>| share.filter(|share| *share > limits.max_unknown_share);
    // A scope without places, or none at all, is not evidence of absence.
    if measure.asked == 0 {
        return Some("nothing that feeds it was looked at".to_owned());
    }
    if let Some(share) = too_many(measure.gap_share()) {
        let share = share * 100.0;
        return Some(format!("{share:.0} % of the places that feed it were not read"));
    }
    if measure.judged + measure.unknown == 0 {
        return None;
    }
    if let Some(share) = too_many(measure.unknown_share()) {
        return Some(format!("{:.0} % of its assets are unknown", share * 100.0));
    }
    (measure.judged < limits.min_population).then(|| {
        format!(
            "only {} judged, and fewer than {} suggest nothing",
            measure.judged, limits.min_population
        )
    })
}

fn reach(inputs: &Inputs<'_>, evidence: &RuleEvidence) -> Reach {
    let rule = inputs.rules.iter().find(|rule| rule.id == evidence.rule);
    rule.map_or(Reach::Whole, |rule| rule.reach)
}

/// The lowest of what the rules bound, what evidence can support and what the history allows. A
/// rule that reaches only what was shown takes no part while its figures are thin: that nobody
/// asked for more says nothing about what others saw.
fn suggest(
    inputs: &Inputs<'_>,
    rules: &[RuleEvidence],
    bound: Option<Level>,
    can: Level,
) -> Suggestion {
    let thin = |blocks: &dyn Fn(&RuleEvidence) -> bool| -> Vec<String> {
        let thin = rules.iter().filter(|rule| blocks(rule));
        thin.filter_map(|rule| rule.thin.as_ref().map(|why| format!("{}: {why}", rule.rule)))
            .collect()
    };
    let blocking = thin(&|rule| reach(inputs, rule) == Reach::Whole);
    let supported = rules.iter().filter_map(|rule| rule.supports).min();
    let (Some(bound), Some(supported), true) = (bound, supported, blocking.is_empty()) else {
        let mut reasons = thin(&|_| true);
        if reasons.is_empty() {
            reasons.push("nothing that the rules are about was seen".to_owned());
        }
        return Suggestion::None(reasons);
    };
    let bound = bound.min(supported);
    let limits = &inputs.policy.thresholds;
    let watched =
        inputs.history.runs >= limits.history_runs && inputs.history.days >= limits.history_days;
    let history = if watched { Level::HIGHEST } else { Level::ADVANCED };
    let level = bound.min(can).min(history);
    let limited_by = if level == bound {
        "what the rules found".to_owned()
    } else if level == can {
        "what evidence alone can support for this requirement".to_owned()
    } else {
        format!(
            "the history: {} of {} runs over {} of {} days; levels 4 and 5 mean measured over time",
            inputs.history.runs, limits.history_runs, inputs.history.days, limits.history_days
        )
    };
    Suggestion::Level { level, limited_by }
}
