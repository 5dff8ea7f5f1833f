//! Archives, packages and images: what comes out of them is looked at like files.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::ops::ControlFlow;

use pki_containers::{Budget, Entry, Format, ImageFiles, Limits, Visit};
use pki_encodings::Report;
use pki_inventory::{GapReason, Place};

use super::content::{Eye, Look};
use super::reading::Reading;
use super::report::FileReport;
use crate::Context;

/// Opens an archive on disk. Returns how many octets of it were read, as far as that is known.
pub(super) fn file(
    eye: &mut Eye,
    look: &Look<'_>,
    format: Format,
    file: &mut File,
    report: &mut FileReport<'_>,
) -> io::Result<u64> {
    let size = file.metadata()?.len();
    file.rewind()?;
    let mut budget = Budget::new(limits(look.cx));
    let mut inside = Inside { eye, look, place: report.place(), report };
    pki_containers::open(format, file, &mut budget, &mut inside);
    Ok(size)
}

/// Goes through an image in a folder, and gives the parts of it that were read.
pub(super) fn image(
    eye: &mut Eye,
    look: &Look<'_>,
    files: &mut dyn ImageFiles,
    report: &mut FileReport<'_>,
) -> BTreeSet<String> {
    let mut budget = Budget::new(limits(look.cx));
    let mut inside = Inside { eye, look, place: report.place(), report };
    pki_containers::image_folder(files, &mut budget, &mut inside)
}

/// Opens an archive that comes out of another.
pub(super) fn entry(
    eye: &mut Eye,
    look: &Look<'_>,
    format: Format,
    content: &mut Reading<'_>,
    budget: &mut Budget,
    report: &mut FileReport<'_>,
) {
    let mut inside = Inside { eye, look, place: report.place(), report };
    pki_containers::open_stream(format, content, budget, &mut inside);
}

/// What goes through an archive: everything found in it is said of the entry it lies in.
struct Inside<'i, 'r> {
    eye: &'i mut Eye,
    look: &'i Look<'i>,
    /// The archive.
    place: Place,
    /// Its own report.
    report: &'i mut FileReport<'r>,
}

impl Inside<'_, '_> {
    /// Of several members of one name, all but the first have their number behind it.
    fn place_of(&self, entry: &Entry<'_>) -> Place {
        let layer = match entry.layer {
            Some(layer) => self.place.within(layer.digest.as_bytes()),
            None => self.place.clone(),
        };
        let place = if entry.name.is_empty() { layer } else { layer.within(entry.name) };
        match place {
            // Names hold no bare question mark: it is encoded.
            Place::File { path, object } if entry.repeat > 0 => {
                Place::File { path: format!("{path}?{}", u64::from(entry.repeat) + 1), object }
            }
            place => place,
        }
    }
}

impl Visit for Inside<'_, '_> {
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn Read,
        budget: &mut Budget,
    ) -> ControlFlow<()> {
        let look = *self.look;
        if look.cx.is_cancelled() {
            let detail = "the run was ended before all of it was read".to_owned();
            self.report.gap(GapReason::RunEnded, detail);
            return ControlFlow::Break(());
        }
        let facts = self.report.facts().cloned();
        // Only where something is found the place is needed.
        let place = self.place_of(entry);
        let layer = entry.layer.cloned().or_else(|| self.report.layer().cloned());
        let mut report = FileReport::inside(look.cx, look.out, place, facts, layer);
        // An entry that breaks off is a gap of the archive, which tells it itself.
        let _ = self.eye.entry(&look, entry.name, content, budget, &mut report);
        let secret = report.secret;
        match report.finish() {
            Ok(reported) => {
                self.report.contains(reported);
                if secret {
                    self.report.secret();
                }
                ControlFlow::Continue(())
            }
            Err(_) => {
                self.report.close();
                ControlFlow::Break(())
            }
        }
    }

    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String) {
        match name {
            None => self.report.gap(reason, detail),
            Some(name) => {
                let mut report = FileReport::inside(
                    self.look.cx,
                    self.look.out,
                    self.place.within(name),
                    None,
                    None,
                );
                report.gap(reason, detail);
                if let Ok(reported) = report.finish() {
                    self.report.contains(reported);
                }
            }
        }
    }
}

fn limits(cx: &Context) -> Limits {
    let archives = &cx.filesystem.archives;
    Limits {
        depth: archives.depth,
        ratio: archives.ratio,
        octets: archives.max_bytes,
        entries: archives.max_entries,
    }
}
