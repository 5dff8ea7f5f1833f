//! A YAML tree that knows the line of everything in it, so that every problem can name its place.

use saphyr_parser::{Event, Parser, Span};

/// A value with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What it is. Scalars stay text: what they mean is for the reader of the key to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Deeper files are not answers but attacks.
const MAX_DEPTH: usize = 16;

type Events<'t> = Parser<'t, saphyr_parser::StrInput<'t>>;

/// Parses one document.
///
/// # Errors
///
/// The line and what is wrong there: not YAML, several documents, aliases, too deep.
pub(crate) fn parse(text: &str) -> Result<Node, (usize, String)> {
    let mut events = Parser::new_from_str(text);
    let mut root = None;
    loop {
        let (event, span) = next(&mut events)?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => {
                return Ok(root.unwrap_or(Node { line: 1, value: Value::Null }));
            }
            event if root.is_none() => root = Some(node(&mut events, event, span, 0)?),
            _ => return Err((span.start.line(), "a second document begins here".to_owned())),
        }
    }
}

fn next<'t>(events: &mut Events<'t>) -> Result<(Event<'t>, Span), (usize, String)> {
    match events.next() {
        Some(Ok(event)) => Ok(event),
        Some(Err(error)) => Err((error.marker().line(), format!("is not YAML: {}", error.info()))),
        None => Err((1, "the file ends before its document".to_owned())),
    }
}

fn node<'t>(
    events: &mut Events<'t>,
    event: Event<'t>,
    span: Span,
    depth: usize,
) -> Result<Node, (usize, String)> {
    let line = span.start.line();
    if depth > MAX_DEPTH {
        return Err((line, format!("is nested deeper than {MAX_DEPTH} levels")));
    }
    let value = match event {
        Event::Scalar(text, style, ..) => scalar(&text, style),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(events)? {
                    (Event::SequenceEnd, _) => break Value::List(items),
                    (event, span) => items.push(node(events, event, span, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                match next(events)? {
                    (Event::MappingEnd, _) => break Value::Map(entries),
                    (event, span) => {
                        let key = node(events, event, span, depth + 1)?;
                        let (event, span) = next(events)?;
                        entries.push((key, node(events, event, span, depth + 1)?));
                    }
                }
            }
        }
        Event::Alias(_) => {
            return Err((line, "aliases are not read; write the text out".to_owned()));
        }
        _ => return Err((line, "is not YAML that is read here".to_owned())),
    };
    Ok(Node { line, value })
}

fn scalar(text: &str, style: saphyr_parser::ScalarStyle) -> Value {
    let plain = style == saphyr_parser::ScalarStyle::Plain;
    if plain && ["", "~", "null", "Null", "NULL"].contains(&text) {
        return Value::Null;
    }
    Value::Text(text.to_owned())
}
