//! Extensions: relevance ratings, overlaid weights, and the scores made of both.
//!
//! Extensions are scored one at a time and never combined, and always by the rule of the web tool,
//! because the workbook knows none.

use serde::Deserialize;

use super::average::weighted_average;
use super::{
    Blank, CategoryWeights, Progress, RoundingPolicy, Source, Weights, category_key,
    effective_level, extension_key,
};

/// What scoring needs of an extension file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Extension {
    /// Which extension it is.
    pub extension: ExtensionIdentity,
    /// The categories it asks an additional rating for.
    #[serde(default)]
    pub relevance: Relevance,
    /// The weights it changes.
    #[serde(default)]
    pub overlays: Overlays,
}

/// Which extension it is and what it fits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExtensionIdentity {
    /// The first part of its category keys, such as `pqc`.
    pub id: String,
    /// Whether it has a floor score.
    #[serde(rename = "floorScore", default)]
    pub floor_score: bool,
    /// The model versions it fits; see [`compatible`].
    #[serde(default)]
    pub compatibility: Option<Vec<String>>,
}

/// The categories with an additional rating.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Relevance {
    /// By module.
    #[serde(default)]
    pub modules: Vec<ModuleRelevance>,
}

/// The categories of one module with an additional rating.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModuleRelevance {
    /// The module's id.
    pub id: String,
    /// Its categories.
    #[serde(default)]
    pub categories: Vec<CategoryRelevance>,
}

/// A category with an additional rating.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CategoryRelevance {
    /// The category's id.
    pub id: String,
    /// How much the additional rating counts against all requirements together.
    pub weight: f64,
}

/// The changed weights.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Overlays {
    /// By module.
    #[serde(default)]
    pub modules: Vec<ModuleOverlays>,
}

/// The changed weights of one module.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModuleOverlays {
    /// The module's id.
    pub id: String,
    /// Its categories.
    #[serde(default)]
    pub categories: Vec<Overlay>,
}

/// How the weight of a category or requirement changes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Overlay {
    /// The id of the category or requirement.
    pub id: String,
    /// Which of the three values applies; absent where only requirements change.
    #[serde(rename = "type", default)]
    pub kind: Option<OverlayKind>,
    /// Factor.
    #[serde(default)]
    pub multiplier: Option<f64>,
    /// Term, possibly negative.
    #[serde(default)]
    pub addition: Option<f64>,
    /// Replacement.
    #[serde(rename = "override", default)]
    pub replacement: Option<f64>,
    /// The changed requirements; always empty inside a requirement.
    #[serde(default)]
    pub requirements: Vec<Overlay>,
}

/// The ways to change a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverlayKind {
    /// Times the value.
    Multiplier,
    /// Plus the value.
    Addition,
    /// The value instead.
    Override,
}

impl Overlay {
    pub(super) fn requirement(&self, id: &str) -> Option<&Self> {
        self.requirements.iter().find(|overlay| overlay.id == id)
    }

    /// The reading of category levels: `type` decides, and a type without its value changes
    /// nothing.
    pub(super) fn apply_by_kind(&self, weight: f64) -> f64 {
        match self.kind {
            None => weight,
            Some(OverlayKind::Multiplier) => self.multiplier.map_or(weight, |by| weight * by),
            Some(OverlayKind::Addition) => self.addition.map_or(weight, |by| weight + by),
            Some(OverlayKind::Override) => self.replacement.unwrap_or(weight),
        }
    }

    /// The reading of category weights and weight sums: the first value present decides. Both
    /// readings agree on files that follow the schema.
    fn apply_by_presence(&self, weight: f64) -> f64 {
        self.replacement
            .or_else(|| self.multiplier.map(|by| weight * by))
            .or_else(|| self.addition.map(|by| weight + by))
            .unwrap_or(weight)
    }
}

impl Extension {
    pub(super) fn overlay(&self, module: &str, category: &str) -> Option<&Overlay> {
        let module = self.overlays.modules.iter().find(|m| m.id == module)?;
        module.categories.iter().find(|c| c.id == category)
    }

    fn relevance_weight(&self, module: &str, category: &str) -> Option<f64> {
        let module = self.relevance.modules.iter().find(|m| m.id == module)?;
        module.categories.iter().find(|c| c.id == category).map(|c| c.weight)
    }
}

/// The scores of one extension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExtensionScores {
    /// The average of the blended levels.
    pub extension: RoundedLevel,
    /// The lowest blended level; `None` for an extension without floor score.
    pub floor: Option<RoundedLevel>,
    /// The average of the baseline levels with the extension's category weights.
    pub weighted: RoundedLevel,
}

