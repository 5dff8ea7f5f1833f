//! Module and overall levels.

use super::counters::percent;
use super::{
    Blank, Fraction, Progress, RoundingPolicy, Source, Weights, category_key, effective_level,
};

/// The levels of a whole assessment under one rule for blanks.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The rule that was used.
    pub blank: Blank,
    /// The level of the assessment: an average over categories, in which modules do not weigh.
    pub overall: Score,
    /// The modules, in model order.
    pub modules: Vec<ModuleScore>,
    /// The categories, in model order.
    pub categories: Vec<CategoryScore>,
}

/// The level of one module.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleScore {
    /// The module's id.
    pub id: String,
    /// Its level.
    pub score: Score,
}

/// The level of one category.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryScore {
    /// The category's key, `M.cat`.
    pub key: String,
    /// How much it counts in the averages above it.
    pub weight: f64,
    /// What its level rests on.
    pub source: Source,
    /// Its level.
    pub score: Score,
}

/// One level with what is behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The untruncated average; `None` when nothing is in scope.
    pub raw: Option<f64>,
    /// The same without rounding error, under [`Blank::CountsZero`] alone; `None` also for weights
    /// too far apart to be held exactly.
    pub exact: Option<Fraction>,
    /// The average rounded down, once; 0 when nothing is in scope or reached.
    pub level: u8,
    /// Requirements in scope with a level above 0.
    pub assessed: usize,
    /// Requirements in scope.
    pub in_scope: usize,
    /// Requirements of the model here.
    pub requirements: usize,
}

/// What a score says in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing is in scope.
    NotApplicable,
    /// Something is in scope, but level 1 is not reached.
    NotAssessed,
    /// This level is reached.
    Reached(u8),
}

impl Score {
    fn new(raw: Option<f64>, exact: Option<Fraction>) -> Self {
        let unrounded = Self { raw, exact, level: 0, assessed: 0, in_scope: 0, requirements: 0 };
        Self { level: unrounded.level_under(&RoundingPolicy::default()), ..unrounded }
    }

    /// Not applicable, not assessed, or the level reached.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.raw, self.level) {
            (None, _) => Standing::NotApplicable,
            (_, 0) => Standing::NotAssessed,
            (_, level) => Standing::Reached(level),
        }
    }

    /// The level under another policy than the PKIMM's own.
    #[must_use]
    pub fn level_under(&self, policy: &RoundingPolicy) -> u8 {
        match (self.raw, self.exact) {
            (None, _) => 0,
            (_, Some(exact)) => policy.level_of_fraction(exact),
            (Some(raw), None) => policy.level(raw),
        }
    }

    /// The way from this level to the next in whole percent, rounded half up, as the workbook
    /// shows it: just under a level it says 100 with the level not reached, and 100 at level 5.
    #[must_use]
    pub fn percent_to_next(&self) -> u8 {
        let fallback = |raw: f64| ((raw - raw.floor()) * 100.0 + 0.5).floor() as u8;
        match (self.raw, self.exact) {
            (None, _) => 0,
            _ if self.level >= RoundingPolicy::default().max => 100,
            (Some(raw), None) => fallback(raw),
            (Some(raw), Some(exact)) => {
                let denominator = exact.denominator();
                percent(exact.numerator() % denominator, denominator).unwrap_or(fallback(raw))
            }
        }
    }

    fn count(&mut self, below: &Self) {
        self.assessed += below.assessed;
        self.in_scope += below.in_scope;
        self.requirements += below.requirements;
    }
}

/// Scores an assessment. Extensions never move these figures.
#[must_use]
pub fn score(weights: &Weights, progress: &Progress, blank: Blank) -> Scores {
    let mut modules = Vec::new();
    let mut categories = Vec::new();
    let mut overall_sum = Sum::new(blank);
    for module in &weights.modules {
        let first = categories.len();
        let mut sum = Sum::new(blank);
        for category in &module.categories {
            let level = effective_level(&module.id, category, progress, None, blank);
            let weight = category.weight.max(0.0);
            if let Some(raw) = level.raw {
                sum.add(raw, level.exact, weight);
            }
            let mut score = Score::new(level.raw, level.exact);
            (score.assessed, score.in_scope) = (level.assessed, level.in_scope);
            score.requirements = category.requirements.len();
            let key = category_key(&module.id, &category.id);
            categories.push(CategoryScore { key, weight, source: level.source, score });
        }
        let mut score = sum.score();
        categories[first..].iter().for_each(|category| score.count(&category.score));
        overall_sum.add_sum(&sum);
        modules.push(ModuleScore { id: module.id.clone(), score });
    }
    let mut overall = overall_sum.score();
    modules.iter().for_each(|module| overall.count(&module.score));
    Scores { blank, overall, modules, categories }
}

/// The weighted average of (level, weight) pairs, summed in the order given; 0 without weight.
#[must_use]
pub fn weighted_average(terms: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (mut total, mut weights) = (0.0, 0.0);
    for (level, weight) in terms {
        total += level * weight;
        weights += weight;
    }
    divide(total, weights)
}

/// The two running sums of an average, in doubles and, where blanks count, exactly as well.
struct Sum {
    blank: Blank,
    anything_in_scope: bool,
    total: f64,
    weight: f64,
    exact: Option<(Fraction, Fraction)>,
}

impl Sum {
    fn new(blank: Blank) -> Self {
        let exact = (blank == Blank::CountsZero).then_some((Fraction::ZERO, Fraction::ZERO));
        Self { blank, anything_in_scope: false, total: 0.0, weight: 0.0, exact }
    }

