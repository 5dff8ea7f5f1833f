//! certbot: one file of `renewal/` a certificate, its versions numbered in `archive/`.

use std::path::{Path, PathBuf};

use pki_inventory::{Automation, AutomationRole};

use crate::commands::Command;
use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, places, settings};

pub(crate) const TOOL: Tool = Tool {
    name: "certbot",
    commands: &[
        Command::once(&["certbot", "renew"]),
        Command::once(&["certbot", "certonly"]),
        Command::once(&["certbot.renew"]),
        Command::once(&["certbot-auto", "renew"]),
        Command::once(&["letsencrypt", "renew"]),
        Command::once(&["letsencrypt-auto", "renew"]),
    ],
    recognise,
    recognise_link: never,
    read,
};

fn recognise(spot: &Spot<'_>) -> bool {
    spot.parent == b"renewal" && spot.has_extension(b"conf")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if !artefact.mentions(b"archive_dir") && !artefact.mentions(b"[renewalparams]") {
        return Vec::new();
    }
    let text = artefact.text();
    let name = String::from_utf8_lossy(artefact.spot.stem(b"conf").unwrap_or_default());
    let mut trace = Automation {
        name: Some(name.clone().into_owned()),
        ..Automation::of("certbot", AutomationRole::Lineage)
    };
    // What is not written is at its default, and the default is a new key each time.
    trace.reuses_key = Some(false);
    let mut places = Places::default();
    let mut key = Key::default();
    let mut by_hand = false;
    let mut answers_itself = false;
    for (section, name, value) in settings::pairs(&text) {
        match (section, name) {
            ("", "archive_dir") => places.archive = artefact.resolve(value),
            ("", "cert" | "privkey" | "chain" | "fullchain") => places.live(artefact, value),
            ("", "renew_before_expiry") => trace.schedule = Some(format!("{name} = {value}")),
            ("webroot_map", domain) => trace.domains.push(domain.to_owned()),
            ("renewalparams", "server") => trace.issuer = bounds::issuer(value),
            ("renewalparams", "authenticator") => {
                by_hand = value == "manual";
                trace.authenticator = bounds::word(value);
            }
            ("renewalparams", "manual_auth_hook") => answers_itself = is_set(value),
            ("renewalparams", "autorenew") if settings::yes(value) == Some(false) => {
                trace.active = Some(false);
            }
            ("renewalparams", "key_type") => key.kind = bounds::word(value),
            ("renewalparams", "rsa_key_size") => key.size = bounds::word(value),
            ("renewalparams", "elliptic_curve") => key.curve = bounds::word(value),
            ("renewalparams", "reuse_key") => trace.reuses_key = settings::yes(value),
            ("renewalparams", "renew_hook" | "deploy_hook" | "post_hook" | "installer")
                if is_set(value) =>
            {
                trace.hook = Some(true);
            }
            _ => {}
        }
    }
    // It stops and asks a person.
    if by_hand && !answers_itself {
        trace.active = Some(false);
    }
    trace.key_type = key.text();
    let archive = places.archive(artefact, &name);
    trace.renewals = renewals(artefact, &archive);
    trace.manages.extend(places::folder(&archive));
    trace.manages.extend(places.managed);
    if trace.hook.is_none() && has_hooks(artefact) {
        trace.hook = Some(true);
    }
    vec![trace]
}

fn is_set(value: &str) -> bool {
    !value.is_empty() && value != "None"
}

#[derive(Default)]
struct Key {
    kind: Option<String>,
    size: Option<String>,
    curve: Option<String>,
}

impl Key {
    /// The kind with the setting that belongs to it; both settings may be written.
    fn text(self) -> Option<String> {
        let detail = if self.kind.as_deref() == Some("ecdsa") { self.curve } else { self.size };
        match (self.kind, detail) {
            (Some(kind), Some(detail)) => Some(format!("{kind} {detail}")),
            (None, Some(size)) => Some(format!("rsa {size}")),
            (kind, None) => kind,
        }
    }
}

#[derive(Default)]
struct Places {
    archive: Option<PathBuf>,
    managed: Vec<String>,
}

impl Places {
    /// The folder of links, and where they lead when that is somewhere else.
    fn live(&mut self, artefact: &Artefact<'_>, written: &str) {
        let Some(path) = artefact.resolve(written) else { return };
        self.managed.extend(path.parent().and_then(places::folder));
        let target = artefact.host.link(&path);
        self.managed.extend(target.as_deref().and_then(places::file));
    }

    /// The folder of versions. The one beside is right where the tree was laid out somewhere else
    /// than it was made.
    fn archive(&self, artefact: &Artefact<'_>, name: &str) -> PathBuf {
        let beside = artefact.folder_above().join("archive").join(name);
        match &self.archive {
            Some(written) if artefact.list(&beside).is_empty() => written.clone(),
            _ => beside,
        }
    }
}

/// Versions are counted from 1, and the first was no renewal.
fn renewals(artefact: &Artefact<'_>, archive: &Path) -> Option<u32> {
    let number = |name: &String| -> Option<u32> {
        name.strip_prefix("cert")?.strip_suffix(".pem")?.parse().ok()
    };
    let highest = artefact.list(archive).iter().filter_map(number).max()?;
    highest.checked_sub(1)
}

/// Scripts for all certificates lie in folders of their own.
fn has_hooks(artefact: &Artefact<'_>) -> bool {
    let hooks = artefact.folder_above().join("renewal-hooks");
    ["deploy", "post"].iter().any(|kind| {
        let names = artefact.list(&hooks.join(kind));
        names.iter().any(|name| !name.starts_with('.') && !name.ends_with('~'))
    })
}
