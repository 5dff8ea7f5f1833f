//! The filesystem collector looks into archives, packages and images.

#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;
use std::sync::Arc;

use pki_collectors::KeystorePassword;
use pki_config::{FilesystemScope, Globs, TlsScope};
use pki_inventory::{Fate, GapReason, Half, Kind, Lock};
use support::{Seen, Tree, collect, context, places, scan};

/// A certificate and its key in PEM.
fn pair() -> (String, String) {
    let pair = rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap();
    (pair.cert.pem(), pair.signing_key.serialize_pem())
}

fn run(tree: &Tree, program: &str, arguments: &str) {
    let status = Command::new(program)
        .args(arguments.split_whitespace())
        .current_dir(tree.path())
        .status()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{program} {arguments}");
}

fn place(tree: &Tree, rest: &str) -> String {
    format!("file://{}/{rest}", tree.path().display())
}

fn all_places(seen: &Seen, kind: Kind) -> Vec<String> {
    let mut all: Vec<String> = seen.of(kind).into_iter().flat_map(places).collect();
    all.sort();
    all
}

/// Only what is named lies in the tree that is scanned.
fn moved(from: &Tree, names: &[&str]) -> Tree {
    let tree = Tree::new();
    for name in names {
        std::fs::copy(from.path().join(name), tree.path().join(name)).unwrap();
    }
    tree
}

#[test]
fn what_lies_in_archives_is_found_at_its_place_in_them() {
    let made = Tree::new();
    let (certificate, key) = pair();
    made.write("in/etc/c.pem", &certificate);
    made.write("in/etc/k", &key);
    made.write("in/etc/both", format!("{certificate}{key}"));
    run(&made, "tar", "-C in -czf a.tgz etc");
    run(&made, "tar", "-cf b.tar a.tgz");
    run(&made, "gzip", "-k in/etc/c.pem");
    std::fs::rename(made.path().join("in/etc/c.pem.gz"), made.path().join("c.pem.gz")).unwrap();
    let tree = moved(&made, &["a.tgz", "b.tar", "c.pem.gz"]);
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1), (Kind::Key, 1)]);
    let expected = [
        "a.tgz!/etc/both#1",
        "a.tgz!/etc/c.pem",
        "b.tar!/a.tgz!/etc/both#1",
        "b.tar!/a.tgz!/etc/c.pem",
        "c.pem.gz",
    ];
    assert_eq!(all_places(&seen, Kind::Certificate), expected.map(|rest| place(&tree, rest)));
    // Who may read what lies in it is who may read the archive.
    let sighting = seen.of(Kind::Key)[0].sightings().next().unwrap();
    let file = sighting.circumstances.file.as_ref().unwrap();
    assert_eq!(file.mode, 0o644);
    assert_eq!(sighting.circumstances.key.as_ref().unwrap().half, Half::Private);
    assert_eq!(seen.reasons(), []);

    let closed = scan(|scope| {
        scope.roots = vec![tree.path()];
        scope.archives.open = false;
    });
    assert_eq!((closed.kinds(), closed.reasons()), (vec![], vec![]));
    let shallow = scan(|scope| {
        scope.roots = vec![tree.path()];
        scope.archives.depth = 1;
    });
    assert_eq!(all_places(&shallow, Kind::Certificate).len(), 3);
    let gap = &shallow.gaps(GapReason::LimitReached)[0];
    assert_eq!(gap.place.to_string(), place(&tree, "b.tar!/a.tgz"));
    assert!(gap.detail.contains("filesystem.archives.depth"), "{}", gap.detail);
    assert_eq!(shallow.coverage().not_read, 1);
}

#[test]
fn a_bomb_costs_a_gap_and_not_the_run() {
    let tree = Tree::new();
    let (certificate, _) = pair();
    let zeros = std::fs::File::create(tree.path().join("zeros")).unwrap();
    zeros.set_len(400 << 20).unwrap();
    run(&tree, "gzip", "zeros");
    tree.write("c.pem", &certificate);
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1)]);
    let gap = &seen.gaps(GapReason::LimitReached)[0];
    assert!(gap.detail.contains("filesystem.archives.ratio"), "{}", gap.detail);
}

