//! Runs a command and measures what it cost: time, processor, memory.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// What one run of a command cost.
#[derive(Debug, Clone)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time, with that of the processes it began and waited for.
    pub cpu: Duration,
    pub system: Duration,
    /// The most memory it held (`VmHWM`), in octets.
    pub peak_rss: u64,
    pub code: Option<i32>,
    pub stdout: String,
}

/// Ticks a second in `/proc`: part of the kernel's interface on every machine we build for.
const TICKS: u64 = 100;

/// Runs a command to its end, and keeps what it writes to standard output.
pub fn run(command: &mut Command) -> Cost {
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut octets = Vec::new();
        out.read_to_end(&mut octets).unwrap();
        String::from_utf8_lossy(&octets).into_owned()
    });
    let process = Pid::from_child(&child);
    let mut peak_rss = 0;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(process), options).unwrap().is_none() {
        peak_rss = peak_rss.max(resident_peak(child.id()));
        std::thread::sleep(Duration::from_millis(10));
    }
    let wall = begin.elapsed();
    // It has ended and nobody has taken note yet: now its counts are complete.
    let [user, system, children_user, children_system] = times(child.id());
    let code = child.wait().unwrap().code();
    Cost {
        wall,
        cpu: user + system + children_user + children_system,
        system: system + children_system,
        peak_rss,
        code,
        stdout: reader.join().unwrap(),
    }
}

/// The run whose processor time is the middle one.
pub fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.cpu);
    costs.swap_remove(costs.len() / 2)
}

/// Fields 14 to 17 of `/proc/<pid>/stat`, see proc(5).
fn times(process: u32) -> [Duration; 4] {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name of the program stands in parentheses and may hold anything.
    let (_, after) = text.rsplit_once(')').unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    [11, 12, 13, 14]
        .map(|field| Duration::from_millis(fields[field].parse::<u64>().unwrap() * 1000 / TICKS))
}

fn resident_peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes * 1024)
}
