//! Traefik: all certificates of all resolvers in one `acme.json`.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::tree::Tree;
use crate::{Tool, bounds, never, places, tree};

pub(crate) const TOOL: Tool = Tool {
    name: "Traefik",
    commands: &[Command::stays(&["traefik"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.has_extension(b"json")
        && (spot.name.starts_with(b"acme") || spot.name.ends_with(b"acme.json"))
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if !artefact.mentions(b"\"Certificates\"") {
        return Vec::new();
    }
    let Some(store) = tree::json(&artefact.text()) else { return Vec::new() };
    // Version 1 knew one resolver, which had no name.
    if !store.at("Certificates").items().is_empty() {
        return certificates(artefact, None, &store);
    }
    let resolvers = store.entries().iter();
    resolvers.flat_map(|(name, resolver)| certificates(artefact, Some(name), resolver)).collect()
}

fn certificates(
    artefact: &Artefact<'_>,
    resolver: Option<&String>,
    kept: &Tree,
) -> Vec<Automation> {
    let account = kept.at("Account");
    let trace = |certificate: &Tree| {
        let domain = certificate.at("domain");
        let names = domain.at("main").text().into_iter().chain(domain.at("sans").texts());
        Automation {
            name: resolver.cloned(),
            domains: bounds::domains(names),
            manages: places::file(artefact.path).into_iter().collect(),
            issuer: account.below(&["Registration", "uri"]).text().and_then(bounds::origin),
            key_type: account.at("KeyType").text().and_then(bounds::word),
            ..Automation::of("Traefik", AutomationRole::Lineage)
        }
    };
    kept.at("Certificates").items().iter().map(trace).collect()
}
