//! What was written by a run cannot be edited without the chain showing it.

use std::path::PathBuf;

use pki_inventory::{GapReason, Observation, Place};
use pki_store::{
    Batch, BrokenLink, Damage, RunEnd, RunId, Selection, SqliteStore, Store, StoreError,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{absorbed, certificate, covered, endpoint, file, gap, later, open, start, tls};

/// A store of three runs that saw the same.
fn three_runs() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    for hours in 0..3 {
        let at = later(hours);
        let seen = absorbed([
            Observation::found(
                certificate(1, "www.example.org", later(900)),
                file("/etc/1.pem", at),
            ),
            Observation::found(endpoint(at, "SSH"), tls("192.0.2.1:22", None, at)),
            Observation::Missed(gap(
                Place::file("/root"),
                "filesystem",
                GapReason::PermissionDenied,
                at,
            )),
            covered("filesystem", "/etc", at),
        ]);
        let run = store.begin_run(&start(hours)).expect("begins");
        store.record(run, &Batch::from(&seen)).expect("records");
        store.end_run(run, at, RunEnd::Completed).expect("ends");
    }
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let path = store.path().to_owned();
    (folder, path)
}

fn after(sql: &str) -> Vec<BrokenLink> {
    let (_folder, path) = three_runs();
    edit(&path, sql);
    SqliteStore::open(&path).expect("opens").verify_chain().expect("verifies")
}

fn edit(path: &PathBuf, sql: &str) {
    let raw = Connection::open(path).expect("opens");
    raw.execute_batch("PRAGMA foreign_keys = OFF").expect("sets");
    raw.execute_batch(sql).expect("edits");
    assert!(raw.total_changes() > 0, "`{sql}` changed nothing");
}

fn check(sql: &str, expected: &[(i64, &Damage)]) {
    let broken = after(sql);
    for (run, damage) in expected {
        let wanted = BrokenLink { run: RunId(*run), damage: (*damage).clone() };
        assert!(broken.contains(&wanted), "`{sql}`: {wanted} is missing from {broken:?}");
    }
    if let Some(first) = broken.first() {
        assert!(first.to_string().starts_with("run "), "{first}");
    }
}

#[test]
fn an_edited_record_of_a_run_is_found() {
    for column in [
        "started = started + 1",
        "scope = NULL",
        "continues = 1",
        "config_digest = zeroblob(32)",
        "config_digest = x'00'",
        "agent_version = '9'",
        "ended = NULL",
        "outcome = 'failed'",
        "reason = 'x'",
        "assets = 7",
        "gaps = NULL",
        "digest = zeroblob(32)",
    ] {
        check(&format!("UPDATE runs SET {column} WHERE id = 2"), &[(2, &Damage::Edited)]);
    }
}

#[test]
fn an_edited_scope_is_found_in_every_run_that_has_it_and_not_loaded() {
    let (_folder, path) = three_runs();
    edit(&path, "UPDATE scopes SET text = '{}'");
    let store = SqliteStore::open(&path).expect("opens");
    let broken = store.verify_chain().expect("verifies");
    let runs: Vec<RunId> = broken.iter().map(|link| link.run).collect();
    assert_eq!(runs, [RunId(1), RunId(2), RunId(3)], "{broken:?}");
    assert!(matches!(store.scope(RunId(1)), Err(StoreError::Damaged { .. })));
}

#[test]
fn an_edit_of_what_a_run_saw_is_found() {
    for sql in [
        "DELETE FROM run_assets WHERE run = 2 AND asset = 1",
        "DELETE FROM run_sightings WHERE run = 2 AND sighting = 1",
        "DELETE FROM run_gaps WHERE run = 2",
        "DELETE FROM coverage WHERE run = 2",
        "UPDATE run_sightings SET last_seen = last_seen - 1 WHERE run = 2 AND sighting = 1",
        "UPDATE run_assets SET observed = observed + 1 WHERE run = 2 AND observed IS NOT NULL",
        "UPDATE coverage SET not_read = 0 WHERE run = 2",
        "UPDATE sightings SET place = 'file:///elsewhere' WHERE id = 1",
        "UPDATE assets SET sha256 = zeroblob(32) WHERE id = 1",
        "UPDATE assets SET sha256 = x'00'",
        "UPDATE assets SET kind = 'x'",
        "UPDATE bodies SET sha256 = x'00' WHERE id = 1",
        "UPDATE gaps SET reason = 'refused'",
        "UPDATE texts SET text = '{\"chain_position\":0}' WHERE text = '{}'",
    ] {
        check(sql, &[(2, &Damage::Edited)]);
    }
}

#[test]
fn a_run_that_was_removed_leaves_a_broken_link() {
    let remove = |run| {
        format!(
            "DELETE FROM run_assets WHERE run = {run}; DELETE FROM run_sightings WHERE run = {run};
             DELETE FROM run_gaps WHERE run = {run}; DELETE FROM coverage WHERE run = {run};
             DELETE FROM runs WHERE id = {run};"
        )
    };
    check(&remove(1), &[(2, &Damage::Unlinked)]);
    check(&remove(2), &[(3, &Damage::Unlinked)]);
    check("UPDATE runs SET digest = NULL, outcome = NULL WHERE id = 2", &[(2, &Damage::NotEnded)]);
}

#[test]
fn an_edited_encoding_is_found_and_not_loaded() {
    let (_folder, path) = three_runs();
    edit(&path, "UPDATE bodies SET content = x'3000' WHERE length(content) > 200");
    let store = SqliteStore::open(&path).expect("opens");
    let broken = store.verify_chain().expect("verifies");
    assert!(
        matches!(&broken[..], [BrokenLink { run: RunId(1), damage: Damage::Asset(_) }]),
        "{broken:?}"
    );
    let error = store.inventory(Selection::Latest).expect_err("damaged");
    assert!(matches!(&error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("store.db"), "{error}");

    let exchanged = after(
        // With the digest that belongs to it.
        "UPDATE bodies SET content = x'3000', sha256 =
           x'e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95'
         WHERE length(content) > 200",
    );
    assert!(exchanged.iter().any(|link| matches!(link.damage, Damage::Asset(_))), "{exchanged:?}");
}

#[test]
fn an_edited_summary_is_found() {
    for sql in [
        "UPDATE sightings SET first_seen = 0 WHERE id = 1",
        "UPDATE gaps SET last_seen = last_seen + 1",
        "UPDATE assets SET observed = observed + 1 WHERE observed IS NOT NULL",
    ] {
        let broken = after(sql);
        assert!(
            broken
                .iter()
                .any(|link| link.run == RunId(3) && matches!(link.damage, Damage::Summary(_))),
            "`{sql}`: {broken:?}"
        );
    }
}
