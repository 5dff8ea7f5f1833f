//! The collector alone: what it sees is counted and let go, so that probing is told apart from
//! keeping.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pki_collectors::{COLLECTORS, Context, Done, Progress, Sink};
use pki_config::{DirectoryScope, FilesystemScope, TlsScope};
use pki_inventory::{Observation, Raw, Time};

use crate::fleet::Fleet;

/// Asks the whole fleet, and says how many endpoints, distinct certificates and gaps there were.
pub fn ask(fleet: Fleet, concurrency: usize) {
    let context = Context {
        tls: TlsScope {
            targets: vec![fleet.target().parse().unwrap()],
            concurrency,
            per_host: 256,
            per_network: 4096,
            connections_per_sec: 100_000,
            jitter_percent: 0,
            ..TlsScope::default()
        },
        filesystem: FilesystemScope::default(),
        directory: DirectoryScope::default(),
        clock: Arc::new(|| Time(0)),
        wall_clock: Arc::new(|| Time(0)),
        cancelled: Arc::new(AtomicBool::new(false)),
        progress: Arc::new(Progress::default()),
        done: Arc::new(Done::default()),
        seen: Arc::new(pki_collectors::Seen::new([0, 0], Vec::new())),
        passwords: Arc::default(),
        directory_passwords: Arc::default(),
        pkcs11: pki_config::Pkcs11Scope::default(),
        pins: Arc::default(),
        refused_logins: Arc::default(),
        noted_logins: None,
        module_command: Arc::default(),
        secret_variables: Arc::default(),
    };
    // As many threads as the agent has, and as many observations under way.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sink, mut source) = Sink::bounded(4096);
    let collector = COLLECTORS.iter().find(|collector| collector.name() == "tls").unwrap();
    runtime.spawn(async move { collector.collect(&context, sink).await.unwrap() });
    let (mut certificates, mut endpoints, mut gaps) = (BTreeSet::new(), 0, 0);
    runtime.block_on(async {
        while let Some(observation) = source.recv().await {
            match observation {
                Observation::Found { raw: Raw::Certificate(der), .. } => {
                    certificates.insert(der);
                }
                Observation::Found { raw: Raw::Endpoint(_), .. } => endpoints += 1,
                Observation::Found { .. }
                | Observation::Covered { .. }
                | Observation::LoginTried(_)
                | Observation::LoginCleared(_)
                | Observation::Unchanged(_) => {}
                Observation::Missed(_) => gaps += 1,
            }
        }
    });
    println!("{endpoints} {} {gaps}", certificates.len());
}
