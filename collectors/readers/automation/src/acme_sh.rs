//! acme.sh: `<domain>/<domain>.conf`, or `<domain>_ecc/<domain>.conf` for keys on curves.

use pki_inventory::{Automation, AutomationRole, Time};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, settings};

pub(crate) const TOOL: Tool = Tool {
    name: "acme.sh",
    commands: &[
        Command::once(&["acme.sh", "--cron"]),
        Command::once(&["acme.sh", "--renew"]),
        Command::once(&["acme.sh", "--renew-all"]),
        Command::stays(&["acme.sh", "daemon"]),
    ],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    let Some(domain) = spot.stem(b"conf") else { return false };
    spot.parent.strip_suffix(b"_ecc").unwrap_or(spot.parent) == domain
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    let value =
        |key| settings::assigned(&text, key).filter(|value| !value.is_empty() && *value != "no");
    let Some(domain) = value("Le_Domain") else { return Vec::new() };
    let others = value("Le_Alt").unwrap_or_default();
    let paths = ["Le_RealCertPath", "Le_RealKeyPath", "Le_RealCACertPath", "Le_RealFullChainPath"];
    let installed = paths.iter().filter_map(|key| artefact.resolve(value(key)?));
    let mut manages: Vec<String> = installed.filter_map(|path| places::file(&path)).collect();
    manages.extend(places::folder(artefact.folder()));
    let hooks = ["Le_ReloadCmd", "Le_RenewHook", "Le_PostHook", "Le_DeployHook"];
    let next = value("Le_NextRenewTime").and_then(|seconds| seconds.parse().ok());
    // A renewal takes the key that is there, unless told to make one each time.
    let makes_keys = value("Le_ForceNewDomainKey").and_then(settings::yes);
    vec![Automation {
        name: Some(domain.to_owned()),
        domains: bounds::domains(std::iter::once(domain).chain(others.split(','))),
        manages,
        issuer: value("Le_API").and_then(bounds::issuer),
        authenticator: settings::assigned(&text, "Le_Webroot").and_then(authenticator),
        key_type: value("Le_Keylength").and_then(bounds::word),
        reuses_key: Some(makes_keys != Some(true)),
        next_renewal: next.map(Time),
        hook: hooks.iter().any(|key| value(key).is_some()).then_some(true),
        ..Automation::of("acme.sh", AutomationRole::Lineage)
    }]
}

/// One setting says it for all the ways, and there may be one for each domain.
fn authenticator(written: &str) -> Option<String> {
    let way = written.split(',').find(|way| !way.is_empty())?;
    match way {
        "no" => Some("standalone".to_owned()),
        way if way.starts_with('/') => Some("webroot".to_owned()),
        way => bounds::word(way.split(':').next()?),
    }
}
