//! Opens archives, packages and container images, entry by entry and within limits.
//!
//! What this crate does not do: it opens no file, extracts nothing to a disk, and does not look at
//! what the entries hold.
//!
//! ```
//! use std::io::{Cursor, Read};
//! use std::ops::ControlFlow;
//!
//! use pki_containers::{Budget, Entry, Limits, Visit, open, recognise};
//! use pki_inventory::GapReason;
//!
//! struct Names(Vec<String>);
//!
//! impl Visit for Names {
//!     fn entry(&mut self, entry: &Entry<'_>, _: &mut dyn Read, _: &mut Budget) -> ControlFlow<()> {
//!         self.0.push(String::from_utf8_lossy(entry.name).into_owned());
//!         ControlFlow::Continue(())
//!     }
//!     fn gap(&mut self, _: Option<&[u8]>, _: GapReason, detail: String) {
//!         self.0.push(detail);
//!     }
//! }
//!
//! let empty = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
//! let format = recognise(empty).expect("a ZIP begins like this");
//! let limits = Limits { depth: 4, ratio: 250, octets: 1 << 30, entries: 1000 };
//! let mut names = Names(Vec::new());
//! open(format, &mut Cursor::new(empty), &mut Budget::new(limits), &mut names);
//! assert!(names.0.is_empty());
//! ```

mod budget;
mod bzip2;
mod cpio;
mod deb;
mod image;
mod input;
mod members;
mod packing;
mod rpm;
mod tar;
mod zip;

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;

use pki_inventory::{GapReason, Layer};
use zeroize::Zeroizing;

pub use budget::{Budget, Limits};
pub use image::{ImageFiles, image_folder};
pub use zip::TAIL;

use budget::{Given, Meter};
use input::{Failure, Input, Peeked, Sought, Streamed, Tap, fill};
use members::{Handed, Members as _, Names, Stop};
use packing::Packing;

/// The octets that [`recognise`] needs.
const PREFIX: usize = 600;
/// What is held in memory of archives that lie in others and must be gone back in.
const HELD: u64 = 64 << 20;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// ZIP, and what is built on it: JAR, WAR, APK of Android, wheels.
    Zip,
    /// tar, all dialects.
    Tar,
    /// gzip of one stream (of several members one after the other, too).
    Gzip,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
    /// A package of Debian.
    Deb,
    /// A package of RPM.
    Rpm,
    /// cpio, as in RPM and initial RAM disks.
    Cpio,
}

/// Takes what is found in an archive.
pub trait Visit {
    /// One regular file in the archive. What is not read of `content` is passed over.
    ///
    /// Where reading `content` fails, the entry ends there; this crate tells the gap afterwards.
    /// An entry that is an archive itself is opened by [`open_stream`] with this budget, or by
    /// [`open`] once it is in memory.
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn Read,
        budget: &mut Budget,
    ) -> ControlFlow<()>;

    /// Something that was not read: an entry, or the archive from here on (`None`).
    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String);
}

/// What is known of an entry before it is read.
#[derive(Debug)]
pub struct Entry<'e> {
    /// Its path as the archive has it, without leading `/` and `./`; empty for the content of a
    /// compressed stream.
    pub name: &'e [u8],
    /// Its length, where the archive says it. It may lie.
    pub size: Option<u64>,
    /// The layer of an image it lies in; then its place is `image!/<digest of the layer>!/name`.
    pub layer: Option<&'e Layer>,
    /// How many entries of the same name, in the same layer, came out of this archive before: 0 for
    /// nearly all. What is told of a place has to be told of one entry.
    pub repeat: u32,
}

/// Tells by the first octets (600 are enough) whether an archive begins here.
#[must_use]
pub fn recognise(prefix: &[u8]) -> Option<Format> {
    if let Some(packing) = Packing::of(prefix) {
        return match packing {
            Packing::Gzip => Some(Format::Gzip),
            Packing::Xz => Some(Format::Xz),
            Packing::Zstd => Some(Format::Zstd),
            Packing::Bzip2 => Some(Format::Bzip2),
            Packing::Lzma => None,
        };
    }
    type Begins = fn(&[u8]) -> bool;
    let formats: [(Begins, Format); 5] = [
        (zip::begins, Format::Zip),
        (deb::begins, Format::Deb),
        (rpm::begins, Format::Rpm),
        (cpio::begins, Format::Cpio),
        (tar::begins, Format::Tar),
    ];
    formats.iter().find(|(begins, _)| begins(prefix)).map(|(_, format)| *format)
}

