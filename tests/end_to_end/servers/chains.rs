//! Chains as servers show them: order, surplus, gaps, and for whom.

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Issued, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::{TlsServer, free_port, own_address};
use serde_json::{Value, json};

use super::{Expected, no, pki, scan_all, yes};

#[test]
fn order_surplus_gaps_and_anchors_are_facts_of_the_chain() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let policy = root.subordinate("Lab Policy CA");
    let issuing = policy.subordinate("Lab Issuing CA");
    let stranger = root.subordinate("Another CA").own;
    let leaf = issuing.issue(&Order::server("www.lab.test"));
    let (above, middle, top) = (&issuing.own, &policy.own, &root.own);
    let sent = |chain: &[&Issued]| Issued {
        chain: chain.iter().map(|issued| issued.certificate.clone()).collect(),
        ..leaf.clone()
    };
    let none: [String; 0] = [];
    let fine = |chain: &[&Issued]| -> Value {
        let digests: Vec<String> =
            std::iter::once(&leaf).chain(chain.iter().copied()).map(Issued::sha256).collect();
        json!({"chain": digests, "chain_facts": {
            "ordered": yes(), "complete": yes(), "anchor_sent": no(), "extra": none,
            "missing": none, "names_server": {"value": "not-observed"},
        }})
    };
    let but = |chain: &[&Issued], name: &str, fact: Value| {
        let mut facts = fine(chain);
        facts["chain_facts"][name] = fact;
        facts
    };
    let mut incomplete = but(&[], "complete", no());
    incomplete["chain_facts"]["missing"] = json!([above.sha256(), middle.sha256()]);
    let table: [(&str, &[&Issued], Value); 5] = [
        ("as it should be", &[above, middle], fine(&[above, middle])),
        (
            "with its anchor",
            &[above, middle, top],
            but(&[above, middle, top], "anchor_sent", yes()),
        ),
        ("out of order", &[middle, above], but(&[middle, above], "ordered", no())),
        ("with a stranger", &[above, middle, &stranger], {
            let mut facts = but(&[above, middle, &stranger], "extra", json!([stranger.sha256()]));
            // The stranger is not who issued the one before it.
            facts["chain_facts"]["ordered"] = no();
            facts
        }),
        ("without intermediates", &[], incomplete),
    ];
    let servers: Vec<TlsServer> =
        table.iter().map(|(_, chain, _)| TlsServer::openssl(&sent(chain), &[])).collect();
    let targets: Vec<String> = servers.iter().map(TlsServer::address).collect();
    let expected: Vec<Expected<'_>> = servers
        .iter()
        .zip(&table)
        .map(|(server, (what, _, facts))| Expected {
            what,
            place: server.place(),
            facts: facts.clone(),
        })
        .collect();
    scan_all(&home, "certificate", &targets, &expected);
}

#[test]
fn one_address_is_asked_for_every_name_and_without_one() {
    let home = Home::new();
    let (root, default) = pki(&home, &Order::server("default.lab.test"));
    let [a, b] = ["a.lab.test", "*.b.lab.test"].map(|name| root.issue(&Order::server(name)));
    let address = free_port(own_address());
    // The third name is served with a certificate of the first.
    let sites = [
        ("default.lab.test", &default),
        ("a.lab.test", &a),
        ("x.b.lab.test", &b),
        ("c.lab.test", &a),
    ];
    let server = TlsServer::nginx(address, &sites);
    let door = &server.doors()[0];
    let names = ["a.lab.test", "x.b.lab.test", "c.lab.test"];
    let target = format!("{address}?sni={}", names.join(","));
    let shows = |what, place, issued: &Issued, names_server: Value| Expected {
        what,
        place,
        facts: json!({
            "outcome": "shown", "chain": [issued.sha256()],
            "chain_facts": {"names_server": names_server},
        }),
    };
    let expected = [
        shows("no name", door.place(), &default, json!({"value": "not-observed"})),
        shows("its name", door.place_of(names[0]), &a, yes()),
        shows("a wildcard", door.place_of(names[1]), &b, yes()),
        shows("another name", door.place_of(names[2]), &a, no()),
    ];
    let inventory = scan_all(&home, "certificate", &[target], &expected);
    assert_eq!(facts::of_kind(&inventory, "endpoint").len(), 4);
    assert_eq!(facts::of_kind(&inventory, "certificate").len(), 3);
    let findings = home.findings(crate::AS_OF);
    for (issued, outcome) in [(&a, "not-met"), (&b, "met")] {
        let certificate = facts::with_digest(&inventory, "certificate", &issued.sha256());
        assert_eq!(facts::outcome(&findings, "cert.name-mismatch", certificate), outcome);
    }
}
