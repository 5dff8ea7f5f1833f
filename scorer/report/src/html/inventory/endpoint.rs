//! Services that answered.

use pki_inventory::{Asset, AssetId, Endpoint, Handshake, Kind};

use super::super::Context;
use super::super::table::{Cell, Table};
use super::{configuration, named, seen, small, with_id};
use crate::{endpoint as words_of, titles, words};

pub(super) const HEAD: &[&str] =
    &["Endpoint", "Outcome", "Protocol versions", "Key exchange and status", "Chain", "Seen"];

pub(super) fn row(context: &Context<'_>, asset: &Asset, body: &Endpoint) -> Vec<Cell> {
    let session = body.session();
    let none = || Cell::text("–");
    let chain = session.map_or(&[][..], |session| &session.chain);
    let chain = chain.iter().fold(Cell::default(), |cell, digest| {
        let id = AssetId::new(Kind::Certificate, *digest);
        let href = context.href(id).unwrap_or_default();
        cell.linked(titles::by_id(id, &context.view), href)
    });
    let facts = words_of::chain(asset, body, &context.view);
    let anchors = words_of::trust_stores(body, &context.view);
    let facts = facts.map(|facts| {
        let lines = words_of::chain_lines(&facts, &context.view);
        lines.into_iter().chain(anchors).collect::<Vec<_>>()
    });
    let protocol = session.map_or_else(none, |session| {
        let settled = session.version.clone().unwrap_or_else(|| "not settled".to_owned());
        Cell::text(settled).classed(session.cipher_suite.clone().unwrap_or_default(), "small code")
    });
    let protocol = match body.handshake {
        Handshake::NoTls { .. } => none(),
        _ => small(protocol, words_of::versions(body)),
    };
    let protocol = match &body.posture {
        None => protocol,
        Some(posture) => {
            let mut table = Table::new("What many handshakes showed", &["Question", "Answer"]);
            for (question, lines) in words_of::posture(posture, &context.view) {
                let answer = lines.into_iter().fold(Cell::default(), Cell::and);
                table.row("", vec![Cell::text(question), answer]);
            }
            protocol.opening("Posture", table)
        }
    };
    let exchange = session.map_or_else(none, |session| {
        let group = session.group.clone();
        let cell = Cell::text(group.unwrap_or_else(|| "no group settled".to_owned()))
            .small(words_of::client(session))
            .small(words_of::staple(session));
        small(cell, words_of::extensions(session))
    });
    let connections = words::count(body.connections as usize, "connection", "connections");
    let outcome = Cell::text(words::capital(&titles::outcome(&body.handshake))).small(connections);
    let settings = context.view.configurations_of(asset);
    let outcome = named(context, outcome, "set up by", &settings);
    vec![
        with_id(Cell::code(titles::asset(asset)), asset),
        configuration::compared(context, outcome, asset),
        protocol,
        exchange,
        small(chain, facts.unwrap_or_default()),
        seen(asset),
    ]
}
