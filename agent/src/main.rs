//! `pkimm-agent`: looks at certificates and keys, judges what it sees, and says how mature a PKI is
//! under the PKI Maturity Model.
//!
//! This crate alone prints, reads the clock and writes files. What it runs is wired together in
//! `pipeline.rs` and nowhere else.

mod cli;
mod commands;
mod desk;
mod inputs;
mod intake;
mod interrupt;
mod limits;
mod output;
mod passwords;
mod pipeline;
mod progress;
mod scope;
mod stream;
mod this_machine;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

/// How a command ended, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// 0.
    Fine,
    /// 1: findings above `--fail-on`.
    Findings,
    /// 3: nothing could be read.
    NothingRead,
    /// 130: the run was ended early, as a shell would say it (128 + SIGINT).
    Cancelled,
}

fn main() -> ExitCode {
    // Before anything else is set up or said: standard output belongs to the agent that started this.
    if std::env::args_os().nth(1).is_some_and(|first| first == cli::SERVE_MODULE) {
        return pki_module::serve();
    }
    let cli = cli::Cli::parse();
    let level = match cli.verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("PKIMM_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match commands::execute(cli) {
        Ok(Ending::Fine) => ExitCode::SUCCESS,
        Ok(Ending::Findings) => ExitCode::from(1),
        Ok(Ending::NothingRead) => ExitCode::from(3),
        Ok(Ending::Cancelled) => ExitCode::from(130),
        // A pager that was closed is no fault of anybody.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::from(2)
        }
    }
}
