//! A run that is killed loses nothing that it had recorded.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pkimm_tests::agent::{Home, Running};
use pkimm_tests::certificates::path;
use pkimm_tests::facts;
use pkimm_tests::tree::{Plan, manifest, plant};
use serde_json::{Value, json};

use crate::files::place;

fn ids(assets: &[Value]) -> BTreeSet<String> {
    assets.iter().map(|asset| asset["id"].as_str().unwrap().to_owned()).collect()
}

/// Starts a command that reads a tree and waits until it has recorded something, which it gives.
fn begun(home: &Home, arguments: &[&str]) -> (Running, BTreeSet<String>) {
    let mut command = home.command(arguments);
    let mut running = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let begin = Instant::now();
    loop {
        // Others may read while it writes; until it has made the store, there is nothing to read.
        let export = home.agent(&["inventory", "export", "--all-runs"]);
        if export.code == Some(0) && !export.stdout.is_empty() {
            return (running, ids(&export.lines()));
        }
        let ended = running.child().try_wait().unwrap();
        assert!(ended.is_none(), "it was over before it could be ended: make the tree larger");
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is recorded");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_kill_in_the_middle_of_a_scan_loses_nothing_that_was_recorded() {
    let home = Home::new();
    let tree = home.folder("tree");
    let (planted, _) = plant(&tree, Plan { files: 20_000, planted: 10_000, seed: 3, tools: false });
    let everything: BTreeSet<String> = manifest(&planted)
        .into_iter()
        .map(|(kind, sha256, _)| format!("{kind}:{sha256}"))
        .collect();
    assert!(everything.len() > planted.len());

    let (scan, before) = begun(&home, &["scan", "--root", path(&tree)]);
    let status = scan.kill();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
    assert!(before.len() < everything.len(), "the scan was as good as over");

    let after = home.agent(&["inventory", "export", "--all-runs"]).expect_code(0).lines();
    let after = ids(&after);
    assert!(after.is_superset(&before), "{} of {} are left", after.len(), before.len());
    assert!(after.is_subset(&everything), "and nothing is there that is not on the disk");

    let _ = home.agent(&["run", "--root", path(&tree)]).expect_code(0);
    assert_eq!(ids(&home.inventory()), everything, "the next run completes");
    let all = home.agent(&["inventory", "export", "--all-runs"]).expect_code(0).lines();
    assert_eq!(ids(&all), everything);
}

#[test]
fn a_run_that_is_told_to_end_ends_in_good_order_and_reports_what_it_has() {
    let home = Home::new();
    let tree = home.folder("tree");
    let (planted, _) = plant(&tree, Plan { files: 12_000, planted: 6_000, seed: 5, tools: false });
    let (mut run, before) = begun(&home, &["run", "--root", path(&tree)]);
    let process = run.child().id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    let status = run.child().wait().unwrap();
    assert_eq!(status.code(), Some(130), "{status}");
    let all = home.agent(&["inventory", "export", "--all-runs"]).expect_code(0).lines();
    let all = ids(&all);
    assert!(all.is_superset(&before) && all.len() < planted.len(), "{}", all.len());
    // The report says that it is not the whole.
    let report: Value = serde_json::from_str(&home.read("pkimm-report/assessment.json")).unwrap();
    let gaps = report["gaps"].as_array().unwrap();
    let expected = json!({
        "place": place(&tree), "reason": "run-ended",
        "detail": "the run was ended before all of it was read",
    });
    facts::assert_facts("the gap", facts::gap_at(gaps, &place(&tree)), &expected);
}
