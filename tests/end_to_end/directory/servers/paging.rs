//! Directories that hold more than they give, and servers that go while they give it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, Order};
use pkimm_tests::facts;
use pkimm_tests::servers::{Entries, TlsServer};
use serde_json::Value;

use super::openldap::{PASSWORD, ldap, ldaps, scan, settings, slapd, trusting};

/// People in the directory.
const PEOPLE: usize = 1_000;

/// A directory of many people who share one certificate: how many of them were seen is how many
/// places it has.
fn many(home: &Home) -> (Authority, Entries, String) {
    let root = Authority::root(home.path(), "Lab Root");
    let shared = root.issue(&Order::server("person.lab.test"));
    let mut entries = Entries::new(PASSWORD);
    for number in 0..PEOPLE {
        entries.add_person(&format!("person{number}"), &shared.der());
    }
    (root, entries, shared.sha256())
}

/// The entries that were seen, and the gaps.
fn seen(home: &Home, sha256: &str) -> (BTreeSet<String>, Vec<Value>) {
    let inventory = home.inventory();
    let certificates = facts::of_kind(&inventory, "certificate");
    let shared = certificates.iter().find(|asset| asset["sha256"] == sha256);
    let places = shared.map(|asset| facts::places(asset)).unwrap_or_default();
    let entries = places.iter().map(|place| place.rsplit('/').next().unwrap().to_owned());
    (entries.collect(), home.gaps())
}

#[test]
fn every_page_is_read_whatever_its_size() {
    let home = Home::new();
    let (root, entries, shared) = many(&home);
    let (server, _) = slapd(&root, &entries, "");
    for size in [1, 7, 999, 1_000, 10_000] {
        let home = Home::new();
        settings(&home, &ldaps(&server), &format!("{}\npage_size = {size}", trusting(&root)));
        let _ = scan(&home).expect_code(0);
        let (found, gaps) = seen(&home, &shared);
        assert_eq!((found.len(), gaps.len()), (PEOPLE, 0), "{size} a page: {gaps:#?}");
    }
}

#[test]
fn what_a_limit_cuts_off_is_a_gap_and_the_rest_stays() {
    let home = Home::new();
    let (root, entries, shared) = many(&home);
    // No more than 200 entries in all the pages of a search, says the server.
    let limits = "limits users size.soft=200 size.hard=200 size.pr=noEstimate size.prtotal=200";
    let (server, _) = slapd(&root, &entries, limits);
    settings(&home, &ldaps(&server), &format!("{}\npage_size = 50", trusting(&root)));
    let outcome = scan(&home);
    let (found, gaps) = seen(&home, &shared);
    assert!((150..=200).contains(&found.len()), "{} of {PEOPLE}: {}", found.len(), server.log());
    let [gap] = gaps.as_slice() else { panic!("one gap: {gaps:#?}\n{}", outcome.stderr) };
    assert_eq!(gap["reason"], "limit-reached", "{gap:#}");

    // No more than 300, say the settings; the server has no limit.
    let home = Home::new();
    let (server, _) = slapd(&root, &entries, "");
    let more = format!("{}\npage_size = 50\nmax_entries = 300", trusting(&root));
    settings(&home, &ldaps(&server), &more);
    let _ = scan(&home);
    let (found, gaps) = seen(&home, &shared);
    assert!((250..=300).contains(&found.len()), "{} of {PEOPLE}", found.len());
    let [gap] = gaps.as_slice() else { panic!("one gap: {gaps:#?}") };
    assert_eq!(gap["reason"], "limit-reached", "{gap:#}");
    assert!(gap["detail"].as_str().unwrap().contains("max_entries"), "{gap:#}");
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_its_pages_leaves_a_gap_and_what_was_read() {
    let home = Home::new();
    let (root, entries, shared) = many(&home);
    let (server, _) = slapd(&root, &entries, "");
    let real: SocketAddr = ldap(&server).trim_start_matches("ldap://").parse().unwrap();
    // About half of what the directory holds: a certificate of some 400 octets for each person.
    let between = Between::new(real, server, PEOPLE / 2 * 500);
    let url = format!("ldap://{}", between.address);
    settings(&home, &url, "in_the_clear = true\npage_size = 50\ntimeout_secs = 5");
    let outcome = scan(&home);
    assert!(between.server.lock().unwrap().is_none(), "it was not reached: {}", outcome.stderr);
    let (found, gaps) = seen(&home, &shared);
    assert!((50..PEOPLE).contains(&found.len()), "{} of {PEOPLE}", found.len());
    let [gap] = gaps.as_slice() else { panic!("one gap: {gaps:#?}\n{}", outcome.stderr) };
    assert_eq!(gap["collector"], "directory", "{gap:#}");
    assert!(gap["detail"].as_str().unwrap().len() > 10, "{gap:#}");
}

/// Stands between the agent and a server, and kills the server when it has told so much.
struct Between {
    address: SocketAddr,
    server: Arc<Mutex<Option<TlsServer>>>,
}

impl Between {
    fn new(real: SocketAddr, server: TlsServer, most: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Mutex::new(Some(server)));
        let killed = Arc::clone(&server);
        let told = Arc::new(Mutex::new(0));
        // It ends with the process of the tests; nobody connects to it any more.
        thread::spawn(move || {
            for client in listener.incoming() {
                // Once the server is gone, whoever comes is sent away.
                let (Ok(client), Ok(real)) = (client, TcpStream::connect(real)) else { continue };
                let (told, killed) = (Arc::clone(&told), Arc::clone(&killed));
                let (mut asks, mut to) = (client.try_clone().unwrap(), real.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut asks, &mut to));
                thread::spawn(move || pass(real, client, &told, most, &killed));
            }
        });
        Self { address, server }
    }
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    told: &Mutex<usize>,
    most: usize,
    server: &Mutex<Option<TlsServer>>,
) {
    let mut octets = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut octets) {
        let mut told = told.lock().unwrap();
        *told += count;
        if *told > most {
            // As `kill -9` does. The connection ends when the process is gone.
            drop(server.lock().unwrap().take());
        }
        if to.write_all(&octets[..count]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
