//! A large tree with every form in it: everything is found, and nothing that is not there.

use pkimm_tests::agent::Home;
use pkimm_tests::certificates::path;
use pkimm_tests::tree::{Manifest, Plan, found, manifest, plant};

/// The size the issue asks for. The same trees are scanned in the benchmark.
const PLAN: Plan = Plan { files: 200_000, planted: 10_000, seed: 20_261_121, tools: true };

fn shown(difference: impl Iterator<Item = impl std::fmt::Debug>) -> String {
    difference.take(20).map(|line| format!("\n{line:?}")).collect()
}

fn assert_same(actual: &Manifest, expected: &Manifest) {
    let missed = shown(expected.difference(actual));
    let invented = shown(actual.difference(expected));
    assert!(missed.is_empty() && invented.is_empty(), "missed:{missed}\ninvented:{invented}");
}

#[test]
fn everything_that_was_planted_is_found_and_nothing_else() {
    let home = Home::for_many_files();
    let tree = home.folder("tree");
    let (planted, _) = plant(&tree, PLAN);
    assert_eq!(planted.len(), PLAN.planted);
    let expected = manifest(&planted);
    let first = home.agent(&["scan", "--root", path(&tree)]).expect_code(0);
    let inventory = home.inventory();
    assert_same(&found(&inventory, &tree), &expected);
    assert_eq!(home.gaps(), Vec::<serde_json::Value>::new(), "{}", first.stderr);

    // Again without reading: the same inventory, and the run says how.
    let second = home.agent(&["scan", "--root", path(&tree)]).expect_code(0);
    assert_same(&found(&home.inventory(), &tree), &expected);
    assert!(second.stderr.contains("unchanged"), "{}", second.stderr);

    // Under other names it is all the same.
    for plant in &planted {
        std::fs::rename(&plant.path, plant.path.with_extension("bin")).unwrap();
    }
    let renamed: Vec<_> = planted
        .into_iter()
        .map(|plant| pkimm_tests::tree::Planted { path: plant.path.with_extension("bin"), ..plant })
        .collect();
    let _ = home.agent(&["scan", "--root", path(&tree)]).expect_code(0);
    assert_same(&found(&home.inventory(), &tree), &manifest(&renamed));
}
