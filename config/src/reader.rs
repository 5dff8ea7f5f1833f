//! Reads TOML tables key by key and notes every problem instead of stopping at the first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Problem, Problems};

/// Where a value stands: `policy.toml:12`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file as the user named it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A file under reading.
pub(crate) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    /// Where lines end: counting anew for each of many problems would take for ever.
    line_ends: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
    origins: RefCell<BTreeMap<String, Origin>>,
}

/// A table of it.
pub(crate) struct Reader<'t> {
    document: &'t Document<'t>,
    table: &'t DeTable<'t>,
    path: String,
    taken: RefCell<BTreeSet<String>>,
    refused: RefCell<BTreeSet<String>>,
    line: usize,
}

impl<'t> Document<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        let (problems, origins) = (RefCell::default(), RefCell::default());
        Self { file, text, line_ends, problems, origins }
    }

    /// Reads the whole text with `read`. Gives the value and where each key stands, or everything
    /// that is wrong.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> T,
    ) -> Result<(T, BTreeMap<String, Origin>), Problems> {
        let parsed = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = format!("is not TOML: {}", error.message());
            Problems(vec![self.problem(at, "", message)])
        })?;
        let reader = Reader {
            // The reader lives as long as the parsed table, which is shorter than the document.
            document: self,
            table: parsed.get_ref(),
            path: String::new(),
            taken: RefCell::default(),
            refused: RefCell::default(),
            line: 1,
        };
        let value = read(&reader);
        reader.finish();
        let mut problems = self.problems.take();
        if problems.is_empty() {
            return Ok((value, self.origins.take()));
        }
        problems.sort();
        Err(Problems(problems))
    }

    fn line(&self, offset: usize) -> usize {
        self.line_ends.partition_point(|end| *end < offset) + 1
    }

    fn origin(&self, offset: usize) -> Origin {
        Origin { file: self.file.to_owned(), line: self.line(offset) }
    }

    fn problem(&self, offset: usize, key: &str, message: String) -> Problem {
        let (file, line) = (self.file.to_owned(), self.line(offset));
        Problem { file, line, key: key.to_owned(), message }
    }
}

impl<'t> Reader<'t> {
    /// Where this table begins.
    pub(crate) fn origin(&self) -> Origin {
        Origin { file: self.document.file.to_owned(), line: self.line }
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.taken.borrow_mut().insert(key.to_owned());
        let value = self.table.get(key)?;
        let origin = self.document.origin(value.span().start);
        self.document.origins.borrow_mut().insert(self.key(key), origin);
        Some(value)
    }

    /// Whether there is such a key with something in it, be it right or wrong: an empty list says
    /// nothing.
    pub(crate) fn says(&self, key: &str) -> bool {
        let value = self.table.get(key);
        value.is_some_and(|value| value.get_ref().as_array().is_none_or(|list| !list.is_empty()))
    }

    fn note(&self, value: &Spanned<DeValue<'_>>, key: &str, message: String) {
        let problem = self.document.problem(value.span().start, &self.key(key), message);
        self.document.problems.borrow_mut().push(problem);
    }

    /// Notes a problem of the table as a whole.
    pub(crate) fn complain(&self, key: &str, message: impl Into<String>) {
        let (file, line) = (self.document.file.to_owned(), self.line);
        let line = self.table.get(key).map_or(line, |value| self.document.line(value.span().start));
        let problem = Problem { file, line, key: self.key(key), message: message.into() };
        self.document.problems.borrow_mut().push(problem);
    }

    /// Notes a problem where there is such a key, in place of the one that it is none.
    pub(crate) fn refuse(&self, key: &str, message: &str) {
        if self.table.contains_key(key) {
            self.refused.borrow_mut().insert(key.to_owned());
            self.complain(key, message);
        }
    }

