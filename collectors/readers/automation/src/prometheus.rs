//! Prometheus: alerts whose expression looks at when certificates end.

use pki_inventory::{Automation, AutomationRole};

use crate::spot::{Artefact, Spot};
use crate::{Tool, bounds, never, tree};

pub(crate) const TOOL: Tool =
    Tool { name: "Prometheus", commands: &[], recognise, recognise_link: never, read };

/// What the usual exporters call it.
const METRICS: [&str; 8] = [
    "x509_cert_not_after",
    "x509_cert_expired",
    "x509_cert_expires_in_seconds",
    "ssl_cert_not_after",
    "ssl_file_cert_not_after",
    "probe_ssl_earliest_cert_expiry",
    "certmanager_certificate_expiration_timestamp_seconds",
    "kubelet_certificate_manager_client_expiration",
];

fn recognise(spot: &Spot<'_>) -> bool {
    spot.is_data() || spot.has_extension(b"rules")
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if !METRICS.iter().any(|metric| artefact.mentions(metric.as_bytes())) {
        return Vec::new();
    }
    let mut traces = Vec::new();
    for document in tree::documents(&artefact.text()) {
        document.each_map(&mut |rule| {
            let expression = rule.at("expr").text().unwrap_or_default();
            let Some(alert) = rule.at("alert").text() else { return };
            if METRICS.iter().any(|metric| expression.contains(metric)) {
                traces.push(Automation {
                    name: bounds::short(alert),
                    ..Automation::of("Prometheus", AutomationRole::Monitor)
                });
            }
        });
    }
    traces
}
