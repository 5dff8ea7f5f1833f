//! Values of attributes in the syntaxes of Active Directory ([MS-ADTS], 3.1.1.2.2.2).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pki_inventory::Time;

use super::names;
use crate::{Entry, clean};

/// The most values of an attribute that are kept as texts.
const MOST_VALUES: usize = 10_000;

/// The first value, where it is a text with something in it.
pub(super) fn text(entry: &Entry, attribute: &str) -> Option<String> {
    entry.text(attribute).map(str::trim).filter(|text| !text.is_empty()).map(clean)
}

/// Every value that is a text.
pub(super) fn texts(entry: &Entry, attribute: &str) -> Vec<String> {
    let texts = entry.texts(attribute).map(str::trim).filter(|text| !text.is_empty());
    texts.take(MOST_VALUES).map(clean).collect()
}

/// `cn`, or what the distinguished name begins with.
pub(super) fn name(entry: &Entry) -> String {
    text(entry, "cn").unwrap_or_else(|| names::first_value(&entry.dn))
}

/// Bits. The syntax knows signed numbers only, so that the highest bit makes one negative; some tools
/// write them unsigned all the same.
pub(super) fn flags(entry: &Entry, attribute: &str) -> Option<u32> {
    let number: i64 = entry.text(attribute)?.trim().parse().ok()?;
    match i32::try_from(number) {
        Ok(signed) => Some(signed.cast_unsigned()),
        Err(_) => u32::try_from(number).ok(),
    }
}

/// A number that is not negative.
pub(super) fn number(entry: &Entry, attribute: &str) -> Option<u32> {
    entry.text(attribute)?.trim().parse().ok()
}

/// A period in seconds: eight octets, the lowest first, that count down in steps of 100 ns
/// ([MS-CRTD], 2.9 and 2.10; [MS-DTYP], 2.3.3).
pub(super) fn period(entry: &Entry, attribute: &str) -> Option<i64> {
    let octets: [u8; 8] = entry.values(attribute).next()?.try_into().ok()?;
    let steps = i64::from_le_bytes(octets).checked_neg()?;
    (steps > 0).then_some(steps / 10_000_000)
}

/// An instant (RFC 4517, 3.3.13): `20260101120000.0Z`.
pub(super) fn time(entry: &Entry, attribute: &str) -> Option<Time> {
    generalized(entry.text(attribute)?.trim())
}

fn generalized(text: &str) -> Option<Time> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let two = |at: usize| digits.get(at..at + 2).map(str::parse::<i8>);
    let part = |at: usize| two(at).transpose().ok();
    if !matches!(digits.len(), 10 | 12 | 14) {
        return None;
    }
    let year: i16 = digits[..4].parse().ok()?;
    let (month, day, hour) = (part(4)??, part(6)??, part(8)??);
    let (minute, second) = (part(10)?.unwrap_or(0), part(12)?.unwrap_or(0));
    // Fractions of a second are left out.
    let zone = rest.trim_start_matches(['.', ',']).trim_start_matches(|c: char| c.is_ascii_digit());
    let offset = match zone {
        "Z" => 0,
        zone => offset(zone)?,
    };
    // A leap second is the last second of its minute here.
    let at = DateTime::new(year, month, day, hour, minute, second.min(59), 0).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    Some(Time(at - offset))
}

/// `+0200` or `-05`, in seconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if !digits.bytes().all(|octet| octet.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 =
        digits.get(2..).filter(|it| !it.is_empty()).map_or(Ok(0), str::parse).ok()?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// `msPKI-Enrollment-Servers`: in each value stand, a line each, priority, authentication, whether it
/// is for renewal only, the address, and whether it is for renewal by key ([MS-ADA2], 2.612).
pub(super) fn enrolment_urls(entry: &Entry) -> Vec<String> {
    let lines = entry.texts("msPKI-Enrollment-Servers").flat_map(str::lines).map(str::trim);
    let is_address = |line: &&str| {
        let start = line.get(..8).unwrap_or(line).to_ascii_lowercase();
        start.starts_with("https://") || start.starts_with("http://")
    };
    let mut urls: Vec<String> = lines.filter(is_address).take(MOST_VALUES).map(clean).collect();
    urls.sort();
    urls.dedup();
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attribute: &str, value: &[u8]) -> Entry {
        let attributes = vec![(attribute.to_owned(), vec![value.to_vec()])];
        Entry { dn: "CN=x".to_owned(), attributes }
    }

    #[test]
    fn a_period_is_read_as_the_schema_writes_it() {
        let read = |octets: &[u8]| period(&entry("p", octets), "p");
        assert_eq!(read(&[0, 64, 57, 135, 46, 225, 254, 255]), Some(365 * 86_400));
        assert_eq!(read(&[0, 128, 166, 10, 255, 222, 255, 255]), Some(42 * 86_400));
        for none in [&[0; 8][..], &[1, 0, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0, 0, 0, 0x80], b"1"] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }

    #[test]
    fn flags_keep_their_highest_bit_whether_signed_or_not() {
        let read = |text: &str| flags(&entry("f", text.as_bytes()), "f");
        assert_eq!(read("-2113929216"), Some(0x8200_0000));
        assert_eq!(read("2181038080"), Some(0x8200_0000));
        assert_eq!(read(" 41 "), Some(41));
        for none in ["4294967296", "-2147483649", "x", ""] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn an_instant_is_read_with_its_zone_and_without_its_fraction() {
        let noon = Time(1_767_268_800);
        for text in [
            "20260101120000.0Z",
            "20260101120000Z",
            "202601011200Z",
            "2026010112Z",
            "20260101120000,5Z",
            "20260101140000.0+0200",
            "2026010107-05",
        ] {
            assert_eq!(generalized(text), Some(noon), "{text}");
        }
        for none in
            ["20261301120000Z", "20260101120000", "2026010112000Z", "", "Z", "99Z", "2026010112+é1"]
        {
            assert_eq!(generalized(none), None, "{none}");
        }
    }
}