/// A figure before and after rounding down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundedLevel {
    /// Untruncated.
    pub raw: f64,
    /// Rounded down, once.
    pub level: u8,
}

impl RoundedLevel {
    fn new(raw: f64) -> Self {
        Self { raw, level: RoundingPolicy::default().level(raw) }
    }
}

/// Scores one extension. Categories without an entry of their own in the assessment do not count,
/// even where their requirements are rated: the web tool skips them, so a writer lists them all.
#[must_use]
pub fn extension_scores(
    weights: &Weights,
    progress: &Progress,
    extension: &Extension,
) -> ExtensionScores {
    let (mut blended, mut baseline) = (Vec::new(), Vec::new());
    for (module, category) in weights.categories() {
        let entry = progress.categories.get(&category_key(&module.id, &category.id));
        if !entry.is_some_and(|entry| entry.applicable) {
            continue;
        }
        let weight = effective_category_weight(&module.id, category, extension);
        let level = blended_level(&module.id, category, progress, extension);
        blended.extend(level.filter(|level| *level > 0.0).map(|level| (level, weight)));
        let level = effective_level(&module.id, category, progress, None, Blank::Leaves).raw;
        baseline.extend(level.filter(|level| *level > 0.0).map(|level| (level, weight)));
    }
    let lowest = blended.iter().map(|(level, _)| *level).reduce(f64::min).unwrap_or(0.0);
    // One running sum over all categories here, unlike the overall level.
    ExtensionScores {
        extension: RoundedLevel::new(weighted_average(blended)),
        floor: extension.extension.floor_score.then(|| RoundedLevel::new(lowest)),
        weighted: RoundedLevel::new(weighted_average(baseline)),
    }
}

/// The level of a category for an extension: its requirements with overlaid weights, blended with
/// the additional rating if there is one. `None` when the category is not applicable.
#[must_use]
pub fn blended_level(
    module: &str,
    category: &CategoryWeights,
    progress: &Progress,
    extension: &Extension,
) -> Option<f64> {
    let level = effective_level(module, category, progress, Some(extension), Blank::Leaves);
    let raw = level.raw?;
    let Some(relevance_weight) = extension.relevance_weight(module, &category.id) else {
        return Some(raw);
    };
    let relevance = progress
        .categories
        .get(&extension_key(&extension.extension.id, module, &category.id))
        .filter(|rating| rating.applicable)
        .map_or(0, |rating| rating.level);
    if raw == 0.0 || relevance == 0 {
        return Some(raw);
    }
    let weight_sum = match level.source {
        Source::Requirements => level.weight_sum,
        _ => requirement_weight_sum(module, category, extension),
    };
    Some(blend(raw, weight_sum, relevance as f64, relevance_weight))
}

/// The average of a category level and an additional rating, each with its weight.
#[must_use]
pub fn blend(level: f64, weight_sum: f64, relevance: f64, relevance_weight: f64) -> f64 {
    (level * weight_sum + relevance * relevance_weight) / (weight_sum + relevance_weight)
}

/// The weight of a category with an extension's overlay, never below 0.
#[must_use]
pub fn effective_category_weight(
    module: &str,
    category: &CategoryWeights,
    extension: &Extension,
) -> f64 {
    let overlay = extension.overlay(module, &category.id);
    overlay.map_or(category.weight, |o| o.apply_by_presence(category.weight)).max(0.0)
}

/// The weights of all requirements of a category together, rated or not, with an extension's
/// overlays, none below 0.
#[must_use]
pub fn requirement_weight_sum(
    module: &str,
    category: &CategoryWeights,
    extension: &Extension,
) -> f64 {
    // Differences are added to the plain sum, in overlay order, because the web tool does so and
    // doubles show it.
    let mut sum = category.requirements.iter().fold(0.0, |sum, r| sum + r.weight);
    for overlay in extension.overlay(module, &category.id).iter().flat_map(|o| &o.requirements) {
        if let Some(requirement) = category.requirements.iter().find(|r| r.id == overlay.id) {
            let weight = requirement.weight;
            sum += overlay.apply_by_presence(weight).max(0.0) - weight;
        }
    }
    sum
}

