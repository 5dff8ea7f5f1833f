//! Dates as Windows writes them in the language of a machine.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pki_inventory::Time;

/// A date as far as it can be read by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Known(Time),
    /// `1/2/2026`: what it is with the month first, and with the day first.
    Either {
        month_first: Time,
        day_first: Time,
    },
}

/// What the dates of an export told of the order of day and month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order {
    month_first: bool,
    day_first: bool,
}

/// What a text tells besides its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    Nothing,
    MonthFirst,
    DayFirst,
}

impl Order {
    pub(super) fn take(&mut self, tells: Tells) {
        self.month_first |= tells == Tells::MonthFirst;
        self.day_first |= tells == Tells::DayFirst;
    }

    pub(super) fn is_told(self) -> bool {
        self.month_first || self.day_first
    }
}

impl Written {
    /// The instant, given what the whole export told.
    pub(super) fn by(self, order: &Order) -> Option<Time> {
        match (self, order.month_first, order.day_first) {
            (Self::Known(time), ..) => Some(time),
            (Self::Either { month_first, .. }, true, false) => Some(month_first),
            (Self::Either { day_first, .. }, false, true) => Some(day_first),
            // Nothing told, or two dates told the contrary.
            (Self::Either { .. }, ..) => None,
        }
    }
}

/// Reads `1/31/2026 4:05 PM`, `31.01.2026 16:05`, `2026-01-31T16:05:00Z` and what lies between.
pub(super) fn read(text: &str) -> Option<(Written, Tells)> {
    let text = text.trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    let end = text
        .find(|c: char| c == 'T' || c.is_whitespace())
        .filter(|end| text.is_char_boundary(*end))
        .unwrap_or(text.len());
    let (date, clock) = text.split_at(end);
    let seconds = clock_time(clock)?;
    let separator = date.chars().find(|c| !c.is_ascii_digit())?;
    let mut numbers = date.trim_end_matches(separator).split(separator).map(|part| {
        let plain = !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| plain).map(|number| (number, part.len()))
    });
    let ((a, a_length), (b, _), (c, c_length)) =
        (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() || !matches!(separator, '/' | '.' | '-') {
        return None;
    }
    if a_length == 4 {
        return Some((Written::Known(instant(a, b, c, seconds)?), Tells::Nothing));
    }
    let year = match c_length {
        4 => c,
        // What Windows makes of two digits.
        2 if c < 50 => 2000 + c,
        2 => 1900 + c,
        _ => return None,
    };
    if separator != '/' {
        // Dots and dashes are written day first everywhere.
        return Some((Written::Known(instant(year, b, a, seconds)?), Tells::Nothing));
    }
    match (instant(year, a, b, seconds), instant(year, b, a, seconds)) {
        (Some(one), Some(other)) if one == other => Some((Written::Known(one), Tells::Nothing)),
        (Some(month_first), Some(day_first)) => {
            Some((Written::Either { month_first, day_first }, Tells::Nothing))
        }
        (Some(time), None) => Some((Written::Known(time), Tells::MonthFirst)),
        (None, Some(time)) => Some((Written::Known(time), Tells::DayFirst)),
        (None, None) => None,
    }
}

fn instant(year: i16, month: i16, day: i16, seconds: i64) -> Option<Time> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let midnight =
        DateTime::new(year, month, day, 0, 0, 0, 0).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(Time(midnight.timestamp().as_second() + seconds))
}

/// Seconds since midnight; none of it is midnight. `certutil -seconds` writes `4:05 PM 12.345s`.
fn clock_time(text: &str) -> Option<i64> {
    let text = text.trim_start_matches('T').to_lowercase();
    let mut parts = text.split_whitespace();
    let Some(clock) = parts.next() else { return Some(0) };
    let (clock, mut half) = match clock.strip_suffix('z') {
        Some(clock) => (clock, None),
        None => (
            clock,
            clock.strip_suffix("am").map(|_| false).or(clock.strip_suffix("pm").map(|_| true)),
        ),
    };
    let clock = clock.trim_end_matches(['a', 'p', 'm']);
    // `16.05` and `16:05:12.345`.
    let separator = if clock.contains(':') { ':' } else { '.' };
    let mut numbers = clock.split(separator).map(|part| {
        let whole = part.split_once('.').map_or(part, |(whole, _)| whole);
        let plain = (1..=2).contains(&whole.len()) && whole.bytes().all(|o| o.is_ascii_digit());
        whole.parse::<i64>().ok().filter(|_| plain)
    });
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let mut second = match numbers.next() {
        None => 0,
        Some(second) => second?,
    };
    for part in parts {
        match part.trim_matches('.').replace('.', "").as_str() {
            "am" => half = Some(false),
            "pm" => half = Some(true),
            "gmt" | "utc" | "z" | "uhr" => {}
            _ => {
                let whole = part.strip_suffix('s')?.split(['.', ',']).next()?;
                second = whole.parse().ok()?;
            }
        }
    }
    let hour = match half {
        Some(afternoon) if (1..=12).contains(&hour) => hour % 12 + i64::from(afternoon) * 12,
        Some(_) => return None,
        None => hour,
    };
    let there = numbers.next().is_none();
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    (there && fits).then_some(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_every_form_it_is_written_in() {
        let expected: Time = "2026-01-31T16:05:00Z".parse().unwrap();
        for text in [
            "1/31/2026 4:05 PM",
            "1/31/2026 4:05\u{202f}PM",
            "1/31/2026 4:05 PM GMT",
            "01/31/2026 16:05",
            "31/01/2026 16:05",
            "31/1/2026 4:05 p.m.",
            "31.01.2026 16:05",
            "31.01.26 16:05 Uhr",
            "31-01-2026 16:05",
            "2026-01-31 16:05",
            "2026-01-31T16:05:00Z",
            "2026/01/31 16:05",
            "1/31/2026 4:05 PM 00.000s",
        ] {
            let (written, _) = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(written, Written::Known(expected), "{text}");
        }
        let midnight = read("31.01.2026").unwrap().0;
        assert_eq!(midnight, Written::Known("2026-01-31".parse().unwrap()));
        assert_eq!(read("1/31/2026 12:05 AM").unwrap().0, Written::Known(Time(1_769_817_900)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "EMPTY",
            "13/13/2026",
            "31.02.2026",
            "1/31/2026 25:00",
            "1/31/2026 13:00 PM",
            "1/31",
            "1/2/3/2026",
            "a/b/c",
            "1/31/2026 4",
            "0x5",
            "é",
            "1/1/2026é",
            "1/2/202",
            "--",
            "+1/2/2026",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_taken_from_dates_that_tell_it() {
        let (either, tells) = read("1/2/2026").unwrap();
        assert_eq!(tells, Tells::Nothing);
        let mut order = Order::default();
        assert_eq!(either.by(&order), None);
        order.take(read("1/31/2026").unwrap().1);
        assert_eq!(either.by(&order), Some("2026-01-02".parse().unwrap()));
        order.take(read("31/1/2026").unwrap().1);
        assert_eq!(either.by(&order), None, "the one contradicts the other");
        let mut order = Order::default();
        order.take(read("31/1/2026").unwrap().1);
        assert_eq!(either.by(&order), Some("2026-02-01".parse().unwrap()));
        let (same, tells) = read("2/2/2026").unwrap();
        assert_eq!((same.by(&Order::default()).is_some(), tells), (true, Tells::Nothing));
    }
}
