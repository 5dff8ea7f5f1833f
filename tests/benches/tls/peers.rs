//! What other tools cost on a part of the same fleet, for the certificate alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

use crate::desk::{Agent, Served, mebibytes};
use crate::fleet::{Fleet, Temper, Versions};
use crate::measure::{self, Cost};
use crate::{PORT, micros};

/// Another tool, and how many addresses it is given: some take a second of processor for each.
struct Peer {
    name: &'static str,
    count: u32,
    command: fn(&Fleet, targets: &Path, addresses: &Path) -> Command,
}

const MOST: u32 = 2_000;

const PEERS: [Peer; 5] = [
    Peer { name: "zgrab2 tls", count: MOST, command: zgrab2 },
    Peer { name: "tlsx", count: MOST, command: tlsx },
    Peer { name: "nmap --script ssl-cert", count: MOST, command: nmap },
    Peer { name: "sslscan, certificate only", count: 200, command: sslscan },
    Peer { name: "sslyze --certinfo", count: 200, command: sslyze },
];

/// Gives the same fleet to each.
pub fn compare() {
    println!("Other tools, versions mixed. Found: distinct certificates told of.\n");
    println!("| what | addresses | wall | endpoints/s | CPU/endpoint | peak RSS | found |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let fleet = Fleet { count: MOST, port: PORT, versions: Versions::Mixed, temper: Temper::Good };
    let served = Served::start(fleet);
    let agent = Agent::new();
    let cost = agent.scan(&fleet, &[]);
    row("`pkimm-agent scan`", MOST, &cost, served.check(&agent.found(&fleet)));
    for peer in PEERS {
        let part = Fleet { count: peer.count, ..fleet };
        let (targets, addresses) = (list(&part, true), list(&part, false));
        let mut command = (peer.command)(&part, targets.path(), addresses.path());
        let name = command.get_program().to_owned();
        if Command::new(&name).arg("--help").stdout(Stdio::null()).output().is_err() {
            println!("| {} | not installed |", peer.name);
            continue;
        }
        let cost = measure::run(command.stderr(Stdio::null()));
        row(peer.name, peer.count, &cost, names(&cost.stdout));
    }
    println!();
}

/// Every certificate has a name of its own; whatever tool tells it has found it.
fn names(text: &str) -> u32 {
    let end = |rest: &str| rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(0);
    let names: BTreeSet<&str> = text
        .match_indices("host-127.")
        .map(|(at, mark)| at + mark.len())
        .map(|at| text[at..][..end(&text[at..])].trim_end_matches('.'))
        .collect();
    u32::try_from(names.len()).unwrap()
}

fn list(fleet: &Fleet, with_port: bool) -> NamedTempFile {
    let mut text = String::new();
    for index in 0..fleet.count {
        let _ = match with_port {
            true => writeln!(text, "{}:{}", fleet.address(index), fleet.port),
            false => writeln!(text, "{}", fleet.address(index)),
        };
    }
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

fn row(name: &str, count: u32, cost: &Cost, found: u32) {
    let wall = cost.wall.as_secs_f64();
    println!(
        "| {name} | {count} | {wall:.2} s | {:.0} | {:.0} µs | {:.0} MiB | {found} |",
        f64::from(count) / wall,
        micros(cost.cpu, count),
        mebibytes(cost.peak_rss)
    );
}

fn nmap(fleet: &Fleet, _: &Path, addresses: &Path) -> Command {
    let mut command = Command::new("nmap");
    command.args(["-n", "-Pn", "-sT", "-T5", "--min-hostgroup", "1024", "--script", "ssl-cert"]);
    command.args(["-oX", "-", "-p", &fleet.port.to_string(), "-iL"]).arg(addresses);
    command
}

fn sslscan(_: &Fleet, targets: &Path, _: &Path) -> Command {
    let mut command = Command::new("sslscan");
    let without = ["ciphersuites", "compression", "fallback", "groups", "heartbleed"];
    command.args(without.map(|what| format!("--no-{what}")));
    command.args(["--no-renegotiation", "--no-colour", "--show-certificate"]);
    command.arg(format!("--targets={}", targets.display()));
    command
}

fn sslyze(_: &Fleet, targets: &Path, _: &Path) -> Command {
    let mut command = Command::new("sslyze");
    command.args(["--certinfo", "--json_out=-", "--targets_in"]).arg(targets);
    command
}

fn zgrab2(fleet: &Fleet, _: &Path, addresses: &Path) -> Command {
    let mut command = Command::new("zgrab2");
    command.args(["tls", "--senders", "1000", "--port", &fleet.port.to_string(), "--input-file"]);
    command.arg(addresses);
    command
}

fn tlsx(_: &Fleet, targets: &Path, _: &Path) -> Command {
    let mut command = Command::new("tlsx");
    command.args(["-silent", "-json", "-concurrency", "1000", "-list"]).arg(targets);
    command
}
