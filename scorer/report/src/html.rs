//! `html`: one page with everything for people, from the overall level down to the place of every
//! finding.
//!
//! It is one file without scripts, images or fonts from anywhere; its content security policy
//! forbids them, so that a name in a certificate could not load or run anything even if it got
//! past the escaping. Every number links to what it rests on.

mod chart;
mod coverage;
mod findings;
mod hierarchy;
mod inventory;
mod overview;
mod requirements;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use askama::Template;
use pki_inventory::{AssetId, View};

use crate::{Document, Format, text, words};

pub(crate) const FORMAT: Format = Format {
    name: "html",
    about: "one self-contained page for people, down to each place",
    render,
};

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    model_version: &'a str,
    official_words: bool,
    as_of: String,
    agent_version: &'a str,
    policy_name: &'a str,
    policy_digest: String,
    scope: &'a [String],
    overview: overview::Overview,
    modules: Vec<requirements::Module<'a>>,
    rules: Vec<findings::RuleSection>,
    set_aside: Option<String>,
    hierarchy: Option<hierarchy::Hierarchy>,
    devices: Option<inventory::token::Devices>,
    inventory: Vec<inventory::Section>,
    coverage: table::Table,
    gaps: Vec<coverage::GapGroup>,
    gap_count: usize,
    changes: Option<coverage::Changed>,
    exceptions: Option<table::Table>,
    runs: u64,
    days: i64,
    blanks_leave: bool,
}

/// So many rows of one table on the page.
const ROWS: usize = 2_000;

/// What every part of the page needs.
struct Context<'a> {
    document: &'a Document<'a>,
    view: View<'a>,
    /// Assets with a row of their own, which can be linked to.
    rows: BTreeSet<AssetId>,
    /// Notes about devices, by what they say.
    notes: BTreeMap<String, usize>,
}

fn render(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let view = View::of(document.inventory);
    let mut context = Context { document, view, rows: BTreeSet::new(), notes: BTreeMap::new() };
    context.rows = inventory::rows(&context);
    context.notes = inventory::token::notes(&context);
    let assessment = document.assessment;
    let page = Page {
        model_version: &document.model.version,
        official_words: document.model.official_words,
        as_of: assessment.as_of.to_string(),
        agent_version: document.agent_version,
        policy_name: document.policy_name,
        policy_digest: document.policy_digest.to_string(),
        scope: document.scope,
        overview: overview::overview(&context),
        modules: requirements::modules(&context),
        rules: findings::rules(&context),
        set_aside: words::set_aside(assessment.judgement.set_aside),
        hierarchy: hierarchy::hierarchy_of(&context),
        devices: inventory::token::devices(&context),
        inventory: inventory::sections(&context),
        coverage: coverage::coverage(&context),
        gaps: coverage::gaps(&context),
        gap_count: document.inventory.gaps().count(),
        changes: coverage::changes(&context),
        exceptions: coverage::exceptions(&context),
        runs: assessment.history.runs,
        days: assessment.history.days,
        blanks_leave: assessment.scores.confirmed.blank == pki_scoring::official::Blank::Leaves,
    };
    let html = page.render().map_err(io::Error::other)?;
    // Escaping leaves characters alone that turn or hide the text around them.
    out.write_all(text::lines(&html).as_bytes())
}

impl Context<'_> {
    /// Where an asset is described on this page, if it is.
    fn href(&self, id: AssetId) -> Option<String> {
        self.rows.contains(&id).then(|| format!("#{}", anchor(id)))
    }
}

/// The anchor of an asset.
fn anchor(id: AssetId) -> String {
    format!("asset-{}-{}", id.kind, id.sha256)
}
