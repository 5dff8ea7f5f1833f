//! One span of time that comes every week.

use std::fmt;
use std::str::FromStr;

use super::WindowError;
use crate::target::shown;

/// Minutes of a day.
pub(super) const DAY: i16 = 24 * 60;

const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Some days, from a minute to another; over midnight where the end is not after the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// By day, from Monday.
    days: [bool; 7],
    /// The first minute, counted from midnight.
    from: i16,
    /// The first minute that is not in it: 1 to 1440.
    to: i16,
}

impl Span {
    /// Hour and minute.
    pub(super) fn beginning(&self) -> (i8, i8) {
        let part = |minutes: i16| i8::try_from(minutes).unwrap_or(0);
        (part(self.from / 60), part(self.from % 60))
    }

    /// Whether a minute of a day, counted from Monday, is in it.
    pub(super) fn covers(&self, day: i8, minute: i16) -> bool {
        let begun_on = |day: i8| {
            let day = usize::try_from(day.rem_euclid(7)).unwrap_or(0);
            self.days.get(day).copied().unwrap_or(false)
        };
        if self.from < self.to {
            begun_on(day) && (self.from..self.to).contains(&minute)
        } else {
            (begun_on(day) && minute >= self.from) || (begun_on(day - 1) && minute < self.to)
        }
    }
}

impl FromStr for Span {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        parse(text.trim()).map_err(|why| WindowError::Span { text: shown(text.trim()), why })
    }
}

fn parse(text: &str) -> Result<Span, &'static str> {
    let (days, times) = match text.rsplit_once(char::is_whitespace) {
        Some((days, times)) if times.contains(':') => (Some(days), Some(times)),
        None if text.contains(':') => (None, Some(text)),
        _ => (Some(text), None),
    };
    let days = days.map_or(Ok([true; 7]), parse_days)?;
    let (from, to) = times.map_or(Ok((0, DAY)), parse_times)?;
    Ok(Span { days, from, to })
}

fn parse_days(text: &str) -> Result<[bool; 7], &'static str> {
    let day = |name: &str| {
        let at = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name.trim()));
        at.ok_or("days are Mon, Tue, Wed, Thu, Fri, Sat, Sun")
    };
    let mut days = [false; 7];
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (day(first)?, day(last)?);
        // Fri-Mon goes over the end of the week.
        for (at, chosen) in days.iter_mut().enumerate() {
            let within = (at + 7 - first) % 7 <= (last + 7 - first) % 7;
            *chosen |= within;
        }
    }
    Ok(days)
}

fn parse_times(text: &str) -> Result<(i16, i16), &'static str> {
    let (from, to) = text.split_once('-').ok_or("times are from-to, such as 22:00-06:00")?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    if from == DAY {
        return Err("a window begins at 23:59 at the latest");
    }
    if from == to {
        return Err("it ends when it begins; a whole day is 00:00-24:00");
    }
    // Midnight at the end is the end of the day on which the window begins.
    Ok((from, if to == 0 { DAY } else { to }))
}

fn minutes(text: &str) -> Result<i16, &'static str> {
    const WRONG: &str = "a time is 00:00 to 24:00";
    let two_digits = |part: &str| {
        let good = part.len() == 2 && part.bytes().all(|octet| octet.is_ascii_digit());
        if good { part.parse::<i16>().map_err(|_| WRONG) } else { Err(WRONG) }
    };
    let (hour, minute) = text.split_once(':').ok_or(WRONG)?;
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let all = hour * 60 + minute;
    if minute < 60 && all <= DAY { Ok(all) } else { Err(WRONG) }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every_day = self.days == [true; 7];
        let whole_day = (self.from, self.to) == (0, DAY);
        if !every_day {
            write_days(&self.days, f)?;
        }
        if !every_day && !whole_day {
            f.write_str(" ")?;
        }
        if every_day || !whole_day {
            let (from, to) = (self.from, self.to);
            let clock = |minutes: i16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            write!(f, "{}-{}", clock(from), clock(to))?;
        }
        Ok(())
    }
}

/// Three days or more in a row as a range.
fn write_days(days: &[bool; 7], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut at = 0;
    let mut between = "";
    while at < 7 {
        let row = days[at..].iter().take_while(|chosen| **chosen).count();
        let shown = if row >= 3 { row } else { row.min(1) };
        if shown > 0 {
            write!(f, "{between}{}", NAMES[at])?;
            between = ",";
        }
        if shown > 1 {
            write!(f, "-{}", NAMES[at + shown - 1])?;
        }
        at += shown.max(1);
    }
    Ok(())
}
