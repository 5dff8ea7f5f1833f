//! win-acme and its successor simple-acme: `<id>.renewal.json` with a history, on Windows or in a
//! copy of it.

use pki_inventory::{Automation, AutomationRole, Time};

use crate::spot::{Artefact, Spot};
use crate::tree::{self, Tree};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool =
    Tool { name: "win-acme", commands: &[], recognise, recognise_link: never, read };

fn recognise(spot: &Spot<'_>) -> bool {
    spot.has_extension(b"renewal.json")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let Some(renewal) = tree::json(&artefact.text()) else { return Vec::new() };
    let Some(id) = renewal.at("Id").owned() else { return Vec::new() };
    let target = renewal.at("TargetPluginOptions");
    let names =
        target.at("CommonName").text().into_iter().chain(target.at("AlternativeNames").texts());
    let successes = renewal.at("History").items().iter().filter(|past| succeeded(past)).count();
    let friendly =
        ["LastFriendlyName", "FriendlyName"].iter().find_map(|key| renewal.at(key).owned());
    // Its folder is named after the authority, with the signs that a folder may have.
    let authority = artefact.parent();
    let tool = if artefact.spot.grand == b"simple-acme" { "simple-acme" } else { TOOL.name };
    let installs = !renewal.at("InstallationPluginOptions").items().is_empty();
    vec![Automation {
        domains: bounds::domains(names),
        manages: cached(artefact, &id),
        issuer: authority.contains('.').then_some(authority),
        authenticator: renewal
            .below(&["ValidationPluginOptions", "ChallengeType"])
            .text()
            .and_then(bounds::word),
        reuses_key: renewal.below(&["CsrPluginOptions", "ReusePrivateKey"]).truth(),
        next_renewal: renewal.at("History").items().last().and_then(due),
        renewals: u32::try_from(successes).ok().and_then(|count| count.checked_sub(1)),
        hook: installs.then_some(true),
        name: friendly.or(Some(id)),
        ..Automation::of(tool, AutomationRole::Lineage)
    }]
}

fn succeeded(past: &Tree) -> bool {
    past.at("Success").truth() == Some(true)
}

/// When the last attempt was told to be repeated: a moment, or the start of a window.
fn due(past: &Tree) -> Option<Time> {
    let due = |result: &Tree| {
        let due = result.at("DueDate");
        due.text().or(due.at("Start").text()).and_then(moment)
    };
    past.at("OrderResults").items().iter().filter_map(due).min().or_else(|| due(past))
}

/// It writes more digits of a second than others, and may leave the zone out; then it is UTC.
fn moment(text: &str) -> Option<Time> {
    let text = text.get(..64).unwrap_or(text);
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// What it keeps of a certificate is named after the renewal.
fn cached(artefact: &Artefact<'_>, id: &str) -> Vec<String> {
    let folder = artefact.folder().join("Certificates");
    let names = artefact.list(&folder).into_iter().filter(|name| name.starts_with(id));
    names.filter_map(|name| places::file(&folder.join(name))).collect()
}
