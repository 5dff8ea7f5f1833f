//! Container images: archives of `docker save` and OCI image layouts, layer by layer.
//!
//! The layers are gone through from the top down. What a layer says about names is remembered, so
//! that for each file of a lower layer it is known what became of it.

mod layers;
mod plan;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::Arc;

use pki_inventory::GapReason;

use crate::budget::{Given, Meter};
use crate::input::{Failure, Input, Lent, Peeked, Sought, Streamed, Tap, octets};
use crate::members::{Handed, Kind, Members, Stop};
use crate::packing::Packing;
use crate::{Budget, PREFIX, Source, Visit, tar};
use layers::{LayerMembers, Marks, Noting, split};
use plan::{LONGEST_MANIFEST, Plan};

type Octets<'a> = Tap<'a, dyn Source + 'a>;

/// The files of an image layout in a folder.
pub trait ImageFiles {
    /// Opens a file by its path below the folder, such as `blobs/sha256/…`; `None` where there is
    /// none. The path never leads out of the folder by its words; links are for the caller to mind.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be opened.
    fn open(&mut self, path: &str) -> io::Result<Option<Box<dyn Source + '_>>>;
}

/// Goes through the images of a folder that holds an OCI image layout (a file `oci-layout`), layer
/// by layer, and tells which files of it were read: the others are for the caller.
///
/// The folder counts as one archive.
pub fn image_folder(
    files: &mut dyn ImageFiles,
    budget: &mut Budget,
    visit: &mut dyn Visit,
) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    crate::opened(budget, visit, |handed, failure, meter| {
        folder(files, handed, failure, meter, &mut read)
    });
    read
}

fn folder(
    files: &mut dyn ImageFiles,
    handed: &mut Handed<'_>,
    failure: &Failure,
    meter: Option<Arc<Meter>>,
    read: &mut BTreeSet<String>,
) -> Result<(), Stop> {
    let mut too_large = Vec::new();
    let mut unread = Vec::new();
    let plan = Plan::of(
        &mut |path| match files.open(path) {
            Ok(Some(mut file)) => {
                manifest(&mut Tap::on(&mut *file, meter.clone(), failure), path, &mut too_large)
            }
            Ok(None) => Ok(None),
            Err(error) => {
                unread.push((path.to_owned(), error.to_string()));
                Ok(None)
            }
        },
        &str::to_owned,
    );
    let mut plan = plan?;
    for (path, error) in unread {
        handed.gap(Some(path.as_bytes()), GapReason::ReadFailed, error);
    }
    for path in std::mem::take(&mut plan.read) {
        if let Ok(Some(mut file)) = files.open(&path) {
            let length = file.seek(SeekFrom::End(0))?;
            file.rewind()?;
            let tap = Tap::on(&mut *file, meter.clone(), failure);
            handed.file(
                path.as_bytes(),
                Some(length),
                &mut Given::new(tap, &handed_meter(handed)),
            )?;
            read.insert(path);
        }
    }
    let mut marks = Marks::new();
    for number in plan.top_down() {
        let path = plan.layers[number].path.clone();
        match files.open(&path) {
            Ok(Some(mut file)) => {
                let length = file.seek(SeekFrom::End(0))?;
                file.rewind()?;
                let tap = Tap::on(&mut *file, meter.clone(), failure);
                let mut input = Sought::new(tap, length, None);
                one_layer(&mut input, length, number, &plan, &mut marks, handed, failure)?;
                read.insert(path);
            }
            Ok(None) => plan.miss(&path),
            Err(error) => {
                handed.gap(Some(path.as_bytes()), GapReason::ReadFailed, error.to_string());
            }
        }
    }
    tell(&plan, &marks, &too_large, handed);
    Ok(())
}

