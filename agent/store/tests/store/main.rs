//! The store, from outside.

mod certificate;
mod changes;
mod contract;
mod files;
mod kill;
mod refused;
mod resume;
mod tamper;
mod unchanged;

use std::path::Path;

use pki_inventory::{
    Asset, Coverage, Digest, Endpoint, Gap, GapReason, Handshake, Inventory, Observation, Place,
    Raw, Sighting, Time,
};
use pki_store::{RunStart, SqliteStore};

use certificate::Wanted;

/// The instant at which the first run of each test begins.
const START: Time = Time(1_700_000_000);

/// A start, as many hours after the first.
fn start(hours: i64) -> RunStart {
    RunStart {
        started: later(hours),
        scope: r#"{"filesystem":["/etc/ssl"]}"#.to_owned(),
        config_digest: Digest::of(b"configuration"),
        agent_version: "0.1.0".to_owned(),
    }
}

fn later(hours: i64) -> Time {
    Time(START.0 + 3600 * hours)
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder.join("store.db")).expect("the store opens")
}

fn file(path: &str, at: Time) -> Sighting {
    Sighting::at(Place::file(path), "filesystem", at)
}

fn tls(address: &str, name: Option<&str>, at: Time) -> Sighting {
    let address = address.parse().expect("an address with a port");
    Sighting::at(Place::tls(address, name), "tls", at)
}

fn served(address: &str, position: u16, at: Time) -> Sighting {
    let mut sighting = tls(address, None, at);
    sighting.circumstances.chain_position = Some(position);
    sighting
}

fn certificate(serial: u64, host: &str, not_after: Time) -> Raw {
    Raw::Certificate(Wanted::host(serial, &[host], not_after).der())
}

fn endpoint(observed: Time, reason: &str) -> Raw {
    Raw::Endpoint(Endpoint::new(observed, Handshake::NoTls { reason: reason.to_owned() }))
}

fn gap(place: Place, collector: &str, reason: GapReason, at: Time) -> Gap {
    let (collector, detail) = (collector.to_owned(), "the server said nothing".to_owned());
    Gap { place, collector, reason, detail, first_seen: at, last_seen: at }
}

fn covered(collector: &str, scope: &str, finished: Time) -> Observation {
    Observation::Covered {
        collector: collector.to_owned(),
        scope: scope.to_owned(),
        coverage: Coverage {
            finished,
            asked: 3,
            read: 2,
            not_read: 1,
            octets: u64::MAX,
            unchanged: 0,
        },
    }
}

fn absorbed(observations: impl IntoIterator<Item = Observation>) -> Inventory {
    let mut inventory = Inventory::default();
    for observation in observations {
        inventory.absorb(observation);
    }
    inventory
}

/// What a run saw, with the times at which earlier runs first saw the same.
fn with_history(now: &Inventory, before: &Inventory) -> Inventory {
    let mut result = Inventory::default();
    for asset in now.assets() {
        let known: Vec<&Sighting> =
            before.get(asset.id).into_iter().flat_map(Asset::sightings).collect();
        let mut with = Asset::new(asset.id, asset.body.clone());
        for sighting in asset.sightings() {
            let same =
                |k: &&&Sighting| (&k.place, &k.collector) == (&sighting.place, &sighting.collector);
            let first = known.iter().find(same).map_or(sighting.first_seen, |k| k.first_seen);
            let first_seen = sighting.first_seen.min(first);
            with.see(Sighting { first_seen, ..sighting.clone() });
        }
        result.add(with);
    }
    for gap in now.gaps() {
        let same = |k: &&Gap| {
            (&k.place, &k.collector, k.reason) == (&gap.place, &gap.collector, gap.reason)
        };
        let first = before.gaps().find(same).map_or(gap.first_seen, |k| k.first_seen);
        result.add_gap(Gap { first_seen: gap.first_seen.min(first), ..gap.clone() });
    }
    for (collector, scope, coverage) in now.coverage() {
        result.add_coverage(collector.to_owned(), scope.to_owned(), coverage.clone());
    }
    result
}
