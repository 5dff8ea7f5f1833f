//! The level of one category.

use super::scope::{CategoryScope, InScope, category_scope};
use super::{Blank, CategoryWeights, Extension, Fraction, Progress, category_key};

/// Where the level of a category comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The weighted average of its requirements.
    Requirements,
    /// What was declared for the category as a whole, or that nothing was.
    SelfDeclared,
    /// Each of its requirements is not applicable, so the category is not either.
    DerivedNotApplicable,
}

/// The level of one category, before any rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveLevel {
    /// The untruncated average; `None` when the category is not applicable.
    pub raw: Option<f64>,
    /// The same without rounding error, under [`Blank::CountsZero`] alone; `None` also for weights
    /// too far apart to be held exactly.
    pub exact: Option<Fraction>,
    /// What the level rests on.
    pub source: Source,
    /// The denominator of the average; 0 when it does not come from requirements.
    pub weight_sum: f64,
    /// Requirements in scope with a level above 0.
    pub assessed: usize,
    /// Requirements in scope.
    pub in_scope: usize,
}

impl EffectiveLevel {
    /// The figure shown: the average rounded down, and -1 for "not applicable".
    #[must_use]
    pub fn display(&self) -> i64 {
        match (self.raw, self.exact) {
            (None, _) => -1,
            (_, Some(exact)) => {
                i64::try_from(exact.numerator() / exact.denominator()).unwrap_or(i64::MAX)
            }
            (Some(raw), None) => raw.floor() as i64,
        }
    }

    fn declared(level: i64, in_scope: usize, blank: Blank) -> Self {
        Self {
            // Old files write -1 for "not applicable"; it must not enter an average.
            raw: (level != -1).then_some(level as f64),
            exact: match blank {
                Blank::CountsZero if level != -1 => Some(Fraction::from_level(level)),
                _ => None,
            },
            source: Source::SelfDeclared,
            weight_sum: 0.0,
            assessed: 0,
            in_scope,
        }
    }

    fn not_applicable(source: Source) -> Self {
        Self { raw: None, exact: None, source, weight_sum: 0.0, assessed: 0, in_scope: 0 }
    }
}

/// The level of a category, for the baseline or, with an extension, with the requirement weights
/// that this one extension overlays.
#[must_use]
pub fn effective_level(
    module: &str,
    category: &CategoryWeights,
    progress: &Progress,
    extension: Option<&Extension>,
    blank: Blank,
) -> EffectiveLevel {
    let requirements = match category_scope(module, category, progress) {
        CategoryScope::Out => return EffectiveLevel::not_applicable(Source::SelfDeclared),
        CategoryScope::OutByRequirements => {
            return EffectiveLevel::not_applicable(Source::DerivedNotApplicable);
        }
        CategoryScope::In(requirements) => requirements,
    };
    let assessed = requirements.iter().filter(|r| r.level > 0).count();
    let from_requirements = match blank {
        Blank::Leaves => assessed > 0,
        Blank::CountsZero => !requirements.is_empty(),
    };
    if !from_requirements {
        let declared = progress.categories.get(&category_key(module, &category.id));
        let level = declared.map_or(0, |rating| rating.level);
        return EffectiveLevel::declared(level, requirements.len(), blank);
    }

    let overlay = extension.and_then(|extension| extension.overlay(module, &category.id));
    let counted = requirements.iter().filter(|r| blank == Blank::CountsZero || r.level > 0);
    let weighed: Vec<_> = counted
        .map(|r| {
            let overlay = overlay.and_then(|overlay| overlay.requirement(&r.requirement.id));
            let weight = r.requirement.weight;
            (r, overlay.map_or(weight, |overlay| overlay.apply_by_kind(weight)).max(0.0))
        })
        .collect();
    let (mut numerator, mut denominator) = (0.0, 0.0);
    for (requirement, weight) in &weighed {
        numerator += requirement.level.max(0) as f64 * weight;
        denominator += weight;
    }
    let exact = if blank == Blank::CountsZero { exact_average(&weighed) } else { None };
    let raw = if denominator > 0.0 { numerator / denominator } else { 0.0 };
    EffectiveLevel {
        raw: Some(exact.map_or(raw, Fraction::to_f64)),
        exact,
        source: Source::Requirements,
        weight_sum: denominator,
        assessed,
        in_scope: requirements.len(),
    }
}

