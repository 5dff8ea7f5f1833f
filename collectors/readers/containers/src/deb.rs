//! Packages of Debian: deb(5) in ar(5).

use std::io::Read;
use std::sync::Arc;

use pki_inventory::GapReason;

use crate::budget::{Given, Meter};
use crate::input::{Input, Part, Peeked, Streamed, fill};
use crate::members::{Kind, Members, Stop, Within, cleaned};
use crate::packing::Packing;
use crate::{PREFIX, tar};

/// A static library is an ar as well; a package begins with its version.
const BEGIN: &[u8] = b"!<arch>\ndebian-binary";

/// Whether a package begins here.
pub(crate) fn begins(prefix: &[u8]) -> bool {
    prefix.starts_with(BEGIN)
}

/// Hands out what the package installs under its names, and its control files below `DEBIAN`, which
/// is where dpkg-deb(1) puts them when it unpacks a package.
pub(crate) fn read(
    input: &mut dyn Input,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    input.skip(8)?;
    loop {
        let mut header = [0; 60];
        match fill(input, &mut header)? {
            0 => return Ok(()),
            60 if &header[58..] == b"`\n" => {}
            _ => return Err(Stop::Damaged("its next member does not begin".to_owned())),
        }
        let digits = header[48..58].trim_ascii_end();
        let size = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        let Some(size) = size else {
            return Err(Stop::Damaged("the size of a member is no size".to_owned()));
        };
        let name = cleaned(header[..16].trim_ascii_end());
        let mut part = Part { inner: &mut *input, left: size };
        if name.starts_with(b"data.tar") {
            packed(&mut part, name, members, meter)?;
        } else if name.starts_with(b"control.tar") {
            let mut within = Within { folder: b"DEBIAN/", members };
            packed(&mut part, name, &mut within, meter)?;
        } else {
            members.other(name, Kind::Other, b"")?;
        }
        let left = part.left;
        input.skip(left)?;
        // An odd member has an octet of padding, the last one not always.
        if size % 2 == 1 {
            fill(input, &mut [0])?;
        }
    }
}

/// A tar that may have been made smaller, the way its name or its content tells.
fn packed(
    part: &mut dyn Read,
    name: &[u8],
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    let mut packed = Peeked::new(part);
    let packing = match Packing::of(packed.peek(PREFIX)) {
        None if name.ends_with(b".lzma") => Some(Packing::Lzma),
        packing => packing,
    };
    let plain: Box<dyn Read + '_> = match packing {
        Some(packing) => packing.unpack(packed),
        None => Box::new(packed),
    };
    let mut plain = Peeked::new(Given::new(plain, meter));
    if tar::begins(plain.peek(PREFIX)) || plain.peek(1).is_empty() {
        return tar::read(&mut Streamed(plain), members, meter);
    }
    if plain.peek(1) == [0] {
        // Nothing but the end: an empty tar.
        return tar::read(&mut Streamed(plain), members, meter);
    }
    let detail = "this part of the package is packed in a way that is not read".to_owned();
    members.gap(Some(name), GapReason::FormatNotRead, detail);
    Ok(())
}
