//! YAML and JSON as one tree that never holds what may be secret: the values under the keys that
//! carry keys, tokens and passwords are left out while it is read.

use std::fmt;

use saphyr_parser::{Event, Parser, StrInput};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::bounds::LONGEST_TEXT;

/// A value. Numbers and truth values are their text.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Tree {
    /// Nothing, or what was left out.
    Nothing,
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// Deeper files are not settings but attacks.
const MAX_DEPTH: usize = 48;
/// A file has no more values than this.
const MAX_VALUES: usize = 500_000;

impl Tree {
    /// What lies under a key; upper and lower case are the same.
    pub(crate) fn at(&self, key: &str) -> &Self {
        let Self::Map(entries) = self else { return &Self::Nothing };
        let found = entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map_or(&Self::Nothing, |(_, value)| value)
    }

    /// What lies under a key under a key and so on.
    pub(crate) fn below(&self, keys: &[&str]) -> &Self {
        keys.iter().fold(self, |tree, key| tree.at(key))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn owned(&self) -> Option<String> {
        self.text().and_then(crate::bounds::short)
    }

    pub(crate) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    pub(crate) fn truth(&self) -> Option<bool> {
        self.text().and_then(crate::settings::yes)
    }

    /// Calls this for every map of the tree, the outer ones first. The depth is bounded by how
    /// trees are read.
    pub(crate) fn each_map<'t>(&'t self, call: &mut impl FnMut(&'t Self)) {
        match self {
            Self::Map(entries) => {
                call(self);
                entries.iter().for_each(|(_, value)| value.each_map(call));
            }
            Self::List(items) => items.iter().for_each(|item| item.each_map(call)),
            _ => {}
        }
    }
}

/// Whether what lies under this key may be secret and is nothing that we read.
fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 5] = ["password", "passwd", "secret", "token", "credential"];
    const KEYS: [&str; 6] = ["data", "stringData", "key", "hmac", "email", "contacts"];
    if KEYS.iter().any(|word| key.eq_ignore_ascii_case(word)) {
        return true;
    }
    // Names of objects, such as cert-manager's `secretName`, are none.
    let contains = |word: &str| {
        let windows = key.as_bytes().windows(word.len());
        { windows }.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    !key.ends_with("Name") && WORDS.iter().any(|word| contains(word))
}

/// Whether this key may carry a private key as text. A map below it says what key is wanted.
fn hides_text(key: &str) -> bool {
    ["privateKey", "private_key", "privkey"].iter().any(|word| key.eq_ignore_ascii_case(word))
}

/// Longer texts are encodings; none of them is read.
fn leaf(text: &str) -> Tree {
    if text.len() > LONGEST_TEXT || text.contains("PRIVATE KEY") {
        return Tree::Nothing;
    }
    Tree::Text(text.to_owned())
}

/// Reads one JSON document.
pub(crate) fn json(text: &str) -> Option<Tree> {
    let mut left = MAX_VALUES;
    let mut document = serde_json::Deserializer::from_str(text);
    Seed { left: &mut left, depth: 0, hidden: false }.deserialize(&mut document).ok()
}

/// Reads the documents of a YAML file as far as they are well formed.
pub(crate) fn yaml(text: &str) -> Vec<Tree> {
    let mut reader = Reader { events: Parser::new_from_str(text), left: MAX_VALUES };
    let mut documents = Vec::new();
    while let Some(event) = reader.next() {
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            event => match reader.node(event, 0, false) {
                Some(document) => documents.push(document),
                None => break,
            },
        }
    }
    documents
}

/// Reads JSON where it looks so, otherwise YAML.
pub(crate) fn documents(text: &str) -> Vec<Tree> {
    if text.trim_start().starts_with(['{', '[']) {
        return json(text).into_iter().collect();
    }
    yaml(text)
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    left: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<Event<'t>> {
        self.left = self.left.checked_sub(1)?;
        self.events.next()?.ok().map(|(event, _)| event)
    }

    fn node(&mut self, event: Event<'t>, depth: usize, hidden: bool) -> Option<Tree> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match event {
            Event::Scalar(..) if hidden => Tree::Nothing,
            Event::Scalar(text, ..) => leaf(&text),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break Tree::List(items),
                        event => items.push(self.node(event, depth + 1, hidden)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let event = match self.next()? {
                        Event::MappingEnd => break Tree::Map(entries),
                        event => event,
                    };
                    let key = self.node(event, depth + 1, hidden)?;
                    let key = key.text().unwrap_or_default().to_owned();
                    let event = self.next()?;
                    let text = matches!(event, Event::Scalar(..)) && hides_text(&key);
                    let value = self.node(event, depth + 1, hidden || text || is_secret(&key))?;
                    entries.push((key, value));
                }
            }
            // What an alias means would have to be kept for it, and could grow without bound.
            Event::Alias(_) => Tree::Nothing,
            _ => return None,
        })
    }
}

struct Seed<'l> {
    left: &'l mut usize,
    depth: usize,
    /// Whether this is not to be kept when it is a text.
    hidden: bool,
}

impl Seed<'_> {
    fn deeper<E: serde::de::Error>(&mut self) -> Result<Seed<'_>, E> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        if self.depth == MAX_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Seed { left: self.left, depth: self.depth + 1, hidden: false })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Tree, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(if self.hidden { Tree::Nothing } else { leaf(value) })
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self.deeper::<A::Error>()?)? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = from.next_key::<String>()? {
            if key.len() > LONGEST_TEXT {
                return Err(A::Error::custom("a key that is none"));
            }
            let value = if is_secret(&key) {
                from.next_value::<IgnoredAny>()?;
                Tree::Nothing
            } else {
                let hidden = hides_text(&key);
                from.next_value_seed(Seed { hidden, ..self.deeper::<A::Error>()? })?
            };
            entries.push((key, value));
        }
        Ok(Tree::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_give_the_same_tree_without_secrets() {
        let yaml =
            yaml("a: {B: 1, c: [x, true]}\ndata:\n  tls.key: canary\nkey: canary\n---\nz: 1\n");
        let json =
            json(r#"{"a":{"B":1,"c":["x",true]},"data":{"tls.key":"canary"},"key":"canary"}"#)
                .unwrap();
        assert_eq!(yaml.len(), 2);
        assert_eq!(json.below(&["a", "b"]).text(), Some("1"));
        assert_eq!(yaml[0].at("a"), json.at("a"));
        assert!(!format!("{yaml:?}{json:?}").contains("canary"));
        assert_eq!(documents("{\"a\": 1} x").len(), 1);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
        assert!(json(&deep).is_none() && yaml(&deep).is_empty());
        let long = format!("[\"{}\"]", "x".repeat(LONGEST_TEXT + 1));
        assert_eq!(json(&long), Some(Tree::List(vec![Tree::Nothing])));
    }
}
