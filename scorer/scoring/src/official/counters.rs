//! The counters that both tools show beside the levels.

use super::scope::{CategoryScope, category_scope};
use super::{Blank, Grain, Progress, Source, Weights, category_key, effective_level};

/// How many requirements in scope are rated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequirementCompleteness {
    /// Those with a level above 0; a "completed" mark is not a rating.
    pub assessed: usize,
    /// All in scope, in categories that are applicable.
    pub in_scope: usize,
}

impl RequirementCompleteness {
    /// Whether all are rated. Nothing in scope is not complete.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.in_scope > 0 && self.assessed == self.in_scope
    }
}

/// Counts rated requirements.
#[must_use]
pub fn requirement_completeness(weights: &Weights, progress: &Progress) -> RequirementCompleteness {
    let mut count = RequirementCompleteness::default();
    for (module, category) in weights.categories() {
        if let CategoryScope::In(requirements) = category_scope(&module.id, category, progress) {
            count.in_scope += requirements.len();
            count.assessed += requirements.iter().filter(|r| r.level > 0).count();
        }
    }
    count
}

/// How many applicable categories have a level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryCompleteness {
    /// Categories that are applicable.
    pub total: usize,
    /// Those at level 1 or above.
    pub assessed: usize,
    /// The modules, in model order.
    pub modules: Vec<ModuleCompleteness>,
}

/// How many applicable categories of one module have a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleCompleteness {
    /// The module's id.
    pub id: String,
    /// Categories that are applicable.
    pub total: usize,
    /// Those at level 1 or above.
    pub assessed: usize,
}

impl CategoryCompleteness {
    /// Applicable categories without a level.
    #[must_use]
    pub fn not_assessed(&self) -> usize {
        self.total - self.assessed
    }
}

impl ModuleCompleteness {
    /// Whole percent, rounded half up; 0 when nothing is applicable.
    #[must_use]
    pub fn percent(&self) -> u8 {
        percent(self.assessed as u128, self.total as u128).unwrap_or(0)
    }
}

/// Counts categories with a level, by the rule of the web tool.
#[must_use]
pub fn category_completeness(weights: &Weights, progress: &Progress) -> CategoryCompleteness {
    let mut count = CategoryCompleteness::default();
    for module in &weights.modules {
        let displays = module.categories.iter().map(|category| {
            effective_level(&module.id, category, progress, None, Blank::Leaves).display()
        });
        let applicable: Vec<_> = displays.filter(|display| *display != -1).collect();
        let total = applicable.len();
        let assessed = applicable.iter().filter(|display| **display > 0).count();
        count.total += total;
        count.assessed += assessed;
        count.modules.push(ModuleCompleteness { id: module.id.clone(), total, assessed });
    }
    count
}

/// How many items are at which level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Out of scope.
    pub not_applicable: usize,
    /// In scope without a level.
    pub not_assessed: usize,
    /// At levels 1 to 5, in this order.
    pub levels: [usize; 5],
}

impl Tally {
    /// Everything in scope.
    #[must_use]
    pub fn applicable(&self) -> usize {
        self.not_assessed + self.levels.iter().sum::<usize>()
    }

    /// A level above 5, which no valid file has, is in no column.
    fn count(&mut self, level: i64) {
        match usize::try_from(level) {
            Err(_) | Ok(0) => self.not_assessed += 1,
            Ok(level) => self.levels.iter_mut().skip(level - 1).take(1).for_each(|n| *n += 1),
        }
    }

    fn add(&mut self, other: &Self) {
        self.not_applicable += other.not_applicable;
        self.not_assessed += other.not_assessed;
        self.levels.iter_mut().zip(other.levels).for_each(|(n, more)| *n += more);
    }
}

/// Levels by category and module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelDistribution {
    /// What is counted, for the whole assessment alike.
    pub grain: Grain,
    /// The modules, in model order.
    pub modules: Vec<ModuleTally>,
    /// The whole assessment.
    pub total: Tally,
}

