//! Reports print an assessment.

mod answers_yaml;
mod document;
mod facts;
mod html;
mod json;
mod lines;
mod pkimm_web;
mod plain;
mod terminal;
mod text;
mod titles;
mod why;
mod words;

pub use document::{Changes, Document, Format};
pub use lines::{finding_line, gap_line, inventory_jsonl};
pub use why::{why_asset, why_requirement, why_rule};

/// Every format, sorted by name.
pub const FORMATS: &[Format] =
    &[answers_yaml::FORMAT, html::FORMAT, json::FORMAT, pkimm_web::FORMAT, terminal::FORMAT];
