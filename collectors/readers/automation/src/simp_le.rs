//! `simp_le` keeps its state beside the certificates without a name for it; only who calls it is to
//! be seen.

use crate::Tool;
use crate::commands::Command;

pub(crate) const TOOL: Tool = Tool::command(
    "simp_le",
    &[Command::once(&["simp_le", "-d"]), Command::once(&["simp_le", "--vhost"])],
);
