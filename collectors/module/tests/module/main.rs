//! The process of a module, against one that misbehaves and against real ones.

#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

mod confined;
mod misbehaving;
mod odd_answers;
mod process;
mod real;
mod source;
