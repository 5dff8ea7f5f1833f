//! Where store, policy, model and answers come together for judging and reporting.

use std::path::{Path, PathBuf};

use pki_inventory::{Asset, AssetId, Inventory, Kind, Place, Time};
use pki_maturity::{Map, Model};
use pki_report::{Changes, Document};
use pki_rules::RULES;
use pki_scoring::{Answers, Assessment, History, Inputs, assess};
use pki_store::{Outcome, RunId, RunRecord, Selection, SqliteStore, Store as _, StoreError};

use crate::cli::{JudgingArgs, SelectionArgs};
use crate::inputs::{self, NamedPolicy};
use crate::pipeline;
use crate::scope::{Scope, Scopes};

/// The name of the store in the folder of the report.
const STORE_FILE: &str = "store.sqlite";

/// Everything a report is made from, loaded.
pub struct Desk {
    pub run: RunId,
    pub inventory: Inventory,
    pub model: Model,
    pub map: Map,
    pub policy: NamedPolicy,
    pub answers: Answers,
    pub answers_text: Option<String>,
    pub history: History,
    pub as_of: Time,
    changes: Option<Changes>,
    scope: Vec<String>,
}

/// The store file: the one named, else the one in the folder.
pub fn store_path(named: Option<&Path>, dir: &Path) -> PathBuf {
    named.map_or_else(|| dir.join(STORE_FILE), Path::to_owned)
}

/// Opens the store for reading. One of an older agent is brought to what this one reads.
pub fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    match SqliteStore::open_read_only(path) {
        Err(StoreError::OlderSchema { .. }) => {
            drop(SqliteStore::open(path)?);
            Ok(SqliteStore::open_read_only(path)?)
        }
        opened => Ok(opened?),
    }
}

/// The inventory that a command line selects.
pub fn select(store: &SqliteStore, selection: &SelectionArgs) -> anyhow::Result<Inventory> {
    Ok(store.inventory(match selection.run {
        Some(run) => Selection::Run(run),
        None if selection.all_runs => Selection::All,
        None => Selection::Latest,
    })?)
}

impl Desk {
    /// Loads what one run saw, and everything it is judged by.
    pub fn load(store: &SqliteStore, judging: &JudgingArgs, dir: &Path) -> anyhow::Result<Self> {
        let as_of = judging.as_of.unwrap_or_else(pipeline::now);
        let policy = inputs::policy(judging.by.policy.as_deref())?;
        let (model, map) = inputs::model(&judging.by.model)?;
        let answers = inputs::answers(judging.by.answers.as_deref(), dir, &model, as_of)?;
        let runs = store.runs()?;
        let run = match judging.run {
            Some(run) => run,
            None => latest(&runs)?,
        };
        let inventory = store.inventory(Selection::Run(run))?;
        let record = runs.iter().find(|record| record.id == run);
        let scope = record.map(|record| Scope::recorded(store, record)).transpose()?;
        let scope = scope.unwrap_or_default();
        let (answers, answers_text) =
            answers.map(|read| (read.answers, Some(read.text))).unwrap_or_default();
        Ok(Self {
            run,
            changes: changes(store, &runs, run, &scope, &inventory)?,
            inventory,
            model,
            map,
            policy,
            answers,
            answers_text,
            history: history(store, &runs, run, &scope, as_of)?,
            as_of,
            scope: scope.sentences(),
        })
    }

    /// What is needed to judge.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            model: &self.model,
            map: &self.map,
            policy: &self.policy.policy,
            rules: RULES,
            inventory: &self.inventory,
            answers: &self.answers,
            history: self.history,
            as_of: self.as_of,
        }
    }

    /// Judges.
    pub fn assess(&self) -> Assessment {
        assess(&self.inputs())
    }

    /// What reports print.
    pub fn document<'a>(&'a self, assessment: &'a Assessment) -> Document<'a> {
        Document {
            model: &self.model,
            map: &self.map,
            rules: RULES,
            assessment,
            inventory: &self.inventory,
            changes: self.changes.as_ref(),
            agent_version: env!("CARGO_PKG_VERSION"),
            policy_name: &self.policy.name,
            policy_digest: self.policy.digest,
            scope: &self.scope,
        }
    }
}

