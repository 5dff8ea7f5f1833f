//! `mod_md` of Apache: `MDomain` in its settings, `domains/<name>/md.json` in its store.

use pki_inventory::{Automation, AutomationRole};

use crate::spot::{Artefact, Spot};
use crate::tree::{self, Tree};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool =
    Tool { name: "mod_md", commands: &[], recognise, recognise_link: never, read };

fn recognise(spot: &Spot<'_>) -> bool {
    is_store(spot) || spot.has_extension(b"conf")
}

fn is_store(spot: &Spot<'_>) -> bool {
    spot.name == b"md.json" && spot.grand == b"domains"
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if is_store(&artefact.spot) {
        return tree::json(&artefact.text()).map(|md| stored(artefact, &md)).into_iter().collect();
    }
    let directives: [&[u8]; 2] = [b"MDomain", b"mdomain"];
    if !directives.iter().any(|directive| artefact.mentions(directive)) {
        return Vec::new();
    }
    settings(&artefact.text())
}

fn stored(artefact: &Artefact<'_>, md: &Tree) -> Automation {
    let ca = md.at("ca");
    let url = ca.at("urls").texts().next().or(ca.at("url").text());
    // The modes of its directive MDRenewMode, counted: manual, auto, always.
    let active = match md.at("renew-mode").text() {
        Some("0") => Some(false),
        Some("1" | "2") => Some(true),
        _ => None,
    };
    let key = md.at("privkey");
    let keys = if key.items().is_empty() { std::slice::from_ref(key) } else { key.items() };
    let key = |key: &Tree| {
        let detail = key.at("curve").text().or(key.at("bits").text());
        let words: Vec<&str> = key.at("type").text().into_iter().chain(detail).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let challenges: Vec<&str> = ca.at("challenges").texts().collect();
    Automation {
        name: md.at("name").owned(),
        domains: bounds::domains(md.at("domains").texts()),
        manages: places::folder(artefact.folder()).into_iter().collect(),
        issuer: url.and_then(bounds::issuer),
        authenticator: bounds::short(&challenges.join(", ")),
        key_type: bounds::short(&keys.iter().filter_map(key).collect::<Vec<_>>().join(", ")),
        active,
        renewals: renewals(artefact),
        ..Automation::of("mod_md", AutomationRole::Lineage)
    }
}

/// What was replaced is moved to `archive/<name>.<n>`. The first of them may hold no certificate
/// but the placeholder from before there was one.
fn renewals(artefact: &Artefact<'_>) -> Option<u32> {
    let archive = artefact.folder_above().parent()?.join("archive");
    let name = artefact.parent();
    let has_certificate = |files: Vec<String>| files.iter().any(|file| file.starts_with("pubcert"));
    if !has_certificate(artefact.list(artefact.folder())) {
        return None;
    }
    let of_name = |folder: &String| {
        let number = folder.strip_prefix(&name).and_then(|rest| rest.strip_prefix('.'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let older = artefact.list(&archive).into_iter().filter(of_name).take(MOST_VERSIONS);
    let count =
        older.filter(|folder| has_certificate(artefact.list(&archive.join(folder)))).count();
    u32::try_from(count).ok()
}

/// So many of them are looked into.
const MOST_VERSIONS: usize = 1_000;

/// The managed domains of a file of settings. Directives know no case.
fn settings(text: &str) -> Vec<Automation> {
    let mut server = Section::default();
    let mut set: Option<Section> = None;
    let mut sections = Vec::new();
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> =
            line.split_whitespace().map(|word| word.trim_matches(['"', '<', '>'])).collect();
        let Some((directive, values)) = words.split_first() else { continue };
        let directive = directive.to_ascii_lowercase();
        match directive.as_str() {
            "mdomain" => sections.push(Section::of(values)),
            "mdomainset" if line.starts_with('<') => set = Some(Section::of(values)),
            "/mdomainset" => sections.extend(set.take()),
            _ => set.as_mut().unwrap_or(&mut server).say(&directive, values),
        }
    }
    sections.extend(set);
    sections.into_iter().map(|section| section.or(&server)).collect()
}

#[derive(Default, Clone)]
struct Section {
    names: Vec<String>,
    mode: Option<String>,
    issuer: Option<String>,
    keys: Option<String>,
    challenges: Option<String>,
}

impl Section {
    fn of(names: &[&str]) -> Self {
        // `auto` and `manual` behind the names say which of them are found by themselves.
        let is_name = |name: &&str| !["auto", "manual"].contains(name);
        let names = names.iter().copied().filter(is_name);
        Self { names: bounds::domains(names), ..Self::default() }
    }

    fn say(&mut self, directive: &str, values: &[&str]) {
        let text = || bounds::short(&values.join(" "));
        match directive {
            "mdmember" | "mdmembers" => self.names.extend(Self::of(values).names),
            "mdrenewmode" | "mddrivemode" => self.mode = text(),
            "mdcertificateauthority" => {
                self.issuer = values.first().and_then(|url| bounds::issuer(url))
            }
            "mdprivatekeys" => self.keys = text(),
            "mdcachallenges" => self.challenges = text(),
            _ => {}
        }
    }

    fn or(self, server: &Self) -> Automation {
        let mode = self.mode.or_else(|| server.mode.clone());
        let active = match mode.as_deref() {
            Some("manual") => Some(false),
            Some("auto" | "always") => Some(true),
            _ => None,
        };
        Automation {
            name: self.names.first().cloned(),
            domains: self.names,
            issuer: self.issuer.or_else(|| server.issuer.clone()),
            authenticator: self.challenges.or_else(|| server.challenges.clone()),
            key_type: self.keys.or_else(|| server.keys.clone()),
            active,
            ..Automation::of("mod_md", AutomationRole::Lineage)
        }
    }
}
