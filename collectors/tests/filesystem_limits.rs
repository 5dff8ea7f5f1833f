//! Files that are too large, too full or too much for the reader: what is in them is read as far as
//! the limits go, and the rest is said to be missing.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{GapReason, Kind};
use support::{NOW, Tree, collect, context, large_revocation_list, places, scan, unparsed};

fn certificate() -> (Vec<u8>, String) {
    let made = rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap();
    (made.cert.der().to_vec(), made.cert.pem())
}

#[test]
fn binary_objects_are_read_to_the_end_of_large_files_and_text_behind_them_too() {
    let (der, _) = certificate();
    let (last, pem) = certificate();
    let list = large_revocation_list(9 * 1024 * 1024);
    let key = rcgen::KeyPair::generate().unwrap();
    let many = der.repeat(5 * 1024 * 1024 / der.len());
    for (name, content, certificates) in [
        (
            "a list that is larger than the buffer first",
            [&list[..], &last, &key.serialize_der()].concat(),
            1,
        ),
        (
            "one that straddles the end of the buffer",
            [&many[..], &last, &key.serialize_der()].concat(),
            2,
        ),
        ("text behind it", [&many[..], pem.as_bytes(), key.serialize_pem().as_bytes()].concat(), 2),
        (
            "both, the list straddling as well",
            [&many[..], &list, &der, b"\n", pem.as_bytes(), key.serialize_pem().as_bytes()]
                .concat(),
            2,
        ),
    ] {
        let tree = Tree::new();
        tree.write("some.bin", &content);
        let seen = tree.scan();
        assert_eq!(seen.of(Kind::Certificate).len(), certificates, "{name}");
        assert_eq!((seen.of(Kind::Key).len(), seen.reasons()), (1, vec![]), "{name}");
        assert_eq!(seen.of(Kind::Unparsed).len(), 0, "{name}");
        assert_eq!(seen.coverage().octets, content.len() as u64, "{name}");
        let lists = content.windows(9).filter(|part| *part == &list[..9]).count();
        assert_eq!(seen.of(Kind::RevocationList).len(), lists, "{name}");
        if certificates == 2 {
            let first = seen.of(Kind::Certificate).iter().map(|asset| places(asset).len()).max();
            assert!(first.unwrap() >= many.len() / der.len(), "{name}");
        }
    }
}

#[test]
fn a_key_across_the_end_of_the_buffer_is_read() {
    let (der, _) = certificate();
    let key = rcgen::KeyPair::generate().unwrap().serialize_der();
    let buffer = 4 * 1024 * 1024;
    let shorter = buffer - large_revocation_list(buffer).len() % 26 - 26 * 4;
    let list = large_revocation_list(shorter);
    assert!(list.len() < buffer && buffer < list.len() + key.len());
    let tree = Tree::new();
    tree.write("some.bin", [&list[..], &key, &der].concat());
    let found = [(Kind::Certificate, 1), (Kind::Key, 1), (Kind::RevocationList, 1)];
    assert_eq!(tree.scan().kinds(), found);
}

#[test]
fn what_is_too_large_is_passed_over_and_what_follows_is_read() {
    let (der, _) = certificate();
    let tree = Tree::new();
    let list = large_revocation_list(33 * 1024 * 1024);
    tree.write("some.bin", [&list[..], &der].concat());
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1), (Kind::Unparsed, 1)]);
    assert!(unparsed(&seen)[0].1.contains("longer than 33554432 octets"));
}

#[test]
fn what_our_limit_cut_is_not_called_the_end_of_the_file() {
    let (der, pem) = certificate();
    for (content, cut) in [(der.as_slice(), 300), (pem.as_bytes(), 300)] {
        let tree = Tree::new();
        tree.write("some.pem", content);
        let seen = scan(|scope| {
            scope.roots = vec![tree.path()];
            scope.max_file_bytes = cut;
        });
        assert_eq!(
            (seen.kinds(), seen.reasons()),
            (vec![(Kind::Unparsed, 1)], vec![GapReason::TooLarge])
        );
        let error = &unparsed(&seen)[0].1;
        assert!(error.contains("`max_file_bytes`"), "{error}");
    }
}

#[test]
fn a_file_of_nothing_but_objects_is_reported_up_to_a_limit() {
    let (der, pem) = certificate();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for content in [der.repeat(20_123), pem.repeat(20_123).into_bytes()] {
        let tree = Tree::new();
        tree.write("flood", [&content[..], key.as_bytes()].concat());
        let seen = tree.scan();
        assert_eq!(seen.kinds(), [(Kind::Certificate, 1)], "the key makes it no trust store");
        assert_eq!(places(seen.of(Kind::Certificate)[0]).len(), 20_000);
        assert_eq!(seen.reasons(), [GapReason::LimitReached]);
        let detail = &seen.gaps(GapReason::LimitReached)[0].detail;
        assert_eq!(detail, "124 more objects; the first 20000 are in the inventory");
    }
}

#[test]
fn a_file_that_the_reader_breaks_down_on_costs_itself_and_nothing_else() {
    for threads in [1, 4] {
        let tree = Tree::new();
        for number in 0..200 {
            tree.write(&format!("{}/{number}.pem", number % 3), certificate().1);
        }
        let scope =
            FilesystemScope { roots: vec![tree.path()], threads, ..FilesystemScope::default() };
        let mut cx = context(TlsScope::default(), scope);
        // The clock is asked once for every file in which something was found.
        let asked = AtomicUsize::new(0);
        cx.clock = Arc::new(move || {
            assert_ne!(asked.fetch_add(1, Ordering::SeqCst), 70, "this is what the test is about");
            NOW
        });
        let seen = collect("filesystem", &cx);
        assert_eq!(seen.of(Kind::Certificate).len(), 199);
        assert_eq!(seen.reasons(), [GapReason::CollectorFailed]);
        let gap = seen.gaps(GapReason::CollectorFailed)[0];
        assert_eq!(gap.detail, "the reader broke down on this file; please report it");
        assert!(gap.place.file_path().unwrap().starts_with(tree.path()));
        let coverage = seen.coverage();
        assert_eq!((coverage.asked, coverage.not_read), (200, 1));
    }
}
