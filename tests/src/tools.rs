//! Runs the programs that people make keys, keystores and archives with.

use std::process::{Command, Stdio};

/// What a program printed; one that fails fails the test.
pub fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(arguments);
    finish(command)
}

/// The same for a command with a folder or an environment of its own.
pub fn finish(mut command: Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs it"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
