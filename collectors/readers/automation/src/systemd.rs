//! Timers of systemd with the services that they start, and services that stay.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use pki_inventory::{Automation, AutomationRole};

use crate::spot::{Artefact, Spot};
use crate::{Tool, commands, never, settings};

pub(crate) const TOOL: Tool =
    Tool { name: "systemd", commands: &[], recognise, recognise_link: never, read };

/// Where units lie (systemd.unit(5), "Unit File Load Path"), the most important first.
const FOLDERS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

fn recognise(spot: &Spot<'_>) -> bool {
    spot.has_extension(b"timer") || spot.has_extension(b"service")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    let unit = joined(&text);
    if artefact.spot.has_extension(b"timer") {
        timer(artefact, &unit)
    } else {
        service(artefact, &unit)
    }
}

fn timer(artefact: &Artefact<'_>, unit: &str) -> Vec<Automation> {
    let name = artefact.name();
    let schedule = schedule(unit);
    let Some(stem) = name.strip_suffix(".timer").filter(|_| !schedule.is_empty()) else {
        return Vec::new();
    };
    let in_timer = |key| values(unit, "Timer", key).last();
    let started = in_timer("Unit").map_or_else(|| format!("{stem}.service"), template);
    let service = FOLDERS.iter().map(|folder| root(artefact).join(folder));
    let places = std::iter::once(artefact.folder().to_owned()).chain(service);
    let Some(service) = places.into_iter().find_map(|at| artefact.beside(&at.join(&started)))
    else {
        return Vec::new();
    };
    let active = is_enabled(artefact, &name, unit);
    let found = commands::started(artefact, &calls(&joined(&service)));
    let trace = |tool| Automation {
        name: Some(name.clone()),
        active,
        schedule: Some(schedule.clone()),
        ..Automation::of(tool, AutomationRole::Schedule)
    };
    found.iter().map(|started| trace(started.tool)).collect()
}

/// A service is a trace only when it stays: one that ends is started by something else.
fn service(artefact: &Artefact<'_>, unit: &str) -> Vec<Automation> {
    let found = commands::started(artefact, &calls(unit));
    let name = artefact.name();
    let trace = |tool| Automation {
        name: Some(name.clone()),
        active: is_enabled(artefact, &name, unit),
        ..Automation::of(tool, AutomationRole::Schedule)
    };
    found.iter().filter(|started| started.stays).map(|started| trace(started.tool)).collect()
}

/// When a timer elapses. A calendar expression stands for itself, a span needs to be named.
fn schedule(unit: &str) -> String {
    let mut parts: Vec<String> = values(unit, "Timer", "OnCalendar").map(str::to_owned).collect();
    for key in ["OnUnitActiveSec", "OnUnitInactiveSec", "OnActiveSec", "OnBootSec", "OnStartupSec"]
    {
        parts.extend(values(unit, "Timer", key).map(|value| format!("{key}={value}")));
    }
    parts.join("; ")
}

/// Whether something starts this unit when the machine starts: a link in a `.wants` folder. `None`
/// where that cannot be told.
fn is_enabled(artefact: &Artefact<'_>, name: &str, unit: &str) -> Option<bool> {
    let own = artefact.folder();
    // The units of one user, and those that every user may enable for themselves.
    let (administrators, is_told) = if own.ends_with(".config/systemd/user") {
        (own.to_owned(), true)
    } else if own.ends_with("systemd/user") {
        (PathBuf::from("/etc/systemd/user"), false)
    } else {
        (root(artefact).join(FOLDERS[0]), true)
    };
    // A unit that leads to nothing is masked (systemctl(1), "mask").
    if artefact.host.link(&administrators.join(name)).is_some_and(|to| to == Path::new("/dev/null"))
    {
        return Some(false);
    }
    // Without the administrator's folder nothing is known of what the administrator did.
    let looked = is_told && !artefact.list(&administrators).is_empty();
    let folders = [Some(administrators.as_path()), (own != administrators).then_some(own)];
    for folder in folders.into_iter().flatten() {
        let is_wants = |name: &String| {
            [".wants", ".requires", ".upholds"].iter().any(|end| name.ends_with(end))
        };
        for wanting in artefact.list(folder).into_iter().filter(is_wants) {
            let wanted = artefact.list(&folder.join(wanting));
            if wanted.iter().any(|wanted| *wanted == name || template(wanted) == name) {
                return Some(true);
            }
        }
    }
    // Without an [Install] section it is static: others start it, or nobody.
    let can_be = values(unit, "Install", "WantedBy").chain(values(unit, "Install", "RequiredBy"));
    (looked && can_be.count() > 0).then_some(false)
}

/// What the folders of units lie in: `/`, or where an image was laid out.
fn root(artefact: &Artefact<'_>) -> PathBuf {
    let folder = artefact.folder();
    for known in FOLDERS {
        if folder.ends_with(known) {
            let depth = known.split('/').count();
            return folder.ancestors().nth(depth).unwrap_or(Path::new("/")).to_owned();
        }
    }
    PathBuf::from("/")
}

/// The template of an instance: `a@b.service` is made from `a@.service`.
fn template(unit: &str) -> String {
    match (unit.split_once('@'), unit.rsplit_once('.')) {
        (Some((prefix, _)), Some((_, suffix))) => format!("{prefix}@.{suffix}"),
        _ => unit.to_owned(),
    }
}

/// A value that is set empty forgets those before it (systemd.syntax(7)).
fn values<'t>(
    unit: &'t str,
    section: &'static str,
    key: &'static str,
) -> impl Iterator<Item = &'t str> {
    let mut found: Vec<&str> = Vec::new();
    for (_, _, value) in
        settings::pairs(unit).filter(|(at, name, _)| *at == section && *name == key)
    {
        if value.is_empty() {
            found.clear();
        } else {
            found.push(value);
        }
    }
    found.into_iter()
}

fn calls(unit: &str) -> String {
    let calls = ["ExecStart", "ExecStartPre", "ExecStartPost"].into_iter();
    calls.flat_map(|key| values(unit, "Service", key)).collect::<Vec<_>>().join("\n")
}

/// Lines that end in a backslash go on (systemd.syntax(7)).
fn joined(text: &str) -> Cow<'_, str> {
    if text.contains("\\\n") { Cow::Owned(text.replace("\\\n", " ")) } else { Cow::Borrowed(text) }
}
