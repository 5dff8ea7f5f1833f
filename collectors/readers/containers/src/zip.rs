//! ZIP (APPNOTE.TXT 6.3.10) by its central directory. Our own: what is needed is small, and the
//! directory of an archive is gone through without holding it, whatever it claims.

mod directory;
mod headers;
mod signing;

use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use pki_inventory::GapReason;

use crate::Source;
use crate::budget::{Given, Meter};
use crate::input::{CHUNK, Tap, fill};
use crate::members::{Kind, Members, Stop, cleaned, shown};
use crate::packing::Packing;
use directory::{Directory, Member, read_at};

/// Where the octets of an archive come from.
pub(crate) type Octets<'a> = Tap<'a, dyn Source + 'a>;

/// Whether an archive begins here: with a member, with nothing, or with the mark of one that was
/// to be split (APPNOTE, 4.3.7, 4.3.16, 8.5.4).
pub(crate) fn begins(prefix: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"]
        .iter()
        .any(|magic| prefix.starts_with(magic))
}

/// The octets that [`crate::recognise_end`] needs: the record at the end and the longest comment
/// (APPNOTE, 4.3.16).
pub const TAIL: usize = 22 + 0xFFFF;

/// Whether an archive ends in these last octets of a file: with a record that contradicts neither
/// itself nor what lies before it.
pub(crate) fn ends(tail: &[u8]) -> bool {
    (0..tail.len().saturating_sub(21)).rev().any(|at| {
        let Some(record) = directory::end_record(&tail[at..]) else { return false };
        let is_one_disk = record[4..8].iter().all(|octet| *octet == 0);
        let (count, here, size) = (two(&record[8..]), two(&record[10..]), four(&record[12..]));
        let directory = usize::try_from(size).ok().and_then(|size| at.checked_sub(size));
        // With the directory of a wider record there are twenty octets between.
        let is_wide = at.checked_sub(20).is_some_and(|at| tail[at..].starts_with(b"PK\x06\x07"));
        let begins = directory.is_none_or(|at| tail[at..].starts_with(b"PK\x01\x02"));
        is_wide || is_one_disk && count == here && count > 0 && size >= 46 && begins
    })
}

/// Hands out all members, and the certificates of the signers of an Android package.
pub(crate) fn read(
    mut input: Octets<'_>,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let length = input.seek(SeekFrom::End(0))?;
    let Some(mut directory) = Directory::find(&mut input, length)? else {
        if begins(&read_at(&mut input, 0, 8)?) {
            return headers::read(input, length, members, meter);
        }
        // Only its end looked like an archive.
        aside(&mut input, 0, length, members, meter)?;
        return Err(Stop::Damaged("its directory is not where its end says".to_owned()));
    };
    signing::read(&mut input, directory.start(), members, meter)?;
    let mut unread = Unread::default();
    let mut first = directory.start();
    let result = loop {
        match directory.next(&mut input) {
            Ok(Some(member)) => match one(&mut input, &member, length, members, meter, &mut unread)
            {
                Ok(true) => first = first.min(member.offset),
                Ok(false) => {}
                Err(stop) => break Err(stop),
            },
            Ok(None) => break Ok(()),
            Err(stop) => break Err(stop),
        }
    };
    unread.tell(members);
    if let Err(stop @ (Stop::Enough | Stop::Limit)) = result {
        return Err(stop);
    }
    // A program, another archive, or a key: nothing of the directory leads there. The mark of an
    // archive that was to be split stands before its first member.
    if first > 4 {
        aside(&mut input, 0, first, members, meter)?;
    }
    aside(&mut input, directory.behind(), length, members, meter)?;
    result
}

/// Hands out octets that belong to no member, its comment too.
fn aside(
    input: &mut Octets<'_>,
    start: u64,
    end: u64,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let Some(size) = end.checked_sub(start).filter(|size| *size > 0) else { return Ok(()) };
    input.seek(SeekFrom::Start(start))?;
    let name = format!("(octets {start} to {end})");
    let octets = BufReader::with_capacity(room(size), input.again().take(size));
    members.file(name.as_bytes(), Some(size), &mut Given::new(octets, meter))
}

/// Members that are not read, told once for an archive.
#[derive(Default)]
struct Unread {
    encrypted: (u64, Vec<u8>),
    method: (u64, Vec<u8>),
    number: u16,
}

impl Unread {
    fn tell(self, members: &mut dyn Members) {
        let mut gap = |(count, first): (u64, Vec<u8>), what: &str| {
            if count > 0 {
                let detail = format!("{count} entries {what}; the first one is {}", shown(&first));
                members.gap(None, GapReason::FormatNotRead, detail);
            }
        };
        gap(self.encrypted, "are encrypted");
        let method = format!("are packed in a way that is not read (method {})", self.number);
        gap(self.method, &method);
    }
}

