//! A scan that was killed goes on where it was.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use pkimm_tests::agent::{Home, Running};
use pkimm_tests::certificates::{Key, Order};
use pkimm_tests::servers::stand_in::fleet;
use pkimm_tests::servers::{RawServer, free_port, old, own_network, undisturbed};
use serde_json::Value;

use super::pki;

const SERVERS: u8 = 200;

/// Every asset with its facts, without when they were seen.
fn facts_by_id(home: &Home) -> BTreeMap<String, Value> {
    let normalised = |mut asset: Value| {
        let facts = asset["facts"].as_object_mut().unwrap();
        facts.remove("sightings");
        facts.remove("observed");
        (asset["id"].as_str().unwrap().to_owned(), asset["facts"].take())
    };
    home.inventory().into_iter().map(normalised).collect()
}

#[test]
fn a_killed_scan_that_is_resumed_is_as_good_as_one_that_was_not_killed() {
    let _alone = undisturbed();
    let home = Home::new();
    let (_, rsa) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let network = own_network();
    let port = free_port(network(1)).port();
    let range = format!("{}-{}:{port}", network(1), network(SERVERS));
    let servers = fleet(network, SERVERS, port, old::tls12(&rsa, Duration::ZERO));
    let visits = || -> Vec<usize> { servers.iter().map(|one| one.visits().len()).collect() };

    let arguments = ["scan", "--concurrency", "1", "--rate", "100", "--target", &range, "--resume"];
    let [first @ .., _] = &arguments;
    let mut command = home.command(first);
    let scan = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let begin = Instant::now();
    while visits().iter().sum::<usize>() < 70 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nobody is asked");
        thread::sleep(Duration::from_millis(2));
    }
    scan.kill();
    let asked = visits().iter().filter(|count| **count > 0).count();
    assert!(asked < usize::from(SERVERS), "the scan was as good as over");

    let outcome = home.agent(&arguments).expect_code(0);
    let counts = visits();
    let twice = counts.iter().filter(|count| **count == 2).count();
    let once = counts.iter().filter(|count| **count == 1).count();
    assert_eq!(once + twice, usize::from(SERVERS), "{counts:?}\n{}", outcome.stderr);
    assert!(twice <= 1, "{twice} servers were asked twice: {counts:?}");

    let whole = Home::new();
    let _ = whole.agent(&["scan", "--rate", "1000", "--target", &range]).expect_code(0);
    let (resumed, uninterrupted) = (facts_by_id(&home), facts_by_id(&whole));
    assert_eq!(uninterrupted.len(), usize::from(SERVERS) + 1, "endpoints and a certificate");
    assert!(resumed == uninterrupted, "{} and {}", resumed.len(), uninterrupted.len());
    assert_eq!(home.gaps(), whole.gaps());
}

#[test]
fn after_a_scan_that_ended_there_is_nothing_to_go_on_with_and_a_new_run_begins() {
    let _alone = undisturbed();
    let home = Home::new();
    let (_, rsa) = pki(&home, &Order { key: Key::Rsa(2048), ..Order::server("www.lab.test") });
    let server = RawServer::serving(None, old::tls12(&rsa, Duration::ZERO));
    let _ = home.agent(&["scan", "--target", &server.address()]).expect_code(0);
    let outcome = home.agent(&["scan", "--target", &server.address(), "--resume"]).expect_code(0);
    assert!(outcome.stderr.contains("nothing to go on with"), "{}", outcome.stderr);
    assert_eq!(server.visits().len(), 2);
}
