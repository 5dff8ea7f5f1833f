//! Posh-ACME: `<server>/<account>/<order>/order.json`.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, tree};

pub(crate) const TOOL: Tool = Tool {
    name: "Posh-ACME",
    commands: &[Command::once(&["Submit-Renewal"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.name == b"order.json"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if !artefact.mentions(b"\"MainDomain\"") {
        return Vec::new();
    }
    let Some(order) = tree::json(&artefact.text()) else { return Vec::new() };
    let Some(domain) = order.at("MainDomain").owned() else { return Vec::new() };
    let plugin = order.at("Plugin");
    let plugin = plugin.text().or_else(|| plugin.texts().next());
    vec![Automation {
        domains: bounds::domains(std::iter::once(domain.as_str()).chain(order.at("SANs").texts())),
        manages: places::folder(artefact.folder()).into_iter().collect(),
        issuer: order.at("location").text().and_then(bounds::origin),
        authenticator: plugin.and_then(bounds::word),
        key_type: order.at("KeyLength").text().and_then(bounds::word),
        reuses_key: order.at("AlwaysNewKey").truth().map(|always| !always),
        next_renewal: order.at("RenewAfter").text().and_then(|text| text.parse().ok()),
        name: Some(domain),
        ..Automation::of("Posh-ACME", AutomationRole::Lineage)
    }]
}
