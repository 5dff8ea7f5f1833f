//! Times 100,000 upserts into a new store, then a second run over the same things.
//!
//! `cargo run --release -p pki-store --example upserts`

#[path = "../tests/store/certificate.rs"]
mod certificate;

use std::io::Write as _;
use std::time::Instant;

use certificate::Wanted;
use pki_inventory::{Digest, FileFacts, Inventory, Observation, Place, Raw, Sighting, Time};
use pki_store::{Batch, RunEnd, RunStart, Selection, SqliteStore, Store};

const UPSERTS: u64 = 100_000;
const PER_BATCH: u64 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    let folder = tempfile::tempdir()?;
    let mut store = SqliteStore::open(folder.path().join("store.db"))?;
    let mut runs = Vec::new();
    for (what, at) in [("new", Time(1_700_000_000)), ("seen again", Time(1_700_086_400))] {
        let batches = batches(at);
        let run = store.begin_run(&RunStart {
            started: at,
            scope: "{}".to_owned(),
            config_digest: Digest::of(b""),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        let started = Instant::now();
        for batch in &batches {
            store.record(run, batch)?;
        }
        let seconds = started.elapsed().as_secs_f64();
        let rate = UPSERTS as f64 / seconds;
        writeln!(out, "{what}: {UPSERTS} upserts in {seconds:.2} s, {rate:.0} per second")?;
        let started = Instant::now();
        store.end_run(run, at, RunEnd::Completed)?;
        writeln!(out, "{what}: ended in {:.2} s", started.elapsed().as_secs_f64())?;
        let megabytes = std::fs::metadata(store.path())?.len() as f64 / 1e6;
        writeln!(out, "{what}: {megabytes:.0} MB")?;
        runs.push(run);
    }
    let started = Instant::now();
    let loaded = store.inventory(Selection::Latest)?.assets().count();
    writeln!(out, "{loaded} assets loaded in {:.2} s", started.elapsed().as_secs_f64())?;
    let started = Instant::now();
    store.changes(runs[0], runs[1], &|_| false)?;
    writeln!(out, "two runs compared in {:.2} s", started.elapsed().as_secs_f64())?;
    let started = Instant::now();
    let broken = store.verify_chain()?.len();
    writeln!(out, "chain verified in {:.2} s, {broken} broken", started.elapsed().as_secs_f64())?;
    Ok(())
}

fn batches(at: Time) -> Vec<Batch> {
    let batch = |number: u64| {
        let mut seen = Inventory::default();
        for serial in number * PER_BATCH..(number + 1) * PER_BATCH {
            let host = format!("host-{serial}.example.org");
            let names = [host.as_str()];
            let wanted = Wanted::host(serial, &names, Time(1_800_000_000));
            // As long as a certificate is on average.
            let der = Wanted { signature: 850, ..wanted }.der();
            let place = Place::file(format!("/etc/ssl/certs/{host}.pem")).object(1);
            let mut sighting = Sighting::at(place, "filesystem", at);
            sighting.circumstances.file = Some(FileFacts {
                mode: 0o644,
                uid: 0,
                gid: 0,
                owner: Some("root".to_owned()),
                group: Some("root".to_owned()),
                // Scattered, as the dates of real files are.
                modified: Time(1_600_000_000 + (serial * 2_654_435_761 % 100_000_007) as i64),
                filesystem: None,
                access_list: false,
                behind: None,
            });
            seen.absorb(Observation::found(Raw::Certificate(der), sighting));
        }
        Batch::from(&seen)
    };
    (0..UPSERTS / PER_BATCH).map(batch).collect()
}