/// Reads one member; whether it is where the directory says.
fn one(
    input: &mut Octets<'_>,
    member: &Member,
    length: u64,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
    unread: &mut Unread,
) -> Result<bool, Stop> {
    let name = cleaned(&member.name);
    let data = data_start(input, member.offset, length)?;
    let is_there = data.is_some();
    if member.name.ends_with(b"/") && member.size == 0 {
        return members.other(name, Kind::Folder, b"").map(|()| is_there);
    }
    if member.is_link {
        return members.other(name, Kind::Other, b"").map(|()| is_there);
    }
    if member.is_encrypted() || !is_method(member.method) {
        let count = if member.is_encrypted() {
            &mut unread.encrypted
        } else {
            if unread.method.0 == 0 {
                unread.number = member.method;
            }
            &mut unread.method
        };
        if count.0 == 0 {
            count.1 = name.to_vec();
        }
        count.0 += 1;
        return members.other(name, Kind::Other, b"").map(|()| is_there);
    }
    let Some(start) = data else {
        let detail = "its data are not where the directory of the archive says".to_owned();
        members.gap(Some(name), GapReason::Damaged, detail);
        return members.other(name, Kind::Other, b"").map(|()| false);
    };
    input.seek(SeekFrom::Start(start))?;
    let packed = BufReader::with_capacity(room(member.packed), input.again().take(member.packed));
    let mut content =
        Checked::new(Given::new(unpacked(member.method, packed), meter), Some(member));
    match members.file(name, Some(member.size), &mut content) {
        // The others can be found all the same.
        Err(Stop::Failed(error)) => {
            members.gap(Some(name), GapReason::Damaged, error.to_string());
            Ok(true)
        }
        other => other.map(|()| true),
    }
}

/// Stored, deflated, bzip2, Zstandard, xz (APPNOTE, 4.4.5).
fn is_method(method: u16) -> bool {
    matches!(method, 0 | 8 | 12 | 93 | 95)
}

fn unpacked<'a>(method: u16, packed: BufReader<impl Read + 'a>) -> Box<dyn Read + 'a> {
    match method {
        0 => Box::new(packed),
        8 => Box::new(DeflateDecoder::new(packed)),
        12 => Packing::Bzip2.unpack(packed),
        93 => Packing::Zstd.unpack(packed),
        _ => Packing::Xz.unpack(packed),
    }
}

/// Where the data of a member begin: behind its own header, which has a name and further fields
/// of other lengths than the directory (APPNOTE, 4.3.7).
fn data_start(input: &mut Octets<'_>, offset: u64, length: u64) -> io::Result<Option<u64>> {
    let mut header = [0; 30];
    // A seek beyond what any file can have fails, and would end the reading of all others.
    if offset > length {
        return Ok(None);
    }
    input.seek(SeekFrom::Start(offset))?;
    if fill(input, &mut header)? < 30 || !header.starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    let start = offset + 30 + u64::from(two(&header[26..])) + u64::from(two(&header[28..]));
    Ok((start <= length).then_some(start))
}

/// A content that is compared with what the archive says of it, once it was read to its end.
struct Checked<'m, R> {
    inner: R,
    crc: Crc,
    length: u64,
    member: Option<&'m Member>,
    is_done: bool,
}

impl<'m, R> Checked<'m, R> {
    fn new(inner: R, member: Option<&'m Member>) -> Self {
        Self { inner, crc: Crc::new(), length: 0, member, is_done: false }
    }
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(&buffer[..read]);
        self.length += read as u64;
        if read == 0
            && !buffer.is_empty()
            && !self.is_done
            && let Some(member) = self.member
        {
            self.is_done = true;
            let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
            if self.length != member.size {
                let (length, size) = (self.length, member.size);
                return wrong(format!("it has {length} octets, the archive says {size}"));
            }
            if self.crc.sum() != member.sum {
                return wrong("its check sum differs from the one in the archive".to_owned());
            }
        }
        Ok(read)
    }
}

/// A buffer for so many octets: most members are small.
fn room(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(CHUNK).clamp(512, CHUNK)
}

fn two(octets: &[u8]) -> u16 {
    octets.first_chunk().map_or(0, |two| u16::from_le_bytes(*two))
}

fn four(octets: &[u8]) -> u32 {
    octets.first_chunk().map_or(0, |four| u32::from_le_bytes(*four))
}

fn eight(octets: &[u8]) -> u64 {
    octets.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}
