//! `answers-yaml`: the file that people fill in.
//!
//! What the evidence says stands as a comment above each requirement, so that whoever answers sees
//! it first. Answers that were given are written out again; the file reads back as they were.

use std::io::{self, Write};

use pki_inventory::Time;
use pki_maturity::{Category, Requirement};
use pki_scoring::{Answer, Basis, Rating, RequirementVerdict};

use crate::plain::Plain;
use crate::text::quoted;
use crate::{Document, Format, words};

pub(crate) const FORMAT: Format =
    Format { name: "answers-yaml", about: "the file in which people answer requirements", render };

const HOW_TO: &str = "\
For each requirement fill in either `level` (1 to 5) or `out_of_scope` (the reason why it does not \
apply), with `by` (who answers) and `when` (such as 2026-11-20); a level needs `why` too. \
`evidence` (documents, links) and `review` (when to look at it again) are optional. Requirements \
left empty are not answered.";

const WHAT_EVIDENCE_SAYS: &str = "\
What evidence suggests is written above each requirement. A suggestion counts in the provisional \
score only, until somebody confirms it by answering. An answer above the bound is contradicted by \
what was seen, and the policy says what counts then.";

fn render(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let model = document.model;
    let mut text = String::new();
    let first = format!(
        "Answers for the PKI Maturity Model {}, beside the evidence as of {}, judged by {}.",
        model.version, document.assessment.as_of, document.policy_name
    );
    for paragraph in [first.as_str(), HOW_TO, WHAT_EVIDENCE_SAYS] {
        comment(&mut text, 0, 0, paragraph);
        text.push_str("#\n");
    }
    text.push_str(&format!("model: {}\nanswers:\n", quoted(&model.version)));
    for module in &model.modules {
        text.push('\n');
        comment(&mut text, 2, 0, &format!("==== {} {} ====", module.id, module.name));
        for category in &module.categories {
            of_category(&mut text, document, category);
            for requirement in &category.requirements {
                of_requirement(&mut text, document, requirement);
            }
        }
    }
    out.write_all(text.as_bytes())
}

fn of_category(text: &mut String, document: &Document<'_>, category: &Category) {
    text.push('\n');
    let (id, weight) = (&category.id, category.weight);
    comment(text, 2, 0, &format!("---- {} ({id}, weight {weight}) ----", category.name));
    for (at, level) in category.levels.iter().enumerate() {
        let name = document.model.level_names.get(at).map_or("", String::as_str);
        let name = name.split_once(" - ").map_or(name, |(_, name)| name);
        comment(text, 2, 2, &format!("{} {name}: {level}", at + 1));
    }
}

fn of_requirement(text: &mut String, document: &Document<'_>, requirement: &Requirement) {
    text.push('\n');
    comment(text, 2, 0, &format!("{} (weight {})", requirement.title, requirement.weight));
    let verdict = document.assessment.requirement(&requirement.id);
    if let Some(verdict) = verdict {
        of_evidence(text, document, verdict);
    }
    let asks = requirement.evidence.join("; ");
    comment(text, 2, 2, &format!("An assessor would ask for: {asks}."));
    text.push_str(&format!("  {}:\n", key(&requirement.id)));
    match verdict.and_then(|verdict| verdict.answer.as_ref()) {
        Some(answer) => answered(text, answer),
        None => open(text),
    }
}

fn of_evidence(text: &mut String, document: &Document<'_>, verdict: &RequirementVerdict) {
    let suggestion = words::capital(&words::suggestion(document.model, verdict));
    comment(text, 2, 2, &words::stop(suggestion));
    if let Some(bound) = verdict.bound() {
        let name = words::level(document.model, bound);
        comment(text, 2, 2, &format!("Bound: what was seen is consistent with {name} at most."));
    }
    // Rules that had nothing to look at go together: most of a model's, where no directory was
    // read.
    let (idle, busy): (Vec<_>, Vec<_>) =
        verdict.rules().iter().partition(|rule| rule.measure.judged + rule.measure.unknown == 0);
    for rule in busy {
        comment(
            text,
            2,
            4,
            &format!("- {}: {}; {}.", rule.rule, words::figures(&rule.measure), rule.threshold),
        );
    }
    if !idle.is_empty() {
        let names: Vec<&str> = idle.iter().map(|rule| rule.rule).collect();
        comment(text, 2, 4, &format!("- Nothing was there to judge for {}.", names.join(", ")));
    }
    if let Basis::Judged { beyond, .. } = &verdict.basis {
        comment(text, 2, 2, &format!("No scan can see: {beyond}"));
    }
}

fn answered(text: &mut String, answer: &Answer) {
    let mut field = |key: &str, value: &str| text.push_str(&format!("    {key}: {value}\n"));
    match answer.rating {
        Rating::Level(level) => field("level", &level.to_string()),
        Rating::OutOfScope => field("out_of_scope", &quoted(&answer.why)),
    }
    field("by", &quoted(&answer.by));
    field("when", &date(answer.when));
    if answer.rating != Rating::OutOfScope {
        field("why", &quoted(&answer.why));
    }
    let evidence: Vec<String> = answer.evidence.iter().map(|item| quoted(item)).collect();
    field("evidence", &format!("[{}]", evidence.join(", ")));
    text.push_str("    review:");
    if let Some(review) = answer.review {
        text.push_str(&format!(" {}", date(review)));
    }
    text.push('\n');
}

fn open(text: &mut String) {
    for key in ["level:", "by:", "when:", "why:", "evidence: []", "review:"] {
        text.push_str(&format!("    {key}\n"));
    }
}

/// A date where it is the first second of a day, else the instant: both read back as they were.
fn date(time: Time) -> String {
    let (date, full) = (time.date(), time.to_string());
    if full.ends_with("T00:00:00Z") { date } else { quoted(&full) }
}

/// Ids of the built-in models need no quotes; those of a file might.
fn key(id: &str) -> String {
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    if plain && id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id.to_owned()
    } else {
        quoted(id)
    }
}

/// Comment lines of at most 100 columns: `indent` before the `#`, `inner` after it.
fn comment(text: &mut String, indent: usize, inner: usize, paragraph: &str) {
    let mut plain = Plain::narrow(98 - indent);
    plain.hanging(inner, inner + 2, paragraph);
    for line in plain.finish().lines() {
        text.push_str(&" ".repeat(indent));
        text.push_str("# ");
        text.push_str(line);
        text.push('\n');
    }
}
