//! What a run was asked to look at: as it is recorded, as it is compared, as it is told.

mod directories;
mod files;
mod left_out;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use pki_config::{Depth, Hosts, Settings, Target};
use pki_inventory::{Digest, Time};
use pki_store::{RunId, RunRecord, SqliteStore, Store as _, StoreError};
use serde_json::{Value, json};

use self::directories::Directories;
pub use self::directories::account;
use self::files::Files;
pub use self::left_out::LeftOut;
use self::tokens::Tokens;

/// More of one kind than this is counted instead of listed in a sentence.
const MOST_LISTED: usize = 12;

/// The scope of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    trees: Vec<String>,
    trees_left_out: Vec<String>,
    files: Files,
    tls: Vec<String>,
    /// What listened on loopback, where that was asked for.
    loopback: Option<Vec<String>>,
    hosts_left_out: Vec<String>,
    /// Names by network; `None` in records of before they were kept.
    server_names: Option<BTreeMap<String, Vec<String>>>,
    depth: Depth,
    directories: Directories,
    tokens: Tokens,
    clock: Option<String>,
    continues: Option<RunId>,
}

impl Scope {
    /// The scope that settings ask for, what listened on loopback where they ask for that, and the
    /// instant that the clock was set to, if it was.
    pub fn of(settings: &Settings, loopback: &[Target], clock: Option<Time>) -> Self {
        let (files, tls) = (&settings.filesystem, &settings.tls);
        let path = |path: &std::path::PathBuf| path.display().to_string();
        let names = tls.server_names.iter();
        let mut server_names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (network, names) in names {
            // As in a target, which reads it back.
            let network = Hosts::Network(*network).to_string();
            server_names.entry(network).or_default().extend_from_slice(names);
        }
        Self {
            trees: files.roots.iter().map(path).collect(),
            trees_left_out: files.exclude.iter().map(path).collect(),
            files: Files::of(files),
            tls: tls.targets.iter().map(ToString::to_string).collect(),
            loopback: tls.loopback.then(|| loopback.iter().map(ToString::to_string).collect()),
            // A host is left out on all of its ports, also where one was filled in.
            hosts_left_out: tls.exclude.iter().map(|target| target.hosts.to_string()).collect(),
            server_names: Some(server_names),
            depth: tls.depth,
            directories: Directories::of(&settings.directory),
            tokens: Tokens::of(&settings.pkcs11),
            clock: clock.map(|time| time.to_string()),
            continues: None,
        }
    }

    /// The scope that was recorded of a run.
    pub fn recorded(store: &SqliteStore, record: &RunRecord) -> Result<Self, StoreError> {
        let mut scope = Self::from_json(&store.scope(record.id)?);
        scope.continues = record.continues.or(scope.continues);
        Ok(scope)
    }

    /// As it is recorded. That a run goes on with another is not a part of it: the same scope is
    /// kept once.
    pub fn to_json(&self) -> String {
        json!({
            "filesystem": self.trees,
            "left_out": self.trees_left_out,
            "files": self.files.to_json(),
            "tls": self.tls,
            "loopback": self.loopback,
            "hosts_left_out": self.hosts_left_out,
            "server_names": self.server_names,
            "depth": self.depth.to_string(),
            "directory": self.directories.to_json(),
            "pkcs11": self.tokens.to_json(),
            "clock": self.clock,
        })
        .to_string()
    }

    /// As it was recorded; what cannot be read was not asked for.
    pub fn from_json(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let list = |key: &str| strings(&value[key]).unwrap_or_default();
        let names = value["server_names"].as_object().map(|networks| {
            let names = |names: &Value| strings(names).unwrap_or_default();
            networks.iter().map(|(network, all)| (network.clone(), names(all))).collect()
        });
        let mut scope = Self {
            trees: list("filesystem"),
            trees_left_out: list("left_out"),
            files: Files::from_json(&value["files"]),
            tls: list("tls"),
            loopback: strings(&value["loopback"]),
            hosts_left_out: list("hosts_left_out"),
            server_names: names,
            // Runs before there were depths are of the first one.
            depth: value["depth"].as_str().and_then(|d| d.parse().ok()).unwrap_or_default(),
            directories: Directories::from_json(&value["directory"]),
            tokens: Tokens::from_json(&value["pkcs11"]),
            clock: value["clock"].as_str().map(str::to_owned),
            continues: value["continues"].as_i64().map(RunId),
        };
        if value.get("hosts_left_out").is_none() {
            scope.take_apart();
        }
        scope
    }

    /// Takes apart what the first records had in one list each.
    fn take_apart(&mut self) {
        let is_loopback = |target: &String| ["127.", "[::1]"].iter().any(|s| target.starts_with(s));
        let (found, tls) = std::mem::take(&mut self.tls).into_iter().partition(is_loopback);
        self.tls = tls;
        self.loopback = Some(found).filter(|found: &Vec<String>| !found.is_empty());
        let (trees, hosts): (Vec<String>, Vec<String>) =
            std::mem::take(&mut self.trees_left_out).into_iter().partition(|l| l.starts_with('/'));
        self.trees_left_out = trees;
        let host = |text: String| match text.parse::<Target>() {
            Ok(target) => target.hosts.to_string(),
            Err(_) => text,
        };
        self.hosts_left_out = hosts.into_iter().map(host).collect();
    }

