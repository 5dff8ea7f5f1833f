//! The dump of rows of `certutil -view`: a table of the columns, and then a paragraph for each row.

use std::io::{self, BufRead};

use super::LONGEST_LINE;
use super::columns::{Column, folded, text};
use super::draft::Draft;
use crate::ldif::Damage;
use crate::lines::{Line, Lines};

/// The most columns of the table; the database has about a hundred.
const MOST_COLUMNS: usize = 1000;
/// The most octets of base64 of a certificate.
const LONGEST_BASE64: usize = 2 << 20;

/// How rows are read.
#[derive(Debug, Default)]
pub(super) struct Dump {
    /// The columns by their names in the language of the dump, from its table.
    schema: Vec<(String, Option<Column>)>,
    /// Whether the last line was of the table.
    in_table: bool,
}

/// What a paragraph goes on with.
enum Inside {
    Row,
    /// A text in quotes that has several lines.
    Quotes,
    /// The certificate's base64.
    Certificate(String),
}

impl Dump {
    /// Whether there was a table of columns.
    pub(super) fn has_schema(&self) -> bool {
        !self.schema.is_empty()
    }

    /// Whether the columns tell rows apart. Without a table that shows with the rows.
    pub(super) fn tells_rows_apart(&self) -> bool {
        let columns = || self.schema.iter().filter_map(|(_, column)| *column);
        self.schema.is_empty() || columns().any(Column::tells_rows_apart)
    }

    /// A line before the first row. The table begins below a line of dashes and ends with an empty
    /// one; its columns stand two blanks or more apart: own name, local name, type, length.
    pub(super) fn schema_line(&mut self, line: &[u8]) {
        let line = text(line);
        let mut groups = line.split_whitespace();
        if groups.clone().count() >= 3
            && groups.all(|it| it.len() > 3 && it.bytes().all(|o| o == b'-'))
        {
            self.in_table = true;
            return;
        }
        if line.trim().is_empty() {
            self.in_table = false;
        }
        if self.in_table && self.schema.len() < MOST_COLUMNS {
            let mut cells = line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            if let (Some(own), Some(local)) = (cells.next(), cells.next()) {
                self.schema.push((folded_all(local), Column::of(own)));
            }
        }
    }

    /// Reads the next row; `false` at the end.
    pub(super) fn next<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        found: &mut Vec<Result<Draft, Damage>>,
    ) -> io::Result<bool> {
        let mut line = Vec::new();
        // What stands between rows says nothing.
        loop {
            line.clear();
            if lines.append(&mut line, LONGEST_LINE)? == Line::End {
                return Ok(false);
            }
            if is_row(&line) {
                break;
            }
        }
        let mut draft = Draft::new(lines.number());
        let mut inside = Inside::Row;
        let mut last = None;
        let (mut open, mut is_cut) = (false, false);
        loop {
            line.clear();
            match lines.append(&mut line, LONGEST_LINE)? {
                Line::End => break,
                // Said once, however many there are: a row may have no end.
                Line::Cut => {
                    if !std::mem::replace(&mut is_cut, true) {
                        let what = "the line is longer than 1 MiB".to_owned();
                        found.push(Err(Damage { line: lines.number(), what }));
                    }
                    continue;
                }
                Line::Whole => {}
            }
            if is_row(&line) {
                lines.unread(&line);
                break;
            }
            inside = match inside {
                Inside::Quotes if line.iter().filter(|octet| **octet == b'"').count() % 2 == 1 => {
                    Inside::Row
                }
                Inside::Quotes => Inside::Quotes,
                Inside::Certificate(base64) => match certificate_line(base64, &line) {
                    Ok(more) => more,
                    Err(base64) => {
                        draft.certificate(&base64);
                        open = false;
                        Inside::Row
                    }
                },
                Inside::Row => {
                    let more = self.line(&line, &mut draft, &mut last);
                    open = matches!(more, Inside::Certificate(_));
                    more
                }
            };
            if line.starts_with(b"Maximum Row Index:") {
                break;
            }
        }
        if open {
            found.push(Err(Damage {
                line: lines.number(),
                what: "a certificate that begins in the row above has no end".to_owned(),
            }));
        }
        draft.finish(found);
        Ok(true)
    }

    /// A line of a row: `  Name: value`, with two blanks before it. What has none or more belongs to a
    /// value that is shown at length.
    fn line(&self, line: &[u8], draft: &mut Draft, last: &mut Option<Column>) -> Inside {
        if line.trim_ascii() == b"-----BEGIN CERTIFICATE-----" {
            // Other certificates may be shown as well, such as the one that was renewed; a row has one
            // of its own.
            let is_own = last.take() == Some(Column::Certificate) && draft.begins_certificate();
            return if is_own { Inside::Certificate(String::new()) } else { Inside::Row };
        }
        let [b' ', b' ', first, ..] = line else { return Inside::Row };
        if first.is_ascii_whitespace() {
            return Inside::Row;
        }
        let line = text(&line[2..]);
        let Some((name, value)) = line.split_once(':') else { return Inside::Row };
        *last = self.column(name);
        if let Some(column) = *last
            && column != Column::Certificate
        {
            draft.cell(column, value);
        }
        if value.bytes().filter(|octet| *octet == b'"').count() % 2 == 1 {
            return Inside::Quotes;
        }
        Inside::Row
    }

    /// The column of a local name: by the table, or where there is none by the names that are known.
    fn column(&self, name: &str) -> Option<Column> {
        if self.schema.is_empty() {
            return Column::of(name);
        }
        let name = folded_all(name);
        self.schema.iter().find(|(known, _)| *known == name).and_then(|(_, column)| *column)
    }
}

/// Adds a line of base64; at its end hands back all of it.
fn certificate_line(mut base64: String, line: &[u8]) -> Result<Inside, String> {
    let line = text(line);
    let line = line.trim();
    if line.starts_with("-----") || base64.len() > LONGEST_BASE64 {
        return Err(base64);
    }
    base64.push_str(line);
    Ok(Inside::Certificate(base64))
}

/// A local name as it is compared: in languages without Latin letters the others have to count.
fn folded_all(name: &str) -> String {
    if name.is_ascii() {
        return folded(name);
    }
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// `Row 1:`, in any language: a word, a number, a colon.
pub(super) fn is_row(line: &[u8]) -> bool {
    if line.len() > 100 || line.first().is_none_or(u8::is_ascii_whitespace) {
        return false;
    }
    let Some(line) = line.trim_ascii_end().strip_suffix(b":") else { return false };
    let line = line.trim_ascii_end();
    let word = line.iter().take_while(|octet| !octet.is_ascii_whitespace()).count();
    let number = line[word..].trim_ascii();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}
