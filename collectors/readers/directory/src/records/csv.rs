//! The CSV of `certutil -view … csv` (RFC 4180), also as a spreadsheet or PowerShell wrote it again.

use std::io::{self, BufRead};

use super::LONGEST_LINE;
use super::columns::{Column, text};
use super::draft::Draft;
use crate::ldif::Damage;
use crate::lines::{Line, Lines, quoted};

/// The most fields of a row.
const MOST_FIELDS: usize = 500;
/// The most octets of a row, whose fields may have several lines.
const LONGEST_ROW: usize = LONGEST_LINE;

/// How rows are read.
#[derive(Debug)]
pub(super) struct Csv {
    separator: u8,
    /// For each field what it is.
    columns: Vec<Option<Column>>,
}

impl Csv {
    /// Reads the header; `None` for a line that is none.
    pub(super) fn of_header(line: &[u8]) -> Option<Self> {
        // `Row 1:` and the table of a dump are no headers, whatever words are in them.
        if line.starts_with(b" ") || line.trim_ascii_end().ends_with(b":") {
            return None;
        }
        let separator = separator(line);
        let fields = fields(line, separator).filter(|fields| fields.len() <= MOST_FIELDS)?;
        let columns: Vec<_> = fields.iter().map(|field| Column::of(&text(field))).collect();
        let enough = columns.iter().flatten().any(|column| column.tells_rows_apart());
        enough.then_some(Self { separator, columns })
    }

    /// Reads the next row; `false` at the end.
    pub(super) fn next<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        found: &mut Vec<Result<Draft, Damage>>,
    ) -> io::Result<bool> {
        let mut row = Vec::new();
        let mut how = lines.append(&mut row, LONGEST_ROW)?;
        if how == Line::End {
            return Ok(false);
        }
        let line = lines.number();
        let mut damage = |what: String| found.push(Err(Damage { line, what }));
        // A field in quotes may go on in the next lines.
        let mut quotes = count(&row);
        while how == Line::Whole && quotes % 2 == 1 {
            // An empty line is whole even where there is no room for any more of them.
            if row.len() >= LONGEST_ROW {
                how = Line::Cut;
                break;
            }
            row.push(b'\n');
            let start = row.len();
            how = lines.append(&mut row, LONGEST_ROW.saturating_sub(start))?;
            quotes += count(&row[start..]);
        }
        match how {
            Line::Cut => {
                damage("the row is longer than 1 MiB; a quote in it may have no end".to_owned());
                return Ok(true);
            }
            Line::End => {
                damage("a quote that begins in this row has no end".to_owned());
                return Ok(true);
            }
            Line::Whole => {}
        }
        if row.trim_ascii().is_empty() || row.starts_with(b"CertUtil: ") {
            return Ok(true);
        }
        let Some(mut fields) = fields(&row, self.separator) else {
            damage(format!("{} is no row of CSV", quoted(&row)));
            return Ok(true);
        };
        // Some writers end a row with a separator.
        if fields.len() == self.columns.len() + 1 && fields.last().is_some_and(Vec::is_empty) {
            fields.pop();
        }
        if fields.len() != self.columns.len() {
            let (there, named) = (fields.len(), self.columns.len());
            damage(format!("the row has {there} fields, and the header names {named}"));
            return Ok(true);
        }
        let mut draft = Draft::new(line);
        for (column, field) in self.columns.iter().zip(&fields) {
            if let Some(column) = column {
                draft.cell(*column, &text(field));
            }
        }
        draft.finish(found);
        Ok(true)
    }
}

fn count(octets: &[u8]) -> usize {
    octets.iter().filter(|octet| **octet == b'"').count()
}

/// A comma, or what spreadsheets write where the comma is in numbers.
fn separator(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(0, b','), (0, b';'), (0, b'\t')];
    for octet in header {
        quoted ^= *octet == b'"';
        for (count, separator) in &mut counts {
            *count += usize::from(!quoted && octet == separator);
        }
    }
    let [comma, others @ ..] = counts;
    others.into_iter().fold(comma, |best, one| if one.0 > best.0 { one } else { best }).1
}

/// The fields of a row; `None` where something stands behind the end of a quote.
fn fields(row: &[u8], separator: u8) -> Option<Vec<Vec<u8>>> {
    let mut fields = Vec::new();
    let mut rest = row;
    loop {
        let mut field = Vec::new();
        let mut blank = rest;
        while let [b' ', behind @ ..] = blank {
            blank = behind;
        }
        if let [b'"', quoted @ ..] = blank {
            rest = quoted;
            loop {
                let end = rest.iter().position(|octet| *octet == b'"')?;
                field.extend_from_slice(&rest[..end]);
                rest = &rest[end + 1..];
                // Two quotes are one that is meant.
                let [b'"', behind @ ..] = rest else { break };
                field.push(b'"');
                rest = behind;
            }
            while let [b' ', behind @ ..] = rest {
                rest = behind;
            }
        } else {
            let end = rest.iter().position(|octet| *octet == separator).unwrap_or(rest.len());
            field.extend_from_slice(rest[..end].trim_ascii());
            rest = &rest[end..];
        }
        fields.push(field);
        match rest {
            [] => return Some(fields),
            [next, behind @ ..] if *next == separator => rest = behind,
            _ => return None,
        }
    }
}