    /// Whether it asked for everything that another one asked for, and for as much of each. Which
    /// ports listen on loopback changes from day to day and does not count.
    pub fn covers(&self, other: &Self) -> bool {
        (other.trees.is_empty() || self.covers_trees(other))
            && (!other.asks_anybody() || self.covers_tls(other))
            && self.directories.covers(&other.directories)
            && self.tokens.covers(&other.tokens)
    }

    fn covers_trees(&self, other: &Self) -> bool {
        holds_all(&self.trees, &other.trees)
            && holds_all(&other.trees_left_out, &self.trees_left_out)
            && self.files.covers(&other.files)
    }

    fn covers_tls(&self, other: &Self) -> bool {
        holds_all(&self.tls, &other.tls)
            && (self.loopback.is_some() || other.loopback.is_none())
            && holds_all(&other.hosts_left_out, &self.hosts_left_out)
            && self.depth >= other.depth
            && other.names().all(|(network, names)| {
                let own = self.server_names.as_ref().and_then(|all| all.get(network));
                holds_all(own.map_or(&[], Vec::as_slice), names)
            })
    }

    fn asks_anybody(&self) -> bool {
        !self.tls.is_empty() || self.loopback.is_some()
    }

    fn names(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.server_names.iter().flatten()
    }

    /// Whether what one of them has read need not be read again by the other.
    pub fn is_same_work_as(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// What it does not look at on purpose.
    pub fn left_out(&self) -> LeftOut {
        LeftOut::of(self)
    }

    /// As reports tell it.
    pub fn sentences(&self) -> Vec<String> {
        let clock = self.clock.as_ref().map(|time| format!("The clock was set to {time}."));
        let is_deep = self.depth != Depth::Certificate && self.asks_anybody();
        let names: Vec<String> = self
            .names()
            .flat_map(|(network, names)| names.iter().map(move |n| format!("{n} in {network}")))
            .collect();
        let files = if self.trees.is_empty() { Vec::new() } else { self.files.sentences() };
        let left_out = self.trees_left_out.iter().chain(&self.files.patterns_left_out);
        [told("Files below", self.trees.iter()), told("Of them only", self.files.include.iter())]
            .into_iter()
            .chain(files.into_iter().map(Some))
            .chain([
                told("TLS at", self.tls.iter().chain(self.loopback.iter().flatten())),
                told("Also asked for by name:", names.iter()),
                is_deep.then(|| format!("Depth: {}.", self.depth)),
            ])
            .chain(self.directories.sentences().into_iter().map(Some))
            .chain([
                told("Directories as dumped in", self.directories.dumps().iter()),
                told("Records of authorities in", self.directories.records().iter()),
            ])
            .chain(self.tokens.sentences().into_iter().map(Some))
            .chain([
                told("Left out:", left_out.chain(&self.hosts_left_out)),
                clock,
                self.continues.map(|run| format!("Goes on with run {run}.")),
            ])
            .flatten()
            .collect()
    }
}

/// A sentence with a list; `None` where there is nothing to list.
fn told<'a>(what: &str, list: impl Iterator<Item = &'a String>) -> Option<String> {
    let list: Vec<&str> = list.map(String::as_str).collect();
    let more = list.len().saturating_sub(MOST_LISTED);
    let shown = &list[..list.len() - more];
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!list.is_empty()).then(|| format!("{what} {}{rest}.", shown.join(", ")))
}

/// A list of texts; `None` when it is none.
fn strings(items: &Value) -> Option<Vec<String>> {
    let items = items.as_array()?.iter();
    Some(items.filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

/// Whether all of these are there. A list may come from a file of a hundred thousand lines.
fn holds_all(there: &[String], wanted: &[String]) -> bool {
    let there: BTreeSet<&String> = there.iter().collect();
    wanted.iter().all(|item| there.contains(item))
}

/// Holds the scopes of many runs against a condition, one at a time: each may be large, and most
/// are the same.
pub struct Scopes<'a, F> {
    store: &'a SqliteStore,
    fits: F,
    known: BTreeMap<Digest, bool>,
}

impl<'a, F: Fn(&Scope) -> bool> Scopes<'a, F> {
    /// Runs of this store whose scope fits so.
    pub fn that(store: &'a SqliteStore, fits: F) -> Self {
        Self { store, fits, known: BTreeMap::new() }
    }

    /// Whether the scope of this one does.
    pub fn fit(&mut self, record: &RunRecord) -> Result<bool, StoreError> {
        if let Some(known) = self.known.get(&record.scope) {
            return Ok(*known);
        }
        let fits = (self.fits)(&Scope::recorded(self.store, record)?);
        self.known.insert(record.scope, fits);
        Ok(fits)
    }
}
