//! Which automation stands behind a certificate, and what it has done.

use std::collections::BTreeMap;

use crate::disk::{beside, file_paths, is_authority};
use crate::{Asset, AutomationRole, Body, Certificate, View};

/// The certificates seen where one trace of automation says that its certificates lie.
#[derive(Debug, Clone, Copy, Default)]
pub struct Managed<'a> {
    /// How many different ones, authorities left out. Tools that keep the old ones (certbot's
    /// `archive`) show each renewal as one more.
    pub certificates: usize,
    /// The one whose validity begins last.
    pub newest: Option<&'a Asset>,
}

impl<'a> View<'a> {
    /// The traces of automation that manage this certificate: one of its files is among the paths
    /// they name, or they lie in the same file (a store of Traefik, a Kubernetes secret) and are
    /// for one of its names or say no name. Sorted by id; 64 at most.
    #[must_use]
    pub fn automation_of(&self, certificate: &Asset) -> Vec<&'a Asset> {
        self.disk.traces_of(certificate)
    }

    /// What starts this tool, by the tool's name as in [`Automation`](crate::Automation).
    #[must_use]
    pub fn schedules(&self, tool: &str) -> &[&'a Asset] {
        self.tools(AutomationRole::Schedule, tool)
    }

    /// What watches for expiry by means of this tool.
    #[must_use]
    pub fn monitors(&self, tool: &str) -> &[&'a Asset] {
        self.tools(AutomationRole::Monitor, tool)
    }

    fn tools(&self, role: AutomationRole, tool: &str) -> &[&'a Asset] {
        let tools = self.disk.tools.get(&role);
        tools.and_then(|tools| tools.get(tool)).map_or(&[], Vec::as_slice)
    }

    /// The certificates that a trace of automation manages, as far as they were seen; none for
    /// other assets.
    #[must_use]
    pub fn managed_by(&self, automation: &Asset) -> Managed<'a> {
        let Body::Automation(body) = &automation.body else { return Managed::default() };
        if body.role != AutomationRole::Lineage {
            return Managed::default();
        }
        let certificates = &self.disk.certificates;
        let mut found = BTreeMap::new();
        for path in file_paths(automation) {
            let here = certificates.get(path).into_iter().flatten();
            found.extend(here.filter(|it| is_for(automation, it)).map(|it| (it.id, *it)));
            for managed in &body.manages {
                let managed = beside(path, managed);
                let below = self.disk.below(&managed);
                let covered = below.take_while(|(path, _)| covers(&managed, path));
                found.extend(covered.flat_map(|(_, assets)| assets).map(|it| (it.id, *it)));
            }
        }
        found.retain(|_, asset| !is_authority(asset));
        let newest = found.values().copied().max_by_key(|asset| {
            let begins = asset.certificate().map(|certificate| certificate.not_before);
            (begins, asset.id)
        });
        Managed { certificates: found.len(), newest }
    }
}

/// Whether a path that is managed is this one or a folder above it.
fn covers(managed: &str, path: &str) -> bool {
    path == managed || (managed.ends_with('/') && path.starts_with(managed))
}

/// Whether a trace in the same file is for this certificate: such files hold many of both.
pub(crate) fn is_for(automation: &Asset, certificate: &Asset) -> bool {
    let (Body::Automation(automation), Some(certificate)) =
        (&automation.body, certificate.certificate())
    else {
        return false;
    };
    let names = Certificate::lineage_names(certificate);
    automation.domains.is_empty()
        || automation.domains.iter().any(|one| names.contains(&one.to_ascii_lowercase()))
}
