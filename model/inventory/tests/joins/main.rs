//! What follows from several records together: files, settings, automation, trust stores.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

mod automation;
mod drift;
mod keys;
mod settings;
mod signs;
mod trust_store;
mod world;
