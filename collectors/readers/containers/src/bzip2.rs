//! bzip2, only the way back. Our own, because the maintained crate is a port of the C library under
//! a licence of its own, and the others have stood still for years.
//!
//! The format has no standard; this follows what the original program writes.

use std::io::{self, BufRead, Read};

/// The longest code of a symbol.
const LONGEST: usize = 20;
/// Symbols coded by one table before the next is chosen.
const GROUP: usize = 50;
/// Selectors that a block of 900,000 can use; more are read and not kept.
const SELECTORS: usize = 18_002;

const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;

/// Hands out what a bzip2 file holds, of all its streams one after the other.
pub(crate) struct Bzip2<R> {
    bits: Bits<R>,
    state: State,
    /// The most octets of one block.
    most: usize,
    /// In the low eight bits the octets of the block, above them the way through it.
    way: Vec<u32>,
    at: u32,
    left: usize,
    /// Octets in a row so far, which one, and how often it is still to come.
    run: u8,
    last: u8,
    repeat: u8,
    sum: u32,
    promised: u32,
}

#[derive(PartialEq)]
enum State {
    Stream,
    Between,
    Block,
    Done,
}

impl<R: BufRead> Bzip2<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            bits: Bits { inner, held: 0, count: 0 },
            state: State::Stream,
            most: 0,
            way: Vec::new(),
            at: 0,
            left: 0,
            run: 0,
            last: 0,
            repeat: 0,
            sum: 0,
            promised: 0,
        }
    }

    fn stream(&mut self, first: bool) -> io::Result<()> {
        self.bits.align();
        if !first && self.bits.is_at_end()? {
            self.state = State::Done;
            return Ok(());
        }
        let level = self.bits.take(32)?.wrapping_sub(0x425A_6830);
        if !(1..=9).contains(&level) {
            return Err(wrong("no stream begins here"));
        }
        self.most = level as usize * 100_000;
        self.state = State::Between;
        Ok(())
    }

    /// The next block, or the end of the stream.
    fn between(&mut self) -> io::Result<()> {
        let magic = self.bits.take(24)? << 24 | self.bits.take(24)?;
        let sum = self.bits.take(32)?;
        match magic {
            END => self.stream(false),
            BLOCK => {
                // Checked to be at most 32 bits by taking them.
                self.promised = sum as u32;
                self.sum = u32::MAX;
                self.block()?;
                self.state = State::Block;
                Ok(())
            }
            _ => Err(wrong("no block begins here")),
        }
    }

    fn block(&mut self) -> io::Result<()> {
        if self.bits.take(1)? != 0 {
            return Err(wrong("a block of version 0.9.0 (randomised) is not read"));
        }
        let origin = self.bits.take(24)? as usize;
        let mut recent = self.symbols()?;
        let used = recent.len();
        let tables = self.bits.take(3)? as usize;
        let selectors = self.bits.take(15)? as usize;
        if !(2..=6).contains(&tables) || selectors == 0 {
            return Err(wrong("a count of tables is impossible"));
        }
        let chosen = self.selectors(tables, selectors)?;
        let tables = (0..tables).map(|_| self.table(used + 2)).collect::<io::Result<Vec<_>>>()?;
        self.way.clear();
        let (mut run, mut weight) = (0_usize, 1_usize);
        let mut counts = [0_u32; 256];
        'all: for table in chosen {
            let table = &tables[usize::from(table)];
            for _ in 0..GROUP {
                let symbol = usize::from(table.symbol(&mut self.bits)?);
                if symbol < 2 {
                    run += weight << symbol;
                    weight <<= 1;
                    if run > self.most {
                        return Err(wrong("a run is longer than its block"));
                    }
                    continue;
                }
                if run > 0 {
                    self.put(&mut counts, recent[0], run)?;
                    (run, weight) = (0, 1);
                }
                if symbol == used + 1 {
                    break 'all;
                }
                // The table has no symbols above `used + 1`.
                recent[..symbol].rotate_right(1);
                self.put(&mut counts, recent[0], 1)?;
            }
        }
        self.untangle(origin, counts)
    }

    /// The octets that occur, in their order.
    fn symbols(&mut self) -> io::Result<Vec<u8>> {
        let rows = self.bits.take(16)?;
        let mut symbols = Vec::with_capacity(256);
        for row in (0..16_u8).filter(|row| rows >> (15 - row) & 1 == 1) {
            let columns = self.bits.take(16)?;
            let there = (0..16_u8).filter(|column| columns >> (15 - column) & 1 == 1);
            symbols.extend(there.map(|column| row << 4 | column));
        }
        if symbols.is_empty() { Err(wrong("a block has no symbols")) } else { Ok(symbols) }
    }

    fn selectors(&mut self, tables: usize, count: usize) -> io::Result<Vec<u8>> {
        let mut order = [0, 1, 2, 3, 4, 5];
        let mut chosen = Vec::with_capacity(count.min(SELECTORS));
        for number in 0..count {
            let mut place = 0;
            while self.bits.take(1)? == 1 {
                place += 1;
                if place >= tables {
                    return Err(wrong("a selector names no table"));
                }
            }
            order[..=place].rotate_right(1);
            if number < SELECTORS {
                chosen.push(order[0]);
            }
        }
        Ok(chosen)
    }

    fn table(&mut self, symbols: usize) -> io::Result<Table> {
        let mut lengths = [0_u8; 258];
        let mut length = self.bits.take(5)?;
        for slot in &mut lengths[..symbols] {
            loop {
                if !(1..=LONGEST as u64).contains(&length) {
                    return Err(wrong("a code has an impossible length"));
                }
                if self.bits.take(1)? == 0 {
                    break;
                }
                length = if self.bits.take(1)? == 0 { length + 1 } else { length - 1 };
            }
            // Checked to be at most 20.
            *slot = length as u8;
        }
        Ok(Table::new(&lengths[..symbols]))
    }

    fn put(&mut self, counts: &mut [u32; 256], octet: u8, times: usize) -> io::Result<()> {
        if self.way.len() + times > self.most {
            return Err(wrong("a block is longer than its stream allows"));
        }
        self.way.resize(self.way.len() + times, u32::from(octet));
        // At most 900,000.
        counts[usize::from(octet)] += times as u32;
        Ok(())
    }

    /// The way back from the Burrows-Wheeler transform.
    fn untangle(&mut self, origin: usize, counts: [u32; 256]) -> io::Result<()> {
        if origin >= self.way.len() {
            return Err(wrong("a block begins outside of itself"));
        }
        let mut starts = [0_u32; 256];
        let mut sum = 0;
        for (start, count) in starts.iter_mut().zip(counts) {
            *start = sum;
            sum += count;
        }
        for index in 0..self.way.len() {
            let start = &mut starts[(self.way[index] & 0xFF) as usize];
            // An index is below 900,000, which leaves eight bits.
            self.way[*start as usize] |= (index as u32) << 8;
            *start += 1;
        }
        self.at = self.way[origin] >> 8;
        self.left = self.way.len();
        self.run = 0;
        self.repeat = 0;
        Ok(())
    }

    /// What there is of the block. After four octets alike comes how many more there are.
    fn octets(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < buffer.len() {
            if self.repeat > 0 {
                self.repeat -= 1;
                buffer[written] = self.last;
                written += 1;
                continue;
            }
            if self.left == 0 {
                break;
            }
            let entry = self.way[self.at as usize];
            self.left -= 1;
            self.at = entry >> 8;
            let octet = entry as u8;
            if self.run == 4 {
                self.repeat = octet;
                self.run = 0;
                continue;
            }
            self.run = if self.run > 0 && octet == self.last { self.run + 1 } else { 1 };
            self.last = octet;
            buffer[written] = octet;
            written += 1;
        }
        for octet in &buffer[..written] {
            self.sum = self.sum << 8 ^ SUMS[usize::from((self.sum >> 24) as u8 ^ octet)];
        }
        if self.left == 0 && self.repeat == 0 {
            self.state = State::Between;
            if !self.sum != self.promised {
                return Err(wrong("the check sum of a block differs"));
            }
        }
        Ok(written)
    }
}

