//! Exports of an authority's database, as `certutil -view` writes them: CSV, or a dump of rows.
//!
//! A dump begins with a table of its columns, by which it is read in any language. CSV has only the
//! columns' names in the language of the machine; English, German and the database's own are known.
//!
//! ## Dates
//! An export says neither the zone of its times, so they are taken for UTC unless `GMT` stands behind
//! them, nor whether the day or the month comes first in `1/2/2026`. A date with a number above 12
//! tells, of any column and any row: rows wait for one, but no more than [`MOST_WAITING`] of them.
//! Where none came, and where two contradict each other, such a date is not known and left out.

mod columns;
mod csv;
mod dates;
mod draft;
mod dump;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, BufRead};

use pki_inventory::Issuance;

use crate::ldif::Damage;
use crate::lines::{Line, Lines};
use dates::Order;
use draft::Draft;

/// The most rows that wait for a date that tells the order of day and month.
pub const MOST_WAITING: usize = 500;
/// The most octets of certificates that wait with them.
const MOST_OCTETS_WAITING: usize = 8 << 20;
/// The most octets of a line.
const LONGEST_LINE: usize = 1 << 20;
/// The most lines before the first row or the header.
const LONGEST_PREAMBLE: usize = 500;

/// A row, with the certificate it holds, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it says.
    pub issuance: Issuance,
    /// DER of the certificate.
    pub certificate: Option<Vec<u8>>,
}

/// Reads row by row.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    form: Form,
    authority: Option<String>,
    order: Order,
    waiting: VecDeque<Result<Draft, Damage>>,
    /// Octets of certificates among what waits.
    octets: usize,
    /// Rows among what waits whose dates could be read in two ways.
    undecided: usize,
    ended: bool,
}

#[derive(Debug)]
enum Form {
    Csv(csv::Csv),
    Dump(dump::Dump),
}

impl<R: BufRead> Reader<R> {
    /// Begins at the start of an export. `authority` is the common name of the authority, where it is
    /// known from elsewhere; where it is not, each certificate's issuer tells.
    ///
    /// # Errors
    ///
    /// When reading fails, or when what is read is no such export.
    pub fn new(from: R, authority: Option<&str>) -> io::Result<Self> {
        let mut lines = Lines::new(from);
        let form = recognise(&mut lines)?;
        Ok(Self {
            lines,
            form,
            authority: authority.map(crate::clean),
            order: Order::default(),
            waiting: VecDeque::new(),
            octets: 0,
            undecided: 0,
            ended: false,
        })
    }

    /// The next row, or what is wrong with it and in which line; `None` at the end. Of a row that is
    /// broken in part comes what could be read, and next what is wrong.
    ///
    /// # Errors
    ///
    /// When reading itself fails.
    pub fn next_row(&mut self) -> io::Result<Option<Result<Row, Damage>>> {
        while !self.ended && !self.is_ready() {
            let mut found = Vec::new();
            let more = match &mut self.form {
                Form::Csv(csv) => csv.next(&mut self.lines, &mut found)?,
                Form::Dump(dump) => dump.next(&mut self.lines, &mut found)?,
            };
            self.ended = !more;
            for one in found {
                self.file(one);
            }
        }
        let Some(next) = self.waiting.pop_front() else { return Ok(None) };
        Ok(Some(match next {
            Err(damage) => Err(damage),
            Ok(draft) => {
                self.octets -= draft.octets();
                self.undecided -= usize::from(draft.is_undecided());
                Ok(draft.row(&self.order, self.authority.as_deref()))
            }
        }))
    }

    fn file(&mut self, one: Result<Draft, Damage>) {
        if let Ok(draft) = &one {
            draft.tell(&mut self.order);
            self.octets += draft.octets();
            self.undecided += usize::from(draft.is_undecided());
        }
        self.waiting.push_back(one);
    }

    /// Whether the first of what waits can be handed out.
    fn is_ready(&self) -> bool {
        !self.waiting.is_empty()
            && (self.undecided == 0
                || self.order.is_told()
                || self.waiting.len() >= MOST_WAITING
                || self.octets >= MOST_OCTETS_WAITING)
    }
}

/// Reads up to the first row of a dump, or behind the header of CSV.
fn recognise<R: BufRead>(lines: &mut Lines<R>) -> io::Result<Form> {
    let mut dump = dump::Dump::default();
    let mut line = Vec::new();
    for _ in 0..LONGEST_PREAMBLE {
        line.clear();
        if lines.append(&mut line, LONGEST_LINE)? == Line::End {
            break;
        }
        if let Some(csv) = csv::Csv::of_header(&line) {
            return Ok(Form::Csv(csv));
        }
        if dump::is_row(&line) && dump.tells_rows_apart() {
            lines.unread(&line);
            return Ok(Form::Dump(dump));
        }
        dump.schema_line(&line);
    }
    if dump.has_schema() && dump.tells_rows_apart() {
        // An export of no rows is one all the same.
        return Ok(Form::Dump(dump));
    }
    let what = "no export of `certutil -view` with a column of serial numbers, of numbers of \
                requests or of certificates";
    Err(io::Error::new(io::ErrorKind::InvalidData, what))
}
