//! One function per command.

mod answers;
mod findings;
mod inventory;
mod judge;
mod plan;
mod scan;
mod setup;

use clap::CommandFactory as _;

use crate::Ending;
use crate::cli::{Cli, Command};
use crate::{desk, output};

/// Does what the command line says.
pub fn execute(cli: Cli) -> anyhow::Result<Ending> {
    let store = desk::store_path(cli.store.as_deref(), &cli.dir);
    match cli.command {
        Command::Run(args) => scan::run(args, &store, &cli.dir),
        Command::Scan(args) => scan::scan(&args, &store, &cli.dir),
        Command::Init { into } => setup::init(&into),
        Command::Check { settings, judging } => setup::check(&settings, &judging, &cli.dir),
        Command::Assess { judging, fail } => {
            judge::assess(&judging, fail.fail_on, &store, &cli.dir)
        }
        Command::Report { format, output, judging } => {
            judge::report(&format, output.as_deref(), &judging, &store, &cli.dir)
        }
        Command::Why { subject, judging } => judge::why(&subject, &judging, &store, &cli.dir),
        Command::Inventory(command) => inventory::execute(command, &store),
        Command::Findings(command) => findings::execute(command, &store, &cli.dir),
        Command::Answers(command) => answers::execute(command, &store, &cli.dir),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pkimm-agent", &mut script);
            output::print(&String::from_utf8_lossy(&script))?;
            Ok(Ending::Fine)
        }
    }
}
