//! `why <rule>`: what a rule looks for, what it came to, and where that counts.

use pki_inventory::View;

use super::{COLUMN, findings, provenance, readings, requirements};
use crate::plain::Plain;
use crate::{Document, titles, words};

/// Why a rule came to its figures: title, citations, measure, the requirements it bears on, and
/// every finding that is not met, unknown or accepted, with its places. `None` for a rule that did
/// not run.
#[must_use]
pub fn why_rule(document: &Document<'_>, rule: &str) -> Option<String> {
    let rule = titles::rule(document.rules, rule)?;
    let measure = document.assessment.judgement.measures.get(rule.id).copied().unwrap_or_default();
    let view = View::of(document.inventory);
    let mut plain = Plain::copyable();
    plain.line(0, &format!("{}: {}", rule.id, rule.title));
    plain.field(2, COLUMN, "Looks at", words::population(rule));
    plain.field(2, COLUMN, "Cites", &words::citations(rule));
    plain.field(2, COLUMN, "In force", words::in_force(rule));
    plain.field(2, COLUMN, "Fed by", &rule.fed_by.join(", "));
    readings(&mut plain, document, rule.fed_by, 4);

    plain.heading("Figures");
    plain.field(2, COLUMN, "Judged", &format!("{} (N)", measure.judged));
    let share = measure.not_met_share().map(words::percent);
    let share = share.map_or_else(String::new, |share| format!(", {share} of N"));
    plain.field(2, COLUMN, "Not met", &format!("{} (n){share}", measure.not_met));
    plain.field(2, COLUMN, "Unknown", &format!("{} (u)", measure.unknown));
    plain.field(2, COLUMN, "Accepted", &format!("{} by exceptions", measure.excepted));
    plain.field(
        2,
        COLUMN,
        "Gaps",
        &format!("{} (g) of {} places asked for", measure.gaps, measure.asked),
    );

    plain.heading("Bears on");
    requirements(&mut plain, document, rule.id);

    plain.heading("Findings");
    findings(&mut plain, document, &view, rule.id, 2, usize::MAX);
    if measure.not_met + measure.unknown + measure.excepted == 0 {
        plain.line(2, &format!("None: {} judged and met.", measure.judged));
    }
    provenance(&mut plain, document);
    Some(plain.finish())
}