    fn add(&mut self, raw: f64, exact: Option<Fraction>, weight: f64) {
        self.anything_in_scope = true;
        if self.blank == Blank::Leaves && raw <= 0.0 {
            return;
        }
        self.total += raw * weight;
        self.weight += weight;
        self.exact = self.exact.zip(exact).and_then(|((total, weights), level)| {
            let weight = Fraction::from_f64(weight)?;
            Some((total.plus(level.times(weight)?)?, weights.plus(weight)?))
        });
    }

    /// Adds a module's sums as two numbers: adding its categories again one by one gives other
    /// doubles than the web tool has.
    fn add_sum(&mut self, module: &Self) {
        self.anything_in_scope |= module.anything_in_scope;
        self.total += module.total;
        self.weight += module.weight;
        self.exact = self
            .exact
            .zip(module.exact)
            .and_then(|((total, weights), (t, w))| Some((total.plus(t)?, weights.plus(w)?)));
    }

    fn score(&self) -> Score {
        if !self.anything_in_scope {
            return Score::new(None, None);
        }
        let exact = self.exact.and_then(|(total, weights)| {
            if weights == Fraction::ZERO { Some(Fraction::ZERO) } else { total.over(weights) }
        });
        let raw = exact.map_or(divide(self.total, self.weight), Fraction::to_f64);
        Score::new(Some(raw), exact)
    }
}

pub(super) fn divide(total: f64, weights: f64) -> f64 {
    if weights == 0.0 { 0.0 } else { total / weights }
}

#[cfg(test)]
mod tests {
    use super::super::{CategoryWeights, ModuleWeights, Rating, RequirementWeight};
    use super::*;

    /// Categories of weight 4 and 3 (model 1.0.0: Certificate management and Change management).
    fn weights() -> Weights {
        let category = |id: &str, weight, requirements: &[u8]| CategoryWeights {
            id: id.into(),
            weight,
            requirements: requirements
                .iter()
                .enumerate()
                .map(|(i, w)| RequirementWeight { id: i.to_string(), weight: f64::from(*w) })
                .collect(),
        };
        Weights {
            modules: vec![
                ModuleWeights {
                    id: "M".into(),
                    categories: vec![
                        category("6", 4.0, &[2, 3, 4, 3, 2, 4, 2]),
                        category("8", 3.0, &[4, 3, 4, 2, 2]),
                    ],
                },
                ModuleWeights { id: "R".into(), categories: vec![category("13", 1.0, &[5])] },
            ],
        }
    }

    fn rated(levels: &[(&str, i64)]) -> Progress {
        let mut progress = Progress::default();
        progress
            .requirements
            .extend(levels.iter().map(|(key, level)| ((*key).to_owned(), Rating::at(*level))));
        progress
    }

    fn check(progress: &Progress, blank: Blank, overall: Option<f64>, modules: [Standing; 2]) {
        let scores = score(&weights(), progress, blank);
        assert_eq!(scores.overall.raw, overall, "{scores:?}");
        assert_eq!([0, 1].map(|i| scores.modules[i].score.standing()), modules, "{scores:?}");
        assert_eq!(scores.categories.len(), 3);
    }

    #[test]
    fn unrated_categories_leave_or_pull_down() {
        let progress = rated(&[("M.8.0", 3), ("M.8.1", 3)]);
        let reached = [Standing::Reached(3), Standing::NotAssessed];
        check(&progress, Blank::Leaves, Some(3.0), reached);
        let raw = Some(63.0 / 15.0 / 8.0);
        check(&progress, Blank::CountsZero, raw, [Standing::NotAssessed; 2]);
    }

    #[test]
    fn a_module_out_of_scope_counts_nowhere() {
        let mut progress = rated(&[("M.8.0", 3), ("M.6.0", 3)]);
        progress.categories.insert("R.13".into(), Rating::not_applicable());
        check(&progress, Blank::Leaves, Some(3.0), [Standing::Reached(3), Standing::NotApplicable]);
        progress.categories.insert("M.6".into(), Rating::not_applicable());
        progress.categories.insert("M.8".into(), Rating::not_applicable());
        check(&progress, Blank::Leaves, None, [Standing::NotApplicable; 2]);
        check(&progress, Blank::CountsZero, None, [Standing::NotApplicable; 2]);
        let overall = score(&weights(), &progress, Blank::CountsZero).overall;
        assert_eq!((overall.level, overall.percent_to_next(), overall.in_scope), (0, 0, 0));
        assert_eq!(overall.requirements, 13);
    }

    #[test]
    fn a_level_reached_exactly_is_reached_where_doubles_fall_short() {
        // 7/5 with weight 4 and 14/5 with weight 3 average 2.
        let keys = (0..7).map(|i| format!("M.6.{i}")).chain((0..5).map(|i| format!("M.8.{i}")));
        let levels = [1, 1, 2, 1, 1, 2, 1, 5, 2, 3, 1, 1].map(Rating::at);
        let mut progress = Progress::default();
        progress.requirements.extend(keys.zip(levels));
        let module = |blank| score(&weights(), &progress, blank).modules[0].score;

        let exact = module(Blank::CountsZero);
        assert_eq!((exact.raw, exact.exact), (Some(2.0), Fraction::new(2, 1)));
        assert_eq!((exact.level, exact.percent_to_next()), (2, 0));
        let doubles = module(Blank::Leaves);
        assert_eq!((doubles.raw, doubles.level), (Some(1.999_999_999_999_999_8), 1));
    }

    #[test]
    fn weights_beyond_exact_arithmetic_fall_back_to_doubles() {
        let mut weights = weights();
        weights.modules[0].categories[0].weight = 1e300;
        let progress = rated(&[("M.6.0", 5)]);
        let scores = score(&weights, &progress, Blank::CountsZero);
        assert_eq!(scores.overall.exact, None);
        assert_eq!(scores.overall.raw, Some(0.5));
    }
}
