//! `findings`: what the rules came to.

use std::path::Path;

use pki_rules::{RULES, Subject};
use pki_scoring::judge_all;

use crate::cli::FindingsCommand;
use crate::commands::inventory::export_gaps;
use crate::desk::{self, Desk};
use crate::{Ending, output};

/// Lists or exports.
pub fn execute(command: FindingsCommand, store: &Path, dir: &Path) -> anyhow::Result<Ending> {
    let store = desk::open(store)?;
    match command {
        FindingsCommand::List { judging } => {
            let desk = Desk::load(&store, &judging, dir)?;
            let assessment = desk.assess();
            output::stream(|out| {
                for finding in &assessment.judgement.findings {
                    let sentence = finding.outcome.sentence().unwrap_or_default();
                    let place = finding.places.first().map(ToString::to_string).unwrap_or_default();
                    let name = finding.outcome.name();
                    writeln!(out, "{:<36} {name:<8} {sentence}  {place}", finding.rule)?;
                }
                Ok(())
            })?;
        }
        FindingsCommand::Export { format: _, gaps, judging } => {
            let desk = Desk::load(&store, &judging, dir)?;
            if gaps {
                export_gaps(&desk.inventory)?;
                return Ok(Ending::Fine);
            }
            // Which exception accepts a finding is known once all are judged.
            let assessment = desk.assess();
            let excepted: std::collections::BTreeMap<_, _> = assessment
                .judgement
                .excepted
                .iter()
                .map(|e| ((e.finding.rule, e.finding.subject.clone()), e.exception))
                .collect();
            let policy = &desk.policy.policy;
            output::stream(|out| {
                let mut written = Ok(());
                judge_all(RULES, &desk.inventory, policy, desk.as_of, &mut |finding| {
                    if written.is_ok() {
                        let key = (finding.rule, finding.subject.clone());
                        let reason = excepted
                            .get(&key)
                            .map(|exception| policy.exceptions[*exception].reason.as_str());
                        let mut finding = finding.clone();
                        // Rules leave places out where nothing was found; a line has them always.
                        if let Subject::Asset(id) = finding.subject
                            && let Some(asset) = desk.inventory.get(id)
                            && finding.places.is_empty()
                        {
                            finding.places = asset.places().cloned().collect();
                        }
                        let line = pki_report::finding_line(&finding, reason);
                        written = writeln!(out, "{}", pki_report::json_line(&line));
                    }
                });
                Ok(written?)
            })?;
        }
    }
    Ok(Ending::Fine)
}