/// Goes through the images of a tar; `false` where it is no such archive, and nothing was handed
/// out.
pub(crate) fn in_tar(
    mut input: Octets<'_>,
    length: u64,
    handed: &mut Handed<'_>,
    failure: &Failure,
) -> Result<bool, Stop> {
    input.rewind()?;
    let mut sought = Sought::new(input.again(), length, None);
    let mut index = Index { position: Some(sought.passed()), ..Index::default() };
    let result = tar::read(&mut sought, &mut index, &idle(handed));
    drop(sought);
    if index.is_other || index.members.is_empty() || !index.has_manifest() {
        return Ok(false);
    }
    let by_name = index.by_name();
    let mut too_large = Vec::new();
    let mut plan = Plan::of(
        &mut |path| match by_name.get(path.as_bytes()) {
            Some(member) => manifest(
                &mut Slice::new(input.again(), &index.members[*member]),
                path,
                &mut too_large,
            ),
            None => Ok(None),
        },
        &|path| index.resolve(path),
    )?;
    if !plan.names_any(|path| by_name.contains_key(path.as_bytes())) {
        return Ok(false);
    }
    let is_layer: BTreeSet<usize> = plan
        .layers
        .iter()
        .filter_map(|layer| by_name.get(layer.path.as_bytes()).copied())
        .collect();
    for (_, member) in index.members.iter().enumerate().filter(|(at, _)| !is_layer.contains(at)) {
        let slice = Slice::new(input.again(), member);
        let meter = handed_meter(handed);
        handed.file(&member.name, Some(member.length), &mut Given::new(slice, &meter))?;
    }
    let mut marks = Marks::new();
    for number in plan.top_down() {
        let path = plan.layers[number].path.clone();
        let Some(member) = by_name.get(path.as_bytes()) else {
            plan.miss(&path);
            continue;
        };
        let mut slice = Slice::new(input.again(), &index.members[*member]);
        let length = slice.length;
        let quiet = Failure::default();
        let mut sought = Sought::new(Tap::on(&mut slice, None, &quiet), length, None);
        one_layer(&mut sought, length, number, &plan, &mut marks, handed, failure)?;
    }
    tell(&plan, &marks, &too_large, handed);
    match result {
        // The index is only left early where this is no image.
        Err(Stop::Enough) | Ok(()) => Ok(true),
        Err(stop) => Err(stop),
    }
}

/// The same for a tar that was made smaller. It cannot be gone back in, so it is unpacked three
/// times: for the manifests, for what the layers do, and for the files.
pub(crate) fn in_packed(
    packing: Packing,
    mut input: Octets<'_>,
    handed: &mut Handed<'_>,
) -> Result<bool, Stop> {
    let meter = idle(handed);
    let mut index = Index { keeps: true, ..Index::default() };
    input.rewind()?;
    let unpacked = Given::new(packing.unpack(input.again()), &meter);
    // What is wrong with it is told when it is read for good.
    let _ = tar::read(&mut Streamed(unpacked), &mut index, &meter);
    if index.is_other || meter.hit().is_some() || !index.has_manifest() {
        return Ok(false);
    }
    let by_name = index.by_name();
    let mut plan = Plan::of(
        &mut |path| {
            let member = by_name.get(path.as_bytes()).map(|member| &index.members[*member]);
            Ok(member.and_then(|member| member.content.clone()))
        },
        &|path| index.resolve(path),
    )?;
    if !plan.names_any(|path| by_name.contains_key(path.as_bytes())) {
        return Ok(false);
    }
    for number in 0..plan.layers.len() {
        let path = plan.layers[number].path.clone();
        if !by_name.contains_key(path.as_bytes()) {
            plan.miss(&path);
        }
    }
    let mut marks = Marks::new();
    {
        input.rewind()?;
        let meter = idle(handed);
        let unpacked = Given::new(packing.unpack(input.again()), &meter);
        let mut noting = Packed { plan: &plan, marks: &mut marks, handed: None, meter: &meter };
        let _ = tar::read(&mut Streamed(unpacked), &mut noting, &meter);
        if meter.hit().is_some() {
            return Ok(false);
        }
    }
    input.rewind()?;
    let meter = handed_meter(handed);
    let unpacked = Given::new(packing.unpack(input), &meter);
    let mut packed =
        Packed { plan: &plan, marks: &mut marks, handed: Some(&mut *handed), meter: &meter };
    let result = tar::read(&mut Streamed(unpacked), &mut packed, &meter);
    tell(&plan, &marks, &[], handed);
    result.map(|()| true)
}

