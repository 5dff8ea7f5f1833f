//! `inventory`: what was found.

use std::path::Path;

use anyhow::Context as _;
use pki_inventory::{Asset, Inventory, View};

use crate::cli::InventoryCommand;
use crate::desk;
use crate::{Ending, output, pipeline};

/// Lists, shows or exports.
pub fn execute(command: InventoryCommand, store: &Path) -> anyhow::Result<Ending> {
    let store = desk::open(store)?;
    match command {
        InventoryCommand::List { kind, selection } => {
            let inventory = desk::select(&store, &selection)?;
            let view = View::of(&inventory);
            output::stream(|out| {
                for asset in
                    inventory.assets().filter(|a| kind.is_none_or(|kind| a.id.kind == kind))
                {
                    writeln!(out, "{}", pki_report::list_line(asset, &view))?;
                }
                Ok(())
            })?;
        }
        InventoryCommand::Cas { as_of, selection } => {
            let inventory = desk::select(&store, &selection)?;
            let as_of = as_of.unwrap_or_else(pipeline::now);
            let text = pki_report::cas(&inventory, &View::of(&inventory), as_of);
            output::print(&output::plain(&text))?;
        }
        InventoryCommand::Templates { selection } => {
            let inventory = desk::select(&store, &selection)?;
            let text = pki_report::templates(&View::of(&inventory));
            output::print(&output::plain(&text))?;
        }
        InventoryCommand::Tokens { selection } => {
            let inventory = desk::select(&store, &selection)?;
            let text = pki_report::tokens(&View::of(&inventory));
            output::print(&output::plain(&text))?;
        }
        InventoryCommand::Keys { selection } => {
            let inventory = desk::select(&store, &selection)?;
            let text = pki_report::keys(&View::of(&inventory));
            output::print(&output::plain(&text))?;
        }
        InventoryCommand::Show { asset, selection } => {
            let inventory = desk::select(&store, &selection)?;
            let id = desk::find_asset(&inventory, &asset)?;
            let asset = inventory.get(id).with_context(|| format!("{id} is not in this run"))?;
            let value = pki_report::inventory_jsonl(asset, &View::of(&inventory));
            output::print(&format!("{}\n", pki_report::json_pretty(&value)))?;
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
                        let line = pki_report::inventory_jsonl(asset, &view);
                        writeln!(out, "{}", pki_report::json_line(&line))?;
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
            writeln!(out, "{}", pki_report::json_line(&pki_report::gap_line(gap)))?;
        }
        Ok(())
    })
}
