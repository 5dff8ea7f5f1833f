//! Tables of the page. One template prints them all, so that escaping, links and the note about
//! rows that are left out exist once.

use askama::Template;
use pki_inventory::Place;

/// A table. Rows beyond a cap are counted in `left_out`, never dropped silently.
#[derive(Template, Default)]
#[template(path = "table.html")]
pub(super) struct Table {
    /// For readers who do not see the heading beside it.
    pub(super) caption: String,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    /// How many rows are not here and where they are; empty when all are.
    pub(super) left_out: String,
}

pub(super) struct Row {
    /// Anchor, empty for none.
    pub(super) id: String,
    pub(super) cells: Vec<Cell>,
    /// What stands below them and is as wide as the table.
    pub(super) below: Option<Cell>,
}

/// Lines of a cell.
#[derive(Default)]
pub(super) struct Cell {
    pub(super) lines: Vec<Line>,
    /// Figures stand to the right.
    pub(super) number: bool,
    /// A table that opens below the lines, under these words.
    pub(super) more: Option<(&'static str, Table)>,
}

#[derive(Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// Empty for none.
    pub(super) href: String,
    pub(super) class: &'static str,
}

/// So many places in one cell.
const PLACES: usize = 5;

impl Table {
    pub(super) fn new(caption: impl Into<String>, head: &[&'static str]) -> Self {
        Self { caption: caption.into(), head: head.to_vec(), ..Self::default() }
    }

    pub(super) fn row(&mut self, id: impl Into<String>, cells: Vec<Cell>) {
        self.rows.push(Row { id: id.into(), cells, below: None });
    }

    /// A line of its own below the last row.
    pub(super) fn below(&mut self, cell: Cell) {
        if let Some(last) = self.rows.last_mut() {
            last.below = Some(cell);
        }
    }
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::default().and(text)
    }

    pub(super) fn number(number: impl ToString) -> Self {
        Self { number: true, ..Self::text(number.to_string()) }
    }

    pub(super) fn code(text: impl Into<String>) -> Self {
        Self::default().classed(text, "code")
    }

    /// A date, on one line.
    pub(super) fn date(text: impl Into<String>) -> Self {
        Self::default().classed(text, "nowrap")
    }

    pub(super) fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self::default().linked(text, href)
    }

    /// Another line.
    pub(super) fn and(self, text: impl Into<String>) -> Self {
        self.classed(text, "")
    }

    /// Another line, less important.
    pub(super) fn small(self, text: impl Into<String>) -> Self {
        self.classed(text, "small")
    }

    pub(super) fn linked(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.lines.push(Line { text: text.into(), href: href.into(), class: "" });
        self
    }

    pub(super) fn classed(mut self, text: impl Into<String>, class: &'static str) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.lines.push(Line { text, class, ..Line::default() });
        }
        self
    }

    /// A table that opens below the lines.
    pub(super) fn opening(self, words: &'static str, table: Table) -> Self {
        Self { more: Some((words, table)), ..self }
    }

    /// Places, the first few of them with a count of the rest.
    pub(super) fn places<'p>(places: impl Iterator<Item = &'p Place>) -> Self {
        let (mut cell, mut more) = (Self::default(), 0);
        for place in places {
            if cell.lines.len() < PLACES {
                cell = cell.classed(place.to_string(), "code");
            } else {
                more += 1;
            }
        }
        let rest = match more {
            0 => String::new(),
            more => format!("and {more} more in the export"),
        };
        cell.small(rest)
    }
}
