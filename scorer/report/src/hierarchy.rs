//! The hierarchy of authorities: what is told of each, and the tree for a terminal.

use std::collections::BTreeMap;

use pki_inventory::{Node, Time};

use crate::plain::WIDTH;
use crate::text::{line, shortened};

/// So many levels are drawn; what is deeper stands in the last one with its level in words.
const LEVELS: usize = 10;

/// Until when it is valid, and whether it is at this instant.
pub(crate) fn validity(node: &Node<'_>, as_of: Time) -> (bool, String) {
    let (begin, end) = (node.certificate.not_before, node.certificate.not_after);
    if end < as_of {
        (false, format!("expired {}", end.date()))
    } else if as_of < begin {
        (false, format!("not valid before {}", begin.date()))
    } else {
        (true, format!("until {}", end.date()))
    }
}

/// How it stands to what is above it.
pub(crate) fn above(node: &Node<'_>) -> String {
    let more = match node.also_below.len() {
        0 => String::new(),
        1 => ", also certified by another".to_owned(),
        count => format!(", also certified by {count} others"),
    };
    if node.parent.is_some() {
        return more.trim_start_matches(", ").to_owned();
    }
    if node.is_root() {
        return format!("self-signed{more}");
    }
    if more.is_empty() { "its issuer was not seen".to_owned() } else { more[2..].to_owned() }
}

/// How many certificates it issued that are here.
pub(crate) fn issued(node: &Node<'_>) -> String {
    match node.issued {
        0 => "issued nothing here".to_owned(),
        1 => "issued 1 certificate here".to_owned(),
        count => format!("issued {count} certificates here"),
    }
}

/// Until when its newest revocation list is good, and whether it is at this instant.
pub(crate) fn revocation(node: &Node<'_>, as_of: Time) -> (bool, String) {
    if node.lists.is_empty() {
        return (true, "no revocation list seen".to_owned());
    }
    match node.next_update() {
        None => (true, "revocation list without an end".to_owned()),
        Some(next) if next < as_of => {
            (false, format!("revocation list overdue since {}", next.date()))
        }
        Some(next) => (true, format!("revocation list until {}", next.date())),
    }
}

/// The same, with how many lists there are.
pub(crate) fn all_revocation(node: &Node<'_>, as_of: Time) -> String {
    let (_, newest) = revocation(node, as_of);
    match node.lists.len() + node.older_lists {
        0 | 1 => newest,
        count => format!("{newest}, the newest of {count}"),
    }
}

/// The tree, two lines for each certificate, none wider than a terminal.
pub(crate) fn tree(nodes: &[Node<'_>], as_of: Time, indent: usize) -> String {
    let mut last: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        last.insert(node.parent, at);
    }
    let has_children = |at: usize| last.contains_key(&Some(at));
    let is_last = |at: usize| last.get(&nodes[at].parent) == Some(&at);
    // What stands before the branch of each node.
    let mut stems: Vec<String> = Vec::with_capacity(nodes.len());
    let mut text = String::new();
    for (at, node) in nodes.iter().enumerate() {
        let stem = match node.parent {
            None => String::new(),
            // The branches of roots would all hang on nothing.
            Some(above) if nodes[above].parent.is_none() => stems[above].clone(),
            Some(above) if node.depth > LEVELS => stems[above].clone(),
            Some(above) => {
                let bar = if is_last(above) { "   " } else { "│  " };
                format!("{}{bar}", stems[above])
            }
        };
        let branch = match (node.parent, is_last(at)) {
            (None, _) => "",
            (Some(_), true) => "└─ ",
            (Some(_), false) => "├─ ",
        };
        let under = match (node.parent, is_last(at)) {
            (None, _) => "",
            (Some(_), true) => "   ",
            (Some(_), false) => "│  ",
        };
        let level = if node.depth > LEVELS {
            format!("(level {}) ", node.depth + 1)
        } else {
            String::new()
        };
        let (_, end) = validity(node, as_of);
        let told = format!("  {}  {end}", shortened(&line(&node.certificate.key.label()), 24));
        let start = format!("{}{stem}{branch}{level}", " ".repeat(indent));
        let room = WIDTH.saturating_sub(start.chars().count() + told.chars().count()).max(12);
        let name = shortened(&line(&node.certificate.display_name()), room);
        push(&mut text, &format!("{start}{name}{told}"));

        let bar = if has_children(at) { "│ " } else { "  " };
        let start = format!("{}{stem}{under}{bar}", " ".repeat(indent));
        let parts = [above(node), issued(node), all_revocation(node, as_of)];
        let room = WIDTH.saturating_sub(start.chars().count() + 18);
        let id = node.asset.id.sha256.short();
        for (number, told) in packed(&parts, room).iter().enumerate() {
            let id = if number == 0 { &id } else { "" };
            push(&mut text, &format!("{start}{id:<16}  {told}"));
        }
        stems.push(stem);
    }
    text
}

/// As many parts in a line as fit.
fn packed(parts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + part.chars().count() <= room => {
                line.push_str("; ");
                line.push_str(part);
            }
            _ => lines.push(shortened(part, room)),
        }
    }
    lines
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}
