//! getssl: `<domain>/getssl.cfg`, over the defaults of the one in the folder above.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, settings};

pub(crate) const TOOL: Tool = Tool {
    name: "getssl",
    commands: &[Command::once(&["getssl", "-a"]), Command::once(&["getssl"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    // The one of the tool's own folder has the defaults, and no certificate.
    spot.name == b"getssl.cfg" && spot.parent != b".getssl" && spot.parent != b"getssl"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let own = artefact.text();
    let defaults = artefact.beside(&artefact.folder_above().join("getssl.cfg")).unwrap_or_default();
    let value = |key| {
        let found = settings::assigned(&own, key).or_else(|| settings::assigned(&defaults, key));
        found.filter(|value| !value.is_empty())
    };
    let domain = artefact.parent();
    let others = value("SANS").unwrap_or_default();
    let places = [
        "DOMAIN_CERT_LOCATION",
        "DOMAIN_KEY_LOCATION",
        "CA_CERT_LOCATION",
        "DOMAIN_CHAIN_LOCATION",
        "DOMAIN_PEM_LOCATION",
        "DOMAIN_KEY_CERT_LOCATION",
    ];
    // One setting may name several places, also on other machines.
    let written = places.iter().filter_map(|key| value(key)).flat_map(|value| value.split(';'));
    let installed = written.filter_map(|path| artefact.resolve(path));
    let mut manages: Vec<String> = installed.filter_map(|path| places::file(&path)).collect();
    manages.extend(places::folder(artefact.folder()));
    let by_dns = value("VALIDATE_VIA_DNS").and_then(settings::yes) == Some(true);
    vec![Automation {
        domains: bounds::domains(std::iter::once(domain.as_str()).chain(others.split([',', ' ']))),
        manages,
        issuer: value("CA").and_then(bounds::issuer),
        authenticator: Some(if by_dns { "dns-01" } else { "http-01" }.to_owned()),
        key_type: value("PRIVATE_KEY_ALG").and_then(bounds::word),
        reuses_key: value("REUSE_PRIVATE_KEY").and_then(settings::yes),
        hook: value("RELOAD_CMD").map(|_| true),
        name: Some(domain),
        ..Automation::of("getssl", AutomationRole::Lineage)
    }]
}
