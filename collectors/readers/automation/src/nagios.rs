//! Nagios and Icinga: objects whose check looks at how long a certificate is still valid.

use pki_inventory::{Automation, AutomationRole};

use crate::spot::{Artefact, Spot};
use crate::{Tool, never};

pub(crate) const TOOL: Tool =
    Tool { name: "Nagios", commands: &[], recognise, recognise_link: never, read };

/// Checks that are about nothing else. The last one is a name of Icinga, and of much else.
const CHECKS: [&str; 5] =
    ["check_ssl_cert", "check_ssl_certificate", "check_x509", "check_ssl_validity", "\"ssl_cert\""];

/// How an object begins.
const OBJECTS: [&str; 5] = ["apply ", "command[", "define ", "object ", "template "];

fn recognise(spot: &Spot<'_>) -> bool {
    // Settings of Icinga end in .conf, those of Nagios and its remote executor in .cfg.
    spot.has_extension(b"cfg") || spot.has_extension(b"conf")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let likely: [&[u8]; 5] =
        [b"check_ssl_", b"check_x509", b"check_http", b"ssl_cert", b"http_certificate"];
    if !likely.iter().any(|word| artefact.mentions(word)) {
        return Vec::new();
    }
    let is_icinga = artefact.mentions(b"object ") || artefact.mentions(b"apply Service");
    let tool = if is_icinga { "Icinga" } else { TOOL.name };
    let text = artefact.text();
    let mut object: Option<Object> = None;
    let mut traces = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        if OBJECTS.iter().any(|start| line.starts_with(start)) {
            traces.extend(object.take().and_then(|object| object.trace(tool)));
            // A line of the remote executor, `command[name]=…`, is an object by itself.
            let quotes: &[char] = if line.starts_with("command[") { &['[', ']'] } else { &['"'] };
            let name = line.split(quotes).nth(1).map(str::to_owned);
            object = Some(Object { name, ..Object::default() });
        }
        // Settings of other programs have these words too, and no objects.
        if let Some(object) = &mut object {
            object.say(line);
        }
    }
    traces.extend(object.and_then(|object| object.trace(tool)));
    traces
}

#[derive(Default)]
struct Object {
    name: Option<String>,
    watches: bool,
}

impl Object {
    fn say(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        let is_name = ["service_description", "command_name"].contains(&key);
        if is_name && self.name.is_none() {
            self.name = Some(words.collect::<Vec<_>>().join(" "));
        }
        self.watches |= watches(line);
    }

    fn trace(self, tool: &str) -> Option<Automation> {
        let Self { name, watches } = self;
        watches.then(|| Automation { name, ..Automation::of(tool, AutomationRole::Monitor) })
    }
}

fn watches(line: &str) -> bool {
    if CHECKS.iter().any(|check| line.contains(check)) || line.contains("http_certificate") {
        return true;
    }
    // check_http looks at the certificate only when it is asked to.
    let mut words = line.split([' ', '\t', '!', '"', '\'', '=', ',']);
    line.contains("check_http") && words.any(|word| word == "-C" || word == "--certificate")
}
