//! What the posture of one host costs, here and with those who examine one host at a time.

use std::process::{Command, Stdio};

use pkimm_tests::certificates::{Authority, Key, Order, path};
use pkimm_tests::servers::TlsServer;
use tempfile::TempDir;

use crate::desk::Agent;
use crate::measure::{self, Cost};

/// One server, asked by each.
pub fn compare() {
    let folder = TempDir::new().unwrap();
    let root = Authority::root(folder.path(), "Lab Root");
    let rsa = root.issue(&Order { key: Key::Rsa(2048), ..Order::server("rsa.lab.test") });
    let ec = root.issue(&Order::server("ec.lab.test"));
    let second = ["-dcert", path(&ec.certificate), "-dkey", path(&ec.key)];
    println!("One host. The connections of others are not counted here.\n");
    println!("| server | what | wall | CPU | connections |");
    println!("| --- | --- | ---: | ---: | ---: |");
    let openssl = TlsServer::openssl(&rsa, &second);
    ask("openssl s_server, two certificates", &openssl.address());
    drop(openssl);
    let address = pkimm_tests::servers::free_port(pkimm_tests::servers::own_address());
    let nginx = TlsServer::nginx(address, &[("rsa.lab.test", &rsa)]);
    ask("nginx", &nginx.address());
    println!();
}

fn ask(server: &str, address: &str) {
    for depth in ["certificate", "posture", "suites"] {
        let agent = Agent::new();
        let cost = agent.scan_one(address, depth);
        let endpoints = agent.export(&["--format", "jsonl", "--kind", "endpoint"]);
        let spent = endpoints.first().map(|endpoint| endpoint["facts"]["connections"].to_string());
        row(
            server,
            &format!("`pkimm-agent scan --depth {depth}`"),
            &cost,
            &spent.unwrap_or_default(),
        );
    }
    let others: [(&str, &[&str]); 3] = [
        ("sslscan", &["--no-colour", "--show-certificate"]),
        ("sslyze", &["--mozilla_config=disable"]),
        ("testssl", &["--warnings", "batch", "--quiet", "--color", "0"]),
    ];
    for (program, arguments) in others {
        let mut command = Command::new(program);
        command.args(arguments).arg(address).stderr(Stdio::null());
        if Command::new(program).arg("--help").stdout(Stdio::null()).output().is_err() {
            println!("| {server} | {program} | not installed |");
            continue;
        }
        row(server, program, &measure::run(&mut command), "");
    }
}

fn row(server: &str, what: &str, cost: &Cost, connections: &str) {
    let (wall, cpu) = (cost.wall.as_secs_f64(), cost.cpu.as_secs_f64());
    println!("| {server} | {what} | {wall:.2} s | {cpu:.2} s | {connections} |");
}
