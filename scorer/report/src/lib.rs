//! Prints an assessment: a page for people, a document for programs, a summary for a terminal, the
//! file that people answer in, the file that the PKI Consortium's web tool imports, and metrics.
//!
//! Every format says the same in the same words and leads from any number to what it rests on: the
//! rules with their figures, the threshold that decided and its line of the policy, the citation,
//! the assets and their places. [`why_requirement`], [`why_rule`] and [`why_asset`] answer for one
//! thing at a time; [`inventory_jsonl`], [`finding_line`] and [`gap_line`] export one line at a
//! time, [`seen_line`] and [`coverage_line`] while a scan goes on, [`json_line`] writes them;
//! [`list_line`] says in a line what an asset is; [`cas`] and [`templates`] lay out what
//! directories hold of a PKI, [`tokens`] and [`keys`] the tokens and every key wherever it lies.
//!
//! What this crate does not do: it computes no score, level, share or finding (it counts rows for
//! a heading), reads no file, asks no clock, and loads nothing into a page. It hides nothing: what
//! a format leaves out it counts, and says where the rest is. The same document gives the same
//! bytes. Texts from strangers are escaped and cannot act on a terminal, a browser or an editor.
//!
//! Adding a format is a file with a `FORMAT` and a line in [`FORMATS`].
//!
//! ```
//! use pki_inventory::{Digest, Inventory, Time};
//! use pki_maturity::{Map, Model};
//! use pki_report::{Document, FORMATS};
//! use pki_scoring::{Answers, History, Inputs, assess};
//!
//! let model = Model::built_in("2.0.0")?;
//! let map = Map::for_model(&model)?;
//! let policy = pki_config::Policy::defaults()?;
//! let inventory = Inventory::default();
//! let assessment = assess(&Inputs {
//!     model: &model,
//!     map: &map,
//!     policy: &policy,
//!     rules: pki_rules::RULES,
//!     inventory: &inventory,
//!     answers: &Answers::default(),
//!     history: History::default(),
//!     as_of: Time(1_795_219_200),
//! });
//! let document = Document {
//!     model: &model,
//!     map: &map,
//!     rules: pki_rules::RULES,
//!     assessment: &assessment,
//!     inventory: &inventory,
//!     changes: None,
//!     agent_version: "0.1.0",
//!     policy_name: "default policy",
//!     policy_digest: Digest::of(pki_config::DEFAULT_POLICY.as_bytes()),
//!     scope: &["The file tree /srv.".to_owned()],
//! };
//! let terminal = FORMATS.iter().find(|format| format.name == "terminal").ok_or("no such format")?;
//! let mut out = Vec::new();
//! (terminal.render)(&document, &mut out)?;
//! assert!(String::from_utf8(out)?.contains("nobody has answered"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers_yaml;
mod automation;
mod configuration;
mod directory;
mod document;
mod endpoint;
mod facts;
mod hierarchy;
mod html;
mod json;
mod json_text;
mod keystore;
mod lines;
mod list;
mod members;
mod pkimm_web;
mod plain;
mod prometheus;
mod sighting;
mod stream;
mod terminal;
mod text;
mod titles;
mod token;
mod told;
mod views;
mod why;
mod words;

pub use document::{Changes, Document, Format};
pub use json_text::{json_line, json_pretty};
pub use lines::{finding_line, gap_line, inventory_jsonl};
pub use list::list_line;
pub use stream::{coverage_line, seen_line};
pub use views::{cas, keys, templates, tokens};
pub use why::{why_asset, why_requirement, why_rule};

/// Every format, sorted by name.
pub const FORMATS: &[Format] = &[
    answers_yaml::FORMAT,
    html::FORMAT,
    json::FORMAT,
    pkimm_web::FORMAT,
    prometheus::FORMAT,
    terminal::FORMAT,
];
