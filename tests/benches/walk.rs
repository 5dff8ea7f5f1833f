//! How fast the filesystem collector walks, and whether it finds everything.
//!
//! Plants a tree of 200,000 files with 500 certificates and keys in it, scans it with the release
//! binary, and prints a table. Beside it: `find`, which opens nothing and is the floor, and
//! ripgrep, which looks for one marker of one text format. Ends with an error when anything that
//! was planted is not found.
//!
//! `cargo bench --package pkimm-tests --bench walk`, after `cargo build --release`. A different
//! size: `PKIMM_BENCH_FILES=20000`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be measured has failed")]
#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::disallowed_methods, reason = "the kernel's switch is no file")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use pkimm_tests::agent::{Home, Outcome, binary, finish, is_root};
use pkimm_tests::tree::{Plan, Planted, plant};

const FILES: usize = 200_000;
const PLANTED: usize = 500;
const SEED: u64 = 20_261_121;
const WARM_RUNS: usize = 3;

fn main() -> ExitCode {
    // `cargo test --benches` runs benchmarks too, to see that they compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let files = std::env::var("PKIMM_BENCH_FILES").ok().and_then(|text| text.parse().ok());
    let plan = Plan { files: files.unwrap_or(FILES), planted: PLANTED, seed: SEED };
    let home = Home::new();
    let tree = home.folder("tree");
    println!("Planting {} files, {} of them with a certificate or key …", plan.files, plan.planted);
    let (planted, octets) = plant(&tree, plan);
    let bench = Bench { home: &home, tree: &tree, files: plan.files, octets };

    println!("{:.0} MB. {} on {} cores.\n", megabytes(octets), agent_version(), cores());
    println!("| what | cache | wall | files/s | MB/s | peak RSS |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let mut results = vec![("pkimm-agent scan", bench.scans())];
    if Command::new("rg").arg("--version").output().is_ok() {
        results
            .push(("rg -l -uuu 'BEGIN CERT'", bench.others("rg", &["-l", "-uuu", "BEGIN CERT"])));
    }
    results.push(("find -type f", bench.others("find", &["-type", "f"])));
    for (what, (cold, warm)) in &results {
        if let Some(cold) = cold {
            bench.row(what, "cold", cold);
        }
        bench.row(what, "warm", warm);
    }
    println!();
    if results[0].1.0.is_none() {
        println!("No cold run: only root may drop the caches.");
    }
    let (found, missed) = recall(&home, &planted);
    println!("Recall: {found} of {} planted certificates and keys.", planted.len());
    for plant in &missed {
        println!("not found: {} {} in {}", plant.kind, plant.sha256, plant.path.display());
    }
    if missed.is_empty() && planted.len() == plan.planted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Bench<'b> {
    home: &'b Home,
    tree: &'b Path,
    files: usize,
    octets: u64,
}

impl Bench<'_> {
    /// A cold run if possible, and the median of warm ones. Each begins with an empty store.
    fn scans(&self) -> (Option<Outcome>, Outcome) {
        self.measure(&|| {
            let _ = fs::remove_dir_all(self.home.path().join("pkimm-report"));
            let tree = self.tree.to_str().unwrap();
            finish(self.home.command(&["scan", "--root", tree])).expect_code(0)
        })
    }

    fn others(&self, program: &str, arguments: &[&str]) -> (Option<Outcome>, Outcome) {
        self.measure(&|| {
            let mut command = Command::new(program);
            match program {
                "find" => command.arg(self.tree).args(arguments),
                _ => command.args(arguments).arg(self.tree),
            };
            finish(command).expect_code(0)
        })
    }

    fn measure(&self, run: &dyn Fn() -> Outcome) -> (Option<Outcome>, Outcome) {
        let cold = drop_caches().then(run);
        if cold.is_none() {
            run();
        }
        let mut warm: Vec<Outcome> = (0..WARM_RUNS).map(|_| run()).collect();
        warm.sort_by_key(|outcome| outcome.took);
        (cold, warm.swap_remove(WARM_RUNS / 2))
    }

    fn row(&self, what: &str, cache: &str, outcome: &Outcome) {
        let seconds = outcome.took.as_secs_f64();
        let files = self.files as f64 / seconds;
        let speed = megabytes(self.octets) / seconds;
        // What opens no file reads no octets.
        let speed = if what.starts_with("find") { "–".to_owned() } else { format!("{speed:.0}") };
        let peak = megabytes(outcome.peak_rss);
        println!("| `{what}` | {cache} | {seconds:.2} s | {files:.0} | {speed} | {peak:.0} MB |");
    }
}

/// What was found of what was planted: by kind, digest and place.
fn recall(home: &Home, planted: &[Planted]) -> (usize, Vec<Planted>) {
    let mut seen = BTreeSet::new();
    for asset in home.inventory() {
        for place in asset["places"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            seen.insert((text(&asset["kind"]), text(&asset["sha256"]), text(place)));
        }
    }
    let is_seen = |plant: &Planted| {
        let place = format!("file://{}", plant.path.display());
        seen.contains(&(plant.kind.to_owned(), plant.sha256.clone(), place))
    };
    let missed: Vec<Planted> = planted.iter().filter(|plant| !is_seen(plant)).cloned().collect();
    (planted.len() - missed.len(), missed)
}

/// Makes the next run read from the disk, if we may.
fn drop_caches() -> bool {
    let dropped = is_root()
        && Command::new("sync").status().is_ok_and(|status| status.success())
        && fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
    if dropped {
        std::thread::sleep(Duration::from_millis(500));
    }
    dropped
}

fn megabytes(octets: u64) -> f64 {
    octets as f64 / 1e6
}

fn agent_version() -> String {
    let output = Command::new(binary()).arg("--version").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
