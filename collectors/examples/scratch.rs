#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use pki_collectors::*;
use pki_inventory::*;
use std::collections::BTreeMap;
use std::sync::Arc;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut fs = pki_config::FilesystemScope::default();
    let mut tls = pki_config::TlsScope::default();
    for a in &args {
        if let Some(x) = a.strip_prefix("-x") {
            fs.exclude.push(x.into())
        } else if a.starts_with('/') {
            fs.roots.push(a.into())
        } else {
            tls.targets.push(a.parse().unwrap())
        }
    }
    let cx = Context {
        tls,
        filesystem: fs,
        clock: Arc::new(|| Time(1_790_000_000)),
        cancelled: Default::default(),
        progress: Default::default(),
    };
    let rt = tokio::runtime::Runtime::new().unwrap();
    let start = std::time::Instant::now();
    rt.block_on(async {
        let (sink, mut rx) = Sink::bounded(256);
        let cx2 = cx.clone();
        let t = tokio::spawn(async move {
            for c in COLLECTORS {
                c.collect(&cx2, sink.clone()).await.unwrap();
            }
        });
        let mut inv = Inventory::default();
        while let Some(o) = rx.recv().await {
            inv.absorb(o);
        }
        t.await.unwrap();
        println!("took {:?}; progress {:?}", start.elapsed(), cx.progress);
        let mut kinds = BTreeMap::new();
        for a in inv.assets() {
            *kinds.entry(a.id.kind.name()).or_insert((0, 0)) = {
                let k = kinds.get(a.id.kind.name()).copied().unwrap_or((0, 0));
                (k.0 + 1, k.1 + a.sightings().count())
            };
        }
        println!("{kinds:?}");
        for a in inv.assets() {
            match &a.body {
                Body::Unparsed(u) => println!(
                    "UNPARSED {} {}B {} @ {}",
                    u.claimed,
                    u.length,
                    u.error,
                    a.places().map(|p| p.to_string()).collect::<Vec<_>>().join(" ")
                ),
                Body::Key(k) => {
                    let s = a.sightings().next().unwrap();
                    println!(
                        "KEY {:?} spki={} {:?} {:?} {}",
                        k.algorithm.as_ref().map(|a| a.label()),
                        k.spki.is_some(),
                        s.circumstances.key,
                        s.circumstances
                            .file
                            .as_ref()
                            .map(|f| format!("{:o} {:?} {:?}", f.mode, f.owner, f.group)),
                        s.place
                    )
                }
                Body::TrustStore(t) => {
                    println!("TRUSTSTORE {} {:?}", t.members.len(), a.places().collect::<Vec<_>>())
                }
                Body::Certificate(_) if std::env::var("CERTS").is_ok() => {
                    for p in a.places() {
                        println!("CERT {p}")
                    }
                }
                Body::Endpoint(e) => {
                    println!("ENDPOINT {:?} {:?}", a.places().collect::<Vec<_>>(), e.handshake)
                }
                _ => {}
            }
        }
        let mut gaps = BTreeMap::new();
        for g in inv.gaps() {
            *gaps.entry(g.reason).or_insert(0) += 1;
        }
        for g in inv.gaps() {
            if !matches!(g.reason, GapReason::LinkOutOfScope) {
                println!("GAP {} {} {}", g.reason, g.place, g.detail)
            }
        }
        println!("{gaps:?}");
        for c in inv.coverage() {
            println!("{c:?}")
        }
        println!(
            "{}",
            std::fs::read_to_string("/proc/self/status")
                .unwrap()
                .lines()
                .filter(|l| l.starts_with("VmHWM"))
                .collect::<String>()
        );
    });
}
