//! What a run was asked to look at: as it is recorded, as it is compared, as it is told.

use pki_config::Settings;
use pki_inventory::Time;
use serde_json::{Value, json};

/// More of one kind than this is counted instead of listed in a sentence.
const MOST_LISTED: usize = 12;

/// The scope of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    trees: Vec<String>,
    tls: Vec<String>,
    left_out: Vec<String>,
    clock: Option<String>,
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
            clock: clock.map(|time| time.to_string()),
        }
    }

    /// As it is recorded.
    pub fn to_json(&self) -> String {
        json!({
            "filesystem": self.trees,
            "tls": self.tls,
            "left_out": self.left_out,
            "clock": self.clock,
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
            clock: value["clock"].as_str().map(str::to_owned),
        }
    }

    /// Whether it asked for everything that another one asked for. Which ports listen on loopback
    /// changes from day to day and does not count.
    pub fn covers(&self, other: &Self) -> bool {
        let lasting = |target: &&String| !["127.", "[::1]"].iter().any(|s| target.starts_with(s));
        other.trees.iter().all(|tree| self.trees.contains(tree))
            && other.tls.iter().filter(lasting).all(|target| self.tls.contains(target))
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
        [
            told("Files below", &self.trees),
            told("TLS at", &self.tls),
            told("Left out:", &self.left_out),
            clock,
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
        let whole =
            Scope { clock: Some("2026-11-21T00:00:00Z".to_owned()), ..scope(&["/a"], &["b:443"]) };
        assert_eq!(Scope::from_json(&whole.to_json()), whole);
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
