//! `openssl cmp` and the client it grew from enrol by CMP (RFC 9810); only who calls them is to be
//! seen.

use crate::Tool;
use crate::commands::Command;

pub(crate) const TOOL: Tool =
    Tool::command("OpenSSL CMP", &[Command::once(&["openssl cmp"]), Command::once(&["cmpclient"])]);
