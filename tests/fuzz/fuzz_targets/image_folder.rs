//! Image layouts in a folder, whose files are in memory.
#![no_main]

use std::collections::BTreeMap;
use std::io::{Cursor, Result};

use libfuzzer_sys::fuzz_target;
use pki_containers::{Budget, ImageFiles, Source, image_folder};
use pkimm_fuzz::{Entries, SMALL, within};

/// Begins a file; the rest of the line is its path.
const MARK: &[u8] = b"=FILE=";

struct Memory<'i>(BTreeMap<String, &'i [u8]>);

impl ImageFiles for Memory<'_> {
    fn open(&mut self, path: &str) -> Result<Option<Box<dyn Source + '_>>> {
        Ok(self.0.get(path).map(|octets| Box::new(Cursor::new(*octets)) as Box<dyn Source>))
    }
}

fn files(input: &[u8]) -> Memory<'_> {
    let mut files = BTreeMap::new();
    let mut starts: Vec<usize> = Vec::new();
    for (at, window) in input.windows(MARK.len()).enumerate() {
        if window == MARK && starts.last().is_none_or(|last| at >= last + MARK.len()) {
            starts.push(at);
        }
    }
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(input.len());
        let part = &input[start + MARK.len()..end];
        let line = part.iter().position(|octet| *octet == b'\n').unwrap_or(part.len());
        let path = String::from_utf8_lossy(&part[..line]).into_owned();
        files.insert(path, part.get(line + 1..).unwrap_or_default());
    }
    Memory(files)
}

fuzz_target!(|input: &[u8]| {
    let mut files = files(input);
    let mut budget = Budget::new(SMALL);
    let read = image_folder(&mut files, &mut budget, &mut Entries::default());
    within(&budget);
    assert!(read.iter().all(|path| files.0.contains_key(path)), "{read:?}");
});
