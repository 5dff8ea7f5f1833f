//! Maturity levels.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A maturity level, 1 (Initial) to 5 (Optimized).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// A number that is no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a maturity level; levels are 1 to 5")]
pub struct LevelError(i64);

impl Level {
    /// Level 1.
    pub const LOWEST: Self = Self(1);
    /// Level 3, the highest that evidence of a single moment may suggest.
    pub const ADVANCED: Self = Self(3);
    /// Level 5.
    pub const HIGHEST: Self = Self(5);

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for Level {
    type Error = LevelError;

    fn try_from(number: i64) -> Result<Self, LevelError> {
        match number {
            1 => Ok(Self(1)),
            2 => Ok(Self(2)),
            3 => Ok(Self(3)),
            4 => Ok(Self(4)),
            5 => Ok(Self(5)),
            other => Err(LevelError(other)),
        }
    }
}

impl TryFrom<i32> for Level {
    type Error = LevelError;

    fn try_from(number: i32) -> Result<Self, LevelError> {
        i64::from(number).try_into()
    }
}

impl TryFrom<u8> for Level {
    type Error = LevelError;

    fn try_from(number: u8) -> Result<Self, LevelError> {
        i64::from(number).try_into()
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
