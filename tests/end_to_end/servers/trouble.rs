//! Many servers at once, most of them in trouble.

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::Order;
use pkimm_tests::facts;
use pkimm_tests::servers::{Manner, RawServer, TlsServer, free_port, own_address};

use super::pki;

#[test]
fn servers_in_trouble_keep_no_other_server_from_being_seen() {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let server = TlsServer::openssl(&leaf, &[]);
    let endless: &[u8] = &[0x16; 8192];
    let raw: Vec<RawServer> =
        [Manner::Silent, Manner::Closes, Manner::Says(b"+OK ready\r\n"), Manner::Says(endless)]
            .into_iter()
            .map(RawServer::start)
            .collect();
    let mut targets: Vec<String> = raw.iter().map(RawServer::address).collect();
    targets.push(free_port(own_address()).to_string());
    targets.push(server.address());
    home.write("quick.toml", "[tls]\ndeadline_secs = 2\n");
    let mut arguments = vec!["run", "--config", "quick.toml"];
    arguments.extend(targets.iter().flat_map(|target| ["--target", target.as_str()]));
    let _ = home.agent(&arguments).expect_code(0);

    // Each is in the inventory or among the gaps, and in one of them only.
    let (inventory, gaps) = (home.inventory(), home.gaps());
    for target in &targets {
        let place = format!("tls://{target}");
        let seen = facts::of_kind(&inventory, "endpoint")
            .into_iter()
            .filter(|endpoint| facts::places(endpoint).contains(&place.as_str()))
            .count();
        let missed = gaps.iter().filter(|gap| gap["place"] == place.as_str()).count();
        assert_eq!(seen + missed, 1, "{place}");
    }
    let endpoint = facts::at(&inventory, "endpoint", &server.place());
    assert_eq!(endpoint["facts"]["outcome"], "shown");
    assert_eq!(
        facts::places(facts::with_digest(&inventory, "certificate", &leaf.sha256())).len(),
        1
    );
}
