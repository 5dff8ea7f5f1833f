//! The hierarchy of authorities as inline SVG: a box for each CA certificate, in a column for each
//! level, each below and behind the one that certified it.

use std::collections::BTreeMap;

use askama::Template;
use pki_inventory::{Node, hierarchy};

use super::Context;
use crate::hierarchy as words_of;
use crate::text::{line, shortened};
use crate::words;

/// So many boxes and levels are drawn.
const BOXES: usize = 1_000;
const LEVELS: usize = 8;

/// So many of them are told in the description: it is read out as a whole.
const TOLD: usize = 100;

/// A box, in pixels, and what lies between two.
const WIDTH: usize = 288;
const HEIGHT: usize = 82;
const BESIDE: usize = 44;
const BELOW: usize = 12;

/// So many characters fit in a line of a box.
const NAME: usize = 32;
const LINE: usize = 42;

#[derive(Template)]
#[template(path = "hierarchy.html")]
pub(super) struct Hierarchy {
    pub(super) count: usize,
    width: usize,
    height: usize,
    /// Size of a box.
    size: (usize, usize),
    /// What the picture says, in sentences.
    description: String,
    edges: Vec<String>,
    nodes: Vec<Drawn>,
    left_out: usize,
}

struct Drawn {
    href: String,
    /// `ended` for what is not valid, else empty.
    class: &'static str,
    x: usize,
    y: usize,
    /// All of it, for who stops at the box.
    title: String,
    /// Position in the box, class and text of each line.
    lines: Vec<(usize, &'static str, String)>,
}

/// `None` where there is no CA certificate but in trust stores.
pub(super) fn hierarchy_of(context: &Context<'_>) -> Option<Hierarchy> {
    let nodes = hierarchy(&context.view);
    let count = nodes.len();
    if count == 0 {
        return None;
    }
    // Those above a node stand before it: what is cut off leaves no branch without its stem.
    let drawn: Vec<usize> = (0..count).filter(|at| nodes[*at].depth < LEVELS).take(BOXES).collect();
    let mut top: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut rows, mut edges, mut boxes, mut deepest) = (0, Vec::new(), Vec::new(), 0);
    let mut before: Option<usize> = None;
    for at in drawn {
        let node = &nodes[at];
        // The first below another stands beside it, every other one in a row of its own.
        if before.is_some() && (before != node.parent || node.parent.is_none()) {
            rows += 1;
        }
        before = Some(at);
        let (x, y) = (1 + node.depth * (WIDTH + BESIDE), 1 + rows * (HEIGHT + BELOW));
        top.insert(at, y);
        deepest = deepest.max(node.depth);
        if let Some(above) = node.parent.and_then(|parent| top.get(&parent)) {
            let (start, bend) = (x - BESIDE, x - BESIDE / 2);
            let (from, to) = (above + HEIGHT / 2, y + HEIGHT / 2);
            edges.push(format!("M{start} {from}H{bend}V{to}H{x}"));
        }
        boxes.push(boxed(context, &nodes, at, (x, y)));
    }
    Some(Hierarchy {
        count,
        width: 2 + deepest * (WIDTH + BESIDE) + WIDTH,
        height: 2 + rows * (HEIGHT + BELOW) + HEIGHT,
        size: (WIDTH, HEIGHT),
        description: description(context, &nodes),
        edges,
        left_out: count - boxes.len(),
        nodes: boxes,
    })
}

fn boxed(context: &Context<'_>, nodes: &[Node<'_>], at: usize, (x, y): (usize, usize)) -> Drawn {
    let node = &nodes[at];
    let as_of = context.document.assessment.as_of;
    let name = line(&node.certificate.display_name());
    let key = line(&node.certificate.key.label());
    let (valid, end) = words_of::validity(node, as_of);
    let (current, list) = words_of::revocation(node, as_of);
    let above = words_of::above(node);
    let key_and_above = if above.is_empty() { key.clone() } else { format!("{key} · {above}") };
    let until = match node.issued {
        0 => words::capital(&end),
        count => format!("{} · issued {count} here", words::capital(&end)),
    };
    let texts = [
        (22, if valid { "name" } else { "name bad" }, shortened(&name, NAME)),
        (38, if valid { "until" } else { "until bad" }, until),
        (54, "more", shortened(&key_and_above, LINE)),
        (70, if current { "more" } else { "more bad" }, shortened(&list, LINE)),
    ];
    let title =
        [name, end, key, above, words_of::issued(node), words_of::all_revocation(node, as_of)];
    let title: Vec<String> = title.into_iter().filter(|part| !part.is_empty()).collect();
    Drawn {
        href: context.href(node.asset.id).unwrap_or_default(),
        class: if valid { "" } else { "ended" },
        x,
        y,
        title: title.join("; "),
        lines: texts.into(),
    }
}

fn description(context: &Context<'_>, nodes: &[Node<'_>]) -> String {
    let as_of = context.document.assessment.as_of;
    let told = nodes.iter().take(TOLD).map(|node| {
        let name = node.certificate.display_name();
        let (_, end) = words_of::validity(node, as_of);
        let above = node.parent.map_or_else(
            || "at the top".to_owned(),
            |parent| format!("below {}", nodes[parent].certificate.display_name()),
        );
        format!("{name}, {above}, {end}.")
    });
    let mut told: Vec<String> = told.collect();
    if nodes.len() > TOLD {
        told.push(format!("And {} more.", nodes.len() - TOLD));
    }
    told.join(" ")
}
