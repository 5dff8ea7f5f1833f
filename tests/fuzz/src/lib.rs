//! What the fuzz targets share. A target feeds one reader with octets and holds it to what it
//! promises whatever they are: an end, no panic, bounds.

use std::ffi::OsString;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pki_containers::{Budget, Entry, Limits, Visit, open, open_stream, recognise};
use pki_encodings::Collected;
use pki_inventory::{GapReason, Inventory, Observation, Place, Sighting, Time, View};

/// Files what was found, as the pipeline does, so that it is parsed and joined as well.
pub fn file(found: Collected) {
    let mut inventory = Inventory::default();
    for (number, object) in found.objects.into_iter().enumerate() {
        let number = u32::try_from(number).expect("inputs are of a few kilobytes");
        let place = Place::file("/f").object(number);
        let mut sighting = Sighting::at(place, "filesystem", Time(1_700_000_000));
        sighting.circumstances.label = object.label;
        let _ = inventory.absorb(Observation::found(object.raw, sighting));
    }
    let view = View::of(&inventory);
    for asset in inventory.assets() {
        if let Some(certificate) = asset.certificate() {
            let _ = view.role(asset, certificate);
            let _ = view.issuers(certificate).count();
        }
    }
}

/// Limits that a few kilobytes can reach.
pub const SMALL: Limits = Limits { depth: 3, ratio: 50, octets: 4 << 20, entries: 200 };

/// Insists that a budget was kept. What is under way when it ends may still come.
pub fn within(budget: &Budget) {
    let limits = budget.limits();
    assert!(budget.octets() <= limits.octets + (1 << 20), "{} octets", budget.octets());
    assert!(budget.entries() <= limits.entries, "{} entries", budget.entries());
}

/// Reads every entry to its end and opens archives in archives, in both ways there are.
#[derive(Debug, Default)]
pub struct Entries {
    /// Entries seen so far.
    pub count: u64,
}

impl Visit for Entries {
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn Read,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        self.count += 1;
        assert!(!entry.name.starts_with(b"/"), "names have no way out");
        let mut octets = Vec::new();
        let _ = content.take(600).read_to_end(&mut octets);
        match recognise(&octets) {
            Some(format) if self.count % 2 == 0 => {
                open_stream(format, &mut octets.as_slice().chain(content), budget, self);
            }
            Some(format) => {
                let _ = content.read_to_end(&mut octets);
                open(format, &mut Cursor::new(octets), budget, self);
            }
            None => {
                let _ = std::io::copy(content, &mut std::io::sink());
            }
        }
        ControlFlow::Continue(())
    }

    fn gap(&mut self, _: Option<&[u8]>, _: GapReason, detail: String) {
        assert!(!detail.is_empty(), "a gap says why");
    }
}

/// A machine on which every file says the same: what a reader may ask for beside its own file.
#[derive(Debug)]
pub struct Beside<'a>(pub &'a [u8]);

impl pki_automation::Host for Beside<'_> {
    fn list(&self, folder: &Path) -> Vec<OsString> {
        // Not without an end: a folder in a folder in a folder.
        if folder.components().count() > 6 {
            return Vec::new();
        }
        ["a", "a.crt", "archive", "cert1.pem", "cert2.pem", "config"].map(OsString::from).into()
    }

    fn read(&self, _: &Path) -> Option<Vec<u8>> {
        Some(self.0.to_vec())
    }

    fn link(&self, path: &Path) -> Option<PathBuf> {
        Some(path.with_file_name("cert2.pem"))
    }
}

impl pki_configured::Files for Beside<'_> {
    fn read(&self, _: &Path) -> Option<Vec<u8>> {
        Some(self.0.to_vec())
    }

    fn matching(&self, _: &str) -> Vec<PathBuf> {
        ["/etc/x.d/a.conf", "/etc/x.d/b.conf"].map(PathBuf::from).into()
    }
}

/// Splits an input into a path by its first octet, the file of that path, and (behind the octet
/// 0xff, which no text holds) what every file beside it says. Seeds begin with a readable letter.
#[must_use]
pub fn by_name<'i>(
    input: &'i [u8],
    paths: &[&'static str],
) -> Option<(&'static Path, &'i [u8], &'i [u8])> {
    let (first, rest) = input.split_first()?;
    let path = Path::new(paths[usize::from(first.wrapping_sub(b'!')) % paths.len()]);
    let end = rest.iter().position(|octet| *octet == 0xff);
    let (own, beside) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
    Some((path, own, beside))
}