fn exact_average(weighed: &[(&InScope<'_>, f64)]) -> Option<Fraction> {
    let (mut numerator, mut denominator) = (Fraction::ZERO, Fraction::ZERO);
    for (requirement, weight) in weighed {
        let weight = Fraction::from_f64(*weight)?;
        numerator = numerator.plus(Fraction::from_level(requirement.level).times(weight)?)?;
        denominator = denominator.plus(weight)?;
    }
    if denominator == Fraction::ZERO { Some(Fraction::ZERO) } else { numerator.over(denominator) }
}

#[cfg(test)]
mod tests {
    use super::super::{Rating, RequirementWeight};
    use super::*;

    fn key_management() -> CategoryWeights {
        let requirement = |id: &str, weight| RequirementWeight { id: id.into(), weight };
        CategoryWeights {
            id: "km".into(),
            weight: 4.0,
            requirements: vec![requirement("a", 3.0), requirement("b", 2.0), requirement("c", 1.0)],
        }
    }

    fn rated(declared: Option<i64>, ratings: &[(&str, Rating)]) -> Progress {
        let mut progress = Progress::default();
        progress.categories.extend(declared.map(|level| ("M.km".to_owned(), Rating::at(level))));
        let ratings = ratings.iter().map(|(id, rating)| (format!("M.km.{id}"), *rating));
        progress.requirements.extend(ratings);
        progress
    }

    fn check(progress: &Progress, blank: Blank, raw: Option<f64>, source: Source) {
        let level = effective_level("M", &key_management(), progress, None, blank);
        assert_eq!((level.raw, level.source), (raw, source), "{level:?}");
        assert_eq!(level.display(), raw.map_or(-1, |raw| raw.floor() as i64));
    }

    #[test]
    fn a_blank_leaves_the_average_or_counts_as_0() {
        let progress = rated(Some(2), &[("a", Rating::at(4)), ("b", Rating::at(0))]);
        check(&progress, Blank::Leaves, Some(4.0), Source::Requirements);
        check(&progress, Blank::CountsZero, Some(2.0), Source::Requirements);
    }

    #[test]
    fn a_declared_level_stands_only_while_nothing_is_rated() {
        let progress = rated(Some(3), &[("a", Rating::not_applicable())]);
        check(&progress, Blank::Leaves, Some(3.0), Source::SelfDeclared);
        check(&progress, Blank::CountsZero, Some(0.0), Source::Requirements);
    }

    #[test]
    fn not_applicable_requirements_leave_under_both_rules() {
        let some = rated(None, &[("a", Rating::not_applicable()), ("b", Rating::at(3))]);
        check(&some, Blank::Leaves, Some(3.0), Source::Requirements);
        check(&some, Blank::CountsZero, Some(2.0), Source::Requirements);
        let all = ["a", "b", "c"].map(|id| (id, Rating::not_applicable()));
        for blank in [Blank::Leaves, Blank::CountsZero] {
            check(&rated(Some(5), &all), blank, None, Source::DerivedNotApplicable);
        }
    }

    #[test]
    fn an_excluded_category_wins_over_its_ratings_and_an_old_minus_one_is_no_level() {
        let mut progress = rated(None, &[("a", Rating::at(5))]);
        progress.categories.insert("M.km".into(), Rating { level: 3, applicable: false });
        for blank in [Blank::Leaves, Blank::CountsZero] {
            check(&progress, blank, None, Source::SelfDeclared);
        }
        check(&rated(Some(-1), &[]), Blank::Leaves, None, Source::SelfDeclared);
    }
}
