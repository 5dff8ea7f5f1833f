//! `answers`: people's side.

use std::path::Path;

use crate::cli::AnswersCommand;
use crate::commands::judge;
use crate::desk::{self, Desk};
use crate::inputs::ANSWERS_FILE;
use crate::{Ending, output};

/// Writes the questionnaire, or answers for another tool.
pub fn execute(command: AnswersCommand, store: &Path, dir: &Path) -> anyhow::Result<Ending> {
    match command {
        AnswersCommand::Init { output, force, judging } => {
            let path = output.unwrap_or_else(|| dir.join(ANSWERS_FILE));
            anyhow::ensure!(
                force || !path.exists(),
                "{} exists already; --force writes it anew and keeps the answers in it",
                path.display()
            );
            let mut judging = judging;
            if judging.by.answers.is_none() && path.exists() {
                judging.by.answers = Some(path.clone());
            }
            let desk = Desk::load(&desk::open(store)?, &judging, dir)?;
            let assessment = desk.assess();
            judge::deliver("answers-yaml", Some(&path), &desk.document(&assessment))?;
            output::remark(&format!("Wrote {}.", path.display()));
        }
        AnswersCommand::Export { format: _, output, judging } => {
            let desk = Desk::load(&desk::open(store)?, &judging, dir)?;
            let assessment = desk.assess();
            judge::deliver("pkimm-web", output.as_deref(), &desk.document(&assessment))?;
        }
    }
    Ok(Ending::Fine)
}
