//! estclient enrols by EST (RFC 7030); only who calls it is to be seen.

use crate::Tool;
use crate::commands::Command;

pub(crate) const TOOL: Tool = Tool::command(
    "estclient",
    &[
        Command::once(&["estclient", "enroll"]),
        Command::once(&["estclient", "reenroll"]),
        Command::once(&["estclient", "-e"]),
        Command::once(&["estclient", "-r"]),
    ],
);
