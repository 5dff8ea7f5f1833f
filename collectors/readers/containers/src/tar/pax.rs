//! Extended headers (POSIX.1-2017, pax, "pax Extended Header").

use super::sparse::{Segment, Sparse};

/// What one says of the next member.
#[derive(Default)]
pub(super) struct Extended {
    pub(super) name: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    /// As stored, which for a sparse file is less than its length.
    pub(super) size: Option<u64>,
    pub(super) sparse: Option<Sparse>,
    /// Something in it could not be read.
    pub(super) is_wrong: bool,
}

impl Extended {
    /// Lines of a length, a blank, a word, `=` and a value that may hold anything.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut all = Self::default();
        let mut sparse = Gnu::default();
        let mut rest = text;
        while rest.first().is_some_and(|octet| *octet != 0) {
            let Some((word, value, tail)) = record(rest) else {
                all.is_wrong = true;
                break;
            };
            rest = tail;
            match word {
                b"path" => all.name = Some(value.to_vec()),
                b"linkpath" => all.link = Some(value.to_vec()),
                b"size" => match decimal(value) {
                    Some(size) => all.size = Some(size),
                    None => all.is_wrong = true,
                },
                _ => {
                    if let Some(word) = word.strip_prefix(b"GNU.sparse.") {
                        all.is_wrong |= sparse.take(word, value).is_none();
                    }
                }
            }
        }
        if let Some(name) = sparse.name.take() {
            all.name = Some(name);
        }
        all.sparse = sparse.finish();
        all
    }
}

/// GNU's words for sparse files, formats 0.0, 0.1 and 1.0.
#[derive(Default)]
struct Gnu {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    map: Vec<Segment>,
    offset: Option<u64>,
    major: u64,
    is_sparse: bool,
}

impl Gnu {
    fn take(&mut self, word: &[u8], value: &[u8]) -> Option<()> {
        match word {
            b"name" => self.name = Some(value.to_vec()),
            b"size" | b"realsize" => self.size = Some(decimal(value)?),
            b"major" => self.major = decimal(value)?,
            b"numblocks" => {}
            b"offset" => self.offset = Some(decimal(value)?),
            b"numbytes" => {
                self.map.push(Segment { at: self.offset.take()?, length: decimal(value)? });
            }
            b"map" => {
                let mut numbers = value.split(|octet| *octet == b',');
                while let Some(at) = numbers.next() {
                    let length = decimal(numbers.next()?)?;
                    self.map.push(Segment { at: decimal(at)?, length });
                }
            }
            _ => return Some(()),
        }
        self.is_sparse = true;
        Some(())
    }

    fn finish(self) -> Option<Sparse> {
        self.is_sparse.then(|| Sparse {
            size: self.size.unwrap_or(0),
            map: self.map,
            is_before_the_content: self.major == 1,
        })
    }
}

/// One record, and what follows it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = text.iter().take(20).position(|octet| *octet == b' ')?;
    let length = usize::try_from(decimal(&text[..blank])?).ok()?;
    let inner = text.get(blank + 1..length.checked_sub(1)?)?;
    let equals = inner.iter().position(|octet| *octet == b'=')?;
    (text.get(length - 1) == Some(&b'\n')).then_some(())?;
    Some((&inner[..equals], &inner[equals + 1..], &text[length..]))
}

/// A number that is not larger than files can be.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let number = text.iter().try_fold(0_u64, |number, octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    (number < 1 << 62).then_some(number)
}