/// An OCI image of two layers: the lower one holds a key and a certificate, the upper one deletes
/// the key.
fn image(made: &Tree) -> String {
    let (certificate, key) = pair();
    made.write("lower/etc/k.pem", key);
    made.write("lower/etc/c.pem", certificate);
    made.write("upper/etc/.wh.k.pem", "");
    run(made, "tar", "-C lower -cf lower.tar etc");
    run(made, "tar", "-C upper -czf upper.tar.gz etc");
    let mut digests = Vec::new();
    let mut blob = |content: Vec<u8>| {
        let digest = pki_inventory::Digest::of(&content).to_string();
        made.write(&format!("image/blobs/sha256/{digest}"), &content);
        digests.push(digest.clone());
        (digest, content.len())
    };
    let (lower, lower_size) = blob(made.read("lower.tar"));
    let (upper, upper_size) = blob(made.read("upper.tar.gz"));
    let (config, config_size) = blob(b"{\"architecture\":\"amd64\",\"os\":\"linux\"}".to_vec());
    let oci = "application/vnd.oci.image";
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{oci}.manifest.v1+json\",\
         \"config\":{{\"mediaType\":\"{oci}.config.v1+json\",\"digest\":\"sha256:{config}\",\"size\":{config_size}}},\
         \"layers\":[\
         {{\"mediaType\":\"{oci}.layer.v1.tar\",\"digest\":\"sha256:{lower}\",\"size\":{lower_size}}},\
         {{\"mediaType\":\"{oci}.layer.v1.tar+gzip\",\"digest\":\"sha256:{upper}\",\"size\":{upper_size}}}]}}"
    );
    let (manifest, size) = blob(manifest.into_bytes());
    made.write("image/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    made.write(
        "image/index.json",
        format!(
            "{{\"schemaVersion\":2,\"manifests\":[{{\"mediaType\":\"{oci}.manifest.v1+json\",\
             \"digest\":\"sha256:{manifest}\",\"size\":{size}}}]}}"
        ),
    );
    lower
}

#[test]
fn a_key_that_an_upper_layer_deletes_is_found_and_said_to_be() {
    let made = Tree::new();
    let lower = image(&made);
    run(&made, "tar", "-C image -cf image.tar blobs index.json oci-layout");
    let archive = moved(&made, &["image.tar"]);
    let (folder, part) = (Tree::new(), made.path().join("image"));
    std::fs::rename(part, folder.path().join("image")).unwrap();
    for (tree, name) in [(&archive, "image.tar"), (&folder, "image")] {
        let seen = tree.scan();
        assert_eq!(seen.kinds(), [(Kind::Certificate, 1), (Kind::Key, 1)], "{name}");
        let sighting = |kind| seen.of(kind)[0].sightings().next().unwrap();
        let key = sighting(Kind::Key);
        assert_eq!(
            key.place.to_string(),
            place(tree, &format!("{name}!/sha256:{lower}!/etc/k.pem"))
        );
        let layer = key.circumstances.layer.as_ref().unwrap();
        assert_eq!((layer.number, layer.of, layer.fate), (1, 2, Fate::DeletedIn(2)));
        let kept = sighting(Kind::Certificate).circumstances.layer.as_ref().unwrap();
        assert_eq!(kept.fate, Fate::Kept);
        assert_eq!(places(seen.of(Kind::Key)[0]).len(), 1, "each part is read once");
        assert_eq!(seen.reasons(), []);
    }
    // What belongs to no image is looked at by itself.
    let (certificate, _) = pair();
    folder.write("image/blobs/sha256/ff", certificate);
    let seen = folder.scan();
    let expected = place(&folder, "image/blobs/sha256/ff");
    assert!(all_places(&seen, Kind::Certificate).contains(&expected));
}

#[test]
fn a_password_of_the_configuration_opens_the_keystores_of_its_paths() {
    let made = Tree::new();
    let (certificate, key) = pair();
    made.write("both", certificate + &key);
    made.openssl("pkcs12 -export -in both -passout pass:only-here -out a.p12");
    std::fs::copy(made.path().join("a.p12"), made.path().join("b.p12")).unwrap();
    let tree = moved(&made, &["a.p12", "b.p12"]);
    let locks = |paths: &[&str], well_known| {
        let scope = FilesystemScope {
            roots: vec![tree.path()],
            well_known_passwords: well_known,
            ..FilesystemScope::default()
        };
        let mut cx = context(TlsScope::default(), scope);
        cx.passwords = Arc::new(vec![KeystorePassword {
            paths: Globs::new(paths).unwrap(),
            password: zeroize::Zeroizing::new("only-here".to_owned()),
        }]);
        assert!(!format!("{cx:?}", cx = cx.passwords).contains("only-here"));
        let seen = collect("filesystem", &cx);
        let stores = seen.of(Kind::Keystore);
        assert_eq!(stores.len(), 1, "two copies of one");
        match &stores[0].body {
            pki_inventory::Body::Keystore(store) => (store.lock.clone(), seen.of(Kind::Key).len()),
            _ => unreachable!(),
        }
    };
    // The reading that opened it says more.
    assert_eq!(locks(&["**/b.p12"], true), (Lock::Configured, 2));
    assert_eq!(locks(&["**/*.p12"], false), (Lock::Configured, 1));
    assert!(matches!(locks(&["**/c.p12"], true).0, Lock::Closed(_)));
}

