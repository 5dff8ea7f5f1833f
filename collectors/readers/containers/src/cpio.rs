//! cpio in its `newc` form, as initial RAM disks (Linux, early-userspace/buffer-format) and RPM have
//! it, and RPM's form for large files.

use std::sync::Arc;

use pki_inventory::GapReason;

use crate::budget::{Given, Meter};
use crate::input::{Input, Lent, Part, Peeked, Streamed, fill, octets};
use crate::members::{Kind, Members, Stop, cleaned, shown};
use crate::packing::Packing;
use crate::rpm::Files;
use crate::tar::LONGEST_NAME;

const HEADER: usize = 110;

/// Whether a cpio begins here: the magic and thirteen numbers.
pub(crate) fn begins(prefix: &[u8]) -> bool {
    prefix.first_chunk::<HEADER>().is_some_and(|header| {
        (header.starts_with(b"070701") || header.starts_with(b"070702"))
            && header[6..].iter().all(u8::is_ascii_hexdigit)
    })
}

/// Hands out the members of one archive after the other. In an initial RAM disk the last one may be
/// compressed.
pub(crate) fn read(
    input: &mut dyn Input,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let mut input = Peeked::new(Lent(input));
    loop {
        archive(&mut input, members, None)?;
        while input.peek(1) == [0] {
            input.skip(1)?;
        }
        let prefix = input.peek(HEADER);
        if begins(prefix) {
            continue;
        }
        if prefix.is_empty() {
            // Tells what ended the looking, if it was a failure.
            fill(&mut input, &mut [0])?;
            return Ok(());
        }
        let Some(packing) = Packing::of(prefix) else {
            let detail = "something that is no cpio follows its end and was not read".to_owned();
            members.gap(None, GapReason::Damaged, detail);
            return Ok(());
        };
        let mut inner = Peeked::new(Given::new(packing.unpack(&mut input), meter));
        if !begins(inner.peek(HEADER)) {
            return members.file(b"", None, &mut inner);
        }
        return archive(&mut Streamed(inner), members, None);
    }
}

/// Hands out the members of one archive. `files` is what the header of an RPM says of them.
pub(crate) fn archive(
    input: &mut dyn Input,
    members: &mut dyn Members,
    files: Option<&Files>,
) -> Result<(), Stop> {
    let mut last = Vec::new();
    loop {
        let mut header = [0; HEADER];
        let start = fill(input, &mut header[..6])?;
        if start == 0 {
            // Without a trailer, but all there.
            return Ok(());
        }
        if &header[..6] == b"07070X" {
            stripped(input, members, files)?;
            continue;
        }
        let rest = fill(input, &mut header[6..])?;
        if start + rest < HEADER || !begins(&header) {
            return Err(Stop::Damaged(format!("no member begins after {}", shown(&last))));
        }
        let field = |number: usize| hexadecimal(&header[6 + number * 8..14 + number * 8]);
        let (mode, size, name_length) = (field(1), field(6), field(11));
        if name_length > LONGEST_NAME {
            return Err(Stop::Damaged(format!("the name after {} has no end", shown(&last))));
        }
        let mut name = octets(input, name_length)?;
        input.skip(padding(HEADER as u64 + name_length))?;
        name.truncate(name.iter().position(|octet| *octet == 0).unwrap_or(name.len()));
        if name == b"TRAILER!!!" {
            return Ok(());
        }
        last = cleaned(&name).to_vec();
        member(input, members, &last, mode, size)?;
    }
}

/// A member of which the header of the RPM says what it is (rpm, "Payload Format": stripped cpio).
fn stripped(
    input: &mut dyn Input,
    members: &mut dyn Members,
    files: Option<&Files>,
) -> Result<(), Stop> {
    let mut index = [0; 8];
    input.read_exact(&mut index)?;
    // Magic and index are 14 octets.
    input.skip(padding(14))?;
    let file = index.iter().all(u8::is_ascii_hexdigit).then(|| hexadecimal(&index));
    let file = file.and_then(|index| files?.file(index));
    let Some((name, mode, size)) = file else {
        return Err(Stop::Damaged("a file is not in the header of the package".to_owned()));
    };
    member(input, members, cleaned(&name), mode, size)
}

fn member(
    input: &mut dyn Input,
    members: &mut dyn Members,
    name: &[u8],
    mode: u64,
    size: u64,
) -> Result<(), Stop> {
    let broken =
        |error| Stop::Damaged(format!("{error}, in {}; the rest was not read", shown(name)));
    let late = padding(size);
    let mut part = Part { inner: &mut *input, left: size };
    let handed = match mode & 0o170_000 {
        0o100_000 => members.file(name, Some(size), &mut part),
        0o040_000 => members.other(name, Kind::Folder, b""),
        _ => members.other(name, Kind::Other, b""),
    };
    let left = part.left;
    match handed {
        Err(Stop::Failed(error)) => Err(broken(error)),
        Err(stop) => Err(stop),
        Ok(()) => input.skip(left.saturating_add(late)).map_err(broken),
    }
}

fn padding(length: u64) -> u64 {
    length.next_multiple_of(4) - length
}

/// Digits that were checked to be such.
fn hexadecimal(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| {
        value << 4 | u64::from(char::from(*digit).to_digit(16).unwrap_or(0))
    })
}
