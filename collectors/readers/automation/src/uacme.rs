//! uacme keeps no settings: `<domain>/cert.pem`, older versions as `cert-<moment>.pem`, keys in
//! `private/<domain>/`.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool = Tool {
    name: "uacme",
    commands: &[Command::once(&["uacme", "issue"])],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.name == b"cert.pem" && (spot.grand == b"uacme" || spot.grand == b"uacme.d")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let name = artefact.parent();
    let moment = |file: &&String| {
        let moment = file.strip_prefix("cert-").and_then(|rest| rest.strip_suffix(".pem"));
        moment.is_some_and(|text| !text.is_empty() && text.bytes().all(|o| o.is_ascii_digit()))
    };
    let listed = artefact.list(artefact.folder());
    let older = listed.iter().filter(moment).count();
    let keys = artefact.folder_above().join("private").join(&name);
    let manages = [places::folder(artefact.folder()), places::folder(&keys)];
    vec![Automation {
        domains: bounds::domains(std::iter::once(name.as_str())),
        manages: manages.into_iter().flatten().collect(),
        renewals: (!listed.is_empty()).then_some(older).and_then(|count| u32::try_from(count).ok()),
        name: Some(name),
        ..Automation::of("uacme", AutomationRole::Lineage)
    }]
}
