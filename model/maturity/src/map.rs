//! Which rules bear on which requirement, and how far evidence may go.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Level, Model, ModelError, VERSIONS};

/// The map for one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    entries: BTreeMap<String, Entry>,
}

/// What evidence can say about one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Rules bear on it.
    Judged {
        /// The highest level evidence alone may suggest.
        can: Level,
        /// The rules, each with its scale.
        rules: Vec<Bearing>,
        /// What no scan can see of it.
        beyond: String,
    },
    /// Evidence says nothing; a person answers.
    Manual {
        /// Why.
        reason: String,
    },
}

/// One rule that bears on a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bearing {
    /// The rule's id.
    pub rule: String,
    /// The name of the scale that turns its measure into a level.
    pub scale: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: String,
    requirements: BTreeMap<String, WrittenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    can: Option<Level>,
    #[serde(default)]
    rules: Vec<Bearing>,
    beyond: Option<String>,
    manual: Option<String>,
}

impl Map {
    /// The map for a model: each requirement finds its entry under its canonical id.
    ///
    /// # Errors
    ///
    /// When a built-in map is not sound, which a test rules out.
    pub fn for_model(model: &Model) -> Result<Self, ModelError> {
        let mut canonical = BTreeMap::new();
        for version in VERSIONS {
            let written: Written = serde_saphyr::from_str(version.map)
                .map_err(|error| ModelError::Unreadable(error.to_string()))?;
            for (id, entry) in written.requirements {
                canonical.insert(format!("{}:{id}", written.version), checked(&id, entry)?);
            }
        }
        let entries = model
            .requirements()
            .map(|requirement| {
                let entry = canonical.get(&requirement.canonical).cloned();
                let unknown = || Entry::Manual {
                    reason: "The map does not know this requirement; a person answers.".to_owned(),
                };
                (requirement.id.clone(), entry.unwrap_or_else(unknown))
            })
            .collect();
        Ok(Self { entries })
    }

    /// What evidence can say about a requirement.
    #[must_use]
    pub fn entry(&self, requirement: &str) -> Option<&Entry> {
        self.entries.get(requirement)
    }

    /// The ids of the requirements a rule bears on.
    pub fn requirements_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(_, entry)| entry.bears(rule)).map(|(id, _)| id.as_str())
    }

    /// All entries, by requirement id.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(id, entry)| (id.as_str(), entry))
    }
}

impl Entry {
    fn bears(&self, rule: &str) -> bool {
        match self {
            Self::Judged { rules, .. } => rules.iter().any(|bearing| bearing.rule == rule),
            Self::Manual { .. } => false,
        }
    }
}

fn checked(id: &str, written: WrittenEntry) -> Result<Entry, ModelError> {
    match (written.can, written.beyond, written.manual, written.rules.is_empty()) {
        (Some(can), Some(beyond), None, false) if can.number() < 5 => {
            Ok(Entry::Judged { can, rules: written.rules, beyond })
        }
        (None, None, Some(reason), true) => Ok(Entry::Manual { reason }),
        _ => Err(ModelError::Unsound(format!(
            "map of {id}: either `manual`, or `can` (1 to 4) with `rules` and `beyond`"
        ))),
    }
}
