//! Settings and the traces of tools: files that are told by their paths, because what they say has
//! no form of its own.

use std::path::Path;

use pki_encodings::Report as _;
use pki_inventory::{Automation, Configuration, Object, Raw};

use super::boundaries::Boundaries;
use super::host::Host;
use super::report::FileReport;

/// Whether a file is read for what it declares.
pub(super) fn is_declared(path: &Path) -> bool {
    pki_automation::recognise(path) || pki_configured::recognise(path)
}

/// Reports what a file declares. Settings mean what the files mean that they name: what was made
/// out by asking for others is asked again the next time, whether this file has changed or not.
pub(super) fn file(
    path: &Path,
    octets: &[u8],
    boundaries: &Boundaries,
    report: &mut FileReport<'_>,
) {
    let host = Host::new(boundaries);
    if pki_automation::recognise(path) {
        for automation in pki_automation::read(path, octets, &host) {
            report.object(automated(automation));
        }
    }
    if pki_configured::recognise(path) {
        for configuration in pki_configured::read(path, octets, &host) {
            report.object(configured(configuration, &host));
        }
    }
    if host.was_asked() {
        report.depends_on_others();
    }
}

/// Reports what a link declares by where it leads.
pub(super) fn link(path: &Path, boundaries: &Boundaries, report: &mut FileReport<'_>) {
    for automation in pki_automation::read(path, &[], &Host::new(boundaries)) {
        report.object(automated(automation));
    }
}

fn automated(automation: Automation) -> Object {
    Object::of(Raw::Automation(Box::new(automation)))
}

/// Paths are joined with places, and nothing is found at a place that a link leads through.
fn configured(mut configuration: Configuration, host: &Host<'_>) -> Object {
    let lists =
        [&mut configuration.certificates, &mut configuration.keys, &mut configuration.trusts];
    for path in lists.into_iter().flatten() {
        *path = host.resolved(path);
    }
    Object::of(Raw::Configuration(Box::new(configuration)))
}
