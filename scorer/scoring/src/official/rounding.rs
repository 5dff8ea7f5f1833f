//! From an average to a level.

use serde::Deserialize;

use super::Fraction;

/// In which direction an average becomes a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// A level counts once it is fully reached.
    #[default]
    Floor,
    /// A level counts once it is begun.
    Ceil,
    /// The nearer level counts, halves upwards.
    Round,
}

/// How an average becomes a level. The default is that of the PKIMM: floor, 0 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundingPolicy {
    /// The direction.
    pub rounding: Rounding,
    /// The lowest level, for averages above 0; an average of 0 is always level 0.
    pub min: u8,
    /// The highest level; wins over `min` where the two contradict.
    pub max: u8,
}

impl Default for RoundingPolicy {
    fn default() -> Self {
        Self { rounding: Rounding::Floor, min: 0, max: 5 }
    }
}

impl RoundingPolicy {
    /// The level of an average computed in doubles. Not a number, infinite and negative give 0.
    #[must_use]
    pub fn level(&self, raw: f64) -> u8 {
        if !raw.is_finite() || raw <= 0.0 {
            return 0;
        }
        let rounded = match self.rounding {
            Rounding::Floor => raw.floor(),
            Rounding::Ceil => raw.ceil(),
            Rounding::Round => raw.round(),
        };
        // In range and whole after the bounds, so the conversion changes nothing.
        rounded.max(f64::from(self.min)).min(f64::from(self.max)) as u8
    }

    /// The level of an exact average.
    #[must_use]
    pub fn level_of_fraction(&self, raw: Fraction) -> u8 {
        let (numerator, denominator) = (raw.numerator(), raw.denominator());
        if numerator == 0 {
            return 0;
        }
        let rest = numerator % denominator;
        let up = match self.rounding {
            Rounding::Floor => false,
            Rounding::Ceil => rest > 0,
            Rounding::Round => rest >= denominator - rest,
        };
        let rounded = numerator / denominator + u128::from(up);
        let bounded = rounded.max(u128::from(self.min)).min(u128::from(self.max));
        u8::try_from(bounded).unwrap_or(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rounding: Rounding, numerator: u32, denominator: u32, level: u8) {
        let policy = RoundingPolicy { rounding, ..RoundingPolicy::default() };
        assert_eq!(policy.level(f64::from(numerator) / f64::from(denominator)), level);
        let exact = Fraction::new(numerator.into(), denominator.into()).expect("not zero");
        assert_eq!(policy.level_of_fraction(exact), level);
    }

    #[test]
    fn each_direction_agrees_between_doubles_and_fractions() {
        for (numerator, denominator, floor, ceil, round) in
            [(16, 5, 3, 4, 3), (7, 2, 3, 4, 4), (0, 1, 0, 0, 0), (1, 9, 0, 1, 0), (27, 5, 5, 5, 5)]
        {
            check(Rounding::Floor, numerator, denominator, floor);
            check(Rounding::Ceil, numerator, denominator, ceil);
            check(Rounding::Round, numerator, denominator, round);
        }
    }

    #[test]
    fn nothing_sensible_gives_level_0_and_bounds_hold() {
        let policy = RoundingPolicy { rounding: Rounding::Floor, min: 1, max: 4 };
        for raw in [f64::NAN, f64::INFINITY, -1.0, 0.0, -0.0] {
            assert_eq!(policy.level(raw), 0);
        }
        assert_eq!(policy.level(0.2), 1);
        assert_eq!(policy.level(4.9), 4);
        assert_eq!(policy.level(1e300), 4);
    }
}
