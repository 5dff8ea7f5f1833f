//! acme-tiny keeps nothing; only who calls it is to be seen.

use crate::Tool;
use crate::commands::Command;

pub(crate) const TOOL: Tool = Tool::command(
    "acme-tiny",
    &[
        Command::once(&["acme-tiny", "--csr"]),
        Command::once(&["acme_tiny.py", "--csr"]),
        Command::once(&["acme-tiny", "--account-key"]),
        Command::once(&["acme_tiny.py", "--account-key"]),
    ],
);
