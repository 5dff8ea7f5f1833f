//! lego: a `certificates/<domain>.json` beside each certificate.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, tree};

pub(crate) const TOOL: Tool = Tool {
    name: "lego",
    commands: &[Command::once(&["lego", "renew"]), Command::once(&["lego", "run"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.parent == b"certificates" && spot.has_extension(b"json")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if !artefact.mentions(b"\"certUrl\"") {
        return Vec::new();
    }
    let Some(resource) = tree::json(&artefact.text()) else { return Vec::new() };
    let Some(domain) = resource.at("domain").owned() else { return Vec::new() };
    let name = artefact.name();
    let stem = name.strip_suffix("json").unwrap_or(&name);
    // `<stem>crt`, `<stem>key`, `<stem>issuer.crt`, `<stem>pem`, `<stem>pfx`: those that are there.
    let kinds = ["crt", "issuer.crt", "key", "pem", "pfx"];
    let listed = artefact.list(artefact.folder());
    let is_its = |file: &&String| file.strip_prefix(stem).is_some_and(|end| kinds.contains(&end));
    let files = listed.iter().filter(is_its).map(|file| artefact.folder().join(file));
    vec![Automation {
        domains: bounds::domains(std::iter::once(domain.as_str())),
        manages: files.filter_map(|path| places::file(&path)).collect(),
        issuer: resource.at("certUrl").text().and_then(bounds::origin),
        name: Some(domain),
        ..Automation::of("lego", AutomationRole::Lineage)
    }]
}