/// Goes through the members of an image archive in the order they come.
struct Packed<'a, 'h> {
    plan: &'a Plan,
    marks: &'a mut Marks,
    /// To whom; nobody while it is only noted what the layers do.
    handed: Option<&'a mut Handed<'h>>,
    meter: &'a Arc<Meter>,
}

impl Members for Packed<'_, '_> {
    fn file(&mut self, name: &[u8], size: Option<u64>, content: &mut dyn Read) -> Result<(), Stop> {
        let layer = self.plan.layer(name);
        match (layer, &mut self.handed) {
            (None, None) => Ok(()),
            (None, Some(handed)) => handed.file(name, size, content),
            (Some(layer), None) => {
                let mut noting = Noting { marks: self.marks, layer };
                // What is wrong with it is told when it is read for good.
                let _ = unpack_layer(&mut Streamed(content), &mut noting, self.meter);
                Ok(())
            }
            (Some(layer), Some(handed)) => {
                let mut members = LayerMembers::new(handed, self.marks, self.plan, layer, false);
                let result = unpack_layer(&mut Streamed(content), &mut members, self.meter);
                layer_told(result, name, size, handed)
            }
        }
    }

    fn other(&mut self, name: &[u8], kind: Kind, target: &[u8]) -> Result<(), Stop> {
        self.handed.as_mut().map_or(Ok(()), |handed| handed.other(name, kind, target))
    }

    fn gap(&mut self, name: Option<&[u8]>, reason: GapReason, detail: String) {
        if let Some(handed) = &mut self.handed {
            handed.gap(name, reason, detail);
        }
    }
}

/// How a layer turned out.
enum Layered {
    Read,
    /// It is no tar: a signature, a chart or a statement about the image.
    Other,
}

fn unpack_layer(
    input: &mut dyn Input,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<Layered, Stop> {
    let mut packed = Peeked::new(Lent(input));
    let prefix = packed.peek(PREFIX);
    if is_tar(prefix) {
        return tar::read(&mut Counting { inner: packed, meter }, members, meter)
            .map(|()| Layered::Read);
    }
    let Some(packing) = Packing::of(prefix) else { return Ok(Layered::Other) };
    let mut plain = Peeked::new(Given::new(packing.unpack(packed), meter));
    if !is_tar(plain.peek(PREFIX)) {
        return Ok(Layered::Other);
    }
    tar::read(&mut Streamed(plain), members, meter).map(|()| Layered::Read)
}

/// A tar, or the end of one alone, as of a layer without files.
fn is_tar(prefix: &[u8]) -> bool {
    tar::begins(prefix) || prefix.len() == PREFIX && prefix.iter().all(|octet| *octet == 0)
}

/// Counts what is read, while what is passed over stays passed over.
struct Counting<'m, I> {
    inner: I,
    meter: &'m Arc<Meter>,
}

impl<I: Input> Read for Counting<'_, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.give(read)?;
        Ok(read)
    }
}

impl<I: Input> Input for Counting<'_, I> {
    fn skip(&mut self, octets: u64) -> io::Result<()> {
        self.inner.skip(octets)
    }
}

fn one_layer(
    input: &mut Sought<'_>,
    length: u64,
    number: usize,
    plan: &Plan,
    marks: &mut Marks,
    handed: &mut Handed<'_>,
    failure: &Failure,
) -> Result<(), Stop> {
    let layer = &plan.layers[number];
    let meter = handed_meter(handed);
    let result = {
        let mut members = LayerMembers::new(handed, marks, plan, layer, true);
        unpack_layer(input, &mut members, &meter)
    };
    if let (Err(Stop::Failed(_) | Stop::Damaged(_)), Some(error)) = (&result, failure.told()) {
        return Err(Stop::Failed(io::Error::other(error)));
    }
    if let Ok(Layered::Other) = result {
        // From its beginning again.
        input.back()?;
        let mut content = Given::new(input, &meter);
        return handed.file(layer.path.as_bytes(), Some(length), &mut content);
    }
    layer_told(result, layer.path.as_bytes(), Some(length), handed)
}