/// Whether an extension fits a model version: one of its entries is the version or a prefix that
/// ends at a dot. An extension without entries fits every version.
#[must_use]
pub fn compatible(compatibility: Option<&[String]>, model: &str) -> bool {
    let fits = |entry: &String| {
        model
            .strip_prefix(entry.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    compatibility.is_none_or(|entries| entries.is_empty() || entries.iter().any(fits))
}

#[cfg(test)]
mod tests {
    use super::super::{ModuleWeights, Rating, RequirementWeight};
    use super::*;

    fn category() -> CategoryWeights {
        let requirement = |id: &str, weight| RequirementWeight { id: id.into(), weight };
        let requirements = vec![requirement("x", 3.0), requirement("y", 2.0)];
        CategoryWeights { id: "c".into(), weight: 2.0, requirements }
    }

    fn extension(overlay: Overlay) -> Extension {
        let category = CategoryRelevance { id: "c".into(), weight: 5.0 };
        let relevance = ModuleRelevance { id: "G".into(), categories: vec![category] };
        let overlays = ModuleOverlays { id: "G".into(), categories: vec![overlay] };
        Extension {
            extension: ExtensionIdentity {
                id: "pqc".into(),
                floor_score: true,
                compatibility: None,
            },
            relevance: Relevance { modules: vec![relevance] },
            overlays: Overlays { modules: vec![overlays] },
        }
    }

    fn named(id: &str, overlay: Overlay) -> Overlay {
        Overlay { id: id.into(), ..overlay }
    }

    fn check_weight(overlay: Overlay, weight: f64) {
        let extension = extension(named("c", overlay));
        assert_eq!(effective_category_weight("G", &category(), &extension), weight);
    }

    #[test]
    fn overlaid_weights_stop_at_0() {
        check_weight(Overlay { multiplier: Some(2.5), ..Overlay::default() }, 5.0);
        check_weight(Overlay { addition: Some(-5.0), ..Overlay::default() }, 0.0);
        check_weight(Overlay { replacement: Some(0.0), ..Overlay::default() }, 0.0);
        let both = Overlay { replacement: Some(4.0), multiplier: Some(9.0), ..Overlay::default() };
        check_weight(both, 4.0);
        check_weight(Overlay::default(), 2.0);
        let lowered = named("x", Overlay { addition: Some(-9.0), ..Overlay::default() });
        let unknown = named("z", Overlay { multiplier: Some(3.0), ..Overlay::default() });
        let requirements = vec![lowered, unknown];
        let extension = extension(named("c", Overlay { requirements, ..Overlay::default() }));
        assert_eq!(requirement_weight_sum("G", &category(), &extension), 2.0);
    }

    #[test]
    fn a_type_without_its_value_changes_nothing() {
        let kinds = [OverlayKind::Multiplier, OverlayKind::Addition, OverlayKind::Override];
        for kind in kinds {
            let overlay = Overlay { kind: Some(kind), ..Overlay::default() };
            assert_eq!(overlay.apply_by_kind(3.0), 3.0);
        }
    }

    #[test]
    fn the_additional_rating_moves_a_level_but_not_a_blank_one() {
        let weights = Weights {
            modules: vec![ModuleWeights { id: "G".into(), categories: vec![category()] }],
        };
        let extension = extension(named("c", Overlay::default()));
        let mut progress = Progress::default();
        progress.categories.insert("pqc.G.c".into(), Rating::at(1));
        assert_eq!(blended_level("G", &category(), &progress, &extension), Some(0.0));

        progress.requirements.insert("G.c.x".into(), Rating::at(4));
        // (4 * 3 + 1 * 5) / (3 + 5): only the rated requirement carries weight.
        assert_eq!(blended_level("G", &category(), &progress, &extension), Some(2.125));
        let without_entry = extension_scores(&weights, &progress, &extension);
        assert_eq!(without_entry.extension, RoundedLevel { raw: 0.0, level: 0 });

        progress.categories.insert("G.c".into(), Rating::at(0));
        let scores = extension_scores(&weights, &progress, &extension);
        assert_eq!(scores.extension, RoundedLevel { raw: 2.125, level: 2 });
        assert_eq!(scores.floor, Some(RoundedLevel { raw: 2.125, level: 2 }));
        assert_eq!(scores.weighted, RoundedLevel { raw: 4.0, level: 4 });

        progress.categories.insert("pqc.G.c".into(), Rating { level: 1, applicable: false });
        assert_eq!(blended_level("G", &category(), &progress, &extension), Some(4.0));
    }

    #[test]
    fn compatibility_ends_at_a_dot() {
        let fits = |entry: &str, model| compatible(Some(&[entry.to_owned()]), model);
        assert!(fits("2", "2.3.1") && fits("2.0", "2.0.9") && fits("2.0.0", "2.0.0"));
        assert!(!fits("2.0", "2.1.0") && !fits("2", "20.0.0") && !fits("2.0.0", "2.0"));
        assert!(compatible(None, "2.0.0") && compatible(Some(&[]), "2.0.0"));
    }
}
