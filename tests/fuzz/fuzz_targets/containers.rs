//! Archives, packages and images in one file.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use pki_containers::{Budget, Format, open, open_stream, recognise};
use pkimm_fuzz::{Entries, SMALL, within};

const FORMATS: [Format; 9] = [
    Format::Zip,
    Format::Tar,
    Format::Gzip,
    Format::Xz,
    Format::Zstd,
    Format::Bzip2,
    Format::Deb,
    Format::Rpm,
    Format::Cpio,
];

// What is none of them begins with a number: then it is read as one nevertheless.
fuzz_target!(|octets: &[u8]| {
    let recognised = recognise(&octets[..octets.len().min(600)]);
    let (format, octets) = match (recognised, octets.split_first()) {
        (Some(format), _) => (format, octets),
        (None, Some((number, rest))) => match FORMATS.get(usize::from(*number)) {
            Some(format) => (*format, rest),
            None => return,
        },
        (None, None) => return,
    };
    let mut budget = Budget::new(SMALL);
    open(format, &mut Cursor::new(octets), &mut budget, &mut Entries::default());
    within(&budget);
    let mut budget = Budget::new(SMALL);
    open_stream(format, &mut &*octets, &mut budget, &mut Entries::default());
    within(&budget);
});
