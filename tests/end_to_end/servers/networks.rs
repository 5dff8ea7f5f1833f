//! Names, networks and lists of ports.

use std::net::Ipv4Addr;

use pkimm_tests::agent::{Home, finish};
use pkimm_tests::certificates::{Issued, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::{TlsServer, free_port, own_address};
use serde_json::{Value, json};

use super::pki;

#[test]
fn a_network_with_a_list_of_ports_gives_exactly_the_servers_that_are_up() {
    let home = Home::new();
    let (root, first) = pki(&home, &Order::server("a.lab.test"));
    let second = root.issue(&Order::server("b.lab.test"));
    // Sixteen addresses that no other test uses.
    let [a, b, c, _] = own_address().octets();
    let network = |last: u8| Ipv4Addr::new(a, b.wrapping_add(64) | 128, c, last);
    let ports = [free_port(network(33)).port(), free_port(network(34)).port()];
    let servers: Vec<TlsServer> =
        [(33, ports[0], &first), (34, ports[1], &second), (46, ports[0], &first)]
            .into_iter()
            .map(|(last, port, issued)| {
                TlsServer::openssl_at((network(last), port).into(), issued, &[])
            })
            .collect();
    let target = format!("{}/28:{},{}", network(32), ports[0], ports[1]);
    let _ = home.agent(&["scan", "--target", &target]).expect_code(0);

    let inventory = home.inventory();
    let mut found: Vec<&str> =
        facts::of_kind(&inventory, "endpoint").into_iter().flat_map(facts::places).collect();
    let mut up: Vec<String> = servers.iter().map(TlsServer::place).collect();
    found.sort_unstable();
    up.sort_unstable();
    assert_eq!(found, up);
    let at = |issued: &Issued| {
        facts::places(facts::with_digest(&inventory, "certificate", &issued.sha256())).len()
    };
    assert_eq!((at(&first), at(&second)), (2, 1));
}

#[test]
fn a_name_is_sent_to_the_server_and_an_address_is_not() {
    let home = Home::new();
    let (root, other) = pki(&home, &Order::server("other.lab.test"));
    let local = root.issue(&Order::server("localhost"));
    let address = free_port(Ipv4Addr::LOCALHOST);
    let server = TlsServer::nginx(address, &[("other.lab.test", &other), ("localhost", &local)]);
    let by_name = format!("localhost:{}", address.port());
    let _ =
        home.agent(&["scan", "--target", &by_name, "--target", &server.address()]).expect_code(0);

    let inventory = home.inventory();
    let named = format!("tls://{address}?sni=localhost");
    for (place, issued) in [(named.as_str(), &local), (&server.place(), &other)] {
        let endpoint = facts::at(&inventory, "endpoint", place);
        let expected = json!({
            "outcome": "shown", "version": "TLSv1.3", "alpn": "http/1.1", "chain": [issued.sha256()],
        });
        facts::assert_facts(place, &endpoint["facts"], &expected);
    }
    // The name of a target has to be in the certificate; an address promises nothing.
    let findings = home.findings(crate::AS_OF);
    let certificate = facts::with_digest(&inventory, "certificate", &local.sha256());
    assert_eq!(facts::outcome(&findings, "cert.name-mismatch", certificate), "met");
}

#[test]
fn a_certificate_for_another_name_is_a_finding() {
    let home = Home::new();
    let (_, other) = pki(&home, &Order::server("other.lab.test"));
    let address = free_port(Ipv4Addr::LOCALHOST);
    let _server = TlsServer::openssl_at(address, &other, &[]);
    let _ = home.agent(&["scan", "--target", &format!("localhost:{}", address.port())]);
    let inventory = home.inventory();
    let certificate = facts::with_digest(&inventory, "certificate", &other.sha256());
    let findings: Vec<Value> = home.findings(crate::AS_OF);
    assert_eq!(facts::outcome(&findings, "cert.name-mismatch", certificate), "not-met");
}

#[test]
fn targets_come_from_a_file_and_from_standard_input() {
    let home = Home::new();
    let (_, issued) = pki(&home, &Order::server("www.lab.test"));
    let servers = [(), ()].map(|()| TlsServer::openssl(&issued, &[]));
    let listed = servers.each_ref().map(TlsServer::address);
    let list = home.write("hosts.txt", format!("# the first of two\n\n{}\r\n", listed[0]));
    let input = home.write("input.txt", format!("{}   # the second\n", listed[1]));
    let list = list.to_str().unwrap();

    let arguments = ["scan", "--target-file", list, "--target-file", "-", "--jsonl", "-"];
    let mut command = home.command(&arguments);
    command.stdin(std::fs::File::open(input).unwrap());
    let told = finish(command).expect_code(0).lines();
    let mut asked: Vec<&str> =
        facts::of_kind(&told, "endpoint").into_iter().flat_map(facts::places).collect();
    let mut expected: Vec<String> = servers.iter().map(TlsServer::place).collect();
    asked.sort_unstable();
    expected.sort_unstable();
    assert_eq!(asked, expected);
}
