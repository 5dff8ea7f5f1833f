//! `inventory`: what was found.

use std::path::Path;

use anyhow::Context as _;
use pki_inventory::{Asset, Body, ClientCertificate, Endpoint, Handshake, Inventory, View};

use crate::cli::InventoryCommand;
use crate::desk;
use crate::{Ending, output};

/// Lists, shows or exports.
pub fn execute(command: InventoryCommand, store: &Path) -> anyhow::Result<Ending> {
    let store = desk::open(store)?;
    match command {
        InventoryCommand::List { kind, selection } => {
            let inventory = desk::select(&store, &selection)?;
            output::stream(|out| {
                for asset in
                    inventory.assets().filter(|a| kind.is_none_or(|kind| a.id.kind == kind))
                {
                    writeln!(out, "{}", line(asset))?;
                }
                Ok(())
            })?;
        }
        InventoryCommand::Show { asset, selection } => {
            let inventory = desk::select(&store, &selection)?;
            let id = desk::find_asset(&inventory, &asset)?;
            let asset = inventory.get(id).with_context(|| format!("{id} is not in this run"))?;
            let value = pki_report::inventory_jsonl(asset, &View::of(&inventory));
            output::print(&format!("{}\n", serde_json::to_string_pretty(&value)?))?;
        }
        InventoryCommand::Export { format: _, kind, gaps, selection } => {
            let inventory = desk::select(&store, &selection)?;
            if gaps {
                export_gaps(&inventory)?;
            } else {
                let view = View::of(&inventory);
                output::stream(|out| {
                    let wanted = |a: &&Asset| kind.is_none_or(|kind| a.id.kind == kind);
                    for asset in inventory.assets().filter(wanted) {
                        writeln!(out, "{}", pki_report::inventory_jsonl(asset, &view))?;
                    }
                    Ok(())
                })?;
            }
        }
    }
    Ok(Ending::Fine)
}

/// One gap a line.
pub fn export_gaps(inventory: &Inventory) -> anyhow::Result<()> {
    output::stream(|out| {
        for gap in inventory.gaps() {
            writeln!(out, "{}", pki_report::gap_line(gap))?;
        }
        Ok(())
    })
}

/// Kind, short id, what it is, where it was seen. An endpoint is its place.
fn line(asset: &Asset) -> String {
    let told = match &asset.body {
        Body::Certificate(c) => {
            format!("{} until {} by {}", c.display_name(), c.not_after.date(), c.issuer.text)
        }
        Body::Endpoint(endpoint) => {
            let place = asset.places().next().map(ToString::to_string).unwrap_or_default();
            return format!(
                "{:<16} {}  {place}  {}",
                asset.id.kind,
                asset.id.sha256.short(),
                answered(endpoint)
            );
        }
        Body::Key(k) => k.algorithm.as_ref().map_or_else(|| "encrypted".to_owned(), |a| a.label()),
        Body::RevocationList(l) => format!("{} entries by {}", l.entries, l.issuer.text),
        Body::SigningRequest(r) => r.subject.text.clone(),
        Body::TrustStore(t) => format!("{} members", t.members.len()),
        Body::Unparsed(u) => format!("{}: {}", u.claimed, u.error),
    };
    let mut places = asset.places();
    let first = places.next().map(ToString::to_string).unwrap_or_default();
    let more = places.count();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{:<16} {}  {told}  {first}{more}", asset.id.kind, asset.id.sha256.short())
}

/// What a service answered: version, suite, group, what it wants of clients, how many certificates.
fn answered(endpoint: &Endpoint) -> String {
    let session = match &endpoint.handshake {
        Handshake::Shown(session) => session,
        Handshake::Declined { alert, .. } => return format!("declined ({alert})"),
        Handshake::NoTls { .. } => return "no TLS".to_owned(),
    };
    let settled = [&session.version, &session.cipher_suite, &session.group];
    let settled = settled.map(|known| known.as_deref().unwrap_or("-")).join(" ");
    let client = match session.client_certificate {
        ClientCertificate::NotObserved => "client certificate not observed",
        ClientCertificate::NotAsked => "no client certificate",
        ClientCertificate::Asked => "client certificate asked",
        ClientCertificate::Optional => "client certificate optional",
        ClientCertificate::Required => "client certificate required",
    };
    let count = session.chain.len();
    let plural = if count == 1 { "" } else { "s" };
    format!("{settled}  {client}, chain of {count} certificate{plural}")
}

#[cfg(test)]
mod tests {
    use pki_inventory::{Place, Session, Sighting, Time};

    use super::*;

    #[test]
    fn an_endpoint_says_its_place_and_what_it_agreed_to() {
        let session = |client_certificate, chain| {
            Handshake::Shown(Session {
                version: Some("TLSv1.2".to_owned()),
                cipher_suite: Some("TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()),
                group: None,
                offered_groups: Vec::new(),
                alpn: None,
                staple: None,
                sct_logs: Vec::new(),
                client_certificate,
                accepted_authorities: Vec::new(),
                chain,
                ended: None,
            })
        };
        let one = vec![pki_inventory::Digest::of(b"a")];
        let alert = "protocol_version".to_owned();
        for (handshake, said) in [
            (
                session(ClientCertificate::Required, one),
                "TLSv1.2 TLS_RSA_WITH_AES_128_CBC_SHA -  client certificate required, chain of 1 \
                 certificate",
            ),
            (
                session(ClientCertificate::NotObserved, Vec::new()),
                "TLSv1.2 TLS_RSA_WITH_AES_128_CBC_SHA -  client certificate not observed, chain \
                 of 0 certificates",
            ),
            (Handshake::Declined { alert, offered: Vec::new() }, "declined (protocol_version)"),
            (Handshake::NoTls { reason: "SSH".to_owned() }, "no TLS"),
        ] {
            let mut inventory = Inventory::default();
            let place: Place = "smtp+tls://192.0.2.7:25".parse().expect("a place");
            let raw = pki_inventory::Raw::Endpoint(Endpoint::new(Time(0), handshake));
            let sighting = Sighting::at(place, "tls", Time(0));
            let id = inventory.absorb(pki_inventory::Observation::found(raw, sighting));
            let asset = id.and_then(|id| inventory.get(id)).expect("an asset");
            let line = line(asset);
            assert!(line.ends_with(&format!("  smtp+tls://192.0.2.7:25  {said}")), "{line}");
        }
    }
}
