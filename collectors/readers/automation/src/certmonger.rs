//! certmonger: a file of `requests/` a certificate, with its settings and its state.

use std::path::Path;

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool = Tool {
    name: "certmonger",
    commands: &[Command::stays(&["certmonger"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.parent == b"requests" && spot.grand == b"certmonger"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    // Lines that go on begin with a space; nothing that is read here has several.
    let pairs = || {
        text.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_once('='))
    };
    let value = |key: &str| {
        let found = pairs().find(|(name, _)| *name == key).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    };
    if value("key_storage_type").is_none() && value("cert_storage_type").is_none() {
        return Vec::new();
    }
    let names = value("template_hostname").or_else(|| value("cert_hostname")).unwrap_or_default();
    let manages = ["cert", "key"].iter().filter_map(|what| {
        storage(
            value(&format!("{what}_storage_type"))?,
            value(&format!("{what}_storage_location"))?,
        )
    });
    let hook = value("post_certsave_command").or_else(|| value("pre_certsave_command"));
    let issued = value("key_issued_count").and_then(|count| count.parse::<u64>().ok());
    let key = [
        value("key_type").or_else(|| value("key_gen_type")),
        value("key_size").filter(|size| *size != "0"),
    ];
    vec![Automation {
        name: value("id").and_then(bounds::short),
        domains: bounds::domains(names.split(',')),
        manages: manages.collect(),
        issuer: value("ca_name").and_then(bounds::issuer),
        key_type: bounds::short(&key.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        // It counts what was issued for the key that it has.
        reuses_key: issued.filter(|count| *count > 1).map(|_| true),
        active: active(value("autorenew"), value("state")),
        hook: hook.map(|_| true),
        ..Automation::of("certmonger", AutomationRole::Lineage)
    }]
}

/// It renews when told to, unless it got stuck: then only somebody else can help.
fn active(autorenew: Option<&str>, state: Option<&str>) -> Option<bool> {
    const STUCK: [&str; 9] = [
        "CA_REJECTED",
        "CA_UNCONFIGURED",
        "NEED_CA",
        "NEED_GUIDANCE",
        "NEED_KEY_PAIR",
        "NEED_KEYINFO_READ_PIN",
        "NEED_KEYINFO_READ_TOKEN",
        "NEED_CERTSAVE_PERMS",
        "NEWLY_ADDED_NEED_KEYINFO_READ_PIN",
    ];
    match (autorenew?, state?) {
        ("0", _) => Some(false),
        (_, state) if STUCK.contains(&state) => Some(false),
        ("1", "MONITORING") => Some(true),
        _ => None,
    }
}

/// A file, or the folder of an NSS database.
fn storage(kind: &str, location: &str) -> Option<String> {
    match kind {
        "FILE" => places::file(Path::new(location)),
        "NSSDB" => {
            let location = location.split_once(':').map_or(location, |(form, path)| {
                if ["sql", "dbm"].contains(&form) { path } else { location }
            });
            places::folder(Path::new(location))
        }
        _ => None,
    }
}
