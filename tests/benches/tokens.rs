//! How fast the PKCS #11 collector reads a token, how often it calls its module for that, and whether
//! it finds everything.
//!
//! Fills a token of SoftHSM with 10,000 objects once (it stays below `target`), reads it with the
//! release binary, then with `pkcs11-tool`, which lists the same objects. The floor is a bare loop
//! over the same classes with one question for the attributes of each object, which does nothing with
//! the answers. Calls are counted by `pkcs11-spy`, in runs that are not measured. Ends with an error
//! when an object is missed.
//!
//! `cargo bench --package pkimm-tests --bench tokens`, after `cargo build --release`. A different size:
//! `PKIMM_BENCH_OBJECTS=1000`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be measured has failed")]
#![allow(clippy::disallowed_methods, reason = "reads files that it wrote itself")]
#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use pkimm_tests::agent::{Home, Outcome, binary, finish};
use pkimm_tests::certificates::{Authority, Order, path};
use pkimm_tests::servers::tokens::{Object, SoftHsm, calls, library, softhsm};
use serde_json::Value;

const OBJECTS: usize = 10_000;
const RUNS: usize = 3;
const TOKEN: &str = "Benchmark";
const PIN: &str = "of-the-benchmark";

fn main() -> ExitCode {
    // `cargo test --benches` runs benchmarks too, to see that they compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let count = std::env::var("PKIMM_BENCH_OBJECTS").ok().and_then(|text| text.parse().ok());
    let count: usize = count.unwrap_or(OBJECTS);
    let hsm = filled(count);
    let home = Home::new();
    println!("{} on {} cores.\n", agent_version(), cores());

    settings(&home, &softhsm());
    let scans = median(|| {
        forget(&home);
        finish(agent(&home, &hsm)).expect_code(0)
    });
    let found = found(&home);
    let tools = median(|| finish(tool(&hsm, &softhsm())).expect_code(0));
    let mut floors: Vec<(usize, f64)> = (0..RUNS).map(|_| hsm.floor(TOKEN, PIN)).collect();
    floors.sort_by(|one, other| one.1.total_cmp(&other.1));
    let (floor_count, floor) = floors[RUNS / 2];
    // The spy writes every call with its arguments: slow, and counted only.
    let spy = library("pkcs11-spy.so");
    settings(&home, &spy);
    forget(&home);
    let scan_calls = counted(agent(&home, &hsm), &home);
    let tool_calls = counted(tool(&hsm, &spy), &home);

    println!("| what | wall | × floor | calls | calls/object | peak RSS |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    println!("| floor | {floor:.2} s | 1.0 | | | |");
    row("pkcs11-tool --list-objects", &tools, floor, tool_calls, count);
    row("pkimm-agent scan", &scans, floor, scan_calls, count);
    println!("\nObjects: {found:?}; the floor saw {floor_count}.");
    let all: usize = found.values().sum();
    if all == count && floor_count == count { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A token with this many objects, made once: a fifth each of public and private EC keys and of
/// certificates, two fifths of AES keys.
fn filled(count: usize) -> SoftHsm {
    // target/release/deps/tokens-0123456789abcdef
    let target = std::env::current_exe().unwrap();
    let target: PathBuf = target.ancestors().nth(3).unwrap().join("tokens-of-the-benchmark");
    let folder = target.join(count.to_string());
    let whole = folder.join("whole");
    if !whole.exists() {
        println!("Filling a token with {count} objects; SoftHSM takes some minutes …");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let hsm = SoftHsm::new(&folder);
        hsm.add_token(TOKEN, PIN);
        let root = Authority::root(&folder, "Lab Root");
        let certificate = root.issue(&Order::server("bench.lab.test")).der();
        let fifth = count / 5;
        let number = |at: usize| format!("{at:06x}");
        // One certificate in many places, one of the usual size. It is not that of any of the keys.
        let certificates = (0..fifth).map(|at| {
            Object::certificate(&certificate, &format!("held {at}"), &number(0x80_0000 + at))
        });
        let pairs = (0..fifth).map(|at| Object::pair("p256", &format!("pair {at}"), &number(at)));
        let rest = count - 3 * fifth;
        let keys = (0..rest).map(|at| Object::secret("aes", &format!("key {at}"), &number(at)));
        let objects: Vec<Object> = certificates.chain(pairs).chain(keys).collect();
        hsm.put(TOKEN, PIN, &objects);
        fs::write(whole, "").unwrap();
        return hsm;
    }
    SoftHsm::new(&folder)
}

fn settings(home: &Home, module: &Path) {
    let secret = home.write("pin", format!("{PIN}\n"));
    let text = format!(
        "[filesystem]\nroots = []\n[pkcs11]\np11_kit = false\n[[pkcs11.modules]]\npath = {:?}\n\
         [[pkcs11.logins]]\ntoken = \"pkcs11:token={TOKEN}\"\npin_file = {:?}\n",
        path(module),
        path(&secret)
    );
    home.write("pkimm-agent.toml", text);
}

fn agent(home: &Home, hsm: &SoftHsm) -> Command {
    let mut command = home.command(&["scan"]);
    hsm.tell(&mut command);
    command
}

fn tool(hsm: &SoftHsm, module: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "exec pkcs11-tool \"$@\" >/dev/null", "sh", "--module", path(module)]);
    command.args(["--token-label", TOKEN, "--login", "--pin", PIN, "--list-objects"]);
    hsm.tell(&mut command);
    command
}

/// How often a command calls the module.
fn counted(mut command: Command, home: &Home) -> usize {
    let written = home.path().join("spy");
    let _ = fs::remove_file(&written);
    command.env("PKCS11SPY", softhsm()).env("PKCS11SPY_OUTPUT", &written);
    let _ = finish(command).expect_code(0);
    calls(&String::from_utf8_lossy(&fs::read(written).unwrap())).len()
}

fn forget(home: &Home) {
    // There is none at first.
    let _ = fs::remove_dir_all(home.path().join("pkimm-report"));
}

/// Objects by class, as the inventory has them: a sighting each.
fn found(home: &Home) -> BTreeMap<String, usize> {
    let export = home.agent(&["inventory", "export", "--format", "jsonl"]).expect_code(0);
    let mut found = BTreeMap::new();
    for line in export.stdout.lines() {
        let asset: Value = serde_json::from_str(line).unwrap();
        for sighting in asset["facts"]["sightings"].as_array().unwrap() {
            if let Some(class) = sighting["token"]["class"].as_str() {
                *found.entry(class.to_owned()).or_default() += 1;
            }
        }
    }
    found
}

fn median(run: impl Fn() -> Outcome) -> Outcome {
    let mut all: Vec<Outcome> = (0..RUNS).map(|_| run()).collect();
    all.sort_by_key(|outcome| outcome.took);
    all.swap_remove(RUNS / 2)
}

fn row(what: &str, outcome: &Outcome, floor: f64, calls: usize, objects: usize) {
    let seconds = outcome.took.as_secs_f64();
    let (times, each) = (seconds / floor, calls as f64 / objects as f64);
    let peak = outcome.peak_rss as f64 / 1e6;
    println!("| `{what}` | {seconds:.2} s | {times:.1} | {calls} | {each:.1} | {peak:.0} MB |");
}

fn agent_version() -> String {
    let output = Command::new(binary()).arg("--version").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