/// Tells by the last octets of a file ([`TAIL`] of them, or all there are) whether an archive ends
/// here that something may stand before, such as a program that unpacks it.
///
/// Where that is so, [`open`] hands out what stands before and behind the archive as entries of their
/// own, named `(octets 0 to 1234)`.
#[must_use]
pub fn recognise_end(tail: &[u8]) -> Option<Format> {
    zip::ends(tail).then_some(Format::Zip)
}

/// A source that can be gone back in.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Opens an archive that can be gone back in: a file, or octets in memory. Tells container images
/// by what lies in a tar, and goes through them layer by layer.
///
/// Each limit that is reached ends all that comes out of the file on disk, with one gap of the
/// outermost archive; the depth only what lies too deep.
pub fn open(format: Format, input: &mut dyn Source, budget: &mut Budget, visit: &mut dyn Visit) {
    opened(budget, visit, |handed, failure, meter| {
        let mut tap = Tap::on(input, meter.clone(), failure);
        let length = tap.seek(SeekFrom::End(0))?;
        if let Some(meter) = &meter {
            meter.set_length(length);
        }
        tap.rewind()?;
        let meter = Arc::clone(&handed.budget.meter);
        if format == Format::Zip {
            return zip::read(tap, handed, &meter);
        }
        if format == Format::Tar && image::in_tar(tap.again(), length, handed, failure)? {
            return Ok(());
        }
        tap.rewind()?;
        if let Some(packing) = packing_of(format) {
            let inner = Sought::new(tap.again(), length, None);
            let mut content = Peeked::new(Given::new(packing.unpack(inner), &meter));
            let prefix = content.peek(PREFIX);
            if !tar::begins(prefix) || !image::may_be(prefix) {
                return unpacked(content, handed);
            }
            drop(content);
            if image::in_packed(packing, tap.again(), handed)? {
                return Ok(());
            }
            tap.rewind()?;
        }
        let meter = matches!(format, Format::Tar | Format::Cpio).then_some(meter);
        forwards(format, &mut Sought::new(tap, length, meter), handed)
    });
}

/// Opens an archive that is read once, as it comes out of another. ZIP is held in memory for it, up
/// to 64 MiB; a larger one is a gap. A container image is a tar of tars here: all of its files are
/// found, but not what became of them.
pub fn open_stream(
    format: Format,
    input: &mut dyn Read,
    budget: &mut Budget,
    visit: &mut dyn Visit,
) {
    opened(budget, visit, |handed, failure, meter| {
        let tap = Tap::new(input, meter, failure);
        if format != Format::Zip {
            let counts = matches!(format, Format::Tar | Format::Cpio);
            if !counts {
                return forwards(format, &mut Streamed(tap), handed);
            }
            let meter = Arc::clone(&handed.budget.meter);
            return forwards(format, &mut Streamed(Given::new(tap, &meter)), handed);
        }
        let meter = Arc::clone(&handed.budget.meter);
        let mut octets = Zeroizing::new(Vec::new());
        let Some(held) = hold(tap, &meter, &mut octets)? else {
            let detail = format!(
                "an archive in an archive is held in memory up to {HELD} octets in all; this \
                 one is larger"
            );
            handed.gap(None, GapReason::TooLarge, detail);
            return Ok(());
        };
        let mut source = Cursor::new(octets.as_slice());
        let quiet = Failure::default();
        let result = zip::read(Tap::on(&mut source, None, &quiet), handed, &meter);
        meter.release(held);
        result
    });
}

