//! Sparse files: what is stored of them lies in segments, and zeros between (GNU tar manual,
//! "Storing Sparse Files").

use std::io::{self, Read};
use std::sync::Arc;

use super::pax::decimal;
use super::{BLOCK, LONGEST_NAME, block, number};
use crate::budget::Meter;
use crate::input::Input;
use crate::members::Stop;

/// Segments of one file. The map of a file with more is as large as the longest name.
const SEGMENTS: usize = 1 << 16;

/// A part of a file that is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) at: u64,
    pub(super) length: u64,
}

/// Where the stored octets of a file belong.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    /// With its holes.
    pub(super) size: u64,
    pub(super) map: Vec<Segment>,
    /// In format 1.0 the map is the beginning of what is stored.
    pub(super) is_before_the_content: bool,
}

impl Sparse {
    /// Reads the map of format 1.0: decimal numbers with line ends, padded to a block.
    pub(super) fn read_map(&mut self, part: &mut impl Read) -> Result<(), Stop> {
        let mut numbers = Vec::new();
        let mut digits = Vec::new();
        let mut wanted = 1;
        let mut read = 0_u64;
        while numbers.len() < wanted {
            let mut text = [0; BLOCK];
            part.read_exact(&mut text)?;
            read += BLOCK as u64;
            for octet in text {
                if octet != b'\n' {
                    digits.push(octet);
                } else {
                    numbers.push(decimal(&digits).ok_or_else(wrong)?);
                    digits.clear();
                    let count = usize::try_from(numbers[0]).map_err(|_| wrong())?;
                    wanted = count.min(SEGMENTS + 1) * 2 + 1;
                    if numbers.len() >= wanted {
                        break;
                    }
                }
            }
            if read > LONGEST_NAME || wanted > SEGMENTS * 2 || digits.len() > BLOCK {
                return Err(wrong());
            }
        }
        let pairs = numbers[1..].chunks_exact(2);
        self.map = pairs.map(|pair| Segment { at: pair[0], length: pair[1] }).collect();
        Ok(())
    }
}

/// The map in an old header of GNU, and in the blocks behind it.
pub(super) fn old(header: &[u8; BLOCK], input: &mut dyn Input) -> Result<Sparse, Stop> {
    let mut sparse = Sparse::default();
    let mut more = header[482] != 0;
    take(&mut sparse.map, &header[386..482])?;
    while more {
        let block = block(input)?;
        more = block[504] != 0;
        take(&mut sparse.map, &block[..504])?;
        if sparse.map.len() > SEGMENTS {
            return Err(wrong());
        }
    }
    sparse.size = sparse.map.last().map_or(0, |last| last.at.saturating_add(last.length));
    Ok(sparse)
}

fn take(map: &mut Vec<Segment>, slots: &[u8]) -> Result<(), Stop> {
    for slot in slots.chunks_exact(24).take_while(|slot| slot[0] != 0) {
        let (at, length) = (number(&slot[..12]), number(&slot[12..]));
        map.push(Segment { at: at.ok_or_else(wrong)?, length: length.ok_or_else(wrong)? });
    }
    Ok(())
}

fn wrong() -> Stop {
    Stop::Damaged("the map of a sparse file is not as it should be; the rest was not read".into())
}

/// A sparse file with its zeros.
pub(super) struct Hole<'m, R> {
    stored: R,
    meter: &'m Arc<Meter>,
    sparse: Sparse,
    /// Which segment is next, and where in the file we are.
    next: usize,
    at: u64,
}

impl<'m, R: Read> Hole<'m, R> {
    pub(super) fn new(stored: R, sparse: Sparse, meter: &'m Arc<Meter>) -> Self {
        Self { stored, meter, sparse, next: 0, at: 0 }
    }
}

impl<R: Read> Read for Hole<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let segment = self.sparse.map.get(self.next).copied();
            let segment = segment.unwrap_or(Segment { at: self.sparse.size, length: 0 });
            let end = segment.at.saturating_add(segment.length);
            let (left, is_stored) = match segment.at.checked_sub(self.at) {
                Some(0) | None => (end.saturating_sub(self.at), true),
                Some(zeros) => (zeros, false),
            };
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            if most == 0 {
                if self.next >= self.sparse.map.len() {
                    return Ok(0);
                }
                self.next += 1;
                continue;
            }
            let read = if is_stored {
                self.stored.read(&mut buffer[..most])?
            } else {
                self.meter.give_hole(most)?;
                buffer[..most].fill(0);
                most
            };
            self.at += read as u64;
            return Ok(read);
        }
    }
}
