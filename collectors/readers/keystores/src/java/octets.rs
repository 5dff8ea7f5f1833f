//! Numbers and texts as `DataOutputStream` of Java writes them.

/// Takes them off the front.
#[derive(Clone, Copy)]
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

impl<'a> Octets<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_be_bytes)
    }

    /// Octets behind their number.
    pub(crate) fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// The octets of a text, of which [`text`] makes one.
    pub(crate) fn utf(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}

/// A text in the UTF-8 of Java: of two or three octets per half of a character beyond the first
/// plane, and zero in two octets (`java.io.DataInput`). What is not, reads as a replacement.
pub(crate) fn text(octets: &[u8]) -> String {
    let mut units = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let [first, tail @ ..] = rest {
        let low = |octet: u8| u16::from(octet & 0x3f);
        let (unit, after) = match (first >> 4, tail) {
            (0..=7, after) => (u16::from(*first), after),
            (12 | 13, [second @ 0x80..=0xbf, after @ ..]) => {
                (u16::from(first & 0x1f) << 6 | low(*second), after)
            }
            (14, [second @ 0x80..=0xbf, third @ 0x80..=0xbf, after @ ..]) => {
                (u16::from(first & 0x0f) << 12 | low(*second) << 6 | low(*third), after)
            }
            (_, after) => (0xfffd, after),
        };
        units.push(unit);
        rest = after;
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_java_are_read_with_halves_and_zeros() {
        assert_eq!(text("schlüssel €".as_bytes()), "schlüssel €");
        assert_eq!(text(&[0xc0, 0x80, 0xed, 0xa0, 0xbd, 0xed, 0xb4, 0x91]), "\0\u{1f511}");
        assert_eq!(text(&[0xff, b'a', 0xe0]), "\u{fffd}a\u{fffd}");
    }
}
