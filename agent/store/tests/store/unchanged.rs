//! Files that were read once and are as they were.

use pki_inventory::{
    Asset, AssetId, Automation, AutomationRole, Body, Digest, GapReason, Inventory, Key, Kind,
    Observation, Place, Raw, Sighting, Time,
};
use pki_store::{
    Batch, FileIndex, RunEnd, RunId, Selection, SqliteStore, Store, StoreError, Unchanged,
};
use rusqlite::{Connection, params};

use super::{absorbed, certificate, covered, file, gap, later, open, start, tls, with_history};

const KEY: [u64; 2] = [7, u64::MAX];

fn reader() -> Digest {
    Digest::of(b"this reader")
}

fn begun(store: &mut SqliteStore, hour: i64, seen: &Inventory) -> RunId {
    let run = store.begin_run(&start(hour)).expect("begins");
    store.record(run, &Batch::from(seen)).expect("records");
    run
}

fn completed(store: &mut SqliteStore, hour: i64, seen: &Inventory) -> RunId {
    let run = begun(store, hour, seen);
    store.end_run(run, later(hour), RunEnd::Completed).expect("ends");
    run
}

fn at(place: &str, time: Time) -> Sighting {
    Sighting::at(place.parse::<Place>().expect("a place"), "filesystem", time)
}

fn cert(serial: u64, place: &str, time: Time) -> Observation {
    let mut sighting = at(place, time);
    sighting.circumstances.label = Some(format!("number {serial}"));
    Observation::found(certificate(serial, "www.example.org", later(9000)), sighting)
}

fn trace(renewals: u32, place: &str, time: Time) -> Observation {
    let mut trace = Automation::of("certbot", AutomationRole::Lineage);
    trace.renewals = Some(renewals);
    Observation::found(Raw::Automation(Box::new(trace)), at(place, time))
}

fn missed(place: &str, time: Time) -> Observation {
    let place = place.parse().expect("a place");
    Observation::Missed(gap(place, "filesystem", GapReason::TooLarge, time))
}

/// In `/a/b` and within it.
fn inside(time: Time) -> Vec<Observation> {
    let key = Key { spki: None, algorithm: None };
    vec![
        cert(1, "file:///a/b", time),
        cert(2, "file:///a/b#2", time),
        cert(3, "file:///a/b!/x/y.pem#1", time),
        cert(3, "file:///a/b!/z.jar!/y.pem", time),
        Observation::found(Raw::Key { id: Digest::of(b"key"), key }, at("file:///a/b#3", time)),
        trace(4, "file:///a/b#5", time),
        missed("file:///a/b!/large", time),
        missed("file:///a/b", time),
    ]
}

fn dumped(place: &str, time: Time) -> Observation {
    let sighting = Sighting { collector: "directory".to_owned(), ..at(place, time) };
    Observation::found(certificate(6, "d", later(9000)), sighting)
}

/// Beside it.
fn outside(time: Time) -> Vec<Observation> {
    vec![
        cert(4, "file:///a/bc", time),
        cert(4, "file:///a/b%20c", time),
        cert(4, "file:///a/b$", time),
        cert(4, "file:///a/b%21/x", time),
        cert(4, "file:///a/b/c", time),
        cert(4, "file:///a/B", time),
        cert(4, "file:///a", time),
        cert(1, "file:///other.pem", time),
        // Another collector reads the same file, and reads it anew.
        dumped("file:///a/b!/CN=x#1", time),
        Observation::Missed(gap(Place::file("/a/b"), "directory", GapReason::Damaged, time)),
        missed("file:///a/bc", time),
        missed("file:///a/b/d", time),
        Observation::found(certificate(5, "a", later(9000)), tls("192.0.2.1:443", None, time)),
        covered("filesystem", "/a", time),
    ]
}

fn unchanged(run: RunId, hour: i64, paths: &[&str]) -> Unchanged {
    Unchanged { run, at: later(hour), places: paths.iter().map(Place::file).collect() }
}

fn recorded(store: &mut SqliteStore, run: RunId, unchanged: Unchanged) {
    let batch = Batch { unchanged: Some(unchanged), ..Batch::default() };
    store.record(run, &batch).expect("records");
}

fn loaded(store: &SqliteStore, run: RunId) -> Inventory {
    store.inventory(Selection::Run(run)).expect("loads")
}

