//! consul-template, and what Vault Agent took from it: templates that ask Vault's PKI engine for a
//! certificate.

use std::path::Path;

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool = Tool {
    name: "consul-template",
    commands: &[Command::stays(&["consul-template"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    let extensions: [&[u8]; 5] = [b"hcl", b"ctmpl", b"tpl", b"tmpl", b"tftpl"];
    extensions.iter().any(|extension| spot.has_extension(extension))
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    if artefact.spot.has_extension(b"hcl") {
        let is_agent = text.contains("auto_auth");
        return if is_agent { Vec::new() } else { settings(artefact, &text, TOOL.name) };
    }
    requests(&text, TOOL.name)
}

/// The most requests of one file.
const MOST: usize = 1_000;

/// The certificates that a template asks for: `pkiCert "pki/issue/web" "common_name=…"`, or
/// `secret` with such a path.
pub(crate) fn requests(template: &str, tool: &str) -> Vec<Automation> {
    let mut traces = Vec::new();
    for part in template.split("{{").skip(1).take(MOST) {
        let expression = part.split("}}").next().unwrap_or_default();
        let mut words = expression.split('"');
        let is_call =
            words.next().is_some_and(|call| call.contains("pkiCert") || call.contains("secret"));
        // Between quotes is every second part; behind the path come the parameters.
        let quoted: Vec<&str> = words.step_by(2).collect();
        let Some((path, parameters)) = quoted.split_first() else { continue };
        let is_pki = ["/issue/", "/sign/"].iter().any(|verb| path.contains(verb));
        if !is_call || !is_pki {
            continue;
        }
        let value = |key: &str| {
            let found = parameters.iter().filter_map(|parameter| parameter.split_once('='));
            found
                .filter(|(name, _)| *name == key)
                .map(|(_, value)| value)
                .next_back()
                .unwrap_or_default()
        };
        let names = ["common_name", "alt_names", "ip_sans"].map(value);
        traces.push(Automation {
            name: bounds::short(path),
            domains: bounds::domains(names.iter().flat_map(|names| names.split(','))),
            ..Automation::of(tool, AutomationRole::Lineage)
        });
    }
    traces
}

/// The templates that settings name or hold: what each asks for, and where it is written to.
pub(crate) fn settings(artefact: &Artefact<'_>, text: &str, tool: &str) -> Vec<Automation> {
    let mut traces = Vec::new();
    for block in blocks(text).take(MOST) {
        let source = value(block, "source").and_then(|path| artefact.resolve(path));
        let template = source.and_then(|path| artefact.beside(&path));
        let asked = requests(template.as_deref().unwrap_or(block), tool);
        let target = value(block, "destination").map(Path::new).and_then(places::file);
        let hook = block.contains("command") || block.contains("exec");
        traces.extend(asked.into_iter().map(|trace| Automation {
            manages: target.clone().into_iter().collect(),
            hook: hook.then_some(true),
            ..trace
        }));
    }
    traces
}

/// From each line `template {` to the next one.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let start = |line: &str| {
        let line = line.trim_start().strip_prefix("template").map(str::trim_start);
        line.is_some_and(|rest| rest.starts_with('{') || rest.starts_with("= {"))
    };
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if start(line) {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    let pairs: Vec<(usize, usize)> = starts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().map(|(from, to)| &text[from..to])
}

fn value<'t>(block: &'t str, key: &str) -> Option<&'t str> {
    block.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix(key)?.trim_start().strip_prefix('=')?;
        rest.trim_start().strip_prefix('"')?.split('"').next()
    })
}
