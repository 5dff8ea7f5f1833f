//! Caddy: `certificates/<authority>/<domain>/<domain>.json`, and its settings as presence.

use pki_inventory::{Automation, AutomationRole, Time};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, tree};

pub(crate) const TOOL: Tool = Tool {
    name: "Caddy",
    commands: &[Command::stays(&["caddy", "run"]), Command::stays(&["caddy", "start"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    is_certificate(spot) || is_settings(spot)
}

fn is_certificate(spot: &Spot<'_>) -> bool {
    spot.stem(b"json").is_some_and(|domain| domain == spot.parent && !spot.grand.is_empty())
}

fn is_settings(spot: &Spot<'_>) -> bool {
    spot.name == b"Caddyfile"
        || spot.has_extension(b"caddyfile")
        || (spot.name == b"autosave.json" && spot.parent == b"caddy")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if is_settings(&artefact.spot) {
        return settings(artefact);
    }
    if !artefact.mentions(b"\"issuer_data\"") && !artefact.mentions(b"\"sans\"") {
        return Vec::new();
    }
    let above = artefact.folder_above().parent();
    let is_store = above.is_some_and(|folder| folder.ends_with("certificates"));
    let Some(meta) = tree::json(&artefact.text()).filter(|_| is_store) else { return Vec::new() };
    let data = meta.at("issuer_data");
    let authority = String::from_utf8_lossy(artefact.spot.grand);
    // The moment that it chose within the window of RFC 9773, 4.2.
    let chosen = data.below(&["renewal_info", "_selectedTime"]).text();
    vec![Automation {
        name: Some(artefact.parent()),
        domains: bounds::domains(meta.at("sans").texts()),
        manages: places::folder(artefact.folder()).into_iter().collect(),
        issuer: data
            .at("ca")
            .text()
            .and_then(bounds::issuer)
            .or_else(|| bounds::issuer(&authority)),
        next_renewal: chosen.and_then(|text| text.parse::<Time>().ok()),
        ..Automation::of("Caddy", AutomationRole::Lineage)
    }]
}

/// That Caddy is set up here. With `auto_https off` it only serves what it is given.
fn settings(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    let mut words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_off =
        words.any(|line| line == ["auto_https", "off"] || line == ["auto_https", "disable_certs"]);
    vec![Automation {
        name: Some(artefact.name()),
        active: is_off.then_some(false),
        ..Automation::of("Caddy", AutomationRole::Schedule)
    }]
}
