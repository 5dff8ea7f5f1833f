//! The product as a user meets it: the real program, real servers, real files. Each test proves one
//! sentence; what it expects stands beside it.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]
#![allow(clippy::disallowed_methods, reason = "reads files that the tests wrote")]

mod answers;
mod bad_input;
mod changes;
mod command_line;
mod directory;
mod files;
mod killed;
mod material;
mod planted;
mod repeatable;
mod secrets;
mod servers;
mod tokens;

/// The instant of every test that needs one.
const AS_OF: &str = "2026-11-21T00:00:00Z";
