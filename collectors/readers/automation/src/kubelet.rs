//! kubelet: `kubelet-client-current.pem` leads to the newest of dated files; the settings say
//! whether there will be newer ones.

use std::path::{Path, PathBuf};

use pki_inventory::{Automation, AutomationRole};

use crate::spot::{Artefact, Spot};
use crate::tree::{self, Tree};
use crate::{Tool, places};

pub(crate) const TOOL: Tool =
    Tool { name: "kubelet", commands: &[], recognise, recognise_link, read };

/// What its two certificates are for.
const PAIRS: [&str; 2] = ["kubelet-client", "kubelet-server"];

fn recognise(spot: &Spot<'_>) -> bool {
    let is_named = spot.parent == b"kubelet" || spot.parent == b"kubernetes";
    spot.is_data() && (is_named || spot.name.starts_with(b"kubelet"))
}

fn recognise_link(spot: &Spot<'_>) -> bool {
    spot.name == b"kubelet-client-current.pem" || spot.name == b"kubelet-server-current.pem"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if recognise_link(&artefact.spot) {
        return artefact
            .host
            .link(artefact.path)
            .and_then(|to| rotated(artefact, &to))
            .into_iter()
            .collect();
    }
    if !artefact.mentions(b"KubeletConfiguration") {
        return Vec::new();
    }
    let documents = tree::documents(&artefact.text());
    documents.iter().flat_map(|document| settings(artefact, document)).collect()
}

fn lineage(name: &str) -> Automation {
    Automation { name: Some(name.to_owned()), ..Automation::of("kubelet", AutomationRole::Lineage) }
}

/// A link to a dated file. Where there are older ones, it has rotated.
fn rotated(artefact: &Artefact<'_>, to: &Path) -> Option<Automation> {
    let file = to.file_name()?.to_str()?;
    let name = PAIRS.iter().find(|name| artefact.spot.name.starts_with(name.as_bytes()))?;
    let is_dated = |file: &str| {
        let moment = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        moment.is_some_and(|rest| {
            rest.ends_with(".pem") && rest.starts_with(|o: char| o.is_ascii_digit())
        })
    };
    if !is_dated(file) {
        return None;
    }
    let folder = to.parent()?;
    let dated = artefact.list(folder).into_iter().filter(|name| is_dated(name));
    let files: Vec<PathBuf> = dated.map(|name| folder.join(name)).collect();
    let renewals = u32::try_from(files.len()).ok().and_then(|count| count.checked_sub(1));
    let mut manages: Vec<String> = files.iter().filter_map(|path| places::file(path)).collect();
    manages.extend([places::file(artefact.path), places::file(to)].into_iter().flatten());
    Some(Automation {
        manages,
        active: renewals.filter(|count| *count > 0).map(|_| true),
        renewals,
        ..lineage(name)
    })
}

fn settings(artefact: &Artefact<'_>, document: &Tree) -> Vec<Automation> {
    if document.at("kind").text() != Some("KubeletConfiguration") {
        return Vec::new();
    }
    let said = [document.at("rotateCertificates"), document.at("serverTLSBootstrap")];
    let folder = artefact.folder();
    // It keeps them beside its settings where these are in its own folder.
    let is_home = folder.ends_with("lib/kubelet");
    let trace = |(name, said): (&&str, &Tree)| {
        let current = folder.join("pki").join(format!("{name}-current.pem"));
        let manages = places::file(&current).filter(|_| is_home).into_iter().collect();
        said.truth().map(|active| Automation { active: Some(active), manages, ..lineage(name) })
    };
    PAIRS.iter().zip(said).filter_map(trace).collect()
}