/// A layer that is damaged does not keep the others from being read.
fn layer_told(
    result: Result<Layered, Stop>,
    path: &[u8],
    size: Option<u64>,
    handed: &mut Handed<'_>,
) -> Result<(), Stop> {
    let detail = match result {
        Ok(Layered::Read) => return Ok(()),
        Ok(Layered::Other) => {
            let size = size.map_or_else(String::new, |size| format!(" of {size} octets"));
            let detail = format!("a layer{size} that is no tar, in an image that is compressed");
            handed.gap(Some(path), GapReason::FormatNotRead, detail);
            return Ok(());
        }
        Err(Stop::Failed(error)) if !handed.budget.is_spent() => error.to_string(),
        Err(Stop::Damaged(detail)) if !handed.budget.is_spent() => detail,
        Err(Stop::Failed(_) | Stop::Damaged(_)) => return Err(Stop::Limit),
        Err(stop) => return Err(stop),
    };
    handed.gap(Some(path), GapReason::Damaged, detail);
    Ok(())
}

fn tell(plan: &Plan, marks: &Marks, too_large: &[String], handed: &mut Handed<'_>) {
    for path in too_large {
        let detail = "a manifest of more than 16 MiB".to_owned();
        handed.gap(Some(path.as_bytes()), GapReason::TooLarge, detail);
    }
    for (path, error) in &plan.wrong {
        handed.gap(Some(path.as_bytes()), GapReason::Damaged, error.clone());
    }
    if plan.missing.0 > 0 {
        let (count, first) = &plan.missing;
        let detail = format!(
            "its manifests name {count} files that it does not hold, as of other platforms; the \
             first one is {}",
            crate::members::shown(first.as_bytes())
        );
        handed.gap(None, GapReason::Damaged, detail);
    }
    if plan.is_cut {
        let detail = "it names more images or layers than are read layer by layer".to_owned();
        handed.gap(None, GapReason::TooLarge, detail);
    }
    if marks.is_full {
        let detail = "it has so many files that it is not known of all of them whether an upper \
                      layer deletes or replaces them"
            .to_owned();
        handed.gap(None, GapReason::TooLarge, detail);
    }
}