/// The latest run that was completed, else the latest of all.
fn latest(runs: &[RunRecord]) -> anyhow::Result<RunId> {
    let completed = runs.iter().rev().find(|run| run.outcome == Outcome::Completed);
    let run = completed.or(runs.last()).map(|run| run.id);
    run.ok_or_else(|| anyhow::anyhow!("the store holds no run yet; `pkimm-agent run` makes one"))
}

/// Completed runs up to this one that looked at least at what it looked at, and the days they span.
/// A look at an empty folder is no history of anything.
fn history(
    store: &SqliteStore,
    runs: &[RunRecord],
    run: RunId,
    wanted: &Scope,
    as_of: Time,
) -> Result<History, StoreError> {
    let mut scopes = Scopes::that(store, |its| its.covers(wanted));
    let mut completed = Vec::new();
    for record in runs {
        let is_completed = record.outcome == Outcome::Completed;
        if record.id <= run && record.started <= as_of && is_completed && scopes.fit(record)? {
            completed.push(record.started);
        }
    }
    let ends = completed.first().zip(completed.last());
    let days = ends.map_or(0, |(first, last)| first.days_until(*last));
    Ok(History { runs: completed.len() as u64, days })
}

/// What changed since the completed run before.
fn changes(
    store: &SqliteStore,
    runs: &[RunRecord],
    run: RunId,
    scope: &Scope,
    now: &Inventory,
) -> anyhow::Result<Option<Changes>> {
    let before = runs.iter().rev().find(|r| r.id < run && r.outcome == Outcome::Completed);
    let Some(before) = before else { return Ok(None) };
    let seen_before = store.inventory(Selection::Run(before.id))?;
    let left_out = scope.left_out();
    let left_out = |place: &Place| left_out.holds(place);
    let changes = pki_store::Changes::between(&seen_before, now, &left_out);
    Ok(Some(Changes {
        since: before.started,
        new: changes.new,
        gone: changes.gone,
        renewed: changes.renewed.into_iter().map(|renewal| (renewal.old, renewal.new)).collect(),
        not_looked_at: changes.not_looked_at,
        before: seen_before,
    }))
}

/// Finds an asset by its id or by as many of its first digits as make it unique; the kind may be
/// left out.
pub fn find_asset(inventory: &Inventory, text: &str) -> anyhow::Result<AssetId> {
    let (kind, digits) = match text.split_once(':') {
        Some((kind, digits)) => (Some(kind.parse::<Kind>().map_err(anyhow::Error::msg)?), digits),
        None => (None, text),
    };
    let digits = digits.to_ascii_lowercase();
    anyhow::ensure!(
        digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
        "`{text}` is no requirement, rule or asset id; an asset needs four hexadecimal digits or more"
    );
    let fits = |asset: &&Asset| {
        kind.is_none_or(|kind| asset.id.kind == kind)
            && asset.id.sha256.to_string().starts_with(&digits)
    };
    let found: Vec<AssetId> = inventory.assets().filter(fits).map(|asset| asset.id).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        // A certified key whose private half was not seen is known by its certificates only.
        [] if digits.len() == 64 && kind == Some(Kind::Key) => {
            Ok(AssetId::new(Kind::Key, digits.parse()?))
        }
        [] => anyhow::bail!("no asset begins with {text}; `pkimm-agent inventory list` shows all"),
        many => {
            let ids: Vec<String> = many.iter().take(10).map(ToString::to_string).collect();
            anyhow::bail!("{} assets begin with {text}: {}", many.len(), ids.join(", "))
        }
    }
}
