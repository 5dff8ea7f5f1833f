//! `pkimm-web`: the file that the PKI Consortium's web self-assessment tool imports.
//!
//! The tool checks nothing on import, so this writer does: a level is a [`pki_maturity::Level`],
//! every string is in double quotes (its YAML reader turns a bare date into an object), and every
//! category has an entry, because extension scores skip those without one.
//!
//! The `id` stays the same for the same model, policy name and scope: importing a later run then
//! offers to merge, and "fill gaps" leaves what a person has rated alone. Suggestions are levels
//! with a flag, since the tool has no other word for "proposed".
//!
//! `sourceStructure` names each requirement, and the tool migrates between model versions by those
//! names. They are our titles; with the official model file loaded (`--model official.yaml`) they
//! are the official wording, which is what migration needs.

use std::io::{self, Write};

use pki_inventory::{Digest, Time};
use pki_scoring::{RequirementVerdict, Verdict};

use crate::text::quoted;
use crate::{Document, Format, words};

pub(crate) const FORMAT: Format = Format {
    name: "pkimm-web",
    about: "for import into the web self-assessment tool of the PKI Consortium",
    render,
};

/// The one artifact that entries resting on evidence point to.
const ARTIFACT: &str = "art-evidence";

fn render(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut yaml = Yaml::default();
    let (model, assessment) = (document.model, document.assessment);
    let now = milliseconds(assessment.as_of);
    let name = format!("PKI maturity from evidence, {}", assessment.as_of.date());

    yaml.bare(0, "stateSchemaVersion", "2");
    yaml.string(0, "dataVersion", &model.version);
    yaml.string(0, "name", &name);
    yaml.string(0, "id", &stable_id(document));
    yaml.open(0, "progress");
    for category in model.categories() {
        // Level 0 throughout: the levels are those of the requirements.
        yaml.open(1, &quoted(&category.id));
        yaml.bare(2, "level", "0");
        yaml.string(2, "result", "Not Assessed");
        yaml.string(2, "description", "");
        yaml.bare(2, "applicability", "true");
    }
    yaml.bare(0, "enabledExtensions", "[]");
    yaml.string(0, "assessmentName", &name);
    yaml.string(0, "assessorName", "");
    yaml.string(0, "useCaseDescription", &document.scope.join(" "));
    source_structure(&mut yaml, document);
    yaml.open(0, "meta");
    yaml.string(1, "createdAt", &now);
    yaml.string(1, "updatedAt", &now);
    yaml.string(0, "lastView", "full");
    yaml.string(0, "exportedAt", &now);
    requirements(&mut yaml, document, &now);
    workspace(&mut yaml, document);
    out.write_all(yaml.text.as_bytes())
}

fn source_structure(yaml: &mut Yaml, document: &Document<'_>) {
    yaml.open(0, "sourceStructure");
    yaml.open(1, "byKey");
    for module in &document.model.modules {
        for category in &module.categories {
            yaml.open(2, &quoted(&category.id));
            yaml.string(3, "moduleId", &module.id);
            yaml.string(3, "categoryName", &category.name);
            for requirement in &category.requirements {
                yaml.open(2, &quoted(&requirement.id));
                yaml.string(3, "moduleId", &module.id);
                yaml.string(3, "categoryName", &category.name);
                yaml.string(3, "requirementName", &requirement.title);
            }
        }
    }
}

fn requirements(yaml: &mut Yaml, document: &Document<'_>, now: &str) {
    let rated: Vec<&RequirementVerdict> = document
        .assessment
        .requirements
        .iter()
        .filter(|requirement| requirement.verdict != Verdict::Unrated)
        .collect();
    if rated.is_empty() {
        yaml.bare(0, "requirementProgress", "{}");
        return;
    }
    yaml.open(0, "requirementProgress");
    for requirement in rated {
        yaml.open(1, &quoted(&requirement.id));
        let level = requirement.verdict.provisional();
        let level = level.map_or_else(|| "0".to_owned(), |level| level.to_string());
        yaml.bare(2, "level", &level);
        match requirement.verdict {
            Verdict::OutOfScope { .. } => {
                yaml.bare(2, "applicability", "false");
                let why = requirement.answer.as_ref().map_or("", |answer| &answer.why);
                yaml.string(2, "applicabilityReason", why);
            }
            _ => yaml.bare(2, "applicability", "true"),
        }
        yaml.string(2, "notes", &notes(document, requirement));
        yaml.string(2, "evidence", &evidence(document, requirement));
        let flag = flag(requirement);
        if !flag.is_empty() {
            yaml.bare(2, "flagged", "true");
            yaml.string(2, "flagNote", &flag);
        }
        if requirement.verdict.rests_on_evidence() {
            yaml.bare(2, "artifactIds", &format!("[{}]", quoted(ARTIFACT)));
        }
        yaml.string(2, "updatedAt", now);
    }
}