/// The levels in one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleTally {
    /// The module's id.
    pub id: String,
    /// Its categories, in model order.
    pub categories: Vec<CategoryTally>,
    /// The whole module.
    pub total: Tally,
}

/// The levels in one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryTally {
    /// The category's key, `M.cat`.
    pub key: String,
    /// Its requirements, or itself.
    pub tally: Tally,
}

/// Counts levels: of requirements as soon as one of them has an entry, else of categories.
#[must_use]
pub fn level_distribution(weights: &Weights, progress: &Progress) -> LevelDistribution {
    let any = !progress.requirements.is_empty();
    distribution(weights, progress, if any { Grain::Requirement } else { Grain::Category })
}

/// Counts the levels of requirements: the statistics of the workbook.
#[must_use]
pub fn requirement_tally(weights: &Weights, progress: &Progress) -> Tally {
    distribution(weights, progress, Grain::Requirement).total
}

fn distribution(weights: &Weights, progress: &Progress, grain: Grain) -> LevelDistribution {
    let mut total = Tally::default();
    let mut modules = Vec::new();
    for module in &weights.modules {
        let mut module_total = Tally::default();
        let mut categories = Vec::new();
        for category in &module.categories {
            let mut tally = Tally::default();
            if grain == Grain::Category {
                match effective_level(&module.id, category, progress, None, Blank::Leaves).display()
                {
                    -1 => tally.not_applicable = 1,
                    display => tally.count(display),
                }
            } else {
                let scope = category_scope(&module.id, category, progress);
                let in_scope = if let CategoryScope::In(list) = scope { list } else { Vec::new() };
                tally.not_applicable = category.requirements.len() - in_scope.len();
                in_scope.iter().for_each(|requirement| tally.count(requirement.level));
            }
            module_total.add(&tally);
            let key = category_key(&module.id, &category.id);
            categories.push(CategoryTally { key, tally });
        }
        total.add(&module_total);
        modules.push(ModuleTally { id: module.id.clone(), categories, total: module_total });
    }
    LevelDistribution { grain, modules, total }
}

/// What holds a category below its next level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The category's key, `M.cat`.
    pub category: String,
    /// The level shown now, 1 to 4. The next one is one above.
    pub current: u8,
    /// Keys of the requirements rated at this level or below.
    pub limiting: Vec<String>,
    /// Keys of the requirements in scope without a rating.
    pub unassessed: Vec<String>,
}

/// Lists the gaps, in model order. Only categories rated by requirement and standing at level 1 to
/// 4 have one.
#[must_use]
pub fn gaps_to_next(weights: &Weights, progress: &Progress) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (module, category) in weights.categories() {
        let CategoryScope::In(requirements) = category_scope(&module.id, category, progress) else {
            continue;
        };
        let level = effective_level(&module.id, category, progress, None, Blank::Leaves);
        let current = match u8::try_from(level.display()) {
            Ok(current @ 1..=4) if level.source == Source::Requirements => current,
            _ => continue,
        };
        let (mut limiting, mut unassessed) = (Vec::new(), Vec::new());
        for requirement in requirements {
            if requirement.level == 0 {
                unassessed.push(requirement.key);
            } else if (1..=i64::from(current)).contains(&requirement.level) {
                limiting.push(requirement.key);
            }
        }
        let category = category_key(&module.id, &category.id);
        gaps.push(Gap { category, current, limiting, unassessed });
    }
    gaps
}

/// A share in whole percent, rounded half up; `None` of nothing, and where it does not fit.
pub(super) fn percent(part: u128, whole: u128) -> Option<u8> {
    let doubled = part.checked_mul(200)?.checked_add(whole)?;
    u8::try_from(doubled.checked_div(whole.checked_mul(2)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_round_half_up() {
        let shares = [(0, 7, 0), (1, 3, 33), (2, 3, 67), (1, 200, 1), (1, 201, 0), (7, 7, 100)];
        for (part, whole, expected) in shares {
            assert_eq!(percent(part, whole), Some(expected), "{part}/{whole}");
        }
        assert_eq!(percent(1, 0), None);
        assert_eq!(percent(u128::MAX, 3), None);
    }
}