/// A small file in memory.
fn manifest(
    input: &mut dyn Read,
    path: &str,
    too_large: &mut Vec<String>,
) -> io::Result<Option<Vec<u8>>> {
    let mut octets = Vec::new();
    input.take(LONGEST_MANIFEST + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > LONGEST_MANIFEST {
        too_large.push(path.to_owned());
        return Ok(None);
    }
    Ok(Some(octets))
}

/// Counts what is read beforehand.
fn idle(handed: &Handed<'_>) -> Arc<Meter> {
    Meter::aside(&handed.budget.meter)
}

fn handed_meter(handed: &Handed<'_>) -> Arc<Meter> {
    Arc::clone(&handed.budget.meter)
}

/// Members of an archive of images. Others have more.
const MEMBERS: usize = 1 << 16;
/// Those of them that are not named by a digest and are none of the manifests. Jib and others have
/// about one for each layer.
const OTHERS: usize = 1024;
/// Of a path in such an archive; those that programs write have less than 200 octets.
const LONGEST_PATH: usize = 1024;

/// What lies where in a tar, as long as it looks like an archive of images.
#[derive(Default)]
struct Index {
    members: Vec<Stored>,
    links: BTreeMap<Vec<u8>, Vec<u8>>,
    is_other: bool,
    /// Members with other names than programs of today give them.
    others: usize,
    /// How far the tar was read, where it can be gone back in.
    position: Option<Rc<Cell<u64>>>,
    /// Keep what may be a manifest.
    keeps: bool,
    kept: u64,
}

struct Stored {
    name: Vec<u8>,
    offset: u64,
    length: u64,
    content: Option<Vec<u8>>,
}

/// Whether a path is one that the well-known programs write into archives of images. That decides
/// nothing but how long it is worth looking for a manifest.
fn is_like(name: &[u8]) -> bool {
    let first = name.split(|octet| *octet == b'/').next().unwrap_or_default();
    let first = first.strip_prefix(b"sha256:").unwrap_or(first);
    let names: [&[u8]; 6] =
        [b"", b"blobs", b"oci-layout", b"index.json", b"manifest.json", b"repositories"];
    let digits = first.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
    names.contains(&first) || digits >= 32
}

/// Whether a compressed tar with such a path may be an archive of images: to find out it has to be
/// unpacked once more. Nearly all other archives have a folder soon.
fn is_flat(name: &[u8]) -> bool {
    !name.contains(&b'/') || is_like(name)
}

/// Whether a tar that begins like this may be an archive of images.
pub(crate) fn may_be(prefix: &[u8]) -> bool {
    tar::first_name(prefix).is_none_or(|name| is_flat(crate::members::cleaned(&name)))
}

impl Index {
    fn check(&mut self, name: &[u8]) -> Result<(), Stop> {
        let count = self.members.len() + self.links.len();
        self.others += usize::from(!is_like(name));
        // What is kept on the way was unpacked for it.
        let is_worth_it = self.others <= OTHERS && (!self.keeps || is_flat(name));
        if is_worth_it && count < MEMBERS && name.len() <= LONGEST_PATH {
            return Ok(());
        }
        self.is_other = true;
        Err(Stop::Enough)
    }

    fn has_manifest(&self) -> bool {
        let manifests: [&[u8]; 2] = [b"manifest.json", b"index.json"];
        self.members.iter().any(|member| manifests.contains(&member.name.as_slice()))
    }

    fn by_name(&self) -> BTreeMap<&[u8], usize> {
        self.members.iter().enumerate().map(|(at, member)| (member.name.as_slice(), at)).collect()
    }

    /// Follows links, a few of them.
    fn resolve(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let Some(target) = self.links.get(path.as_bytes()) else { break };
            let Ok(target) = std::str::from_utf8(target) else { break };
            let folder = split(path.as_bytes()).0;
            let folder = String::from_utf8_lossy(folder).into_owned();
            let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in target.split('/') {
                match part {
                    "" | "." => {}
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            path = parts.join("/");
        }
        path
    }
}

impl Members for Index {
    fn file(&mut self, name: &[u8], size: Option<u64>, content: &mut dyn Read) -> Result<(), Stop> {
        self.check(name)?;
        let offset = self.position.as_ref().map_or(0, |position| position.get());
        let length = size.unwrap_or(0);
        let mut kept = None;
        if self.keeps && self.kept.saturating_add(length) <= LONGEST_MANIFEST {
            let first = octets(content, length.min(1))?;
            // Manifests and configurations are objects and arrays; layers are neither.
            if first == b"{" || first == b"[" {
                let rest = octets(content, length - 1)?;
                self.kept += length;
                kept = Some([first, rest].concat());
            }
        }
        self.members.push(Stored { name: name.to_vec(), offset, length, content: kept });
        Ok(())
    }

    fn has_holes(&mut self) {
        // Its octets do not lie one after the other.
        self.is_other = true;
    }

    fn other(&mut self, name: &[u8], kind: Kind, target: &[u8]) -> Result<(), Stop> {
        self.check(name)?;
        if kind == Kind::Other {
            self.links.insert(name.to_vec(), target[..target.len().min(LONGEST_PATH)].to_vec());
        }
        Ok(())
    }

    fn gap(&mut self, _: Option<&[u8]>, _: GapReason, _: String) {}
}

/// A member of a tar that can be gone back in.
struct Slice<'a> {
    inner: Octets<'a>,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a> Slice<'a> {
    fn new(inner: Octets<'a>, member: &Stored) -> Self {
        Self { inner, start: member.offset, length: member.length, at: 0 }
    }
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        self.inner.seek(SeekFrom::Start(self.start.saturating_add(self.at)))?;
        let read = self.inner.read(&mut buffer[..most])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Slice<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(step) => self.length.checked_add_signed(step),
            SeekFrom::Current(step) => self.at.checked_add_signed(step),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