/// What a person has to look at before the level can stand, if anything.
fn flag(requirement: &RequirementVerdict) -> String {
    let mut flags = Vec::new();
    match &requirement.verdict {
        Verdict::Suggested(_) => flags.push("suggested from evidence, not confirmed".to_owned()),
        Verdict::Contradicted { answered, bound, counts, .. } => flags.push(format!(
            "contradicted: answered {answered}, what was seen is consistent with {bound} at most, \
             {counts} counts"
        )),
        Verdict::OutOfScope { seen_in_use } if *seen_in_use > 0 => {
            flags
                .push(format!("out of scope, but the evidence judged {seen_in_use} assets in use"));
        }
        _ => {}
    }
    if requirement.review_overdue {
        flags.push("the review date of the answer is past".to_owned());
    }
    flags.join("; ")
}

fn notes(document: &Document<'_>, requirement: &RequirementVerdict) -> String {
    let mut notes = vec![words::verdict_sentence(document.model, requirement)];
    if let Some(answer) = &requirement.answer {
        notes.push(words::stop(format!("Why: {}", answer.why)));
    }
    notes.join("\n")
}

/// The figures of every rule, then the documents that the person named.
fn evidence(document: &Document<'_>, requirement: &RequirementVerdict) -> String {
    let mut lines: Vec<String> = requirement
        .rules()
        .iter()
        .map(|rule| {
            format!(
                "{}: {}; scale {} ({}): {}.",
                rule.rule,
                words::figures(&rule.measure),
                rule.scale,
                words::origin(rule),
                rule.threshold
            )
        })
        .collect();
    if !lines.is_empty() {
        lines.push(format!(
            "Judged as of {} by {}, sha256 {}.",
            document.assessment.as_of, document.policy_name, document.policy_digest
        ));
    }
    if let Some(answer) = &requirement.answer {
        lines.extend(answer.evidence.iter().cloned());
    }
    lines.join("\n")
}

fn workspace(yaml: &mut Yaml, document: &Document<'_>) {
    let (model, scores) = (document.model, &document.assessment.scores);
    let (low, high) = (&scores.lowest.overall, &scores.highest.overall);
    let summary = [
        format!("Confirmed: {}.", words::confirmed(model, scores)),
        format!(
            "Provisional, with suggestions: {}.",
            words::score(model, &scores.provisional.overall)
        ),
        format!(
            "Range that the open answers leave: {} to {}.",
            words::end_of_range(model, low),
            words::end_of_range(model, high)
        ),
        format!(
            "{} were asked for and not read.",
            words::count(document.inventory.gaps().count(), "place", "places")
        ),
    ];
    yaml.open(0, "workspace");
    yaml.bare(1, "intake", "[]");
    yaml.string(1, "workingNotes", &summary.join("\n"));
    yaml.text.push_str("  artifacts:\n    - id: ");
    yaml.text.push_str(&quoted(ARTIFACT));
    yaml.text.push('\n');
    yaml.string(3, "title", "Assessment from evidence, with every finding and gap");
    yaml.string(3, "locator", "pkimm-agent report --format json");
    yaml.string(
        3,
        "notes",
        &format!(
            "pkimm-agent {}, as of {}, {}, sha256 {}",
            document.agent_version,
            document.assessment.as_of,
            document.policy_name,
            document.policy_digest
        ),
    );
    yaml.bare(1, "pocs", "[]");
    yaml.bare(1, "checklist", "[]");
}

/// The same for the same model, policy name and scope, in the shape of a UUID (RFC 9562, version
/// 8). The policy's content is left out: a changed threshold is a new run, not a new assessment.
fn stable_id(document: &Document<'_>) -> String {
    let mut input = String::new();
    for part in [&document.model.version, document.policy_name]
        .into_iter()
        .chain(document.scope.iter().map(String::as_str))
    {
        input.push_str(part);
        input.push('\0');
    }
    let digest = Digest::of(input.as_bytes());
    let mut octets = *digest.octets();
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex: String = octets[..16].iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The tool writes milliseconds, and compares the texts.
fn milliseconds(time: Time) -> String {
    let text = time.to_string();
    text.strip_suffix('Z').map_or_else(|| text.clone(), |seconds| format!("{seconds}.000Z"))
}

#[derive(Default)]
struct Yaml {
    text: String,
}

impl Yaml {
    fn open(&mut self, depth: usize, key: &str) {
        self.text.push_str(&format!("{}{key}:\n", "  ".repeat(depth)));
    }

    fn bare(&mut self, depth: usize, key: &str, value: &str) {
        self.text.push_str(&format!("{}{key}: {value}\n", "  ".repeat(depth)));
    }

    fn string(&mut self, depth: usize, key: &str, value: &str) {
        self.bare(depth, key, &quoted(value));
    }
}
