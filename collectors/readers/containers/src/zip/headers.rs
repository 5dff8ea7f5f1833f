//! An archive that lost its directory: member by member, as far as their own headers lead.

use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::sync::Arc;

use flate2::bufread::DeflateDecoder;
use pki_inventory::GapReason;

use super::directory::{Member, read_at};
use super::{Checked, Octets, Unread, four, is_method, two, unpacked};
use crate::budget::{Given, Meter};
use crate::input::CHUNK;
use crate::members::{Kind, Members, Stop, cleaned, shown};

pub(super) fn read(
    mut input: Octets<'_>,
    length: u64,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let mut at = 0;
    let start = read_at(&mut input, 0, 4)?;
    if start == b"PK\x07\x08" || start == b"PK00" {
        at = 4;
    }
    let mut unread = Unread::default();
    let mut last = Vec::new();
    let result = loop {
        let Some((member, start)) = header(&mut input, at)? else { break Ok(()) };
        last = cleaned(&member.name).to_vec();
        match content(&mut input, &member, start, members, meter, &mut unread) {
            Ok(Some(next)) if next <= length => at = next,
            Ok(_) => break Ok(()),
            Err(stop) => break Err(stop),
        }
    };
    unread.tell(members);
    result?;
    Err(Stop::Damaged(format!(
        "its directory is missing, as when it was cut off; read up to {}",
        shown(&last)
    )))
}

/// A member by its own header (APPNOTE, 4.3.7), and where its data begin.
fn header(input: &mut Octets<'_>, at: u64) -> Result<Option<(Member, u64)>, Stop> {
    let header = read_at(input, at, 30)?;
    if header.len() < 30 || !header.starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    let [name, further] = [26, 28].map(|at| u64::from(two(&header[at..])));
    let mut member = Member {
        name: read_at(input, at + 30, name)?,
        flags: two(&header[6..]),
        method: two(&header[8..]),
        sum: four(&header[14..]),
        packed: u64::from(four(&header[18..])),
        size: u64::from(four(&header[22..])),
        offset: at,
        is_link: false,
    };
    let fields = read_at(input, at + 30 + name, further)?;
    member.widen(&fields);
    Ok(Some((member, at + 30 + name + further)))
}

/// Hands out the content; where the next member begins, if that can be told.
fn content(
    input: &mut Octets<'_>,
    member: &Member,
    start: u64,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
    unread: &mut Unread,
) -> Result<Option<u64>, Stop> {
    let name = cleaned(&member.name);
    input.seek(SeekFrom::Start(start))?;
    // Bit 3: length and sum follow the data (APPNOTE, 4.3.9). Deflate knows its own end.
    let follows = member.flags & 8 != 0 && member.packed == 0;
    let next = (!follows).then(|| start.saturating_add(member.packed));
    if member.is_encrypted() || !is_method(member.method) {
        let count = if member.is_encrypted() { &mut unread.encrypted } else { &mut unread.method };
        if count.0 == 0 {
            (count.1, unread.number) = (name.to_vec(), member.method);
        }
        count.0 += 1;
        members.other(name, Kind::Other, b"")?;
        return Ok(next);
    }
    if member.name.ends_with(b"/") {
        members.other(name, Kind::Folder, b"")?;
        return if follows { after(input, start) } else { Ok(next) };
    }
    if !follows {
        let packed = BufReader::with_capacity(CHUNK, input.again().take(member.packed));
        let inner = Given::new(unpacked(member.method, packed), meter);
        let handed = members.file(name, Some(member.size), &mut Checked::new(inner, Some(member)));
        return told(handed, name, members).map(|()| next);
    }
    if member.method != 8 {
        // Only where nothing is stored is its end known.
        let next = after(input, start)?;
        let handed = match next {
            Some(_) => members.file(name, Some(0), &mut std::io::empty()),
            None => members.other(name, Kind::Other, b""),
        };
        return handed.map(|()| next);
    }
    let packed = BufReader::with_capacity(CHUNK, input.again());
    let mut inner = Given::new(DeflateDecoder::new(packed), meter);
    let handed = members.file(name, None, &mut Checked::new(&mut inner, None));
    let read = std::io::copy(&mut inner, &mut std::io::sink());
    let packed = inner.get_mut().total_in();
    if meter.hit().is_some() {
        return Err(Stop::Limit);
    }
    told(handed, name, members)?;
    if read.is_err() {
        return Ok(None);
    }
    after(input, start.saturating_add(packed))
}

/// The header behind length and sum: with or without a mark, in four or in eight octets, or not
/// there at all, as with some folders.
fn after(input: &mut Octets<'_>, end: u64) -> Result<Option<u64>, Stop> {
    for length in [16, 12, 24, 20, 0] {
        let next = end.saturating_add(length);
        let mark = read_at(input, next, 4)?;
        if mark == b"PK\x03\x04" || mark == b"PK\x01\x02" {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

fn told(result: Result<(), Stop>, name: &[u8], members: &mut dyn Members) -> Result<(), Stop> {
    match result {
        Err(Stop::Failed(error)) => {
            members.gap(Some(name), GapReason::Damaged, error.to_string());
            Ok(())
        }
        other => other,
    }
}
