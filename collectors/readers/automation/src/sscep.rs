//! sscep enrols by SCEP (RFC 8894) and keeps nothing; only who calls it is to be seen.

use crate::Tool;
use crate::commands::Command;

pub(crate) const TOOL: Tool =
    Tool::command("sscep", &[Command::once(&["sscep", "enroll"]), Command::once(&["scepclient"])]);
