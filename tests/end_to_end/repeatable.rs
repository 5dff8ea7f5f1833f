//! The same inputs and the same instant give the same octets.

use std::fs;

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::{Authority, EXPIRED, Order, path};
use pkimm_tests::tree::{Plan, plant};

use crate::AS_OF;

/// A tree that has something of everything.
fn tree() -> Home {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let _ = root.issue(&Order { validity: EXPIRED, ..Order::server("old.test") });
    let _ = root.subordinate("Lab Issuing CA").issue(&Order::server("www.test"));
    let _ = root.revocation_list();
    let _ =
        plant(&home.folder("pki/more"), Plan { files: 400, planted: 60, seed: 7, tools: false });
    home.write("pki/noise.pem", [0xde; 5000]);
    home.write("pki/half.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
    home
}

#[test]
fn two_runs_into_two_folders_give_the_same_json_octet_by_octet() {
    let tree = tree();
    let root = tree.path().join("pki");
    let reports: Vec<String> = [Home::new(), Home::new()]
        .iter()
        .map(|home| {
            let arguments = ["run", "--root", path(&root), "--as-of", AS_OF];
            let _ = home.agent(&arguments).expect_code(0);
            home.read("pkimm-report/assessment.json")
        })
        .collect();
    for (one, other) in reports[0].lines().zip(reports[1].lines()) {
        assert_eq!(one, other);
    }
    assert!(reports[0] == reports[1]);
}

#[test]
fn one_run_reported_twice_gives_the_same_octets_in_every_format() {
    let home = tree();
    let root = home.path().join("pki");
    let _ = home.agent(&["run", "--root", path(&root), "--as-of", AS_OF]).expect_code(0);
    let written = home.read("pkimm-report/assessment.json");
    fs::remove_file(home.path().join("pkimm-report/answers.yaml")).unwrap();
    for format in ["json", "html", "terminal", "answers-yaml", "pkimm-web", "prometheus"] {
        let report =
            || home.agent(&["report", "--format", format, "--as-of", AS_OF]).expect_code(0).stdout;
        let first = report();
        assert!(first == report(), "{format}");
        assert!(format != "json" || first == written, "`run` writes what `report` writes");
    }
}
