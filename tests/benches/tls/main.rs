//! How fast the TLS collector asks, what that costs, and whether it finds everything.
//!
//! Serves ten thousand addresses of 127.0.0.0/8, a certificate for each, from a process of its own,
//! and asks them with the release binary; then the same with the collector alone, with a bare loop
//! of connect, hello and read (the floor), and with whatever other tools are installed. Then a
//! fleet of which 15 % is hostile, and the posture of a single host. Processor time is that of the
//! client alone. Ends with an error when a certificate is missed or an address has not exactly one
//! end.
//!
//! `cargo bench --package pkimm-tests --bench tls`, after `cargo build --release`. Parts by name:
//! `-- speed memory peers hostile posture`. A different size: `PKIMM_BENCH_ADDRESSES=1000`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be measured has failed")]
#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::disallowed_methods, reason = "the kernel's counts are no files")]

mod alone;
mod desk;
mod fleet;
mod floor;
mod measure;
mod peers;
mod posture;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use desk::{Agent, Found, Served};
use fleet::{Fleet, Manner, Temper, Versions};
use measure::{Cost, median};

const ADDRESSES: u32 = 10_000;
const CONCURRENCY: u32 = 5_000;
const RUNS: usize = 3;
const PORT: u16 = 20_443;
/// Of every target of the hostile fleet, in seconds; the whole run may take a tenth longer.
const DEADLINE: u64 = 20;

/// The first word of a command line that is one of our own processes.
const ROLES: [&str; 3] = ["serve-fleet", "ask-floor", "ask-alone"];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(role) = words.first().filter(|word| ROLES.contains(&word.as_str())) {
        play(role, &words[1..]);
        return ExitCode::SUCCESS;
    }
    // `cargo test --benches` runs benchmarks too, to see that they compile.
    if !words.iter().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let wants = |part: &str| chosen.is_empty() || chosen.iter().any(|word| *word == part);
    let count = std::env::var("PKIMM_BENCH_ADDRESSES").ok().and_then(|text| text.parse().ok());
    let count = count.unwrap_or(ADDRESSES);
    println!("{} on {} cores.\n", desk::agent_version(), desk::cores());
    let mut all_found = true;
    if wants("speed") {
        all_found &= speed(count);
    }
    if wants("memory") {
        all_found &= memory(count);
    }
    if wants("peers") {
        peers::compare();
    }
    if wants("hostile") {
        all_found &= hostile(count);
    }
    if wants("posture") {
        posture::compare();
    }
    if all_found { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(role: &str, words: &[String]) {
    let fleet = Fleet::from_words(words).unwrap();
    match role {
        "serve-fleet" => fleet::serve(fleet, Path::new(&words[4])),
        "ask-floor" => floor::ask(fleet, Path::new(&words[4]), CONCURRENCY),
        _ => alone::ask(fleet, CONCURRENCY as usize),
    }
}

/// A command of our own.
fn ourselves(role: &str, fleet: &Fleet) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(role).args(fleet.words());
    command
}

