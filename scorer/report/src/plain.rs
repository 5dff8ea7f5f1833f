//! Plain text of at most 100 columns, for terminals without colour and for mail.

use crate::text;

/// Columns of every line that can be broken.
pub(crate) const WIDTH: usize = 100;

/// A text under construction. Whatever goes in is cleaned first.
pub(crate) struct Plain {
    text: String,
    width: usize,
    /// Whether words longer than a line are broken. Where places are to be copied, they are not.
    break_words: bool,
}

impl Plain {
    /// A text in which every line fits, whatever it takes.
    pub(crate) fn fitting() -> Self {
        Self { text: String::new(), width: WIDTH, break_words: true }
    }

    /// A text in which places stay whole.
    pub(crate) fn copyable() -> Self {
        Self { text: String::new(), width: WIDTH, break_words: false }
    }

    /// As [`Plain::copyable`], in narrower lines: what goes before them is put there afterwards.
    pub(crate) fn narrow(width: usize) -> Self {
        Self { width, ..Self::copyable() }
    }

    /// A heading, with an empty line above it.
    pub(crate) fn heading(&mut self, heading: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(0, heading);
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A paragraph, indented.
    pub(crate) fn line(&mut self, indent: usize, line: &str) {
        self.hanging(indent, indent, line);
    }

    /// A paragraph whose first line begins further left than the others.
    pub(crate) fn hanging(&mut self, first: usize, rest: usize, line: &str) {
        let line = text::line(line);
        // Runs of spaces are kept: columns of tables are made of them.
        if first + line.chars().count() <= self.width {
            self.push(first, &line);
            return;
        }
        // A number stays with its unit.
        let line = line.replace(" %", "\u{a0}%");
        let (mut indent, mut column) = (first, String::new());
        for word in line.split_inclusive(' ') {
            let mut word = word;
            if indent + width(&column) + width(word.trim_end()) > self.width && !column.is_empty() {
                self.push(indent, &column);
                (indent, column) = (rest, String::new());
            }
            while self.break_words && indent + width(word.trim_end()) > self.width {
                let room = self.width.saturating_sub(indent).max(1);
                let at = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
                self.push(indent, &word[..at]);
                (indent, word) = (rest, &word[at..]);
            }
            column.push_str(word);
        }
        self.push(indent, &column);
    }

    /// A place in a line of its own, which stays whole however long it is: it is there to be
    /// copied.
    pub(crate) fn whole(&mut self, indent: usize, place: &str) {
        self.push(indent, &text::line(place));
    }

    /// `label   text`, the text in a column of its own.
    pub(crate) fn field(&mut self, indent: usize, column: usize, label: &str, value: &str) {
        let label = text::line(label);
        let pad = column.saturating_sub(indent + width(&label)).max(1);
        self.hanging(indent, column, &format!("{label}{}{value}", " ".repeat(pad)));
    }

    /// What was written.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn push(&mut self, indent: usize, line: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(&line.trim_end().replace("\u{a0}%", " %"));
        self.text.push('\n');
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_and_nothing_is_lost() {
        let mut plain = Plain::fitting();
        let long = format!("{} {}", "word ".repeat(40), "x".repeat(250));
        plain.hanging(2, 6, &long);
        let text = plain.finish();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches("word").count(), 40);
        assert_eq!(text.matches('x').count(), 250);
    }

    #[test]
    fn places_stay_whole_where_they_are_copied() {
        let mut plain = Plain::copyable();
        plain.line(4, &"x".repeat(150));
        assert_eq!(plain.finish().trim(), "x".repeat(150));
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        let mut plain = Plain::fitting();
        plain.line(2, "CN=a\nOverall: 5 Optimized\x1b[31m");
        assert_eq!(plain.finish().lines().count(), 1);
    }
}
