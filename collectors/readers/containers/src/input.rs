//! Reading forwards, and passing over.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::Arc;

use crate::Source;
use crate::budget::Meter;

/// What is read at a time.
pub(crate) const CHUNK: usize = 64 << 10;

/// Octets read once from the beginning to the end.
pub(crate) trait Input: Read {
    /// Passes over octets.
    ///
    /// # Errors
    ///
    /// When there are not as many, too.
    fn skip(&mut self, octets: u64) -> io::Result<()>;
}

/// Passes over by reading.
pub(crate) struct Streamed<R>(pub(crate) R);

impl<R: Read> Read for Streamed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Input for Streamed<R> {
    fn skip(&mut self, octets: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.0.by_ref().take(octets), &mut io::sink())?;
        if passed < octets { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// Passes over by going on in a source from where it stands.
pub(crate) struct Sought<'a> {
    inner: BufReader<Tap<'a, dyn Source + 'a>>,
    /// Who counts what is read of it as coming out, where it is not unpacked first.
    meter: Option<Arc<Meter>>,
    left: u64,
    passed: Rc<Cell<u64>>,
}

impl<'a> Sought<'a> {
    /// This many octets from where the source stands.
    pub(crate) fn new(tap: Tap<'a, dyn Source + 'a>, left: u64, meter: Option<Arc<Meter>>) -> Self {
        let inner = BufReader::with_capacity(CHUNK, tap);
        Self { inner, meter, left, passed: Rc::default() }
    }

    /// Goes back to where it began.
    pub(crate) fn back(&mut self) -> io::Result<()> {
        let passed = self.passed.replace(0);
        let step = i64::try_from(passed).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.left += passed;
        self.inner.seek_relative(-step)
    }

    /// How far it is read, for who has lent it.
    pub(crate) fn passed(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.passed)
    }
}

impl Read for Sought<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        if let Some(meter) = &self.meter {
            meter.give(read)?;
        }
        self.left -= read as u64;
        self.passed.set(self.passed.get() + read as u64);
        Ok(read)
    }
}

impl Input for Sought<'_> {
    fn skip(&mut self, octets: u64) -> io::Result<()> {
        if octets > self.left {
            self.left = 0;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let step = i64::try_from(octets).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.inner.seek_relative(step)?;
        self.left -= octets;
        self.passed.set(self.passed.get() + octets);
        Ok(())
    }
}

/// Why reading what lies beneath an archive failed, if it did. That is told where the octets come
/// from and not once more by all that was being made of them.
#[derive(Clone, Default)]
pub(crate) struct Failure(Rc<RefCell<Option<String>>>);

impl Failure {
    pub(crate) fn told(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            *self.0.borrow_mut() = Some(error.to_string());
        }
        result
    }
}

/// Notes failures of the source, and counts what is read of it where it is the file on disk.
pub(crate) struct Tap<'a, R: ?Sized> {
    inner: &'a mut R,
    meter: Option<Arc<Meter>>,
    failure: Failure,
}

impl<'a, R: ?Sized> Tap<'a, R> {
    pub(crate) fn new(inner: &'a mut R, meter: Option<Arc<Meter>>, failure: &Failure) -> Self {
        Self { inner, meter, failure: failure.clone() }
    }
}

impl<'a> Tap<'a, dyn Source + 'a> {
    /// On a source that can be gone back in.
    pub(crate) fn on(
        inner: &'a mut (dyn Source + 'a),
        meter: Option<Arc<Meter>>,
        failure: &Failure,
    ) -> Self {
        Self::new(inner, meter, failure)
    }

    /// The same for a while.
    pub(crate) fn again(&mut self) -> Tap<'_, dyn Source + '_> {
        Tap { inner: &mut *self.inner, meter: self.meter.clone(), failure: self.failure.clone() }
    }
}

impl<R: Read + ?Sized> Read for Tap<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.failure.note(self.inner.read(buffer))?;
        if let Some(meter) = &self.meter {
            meter.take(read);
        }
        Ok(read)
    }
}

impl<R: Seek + ?Sized> Seek for Tap<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.failure.note(self.inner.seek(to))
    }
}

/// A reader whose first octets were looked at.
pub(crate) struct Peeked<R> {
    inner: R,
    first: Vec<u8>,
    at: usize,
    /// What ended the looking; told once the first octets are gone.
    error: Option<io::Error>,
}

impl<R: Read> Peeked<R> {
    /// Nothing was looked at yet.
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, first: Vec::new(), at: 0, error: None }
    }

    /// The next octets, as many as asked for or as there are.
    pub(crate) fn peek(&mut self, octets: usize) -> &[u8] {
        self.first.drain(..self.at);
        self.at = 0;
        while self.first.len() < octets && self.error.is_none() {
            let filled = self.first.len();
            self.first.resize(octets, 0);
            let read = self.inner.read(&mut self.first[filled..]);
            self.first.truncate(filled + read.as_ref().map_or(0, |read| *read));
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.error = Some(error),
            }
        }
        &self.first[..self.first.len().min(octets)]
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = &self.first[self.at..];
        if !ready.is_empty() {
            let read = ready.read(buffer)?;
            self.at += read;
            return Ok(read);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.inner.read(buffer),
        }
    }
}

impl<R: Input> Input for Peeked<R> {
    fn skip(&mut self, octets: u64) -> io::Result<()> {
        let ready = (self.first.len() - self.at) as u64;
        let here = ready.min(octets);
        // It is at most the length of what was looked at.
        self.at += usize::try_from(here).expect("a part of a length in memory");
        match self.error.take() {
            Some(error) if octets > here => Err(error),
            error => {
                self.error = error;
                self.inner.skip(octets - here)
            }
        }
    }
}

/// Fills as much of the buffer as there is; how much that was.
pub(crate) fn fill(input: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Exactly this many octets in memory. They are taken as they come: what a length promises is not
/// set aside before.
pub(crate) fn octets(input: &mut (impl Read + ?Sized), length: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let read = input.take(length).read_to_end(&mut octets)?;
    if (read as u64) < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(octets) }
}

/// The next part of an input, that must be there in full.
pub(crate) struct Part<'a, R: ?Sized> {
    pub(crate) inner: &'a mut R,
    pub(crate) left: u64,
}

impl<R: Read + ?Sized> Read for Part<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// An input that is only lent.
pub(crate) struct Lent<'a>(pub(crate) &'a mut dyn Input);

impl Read for Lent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Input for Lent<'_> {
    fn skip(&mut self, octets: u64) -> io::Result<()> {
        self.0.skip(octets)
    }
}