#[test]
fn a_revocation_list_that_straddles_the_limit_in_an_archive_is_listed_as_cut() {
    let made = Tree::new();
    made.write("in/list", support::large_revocation_list(8 << 20));
    let (certificate, _) = pair();
    made.write("in/z.pem", certificate);
    run(&made, "tar", "-C in -cf a.tar list z.pem");
    let tree = moved(&made, &["a.tar"]);
    let seen = scan(|scope| {
        scope.roots = vec![tree.path()];
        scope.max_file_bytes = 5_000_000;
    });
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1), (Kind::Unparsed, 1)]);
    assert_eq!(seen.reasons(), [GapReason::TooLarge]);
}

#[test]
fn a_file_in_the_folder_of_an_image_is_never_hidden_by_it() {
    let made = Tree::new();
    image(&made);
    let (_, key) = pair();
    let stray = "image/blobs/sha256/".to_owned() + &"aa".repeat(32);
    made.write(&stray, &key);
    let top = made.path().join("image");
    let kinds = |roots: &std::path::Path, include: &[&str]| {
        let seen = scan(|scope| {
            scope.roots = vec![roots.to_path_buf()];
            scope.include = Globs::new(include).unwrap();
        });
        assert_eq!(seen.gaps(GapReason::CollectorFailed).len(), 0);
        seen.kinds()
    };
    // Of the image a key and a certificate, and the stray key; in whatever part of it one looks.
    let all = [(Kind::Certificate, 1), (Kind::Key, 2)];
    assert_eq!(kinds(&top, &[]), all);
    assert_eq!(kinds(&top.join("blobs"), &[]), all);
    assert_eq!(kinds(&top, &["**/blobs/**"]), all);
    let index = top.join("index.json");
    std::fs::rename(&index, made.path().join("index.json")).unwrap();
    std::os::unix::fs::symlink(made.path().join("index.json"), &index).unwrap();
    assert_eq!(kinds(&top, &[]), all);
}

#[test]
fn an_archive_behind_a_program_and_two_members_of_one_name_lose_nothing() {
    let made = Tree::new();
    let (certificate, key) = pair();
    made.write("c.pem", &certificate);
    run(&made, "zip", "-q x.zip c.pem");
    let tree = Tree::new();
    tree.write(
        "start.jar",
        [b"#!/bin/sh\nexec java -jar \"$0\"\n", &made.read("x.zip")[..]].concat(),
    );
    made.write("k", &key);
    run(&made, "tar", "-cf two.tar k");
    made.write("k", pair().1);
    run(&made, "tar", "-rf two.tar k");
    tree.write("two.tar", made.read("two.tar"));
    let seen = tree.scan();
    assert_eq!(all_places(&seen, Kind::Certificate), [place(&tree, "start.jar!/c.pem")]);
    let expected = [place(&tree, "two.tar!/k"), place(&tree, "two.tar!/k?2")];
    assert_eq!(all_places(&seen, Kind::Key), expected);
    assert_eq!(seen.reasons(), []);
}

#[test]
fn a_keystore_in_a_manifest_is_opened_like_one_in_a_file() {
    let made = Tree::new();
    let (certificate, key) = pair();
    made.write("both", certificate + &key);
    made.openssl("pkcs12 -export -in both -passout pass:changeit -out a.p12");
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, made.read("a.p12"));
    let tree = Tree::new();
    tree.write(
        "secret.yaml",
        format!("kind: Secret\nmetadata:\n  name: web\ndata:\n  keystore.p12: {text}\n"),
    );
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1), (Kind::Key, 1), (Kind::Keystore, 1)]);
}
