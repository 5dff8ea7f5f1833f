//! Why a number is what it is, as text for a terminal: the certificates, places, dates and
//! thresholds behind it, without a line that has to be taken on trust.

mod asset;
mod requirement;
mod rule;

use pki_inventory::View;
use pki_rules::{Finding, Outcome};

use crate::plain::Plain;
use crate::{Document, titles, words};

pub use asset::why_asset;
pub use requirement::why_requirement;
pub use rule::why_rule;

/// So many example assets for each rule of a requirement; `why <rule>` shows all.
const EXAMPLES: usize = 20;

/// The column that values begin in.
const COLUMN: usize = 18;

/// The findings of one rule that are not met, then unknown, then accepted, up to `most` of each.
fn findings(
    plain: &mut Plain,
    document: &Document<'_>,
    view: &View<'_>,
    rule: &str,
    indent: usize,
    most: usize,
) {
    let judgement = &document.assessment.judgement;
    let of = |wanted: fn(&Outcome) -> bool| -> Vec<(&Finding, Option<String>)> {
        judgement
            .findings
            .iter()
            .filter(|finding| finding.rule == rule && wanted(&finding.outcome))
            .map(|finding| (finding, None))
            .collect()
    };
    let excepted = judgement.excepted.iter().filter(|excepted| excepted.finding.rule == rule);
    let accepted: Vec<(&Finding, Option<String>)> = excepted
        .map(|excepted| (&excepted.finding, exception(document, excepted.exception)))
        .collect();
    for (heading, group) in [
        ("Not met", of(|outcome| matches!(outcome, Outcome::NotMet(_)))),
        ("Unknown", of(|outcome| matches!(outcome, Outcome::Unknown(_)))),
        ("Accepted by exceptions", accepted),
    ] {
        if group.is_empty() {
            continue;
        }
        let shown =
            if group.len() > most { format!(", {most} of them shown") } else { String::new() };
        plain.line(indent, &format!("{heading}: {}{shown}", group.len()));
        for (finding, why) in group.iter().take(most) {
            one_finding(plain, view, finding, why.as_deref(), indent + 2);
        }
    }
}

fn one_finding(
    plain: &mut Plain,
    view: &View<'_>,
    finding: &Finding,
    exception: Option<&str>,
    indent: usize,
) {
    let title = titles::subject(&finding.subject, view);
    plain.line(indent, &format!("{title}  {}", finding.subject));
    if let Some(sentence) = finding.outcome.sentence() {
        plain.line(indent + 2, sentence);
    }
    if let Some(why) = exception {
        plain.line(indent + 2, &format!("accepted: {why}"));
    }
    if let pki_rules::Subject::Asset(id) = &finding.subject
        && let Some(asset) = view.inventory().get(*id)
    {
        for sighting in asset.sightings() {
            let (first, last) = (sighting.first_seen, sighting.last_seen);
            plain.line(indent + 2, &format!("{}  seen {first} to {last}", sighting.place));
        }
        return;
    }
    for place in &finding.places {
        plain.line(indent + 2, &place.to_string());
    }
}

/// The reason of an exception, with its last day and its line of the policy.
fn exception(document: &Document<'_>, number: usize) -> Option<String> {
    let exception = &document.assessment.exceptions.get(number)?.exception;
    Some(format!(
        "{} (until {}, {}:{})",
        exception.reason, exception.expires, exception.origin.file, exception.origin.line
    ))
}

/// What the judgement was made from: instant, model, policy.
fn provenance(plain: &mut Plain, document: &Document<'_>) {
    plain.heading("Judged");
    plain.field(2, COLUMN, "As of", &document.assessment.as_of.to_string());
    plain.field(2, COLUMN, "Model", &format!("PKIMM {}", document.model.version));
    plain.field(
        2,
        COLUMN,
        "Policy",
        &format!("{}, sha256 {}", document.policy_name, document.policy_digest),
    );
}

/// What the collectors that feed a rule have read.
fn readings(plain: &mut Plain, document: &Document<'_>, fed_by: &[&str], indent: usize) {
    for (collector, scope, coverage) in document.inventory.coverage() {
        if fed_by.contains(&collector) {
            plain.line(
                indent,
                &format!(
                    "{collector} {scope}: {} of {} places read, {} not, finished {}",
                    coverage.read, coverage.asked, coverage.not_read, coverage.finished
                ),
            );
            if let Some(unchanged) = words::unchanged(coverage) {
                plain.line(indent + 2, &unchanged);
            }
        }
    }
}

/// The requirements a rule bears on, with the level each takes from it.
fn requirements(plain: &mut Plain, document: &Document<'_>, rule: &str) {
    let mut none = true;
    for id in document.map.requirements_of(rule) {
        none = false;
        let title = document.model.requirement(id).map_or("", |requirement| &requirement.title);
        plain.line(2, &format!("{id}  {title}"));
        let verdict = document.assessment.requirement(id);
        let evidence = verdict.and_then(|v| v.rules().iter().find(|e| e.rule == rule));
        if let Some(evidence) = evidence {
            let consistent = evidence.level.map_or_else(
                || "no level follows".to_owned(),
                |level| format!("at most {}", words::level(document.model, level)),
            );
            plain.line(
                4,
                &format!(
                    "scale {} ({}): {}; {consistent}",
                    evidence.scale,
                    words::origin(evidence),
                    evidence.threshold
                ),
            );
        }
        if let Some(verdict) = verdict {
            plain.line(4, &format!("verdict: {}", words::verdict(&verdict.verdict)));
        }
    }
    if none {
        plain.line(2, "None of this model: the map names no requirement for it.");
    }
}
