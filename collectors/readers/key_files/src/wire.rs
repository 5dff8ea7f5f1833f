//! Takes numbers and strings off the front of octets; both SSH (RFC 4251, 5) and OpenPGP
//! (RFC 9580, 3) write them big-endian and lengths first.

/// What is left to read.
#[derive(Clone, Copy)]
pub struct Wire<'a>(pub &'a [u8]);

impl<'a> Wire<'a> {
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// A string of SSH: four octets of length.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// A string of SSH that is plain text, such as the name of an algorithm.
    pub fn name(&mut self) -> Option<&'a str> {
        let name = std::str::from_utf8(self.string()?).ok()?;
        let plain = |octet: u8| octet.is_ascii_graphic();
        (name.len() <= 64 && name.bytes().all(plain)).then_some(name)
    }

    /// A non-negative number of SSH without the octet for its sign.
    pub fn number(&mut self) -> Option<&'a [u8]> {
        let octets = self.string()?;
        (octets.first()? & 0x80 == 0).then_some(octets)
    }

    /// A number of OpenPGP (RFC 9580, 3.2): two octets that count bits.
    pub fn counted_bits(&mut self) -> Option<&'a [u8]> {
        let bits = usize::from(self.u16()?);
        self.take(bits.div_ceil(8))
    }
}
