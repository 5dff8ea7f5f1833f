//! Starts the fleet, runs the agent against it, and reads what it found.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pkimm_tests::agent::{Running, binary};
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use crate::fleet::{self, Fleet, Truth};
use crate::measure::{self, Cost};
use crate::{CONCURRENCY, ourselves};

/// A fleet that listens. It ends with the value.
pub struct Served {
    pub fleet: Fleet,
    pub truth: Truth,
    _running: Running,
}

/// The agent in a folder of its own, in memory where there is such a place.
pub struct Agent {
    folder: TempDir,
}

/// What the agent found, by address.
#[derive(Debug, Default)]
pub struct Found {
    /// Digests of certificates, without the issuer's.
    pub certificates: BTreeMap<IpAddr, Vec<String>>,
    /// How often an endpoint was recorded.
    pub endpoints: BTreeMap<IpAddr, u32>,
    /// How often a gap was.
    pub gaps: BTreeMap<IpAddr, u32>,
}

/// All that politeness asks for is lifted as far as it goes.
const SETTINGS: &str = "\
[tls]
targets = []
loopback = false
per_host = 256
per_network = 4096
connections_per_sec = 100_000
jitter_percent = 0

[filesystem]
roots = []
";

impl Served {
    pub fn start(fleet: Fleet) -> Self {
        let file = NamedTempFile::new().unwrap();
        let mut command = ourselves("serve-fleet", &fleet);
        command.arg(file.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start(&mut command);
        let mut line = String::new();
        let out = running.child().stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the fleet did not start; is port {} taken?", fleet.port);
        Self { fleet, truth: fleet::read_truth(file.path()), _running: running }
    }

    /// How many addresses were found: its own certificate, one endpoint, no gap.
    pub fn check(&self, found: &Found) -> u32 {
        let is_found = |(address, digest): &(&IpAddr, &String)| {
            let certificates = found.certificates.get(address);
            certificates.is_some_and(|seen| seen.iter().eq([*digest]))
                && found.endpoints.get(address) == Some(&1)
                && !found.gaps.contains_key(address)
        };
        u32::try_from(self.truth.iter().filter(is_found).count()).unwrap()
    }
}

impl Agent {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("pkimm-bench-");
        let folder = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
        let folder = folder.unwrap();
        fs::write(folder.path().join("pkimm-agent.toml"), SETTINGS).unwrap();
        Self { folder }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.current_dir(self.folder.path()).env_remove("PKIMM_DIR").env_remove("PKIMM_LOG");
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub fn scan(&self, fleet: &Fleet, more: &[&str]) -> Cost {
        let mut command = self.command();
        command.args(["scan", "--target", &fleet.target(), "--rate", "100000"]);
        command.args(["--concurrency", &CONCURRENCY.to_string()]).args(more);
        let cost = measure::run(&mut command);
        assert_eq!(cost.code, Some(0), "pkimm-agent scan");
        cost
    }

    /// Asks one place, and says how it went.
    pub fn scan_one(&self, target: &str, depth: &str) -> Cost {
        let mut command = self.command();
        command.args(["scan", "--target", target, "--depth", depth, "--rate", "100000"]);
        measure::run(&mut command)
    }

    pub fn export(&self, more: &[&str]) -> Vec<Value> {
        let mut command = self.command();
        command.args(["inventory", "export"]).args(more);
        let text = measure::run(&mut command).stdout;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn found(&self, fleet: &Fleet) -> Found {
        let mut found = Found::default();
        for asset in self.export(&["--format", "jsonl"]) {
            let places: Vec<IpAddr> =
                texts(&asset["places"]).filter_map(|place| address_of(place, fleet.port)).collect();
            match asset["kind"].as_str() {
                // That of the issuer is at every address.
                Some("certificate") if places.len() <= 1 || fleet.count == 1 => {
                    let digest = asset["sha256"].as_str().unwrap();
                    for place in places {
                        found.certificates.entry(place).or_default().push(digest.to_owned());
                    }
                }
                Some("endpoint") => {
                    for place in places {
                        *found.endpoints.entry(place).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        for gap in self.export(&["--gaps"]) {
            if let Some(address) = gap["place"].as_str().and_then(|at| address_of(at, fleet.port)) {
                *found.gaps.entry(address).or_default() += 1;
            }
        }
        found
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// `tls://127.1.0.7:20443`
fn address_of(place: &str, port: u16) -> Option<IpAddr> {
    let (address, its) = place.strip_prefix("tls://")?.rsplit_once(':')?;
    (its.parse() == Ok(port)).then(|| address.parse().ok()).flatten()
}

/// The hello of the agent, for the floor to send the same.
pub fn our_hello() -> NamedTempFile {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let taker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut header = [0; 5];
        stream.read_exact(&mut header).unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        stream.read_exact(&mut body).unwrap();
        [&header[..], &body].concat()
    });
    // That nothing answers is no fault here.
    let _ = Agent::new().scan_one(&target, "certificate");
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), taker.join().unwrap()).unwrap();
    file
}

pub fn agent_version() -> String {
    let output = Command::new(binary()).arg("--version").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub fn mebibytes(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}
