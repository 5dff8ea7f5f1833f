//! step: the authority that its settings name. What it renews is said by units and crontabs.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, tree};

pub(crate) const TOOL: Tool = Tool {
    name: "step",
    commands: &[
        Command::once(&["step", "ca", "renew"]),
        Command::stays(&["step", "ca", "renew", "--daemon"]),
        Command::once(&["step", "ca", "rekey"]),
        Command::stays(&["step", "ca", "rekey", "--daemon"]),
        Command::once(&["step-cli", "ca", "renew"]),
        Command::stays(&["step-cli", "ca", "renew", "--daemon"]),
        Command::once(&["step", "ssh", "renew"]),
    ],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.name == b"defaults.json"
        && spot.parent == b"config"
        && (spot.grand == b".step" || spot.grand == b"step")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let Some(defaults) = tree::json(&artefact.text()) else { return Vec::new() };
    let Some(url) = defaults.at("ca-url").text() else { return Vec::new() };
    // That an authority is known says nothing of renewal, so nothing is said of it.
    vec![Automation {
        name: Some(artefact.name()),
        issuer: bounds::issuer(url),
        ..Automation::of("step", AutomationRole::Lineage)
    }]
}
