//! Vault Agent: its settings hold templates in the language of consul-template.

use pki_inventory::Automation;

use crate::commands::Command;
use crate::consul_template::settings;
use crate::spot::{Artefact, Spot};
use crate::{Tool, never};

pub(crate) const TOOL: Tool = Tool {
    name: "Vault Agent",
    commands: &[Command::stays(&["vault", "agent"]), Command::stays(&["bao", "agent"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.has_extension(b"hcl")
}

/// Only an agent logs in by itself, which is what tells its settings from those of others.
fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    if text.contains("auto_auth") { settings(artefact, &text, TOOL.name) } else { Vec::new() }
}
