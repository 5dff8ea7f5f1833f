//! Going on with a run that did not complete.

use pki_inventory::{Digest, GapReason, Inventory, Observation, Place, Sighting};
use pki_store::{Batch, Outcome, RunEnd, RunId, Selection, SqliteStore, Store, StoreError};

use super::{
    absorbed, certificate, covered, endpoint, file, gap, later, open, served, start, tls,
    with_history,
};

const WWW: &str = "www.example.org";

fn at(address: &str) -> Place {
    Place::tls(address.parse().expect("an address with a port"), None)
}

fn named(host: &str, port: u16) -> Place {
    let (host, server_name) = (host.to_owned(), Some(host.to_owned()));
    Place::Tls { host, port, server_name, starttls: None }
}

/// What the first half of a scan saw: one server, a name without an address, a refused port, and
/// what its end kept it from asking.
fn first_half(hour: i64) -> Vec<Observation> {
    let now = later(hour);
    let found = Observation::found;
    vec![
        found(certificate(1, WWW, later(900)), served("192.0.2.1:443", 0, now)),
        found(endpoint(now, "SSH-2.0"), tls("192.0.2.1:443", None, now)),
        found(certificate(2, WWW, later(900)), file("/etc/ssl/2.pem", now)),
        // A directory is read again as a whole, and so is what its server showed.
        found(certificate(3, WWW, later(900)), of_directory(served("192.0.2.1:443", 0, now))),
        Observation::Missed(gap(at("192.0.2.4:636"), "directory", GapReason::Refused, now)),
        Observation::Missed(gap(named(WWW, 443), "tls", GapReason::NameNotResolved, now)),
        Observation::Missed(gap(at("192.0.2.2:443"), "tls", GapReason::Refused, now)),
        Observation::Missed(gap(
            Place::file("/etc/ssl/private"),
            "filesystem",
            GapReason::PermissionDenied,
            now,
        )),
    ]
}

fn of_directory(sighting: Sighting) -> Sighting {
    Sighting { collector: "directory".to_owned(), ..sighting }
}

fn broken_off(hour: i64) -> Vec<Observation> {
    let now = later(hour);
    vec![
        Observation::Missed(gap(at("192.0.2.3:443"), "tls", GapReason::RunEnded, now)),
        Observation::Missed(gap(
            Place::Scope("filesystem".to_owned()),
            "filesystem",
            GapReason::CollectorFailed,
            now,
        )),
        covered("tls", "192.0.2.0/28:443", now),
    ]
}

/// What of it is not looked at again: what the network showed and refused.
fn carried_over(hour: i64) -> Vec<Observation> {
    let mut seen = first_half(hour);
    seen.retain(|observation| match observation {
        Observation::Found { sighting, .. } => {
            sighting.place.is_network() && sighting.collector == "tls"
        }
        Observation::Missed(gap) => gap.place == at("192.0.2.2:443"),
        Observation::Covered { .. }
        | Observation::Unchanged(_)
        | Observation::LoginTried(_)
        | Observation::LoginCleared(_) => false,
    });
    seen
}

fn record(store: &mut dyn Store, run: RunId, seen: Vec<Observation>) {
    store.record(run, &Batch::from(&absorbed(seen))).expect("records");
}

fn loaded(store: &dyn Store, run: RunId) -> Inventory {
    store.inventory(Selection::Run(run)).expect("loads")
}

/// A store with one run that ended so; `None` for a run that never ended.
fn begun(end: Option<RunEnd>) -> (tempfile::TempDir, SqliteStore, RunId) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let run = store.begin_run(&start(0)).expect("begins");
    let seen = first_half(0).into_iter().chain(broken_off(0)).collect();
    record(&mut store, run, seen);
    if let Some(end) = end {
        store.end_run(run, later(1), end).expect("ends");
    }
    (folder, store, run)
}

