//! An agent that is killed loses at most the batch it was writing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pki_inventory::Observation;
use pki_store::{Batch, Outcome, RunEnd, Selection, SqliteStore, Store};

use super::{absorbed, certificate, file, later, start};

/// Set in the child: where it is to record until it is killed.
const CHILD: &str = "PKI_STORE_TEST_RECORD_INTO";
const PER_BATCH: u64 = 50;
const TEST: &str = "kill::a_killed_run_keeps_every_committed_batch_and_the_next_one_begins";

#[test]
fn a_killed_run_keeps_every_committed_batch_and_the_next_one_begins() {
    if let Some(path) = std::env::var_os(CHILD) {
        record_until_killed(path.into());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    // Killed again and again, each time a little later in the course of things.
    for round in 0..5_usize {
        let acknowledged = start_and_kill(&path, 1 + 3 * round);
        let reader = SqliteStore::open_read_only(&path).expect("a reader opens what was left");
        let killed = reader.runs().expect("lists").pop().expect("the run is kept");
        assert_eq!(killed.outcome, Outcome::Interrupted);
        drop(reader);

        let store = SqliteStore::open(&path).expect("opens");
        assert_eq!(store.verify_chain().expect("verifies"), []);
        let seen = store.inventory(Selection::Run(killed.id)).expect("loads");
        let count = seen.assets().count() as u64;
        assert!(count >= acknowledged * PER_BATCH, "{count} of {acknowledged} batches");
        assert_eq!(count % PER_BATCH, 0, "half a batch was kept");
        assert_eq!(killed.counts.assets, count);
    }
    let mut store = SqliteStore::open(&path).expect("opens");
    let run = store.begin_run(&start(9)).expect("the next run begins");
    store.end_run(run, later(10), RunEnd::Completed).expect("and ends");
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let runs = store.runs().expect("lists");
    assert_eq!(runs.len(), 6);
    assert!(
        runs[..5].iter().all(|run| run.outcome == Outcome::Interrupted && run.digest.is_some())
    );
}

/// Runs this test in a child, kills it after so many batches, and says how many it had reported.
fn start_and_kill(path: &std::path::Path, batches: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", TEST, "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let is_batch = |line: &Result<String, _>| line.as_ref().is_ok_and(|l| l.ends_with("recorded"));
    let before = lines.by_ref().filter(is_batch).take(batches).count();
    assert_eq!(before, batches, "the child ended by itself");
    child.kill().expect("sends SIGKILL");
    let status = child.wait().expect("ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    (before + lines.filter(is_batch).count()) as u64
}

fn record_until_killed(path: PathBuf) -> ! {
    let mut store = SqliteStore::open(path).expect("opens");
    let run = store.begin_run(&start(0)).expect("begins");
    let mut serial = 0;
    loop {
        let seen = absorbed((0..PER_BATCH).map(|_| {
            serial += 1;
            let place = file(&format!("/srv/{serial}.pem"), later(0));
            Observation::found(certificate(serial, "www.example.org", later(900)), place)
        }));
        store.record(run, &Batch::from(&seen)).expect("records");
        // Not `println!`: the harness would keep it to itself.
        writeln!(std::io::stdout(), "\nbatch {serial} recorded").expect("the parent listens");
    }
}
