//! When connections may be opened.

mod span;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use span::Span;

use crate::target::shown;

/// Times of the week, in one time zone; always when none is given.
///
/// A window is open while the clock on the wall shows a time within it. Where clocks are put
/// forward, a time that they skip never comes; where they are put back, one comes twice.
///
/// ```
/// use pki_config::Windows;
///
/// let windows = Windows::parse(&["Mon-Fri 22:00-06:00", "Sat,Sun"], Some("Europe/Berlin"))?;
/// assert_eq!(windows.to_string(), "Mon-Fri 22:00-06:00; Sat,Sun (Europe/Berlin)");
/// // Tuesday, 2026-12-01, 12:00 UTC is 13:00 there: nine hours to wait.
/// assert_eq!(windows.open_at(1_796_126_400), Err(1_796_126_400 + 9 * 3600));
/// # Ok::<(), pki_config::WindowError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    spans: Vec<Span>,
    zone: TimeZone,
}

/// Windows that are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// A span of time that is none.
    #[error("`{text}` is not a window: {why}; write Mon-Fri 22:00-06:00, Sat,Sun or 01:00-05:00")]
    Span {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A zone that nobody knows.
    #[error("`{0}` is not a time zone; write one such as Europe/Berlin or UTC")]
    Zone(String),
}

/// Days within which the next opening is looked for: a weekly window may fall on a time that the
/// clocks skip once, and never twice in a row.
const HORIZON_DAYS: i64 = 16;

const DAY_SECS: i64 = 24 * 3600;

impl Windows {
    /// Reads windows such as `Mon-Fri 22:00-06:00`, `Sat,Sun` or `01:00-05:00`. A window over
    /// midnight belongs to the day on which it begins. Without a zone the times are those of UTC.
    ///
    /// # Errors
    ///
    /// The first span that is none, or an unknown zone.
    pub fn parse<T: AsRef<str>>(spans: &[T], zone: Option<&str>) -> Result<Self, WindowError> {
        let spans = spans.iter().map(|span| span.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self::new(spans, zone.map_or(Ok(TimeZone::UTC), self::zone)?))
    }

    pub(crate) fn new(spans: Vec<Span>, zone: TimeZone) -> Self {
        // A zone of no times says nothing.
        let zone = if spans.is_empty() { TimeZone::UTC } else { zone };
        Self { spans, zone }
    }

    /// Whether there is no time at which connections may not be opened.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.spans.is_empty()
            || (0..7).all(|day| (0..span::DAY).all(|minute| self.covers(day, minute)))
    }

    /// Whether connections may be opened at this instant (seconds since 1970), and if not, the
    /// next instant at which they may.
    ///
    /// # Errors
    ///
    /// The instant at which the next window opens; always later than `now`.
    pub fn open_at(&self, now: i64) -> Result<(), i64> {
        if self.spans.is_empty() {
            return Ok(());
        }
        // Beyond the years that calendars have, it is shut and asked again a day later.
        let again = now.saturating_add(DAY_SECS);
        let Ok(instant) = Timestamp::from_second(now) else { return Err(again) };
        if self.shows_open(instant) { Ok(()) } else { Err(self.next(instant).unwrap_or(again)) }
    }

    /// The first instant after this one at which a window opens: when the clock shows the beginning
    /// of one, or jumps into the midst of it.
    fn next(&self, now: Timestamp) -> Option<i64> {
        let end = now.as_second() + HORIZON_DAYS * DAY_SECS;
        let jumps = self.zone.following(now).map(|jump| jump.timestamp());
        let jumps = jumps.take_while(|jump| jump.as_second() <= end);
        // Beginning with yesterday: its evening may come a second time today.
        let first = now.to_zoned(self.zone.clone()).date().yesterday().ok()?;
        let days = first
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.duration_since(first).as_hours() <= (HORIZON_DAYS + 2) * 24);
        let beginnings = days.flat_map(|day| {
            self.spans.iter().flat_map(move |span| {
                let (hour, minute) = span.beginning();
                let shown = self.zone.to_ambiguous_timestamp(day.at(hour, minute, 0, 0));
                [shown.earlier(), shown.later()].into_iter().filter_map(Result::ok)
            })
        });
        jumps
            .chain(beginnings)
            .filter(|instant| *instant > now && self.shows_open(*instant))
            .map(Timestamp::as_second)
            .min()
    }

    fn shows_open(&self, instant: Timestamp) -> bool {
        let shown = self.zone.to_datetime(instant);
        let minute = i16::from(shown.hour()) * 60 + i16::from(shown.minute());
        self.covers(shown.weekday().to_monday_zero_offset(), minute)
    }

    fn covers(&self, day: i8, minute: i16) -> bool {
        self.spans.iter().any(|span| span.covers(day, minute))
    }
}

/// A time zone by its name in the IANA database.
pub(crate) fn zone(name: &str) -> Result<TimeZone, WindowError> {
    let known = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
    known.ok_or_else(|| WindowError::Zone(shown(name)))
}

impl Default for Windows {
    /// Always.
    fn default() -> Self {
        Self::new(Vec::new(), TimeZone::UTC)
    }
}

impl fmt::Display for Windows {
    /// In the one way that reads back as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.spans.is_empty() {
            return f.write_str("always");
        }
        let spans: Vec<String> = self.spans.iter().map(Span::to_string).collect();
        let zone = self.zone.iana_name().unwrap_or("UTC");
        write!(f, "{} ({zone})", spans.join("; "))
    }
}

impl FromStr for Windows {
    type Err = WindowError;

    /// Reads what is printed: `Mon-Fri 22:00-06:00; Sat,Sun (Europe/Berlin)`, or `always`.
    fn from_str(text: &str) -> Result<Self, WindowError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("always") {
            return Ok(Self::default());
        }
        let (spans, zone) = match text.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
            Some((spans, zone)) => (spans, Some(zone)),
            None => (text, None),
        };
        Self::parse(&spans.split(';').collect::<Vec<_>>(), zone)
    }
}

#[cfg(test)]
mod tests;
