//! acme-client of OpenBSD: blocks of `acme-client.conf`, one a certificate.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool = Tool {
    name: "acme-client",
    commands: &[Command::once(&["acme-client"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.name == b"acme-client.conf"
}

/// `domain www.example.org { alternative names { a b } domain key "…" … sign with letsencrypt }`.
fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let spaced = lines.collect::<Vec<_>>().join("\n").replace('{', " { ").replace('}', " } ");
    let words: Vec<&str> = spaced.split_whitespace().map(|word| word.trim_matches('"')).collect();
    let mut traces = Vec::new();
    let mut depth = 0_u32;
    let mut names = false;
    for (at, &word) in words.iter().enumerate() {
        let next = |by: usize| words.get(at + by).copied().unwrap_or_default();
        match (depth, word) {
            (0, "domain") if next(2) == "{" => {
                let domain = next(1);
                traces.push(Automation {
                    name: Some(domain.to_owned()),
                    domains: bounds::domains(std::iter::once(domain)),
                    authenticator: Some("http-01".to_owned()),
                    ..Automation::of("acme-client", AutomationRole::Lineage)
                });
            }
            (_, "{") => {
                names = depth == 1 && at > 0 && words[at - 1] == "names";
                depth += 1;
            }
            (_, "}") => depth = depth.saturating_sub(1),
            (2, name) if names => {
                if let Some(trace) = traces.last_mut() {
                    trace.domains.push(name.to_owned());
                }
            }
            (1, "key" | "certificate") => {
                let file = artefact.resolve(next(1)).and_then(|path| places::file(&path));
                if let Some(trace) = traces.last_mut() {
                    trace.manages.extend(file.filter(|_| next(1).starts_with('/')));
                    if word == "key" {
                        trace.key_type = ["rsa", "ecdsa"]
                            .iter()
                            .find(|kind| **kind == next(2))
                            .map(|kind| (*kind).to_owned());
                    }
                }
            }
            (1, "with") if at > 0 && words[at - 1] == "sign" => {
                if let Some(trace) = traces.last_mut() {
                    trace.issuer = bounds::issuer(next(1));
                }
            }
            _ => {}
        }
    }
    traces
}