impl<R: BufRead> Read for Bzip2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Stream => self.stream(true)?,
                State::Between => self.between()?,
                State::Block => match self.octets(buffer)? {
                    0 => {}
                    written => return Ok(written),
                },
            }
        }
    }
}

/// The code of one group of symbols: shorter ones first, within a length by symbol.
struct Table {
    /// For each length the first value that is too large for it, moved to the left of 20 bits.
    limits: [u32; LONGEST + 1],
    /// For each length what to take off a value to get its place among the symbols.
    bases: [i32; LONGEST + 1],
    order: Vec<u16>,
}

impl Table {
    fn new(lengths: &[u8]) -> Self {
        let (mut limits, mut bases) = ([0; LONGEST + 1], [0; LONGEST + 1]);
        let mut order = Vec::with_capacity(lengths.len());
        let mut code = 0_u32;
        for length in 1..=LONGEST {
            // At most 258 symbols, and codes of at most 21 bits.
            bases[length] = code as i32 - order.len() as i32;
            let here = (0_u16..).zip(lengths).filter(|(_, l)| usize::from(**l) == length);
            let before = order.len();
            order.extend(here.map(|(symbol, _)| symbol));
            code += (order.len() - before) as u32;
            limits[length] = code << (LONGEST - length);
            // A table that promises more than fits is wrong; what is looked up stays within it.
            code = code.min(1 << LONGEST) << 1;
        }
        Self { limits, bases, order }
    }

