//! Orders in, answers out, a line each.

use std::fs::File;
use std::io::{self, Read, Write};

use pki_tokens::wire::{MAX_LINE, Message, Order};
use zeroize::{Zeroize, Zeroizing};

use crate::calls::Failure;

/// No order is longer, in octets: a path, parameters or a PIN.
const MAX_ORDER: usize = 1 << 16;

/// More of what a library says of itself than this helps nobody.
const MAX_DETAIL: usize = 500;

/// Where the orders come from. The place they lie in never grows, so no copy of a PIN stays behind.
pub(crate) struct Orders {
    input: File,
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

/// Where the answers go.
pub(crate) struct Answers {
    output: File,
    line: Vec<u8>,
}

impl Orders {
    pub(crate) fn from(input: File) -> Self {
        Self { input, buffer: Zeroizing::new(vec![0; MAX_ORDER]), filled: 0 }
    }

    /// The next order; `None` when there will be no more.
    ///
    /// An order that is not understood is an error that says nothing of it: there may be a PIN in it.
    pub(crate) fn next(&mut self) -> io::Result<Option<Order>> {
        loop {
            if let Some(end) = self.buffer[..self.filled].iter().position(|octet| *octet == b'\n') {
                let order = serde_json::from_slice(&self.buffer[..end]);
                let rest = self.filled - end - 1;
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.buffer[rest..self.filled].zeroize();
                self.filled = rest;
                return order.map(Some).map_err(|_| io::ErrorKind::InvalidData.into());
            }
            if self.filled == self.buffer.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) if self.filled == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(more) => self.filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Answers {
    pub(crate) fn to(output: File) -> Self {
        Self { output, line: Vec::new() }
    }

    /// Says it at once: the next call may be the one that the process does not survive.
    pub(crate) fn say(&mut self, message: &Message) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, message)?;
        self.line.push(b'\n');
        // Every part of an answer is limited where it is read, so that this does not happen.
        if self.line.len() > MAX_LINE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.output.write_all(&self.line)
    }

    /// Says that a call failed, `at` what.
    pub(crate) fn failed(
        &mut self,
        slot: Option<u64>,
        call: &str,
        failure: &Failure,
        at: &str,
    ) -> io::Result<()> {
        let (returned, what) = match failure {
            Failure::Missing => (None, "the module has no such function"),
            Failure::Returned(returned) => (Some(*returned), ""),
            Failure::Nonsense(what) => (None, what.as_str()),
        };
        let between = if what.is_empty() || at.is_empty() { "" } else { ": " };
        let detail = format!("{at}{between}{what}").chars().take(MAX_DETAIL).collect();
        self.say(&Message::Failed { slot, call: call.to_owned(), returned, detail })
    }
}
