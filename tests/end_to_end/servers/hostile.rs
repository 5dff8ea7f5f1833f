//! Peers that want us to hang, to swell or to fall over.

use std::time::Duration;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::Order;
use pkimm_tests::facts;
use pkimm_tests::servers::hostile::{BlackHole, Hostile, rude};
use pkimm_tests::servers::{RawServer, TlsServer};
use serde_json::json;

use super::pki;

/// The whole time of one target.
const DEADLINE: Duration = Duration::from_secs(3);

/// Scans all of them at once, beside a server that is honest, and gives what each came to.
fn check(depth: &str) {
    let home = Home::new();
    let (_, leaf) = pki(&home, &Order::server("www.lab.test"));
    let honest = TlsServer::openssl(&leaf, &[]);
    let hole = BlackHole::start();
    let peers: Vec<(Hostile, RawServer)> =
        Hostile::ALL.iter().map(|hostile| (*hostile, hostile.start(&leaf))).collect();
    let [silent, closing] = rude();
    home.write(
        "quick.toml",
        format!("[tls]\ndeadline_secs = {}\nconnect_timeout_secs = 1\n", DEADLINE.as_secs()),
    );
    let mut targets = vec![honest.address(), hole.address(), silent.address(), closing.address()];
    targets.extend(peers.iter().map(|(_, server)| server.door().target()));
    let mut arguments = vec!["scan", "--config", "quick.toml", "--depth", depth];
    arguments.extend(targets.iter().flat_map(|target| ["--target", target.as_str()]));
    let outcome = home.agent(&arguments).expect_code(0);
    // Two cores are shared with all other tests.
    assert!(outcome.took < DEADLINE * 3, "one deadline a target: {:?}", outcome.took);
    assert!(outcome.peak_rss < 100 << 20, "{} octets were held", outcome.peak_rss);

    let (inventory, gaps) = (home.inventory(), home.gaps());
    let status = |place: &str| facts::status(&inventory, &gaps, place);
    let (kind, shown) = status(&honest.place());
    assert_eq!((kind, &shown["outcome"]), ("endpoint", &json!("shown")), "the honest one");
    let timed_out = json!({"reason": "timed-out"});
    facts::assert_all(&[
        ("the black hole", status(&format!("tls://{}", hole.address())).1, &timed_out),
        ("the silent one", status(&silent.place()).1, &timed_out),
        ("the closing one", status(&closing.place()).1, &json!({"reason": "handshake-failed"})),
    ]);
    let expected = |hostile: Hostile| match hostile {
        Hostile::Resets | Hostile::ResetsAfterHello => json!({"reason": "handshake-failed"}),
        Hostile::Drips => timed_out.clone(),
        Hostile::ResetsAfterCertificate => json!({
            "outcome": "shown", "version": "TLSv1.2", "chain": [leaf.sha256()],
            "client_certificate": "not-observed",
        }),
        Hostile::Garbage => json!({"outcome": "no-tls"}),
        Hostile::AlertThenData => json!({"outcome": "declined", "alert": "handshake_failure"}),
        // Either is fair, as long as it is one of the two.
        _ => json!({}),
    };
    let expected: Vec<_> = peers.iter().map(|(hostile, _)| expected(*hostile)).collect();
    let named: Vec<String> = peers.iter().map(|(hostile, _)| format!("{hostile:?}")).collect();
    let compared: Vec<_> = peers
        .iter()
        .zip(&expected)
        .zip(&named)
        .map(|(((_, server), expected), name)| (name.as_str(), status(&server.place()).1, expected))
        .collect();
    facts::assert_all(&compared);
    assert_eq!(facts::of_kind(&inventory, "endpoint").len() + gaps.len(), targets.len());
}

#[test]
fn hostile_peers_end_with_their_deadline_each_with_one_status() {
    check("certificate");
}

#[test]
fn hostile_peers_end_with_their_deadline_when_much_is_asked_of_them() {
    check("suites");
}
