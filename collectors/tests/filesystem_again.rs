//! A second walk does not read again what has not changed, and says so.

#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use pki_collectors::{Context, Seen as Known};
use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{Kind, Observation, Time};
use support::{NOW, Seen, Tree, collect, context};

fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap().cert.pem()
}

/// Walks a tree with what is known of it, and gives what is known then.
fn walk(tree: &Tree, known: Vec<u64>) -> (Seen, Vec<u64>) {
    walk_at(tree, known, |_| {})
}

fn walk_at(tree: &Tree, known: Vec<u64>, set: impl FnOnce(&mut Context)) -> (Seen, Vec<u64>) {
    let scope = FilesystemScope { roots: vec![tree.path()], ..FilesystemScope::default() };
    let mut cx = context(TlsScope::default(), scope);
    cx.seen = Arc::new(Known::new([3, 4], known));
    // Long after the files of the test were written.
    cx.wall_clock = Arc::new(|| Time(4_000_000_000));
    set(&mut cx);
    let seen = collect("filesystem", &cx);
    (seen, cx.seen.taken())
}

fn unchanged(seen: &Seen) -> Vec<String> {
    let all = seen.observations.iter().filter_map(|observation| match observation {
        Observation::Unchanged(place) => Some(place.to_string()),
        _ => None,
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let tree = Tree::new();
    tree.write("nothing.txt", "nothing of ours");
    tree.write("a.pem", certificate());
    tree.write("half.pem", &certificate()[..300]);
    let (first, known) = walk(&tree, Vec::new());
    assert_eq!(first.kinds(), [(Kind::Certificate, 1), (Kind::Unparsed, 1)]);
    assert_eq!((first.coverage().read, first.coverage().unchanged, known.len()), (3, 0, 3));

    let (second, again) = walk(&tree, known.clone());
    let file = |name: &str| format!("file://{}/{name}", tree.path().display());
    assert_eq!(unchanged(&second), [file("a.pem"), file("half.pem")]);
    assert_eq!(second.kinds(), []);
    let coverage = second.coverage();
    assert_eq!((coverage.read, coverage.unchanged, coverage.octets), (3, 3, 0));
    assert_eq!(again, known, "the third walk knows as much");

    // What is new is read, what is gone is not known any more.
    tree.write("b.pem", certificate());
    std::fs::remove_file(tree.path().join("a.pem")).unwrap();
    let (third, known) = walk(&tree, known);
    assert_eq!((third.kinds(), known.len()), (vec![(Kind::Certificate, 1)], 3));
    assert_eq!(unchanged(&third), [file("half.pem")]);
}

/// Changes a tree after it was walked; the file that was in it has to be read again.
fn check(what: &str, change: impl FnOnce(&Path)) {
    let tree = Tree::new();
    let path = tree.write("in/a.pem", certificate());
    let (_, known) = walk(&tree, Vec::new());
    change(&path);
    let (seen, _) = walk(&tree, known);
    assert_eq!(
        (seen.kinds(), seen.coverage().unchanged),
        (vec![(Kind::Certificate, 1)], 0),
        "{what}"
    );
}

#[test]
fn whatever_changes_about_a_file_it_is_read_again() {
    check("content of the same length, and the time put back", |path| {
        let content = std::fs::read(path).unwrap();
        let modified = path.metadata().unwrap().modified().unwrap();
        std::fs::write(path, content).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    });
    check("its mode", |path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    });
    check("another file in its place", |path| {
        let other = path.with_file_name("b");
        std::fs::copy(path, &other).unwrap();
        std::fs::rename(other, path).unwrap();
    });
    check("its name", |path| std::fs::rename(path, path.with_file_name("c")).unwrap());
    check("who may enter its folder", |path| {
        let folder = path.parent().unwrap();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    });
}

#[test]
fn a_file_that_could_still_change_within_its_tick_is_read_again() {
    let tree = Tree::new();
    let path = tree.write("a.pem", certificate());
    let written = path.metadata().unwrap().modified().unwrap();
    let written = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let (_, known) = walk_at(&tree, Vec::new(), |cx| {
        cx.wall_clock = Arc::new(move || Time(written + 1));
    });
    assert_eq!(known.len(), 0);
    let (_, known) = walk_at(&tree, Vec::new(), |cx| {
        cx.wall_clock = Arc::new(move || Time(written + 10));
    });
    assert_eq!(known.len(), 1);
}

#[test]
fn settings_are_read_every_time_because_of_what_they_include() {
    let tree = Tree::new();
    let main = "http { include more.conf; server { listen 443 ssl; ssl_certificate a.pem; } }\n";
    tree.write("nginx.conf", main);
    tree.write("more.conf", "ssl_protocols TLSv1.2;\n");
    let versions = |seen: &Seen| match &seen.of(Kind::Configuration)[0].body {
        pki_inventory::Body::Configuration(configuration) => configuration.versions.clone(),
        _ => unreachable!(),
    };
    let (first, known) = walk(&tree, Vec::new());
    assert_eq!(versions(&first), Some(vec!["TLSv1.2".to_owned()]));
    tree.write("more.conf", "ssl_protocols TLSv1.3;\n");
    let (second, _) = walk(&tree, known);
    assert_eq!(versions(&second), Some(vec!["TLSv1.3".to_owned()]));
}

#[test]
fn what_could_not_be_read_is_tried_again() {
    if rustix::process::geteuid().is_root() {
        // Root may read everything; a run that was ended is a reason all the same.
        let tree = Tree::new();
        tree.write("a.pem", certificate());
        let (_, known) = walk_at(&tree, Vec::new(), |cx| {
            cx.cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(known.len(), 0);
        return;
    }
    let tree = Tree::new();
    let path = tree.write("a.pem", certificate());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(walk(&tree, Vec::new()).1.len(), 0);
}

#[test]
fn the_clock_of_the_run_is_not_the_clock_of_the_disk() {
    // A run for another instant remembers as well as any: its clock stamps what it sees, no more.
    let tree = Tree::new();
    tree.write("a.pem", certificate());
    let (seen, known) = walk_at(&tree, Vec::new(), |cx| cx.clock = Arc::new(|| Time(1)));
    assert_eq!(known.len(), 1);
    assert!(seen.of(Kind::Certificate)[0].first_seen() == Some(Time(1)) && NOW != Time(1));
}

#[test]
fn what_lies_beside_an_unchanged_image_is_known_by_itself() {
    let tree = Tree::new();
    tree.write("image/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    let digest = "bb".repeat(32);
    tree.write(
        "image/index.json",
        format!("{{\"manifests\":[{{\"digest\":\"sha256:{digest}\"}}]}}"),
    );
    let blob = |name: &str| format!("image/blobs/sha256/{name}");
    tree.write(&blob("one"), certificate());
    let (first, known) = walk(&tree, Vec::new());
    assert_eq!(first.of(Kind::Certificate).len(), 1);
    tree.write(&blob("two"), certificate());
    let (second, known) = walk(&tree, known);
    assert_eq!(second.of(Kind::Certificate).len(), 1, "the new one is read");
    let place = format!("file://{}/{}", tree.path().display(), blob("one"));
    assert!(unchanged(&second).contains(&place), "and the other one is taken over");
    // A part that was missing arrives.
    tree.write(&blob(&digest), certificate());
    assert_eq!(walk(&tree, known).0.of(Kind::Certificate).len(), 1);
}
