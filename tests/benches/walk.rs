//! How fast the filesystem collector walks, and whether it finds everything.
//!
//! Plants a tree of 200,000 files with 10,000 certificates, keys and keystores in all forms in it,
//! scans it with the release binary, and prints a table; then the same for `/usr`. Each tree is
//! scanned twice: once with an empty store, and once more with what the store knows of it. Beside it: `find`, which opens nothing and is the floor, and
//! ripgrep, which looks for one marker of one text format. Ends with an error when anything that
//! was planted is not found.
//!
//! `cargo bench --package pkimm-tests --bench walk`, after `cargo build --release`. A different
//! size: `PKIMM_BENCH_FILES=20000`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be measured has failed")]
#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::disallowed_methods, reason = "the kernel's switch is no file")]

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use pkimm_tests::agent::{Home, Outcome, binary, finish, is_root};
use pkimm_tests::tree::{Plan, found, manifest, plant};

const FILES: usize = 200_000;
const PLANTED: usize = 10_000;
const SEED: u64 = 20_261_121;
const WARM_RUNS: usize = 3;

fn main() -> ExitCode {
    // `cargo test --benches` runs benchmarks too, to see that they compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let files = std::env::var("PKIMM_BENCH_FILES").ok().and_then(|text| text.parse().ok());
    let plan = Plan { files: files.unwrap_or(FILES), planted: PLANTED, seed: SEED, tools: true };
    let home = Home::new();
    let tree = home.folder("tree");
    println!("Planting {} files, {} of them with something in it …", plan.files, plan.planted);
    let (planted, octets) = plant(&tree, plan);
    println!("{} on {} cores.\n", agent_version(), cores());
    Bench { home: &home, tree: &tree, files: plan.files, octets }.table();
    let (expected, actual) = (manifest(&planted), found(&home.inventory(), &tree));
    let missed: Vec<_> = expected.difference(&actual).collect();
    let invented: Vec<_> = actual.difference(&expected).collect();
    println!(
        "Recall: {} of {}. Precision: {} of {}.\n",
        expected.len() - missed.len(),
        expected.len(),
        actual.len() - invented.len(),
        actual.len()
    );
    for line in missed.iter().chain(&invented).take(20) {
        println!("not the same: {line:?}");
    }
    let right = missed.is_empty() && invented.is_empty() && planted.len() == plan.planted;
    // The planted tree is gone then, and with it its part of the caches.
    let usr = Path::new("/usr");
    let (files, octets) = size(usr);
    Bench { home: &Home::new(), tree: usr, files, octets }.table();
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Files of a tree and their octets, as the scan counts them.
fn size(tree: &Path) -> (usize, u64) {
    let output = Command::new("find").arg(tree).args(["-type", "f", "-printf", "%s\n"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let sizes: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    (sizes.len(), sizes.iter().sum())
}

struct Bench<'b> {
    home: &'b Home,
    tree: &'b Path,
    files: usize,
    octets: u64,
}

impl Bench<'_> {
    fn table(&self) {
        let tree = self.tree.file_name().unwrap().to_string_lossy().into_owned();
        println!("`{tree}`: {} files, {:.0} MB.\n", self.files, megabytes(self.octets));
        println!("| what | cache | wall | files/s | MB/s | peak RSS |");
        println!("| --- | --- | ---: | ---: | ---: | ---: |");
        let mut results =
            vec![("pkimm-agent scan", self.scans()), ("… once more", self.scans_again())];
        if Command::new("rg").arg("--version").output().is_ok() {
            let look = self.others("rg", &["-l", "-uuu", "BEGIN CERTIFICATE"]);
            results.push(("rg -l -uuu 'BEGIN CERTIFICATE'", look));
        }
        results.push(("find -type f", self.others("find", &["-type", "f"])));
        // Asks for the times of each file, as whoever wants to know what changed has to.
        let asking = self.others("find", &["-type", "f", "-newermt", "2100-01-01"]);
        results.push(("find -type f -newermt 2100-01-01", asking));
        for (what, (cold, warm)) in &results {
            if let Some(cold) = cold {
                self.row(what, "cold", cold);
            }
            self.row(what, "warm", warm);
        }
        println!();
        if results[0].1.0.is_none() {
            println!("No cold run: only root may drop the caches.");
        }
    }

    /// What is already in the store is not read again.
    fn scans_again(&self) -> (Option<Outcome>, Outcome) {
        self.measure(&|| {
            let tree = self.tree.to_str().unwrap();
            finish(self.home.command(&["scan", "--root", tree])).expect_code(0)
        })
    }

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
