//! What starts the tool behind one certificate, and what is a copy for keeping.

use std::collections::{BTreeMap, BTreeSet};

use crate::disk::{Disk, file_paths};
use crate::{Asset, AssetId, Automation, AutomationRole, Body, Inventory, View};

/// What is known of what starts the tool of a lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    /// It runs by itself.
    Active,
    /// What starts it was seen, but not whether it is active.
    Open,
    /// Something that starts the tool was seen, but not whether it does so for this lineage.
    Elsewhere,
    /// Nothing that starts it was seen.
    Unseen,
    /// It, or all that starts it, is set up not to run.
    Inactive,
}

/// Whether a schedule can be the one that starts a lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    Own,
    Perhaps,
    None,
}

/// Where a host has what it starts: crontab(5), run-parts(8), systemd.unit(5).
const SYSTEM: &[&str] = &[
    "/etc/crontab",
    "/etc/cron.d/",
    "/etc/cron.daily/",
    "/etc/cron.hourly/",
    "/etc/cron.monthly/",
    "/etc/cron.weekly/",
    "/etc/systemd/",
    "/lib/systemd/",
    "/run/systemd/",
    "/usr/lib/systemd/",
    "/usr/local/etc/cron.d/",
    "/usr/local/lib/systemd/",
];

/// Where each user's crontab lies under the name of the user.
const CRONTABS: &[&str] =
    &["/var/spool/cron/crontabs/", "/var/spool/cron/tabs/", "/var/spool/cron/", "/etc/crontabs/"];

/// Schedules of one tool on one host that are looked at.
const MOST: usize = 200;

impl View<'_> {
    /// What is known of what starts the tool of this lineage; [`Start::Unseen`] for other assets.
    ///
    /// A schedule counts where it can be the one: of the same host, image or root; of the system for
    /// what lies in no user's home; of a user for what is that user's. A file of that form anywhere
    /// else (the checkout of a playbook, a backup) starts nothing.
    #[must_use]
    pub fn start_of(&self, lineage: &Asset) -> Start {
        self.starts.get(&lineage.id).copied().unwrap_or(Start::Unseen)
    }
}

/// What is known of what starts each lineage.
pub(crate) fn starts(inventory: &Inventory, disk: &Disk<'_>) -> BTreeMap<AssetId, Start> {
    let lineages = inventory.assets().filter_map(|asset| match &asset.body {
        Body::Automation(body) if body.role == AutomationRole::Lineage => Some((asset, body)),
        _ => None,
    });
    lineages.map(|(asset, body)| (asset.id, start(asset, body, disk))).collect()
}

fn start(lineage: &Asset, body: &Automation, disk: &Disk<'_>) -> Start {
    if body.active == Some(false) {
        return Start::Inactive;
    }
    let (mut own, mut perhaps) = (BTreeSet::new(), false);
    let archives: BTreeSet<&str> = file_paths(lineage).map(|path| archive(path).0).collect();
    for archive in archives {
        let found = disk.schedules.get(&(body.tool.as_str(), archive));
        for schedule in found.into_iter().flatten().take(MOST) {
            let Body::Automation(started) = &schedule.body else { continue };
            match relation(schedule, lineage, body) {
                Relation::Own => {
                    own.insert(active(started));
                }
                Relation::Perhaps => perhaps |= started.active != Some(false),
                Relation::None => {}
            }
        }
    }
    // Of several schedules one that runs is enough, and one of which nothing is known might.
    let open = own.contains(&None);
    match body.active {
        _ if own.contains(&Some(true)) => Start::Active,
        Some(true) if open || own.is_empty() => Start::Active,
        _ if open => Start::Open,
        _ if perhaps => Start::Elsewhere,
        _ if own.is_empty() => Start::Unseen,
        _ => Start::Inactive,
    }
}
