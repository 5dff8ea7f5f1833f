//! Instants as seconds since 1970, printed as RFC 3339 in UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
///
/// X.509 times reach past what calendar libraries carry (year 9999 is common, broken encodings
/// give worse), so the number is the truth and the text is made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(pub i64);

/// A text that should have been an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeError(String);

impl Time {
    /// Seconds in a day.
    pub const DAY: i64 = 86_400;

    /// Whole days from this instant until `later`, rounded towards zero; negative when it is past.
    #[must_use]
    pub fn days_until(self, later: Self) -> i64 {
        later.0.saturating_sub(self.0) / Self::DAY
    }

    /// This instant moved by whole days.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(Self::DAY)))
    }

    /// The calendar date in UTC, `2026-11-21`.
    #[must_use]
    pub fn date(self) -> String {
        let text = self.to_string();
        text.split_once('T').map_or_else(|| text.clone(), |(date, _)| date.to_owned())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{} s since 1970", self.0),
        }
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a date (2026-11-21) or an instant (2026-11-21T08:00:00Z)", self.0)
    }
}

impl std::error::Error for TimeError {}

impl FromStr for Time {
    type Err = TimeError;

    /// Reads an RFC 3339 instant, or a date as its first second in UTC.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(instant.as_second()));
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| TimeError(text.to_owned()))?;
        let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        midnight.map(|at| Self(at.timestamp().as_second())).map_err(|_| TimeError(text.to_owned()))
    }
}