    /// Where the value of a key stands; of the table, where there is no such key.
    pub(crate) fn origin_of(&self, key: &str) -> Origin {
        let value = self.table.get(key);
        value.map_or_else(|| self.origin(), |value| self.document.origin(value.span().start))
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let found = read(value.get_ref());
        if found.is_none() {
            self.note(value, key, format!("must be {wanted}"));
        }
        found
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&self, key: &str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let wanted = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.typed(key, &wanted, |value| {
            let number = value.as_integer()?;
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).ok().filter(|n| bounds.contains(n))
        })
    }

    /// A share, 0 to 1.
    pub(crate) fn share(&self, key: &str) -> Option<f64> {
        self.typed(key, "a share from 0.0 to 1.0", |value| {
            let digits = value
                .as_float()
                .map(|number| number.as_str())
                .or_else(|| value.as_integer().map(|number| number.as_str()))?;
            digits.replace('_', "").parse().ok().filter(|share| (0.0..=1.0).contains(share))
        })
    }

    /// Yes or no.
    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.typed(key, "a text that is not empty", |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        })
    }

    /// A date, quoted or not.
    pub(crate) fn date(&self, key: &str) -> Option<jiff::civil::Date> {
        self.typed(key, "a date such as 2026-11-21", |value| {
            let text = match value {
                DeValue::Datetime(date) => date.to_string(),
                other => other.as_str()?.to_owned(),
            };
            text.parse().ok()
        })
    }

    /// A list of texts that are not empty.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<String>> {
        self.typed(key, "a list of texts that are not empty", |value| {
            let texts = value.as_array()?.iter();
            let text = |text: &Spanned<DeValue<'_>>| {
                let text = text.get_ref().as_str()?;
                (!text.trim().is_empty()).then(|| text.to_owned())
            };
            texts.map(text).collect()
        })
    }

    /// A list of texts, each read by its own rule; every wrong one is a problem of its own.
    pub(crate) fn parsed<T, E: fmt::Display>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let value = self.take(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.note(value, key, "must be a list of texts".to_owned());
            return None;
        };
        Some(list.iter().filter_map(|item| self.item(key, item, &parse)).collect())
    }

    /// The same, each with where it stands, for a text that may stand alone, without a list around
    /// it.
    pub(crate) fn parsed_one_or_more<T, E: fmt::Display>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<(T, Origin)>> {
        let value = self.take(key)?;
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::String(_) => vec![value],
            DeValue::Array(list) => list.iter().collect(),
            _ => {
                self.note(value, key, "must be a text or a list of texts".to_owned());
                return None;
            }
        };
        let located = |item: &Spanned<DeValue<'_>>| {
            let origin = self.document.origin(item.span().start);
            self.item(key, item, &parse).map(|good| (good, origin))
        };
        Some(items.into_iter().filter_map(located).collect())
    }

    /// A text, read by its own rule.
    pub(crate) fn parsed_one<T, E: fmt::Display>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.item(key, self.take(key)?, parse)
    }

    fn item<T, E: fmt::Display>(
        &self,
        key: &str,
        item: &Spanned<DeValue<'_>>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        match item.get_ref().as_str().map(parse) {
            Some(Ok(good)) => return Some(good),
            Some(Err(error)) => self.note(item, key, error.to_string()),
            None => self.note(item, key, "must be a text".to_owned()),
        }
        None
    }

    fn below(&self, value: &'t Spanned<DeValue<'t>>, path: String) -> Option<Reader<'t>> {
        let table = value.get_ref().as_table()?;
        let line = self.document.line(value.span().start);
        let (taken, refused) = (RefCell::default(), RefCell::default());
        Some(Reader { document: self.document, table, path, taken, refused, line })
    }

    /// Reads a table, then complains about keys in it that nobody asked for.
    pub(crate) fn table<T>(&self, key: &str, read: impl FnOnce(&Reader<'_>) -> T) -> Option<T> {
        let value = self.take(key)?;
        let Some(below) = self.below(value, self.key(key)) else {
            self.note(value, key, "must be a table".to_owned());
            return None;
        };
        let read = read(&below);
        below.finish();
        Some(read)
    }

    /// Reads every table of a list of tables; those that `read` gives up are left out (and have
    /// been complained about).
    pub(crate) fn tables<T>(
        &self,
        key: &str,
        read: impl Fn(&Reader<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.take(key)?;
        let Some(list) = value.get_ref().as_array() else {
            self.note(
                value,
                key,
                format!("must be a list of tables, each under [[{}]]", self.key(key)),
            );
            return None;
        };
        let mut all = Vec::new();
        for (at, item) in list.iter().enumerate() {
            match self.below(item, format!("{}[{at}]", self.key(key))) {
                Some(below) => {
                    all.extend(read(&below));
                    below.finish();
                }
                None => self.note(item, key, "must be a table".to_owned()),
            }
        }
        Some(all)
    }

    /// The keys of the table, for tables whose keys the user names.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    fn finish(&self) {
        let taken = self.taken.borrow();
        for key in self.table.keys().filter(|key| !taken.contains(key.get_ref().as_ref())) {
            let known: Vec<&str> = taken.iter().map(String::as_str).collect();
            if self.refused.borrow().contains(key.get_ref().as_ref()) {
                continue;
            }
            let message = format!("is not a key here; keys are {}", known.join(", "));
            let problem =
                self.document.problem(key.span().start, &self.key(key.get_ref()), message);
            self.document.problems.borrow_mut().push(problem);
        }
    }
}
