//! tar: the old one, ustar and pax (POSIX.1-2017, pax), and what GNU added (long names, sparse
//! files, numbers in base 256).

mod pax;
mod sparse;

use std::sync::Arc;

use pki_inventory::GapReason;

use crate::budget::Meter;
use crate::input::{Input, Part, fill, octets};
use crate::members::{Kind, Members, Stop, cleaned, shown};
use pax::Extended;
use sparse::{Hole, Sparse};

const BLOCK: usize = 512;
/// A name, and all extended headers of one member.
pub(crate) const LONGEST_NAME: u64 = 1 << 20;
/// Headers that say more about the next one: more of them in a row help nobody.
const EXTENSIONS: u32 = 64;

/// Whether a tar begins here: its first header has the right check sum and sensible numbers.
pub(crate) fn begins(prefix: &[u8]) -> bool {
    prefix.first_chunk::<BLOCK>().is_some_and(|block| {
        let header = Header(block);
        block[0] != 0 && header.sum_is_right() && header.size().is_some() && header.mode_is_one()
    })
}

/// The name of the first member, where its own header has it.
pub(crate) fn first_name(prefix: &[u8]) -> Option<Vec<u8>> {
    let header = Header(prefix.first_chunk()?);
    (!b"LKxXg".contains(&header.0[156])).then(|| header.name())
}

/// Hands out all members, of archives that were put one behind the other, too.
pub(crate) fn read(
    input: &mut dyn Input,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let mut reader = Reader { input, members, meter, next: Next::default(), zeros: false };
    let mut block = [0; BLOCK];
    loop {
        match fill(reader.input, &mut block)? {
            0 if reader.next.count == 0 => return Ok(()),
            BLOCK => {}
            // Some programs do not pad; zeros are the end all the same.
            _ if reader.zeros => return Ok(()),
            _ => return Err(Stop::Damaged("it ends within a header".to_owned())),
        }
        if block.iter().all(|octet| *octet == 0) {
            reader.zeros = true;
        } else if Header(&block).sum_is_right() {
            reader.zeros = false;
            reader.member(&Header(&block))?;
        } else if reader.zeros {
            let detail = "something that is no member follows its end and was not read".to_owned();
            reader.members.gap(None, GapReason::Damaged, detail);
            return Ok(());
        } else {
            let last = shown(&reader.next.last);
            return Err(Stop::Damaged(format!(
                "the header after {last} has a wrong check sum; what follows was not read"
            )));
        }
    }
}

struct Reader<'a> {
    input: &'a mut dyn Input,
    members: &'a mut dyn Members,
    meter: &'a Arc<Meter>,
    next: Next,
    /// The end was seen; something may follow.
    zeros: bool,
}

/// What headers before it said of the next member.
#[derive(Default)]
struct Next {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    extended: Option<Extended>,
    /// How many of them.
    count: u32,
    /// The member before, for messages.
    last: Vec<u8>,
}

