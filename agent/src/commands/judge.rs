//! `assess`, `report` and `why`: judging what was seen.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use pki_maturity::Entry;
use pki_report::{Document, FORMATS};
use pki_rules::Outcome;
use pki_scoring::{Assessment, Verdict};
use pki_store::{SqliteStore, Store as _};

use crate::cli::{FailOn, JudgingArgs};
use crate::desk::{self, Desk};
use crate::{Ending, output};

/// Judges, keeps the assessment and prints its summary.
pub fn assess(
    judging: &JudgingArgs,
    fail_on: FailOn,
    store: &Path,
    dir: &Path,
) -> anyhow::Result<Ending> {
    // Opened for reading first: a store that is not there must not come into being by being judged.
    let desk = Desk::load(&desk::open(store)?, judging, dir)?;
    let assessment = desk.assess();
    keep(&mut SqliteStore::open(store)?, &desk, &assessment)?;
    let mut summary = Vec::new();
    render("terminal", &desk.document(&assessment), &mut summary)?;
    output::print(&String::from_utf8_lossy(&summary))?;
    Ok(ending(fail_on, &desk, &assessment))
}

/// Writes one format.
pub fn report(
    format: &str,
    to: Option<&Path>,
    judging: &JudgingArgs,
    store: &Path,
    dir: &Path,
) -> anyhow::Result<Ending> {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    anyhow::ensure!(
        names.contains(&format),
        "--format {format}: there is no such format; formats are {}",
        names.join(", ")
    );
    let desk = Desk::load(&desk::open(store)?, judging, dir)?;
    let assessment = desk.assess();
    deliver(format, to, &desk.document(&assessment))?;
    Ok(Ending::Fine)
}

/// Answers the question of the product.
pub fn why(
    subject: &str,
    judging: &JudgingArgs,
    store: &Path,
    dir: &Path,
) -> anyhow::Result<Ending> {
    let desk = Desk::load(&desk::open(store)?, judging, dir)?;
    let assessment = desk.assess();
    let document = desk.document(&assessment);
    let told = match pki_report::why_requirement(&document, subject)
        .or_else(|| pki_report::why_rule(&document, subject))
    {
        Some(told) => told,
        None => {
            let asset = desk::find_asset(&desk.inventory, subject)?;
            pki_report::why_asset(&document, asset)
                .with_context(|| format!("nothing is known of {asset}"))?
        }
    };
    output::print(&told)?;
    Ok(Ending::Fine)
}

/// Writes a format to a file, or to standard output.
pub fn deliver(format: &str, to: Option<&Path>, document: &Document<'_>) -> anyhow::Result<()> {
    match to {
        Some(path) => output::write_file(path, |out| render(format, document, out)),
        None => output::stream(|out| Ok(render(format, document, out)?)),
    }
}

/// Renders one format.
pub fn render(format: &str, document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let known = FORMATS.iter().find(|known| known.name == format);
    let known = known.ok_or_else(|| io::Error::other(format!("no format is called {format}")))?;
    (known.render)(document, out)
}

/// Keeps the assessment and the answers it rests on.
pub fn keep(store: &mut SqliteStore, desk: &Desk, assessment: &Assessment) -> anyhow::Result<()> {
    if let Some(text) = &desk.answers_text {
        store.save_answers(desk.as_of, text)?;
    }
    let mut json = Vec::new();
    render("json", &desk.document(assessment), &mut json)?;
    store.save_assessment(&pki_store::Assessment {
        run: desk.run,
        as_of: desk.as_of,
        model_version: desk.model.version.clone(),
        policy_digest: desk.policy.digest,
        json: String::from_utf8(json)?,
    })?;
    Ok(())
}

/// Whether what was found is above what the user wants to hear of.
pub fn ending(fail_on: FailOn, desk: &Desk, assessment: &Assessment) -> Ending {
    let not_met = |rule: &dyn Fn(&str) -> bool| {
        let findings = &assessment.judgement.findings;
        findings.iter().any(|f| matches!(f.outcome, Outcome::NotMet(_)) && rule(f.rule))
    };
    let contradicted = assessment
        .requirements
        .iter()
        .any(|requirement| matches!(requirement.verdict, Verdict::Contradicted { .. }));
    let failed = match fail_on {
        FailOn::Nothing => false,
        FailOn::Contradicted => contradicted,
        FailOn::MustNot => contradicted || not_met(&|rule| must_not(desk, rule)),
        FailOn::NotMet => contradicted || not_met(&|_| true),
    };
    if failed { Ending::Findings } else { Ending::Fine }
}

/// Whether the map gives the rule the scale of what must not happen at all.
fn must_not(desk: &Desk, rule: &str) -> bool {
    desk.map.entries().any(|(_, entry)| match entry {
        Entry::Judged { rules, .. } => {
            rules.iter().any(|bearing| bearing.rule == rule && bearing.scale == "never")
        }
        Entry::Manual { .. } => false,
    })
}
