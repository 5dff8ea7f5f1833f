//! Packages of RPM (rpm, "Package format"; LSB 5.0, Core, 22.2).

use std::io::Read as _;
use std::sync::Arc;

use pki_inventory::GapReason;

use crate::budget::{Given, Meter};
use crate::cpio;
use crate::input::{Input, Peeked, Streamed, octets};
use crate::members::{Members, Stop};
use crate::packing::Packing;

/// Whether a package begins here, by its lead.
pub(crate) fn begins(prefix: &[u8]) -> bool {
    prefix.starts_with(&[0xED, 0xAB, 0xEE, 0xDB]) && prefix.len() >= 6
}

/// What a header may have of index and data together.
const LONGEST_HEADER: u64 = 16 << 20;

/// Files of one package that are kept in memory.
const FILES: usize = 1 << 20;

const FILE_SIZES: u32 = 1028;
const FILE_MODES: u32 = 1030;
const FOLDER_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const FOLDER_NAMES: u32 = 1118;
const PAYLOAD_COMPRESSOR: u32 = 1125;
const LONG_FILE_SIZES: u32 = 5008;

/// Hands out what the package installs.
pub(crate) fn read(
    input: &mut dyn Input,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    input.skip(96)?;
    let (count, length) = intro(input)?;
    // The signatures are padded to eight octets, the header behind them is not.
    input.skip((count * 16 + length).next_multiple_of(8))?;
    let (count, length) = intro(input)?;
    if count * 16 + length > LONGEST_HEADER {
        return Err(Stop::Damaged("its header is longer than 16 MiB".to_owned()));
    }
    let header = Header { index: octets(input, count * 16)?, data: octets(input, length)? };
    let mut packed = Peeked::new(input);
    let packing = match Packing::of(packed.peek(crate::PREFIX)) {
        None if header.texts(PAYLOAD_COMPRESSOR).next() == Some(b"lzma") => Some(Packing::Lzma),
        packing => packing,
    };
    if let Some(packing) = packing {
        return payload(packing.unpack(packed), members, &header, meter);
    }
    payload(packed, members, &header, meter)
}

fn payload(
    plain: impl std::io::Read,
    members: &mut dyn Members,
    header: &Header,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let mut plain = Peeked::new(Given::new(plain, meter));
    let prefix = plain.peek(110);
    if cpio::begins(prefix) || prefix.starts_with(b"07070X") {
        // Only the form for large files needs the header: it is not taken apart for the others.
        let files = prefix.starts_with(b"07070X").then(|| header.files());
        return cpio::archive(&mut Streamed(plain), members, files.as_ref());
    }
    if prefix.is_empty() {
        // Tells why there is nothing, where that is a failure.
        plain.read_exact(&mut [0])?;
    }
    let detail = "the payload of the package is packed in a way that is not read".to_owned();
    members.gap(None, GapReason::FormatNotRead, detail);
    Ok(())
}

/// The beginning of a header: how many entries of 16 octets its index has, and how long its data
/// are.
fn intro(input: &mut dyn Input) -> Result<(u64, u64), Stop> {
    let mut intro = [0; 16];
    input.read_exact(&mut intro)?;
    if intro[..4] != [0x8E, 0xAD, 0xE8, 1] {
        return Err(Stop::Damaged("a header does not begin where it should".to_owned()));
    }
    Ok((u64::from(number(&intro[8..])), u64::from(number(&intro[12..]))))
}

struct Header {
    index: Vec<u8>,
    data: Vec<u8>,
}

impl Header {
    /// Where the values of a tag begin, and how many there are.
    fn values(&self, tag: u32) -> Option<(&[u8], usize)> {
        let entry = self.index.chunks_exact(16).find(|entry| number(entry) == tag)?;
        let start = usize::try_from(number(&entry[8..])).ok()?;
        Some((self.data.get(start..)?, usize::try_from(number(&entry[12..])).ok()?))
    }

    fn texts(&self, tag: u32) -> impl Iterator<Item = &[u8]> {
        let (data, count) = self.values(tag).unwrap_or_default();
        data.split(|octet| *octet == 0).take(count.min(FILES))
    }

    fn numbers(&self, tag: u32, octets: usize) -> Vec<u64> {
        let (data, count) = self.values(tag).unwrap_or_default();
        let values = data.chunks_exact(octets).take(count.min(FILES));
        values
            .map(|value| value.iter().fold(0, |all, octet| all << 8 | u64::from(*octet)))
            .collect()
    }

    fn files(&self) -> Files {
        let mut sizes = self.numbers(LONG_FILE_SIZES, 8);
        if sizes.is_empty() {
            sizes = self.numbers(FILE_SIZES, 4);
        }
        let own = |tag| self.texts(tag).map(<[u8]>::to_vec).collect();
        Files {
            sizes,
            modes: self.numbers(FILE_MODES, 2),
            folders: own(FOLDER_NAMES),
            folder_of: self.numbers(FOLDER_INDEXES, 4),
            names: own(BASE_NAMES),
        }
    }
}

/// The files of a package as its header lists them.
pub(crate) struct Files {
    sizes: Vec<u64>,
    modes: Vec<u64>,
    folders: Vec<Vec<u8>>,
    folder_of: Vec<u64>,
    names: Vec<Vec<u8>>,
}

impl Files {
    /// Name, mode and size of one of them.
    pub(crate) fn file(&self, index: u64) -> Option<(Vec<u8>, u64, u64)> {
        let index = usize::try_from(index).ok()?;
        let folder = usize::try_from(*self.folder_of.get(index)?).ok()?;
        let name = [self.folders.get(folder)?.as_slice(), self.names.get(index)?].concat();
        Some((name, *self.modes.get(index)?, *self.sizes.get(index)?))
    }
}

fn number(octets: &[u8]) -> u32 {
    octets.first_chunk().map_or(0, |four| u32::from_be_bytes(*four))
}
