//! A scan as a stream of lines, for pipes.

use std::collections::BTreeMap;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::Order;
use pkimm_tests::facts;
use pkimm_tests::servers::{Manner, RawServer, TlsServer, free_port, own_address};
use serde_json::Value;

use super::pki;

#[test]
fn a_stream_has_one_line_a_target_with_the_facts_of_the_export() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let (modern, mail) = (TlsServer::openssl(&leaf, &[]), TlsServer::exim(Some(&leaf)));
    let plain = RawServer::start(Manner::Says(b"SSH-2.0-lab\r\n"));
    let refused = free_port(own_address());
    let targets =
        [modern.address(), mail.doors()[0].target(), plain.address(), refused.to_string()];
    let places = [modern.place(), mail.place(), plain.place(), format!("tls://{refused}")];
    let mut arguments = vec!["scan", "--depth", "posture", "--jsonl", "-"];
    arguments.extend(targets.iter().flat_map(|target| ["--target", target.as_str()]));
    let outcome = home.agent(&arguments).expect_code(0);
    // Everything on standard output is of the stream.
    let records = outcome.lines();
    let lines: Vec<&Value> =
        records.iter().filter(|line| line["kind"] == "endpoint" || line["kind"] == "gap").collect();
    let by_place: BTreeMap<&str, &Value> =
        lines.iter().map(|line| (place_of(line), *line)).collect();
    assert_eq!(lines.len(), targets.len(), "{}", outcome.stdout);

    let (inventory, gaps) = (home.inventory(), home.gaps());
    for place in &places {
        let line = by_place.get(place.as_str());
        let line = line.unwrap_or_else(|| panic!("no line for {place}:\n{}", outcome.stdout));
        let (kind, exported) = facts::status(&inventory, &gaps, place);
        if kind == "gap" {
            assert_eq!(line["reason"], exported["reason"], "{line:#}");
            assert_eq!(line["detail"], exported["detail"], "{line:#}");
            continue;
        }
        for (name, fact) in exported.as_object().unwrap() {
            // What the whole inventory is needed for is known at the end only.
            if !["sightings", "chain_facts", "trust_stores"].contains(&name.as_str()) {
                assert_eq!(&line["facts"][name], fact, "{name} of {line:#}");
            }
        }
    }
}

/// Where the thing of a line was seen or missed.
fn place_of(line: &Value) -> &str {
    line["place"].as_str().unwrap_or_else(|| facts::places(line)[0])
}
