//! The arithmetic of the two official scoring tools, and nothing else.
//!
//! ## What it does
//! Turns ratings and weights into the figures that the web self-assessment tool and the official
//! workbook show for the same input: category, module and overall levels, extension scores, and
//! the counters beside them. The tools treat a requirement without a rating differently; [`Blank`]
//! says whose rule applies.
//!
//! ## What it does not do
//! It reads no file, checks no rating and knows no model version. Ratings outside 0 to 5 go
//! through the formulas as they do in the web tool; reject them before, where their place in the
//! file is still known. Labels and sentences belong to the report.
//!
//! ## Floating point
//! Under [`Blank::Leaves`] every sum runs in the order of the web tool, in IEEE doubles and with no
//! tolerance, so the result is the same to the last bit. Do not "simplify" the loops: folding two
//! sums into one changes levels at exact boundaries. Under [`Blank::CountsZero`] the averages are
//! [`Fraction`]s and are rounded once, because there doubles miss levels that are reached exactly.
//!
//! ```
//! use pki_scoring::official::*;
//!
//! let weights = Weights {
//!     modules: vec![ModuleWeights {
//!         id: "G".into(),
//!         categories: vec![CategoryWeights {
//!             id: "compliance".into(),
//!             weight: 2.0,
//!             requirements: vec![
//!                 RequirementWeight { id: "laws".into(), weight: 3.0 },
//!                 RequirementWeight { id: "audits".into(), weight: 1.0 },
//!             ],
//!         }],
//!     }],
//! };
//! let mut progress = Progress::default();
//! progress.requirements.insert("G.compliance.laws".into(), Rating::at(4));
//!
//! assert_eq!(score(&weights, &progress, Blank::Leaves).overall.level, 4);
//! assert_eq!(score(&weights, &progress, Blank::CountsZero).overall.level, 3);
//! ```

mod average;
mod counters;
mod effective;
mod extension;
mod fraction;
mod names;
mod rounding;
mod scope;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use average::{CategoryScore, ModuleScore, Score, Scores, Standing, score, weighted_average};
pub use counters::{
    CategoryCompleteness, CategoryTally, Gap, LevelDistribution, ModuleCompleteness, ModuleTally,
    RequirementCompleteness, Tally, category_completeness, gaps_to_next, level_distribution,
    requirement_completeness, requirement_tally,
};
pub use effective::{EffectiveLevel, Source, effective_level};
pub use extension::{
    CategoryRelevance, Extension, ExtensionIdentity, ExtensionScores, ModuleOverlays,
    ModuleRelevance, Overlay, OverlayKind, Overlays, Relevance, RoundedLevel, blend, blended_level,
    compatible, effective_category_weight, extension_scores, requirement_weight_sum,
};
pub use fraction::Fraction;
pub use names::normalise_name;
pub use rounding::{Rounding, RoundingPolicy};
pub use scope::{Exclusion, Grain, ScopeCoverage, scope_coverage, scope_exclusions};

/// The weights of a model version, in model order. The order matters to the last bit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Weights {
    /// The modules, in model order.
    pub modules: Vec<ModuleWeights>,
}

/// One module of the model. Modules carry no weight: their categories do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModuleWeights {
    /// The first part of every key, such as `G`.
    pub id: String,
    /// The categories, in model order.
    pub categories: Vec<CategoryWeights>,
}

/// One category with its requirements.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CategoryWeights {
    /// The second part of a key, such as `key-management`.
    pub id: String,
    /// How much it counts in its module and overall.
    pub weight: f64,
    /// The requirements, in model order; none in a category that is only rated as a whole.
    #[serde(default)]
    pub requirements: Vec<RequirementWeight>,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RequirementWeight {
    /// The third part of a key.
    pub id: String,
    /// How much it counts in its category.
    pub weight: f64,
}

/// Everything rated so far. Deserialises from the two maps of an assessment file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Progress {
    /// Ratings of whole categories: `M.cat`, and `ext.M.cat` for those of an extension.
    #[serde(rename = "progress", default)]
    pub categories: BTreeMap<String, Rating>,
    /// Ratings of requirements: `M.cat.req`.
    #[serde(rename = "requirementProgress", default)]
    pub requirements: BTreeMap<String, Rating>,
}

/// One rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Rating {
    /// 0 is "not rated"; -1 occurs in old files and stands for "not applicable".
    pub level: i64,
    /// False takes the item out of scope, whatever its level.
    #[serde(rename = "applicability", default = "applies")]
    pub applicable: bool,
}

impl Rating {
    /// An applicable rating.
    #[must_use]
    pub fn at(level: i64) -> Self {
        Self { level, applicable: true }
    }

    /// A rating that takes its item out of scope.
    #[must_use]
    pub fn not_applicable() -> Self {
        Self { level: 0, applicable: false }
    }
}

fn applies() -> bool {
    true
}

/// What a requirement in scope without a rating does to the averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blank {
    /// It leaves numerator and denominator, as in the web tool: half an assessment is not pulled
    /// down. One rated requirement replaces the level declared for the category as a whole, and
    /// categories without any level leave the averages above them too.
    Leaves,
    /// It counts as level 0 and keeps its weight, as in the workbook. A level declared for the
    /// category as a whole is used only where the category has no requirements.
    CountsZero,
}

/// The key of a category: `M.cat`.
#[must_use]
pub fn category_key(module: &str, category: &str) -> String {
    format!("{module}.{category}")
}

/// The key of a requirement: `M.cat.req`.
#[must_use]
pub fn requirement_key(module: &str, category: &str, requirement: &str) -> String {
    format!("{module}.{category}.{requirement}")
}

/// The key of a category rating that belongs to an extension: `ext.M.cat`.
#[must_use]
pub fn extension_key(extension: &str, module: &str, category: &str) -> String {
    format!("{extension}.{module}.{category}")
}

impl Weights {
    /// Every category with the module it is in, in model order.
    pub fn categories(&self) -> impl Iterator<Item = (&ModuleWeights, &CategoryWeights)> {
        self.modules.iter().flat_map(|module| module.categories.iter().map(move |c| (module, c)))
    }
}