#[test]
fn a_run_that_is_gone_on_with_comes_to_what_one_run_would_have_seen() {
    let failed = RunEnd::Failed("the disk was full".to_owned());
    for end in [None, Some(RunEnd::Cancelled), Some(failed)] {
        let (_folder, mut store, previous) = begun(end);
        let before = loaded(&store, previous);
        let run = store.continue_run(previous, &start(2)).expect("goes on");
        assert_eq!(loaded(&store, run), absorbed(carried_over(0)), "nothing else was copied");

        let now = later(2);
        let rest = vec![
            Observation::found(endpoint(now, "HTTP/1.1 400"), tls("192.0.2.3:443", None, now)),
            Observation::found(certificate(2, WWW, later(900)), file("/etc/ssl/2.pem", now)),
            covered("tls", "192.0.2.0/28:443", now),
        ];
        record(&mut store, run, rest.clone());
        store.end_run(run, later(3), RunEnd::Completed).expect("ends");
        let mut whole = absorbed(carried_over(0));
        whole.merge(with_history(&absorbed(rest), &before));
        assert_eq!(loaded(&store, run), whole);
        assert_eq!(loaded(&store, previous), before, "the run before stays as it was");

        assert_eq!(store.verify_chain().expect("verifies"), []);
        let runs = store.runs().expect("lists");
        assert_ne!(runs[0].outcome, Outcome::Completed);
        assert_eq!(runs[1].outcome, Outcome::Completed);
        assert_eq!(runs[1].previous, runs[0].digest);
        assert_eq!((runs[0].continues, runs[1].continues), (None, Some(previous)));
        // Two certificates, two endpoints; each certificate at one place.
        assert_eq!((runs[1].counts.assets, runs[1].counts.sightings), (4, 4));
    }
}

#[test]
fn what_is_asked_again_leaves_nothing_of_its_first_answer() {
    let (_folder, mut store, previous) = begun(None);
    let now = later(0);
    let slow = GapReason::TimedOut;
    let seen = vec![
        // Cut off in the middle: an endpoint and a certificate, and then the end of the run.
        Observation::found(certificate(3, WWW, later(900)), served("192.0.2.3:443", 0, now)),
        Observation::found(endpoint(now, "half"), tls("192.0.2.3:443", None, now)),
        // The agent was killed between the certificate and the endpoint.
        Observation::found(certificate(4, WWW, later(900)), served("192.0.2.4:443", 0, now)),
        // Not looked up in time, and not answered in time.
        Observation::Missed(gap(named("slow.example.org", 443), "tls", slow, now)),
        Observation::Missed(gap(at("192.0.2.5:443"), "tls", slow, now)),
        Observation::Missed(gap(at("[2001:db8::5]:443"), "tls", slow, now)),
    ];
    record(&mut store, previous, seen);
    let answered = store.answered(previous).expect("loads");
    let run = store.continue_run(previous, &start(2)).expect("goes on");
    assert_eq!(store.answered(run).expect("loads"), answered, "as much as was copied");
    let seen = loaded(&store, run);
    let places: std::collections::BTreeSet<Place> = seen
        .assets()
        .flat_map(|asset| asset.places().cloned().collect::<Vec<_>>())
        .chain(seen.gaps().map(|gap| gap.place.clone()))
        .collect();
    let expected = ["192.0.2.1:443", "192.0.2.2:443", "192.0.2.5:443", "[2001:db8::5]:443"].map(at);
    assert_eq!(places, std::collections::BTreeSet::from(expected.clone()));
    let known: Vec<Place> = answered.into_iter().map(|(place, _)| place).collect();
    assert_eq!(known.len(), 4);
    assert!(expected.iter().all(|place| known.contains(place)), "{known:?}");
    store.end_run(run, later(3), RunEnd::Completed).expect("ends");
    assert_eq!(store.verify_chain().expect("verifies"), []);
}

#[test]
fn the_same_scope_is_kept_once() {
    let (_folder, mut store, previous) = begun(None);
    let run = store.continue_run(previous, &start(2)).expect("goes on");
    store.end_run(run, later(3), RunEnd::Completed).expect("ends");
    let other = pki_store::RunStart { scope: "{}".to_owned(), ..start(4) };
    let run = store.begin_run(&other).expect("begins");
    assert_eq!(store.scope(run).expect("loads"), "{}");
    let raw = rusqlite::Connection::open(store.path()).expect("opens");
    let kept: i64 =
        raw.query_row("SELECT count(*) FROM scopes", [], |row| row.get(0)).expect("counts");
    assert_eq!(kept, 2, "of three runs");
}

