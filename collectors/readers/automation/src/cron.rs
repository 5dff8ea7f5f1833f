//! Crontabs and the folders of scripts that cron runs.

use pki_inventory::{Automation, AutomationRole};

use crate::commands::{self, Started};
use crate::spot::{Artefact, Spot};
use crate::{Tool, never};

pub(crate) const TOOL: Tool =
    Tool { name: "cron", commands: &[], recognise, recognise_link: never, read };

/// How the file says when something runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A table with a user in each line.
    System,
    /// The table of one user.
    User,
    /// A script; the folder says when.
    Script(&'static str),
}

fn form(spot: &Spot<'_>) -> Option<Form> {
    let form = match (spot.grand, spot.parent, spot.name) {
        (_, b"etc", b"crontab") | (_, b"cron.d", _) => Form::System,
        (b"cron", b"crontabs" | b"tabs", _) | (b"spool", b"cron", _) => Form::User,
        (_, b"cron.hourly", _) => Form::Script("@hourly"),
        (_, b"cron.daily", _) => Form::Script("@daily"),
        (_, b"cron.weekly", _) => Form::Script("@weekly"),
        (_, b"cron.monthly", _) => Form::Script("@monthly"),
        _ => return None,
    };
    // Both daemons pass over such names, which editors and package managers leave.
    (!spot.name.starts_with(b".") && !spot.name.ends_with(b"~")).then_some(form)
}

fn recognise(spot: &Spot<'_>) -> bool {
    form(spot).is_some()
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    let text = artefact.text();
    match form(&artefact.spot) {
        None => Vec::new(),
        Some(Form::Script(schedule)) => {
            let found = commands::in_script(&text);
            // Whether the script may be executed, and so whether it is run, is not to be seen here.
            found.iter().map(|started| trace(artefact, started, schedule, None)).collect()
        }
        Some(form) => {
            let entries = text.lines().filter_map(split).take(MOST_ENTRIES);
            entries.flat_map(|(when, rest)| entry(artefact, &when, rest, form)).collect()
        }
    }
}

/// So many lines of a table are looked at: each may have scripts read.
const MOST_ENTRIES: usize = 1_000;

/// The traces of one line of a table: when it runs, and what is behind that.
fn entry(artefact: &Artefact<'_>, schedule: &str, rest: &str, form: Form) -> Vec<Automation> {
    let command = match form {
        Form::System => rest.trim_start().split_once(char::is_whitespace).map(|(_, rest)| rest),
        _ => Some(rest),
    };
    let Some(command) = command else { return Vec::new() };
    // Debian's tables leave the work to a timer where systemd runs. Which of them it is cannot be
    // seen from here.
    let leaves_it = command.contains("/run/systemd/system");
    let name = artefact.spot.name;
    // cron(8) of Debian reads only such names in cron.d; that of other systems reads more.
    let is_read = name.iter().all(|octet| octet.is_ascii_alphanumeric() || b"_-".contains(octet));
    // Elsewhere such a folder is what somebody installs from, and no cron looks into it.
    let is_installed = is_read && artefact.spot.grand == b"etc";
    let in_force = !leaves_it && (is_installed || artefact.spot.parent != b"cron.d");
    // A start of the machine comes when it comes: what ends may be years from the next one, and only
    // what stays renews from then on.
    let is_once = schedule.eq_ignore_ascii_case("@reboot");
    let active = |one: &Started| (in_force && (!is_once || one.stays)).then_some(true);
    let found = commands::started(artefact, command);
    found.iter().map(|one| trace(artefact, one, schedule, active(one))).collect()
}

fn trace(
    artefact: &Artefact<'_>,
    one: &Started,
    schedule: &str,
    active: Option<bool>,
) -> Automation {
    Automation {
        name: Some(artefact.name()),
        schedule: Some(schedule.to_owned()),
        active,
        ..Automation::of(one.tool, AutomationRole::Schedule)
    }
}

/// When a line runs, and the rest of it; `None` for comments, settings and what is no such line.
fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start();
    if line.starts_with('@') {
        let (word, rest) = line.split_once(char::is_whitespace)?;
        let is_word =
            word.len() <= 32 && word[1..].bytes().all(|octet| octet.is_ascii_alphanumeric());
        return is_word.then(|| (word.to_owned(), rest));
    }
    let mut rest = line;
    let mut fields = Vec::new();
    for _ in 0..5 {
        let (field, after) = rest.trim_start().split_once(char::is_whitespace)?;
        if !is_field(field) {
            return None;
        }
        fields.push(field);
        rest = after;
    }
    Some((fields.join(" "), rest))
}

/// A field of crontab(5): numbers, ranges, steps, names of months and days.
fn is_field(field: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"*/,-~?#".contains(&octet);
    let starts = |octet: &u8| octet.is_ascii_digit() || *octet == b'*';
    let is_name = |part: &str| part.len() == 3 && part.bytes().all(|o| o.is_ascii_alphabetic());
    let first = field.split([',', '-']).next().unwrap_or_default();
    field.len() <= 128
        && field.bytes().all(allowed)
        && (field.as_bytes().first().is_some_and(starts) || is_name(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_schedules_are_split_off() {
        assert_eq!(split("0 */12 * * mon-fri root x").unwrap().0, "0 */12 * * mon-fri");
        assert_eq!(split("@daily x y").unwrap(), ("@daily".to_owned(), "x y"));
        for none in ["# a b c d e f", "PATH=/bin a b c d e", "a b c d e f g", "* * * *", ""] {
            assert!(split(none).is_none(), "{none}");
        }
    }
}
