//! How fast the directory collector reads, what that costs, and whether it finds everything.
//!
//! Fills an OpenLDAP server on loopback with 100,000 people, each with a certificate of their own, and
//! reads it with the release binary; then with `ldapsearch`, which is asked for the same attributes
//! with the same filter in pages of the same size, as the server's log tells them, and writes what it
//! gets to nowhere. The agent parses every certificate and keeps it in its store besides. Ends with an
//! error when a certificate is missed.
//!
//! `cargo bench --package pkimm-tests --bench directory`, after `cargo build --release`. A different
//! size: `PKIMM_BENCH_ENTRIES=10000`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be measured has failed")]
#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode};

use pkimm_tests::agent::{Home, Outcome, binary, finish};
use pkimm_tests::certificates::{Authority, Order, path, sha256};
use pkimm_tests::servers::{Entries, TlsServer, own_address};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

const ENTRIES: usize = 100_000;
const PAGE: usize = 500;
const RUNS: usize = 3;
const PASSWORD: &str = "of-the-benchmark";

fn main() -> ExitCode {
    // `cargo test --benches` runs benchmarks too, to see that they compile.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let count = std::env::var("PKIMM_BENCH_ENTRIES").ok().and_then(|text| text.parse().ok());
    let count = count.unwrap_or(ENTRIES);
    println!("Filling a directory with {count} entries …");
    let home = Home::new();
    let (entries, expected) = people(count);
    let root = Authority::root(home.path(), "Lab Root");
    let issued = root.issue(&Order::server("ldap.lab.test"));
    let limits = "limits users size=unlimited time=unlimited";
    let server = TlsServer::slapd_with(own_address(), &issued, &entries, limits);
    drop(entries);
    println!("{} on {} cores.\n", agent_version(), cores());

    settings(&home, &server, "");
    let scans = median(|| {
        forget(&home);
        finish(home.command(&["scan"])).expect_code(0)
    });
    let missed = missed(&home, &expected);
    let again = median(|| finish(home.command(&["scan"])).expect_code(0));
    let asked = Asked::of(&server.log());
    let searches = median(|| asked.search(&server));
    // Less of it, to see what grows.
    let parts = [("half", count / 2), ("a quarter", count / 4), ("a tenth", count / 10)];
    let parts = parts.map(|(part, entries)| {
        settings(&home, &server, &format!("max_entries = {entries}"));
        let scan = median(|| {
            forget(&home);
            finish(home.command(&["scan"]))
        });
        (part, entries, scan)
    });

    println!("| what | wall | entries/s | peak RSS |");
    println!("| --- | ---: | ---: | ---: |");
    row("ldapsearch -E pr=500/noprompt", &searches, count);
    row("pkimm-agent scan", &scans, count);
    row("… once more", &again, count);
    for (part, entries, scan) in &parts {
        row(&format!("… of {part}"), scan, *entries);
    }
    let times = scans.took.as_secs_f64() / searches.took.as_secs_f64();
    println!("\nThe scan takes {times:.2} × the time of ldapsearch.");
    println!("Certificates: {} of {}.", expected.len() - missed, expected.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// People with certificates, and the digests of the latter.
fn people(count: usize) -> (Entries, BTreeSet<String>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "Lab Issuing");
    let issuer = Issuer::new(params, KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let mut entries = Entries::new(PASSWORD);
    let mut digests = BTreeSet::new();
    for number in 0..count {
        let name = format!("person{number}");
        let mut params = CertificateParams::new(vec![format!("{name}.lab.test")]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        let certificate = params.signed_by(&key, &issuer).unwrap();
        digests.insert(sha256(certificate.der()));
        entries.add_person(&name, certificate.der());
    }
    (entries, digests)
}

fn settings(home: &Home, server: &TlsServer, more: &str) {
    let secret = home.write("password", format!("{PASSWORD}\n"));
    let text = format!(
        "[filesystem]\nroots = []\n[[directory.servers]]\nurl = \"ldap://{}\"\nname = \"{}\"\n\
         password_file = {:?}\nin_the_clear = true\npage_size = {PAGE}\n{more}\n",
        server.address(),
        Entries::READER,
        path(&secret)
    );
    home.write("pkimm-agent.toml", text);
}

fn forget(home: &Home) {
    // There is none at first.
    let _ = fs::remove_dir_all(home.path().join("pkimm-report"));
}

/// How many of the certificates are not in the inventory.
fn missed(home: &Home, expected: &BTreeSet<String>) -> usize {
    let export = home.agent(&["inventory", "export", "--format", "jsonl"]).expect_code(0);
    let digest = |line: &str| {
        let asset: Value = serde_json::from_str(line).unwrap();
        asset["sha256"].as_str().unwrap().to_owned()
    };
    let found: BTreeSet<String> = export.stdout.lines().map(digest).collect();
    expected.difference(&found).count()
}

/// What the agent asked the server for.
struct Asked {
    filter: String,
    attributes: Vec<String>,
}

impl Asked {
    /// The search with the longest filter is that of the entries.
    fn of(log: &str) -> Self {
        let between = |line: &str, from: &str| {
            line.split_once(from).map(|(_, rest)| rest.trim_end().trim_end_matches('"').to_owned())
        };
        let lines: Vec<&str> = log.lines().collect();
        let searches = lines.iter().enumerate().filter_map(|(at, line)| {
            let filter = between(line, "filter=\"")?;
            let attributes =
                lines[at + 1..].iter().take(3).find_map(|l| between(l, "SRCH attr="))?;
            let attributes = attributes.split(' ').map(str::to_owned).collect();
            Some(Self { filter, attributes })
        });
        searches.max_by_key(|asked| asked.filter.len()).expect("the agent has searched")
    }

    fn search(&self, server: &TlsServer) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", "exec ldapsearch \"$@\" >/dev/null", "sh", "-LLL", "-x"]);
        command.args(["-H", &format!("ldap://{}", server.address()), "-b", Entries::BASE]);
        command.args(["-D", Entries::READER, "-w", PASSWORD]);
        command.args(["-E", &format!("pr={PAGE}/noprompt")]).arg(&self.filter);
        command.args(&self.attributes);
        finish(command).expect_code(0)
    }
}

fn median(run: impl Fn() -> Outcome) -> Outcome {
    let mut all: Vec<Outcome> = (0..RUNS).map(|_| run()).collect();
    all.sort_by_key(|outcome| outcome.took);
    all.swap_remove(RUNS / 2)
}

fn row(what: &str, outcome: &Outcome, entries: usize) {
    let seconds = outcome.took.as_secs_f64();
    let speed = entries as f64 / seconds;
    let peak = outcome.peak_rss as f64 / 1e6;
    println!("| `{what}` | {seconds:.2} s | {speed:.0} | {peak:.0} MB |");
}

fn agent_version() -> String {
    let output = Command::new(binary()).arg("--version").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
