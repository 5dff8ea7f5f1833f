//! cert-manager: manifests of `Certificate`, the secrets that it made, ingresses that ask for one.

use pki_inventory::{Automation, AutomationRole};

use crate::spot::{Artefact, Spot};
use crate::tree::{self, Tree};
use crate::{Tool, bounds, never, places};

pub(crate) const TOOL: Tool =
    Tool { name: "cert-manager", commands: &[], recognise, recognise_link: never, read };

/// Its group of the Kubernetes API, and the one of its first versions.
const GROUPS: [&str; 2] = ["cert-manager.io", "certmanager.k8s.io"];

fn recognise(spot: &Spot<'_>) -> bool {
    spot.is_data()
}

fn read(artefact: &Artefact<'_>) -> Vec<Automation> {
    if !GROUPS.iter().any(|group| artefact.mentions(group.as_bytes())) {
        return Vec::new();
    }
    let mut traces = Vec::new();
    for document in tree::documents(&artefact.text()) {
        document.each_map(&mut |object| match object.at("kind").text() {
            Some("Certificate") => traces.extend(certificate(object)),
            Some("Secret") => traces.extend(secret(artefact, object)),
            Some("Ingress") => traces.extend(ingress(object)),
            _ => {}
        });
    }
    traces
}

fn lineage(name: Option<String>) -> Automation {
    Automation { name, ..Automation::of("cert-manager", AutomationRole::Lineage) }
}

fn certificate(object: &Tree) -> Option<Automation> {
    let group = object.at("apiVersion").text()?.split('/').next()?;
    if !GROUPS.contains(&group) {
        return None;
    }
    let spec = object.at("spec");
    let key = spec.at("privateKey");
    let algorithm = key.at("algorithm").text().or(spec.at("keyAlgorithm").text());
    let size = key.at("size").text().or(spec.at("keySize").text());
    let words: Vec<&str> = algorithm.into_iter().chain(size).collect();
    // What is not written is at its default, which changed with version 1.18; the manifest does
    // not tell the version.
    let reuses_key = match key.at("rotationPolicy").text() {
        Some("Never") => Some(true),
        Some("Always") => Some(false),
        _ => None,
    };
    let status = object.at("status");
    let revision = status.at("revision").text().and_then(|text| text.parse::<u32>().ok());
    let names = spec.at("commonName").text().into_iter();
    let names = names.chain(spec.at("dnsNames").texts()).chain(spec.at("ipAddresses").texts());
    Some(Automation {
        domains: bounds::domains(names),
        issuer: spec.below(&["issuerRef", "name"]).owned(),
        key_type: bounds::short(&words.join(" ")),
        reuses_key,
        next_renewal: status.at("renewalTime").text().and_then(|text| text.parse().ok()),
        renewals: revision.and_then(|revision| revision.checked_sub(1)),
        ..lineage(object.below(&["metadata", "name"]).owned())
    })
}

/// An annotation of one of its groups.
fn annotation<'t>(object: &'t Tree, key: &str) -> Option<&'t str> {
    let notes = object.below(&["metadata", "annotations"]);
    GROUPS.iter().find_map(|group| notes.at(&format!("{group}/{key}")).text())
}

/// The secret that holds a certificate; the certificate itself is read from this same file.
fn secret(artefact: &Artefact<'_>, object: &Tree) -> Option<Automation> {
    let name = annotation(object, "certificate-name")?;
    let lists = ["common-name", "alt-names", "ip-sans"];
    let names = lists.iter().filter_map(|key| annotation(object, key));
    Some(Automation {
        domains: bounds::domains(names.flat_map(|names| names.split(','))),
        manages: places::file(artefact.path).into_iter().collect(),
        issuer: annotation(object, "issuer-name").and_then(bounds::short),
        ..lineage(bounds::short(name))
    })
}

fn ingress(object: &Tree) -> Option<Automation> {
    let issuer = annotation(object, "cluster-issuer").or_else(|| annotation(object, "issuer"))?;
    let tls = object.below(&["spec", "tls"]).items();
    let hosts = tls.iter().flat_map(|entry| entry.at("hosts").texts());
    Some(Automation {
        domains: bounds::domains(hosts),
        issuer: bounds::short(issuer),
        ..lineage(object.below(&["metadata", "name"]).owned())
    })
}