#[test]
fn what_lies_in_an_unchanged_file_is_seen_again_and_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let all = |time| absorbed(inside(time).into_iter().chain(outside(time)));
    let first = completed(&mut store, 0, &all(later(0)));
    let before = loaded(&store, first);
    let second = store.begin_run(&start(2)).expect("begins");
    for _ in 0..2 {
        recorded(&mut store, second, unchanged(first, 2, &["/a/b", "/a/none"]));
    }
    let expected = with_history(&absorbed(inside(later(2))), &before);
    assert_eq!(loaded(&store, second), expected, "as if it had been read again");
    store.end_run(second, later(3), RunEnd::Completed).expect("ends");
    assert_eq!(loaded(&store, first), before, "the run before stays as it was");
    let mut over_all = before;
    over_all.merge(expected.clone());
    assert_eq!(store.inventory(Selection::All).expect("loads"), over_all);

    // What was taken over once is taken over again, with the time at which it was first seen.
    let third = store.begin_run(&start(4)).expect("begins");
    recorded(&mut store, third, unchanged(second, 4, &["/a/b"]));
    store.end_run(third, later(5), RunEnd::Completed).expect("ends");
    let seen = loaded(&store, third);
    assert_eq!(seen, with_history(&absorbed(inside(later(4))), &expected));
    assert!(seen.assets().all(|asset| asset.first_seen() == Some(later(0))));
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let runs = store.runs().expect("lists");
    assert_eq!((runs[2].counts.sightings, runs[2].counts.gaps), (6, 2));
}

#[test]
fn what_is_taken_over_can_be_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let all = |time| absorbed(inside(time).into_iter().chain(outside(time)));
    let first = completed(&mut store, 0, &all(later(0)));
    let told = store.taken_over(&unchanged(first, 2, &["/a/b"])).expect("loads");
    assert!(told.assets.iter().all(|asset| asset.sightings().count() == 1));
    let mut seen = Inventory::default();
    told.assets.iter().cloned().for_each(|asset: Asset| seen.add(asset));
    told.gaps.iter().cloned().for_each(|gap| seen.add_gap(gap));
    assert_eq!(seen, absorbed(inside(later(2))), "as who reads it at this time tells it");
    let second = store.begin_run(&start(2)).expect("begins");
    recorded(&mut store, second, unchanged(first, 2, &["/a/b"]));
    let recorded = with_history(&seen, &loaded(&store, first));
    assert_eq!(loaded(&store, second), recorded, "and the store knows since when");
    let none = store.taken_over(&unchanged(RunId(9), 2, &["/a/b"]));
    assert!(matches!(none, Err(StoreError::UnknownRun { run: RunId(9) })));
}

#[test]
fn each_run_takes_over_what_the_run_named_saw() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let place = "file:///etc/letsencrypt/renewal/www.conf";
    let renewals = |store: &SqliteStore, selection| {
        let seen = store.inventory(selection).expect("loads");
        let found = seen.get(AssetId::at(Kind::Automation, &place.parse().expect("a place")));
        match found.map(|asset| asset.body.clone()) {
            Some(Body::Automation(trace)) => trace.renewals,
            other => panic!("{other:?}"),
        }
    };
    let one = completed(&mut store, 0, &absorbed([trace(9, place, later(0))]));
    // A lineage that was made anew has been renewed less often: the later fact counts, not the
    // greater one.
    let two = completed(&mut store, 1, &absorbed([trace(2, place, later(1))]));
    assert_eq!(renewals(&store, Selection::All), Some(2));
    assert_eq!(renewals(&store, Selection::Run(one)), Some(9));
    for (from, expected) in [(one, 9), (two, 2)] {
        let run = store.begin_run(&start(3)).expect("begins");
        recorded(&mut store, run, unchanged(from, 3, &["/etc/letsencrypt/renewal/www.conf"]));
        store.end_run(run, later(3), RunEnd::Completed).expect("ends");
        assert_eq!(renewals(&store, Selection::Run(run)), Some(expected));
    }
    assert_eq!(store.verify_chain().expect("verifies"), []);
}

#[test]
fn what_is_taken_over_joins_what_the_run_saw_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let key = |known: bool, place: &str, time| {
        let id = Digest::of(b"key");
        let key = Key { spki: known.then_some(id), algorithm: None };
        Observation::found(Raw::Key { id, key }, at(place, time))
    };
    let first = completed(&mut store, 0, &absorbed([key(true, "file:///a", later(0))]));
    let second = begun(&mut store, 1, &absorbed([key(false, "file:///b", later(1))]));
    recorded(&mut store, second, unchanged(first, 1, &["/a"]));
    store.end_run(second, later(1), RunEnd::Completed).expect("ends");
    let both = absorbed([key(true, "file:///a", later(1)), key(false, "file:///b", later(1))]);
    assert_eq!(loaded(&store, second), with_history(&both, &loaded(&store, first)));
    assert_eq!(store.verify_chain().expect("verifies"), []);
}

#[test]
fn a_run_that_is_over_or_a_run_that_is_none_takes_nothing_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let first = completed(&mut store, 0, &absorbed(inside(later(0))));
    let batch = |from| Batch { unchanged: Some(unchanged(from, 1, &["/a/b"])), ..Batch::default() };
    assert!(matches!(store.record(first, &batch(first)), Err(StoreError::RunEnded { .. })));
    let run = store.begin_run(&start(1)).expect("begins");
    let none = store.record(run, &batch(RunId(99)));
    assert!(matches!(none, Err(StoreError::UnknownRun { run: RunId(99) })));
}

