//! How gently a scan goes about it, as the servers saw it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use pkimm_tests::agent::{Home, Running};
use pkimm_tests::certificates::{Key, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::stand_in::fleet;
use pkimm_tests::servers::{RawServer, free_port, old, own_address, own_network, undisturbed};

use super::pki;

/// Servers on `.1` and up of a network of their own that answer after a while, and the range of
/// their addresses as a target.
fn counted(home: &Home, count: u8, pause: Duration) -> (Vec<RawServer>, String) {
    let (_, rsa) = pki(home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let network = own_network();
    let port = free_port(network(1)).port();
    let range = format!("{}-{}:{port}", network(1), network(count));
    (fleet(network, count, port, old::tls12(&rsa, pause)), range)
}

fn visits(servers: &[RawServer]) -> Vec<usize> {
    servers.iter().map(|server| server.visits().len()).collect()
}

/// When the servers were visited, in order.
fn moments(servers: &[RawServer]) -> Vec<Instant> {
    let mut moments: Vec<Instant> = servers.iter().flat_map(RawServer::visits).collect();
    moments.sort_unstable();
    moments
}

#[test]
fn a_plan_opens_no_connection_and_says_what_would_be_asked() {
    let _alone = undisturbed();
    let home = Home::new();
    let (servers, range) = counted(&home, 24, Duration::ZERO);
    let outcome = home.agent(&["scan", "--plan", "--target", &range]).expect_code(0);
    assert_eq!(visits(&servers), [0; 24]);
    assert!(outcome.stdout.contains("24"), "{}", outcome.stdout);
    assert_eq!(home.agent(&["inventory", "list"]).code, Some(2), "a plan makes no store");
}

#[test]
fn what_is_excluded_is_never_connected_to() {
    let _alone = undisturbed();
    let home = Home::new();
    let (servers, range) = counted(&home, 12, Duration::ZERO);
    let at = |number: usize| servers[number - 1].door().address.ip();
    // An address, a network of two and a range of three; the targets name all of them.
    let exclude = [at(3).to_string(), format!("{}/31", at(6)), format!("{}-{}", at(9), at(11))];
    home.write("gentle.toml", format!("[tls]\nexclude = {exclude:?}\n"));
    let by_name = servers[2].address();
    let arguments = ["scan", "--config", "gentle.toml", "--target", &range, "--target", &by_name];
    let _ = home.agent(&arguments).expect_code(0);
    assert_eq!(visits(&servers), [1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(facts::of_kind(&home.inventory(), "endpoint").len(), 6);
}

#[test]
fn a_rate_is_kept() {
    let _alone = undisturbed();
    let home = Home::new();
    let (servers, range) = counted(&home, 40, Duration::ZERO);
    let _ = home.agent(&["scan", "--rate", "20", "--target", &range]).expect_code(0);
    assert_eq!(visits(&servers), [1; 40]);
    let moments = moments(&servers);
    let took = *moments.last().unwrap() - moments[0];
    // Thirty-nine distances of a twentieth of a second; jitter moves single ones, not their sum.
    let fair = Duration::from_millis(39 * 50);
    assert!(took > fair * 9 / 10, "{took:?} for 40 connections");
    assert!(took < fair * 3, "{took:?} for 40 connections");
}

#[test]
fn one_target_at_a_time_is_one_at_a_time() {
    let _alone = undisturbed();
    let home = Home::new();
    let pause = Duration::from_millis(80);
    let (servers, range) = counted(&home, 8, pause);
    let _ = home.agent(&["scan", "--concurrency", "1", "--target", &range]).expect_code(0);
    for pair in moments(&servers).windows(2) {
        assert!(pair[1] - pair[0] >= pause, "{:?} apart", pair[1] - pair[0]);
    }
}

#[test]
fn one_host_and_one_network_are_asked_by_few_at_a_time() {
    let _alone = undisturbed();
    let home = Home::new();
    let pause = Duration::from_millis(80);
    let (_, rsa) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let host = own_address();
    let one_host: Vec<RawServer> = (0..8)
        .map(|_| RawServer::serving_at((host, 0).into(), None, old::tls12(&rsa, pause)))
        .collect();
    let (one_network, range) = counted(&home, 12, pause);
    home.write("few.toml", "[tls]\nper_host = 2\nper_network = 3\n");
    let ports: Vec<String> =
        one_host.iter().map(|server| server.door().address.port().to_string()).collect();
    for (servers, target, few) in
        [(&one_host, format!("{host}:{}", ports.join(",")), 2), (&one_network, range, 3)]
    {
        let arguments = ["scan", "--config", "few.toml", "--target", &target];
        let _ = home.agent(&arguments).expect_code(0);
        let moments = moments(servers);
        assert_eq!(moments.len(), servers.len());
        for window in moments.windows(few + 1) {
            // The first of them was answered before the last one came.
            assert!(window[few] - window[0] >= pause, "{:?} apart", window[few] - window[0]);
        }
    }
}

#[test]
fn outside_of_its_windows_a_scan_waits_and_connects_to_nobody() {
    let _alone = undisturbed();
    let home = Home::new();
    let (servers, range) = counted(&home, 4, Duration::ZERO);
    // Twelve hours from now, for an hour, whatever the time zone.
    let date = Command::new("date").args(["-u", "+%H"]).output().unwrap();
    let now: u32 = String::from_utf8(date.stdout).unwrap().trim().parse().unwrap();
    let (opens, closes) = ((now + 12) % 24, (now + 13) % 24);
    let window = format!("{opens:02}:00-{closes:02}:00");
    home.write("night.toml", format!("[tls]\nwindows = [\"{window}\"]\n"));
    let mut command = home.command(&["scan", "--config", "night.toml", "--target", &range]);
    let said = fs::File::create(home.path().join("said")).unwrap();
    let mut scan = Running::start(command.stdout(Stdio::null()).stderr(said));
    thread::sleep(Duration::from_secs(2));
    assert!(scan.child().try_wait().unwrap().is_none(), "it waits:\n{}", home.read("said"));
    let process = scan.child().id().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    let status = scan.child().wait().unwrap();
    assert_eq!(status.code(), Some(130), "{status}\n{}", home.read("said"));
    assert_eq!(visits(&servers), [0; 4]);
}