#[test]
fn a_run_that_is_gone_on_with_may_be_killed_and_gone_on_with_again() {
    let (folder, mut store, previous) = begun(None);
    let second = store.continue_run(previous, &start(2)).expect("goes on");
    record(
        &mut store,
        second,
        vec![Observation::found(
            endpoint(later(2), "HTTP/1.1 400"),
            tls("192.0.2.3:443", None, later(2)),
        )],
    );
    let seen = loaded(&store, second);
    drop(store);

    let mut store = open(folder.path());
    let third = store.continue_run(second, &start(4)).expect("goes on");
    assert_eq!(loaded(&store, third), seen);
    assert_eq!(store.runs().expect("lists")[1].outcome, Outcome::Interrupted);
    store.end_run(third, later(5), RunEnd::Completed).expect("ends");
    assert_eq!(store.verify_chain().expect("verifies"), []);
}

#[test]
fn times_of_what_is_copied_begin_where_any_run_saw_it_first() {
    let (_folder, mut store, previous) = begun(Some(RunEnd::Cancelled));
    // A run in between, whose clock was set to long ago.
    let between = store.begin_run(&start(1)).expect("begins");
    record(&mut store, between, first_half(-100));
    store.end_run(between, later(1), RunEnd::Completed).expect("ends");

    let run = store.continue_run(previous, &start(2)).expect("goes on");
    store.end_run(run, later(3), RunEnd::Completed).expect("ends");
    let seen = loaded(&store, run);
    assert!(seen.assets().all(|asset| asset.first_seen() == Some(later(-100))));
    assert!(seen.assets().all(|asset| asset.last_seen() == Some(later(0))));
    assert!(seen.gaps().all(|gap| gap.first_seen == later(-100)));
    assert_eq!(store.verify_chain().expect("verifies"), []);
}

#[test]
fn a_copy_that_was_tampered_with_is_noticed() {
    let (folder, mut store, previous) = begun(None);
    let run = store.continue_run(previous, &start(2)).expect("goes on");
    store.end_run(run, later(3), RunEnd::Completed).expect("ends");
    drop(store);
    let store = open(folder.path());
    let other = rusqlite::Connection::open(store.path()).expect("opens");
    other.execute("DELETE FROM run_gaps WHERE run = ?1", [run.0]).expect("deletes");
    let broken = store.verify_chain().expect("verifies");
    assert_eq!(broken.iter().map(|link| link.run).collect::<Vec<_>>(), [run]);
}

#[test]
fn only_a_run_that_did_not_complete_is_gone_on_with() {
    let (_folder, mut store, previous) = begun(Some(RunEnd::Completed));
    let error = store.continue_run(previous, &start(2)).expect_err("must be refused");
    assert!(
        matches!(&error, StoreError::NotUnfinished { run, ended } if *run == previous && ended == "completed"),
        "{error}"
    );
    assert_eq!(store.runs().expect("lists").len(), 1, "nothing was begun");
    store.begin_run(&start(3)).expect("and the store is free");
    let (_folder, mut store, _) = begun(Some(RunEnd::Cancelled));
    let none = RunId(7);
    let refused = store.continue_run(none, &start(2));
    assert!(matches!(refused, Err(StoreError::UnknownRun { run }) if run == none));
}

#[test]
fn a_run_of_another_agent_is_not_gone_on_with() {
    let (folder, _running, previous) = begun(None);
    let mut other = open(folder.path());
    let refused = other.continue_run(previous, &start(2));
    assert!(matches!(refused, Err(StoreError::Busy { .. })));
}

#[test]
fn what_was_answered_need_not_be_asked_again() {
    let (_folder, mut store, run) = begun(None);
    let expected = [(at("192.0.2.1:443"), None), (at("192.0.2.2:443"), Some(GapReason::Refused))];
    assert_eq!(store.answered(run).expect("loads"), expected);

    // An answer counts more than a gap of another attempt; one that was broken off counts not.
    let (now, odd) = (later(1), Digest::of(b"odd"));
    let unparsed =
        pki_inventory::Unparsed { claimed: "key".to_owned(), length: 1, error: String::new() };
    record(
        &mut store,
        run,
        vec![
            Observation::found(endpoint(now, "SSH"), tls("192.0.2.2:443", None, now)),
            Observation::found(endpoint(now, "SSH"), tls("192.0.2.3:443", None, now)),
            Observation::found(
                pki_inventory::Raw::Unparsed { id: odd, unparsed },
                tls("192.0.2.4:443", None, now),
            ),
        ],
    );
    let expected = [(at("192.0.2.1:443"), None), (at("192.0.2.2:443"), None)];
    assert_eq!(store.answered(run).expect("loads"), expected);
    let none = store.answered(RunId(7));
    assert!(matches!(none, Err(StoreError::UnknownRun { .. })));
}
