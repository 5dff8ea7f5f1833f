//! What may come out of one file on disk, and what has come out so far.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// Before this many octets came out the ratio is not looked at: a small file of zeros is no bomb.
const UNJUDGED: u64 = 16 << 20;

/// How much may come out of one file on disk, whatever is packed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Archives inside of archives that are opened; 1 opens only the outermost.
    pub depth: u32,
    /// Octets out for each octet in, once more than 16 MiB came out.
    pub ratio: u64,
    /// Octets out in all.
    pub octets: u64,
    /// Entries in all, folders and links counted too.
    pub entries: u64,
}

/// What has come out of one file on disk so far, against its limits. Make one for each file and
/// hand it on to whatever is opened inside of it.
#[derive(Debug)]
pub struct Budget {
    /// How many archives are open around what is being read; 0 outside of all.
    pub(crate) depth: u32,
    pub(crate) meter: Arc<Meter>,
}

impl Budget {
    /// Nothing has come out yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { depth: 0, meter: Arc::new(Meter::new(limits)) }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.meter.limits
    }

    /// Octets that have come out so far.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.meter.given.load(Relaxed).saturating_add(self.meter.holes.load(Relaxed))
    }

    /// Entries that have come out so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.meter.entries.load(Relaxed)
    }

    /// Whether a limit ended the reading of this file. Nothing more comes out of it then.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.meter.hit().is_some()
    }
}

/// The counters. They are shared with the readers of contents, which count while the visitor holds
/// the budget.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) limits: Limits,
    taken: AtomicU64,
    /// The length of the file, where it can be gone back in: an octet that is read twice came in once.
    length: AtomicU64,
    given: AtomicU64,
    holes: AtomicU64,
    entries: AtomicU64,
    held: AtomicU64,
    hit: AtomicU8,
    /// Where what comes in is counted, if not here.
    source: Option<Arc<Meter>>,
}

/// A limit that ends everything that comes out of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Ratio,
    Octets,
    Entries,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        let [taken, given, holes, entries, held] = std::array::from_fn(|_| AtomicU64::new(0));
        let length = AtomicU64::new(u64::MAX);
        Self {
            limits,
            taken,
            length,
            given,
            holes,
            entries,
            held,
            hit: AtomicU8::new(0),
            source: None,
        }
    }

    /// For what is read beforehand: the same limits and the same octets in, and counters of its own
    /// for what comes out.
    pub(crate) fn aside(source: &Arc<Self>) -> Arc<Self> {
        let aside = Self::new(source.limits.clone());
        Arc::new(Self { source: Some(Arc::clone(source)), ..aside })
    }

    fn taken(&self) -> u64 {
        self.source.as_ref().map_or(&self.taken, |source| &source.taken).load(Relaxed)
    }

    /// Octets were read from the file on disk.
    pub(crate) fn take(&self, octets: usize) {
        let taken = add(&self.taken, octets as u64);
        self.taken.store(taken.min(self.length.load(Relaxed)), Relaxed);
    }

    /// The file on disk has this many octets, and no more can come in.
    pub(crate) fn set_length(&self, length: u64) {
        self.length.store(length, Relaxed);
    }

    /// Octets come out.
    pub(crate) fn give(&self, octets: usize) -> io::Result<()> {
        let given = add(&self.given, octets as u64);
        let taken = self.taken().max(1);
        if given > UNJUDGED && given > taken.saturating_mul(self.limits.ratio) {
            return Err(self.stop(Limit::Ratio));
        }
        self.in_all(given.saturating_add(self.holes.load(Relaxed)))
    }

    /// Zeros come out that a sparse file does not hold. A disk image of a terabyte with a megabyte
    /// in it is no bomb, so the ratio is not asked.
    pub(crate) fn give_hole(&self, octets: usize) -> io::Result<()> {
        let holes = add(&self.holes, octets as u64);
        self.in_all(holes.saturating_add(self.given.load(Relaxed)))
    }

    fn in_all(&self, octets: u64) -> io::Result<()> {
        if octets > self.limits.octets {
            return Err(self.stop(Limit::Octets));
        }
        Ok(())
    }

    /// One more entry.
    pub(crate) fn enter(&self) -> io::Result<()> {
        let entries = add(&self.entries, 1);
        if entries > self.limits.entries {
            self.entries.store(self.limits.entries, Relaxed);
            return Err(self.stop(Limit::Entries));
        }
        Ok(())
    }

    /// Sets aside memory for octets that must be held; `false` where that is more than `most` in
    /// all.
    pub(crate) fn hold(&self, octets: u64, most: u64) -> bool {
        let held = self.held.load(Relaxed).saturating_add(octets);
        if held > most {
            return false;
        }
        self.held.store(held, Relaxed);
        true
    }

    pub(crate) fn release(&self, octets: u64) {
        self.held.store(self.held.load(Relaxed).saturating_sub(octets), Relaxed);
    }

    fn stop(&self, limit: Limit) -> io::Error {
        let code = match limit {
            Limit::Ratio => 1,
            Limit::Octets => 2,
            Limit::Entries => 3,
        };
        // The first limit that is hit is the one that is told.
        let _ = self.hit.compare_exchange(0, code, Relaxed, Relaxed);
        io::Error::other("a limit was reached")
    }

    pub(crate) fn hit(&self) -> Option<Limit> {
        match self.hit.load(Relaxed) {
            1 => Some(Limit::Ratio),
            2 => Some(Limit::Octets),
            3 => Some(Limit::Entries),
            _ => None,
        }
    }

    /// Which limit was reached, and what was read until then.
    pub(crate) fn detail(&self, limit: Limit) -> String {
        let (setting, value) = match limit {
            Limit::Ratio => ("ratio", self.limits.ratio),
            Limit::Octets => ("max_bytes", self.limits.octets),
            Limit::Entries => ("max_entries", self.limits.entries),
        };
        let octets = self.given.load(Relaxed).saturating_add(self.holes.load(Relaxed));
        let (entries, taken) = (self.entries.load(Relaxed), self.taken());
        format!(
            "`filesystem.archives.{setting}` = {value} was reached after {entries} entries and \
             {octets} octets that came out of {taken}; the rest was not read"
        )
    }
}

fn add(counter: &AtomicU64, more: u64) -> u64 {
    // One thread reads one file: load and store cannot lose anything, and cannot overflow.
    let sum = counter.load(Relaxed).saturating_add(more);
    counter.store(sum, Relaxed);
    sum
}

/// Counts what comes out.
pub(crate) struct Given<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: Read> Given<R> {
    pub(crate) fn new(inner: R, meter: &Arc<Meter>) -> Self {
        Self { inner, meter: Arc::clone(meter) }
    }
}

impl<R> Given<R> {
    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }
}

impl<R: Read> Read for Given<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.meter.hit().is_some() {
            return Err(io::Error::other("a limit was reached"));
        }
        let read = self.inner.read(buffer)?;
        self.meter.give(read)?;
        Ok(read)
    }
}
