//! What becomes a store, what does not, and who may read it.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use pki_inventory::{Digest, Observation, StapleContent};
use pki_store::{Batch, Outcome, RunEnd, Selection, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use super::{absorbed, certificate, endpoint, file, later, open, start, tls};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

fn content_of(path: &Path) -> Vec<u8> {
    let mut content = Vec::new();
    fs::File::open(path).and_then(|mut file| file.read_to_end(&mut content)).expect("reads");
    content
}

#[test]
fn a_new_store_and_all_beside_it_is_for_its_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("var/lib/agent/store.db");
    let mut store = SqliteStore::open(&path).expect("opens");
    store.begin_run(&start(0)).expect("begins");
    let parent = path.parent().expect("has one");
    assert_eq!(mode(parent), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(parent).expect("lists") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 4, "the store, its log, the index of its log and its lock");
}

#[test]
fn a_file_that_is_something_else_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = b"-----BEGIN CERTIFICATE-----\n".repeat(100);
    for (name, content) in [("short", &b"hello"[..]), ("long", &long), ("text", b"SQLite format 3")]
    {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("writes");
        for opened in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
            let error = opened.expect_err("not a store");
            assert!(matches!(error, StoreError::NotAStore { .. }), "{name}: {error:?}");
            let text = error.to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
            assert!(text.contains("not an SQLite file"), "{text}");
        }
        assert_eq!(content_of(&path), content, "{name} was changed");
    }
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE bookmarks (url)").expect("makes a table");
    drop(other);
    let content = content_of(&path);
    for opened in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
        let text = opened.expect_err("not a store").to_string();
        assert!(text.contains("other.db") && text.contains("another program"), "{text}");
    }
    assert_eq!(content_of(&path), content);
}

#[test]
fn a_store_of_a_newer_agent_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = open(folder.path()).path().to_owned();
    let raw = Connection::open(&path).expect("opens");
    raw.pragma_update(None, "user_version", 99).expect("sets");
    drop(raw);
    for opened in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
        let error = opened.expect_err("too new");
        assert!(matches!(error, StoreError::NewerSchema { found: 99, known: 5, .. }), "{error:?}");
        assert!(error.to_string().contains("use a newer agent"), "{error}");
    }
}

#[test]
fn a_store_of_an_older_agent_is_not_changed_by_a_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = open(folder.path()).path().to_owned();
    let raw = Connection::open(&path).expect("opens");
    raw.pragma_update(None, "user_version", 0).expect("sets");
    drop(raw);
    let error = SqliteStore::open_read_only(&path).expect_err("too old");
    assert!(matches!(error, StoreError::OlderSchema { found: 0, known: 5, .. }), "{error:?}");
}

#[test]
fn reading_makes_no_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let error = SqliteStore::open_read_only(&path).expect_err("nothing there");
    assert!(matches!(&error, StoreError::NoStore { path: p } if *p == path), "{error:?}");
    assert!(!path.exists());
    fs::write(&path, b"").expect("writes");
    let error = SqliteStore::open_read_only(&path).expect_err("nothing in it");
    assert!(error.to_string().contains("is empty"), "{error}");
    SqliteStore::open(&path).expect("an empty file becomes a store");
}

#[test]
fn a_folder_in_the_place_of_the_store_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = SqliteStore::open(folder.path()).expect_err("a folder");
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    fs::write(folder.path().join("file"), b"").expect("writes");
    let below = folder.path().join("file/store.db");
    let error = SqliteStore::open(&below).expect_err("a file is no folder");
    assert!(matches!(error, StoreError::File { .. }), "{error:?}");
}

#[test]
fn a_reader_sees_whole_batches_of_a_run_that_is_going_on_and_can_write_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = open(folder.path());
    let run = writer.begin_run(&start(0)).expect("begins");
    let seen = absorbed([Observation::found(
        certificate(1, "www.example.org", later(900)),
        file("/etc/ssl/1.pem", later(0)),
    )]);
    let mut reader = SqliteStore::open_read_only(writer.path()).expect("opens");
    writer.record(run, &Batch::from(&seen)).expect("records");
    assert_eq!(reader.inventory(Selection::Latest).expect("loads"), seen);
    assert_eq!(reader.runs().expect("lists")[0].outcome, Outcome::Running);

    let refused = |error| matches!(error, Err(StoreError::ReadOnly { .. }));
    assert!(refused(reader.begin_run(&start(1)).map(|_| ())));
    assert!(refused(reader.record(run, &Batch::default())));
    assert!(refused(reader.end_run(run, later(1), RunEnd::Completed).map(|_| ())));
    assert!(refused(reader.save_answers(later(1), "a: 1").map(|_| ())));

    drop(writer);
    assert_eq!(reader.runs().expect("lists")[0].outcome, Outcome::Interrupted);
}

#[test]
fn two_agents_cannot_run_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut one, mut two) = (open(folder.path()), open(folder.path()));
    let run = one.begin_run(&start(0)).expect("begins");
    let error = two.begin_run(&start(1)).expect_err("the first is at it");
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    two.save_answers(later(1), "a: 1").expect("answers can be saved meanwhile");
    one.end_run(run, later(2), RunEnd::Completed).expect("ends");
    two.begin_run(&start(3)).expect("now it is free");
}

#[test]
fn a_store_can_be_opened_by_many_at_once_while_it_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| SqliteStore::open(&path).map(|_| ()))).collect();
        for thread in threads {
            thread.join().expect("no panic").expect("opens");
        }
    });
}

#[test]
fn an_endpoint_that_an_older_agent_recorded_is_still_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let run = store.begin_run(&start(0)).expect("begins");
    let place = tls("192.0.2.1:443", None, later(0));
    let seen = absorbed([Observation::found(endpoint(later(0), "SSH"), place)]);
    store.record(run, &Batch::from(&seen)).expect("records");

    // As it was written by version 0.1.0 for a server that stapled.
    let digest = Digest::of(b"response");
    let older = format!(
        r#"{{"outcome":"shown","version":"TLSv1.3","cipher_suite":null,"group":null,
            "offered_groups":[],"alpn":null,"staple":{{"length":8,"sha256":"{digest}"}},
            "chain":[],"ended":null}}"#
    );
    let other = Connection::open(store.path()).expect("opens");
    other.execute("UPDATE bodies SET content = ?1", [older.as_bytes()]).expect("one body");
    let loaded = store.inventory(Selection::Run(run)).expect("loads");
    let session = loaded.assets().find_map(|asset| asset.endpoint()?.session()).expect("shown");
    let staple = session.staple.as_ref().expect("it stapled");
    assert_eq!((staple.length, staple.sha256), (8, digest));
    assert!(matches!(staple.content, StapleContent::Unreadable(_)));

    other.execute("UPDATE bodies SET content = ?1", [&b"{\"staple\":{}}"[..]]).expect("one body");
    let damaged = store.inventory(Selection::Run(run));
    assert!(matches!(damaged, Err(StoreError::Damaged { .. })));
}