impl Reader<'_> {
    fn member(&mut self, header: &Header<'_>) -> Result<(), Stop> {
        let Some(size) = header.size() else {
            let last = shown(&self.next.last);
            return Err(Stop::Damaged(format!("the size of the member after {last} is no size")));
        };
        match header.0[156] {
            b'L' => return self.extension(size, |next, text| next.name = Some(ended(text))),
            b'K' => return self.extension(size, |next, text| next.link = Some(ended(text))),
            b'x' | b'X' => {
                return self
                    .extension(size, |next, text| next.extended = Some(Extended::of(&text)));
            }
            // What a global header says is nothing that is asked here, such as a commit.
            b'g' => return self.extension(size, |_, _| ()),
            _ => {}
        }
        let last = std::mem::take(&mut self.next.last);
        let next = std::mem::replace(&mut self.next, Next { last, ..Next::default() });
        let extended = next.extended.unwrap_or_default();
        if extended.is_wrong {
            let last = shown(&self.next.last);
            let detail = format!("the extended header after {last} is not as it should be");
            self.members.gap(None, GapReason::Damaged, detail);
        }
        let name = extended.name.or(next.name).unwrap_or_else(|| header.name());
        let is_folder = name.ends_with(b"/");
        self.next.last = cleaned(&name).to_vec();
        let name = self.next.last.clone();
        let link = extended.link.or(next.link).unwrap_or_else(|| until_zero(&header.0[157..257]));
        let stored = extended.size.unwrap_or(size);
        match header.0[156] {
            // A hard link has a content in pax alone, where its header says so.
            b'1' if extended.size.is_none_or(|size| size == 0) => {
                self.members.other(&name, Kind::Other, cleaned(&link))
            }
            b'2' => self.members.other(&name, Kind::Other, &link),
            b'3' | b'4' | b'6' => self.members.other(&name, Kind::Other, b""),
            b'5' => self.members.other(&name, Kind::Folder, b""),
            b'0' | 0 if is_folder => self.members.other(&name, Kind::Folder, b""),
            // The names in a folder, and the label of a tape.
            b'D' | b'V' | b'N' => {
                self.members.other(&name, Kind::Folder, b"")?;
                Ok(self.input.skip(padded(stored))?)
            }
            b'S' => {
                let mut holes = sparse::old(header.0, self.input)?;
                holes.size = header.real_size().unwrap_or(holes.size);
                self.content(&name, stored, Some(holes))
            }
            _ => self.content(&name, stored, extended.sparse),
        }
    }

    fn extension(&mut self, size: u64, keep: impl Fn(&mut Next, Vec<u8>)) -> Result<(), Stop> {
        self.next.count += 1;
        if size > LONGEST_NAME || self.next.count > EXTENSIONS {
            let last = shown(&self.next.last);
            return Err(Stop::Damaged(format!(
                "the member after {last} has a name or further headers of more than \
                 {LONGEST_NAME} octets, or more than {EXTENSIONS} of them"
            )));
        }
        let text = octets(self.input, size)?;
        self.input.skip(padded(size) - size)?;
        keep(&mut self.next, text);
        Ok(())
    }

    fn content(&mut self, name: &[u8], stored: u64, holes: Option<Sparse>) -> Result<(), Stop> {
        let mut part = Part { inner: &mut *self.input, left: stored };
        let handed = match holes {
            None => self.members.file(name, Some(stored), &mut part),
            Some(mut holes) => {
                if holes.is_before_the_content {
                    holes.read_map(&mut part)?;
                }
                let size = holes.size;
                self.members.has_holes();
                self.members.file(name, Some(size), &mut Hole::new(&mut part, holes, self.meter))
            }
        };
        let (left, late) = (part.left, padded(stored) - stored);
        match handed {
            Err(Stop::Failed(error)) => {
                Err(Stop::Damaged(format!("{error}, in {}; the rest was not read", shown(name))))
            }
            Err(stop) => Err(stop),
            Ok(()) => self.input.skip(left.saturating_add(late)).map_err(|error| {
                Stop::Damaged(format!("{error}, in {}; the rest was not read", shown(name)))
            }),
        }
    }
}

/// A header block.
pub(crate) struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    /// The sum of all octets with blanks in place of the sum. Some programs of old summed signed
    /// octets.
    fn sum_is_right(&self) -> bool {
        let Some(stated) = number(&self.0[148..156]) else { return false };
        let (mut plain, mut signed) = (8 * 32_i64, 8 * 32_i64);
        for octet in self.0[..148].iter().chain(&self.0[156..]) {
            plain += i64::from(*octet);
            signed += i64::from(octet.cast_signed());
        }
        let stated = i64::try_from(stated);
        stated == Ok(plain) || stated == Ok(signed)
    }

    fn mode_is_one(&self) -> bool {
        number(&self.0[100..108]).is_some()
    }

    fn size(&self) -> Option<u64> {
        number(&self.0[124..136])
    }

    /// The length of a sparse file of GNU, with its holes.
    fn real_size(&self) -> Option<u64> {
        number(&self.0[483..495])
    }

    fn name(&self) -> Vec<u8> {
        let name = until_zero(&self.0[..100]);
        // GNU writes `ustar` and two blanks, and has other things in the prefix.
        if &self.0[257..263] != b"ustar\0" || self.0[345] == 0 {
            return name;
        }
        let mut full = until_zero(&self.0[345..500]);
        full.push(b'/');
        full.extend_from_slice(&name);
        full
    }
}

/// A number: octal digits, or GNU's base 256. A negative one is none here, and neither is one that
/// is larger than files can be.
fn number(field: &[u8]) -> Option<u64> {
    let value = match field {
        [first, rest @ ..] if first & 0x80 != 0 => {
            let first = u64::from(first & 0x7F);
            rest.iter().try_fold(first, |value, octet| {
                (value >> 56 == 0).then_some(value << 8 | u64::from(*octet))
            })?
        }
        _ => {
            let start = field.iter().take_while(|octet| **octet == b' ' || **octet == 0).count();
            let mut value = 0_u64;
            for octet in &field[start..] {
                match octet {
                    b'0'..=b'7' => value = value.checked_mul(8)? + u64::from(octet - b'0'),
                    b' ' | 0 => break,
                    _ => return None,
                }
            }
            value
        }
    };
    // Room for the padding.
    (value < 1 << 62).then_some(value)
}

fn padded(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64)
}

fn until_zero(field: &[u8]) -> Vec<u8> {
    field.split(|octet| *octet == 0).next().unwrap_or_default().to_vec()
}

fn ended(mut text: Vec<u8>) -> Vec<u8> {
    let length = text.iter().position(|octet| *octet == 0).unwrap_or(text.len());
    text.truncate(length);
    text
}

/// A header of the next block, where sparse files have more of them.
fn block(input: &mut dyn Input) -> Result<[u8; BLOCK], Stop> {
    let mut block = [0; BLOCK];
    input.read_exact(&mut block)?;
    Ok(block)
}
