//! Which object of Kubernetes a line belongs to, as far as lines tell.
//!
//! No parser of YAML: manifests of any size, templates that are no YAML yet, and JSON go the same
//! way. What `kubectl` writes has the kind below the data, what people write has it above.

use std::ops::Range;

/// A document, and the name of the object in it.
pub(super) struct Document {
    place: Range<usize>,
    name: Option<String>,
}

/// How far is looked in both directions.
const FAR: usize = 64 * 1024;

/// What a line of YAML, or of JSON with one member on a line, says.
struct Line<'a> {
    indent: usize,
    key: &'a str,
    value: &'a str,
}

impl Document {
    /// The document around a place in a text.
    pub(super) fn around(text: &[u8], at: usize) -> Self {
        let place = start(text, at)..end(text, at);
        let name = name(&text[place.clone()]);
        Self { place, name }
    }

    /// Whether this place is in it.
    pub(super) fn holds(&self, at: usize) -> bool {
        self.place.contains(&at)
    }

    /// Whether it may go on behind a text of this length, and is worth waiting for.
    pub(super) fn goes_on(&self, at: usize, length: usize) -> bool {
        self.place.end == length && length - at < FAR
    }

    /// Such as `Secret shop/web-tls`.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Where the document begins: behind a separator, or at the first member of an object. That is the
/// version, with the kind before it or not.
fn start(text: &[u8], at: usize) -> usize {
    let least = at.saturating_sub(FAR);
    let mut start = line_start(text, at, least);
    loop {
        let line = &text[start..];
        if is_separator(line) {
            return start;
        }
        if begins(line, "apiVersion") {
            let before = line_start(text, start.saturating_sub(1), least);
            return if begins(&text[before..start], "kind") { before } else { start };
        }
        if start <= least {
            return start;
        }
        start = line_start(text, start - 1, least);
    }
}

fn end(text: &[u8], at: usize) -> usize {
    let most = text.len().min(at + FAR);
    let mut end = at;
    while let Some(next) = memchr::memchr(b'\n', &text[end..most]).map(|line| end + line + 1) {
        end = next;
        if is_separator(&text[end..]) || begins(&text[end..], "apiVersion") {
            return end;
        }
    }
    most
}

fn line_start(text: &[u8], at: usize, least: usize) -> usize {
    memchr::memrchr(b'\n', &text[least.min(at)..at]).map_or(least.min(at), |end| least + end + 1)
}

fn is_separator(line: &[u8]) -> bool {
    line.starts_with(b"---") && !line.starts_with(b"----")
}

fn begins(line: &[u8], key: &str) -> bool {
    read(line).is_some_and(|line| line.key == key)
}

fn name(document: &[u8]) -> Option<String> {
    let (mut kind, mut name, mut namespace) = (None, None, None);
    // How far `metadata`, and what is in it, are indented.
    let mut inside: Option<(usize, Option<usize>)> = None;
    for line in document.split(|octet| *octet == b'\n').filter_map(read) {
        if let Some((outer, members)) = &mut inside {
            if line.indent <= *outer {
                inside = None;
            } else {
                let members = *members.get_or_insert(line.indent);
                match line.key {
                    "name" if line.indent == members => name = name.or(identifier(line.value)),
                    "namespace" if line.indent == members => {
                        namespace = namespace.or(identifier(line.value));
                    }
                    _ => {}
                }
                continue;
            }
        }
        match line.key {
            "kind" => kind = kind.or(identifier(line.value)),
            "metadata" if name.is_none() => inside = Some((line.indent, None)),
            _ => {}
        }
    }
    let (kind, name) = (kind?, name?);
    Some(match namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    })
}

/// A name as Kubernetes allows it; nothing else gets into a label.
fn identifier(value: &str) -> Option<&str> {
    let part = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
    ((1..=253).contains(&value.len()) && value.bytes().all(part)).then_some(value)
}

/// The first line of this text.
fn read(text: &[u8]) -> Option<Line<'_>> {
    let near = &text[..text.len().min(512)];
    let line = near.split(|octet| *octet == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    // The dash of a list, or the brace of JSON, stands in the indentation.
    let content = line.trim_start_matches([' ', '\t', '{', '-']);
    let indent = line.len() - content.len();
    let (key, value) = content.split_once(':')?;
    let quotes: &[char] = &['"', '\'', ' ', ',', '\r', '\t'];
    Some(Line { indent, key: key.trim_matches(quotes), value: value.trim_matches(quotes) })
}
