//! The central directory (APPNOTE, 4.3.12 to 4.3.16).

use std::io::{self, Seek as _, SeekFrom};

use super::{Octets, eight, four, two};
use crate::input::{CHUNK, fill};
use crate::members::{Stop, shown};

/// One member as the directory has it.
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) sum: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
    /// A symbolic link; its content is where it leads.
    pub(super) is_link: bool,
}

impl Member {
    pub(super) fn is_encrypted(&self) -> bool {
        // Bit 0, or bit 13: the headers are (APPNOTE, 4.4.4).
        self.flags & 0x2001 != 0
    }

    /// Takes what did not fit from the further fields (APPNOTE, 4.5.3).
    pub(super) fn widen(&mut self, mut fields: &[u8]) {
        let full = |value: u64| value == u64::from(u32::MAX);
        while fields.len() >= 4 {
            let (id, length) = (two(fields), usize::from(two(&fields[2..])));
            let mut field = fields.get(4..4 + length).unwrap_or_default();
            fields = fields.get(4 + length..).unwrap_or_default();
            if id != 1 {
                continue;
            }
            for value in [&mut self.size, &mut self.packed, &mut self.offset] {
                if full(*value) && field.len() >= 8 {
                    *value = eight(field);
                    field = &field[8..];
                }
            }
        }
    }
}

/// A way through the directory.
pub(super) struct Directory {
    start: u64,
    /// What to add to offsets: something may stand before the archive.
    before: u64,
    /// Where the buffer begins, and where the directory ends.
    position: u64,
    end: u64,
    /// Where its end record ends, without the comment.
    behind: u64,
    buffer: Vec<u8>,
    at: usize,
    count: u64,
    seen: u64,
    last: Vec<u8>,
}

impl Directory {
    /// Finds it by the record at the end; `None` where there is none.
    pub(super) fn find(input: &mut Octets<'_>, length: u64) -> io::Result<Option<Self>> {
        // 22 octets and a comment.
        let reach = length.min(22 + 0xFFFF);
        let tail = read_at(input, length - reach, reach)?;
        let mut ends = (0..tail.len().saturating_sub(21)).rev();
        let Some(end) = ends.find(|at| end_record(&tail[*at..]).is_some()) else {
            return Ok(None);
        };
        let record = &tail[end..];
        let mut count = u64::from(two(&record[10..]));
        let (mut size, mut offset) =
            (u64::from(four(&record[12..])), u64::from(four(&record[16..])));
        let mut end = length - reach + end as u64;
        let behind = end + 22;
        if let Some(locator) = end.checked_sub(20)
            && let locator = read_at(input, locator, 20)?
            && locator.starts_with(b"PK\x06\x07")
        {
            // The record may have moved by what stands before the archive; it has 56 octets.
            for at in [eight(&locator[8..]), end.saturating_sub(20 + 56)] {
                let wide = read_at(input, at, 56)?;
                if wide.len() == 56 && wide.starts_with(b"PK\x06\x06") {
                    count = eight(&wide[32..]);
                    (size, offset) = (eight(&wide[40..]), eight(&wide[48..]));
                    end = at;
                    break;
                }
            }
        }
        let begins = |input: &mut Octets<'_>, at: u64| {
            Ok::<_, io::Error>(read_at(input, at, 4)?.starts_with(b"PK\x01\x02"))
        };
        let moved = end.checked_sub(size);
        let (start, before) = match moved {
            // Nothing before it.
            Some(moved) if moved == offset => (offset, 0),
            Some(moved) if begins(input, moved)? => (moved, moved.saturating_sub(offset)),
            _ if begins(input, offset)? => (offset, 0),
            _ if count == 0 => (end, 0),
            _ => return Ok(None),
        };
        let (position, buffer, at, seen) = (start, Vec::new(), 0, 0);
        let last = Vec::new();
        Ok(Some(Self { start, before, position, end, behind, buffer, at, count, seen, last }))
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn behind(&self) -> u64 {
        self.behind
    }

    /// The next member.
    pub(super) fn next(&mut self, input: &mut Octets<'_>) -> Result<Option<Member>, Stop> {
        let header = self.octets(input, 46)?;
        if header.len() < 46 || !header.starts_with(b"PK\x01\x02") {
            return self.finish();
        }
        let flags = two(&header[8..]);
        // Made by Unix, and a symbolic link by its mode.
        let mode = four(&header[38..]) >> 16;
        let is_link = header[5] == 3 && mode & 0o170_000 == 0o120_000;
        let mut member = Member {
            name: Vec::new(),
            flags,
            method: two(&header[10..]),
            sum: four(&header[16..]),
            packed: u64::from(four(&header[20..])),
            size: u64::from(four(&header[24..])),
            offset: u64::from(four(&header[42..])),
            is_link,
        };
        let lengths = [28, 30, 32].map(|at| usize::from(two(&header[at..])));
        self.at += 46;
        let rest = self.octets(input, lengths.iter().sum())?;
        if rest.len() < lengths.iter().sum() {
            return self.finish();
        }
        member.name = rest[..lengths[0]].to_vec();
        member.widen(&rest[lengths[0]..lengths[0] + lengths[1]]);
        member.offset = member.offset.saturating_add(self.before);
        self.at += lengths.iter().sum::<usize>();
        self.seen += 1;
        self.last.clone_from(&member.name);
        Ok(Some(member))
    }

    /// Nothing more follows; is that all there should be? A count of 16 bits has overflowed in
    /// archives of more than 65,535 members that do not know of wider ones.
    fn finish(&self) -> Result<Option<Member>, Stop> {
        if self.seen == self.count || self.count < 0x1_0000 && self.seen & 0xFFFF == self.count {
            return Ok(None);
        }
        let (seen, count, last) = (self.seen, self.count, shown(&self.last));
        Err(Stop::Damaged(format!(
            "its directory names {seen} entries of {count}, and breaks off after {last}"
        )))
    }

    /// The next octets of the directory, as many as asked for or as there are.
    fn octets(&mut self, input: &mut Octets<'_>, wanted: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < wanted {
            self.position += self.at as u64;
            self.at = 0;
            let left = self.end.saturating_sub(self.position);
            self.buffer = read_at(input, self.position, left.min(4 * CHUNK as u64))?;
        }
        let there = self.buffer.len() - self.at;
        Ok(&self.buffer[self.at..self.at + there.min(wanted)])
    }
}

/// The record at the end, and its comment, if they begin here.
pub(super) fn end_record(octets: &[u8]) -> Option<&[u8]> {
    let comment = usize::from(two(octets.get(20..22)?));
    octets.get(..22 + comment).filter(|record| record.starts_with(b"PK\x05\x06"))
}

/// Octets at a place, as many as asked for or as there are. Only for counts that were bounded.
pub(super) fn read_at(input: &mut Octets<'_>, at: u64, count: u64) -> io::Result<Vec<u8>> {
    if i64::try_from(at).is_err() {
        return Ok(Vec::new());
    }
    input.seek(SeekFrom::Start(at))?;
    let mut octets = vec![0; usize::try_from(count).unwrap_or(0)];
    let filled = fill(input, &mut octets)?;
    octets.truncate(filled);
    Ok(octets)
}
