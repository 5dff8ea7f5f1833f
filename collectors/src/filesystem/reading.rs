//! Octets that are pushed through a buffer, from a file or from an archive.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::os::unix::fs::FileExt as _;

use zeroize::{Zeroize as _, Zeroizing};

/// Where octets come from.
pub(super) enum Input<'i> {
    /// A file, which can be gone back in.
    File(&'i mut File),
    /// An entry of an archive, which is read once.
    Stream(&'i mut dyn Read),
}

/// Octets under way.
pub(super) struct Reading<'a> {
    input: Input<'a>,
    buffer: &'a mut [u8],
    /// Octets in the buffer.
    pub(super) filled: usize,
    /// Of these, handed on to somebody who reads from here.
    handed: usize,
    /// The most that ever were in it.
    touched: usize,
    /// Octets read so far.
    pub(super) octets: u64,
    /// The most that are read.
    pub(super) limit: u64,
    /// How many there are, where that is known.
    pub(super) size: Option<u64>,
    /// There are more than are read.
    pub(super) cut: bool,
    /// There were fewer than announced, or their end was reached.
    ended: bool,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Stream(stream) => stream.read(buffer),
        }
    }
}

impl<'a> Reading<'a> {
    /// Reads as much as the buffer holds.
    pub(super) fn start(
        input: Input<'a>,
        buffer: &'a mut [u8],
        size: Option<u64>,
        most: u64,
    ) -> io::Result<Self> {
        let cut = size.is_some_and(|size| size > most);
        let limit = size.map_or(most, |size| size.min(most));
        let mut reading = Self {
            input,
            buffer,
            filled: 0,
            handed: 0,
            touched: 0,
            octets: 0,
            limit,
            size,
            cut,
            ended: false,
        };
        reading.advance(0)?;
        Ok(reading)
    }

    /// What is in the buffer from here on.
    pub(super) fn window(&self, from: usize) -> &[u8] {
        &self.buffer[from..self.filled]
    }

    /// Octets the buffer can hold.
    pub(super) fn room(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing more will be read than is in the buffer.
    pub(super) fn at_end(&self) -> bool {
        self.ended || self.octets >= self.limit
    }

    /// The most octets that are still to be read.
    pub(super) fn left(&self) -> u64 {
        if self.ended { 0 } else { self.limit.saturating_sub(self.octets) }
    }

    /// Nothing more is read, whatever there is.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Moves what begins here to the front of the buffer and fills the room behind it.
    pub(super) fn advance(&mut self, from: usize) -> io::Result<()> {
        self.buffer.copy_within(from..self.filled, 0);
        self.filled -= from;
        let room = self.buffer.len() - self.filled;
        let left = self.limit.saturating_sub(self.octets);
        let want = usize::try_from(left).unwrap_or(room).min(room);
        let want = if self.ended { 0 } else { want };
        let more = fill(&mut self.input, &mut self.buffer[self.filled..self.filled + want])?;
        self.filled += more;
        self.touched = self.touched.max(self.filled);
        self.octets += more as u64;
        self.ended |= more < want;
        // Of a stream nobody knows how much there is: at the limit one octet more is asked for.
        if self.size.is_none() && !self.ended && self.octets >= self.limit && !self.cut {
            self.cut = fill(&mut self.input, &mut [0])? > 0;
            self.ended = true;
        }
        Ok(())
    }

    /// Passes over as many octets and returns where in the buffer the next one is.
    pub(super) fn skip(&mut self, from: usize, length: usize) -> io::Result<usize> {
        let (mut at, mut left) = (from, length);
        while left > self.filled - at {
            left -= self.filled - at;
            self.advance(self.filled)?;
            at = 0;
            if self.filled == 0 {
                return Ok(0);
            }
        }
        Ok(at + left)
    }

    /// An object that is longer than what is in the buffer. What is behind it begins the buffer
    /// then.
    pub(super) fn beyond(&mut self, at: usize, length: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut object = Zeroizing::new(vec![0; length]);
        let start = self.filled - at;
        object[..start].copy_from_slice(self.window(at));
        let more = fill(&mut self.input, &mut object[start..])?;
        self.ended |= start + more < length;
        self.octets += more as u64;
        object.truncate(start + more);
        self.advance(self.filled)?;
        Ok(object)
    }

    /// Everything from the start of the buffer to the end, at most as many octets.
    pub(super) fn all(&mut self, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut all = Zeroizing::new(Vec::new());
        loop {
            let take = (most - all.len()).min(self.filled);
            // What growing leaves behind may be a secret.
            let mut longer = Zeroizing::new(Vec::with_capacity(all.len() + take));
            longer.extend_from_slice(&all);
            longer.extend_from_slice(&self.buffer[..take]);
            all = longer;
            if all.len() >= most || self.at_end() {
                return Ok(all);
            }
            self.advance(self.filled)?;
        }
    }

    /// Begins again at the first octet; says whether that is possible.
    pub(super) fn restart(&mut self) -> io::Result<bool> {
        let Input::File(file) = &mut self.input else { return Ok(false) };
        file.rewind()?;
        (self.filled, self.octets, self.ended) = (0, 0, false);
        self.advance(0)?;
        Ok(true)
    }

    /// The last octets of a file, if it is one.
    pub(super) fn tail(&self, most: usize) -> Option<Cow<'_, [u8]>> {
        let Input::File(file) = &self.input else { return None };
        if self.at_end() && !self.cut {
            let window = self.window(0);
            return Some(Cow::Borrowed(&window[window.len().saturating_sub(most)..]));
        }
        let from = self.size?.saturating_sub(most as u64);
        let mut tail = vec![0; most];
        file.read_exact_at(&mut tail, from).ok()?;
        Some(Cow::Owned(tail))
    }

    /// The file, if it is one.
    pub(super) fn file(&mut self) -> Option<&mut File> {
        match &mut self.input {
            Input::File(file) => Some(file),
            Input::Stream(_) => None,
        }
    }

    /// Forgets what was read: it may have been a secret.
    pub(super) fn wipe(&mut self) {
        self.buffer[..self.touched].zeroize();
    }
}

/// What is in the buffer, and then what comes after it.
impl Read for Reading<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.handed == self.filled {
            let read = self.input.read(out)?;
            self.octets += read as u64;
            return Ok(read);
        }
        let take = (self.filled - self.handed).min(out.len());
        out[..take].copy_from_slice(&self.buffer[self.handed..self.handed + take]);
        self.handed += take;
        Ok(take)
    }
}

fn fill(input: &mut Input<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
