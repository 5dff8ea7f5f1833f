//! `why <requirement>`: both sides of a verdict and everything the evidence's side rests on.

use pki_inventory::View;
use pki_scoring::{Answer, Basis, Rating, RequirementVerdict, RuleEvidence};

use super::{COLUMN, EXAMPLES, findings, provenance, readings};
use crate::plain::Plain;
use crate::{Document, titles, words};

/// Why a requirement has its verdict: the answer, the bound, each rule with its figures, the
/// threshold that decided and examples, and what no scan can see. `None` for an id that the model
/// does not have.
#[must_use]
pub fn why_requirement(document: &Document<'_>, id: &str) -> Option<String> {
    let requirement = document.model.requirement(id)?;
    let verdict = document.assessment.requirement(id)?;
    let category = document
        .model
        .categories()
        .find(|category| category.requirements.iter().any(|r| r.id == requirement.id));
    let view = View::of(document.inventory);
    let mut plain = Plain::copyable();
    plain.line(0, &format!("{id}: {}", requirement.title));
    if let Some(category) = category {
        let (own, of) = (requirement.weight, category.weight);
        plain.line(
            2,
            &format!("weight {own} in {} ({}), which weighs {of}", category.name, category.id),
        );
    }
    plain.line(2, &requirement.guidance);

    plain.heading(&format!("Verdict: {}", words::verdict(&verdict.verdict)));
    plain.line(2, &words::verdict_sentence(document.model, verdict));
    let counts = |level: Option<pki_maturity::Level>| {
        level.map_or_else(|| "nothing".to_owned(), |level| words::level(document.model, level))
    };
    plain.field(2, COLUMN, "Confirmed", &counts(verdict.verdict.confirmed()));
    plain.field(2, COLUMN, "Provisional", &counts(verdict.verdict.provisional()));

    plain.heading("Answer");
    match &verdict.answer {
        None => plain.line(2, "None yet."),
        Some(answer) => answer_of(&mut plain, document, verdict, answer),
    }

    plain.heading("Evidence");
    match &verdict.basis {
        Basis::Manual { reason } => plain.line(2, &format!("Says nothing: {reason}")),
        Basis::Judged { can, beyond, rules, bound, .. } => {
            let bound = bound.map_or_else(
                || "none: nothing was judged".to_owned(),
                |bound| {
                    let name = words::level(document.model, bound);
                    format!("{name}, the lowest that a rule below leaves consistent")
                },
            );
            plain.field(2, COLUMN, "Bound", &bound);
            let suggestion = words::capital(&words::suggestion(document.model, verdict));
            plain.field(2, COLUMN, "Suggestion", &words::stop(suggestion));
            let can = words::level(document.model, *can);
            plain.field(2, COLUMN, "Can support", &format!("{can} by itself, whatever is seen"));
            plain.field(2, COLUMN, "Cannot see", beyond);
            for rule in rules {
                plain.blank();
                one_rule(&mut plain, document, &view, rule, verdict);
            }
        }
    }

    plain.heading("What an assessor would ask for");
    for ask in &requirement.evidence {
        plain.hanging(2, 4, &format!("- {ask}"));
    }
    provenance(&mut plain, document);
    Some(plain.finish())
}

fn answer_of(
    plain: &mut Plain,
    document: &Document<'_>,
    verdict: &RequirementVerdict,
    answer: &Answer,
) {
    let level = match answer.rating {
        Rating::Level(level) => words::level(document.model, level),
        Rating::OutOfScope => "out of scope".to_owned(),
    };
    plain.field(2, COLUMN, "Level", &level);
    plain.field(2, COLUMN, "By", &answer.by);
    plain.field(2, COLUMN, "When", &answer.when.date());
    plain.field(2, COLUMN, "Why", &answer.why);
    for evidence in &answer.evidence {
        plain.field(2, COLUMN, "Evidence", evidence);
    }
    if let Some(review) = answer.review {
        let overdue = if verdict.review_overdue { ", which is past" } else { "" };
        plain.field(2, COLUMN, "Review", &format!("{}{overdue}", review.date()));
    }
}

fn one_rule(
    plain: &mut Plain,
    document: &Document<'_>,
    view: &View<'_>,
    evidence: &RuleEvidence,
    verdict: &RequirementVerdict,
) {
    let rule = titles::rule(document.rules, evidence.rule);
    let title = titles::rule_title(document.rules, evidence.rule);
    let decides = words::deciding(verdict).any(|deciding| deciding.rule == evidence.rule);
    let mark = if decides { ", which decides the bound" } else { "" };
    plain.line(2, &format!("Rule {}: {title}{mark}", evidence.rule));
    let measure = &evidence.measure;
    plain.field(
        4,
        COLUMN,
        "Figures",
        &format!(
            "N {}, n {}, u {}, g {}: {}",
            measure.judged,
            measure.not_met,
            measure.unknown,
            measure.gaps,
            words::figures(measure)
        ),
    );
    let scale = format!("{}, {}", evidence.scale, words::origin(evidence));
    plain.field(4, COLUMN, "Scale", &scale);
    plain.field(4, COLUMN, "Threshold", &evidence.threshold);
    let level = evidence.level.map_or_else(
        || "no level follows".to_owned(),
        |level| format!("{} at most", words::level(document.model, level)),
    );
    plain.field(4, COLUMN, "Consistent", &level);
    if let Some(supports) = evidence.supports.filter(|supports| Some(*supports) != evidence.level) {
        let level = words::level(document.model, supports);
        plain.field(4, COLUMN, "Suggests", &format!("{level} at most, by those judged alone"));
    }
    if let Some(thin) = &evidence.thin {
        plain.field(4, COLUMN, "Thin", &format!("{thin}; it suggests nothing"));
    }
    if let Some(rule) = rule {
        plain.field(4, COLUMN, "Cites", &words::citations(rule));
        plain.field(4, COLUMN, "In force", words::in_force(rule));
        plain.field(4, COLUMN, "Fed by", &rule.fed_by.join(", "));
        readings(plain, document, rule.fed_by, 6);
    }
    findings(plain, document, view, evidence.rule, 4, EXAMPLES);
}
