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

/// Whether what is started runs on: a call at boot renews nothing until the next one.
fn active(schedule: &Automation) -> Option<bool> {
    let when = schedule.schedule.as_deref();
    let at_boot = when.is_some_and(|when| when.eq_ignore_ascii_case("@reboot"));
    schedule.active.filter(|active| !(*active && at_boot))
}

fn relation(schedule: &Asset, lineage: &Asset, body: &Automation) -> Relation {
    let each = file_paths(schedule)
        .flat_map(|from| file_paths(lineage).map(move |to| related(from, to, lineage, body)));
    each.min().unwrap_or(Relation::None)
}

fn related(schedule: &str, path: &str, lineage: &Asset, body: &Automation) -> Relation {
    let ((image, schedule), (other, path)) = (archive(schedule), archive(path));
    if image != other || is_in_backup(schedule) {
        return Relation::None;
    }
    let home = home(path);
    let is_users = |user: &str| home == Some(user) || is_owned_by(lineage, user);
    let under = |root: &str| {
        let is_below = |path: &str| path.strip_prefix(root).is_some_and(|it| it.starts_with('/'));
        is_below(path) && (body.manages.is_empty() || body.manages.iter().any(|it| is_below(it)))
    };
    // The units of one user.
    if let Some((place, _)) = schedule.split_once("/.config/systemd/user/") {
        return match self::home(&format!("{place}/")) {
            None if place == "/root" && home.is_none() => Relation::Own,
            Some(user) if is_users(user) => Relation::Own,
            _ => Relation::None,
        };
    }
    if let Some((root, user)) = CRONTABS.iter().find_map(|folder| schedule.split_once(folder)) {
        return match user {
            _ if user.contains('/') || !(root.is_empty() || under(root)) => Relation::None,
            _ if is_users(user) => Relation::Own,
            "root" if home.is_none() => Relation::Own,
            _ => Relation::Perhaps,
        };
    }
    match SYSTEM.iter().filter_map(|folder| schedule.find(folder)).min() {
        None => Relation::None,
        Some(0) if home.is_some() || schedule.contains("/systemd/user/") => Relation::Perhaps,
        Some(0) => Relation::Own,
        Some(at) if under(&schedule[..at]) => Relation::Own,
        Some(_) => Relation::None,
    }
}

/// The user, not root, in whose home a path lies.
fn home(path: &str) -> Option<&str> {
    let homes = ["/home/", "/export/home/", "/var/home/"];
    let below = homes.iter().find_map(|homes| path.strip_prefix(homes))?;
    below.split_once('/').map(|(user, _)| user)
}

fn is_owned_by(asset: &Asset, user: &str) -> bool {
    let mut files = asset.sightings().filter_map(|at| at.circumstances.file.as_ref());
    files.any(|file| file.owner.as_deref() == Some(user))
}

/// The image or archive on disk that a path leads into (empty for none), and the path in the
/// innermost of them: the layers of an image make up one root.
pub(crate) fn archive(path: &str) -> (&str, &str) {
    let outer = path.split_once("!/").map_or("", |(outer, _)| outer);
    let inner = path.rfind("!/").map_or(path, |at| &path[at + 1..]);
    (outer, inner)
}

/// Whether all that was seen of an asset are copies for keeping.
pub(crate) fn is_backup(asset: &Asset) -> bool {
    let mut paths = file_paths(asset).peekable();
    paths.peek().is_some() && paths.all(is_in_backup)
}

/// Whether a path leads through a folder for copies: `/var/backups`, `letsencrypt.bak`, `etc-old`.
pub(crate) fn is_in_backup(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(|folder| is_for_copies(&folder.to_ascii_lowercase()))
}

fn is_for_copies(folder: &str) -> bool {
    let is_word = |word: &str| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(word, "bak" | "backup" | "backups" | "snapshot" | "snapshots")
    };
    let is_past = |word: &str| is_word(word) || matches!(word, "old" | "orig" | "save");
    let name = folder.trim_start_matches('.').trim_end_matches('!');
    if name.ends_with('~') {
        return true;
    }
    // A dot makes it the name of a host unless what follows is an extension or a date.
    match name.split_once('.') {
        Some((first, rest)) => {
            let is_date =
                rest.bytes().all(|octet| octet.is_ascii_digit() || b"-._".contains(&octet));
            (is_word(first) && is_date) || name.rsplit('.').next().is_some_and(is_past)
        }
        None => {
            let words = || name.split(['-', '_']);
            words().any(is_word) || words().skip(1).last().is_some_and(is_past)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_for_copies_are_told_from_names_of_hosts() {
        for folder in [
            "backup",
            "backups",
            ".snapshots",
            "etc-backup",
            "backup_2026",
            "letsencrypt.bak",
            "nginx.old",
            "etc-old",
            "le~",
            "backup.2026-01-02",
        ] {
            assert!(is_in_backup(&format!("/srv/{folder}/a.pem")), "{folder}");
        }
        for folder in ["backup.example.org", "old", "household", "www.backup.example", "save"] {
            assert!(!is_in_backup(&format!("/srv/{folder}/a.pem")), "{folder}");
        }
        assert!(!is_in_backup("/etc/ssl/www.pem.bak"), "a file is no folder");
    }
}