#[test]
fn how_many_files_were_unchanged_is_kept_and_in_the_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let mut seen = Inventory::default();
    let Observation::Covered { collector, scope, mut coverage } =
        covered("filesystem", "/etc", later(0))
    else {
        panic!("a coverage")
    };
    coverage.unchanged = 2;
    seen.add_coverage(collector, scope, coverage);
    let run = completed(&mut store, 0, &seen);
    assert_eq!(loaded(&store, run), seen);
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let raw = Connection::open(store.path()).expect("opens");
    raw.execute("UPDATE coverage SET unchanged = 1", []).expect("edits");
    assert_eq!(store.verify_chain().expect("verifies").len(), 1);
}

#[test]
fn the_newest_index_of_a_completed_run_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let none = Inventory::default();
    assert_eq!(store.file_index(reader()).expect("loads"), None);
    let first = completed(&mut store, 0, &none);
    let files = [0, 1, 6, u64::MAX];
    store.keep_file_index(first, reader(), KEY, &files).expect("keeps");
    let kept = FileIndex { run: first, key: KEY, files: files.to_vec() };
    assert_eq!(store.file_index(reader()).expect("loads"), Some(kept.clone()));
    assert!(!format!("{kept:?}").contains('7'), "the key is nobody's business");
    assert_eq!(store.file_index(Digest::of(b"another")).expect("loads"), None);

    let second = completed(&mut store, 1, &none);
    store.keep_file_index(second, reader(), [1, 2], &[]).expect("keeps");
    let kept = FileIndex { run: second, key: [1, 2], files: Vec::new() };
    assert_eq!(store.file_index(reader()).expect("loads"), Some(kept));
    let raw = Connection::open(store.path()).expect("opens");
    let count = || -> i64 {
        raw.query_row("SELECT count(*) FROM file_index", [], |row| row.get(0)).expect("counts")
    };
    assert_eq!(count(), 1, "of two");

    // A run that did not complete has not read all that it was asked for.
    for end in [None, Some(RunEnd::Cancelled), Some(RunEnd::Failed("broken".to_owned()))] {
        let run = begun(&mut store, 2, &none);
        store.keep_file_index(run, reader(), KEY, &files).expect("keeps");
        if let Some(end) = end {
            store.end_run(run, later(2), end).expect("ends");
        }
        assert_eq!(store.file_index(reader()).expect("loads"), None);
    }
    let unknown = store.keep_file_index(RunId(99), reader(), KEY, &files);
    assert!(matches!(unknown, Err(StoreError::UnknownRun { run: RunId(99) })));
    assert_eq!(count(), 1);
}

#[test]
fn a_damaged_index_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let run = completed(&mut store, 0, &Inventory::default());
    for edit in [
        "UPDATE file_index SET files = zeroblob(16)",
        "UPDATE file_index SET files = substr(files, 1, 7)",
        "UPDATE file_index SET files = zeroblob(0)",
        "UPDATE file_index SET key = zeroblob(16)",
        "UPDATE file_index SET key = zeroblob(3)",
        "UPDATE file_index SET sha256 = zeroblob(32)",
    ] {
        store.keep_file_index(run, reader(), KEY, &[2, 5]).expect("keeps");
        let raw = Connection::open(store.path()).expect("opens");
        raw.execute(edit, []).expect("edits");
        let error = store.file_index(reader()).expect_err(edit).to_string();
        let sentence = "the index of the files that run 1 read, in ";
        assert!(
            error.starts_with(sentence) && error.contains("keeps a new one"),
            "{edit}: {error}"
        );
    }
    // The index of one reader is not that of another.
    store.keep_file_index(run, reader(), KEY, &[2, 5]).expect("keeps");
    let other = Digest::of(b"another");
    let raw = Connection::open(store.path()).expect("opens");
    raw.execute("UPDATE file_index SET reader = ?1", params![other.octets()]).expect("edits");
    assert!(matches!(store.file_index(other), Err(StoreError::DamagedIndex { .. })));
    assert_eq!(store.verify_chain().expect("verifies"), [], "it is no evidence");
}

#[test]
fn ten_thousand_files_are_taken_over_in_moments() {
    const FILES: u64 = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let key = |number: u64| {
        let id = Digest::of(&number.to_be_bytes());
        let raw = Raw::Key { id, key: Key { spki: Some(id), algorithm: None } };
        Observation::found(raw, file(&format!("/srv/{number}.pem"), later(0)))
    };
    let first = completed(&mut store, 0, &absorbed((0..FILES).map(key)));
    let second = store.begin_run(&start(1)).expect("begins");
    let paths: Vec<String> = (0..FILES).map(|number| format!("/srv/{number}.pem")).collect();
    let begin = std::time::Instant::now();
    for paths in paths.chunks(1000) {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        recorded(&mut store, second, unchanged(first, 1, &paths));
    }
    let took = begin.elapsed();
    assert_eq!(loaded(&store, second).assets().count() as u64, FILES);
    // A walk over the run for each file would be a hundred million rows.
    assert!(took.as_secs() < 10, "{took:?}");
}
