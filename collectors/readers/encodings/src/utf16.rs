//! Text in UTF-16, as PowerShell and the registry editor write it, brought into one octet a
//! character so that what is found in text is found in it too.

/// How a text in UTF-16 lies in octets, and what of it is not brought over yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utf16 {
    order: Order,
    /// The first half of a code unit whose second half comes with the next window.
    half: Option<u8>,
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// What stands for every character that is not ASCII: part of no format.
const OTHER: u8 = b'?';
const BYTE_ORDER_MARK: u16 = 0xfeff;

/// Code units that have to be ASCII text where no byte order mark says how to read them.
const LEAST_UNITS: usize = 8;
/// Code units that are looked at.
const MOST_UNITS: usize = 32;

/// Tells by the first octets whether a text is UTF-16. Without a byte order mark they all have to
/// be plain characters; sixty-four octets are looked at.
#[must_use]
pub fn utf16(prefix: &[u8]) -> Option<Utf16> {
    let order = match prefix {
        // The mark of UTF-32 begins like the one of UTF-16.
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, ..] => Order::Little,
        [0xfe, 0xff, ..] => Order::Big,
        _ => unmarked(prefix)?,
    };
    Some(Utf16 { order, half: None, begun: false })
}

fn unmarked(prefix: &[u8]) -> Option<Order> {
    let (units, _) = prefix.as_chunks::<2>();
    let units = &units[..units.len().min(MOST_UNITS)];
    let all = |order: Order| {
        units.len() >= LEAST_UNITS
            && units.iter().all(|unit| {
                let unit = order.unit(*unit);
                matches!(unit, 0x09 | 0x0a | 0x0d | 0x20..=0x7e)
            })
    };
    [Order::Little, Order::Big].into_iter().find(|order| all(*order))
}

impl Order {
    fn unit(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }
}

impl Utf16 {
    /// Brings over the next window: ASCII as it is, a question mark for everything else. Makes room
    /// in `out` beforehand, half as much as the window has; a buffer that must leave nothing behind
    /// in freed memory has that room already.
    pub fn feed(&mut self, window: &[u8], out: &mut Vec<u8>) {
        out.reserve(window.len() / 2 + 1);
        let mut rest = window;
        if let Some(half) = self.half.take() {
            let Some((second, behind)) = rest.split_first() else {
                self.half = Some(half);
                return;
            };
            self.unit([half, *second], out);
            rest = behind;
        }
        let (units, odd) = rest.as_chunks::<2>();
        for unit in units {
            self.unit(*unit, out);
        }
        self.half = odd.first().copied();
    }

    fn unit(&mut self, octets: [u8; 2], out: &mut Vec<u8>) {
        let unit = self.order.unit(octets);
        let first = !std::mem::replace(&mut self.begun, true);
        if first && unit == BYTE_ORDER_MARK {
            return;
        }
        out.push(match u8::try_from(unit) {
            Ok(octet @ 1..0x80) => octet,
            _ => OTHER,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, little: bool) -> Vec<u8> {
        let octets = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(octets).collect()
    }

    #[test]
    fn text_comes_over_however_it_is_cut() {
        let text = "-----BEGIN CERTIFICATE-----\r\nZm9v\r\n# für 🔑\0\r\n";
        for little in [true, false] {
            for (mark, expected) in [("\u{feff}", text), ("", text)] {
                let octets = written(&format!("{mark}{text}"), little);
                for size in [1, 2, 3, 7, 1000] {
                    let mut encoding = utf16(&octets).expect("recognised");
                    let mut out = Vec::new();
                    for window in octets.chunks(size) {
                        encoding.feed(window, &mut out);
                    }
                    let expected =
                        expected.replace('ü', "?").replace('🔑', "??").replace('\0', "?");
                    assert_eq!(String::from_utf8(out).expect("ASCII"), expected);
                }
            }
        }
    }

    #[test]
    fn other_octets_are_no_text_in_utf16() {
        for octets in [
            &b"-----BEGIN CERTIFICATE-----"[..],
            b"a\0b\0",
            &[0; 64],
            &[0xff, 0xfe, 0, 0, b'a', 0, 0, 0],
            b"a\0b\0c\0d\0e\0f\0g\0h\0\x01\0",
            b"",
        ] {
            assert_eq!(utf16(octets), None, "{octets:?}");
        }
        assert!(utf16(b"\xff\xfea\0").is_some());
    }
}