/// Holds an input in memory; how much of it, or `None` where it is too much. There may be keys in it:
/// a buffer that grows by itself would leave them behind.
fn hold(
    mut input: impl Read,
    meter: &Meter,
    octets: &mut Zeroizing<Vec<u8>>,
) -> Result<Option<u64>, Stop> {
    const STEP: usize = 1 << 20;
    let mut held = 0;
    loop {
        if !meter.hold(STEP as u64, HELD) {
            meter.release(held);
            return Ok(None);
        }
        held += STEP as u64;
        let there = octets.len();
        if octets.capacity() - there < STEP {
            let mut larger = Zeroizing::new(Vec::with_capacity(there.max(STEP) + there));
            larger.extend_from_slice(octets);
            *octets = larger;
        }
        octets.resize(there + STEP, 0);
        let read = fill(&mut input, &mut octets[there..]);
        octets.truncate(there + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(STEP) => {}
            Ok(_) => return Ok(Some(held)),
            Err(error) => {
                meter.release(held);
                return Err(error.into());
            }
        }
    }
}

fn packing_of(format: Format) -> Option<Packing> {
    match format {
        Format::Gzip => Some(Packing::Gzip),
        Format::Xz => Some(Packing::Xz),
        Format::Zstd => Some(Packing::Zstd),
        Format::Bzip2 => Some(Packing::Bzip2),
        _ => None,
    }
}

/// What is read from the beginning to the end.
fn forwards(format: Format, input: &mut dyn Input, handed: &mut Handed<'_>) -> Result<(), Stop> {
    let meter = Arc::clone(&handed.budget.meter);
    match format {
        Format::Tar => tar::read(input, handed, &meter),
        Format::Cpio => cpio::read(input, handed, &meter),
        Format::Deb => deb::read(input, handed, &meter),
        Format::Rpm => rpm::read(input, handed, &meter),
        Format::Zip => Ok(()),
        Format::Gzip | Format::Xz | Format::Zstd | Format::Bzip2 => {
            let Some(packing) = packing_of(format) else { return Ok(()) };
            unpacked(Peeked::new(Given::new(packing.unpack(input), &meter)), handed)
        }
    }
}

/// What came out of a compressed stream: the members of a tar or cpio, for `x.tar.gz` is one
/// archive to those who look at it, or else one entry.
fn unpacked(mut content: Peeked<impl Read>, handed: &mut Handed<'_>) -> Result<(), Stop> {
    let meter = Arc::clone(&handed.budget.meter);
    match recognise(content.peek(PREFIX)) {
        Some(Format::Tar) => tar::read(&mut Streamed(content), handed, &meter),
        Some(Format::Cpio) => cpio::read(&mut Streamed(content), handed, &meter),
        _ => handed.file(b"", None, &mut content),
    }
}

/// Goes one archive deeper, reads, and tells what kept it from being read to its end.
fn opened(
    budget: &mut Budget,
    visit: &mut dyn Visit,
    read: impl FnOnce(&mut Handed<'_>, &Failure, Option<Arc<Meter>>) -> Result<(), Stop>,
) {
    if budget.is_spent() {
        return;
    }
    let limit = budget.limits().depth;
    if budget.depth >= limit {
        let detail = format!(
            "`filesystem.archives.depth` = {limit}: an archive in so many archives is not opened"
        );
        visit.gap(None, GapReason::LimitReached, detail);
        return;
    }
    let is_outermost = budget.depth == 0;
    let failure = Failure::default();
    let meter = is_outermost.then(|| Arc::clone(&budget.meter));
    budget.depth += 1;
    let result = read(&mut Handed { budget, visit, names: Names::default() }, &failure, meter);
    budget.depth -= 1;
    if let Some(limit) = budget.meter.hit() {
        // It ends what lies around this as well, and is told there.
        if is_outermost {
            visit.gap(None, GapReason::LimitReached, budget.meter.detail(limit));
        }
        return;
    }
    match (result, failure.told()) {
        (Ok(()) | Err(Stop::Enough), _) => {}
        (Err(_), Some(error)) if is_outermost => visit.gap(None, GapReason::ReadFailed, error),
        // The archive around this one tells why.
        (Err(_), Some(_)) => {}
        (Err(Stop::Failed(error)), None) => visit.gap(None, GapReason::Damaged, error.to_string()),
        (Err(Stop::Damaged(detail)), None) => visit.gap(None, GapReason::Damaged, detail),
        (Err(Stop::Limit), None) => {}
    }
}