/// Everything answers: what one endpoint costs.
fn speed(count: u32) -> bool {
    println!("{count} addresses, {CONCURRENCY} in flight; median of {RUNS} by CPU.\n");
    println!(
        "| versions | what | wall | endpoints/s | CPU/endpoint | × floor | peak RSS | found |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let hello = desk::our_hello();
    let mut all_found = true;
    for versions in Versions::ALL {
        let served = Served::start(Fleet { count, port: PORT, versions, temper: Temper::Good });
        let fleet = &served.fleet;
        let runs = |run: &dyn Fn() -> (Cost, u32)| {
            // The first run fills caches.
            let mut runs: Vec<(Cost, u32)> = (0..=RUNS).map(|_| run()).skip(1).collect();
            let found = runs.iter().map(|(_, found)| *found).min().unwrap();
            (median(runs.drain(..).map(|(cost, _)| cost).collect()), found)
        };
        let (floor, answered) = runs(&|| {
            let cost = measure::run(ourselves("ask-floor", fleet).arg(hello.path()));
            let answered = first_figure(&cost.stdout);
            (cost, answered)
        });
        row(versions.name(), "floor", count, &floor, &floor, answered);
        let (alone, seen) = runs(&|| {
            let cost = measure::run(&mut ourselves("ask-alone", fleet));
            // The issuer is a certificate, too.
            let certificates = cost.stdout.split_whitespace().nth(1).unwrap_or("0").to_owned();
            let seen = first_figure(&cost.stdout).min(first_figure(&certificates) - 1);
            (cost, seen)
        });
        row(versions.name(), "collector alone", count, &alone, &floor, seen);
        for (what, more) in
            [("`pkimm-agent scan`", &[][..]), ("`pkimm-agent scan --jsonl -`", &["--jsonl", "-"])]
        {
            let (cost, found) = runs(&|| {
                let agent = Agent::new();
                let cost = agent.scan(&served.fleet, more);
                let found = agent.found(&served.fleet);
                (cost, served.check(&found))
            });
            row(versions.name(), what, count, &cost, &floor, found);
            all_found &= found == count;
        }
        all_found &= seen == count && answered == count;
    }
    println!();
    all_found
}

fn first_figure(text: &str) -> u32 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn row(versions: &str, what: &str, count: u32, cost: &Cost, floor: &Cost, found: u32) {
    let wall = cost.wall.as_secs_f64();
    let (speed, each) = (f64::from(count) / wall, micros(cost.cpu, count));
    let times = cost.cpu.as_secs_f64() / floor.cpu.as_secs_f64();
    let (system, peak) = (micros(cost.system, count), desk::mebibytes(cost.peak_rss));
    println!(
        "| {versions} | {what} | {wall:.2} s | {speed:.0} | {each:.0} µs ({system:.0} in the \
         kernel) | {times:.1} | {peak:.0} MiB | {found} |"
    );
}

fn micros(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}

/// All answer late: what it takes to have so many in flight.
fn memory(count: u32) -> bool {
    let versions = Versions::Mixed;
    let served = Served::start(Fleet { count, port: PORT, versions, temper: Temper::Late });
    println!("{count} addresses that answer late, {CONCURRENCY} in flight.\n");
    println!("| what | wall | peak RSS | found |");
    println!("| --- | ---: | ---: | ---: |");
    let row = |what: &str, cost: &Cost, found: u32| {
        let (wall, peak) = (cost.wall.as_secs_f64(), desk::mebibytes(cost.peak_rss));
        println!("| {what} | {wall:.2} s | {peak:.0} MiB | {found} |");
    };
    let alone = measure::run(&mut ourselves("ask-alone", &served.fleet));
    row("collector alone", &alone, first_figure(&alone.stdout));
    let agent = Agent::new();
    let cost = agent.scan(&served.fleet, &[]);
    let found = served.check(&agent.found(&served.fleet));
    row("`pkimm-agent scan`", &cost, found);
    println!();
    found == count
}

/// 5 % black holes, 5 % slow, 5 % resets: every address has an end, and in time.
fn hostile(count: u32) -> bool {
    let fleet = Fleet { count, port: PORT, versions: Versions::Mixed, temper: Temper::Hostile };
    let served = Served::start(fleet);
    let agent = Agent::new();
    let deadline = DEADLINE.to_string();
    let cost = agent.scan(&served.fleet, &["--deadline-secs", &deadline]);
    let Found { certificates, endpoints, gaps } = agent.found(&served.fleet);
    let mut once = 0;
    let mut good = 0;
    let mut as_expected = 0;
    for index in 0..count {
        let address = fleet.address(index);
        let ends = endpoints.get(&address).unwrap_or(&0) + gaps.get(&address).unwrap_or(&0);
        once += u32::from(ends == 1);
        if fleet.manner(index) == Manner::Good {
            good += 1;
            let of_it = certificates.get(&address);
            let own = &served.truth[&address];
            as_expected += u32::from(of_it.is_some_and(|seen| seen.iter().eq([own])));
        }
    }
    let wall = cost.wall.as_secs_f64();
    println!("Hostile: {count} addresses, {CONCURRENCY} in flight, deadline {DEADLINE} s.\n");
    println!("| wall | at most | CPU | peak RSS | exactly one end | good ones found |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    println!(
        "| {wall:.2} s | {:.1} s | {:.2} s | {:.0} MiB | {once} of {count} | {as_expected} of {good} |\n",
        DEADLINE as f64 * 1.1,
        cost.cpu.as_secs_f64(),
        desk::mebibytes(cost.peak_rss)
    );
    once == count && as_expected == good
}
