//! Exact averages.

use std::fmt;

/// A non-negative fraction in lowest terms.
///
/// Whether an average reaches a level is a question about whole numbers; doubles answer it wrongly
/// where the average is exactly the level. Every operation gives `None` instead of overflowing,
/// which takes weights far from those of any model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: u128,
    denominator: u128,
}

impl Fraction {
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// The fraction in lowest terms; `None` for a denominator of 0.
    #[must_use]
    pub fn new(numerator: u128, denominator: u128) -> Option<Self> {
        let divisor = greatest_common_divisor(numerator, denominator);
        (denominator != 0)
            .then(|| Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// The part above the line.
    #[must_use]
    pub fn numerator(self) -> u128 {
        self.numerator
    }

    /// The part below the line, never 0.
    #[must_use]
    pub fn denominator(self) -> u128 {
        self.denominator
    }

    /// The nearest double. Values that need more than 53 bits may miss it in the last place, and
    /// one just under a level may land on it, so levels are never computed from this.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// The double as it is, so 0.5 is one half and 0.1 is not one tenth.
    pub(super) fn from_f64(value: f64) -> Option<Self> {
        const FRACTION_BITS: u32 = 52;
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        if value == 0.0 {
            return Some(Self::ZERO);
        }
        let bits = value.to_bits();
        let mantissa = bits & ((1 << FRACTION_BITS) - 1);
        // The sign bit is clear here, so eleven bits of exponent are what is left.
        let (mantissa, power) = match i32::try_from(bits >> FRACTION_BITS).ok()? {
            0 => (mantissa, -1074),
            exponent => (mantissa | 1 << FRACTION_BITS, exponent - 1075),
        };
        let zeros = mantissa.trailing_zeros();
        let (mantissa, power) = (u128::from(mantissa >> zeros), power + i32::try_from(zeros).ok()?);
        match power {
            0..=64 => Self::new(mantissa << power, 1),
            -64..=-1 => Self::new(mantissa, 1 << -power),
            _ => None,
        }
    }

    /// Negative levels occur in old files only and mean that nothing was reached.
    pub(super) fn from_level(level: i64) -> Self {
        Self { numerator: u128::try_from(level).unwrap_or(0), denominator: 1 }
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        let denominator = self.denominator.checked_mul(other.denominator)?;
        Self::new(left.checked_add(right)?, denominator)
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let numerator = self.numerator.checked_mul(other.numerator)?;
        Self::new(numerator, self.denominator.checked_mul(other.denominator)?)
    }

    pub(super) fn over(self, other: Self) -> Option<Self> {
        if other.numerator == 0 {
            return None;
        }
        self.times(Self { numerator: other.denominator, denominator: other.numerator })
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64, text: &str) {
        let fraction = Fraction::from_f64(value).expect("representable");
        assert_eq!(fraction.to_string(), text);
        assert_eq!(fraction.to_f64(), value);
    }

    #[test]
    fn doubles_convert_as_they_are() {
        check(0.0, "0/1");
        check(5.0, "5/1");
        check(47.0, "47/1");
        check(2.5, "5/2");
        check(1.25, "5/4");
        check(1e18, "1000000000000000000/1");
        assert_eq!(Fraction::from_f64(0.1).expect("representable").to_f64(), 0.1);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for value in [f64::NAN, f64::INFINITY, -1.0, 1e300, 1e-300, f64::MIN_POSITIVE / 4.0] {
            assert_eq!(Fraction::from_f64(value), None);
        }
        let huge = Fraction::new(u128::MAX, 1).expect("not zero");
        assert_eq!(huge.plus(huge), None);
        assert_eq!(huge.times(huge), None);
        assert_eq!(huge.over(Fraction::ZERO), None);
        assert_eq!(Fraction::new(1, 0), None);
        assert_eq!(Fraction::new(0, 0), None);
    }
}
