//! What is in scope, what is not, and on which ground.

use super::{CategoryWeights, Progress, RequirementWeight, Weights, category_key, requirement_key};

/// Whether something concerns a whole category or one requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grain {
    /// A category with everything in it.
    Category,
    /// A single requirement of a category that is otherwise in scope.
    Requirement,
}

/// Something taken out of scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// How much is excluded.
    pub grain: Grain,
    /// The key of the category or requirement; the stated reason is kept under the same key.
    pub key: String,
    /// True where nobody excluded the category itself but each of its requirements.
    pub derived: bool,
}

/// How much of the model an assessment covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScopeCoverage {
    /// Categories that are applicable, explicitly and by their requirements.
    pub categories_in_scope: usize,
    /// Categories of the model.
    pub categories: usize,
    /// Requirements that are applicable, in applicable categories.
    pub requirements_in_scope: usize,
    /// Requirements of the model.
    pub requirements: usize,
}

impl ScopeCoverage {
    /// The "excluded" figure of the coverage line: it counts requirements, never categories.
    #[must_use]
    pub fn requirements_excluded(&self) -> usize {
        self.requirements - self.requirements_in_scope
    }
}

/// Counts what is in scope.
#[must_use]
pub fn scope_coverage(weights: &Weights, progress: &Progress) -> ScopeCoverage {
    let mut coverage = ScopeCoverage::default();
    for (module, category) in weights.categories() {
        coverage.categories += 1;
        coverage.requirements += category.requirements.len();
        if let CategoryScope::In(requirements) = category_scope(&module.id, category, progress) {
            coverage.categories_in_scope += 1;
            coverage.requirements_in_scope += requirements.len();
        }
    }
    coverage
}

/// Lists what is out of scope, in model order. An excluded category hides its requirements.
#[must_use]
pub fn scope_exclusions(weights: &Weights, progress: &Progress) -> Vec<Exclusion> {
    let mut exclusions = Vec::new();
    for (module, category) in weights.categories() {
        let whole = |derived| Exclusion {
            grain: Grain::Category,
            key: category_key(&module.id, &category.id),
            derived,
        };
        match category_scope(&module.id, category, progress) {
            CategoryScope::Out => exclusions.push(whole(false)),
            CategoryScope::OutByRequirements => exclusions.push(whole(true)),
            CategoryScope::In(_) => exclusions.extend(
                category
                    .requirements
                    .iter()
                    .map(|requirement| requirement_key(&module.id, &category.id, &requirement.id))
                    .filter(|key| progress.requirements.get(key).is_some_and(|r| !r.applicable))
                    .map(|key| Exclusion { grain: Grain::Requirement, key, derived: false }),
            ),
        }
    }
    exclusions
}

/// Whether a category counts, and with which requirements.
pub(super) enum CategoryScope<'a> {
    /// The category itself is marked as not applicable; this wins over every rating in it.
    Out,
    /// The category has requirements and each of them is marked as not applicable.
    OutByRequirements,
    /// The category counts with these requirements, in model order.
    In(Vec<InScope<'a>>),
}

/// A requirement that counts.
pub(super) struct InScope<'a> {
    pub(super) requirement: &'a RequirementWeight,
    pub(super) key: String,
    /// 0 without a rating.
    pub(super) level: i64,
}

pub(super) fn category_scope<'a>(
    module: &str,
    category: &'a CategoryWeights,
    progress: &Progress,
) -> CategoryScope<'a> {
    let declared = progress.categories.get(&category_key(module, &category.id));
    if declared.is_some_and(|rating| !rating.applicable) {
        return CategoryScope::Out;
    }
    let in_scope: Vec<_> = category
        .requirements
        .iter()
        .filter_map(|requirement| {
            let key = requirement_key(module, &category.id, &requirement.id);
            match progress.requirements.get(&key) {
                None => Some(InScope { requirement, key, level: 0 }),
                Some(rating) if rating.applicable => {
                    Some(InScope { requirement, key, level: rating.level })
                }
                Some(_) => None,
            }
        })
        .collect();
    if in_scope.is_empty() && !category.requirements.is_empty() {
        CategoryScope::OutByRequirements
    } else {
        CategoryScope::In(in_scope)
    }
}
