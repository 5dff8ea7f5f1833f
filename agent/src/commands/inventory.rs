//! `inventory`: what was found.

use std::path::Path;

use anyhow::Context as _;
use pki_inventory::{Asset, Body, Inventory, View};

use crate::cli::InventoryCommand;
use crate::desk;
use crate::{Ending, output};

/// Lists, shows or exports.
pub fn execute(command: InventoryCommand, store: &Path) -> anyhow::Result<Ending> {
    let store = desk::open(store)?;
    match command {
        InventoryCommand::List { kind, selection } => {
            let inventory = desk::select(&store, &selection)?;
            output::stream(|out| {
                for asset in
                    inventory.assets().filter(|a| kind.is_none_or(|kind| a.id.kind == kind))
                {
                    writeln!(out, "{}", line(asset))?;
                }
                Ok(())
            })?;
        }
        InventoryCommand::Show { asset, selection } => {
            let inventory = desk::select(&store, &selection)?;
            let id = desk::find_asset(&inventory, &asset)?;
            let asset = inventory.get(id).with_context(|| format!("{id} is not in this run"))?;
            let value = pki_report::inventory_jsonl(asset, &View::of(&inventory));
            output::print(&format!("{}\n", serde_json::to_string_pretty(&value)?))?;
        }
        InventoryCommand::Export { format: _, kind, gaps, selection } => {
            let inventory = desk::select(&store, &selection)?;
            if gaps {
                export_gaps(&inventory)?;
            } else {
                let view = View::of(&inventory);
                output::stream(|out| {
                    let wanted = |a: &&Asset| kind.is_none_or(|kind| a.id.kind == kind);
                    for asset in inventory.assets().filter(wanted) {
                        writeln!(out, "{}", pki_report::inventory_jsonl(asset, &view))?;
                    }
                    Ok(())
                })?;
            }
        }
    }
    Ok(Ending::Fine)
}

/// One gap a line.
pub fn export_gaps(inventory: &Inventory) -> anyhow::Result<()> {
    output::stream(|out| {
        for gap in inventory.gaps() {
            writeln!(out, "{}", pki_report::gap_line(gap))?;
        }
        Ok(())
    })
}

/// Kind, short id, what it is, where it was seen.
fn line(asset: &Asset) -> String {
    let told = match &asset.body {
        Body::Certificate(c) => {
            format!("{} until {} by {}", c.display_name(), c.not_after.date(), c.issuer.text)
        }
        Body::Endpoint(e) => e.session().map_or_else(
            || "no TLS".to_owned(),
            |s| {
                format!(
                    "{} {}",
                    s.version.as_deref().unwrap_or("-"),
                    s.cipher_suite.as_deref().unwrap_or("-")
                )
            },
        ),
        Body::Key(k) => k.algorithm.as_ref().map_or_else(|| "encrypted".to_owned(), |a| a.label()),
        Body::RevocationList(l) => format!("{} entries by {}", l.entries, l.issuer.text),
        Body::SigningRequest(r) => r.subject.text.clone(),
        Body::TrustStore(t) => format!("{} members", t.members.len()),
        Body::Unparsed(u) => format!("{}: {}", u.claimed, u.error),
    };
    let mut places = asset.places();
    let first = places.next().map(ToString::to_string).unwrap_or_default();
    let more = places.count();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{:<16} {}  {told}  {first}{more}", asset.id.kind, asset.id.sha256.short())
}
