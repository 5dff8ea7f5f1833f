//! SPIRE: the settings of an agent, which keeps the certificates of its workloads fresh.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never};

pub(crate) const TOOL: Tool = Tool {
    name: "SPIRE",
    commands: &[Command::stays(&["spire-agent", "run"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.name == b"agent.conf" || spot.name == b"agent.hcl"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    let after = |key: &str| {
        let lines = text.lines().map(str::trim_start);
        lines.filter_map(|line| line.strip_prefix(key)).find_map(|rest| rest.split('"').nth(1))
    };
    let Some(domain) = after("trust_domain").filter(|domain| bounds::is_name(domain)) else {
        return Vec::new();
    };
    vec![Automation {
        name: Some(artefact.name()),
        issuer: Some(format!("spiffe://{domain}")),
        authenticator: after("NodeAttestor").and_then(bounds::word),
        ..Automation::of("SPIRE", AutomationRole::Schedule)
    }]
}
