//! JSON in which nothing acts on a terminal or an editor.
//!
//! JSON itself asks for escapes below U+0020 only (RFC 8259, section 7). A name may hold a
//! right-to-left override or one of the control characters above U+007F as well, and exports are
//! looked at in terminals. An escape means the same to every reader.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::text::acts;

/// A value in one line, without a line break at its end.
#[must_use]
pub fn json_line(value: &Value) -> String {
    written(value, CompactFormatter)
}

/// A value in indented lines, without a line break at its end.
#[must_use]
pub fn json_pretty(value: &Value) -> String {
    written(value, PrettyFormatter::new())
}

/// Writes anything in indented lines.
pub(crate) fn pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Safe(PrettyFormatter::new())))?;
    Ok(())
}

fn written(value: &Value, formatter: impl Formatter) -> String {
    let mut out = Vec::new();
    // A value has text keys, and a vector takes everything.
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Safe(formatter)));
    written.map(|()| String::from_utf8(out).unwrap_or_default()).unwrap_or_default()
}

/// Another formatter's layout, with the escapes added.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| acts(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_escaped_and_reads_back_as_it_was() {
        let text = "a\u{202e}b\u{9b}31m\u{1b}\n\u{7f}\u{e0001}ü\"\\";
        let value = serde_json::json!({ text: [text, 1, { "b": null }], "empty": [] });
        for written in [json_line(&value), json_pretty(&value)] {
            assert!(!written.contains(|c: char| acts(c) && c != '\n'), "{written}");
            assert!(written.contains("\\u202e") && written.contains("\\u009b"), "{written}");
            assert_eq!(serde_json::from_str::<Value>(&written).ok(), Some(value.clone()));
        }
        assert_eq!(json_line(&value).lines().count(), 1);
        let plain = serde_json::json!({ "a": [1, { "b": "c" }] });
        assert_eq!(json_line(&plain), plain.to_string());
        assert_eq!(Some(json_pretty(&plain)), serde_json::to_string_pretty(&plain).ok());
    }
}
