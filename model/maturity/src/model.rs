//! A model: modules, categories, requirements, with weights and words.

use crate::{Level, ModelError, written};

/// One version of the PKI Maturity Model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// `2.0.0`.
    pub version: String,
    /// Whether the words are the PKI Consortium's, loaded from its file, instead of ours.
    pub official_words: bool,
    /// Names of the levels 1 to 5, as the version writes them.
    pub level_names: [String; 5],
    /// Governance, Management, Operations, Resources.
    pub modules: Vec<Module>,
}

/// A module.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// `G`.
    pub id: String,
    /// `Governance`.
    pub name: String,
    /// What it covers.
    pub description: String,
    /// In the order of the model, which is the order of summing.
    pub categories: Vec<Category>,
}

/// A category.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// With its module: `G.strategy-and-vision`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Weight in the overall level.
    pub weight: u32,
    /// What it is about.
    pub description: String,
    /// What an assessor finds at levels 1 to 5.
    pub levels: [String; 5],
    /// In the order of the model.
    pub requirements: Vec<Requirement>,
    /// The version and id that all versions know this category by, `2.0.0:G.strategy-and-vision`.
    pub canonical: String,
}

/// A requirement.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// With module and category: `G.strategy-and-vision.sponsor-support`.
    pub id: String,
    /// Weight in its category.
    pub weight: u32,
    /// What is required, in a few words.
    pub title: String,
    /// What good looks like.
    pub guidance: String,
    /// What an assessor would ask to see.
    pub evidence: Vec<String>,
    /// The version and id that all versions know this requirement by.
    pub canonical: String,
}

impl Model {
    /// A version of ours.
    ///
    /// # Errors
    ///
    /// When no such version is built in.
    pub fn built_in(version: &str) -> Result<Self, ModelError> {
        written::load_built_in(version)
    }

    /// Reads a model file of the PKI Consortium, schema 1.0.0 or 2.0.0.
    ///
    /// # Errors
    ///
    /// When the text is not such a file.
    pub fn official(text: &str) -> Result<Self, ModelError> {
        written::load_official(text)
    }

    /// All categories, in order.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.modules.iter().flat_map(|module| &module.categories)
    }

    /// All requirements, in order.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.categories().flat_map(|category| &category.requirements)
    }

    /// One requirement.
    #[must_use]
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements().find(|requirement| requirement.id == id)
    }

    /// The name of a level in this version, without the number that 1.x puts before it.
    #[must_use]
    pub fn level_name(&self, level: Level) -> &str {
        let name = &self.level_names[usize::from(level.number() - 1)];
        name.split_once(" - ").map_or(name.as_str(), |(_, name)| name)
    }
}