    fn symbol<R: BufRead>(&self, bits: &mut Bits<R>) -> io::Result<u16> {
        let value = bits.peek(LONGEST)? as u32;
        for length in 1..=LONGEST {
            if value < self.limits[length] {
                bits.drop(length)?;
                let place = (value >> (LONGEST - length)) as i32 - self.bases[length];
                let found = usize::try_from(place).ok().and_then(|place| self.order.get(place));
                return found.copied().ok_or_else(|| wrong("a code has no symbol"));
            }
        }
        Err(wrong("a code has no symbol"))
    }
}

/// Reads bits, the highest of an octet first.
struct Bits<R> {
    inner: R,
    held: u64,
    count: usize,
}

impl<R: BufRead> Bits<R> {
    fn refill(&mut self) -> io::Result<()> {
        while self.count <= 56 {
            let ready = self.inner.fill_buf()?;
            if ready.is_empty() {
                return Ok(());
            }
            let taken = ready.len().min((64 - self.count) / 8);
            for octet in &ready[..taken] {
                self.held = self.held << 8 | u64::from(*octet);
            }
            self.count += taken * 8;
            self.inner.consume(taken);
        }
        Ok(())
    }

    /// The next bits, at most 32, with zeros behind the end.
    fn peek(&mut self, bits: usize) -> io::Result<u64> {
        if self.count < bits {
            self.refill()?;
        }
        let mask = (1 << bits) - 1;
        if self.count < bits {
            return Ok(self.held << (bits - self.count) & mask);
        }
        Ok(self.held >> (self.count - bits) & mask)
    }

    fn drop(&mut self, bits: usize) -> io::Result<()> {
        self.count = self.count.checked_sub(bits).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }

    fn take(&mut self, bits: usize) -> io::Result<u64> {
        let value = self.peek(bits)?;
        self.drop(bits)?;
        Ok(value)
    }

    /// Goes on to the next whole octet.
    fn align(&mut self) {
        self.count -= self.count % 8;
    }

    fn is_at_end(&mut self) -> io::Result<bool> {
        if self.count == 0 {
            self.refill()?;
        }
        Ok(self.count == 0)
    }
}

/// CRC-32 with the highest bit first.
const SUMS: [u32; 256] = {
    let mut sums = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut sum = (octet as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = sum << 1 ^ if sum >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
            bit += 1;
        }
        sums[octet] = sum;
        octet += 1;
    }
    sums
};

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
