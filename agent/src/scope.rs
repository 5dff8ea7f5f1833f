//! What a run was asked to look at: as it is recorded, as it is compared, as it is told.

use std::collections::BTreeSet;

use pki_config::{Depth, Settings};
use pki_inventory::Time;
use pki_store::RunId;
use serde_json::{Value, json};

/// More of one kind than this is counted instead of listed in a sentence.
const MOST_LISTED: usize = 12;

/// The scope of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    trees: Vec<String>,
    tls: Vec<String>,
    left_out: Vec<String>,
    depth: Depth,
    clock: Option<String>,
    continues: Option<RunId>,
}

impl Scope {
    /// The scope that settings ask for, and the instant that the clock was set to, if it was.
    pub fn of(settings: &Settings, clock: Option<Time>) -> Self {
        let files = &settings.filesystem;
        let left_out = files.exclude.iter().map(|path| path.display().to_string());
        Self {
            trees: files.roots.iter().map(|root| root.display().to_string()).collect(),
            tls: settings.tls.targets.iter().map(ToString::to_string).collect(),
            left_out: left_out
                .chain(settings.tls.exclude.iter().map(ToString::to_string))
                .collect(),
            depth: settings.tls.depth,
            clock: clock.map(|time| time.to_string()),
            continues: None,
        }
    }

    /// The run is not begun anew but goes on with this one.
    pub fn goes_on_with(&mut self, run: Option<RunId>) {
        self.continues = run;
    }

    /// As it is recorded.
    pub fn to_json(&self) -> String {
        json!({
            "filesystem": self.trees,
            "tls": self.tls,
            "left_out": self.left_out,
            "depth": self.depth.to_string(),
            "clock": self.clock,
            "continues": self.continues.map(|run| run.0),
        })
        .to_string()
    }

    /// As it was recorded; what cannot be read was not asked for.
    pub fn from_json(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let list = |key: &str| {
            let items = value[key].as_array().into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        Self {
            trees: list("filesystem"),
            tls: list("tls"),
            left_out: list("left_out"),
            // Runs before there were depths are of the first one.
            depth: value["depth"].as_str().and_then(|d| d.parse().ok()).unwrap_or_default(),
            clock: value["clock"].as_str().map(str::to_owned),
            continues: value["continues"].as_i64().map(RunId),
        }
    }

    /// Whether it asked for everything that another one asked for, and for as much of each. Which
    /// ports listen on loopback changes from day to day and does not count.
    pub fn covers(&self, other: &Self) -> bool {
        let lasting = |target: &&String| !["127.", "[::1]"].iter().any(|s| target.starts_with(s));
        // A list may come from a file of a hundred thousand lines.
        let (trees, tls): (BTreeSet<&String>, BTreeSet<&String>) =
            (self.trees.iter().collect(), self.tls.iter().collect());
        other.trees.iter().all(|tree| trees.contains(tree))
            && other.tls.iter().filter(lasting).all(|target| tls.contains(target))
            && (other.tls.is_empty() || self.depth >= other.depth)
    }

    /// Whether what one of them has read need not be read again by the other.
    pub fn is_same_work_as(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// As reports tell it.
    pub fn sentences(&self) -> Vec<String> {
        let told = |what: &str, list: &[String]| {
            let more = list.len().saturating_sub(MOST_LISTED);
            let shown = &list[..list.len() - more];
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!list.is_empty()).then(|| format!("{what} {}{rest}.", shown.join(", ")))
        };
        let clock = self.clock.as_ref().map(|time| format!("The clock was set to {time}."));
        let is_deep = self.depth != Depth::Certificate && !self.tls.is_empty();
        [
            told("Files below", &self.trees),
            told("TLS at", &self.tls),
            is_deep.then(|| format!("Depth: {}.", self.depth)),
            told("Left out:", &self.left_out),
            clock,
            self.continues.map(|run| format!("Goes on with run {run}.")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(trees: &[&str], tls: &[&str]) -> Scope {
        let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect();
        Scope { trees: owned(trees), tls: owned(tls), ..Scope::default() }
    }

    #[test]
    fn a_scope_is_read_back_as_it_was_recorded() {
        let mut whole = Scope {
            clock: Some("2026-11-21T00:00:00Z".to_owned()),
            depth: Depth::Posture,
            ..scope(&["/a"], &["b:443"])
        };
        assert_eq!(Scope::from_json(&whole.to_json()), whole);
        whole.goes_on_with(Some(RunId(7)));
        assert_eq!(Scope::from_json(&whole.to_json()), whole);
        let told = whole.sentences();
        assert!(told.contains(&"Goes on with run 7.".to_owned()), "{told:?}");
        assert!(told.contains(&"Depth: posture.".to_owned()), "{told:?}");
        let older = Scope::from_json(r#"{"filesystem":["/a"],"tls":["b:443"]}"#);
        assert_eq!(older, scope(&["/a"], &["b:443"]));
    }

    #[test]
    fn the_same_work_is_the_same_places_to_the_same_depth() {
        let one = scope(&["/a"], &["b:443", "127.0.0.1:22"]);
        assert!(one.is_same_work_as(&scope(&["/a"], &["127.0.0.1:80", "b:443"])));
        assert!(!one.is_same_work_as(&scope(&["/a", "/c"], &["b:443"])));
        let deeper = Scope { depth: Depth::Suites, ..one.clone() };
        assert!(deeper.covers(&one) && !one.covers(&deeper));
        assert!(!deeper.is_same_work_as(&one));
        let files = scope(&["/a"], &[]);
        assert!(files.is_same_work_as(&Scope { depth: Depth::Suites, ..files.clone() }));
    }

    #[test]
    fn only_a_wider_scope_covers() {
        let wide = scope(&["/etc", "/srv"], &["a:443", "127.0.0.1:22"]);
        assert!(wide.covers(&scope(&["/srv"], &["a:443", "127.0.0.1:80"])));
        assert!(!scope(&["/srv"], &[]).covers(&wide));
        assert!(!scope(&["/etc", "/srv"], &[]).covers(&wide));
    }

    #[test]
    fn long_lists_are_counted() {
        let many: Vec<String> = (0..20).map(|n| format!("host{n}:443")).collect();
        let told = Scope { tls: many, ..Scope::default() }.sentences();
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with("host11:443 and 8 more."), "{told:?}");
    }
}
