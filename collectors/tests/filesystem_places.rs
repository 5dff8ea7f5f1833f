//! The filesystem collector comes through whatever lies on a disk, and says what it did not read.

#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::Ordering;

use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{GapReason, Kind, Time};
use support::{Tree, collect, context, large_revocation_list, places, scan, unparsed};

fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap().cert.pem()
}

#[test]
fn what_is_broken_is_listed_with_its_reason() {
    let pem = certificate();
    let half = &pem[..pem.len() / 2];
    let der = Tree::new();
    der.write("c", &pem);
    let der = der.openssl("x509 -in c -outform DER");
    for (name, content, claimed, reason) in [
        ("a.pem", half.as_bytes(), "certificate", "ends before the END line"),
        ("a.txt", half.as_bytes(), "certificate", "ends before the END line"),
        ("a.pem", pem.replacen("\nM", "\n*", 1).as_bytes(), "certificate", "not base64"),
        ("a.pem", pem.replace("END C", "END X").as_bytes(), "certificate", "another label"),
        (
            "a.pem",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "key",
            "not a private key",
        ),
        (
            "a.pem",
            b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
            "key",
            "nothing is between",
        ),
        (
            "a.pem",
            b"text\n-----BEGIN X509 CRL-----\n",
            "revocation-list",
            "ends before the END line",
        ),
        ("a.bin", &der[..der.len() - 9], "certificate", "announces"),
    ] {
        let tree = Tree::new();
        tree.write(name, content);
        let seen = tree.scan();
        let listed = unparsed(&seen);
        assert_eq!(listed.len(), 1, "{name} {reason}: {:?}", seen.observations);
        assert_eq!(listed[0].0, claimed);
        assert!(listed[0].1.contains(reason), "{:?} should say {reason}", listed[0].1);
        assert_eq!(seen.kinds(), [(Kind::Unparsed, 1)]);
    }
}

#[test]
fn damaged_encodings_are_handed_over_and_end_as_unparsed() {
    let tree = Tree::new();
    tree.write("c", certificate());
    let mut der = tree.openssl("x509 -in c -outform DER");
    // The tag of the first date.
    let date =
        der.windows(2).position(|window| window == b"\x17\x0d" || window == b"\x18\x0f").unwrap();
    der[date] = 0x05;
    let tree = Tree::new();
    tree.write("damaged", der);
    assert_eq!(tree.scan().kinds(), [(Kind::Unparsed, 1)]);
}

#[test]
fn programs_and_documents_with_markers_in_them_hold_nothing() {
    let pem = certificate();
    let mut program =
        b"\x7fELF\0\0-----BEGIN CERTIFICATE-----\0-----BEGIN RSA PRIVATE KEY-----\n\0\x01".to_vec();
    program.extend_from_slice(&[0; 4096]);
    for (name, content) in [
        ("libcrypto.so", program.as_slice()),
        ("ssl.py", b"PEM_HEADER = \"-----BEGIN CERTIFICATE-----\"\nPEM_FOOTER = \"x\"\n"),
        ("test.c", b"\"-----BEGIN CERTIFICATE-----\\n\"\n\"MIIBhTCCASugAwIBAgIUEj\\n\"\n"),
        ("README.md", b"Paste it like this:\n-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"),
        ("doc.txt", b"```\n-----BEGIN CERTIFICATE-----\nMIIB...snip...\n-----END CERTIFICATE-----\n```\n"),
        ("doc.txt", b"about the marker\n-----BEGIN PRIVATE KEY-----\nand so on\n"),
        ("format.py", b"x = '''\n-----BEGIN %s-----\n%s\n-----END %s-----\n'''\n"),
        ("mail.asc", b"-----BEGIN PGP SIGNATURE-----\n\niQIzBAABCgAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"),
        ("dh.pem", b"-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n"),
        ("digits", b"0 is the first octet of a sequence, and not of this text"),
    ] {
        let tree = Tree::new();
        tree.write(name, content);
        let seen = tree.scan();
        assert_eq!((seen.kinds(), seen.reasons()), (vec![], vec![]), "{name}: {:?}", seen.observations);
    }
    let tree = Tree::new();
    let mut embedded = program;
    embedded.extend_from_slice(format!("\n{pem}").as_bytes());
    tree.write("node", embedded);
    assert_eq!(tree.scan().kinds(), [(Kind::Certificate, 1)], "a whole one in a program is real");
}

#[test]
fn a_telling_name_without_content_to_match_is_a_gap() {
    for (name, content, gap) in [
        ("notes.key", "an Apple Keynote file would be here", true),
        ("cert.PEM", "to be done", true),
        ("empty.pem", "", false),
        ("notes.txt", "to be done", false),
    ] {
        let tree = Tree::new();
        tree.write(name, content);
        let seen = tree.scan();
        assert_eq!(seen.gaps(GapReason::Unrecognised).len(), usize::from(gap), "{name}");
        assert_eq!((seen.coverage().asked, seen.coverage().not_read), (1, u64::from(gap)));
    }
}

#[test]
fn links_are_not_followed_and_only_reported_where_something_stays_unread() {
    let tree = Tree::new();
    let outside = Tree::new();
    tree.write("real/cert.pem", certificate());
    outside.write("secret.pem", certificate());
    let link =
        |name: &str, target: &std::path::Path| symlink(target, tree.path().join(name)).unwrap();
    link("inside", &tree.path().join("real/cert.pem"));
    link("inside-folder", "real".as_ref());
    link("nowhere", "/does/not/exist".as_ref());
    link("device", "/dev/null".as_ref());
    link("kernel", "/proc/self/mounts".as_ref());
    link("itself", "itself".as_ref());
    link("up", ".".as_ref());
    link("real/up", &tree.path());
    link("out", &outside.path().join("secret.pem"));
    link("out-folder", &outside.path());
    link("hidden", "excluded/x".as_ref());
    tree.write("excluded/x", "x");
    let seen = scan(|scope| {
        scope.roots = vec![tree.path()];
        scope.exclude = vec![tree.path().join("excluded")];
    });
    let named = |reason| {
        let gaps = seen.gaps(reason).into_iter();
        gaps.map(|gap| {
            gap.place.file_path().unwrap().strip_prefix(tree.path()).unwrap().display().to_string()
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(named(GapReason::LinkLoop), ["itself", "real/up", "up"]);
    assert_eq!(named(GapReason::LinkOutOfScope), ["hidden", "out", "out-folder"]);
    assert_eq!(seen.inventory.gaps().count(), 6);
    assert_eq!((seen.coverage().asked, seen.coverage().read), (1, 1), "links are no places");
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1)]);
    assert_eq!(places(seen.of(Kind::Certificate)[0]).len(), 1);
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let tree = Tree::new();
    let fifo = tree.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(tree.path().join("socket")).unwrap();
    let seen = tree.scan();
    let gaps = seen.gaps(GapReason::NotRegularFile);
    assert_eq!(gaps.len(), 2);
    assert!(gaps[0].detail.starts_with("a FIFO") && gaps[1].detail.starts_with("a socket"));

    let seen = scan(|scope| scope.roots = vec![fifo.clone()]);
    assert_eq!(seen.reasons(), [GapReason::NotRegularFile], "also as a root");
}

#[test]
fn what_we_may_not_read_is_a_gap_that_says_what_to_do() {
    let tree = Tree::new();
    tree.write("good.pem", certificate());
    for name in ["closed/inside.pem", "closed.pem"] {
        tree.write(name, certificate());
        let closed = tree.path().join(name.split('/').next().unwrap());
        std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    std::fs::set_permissions(tree.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let root = tree.path();
    // Root reads everything. Rights belong to threads: one gives its own up, and those it starts
    // inherit that.
    let seen = std::thread::spawn(move || {
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        scan(|scope| scope.roots = vec![root])
    })
    .join()
    .unwrap();
    let gaps = seen.gaps(GapReason::PermissionDenied);
    assert_eq!(gaps.len(), 2, "{:?}", seen.observations);
    assert!(gaps.iter().all(|gap| gap.detail.contains("CAP_DAC_READ_SEARCH")));
    assert_eq!(seen.of(Kind::Certificate).len(), 1);
    assert_eq!((seen.coverage().asked, seen.coverage().read, seen.coverage().not_read), (3, 1, 2));
    let closed = tree.path().join("closed");
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn no_damage_to_a_bundle_stops_the_walk_or_makes_objects_up() {
    let pem: String = (0..3).map(|_| certificate()).collect();
    let key = rcgen::KeyPair::generate().unwrap();
    let clean = format!("{pem}{}", key.serialize_pem()).into_bytes();
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let tree = Tree::new();
    for number in 0..400 {
        let mut content = clean.clone();
        for _ in 0..=next(4) {
            let at = next(content.len() - 1);
            match next(4) {
                0 => content[at] = u8::try_from(next(256)).unwrap(),
                1 => content.truncate(at + 1),
                2 => drop(content.drain(at..(at + 1 + next(90)).min(content.len()))),
                _ => content.insert(at, b"\n -=\0"[next(5)]),
            }
            if content.len() < 2 {
                break;
            }
        }
        tree.write(&format!("{number}.pem"), content);
        let der = key.serialize_der();
        let mut der = der[..der.len() - next(3)].to_vec();
        let at = next(der.len());
        der[at] ^= u8::try_from(next(256)).unwrap();
        tree.write(&format!("{number}.der"), der);
    }
    let seen = tree.scan();
    assert_eq!(seen.coverage().asked, 800);
    // Damage to a certificate that leaves it readable makes another one, never a new kind.
    assert!(seen.of(Kind::Certificate).len() < 400 && seen.of(Kind::SigningRequest).is_empty());
}

#[test]
fn a_flood_of_markers_is_summed_up() {
    let tree = Tree::new();
    let line = "-----BEGIN CERTIFICATE-----\n";
    let count = 20 * 1024 * 1024 / line.len();
    tree.write("flood", line.repeat(count));
    let seen = tree.scan();
    assert_eq!(unparsed(&seen).len(), 16);
    let gaps = seen.gaps(GapReason::LimitReached);
    assert_eq!(gaps.len(), 1);
    assert!(
        gaps[0].detail.starts_with(&format!("{} more broken objects", count - 16)),
        "{}",
        gaps[0].detail
    );
}

#[test]
fn objects_in_large_files_are_found_wherever_windows_end() {
    let pem = certificate();
    let tree = Tree::new();
    let megabyte = vec![b'x'; 1024 * 1024 - 1];
    let mut content = Vec::new();
    for step in 0..9 {
        content.extend_from_slice(&megabyte);
        content.extend_from_slice(&vec![b'y'; step * 97]);
        content.push(b'\n');
        content.extend_from_slice(pem.as_bytes());
    }
    // One across the end of the first window.
    content.splice(4 * 1024 * 1024 - 300.., format!("\n{pem}").into_bytes());
    let found = content.windows(11).filter(|window| window == b"-----BEGIN ").count();
    tree.write("large", &content);
    let seen = tree.scan();
    assert_eq!(places(seen.of(Kind::Certificate)[0]).len(), found);

    let mut content = vec![b'x'; 9 * 1024 * 1024];
    content.extend_from_slice(format!("\n{pem}").as_bytes());
    tree.write("large", &content);
    assert_eq!(tree.scan().kinds(), [(Kind::Certificate, 1)]);
    let seen = scan(|scope| {
        scope.roots = vec![tree.path()];
        scope.max_file_bytes = 8 * 1024 * 1024;
    });
    assert_eq!((seen.kinds(), seen.reasons()), (vec![], vec![GapReason::TooLarge]));
    assert!(seen.gaps(GapReason::TooLarge)[0].detail.contains("the first 8388608 were read"));
    assert_eq!(seen.coverage().octets, 8 * 1024 * 1024);
}

#[test]
fn a_sparse_file_costs_no_more_than_the_limit() {
    let tree = Tree::new();
    let file = std::fs::File::create(tree.path().join("sparse")).unwrap();
    file.set_len(1 << 40).unwrap();
    let seen = scan(|scope| {
        scope.roots = vec![tree.path()];
        scope.max_file_bytes = 1024 * 1024;
    });
    assert_eq!(seen.reasons(), [GapReason::TooLarge]);
    assert_eq!(seen.coverage().octets, 1024 * 1024);
}

#[test]
fn revocation_lists_may_be_larger_than_anything_else() {
    let list = large_revocation_list(9 * 1024 * 1024);
    let tree = Tree::new();
    tree.write("binary", &list);
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &list);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let block = |label: &str| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    };
    tree.write("text", block("X509 CRL"));
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::RevocationList, 1)]);
    assert_eq!(places(seen.of(Kind::RevocationList)[0]).len(), 2);

    let tree = Tree::new();
    tree.write("text.pem", block("CERTIFICATE"));
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Unparsed, 1)]);
    assert!(unparsed(&seen)[0].1.contains("the most that is read of one object"));
}

#[test]
fn every_found_object_says_who_owns_its_file() {
    let tree = Tree::new();
    let path = tree.write("key.pem", rcgen::KeyPair::generate().unwrap().serialize_pem());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    std::fs::File::options().append(true).open(&path).unwrap().set_modified(modified).unwrap();
    let seen = tree.scan();
    let sighting = seen.of(Kind::Key)[0].sightings().next().unwrap().clone();
    let facts = sighting.circumstances.file.unwrap();
    assert_eq!((facts.mode, facts.modified), (0o640, Time(1_700_000_000)));
    assert_eq!(facts.uid, rustix::process::geteuid().as_raw());
    if facts.uid == 0 {
        assert_eq!(facts.owner.as_deref(), Some("root"));
    }
    assert_eq!((sighting.first_seen, sighting.collector.as_str()), (support::NOW, "filesystem"));
}

#[test]
fn roots_inside_of_roots_are_read_once_and_exclusions_win() {
    let tree = Tree::new();
    for name in ["a/1.pem", "a/b/2.pem", "a/b/c/3.pem", "a/no/4.pem", ".hidden/5.pem"] {
        tree.write(name, certificate());
    }
    tree.write(".gitignore", "*.pem\n");
    let seen = scan(|scope| {
        scope.roots = vec![tree.path(), tree.path().join("a/b"), tree.path().join("a/no")];
        scope.exclude = vec![tree.path().join("a/no"), tree.path().join("a/b/c/3.pem")];
    });
    assert_eq!(seen.of(Kind::Certificate).len(), 3);
    let counts: Vec<u64> =
        seen.inventory.coverage().map(|(_, _, coverage)| coverage.asked).collect();
    assert_eq!(counts, [3, 1, 0], "the outer tree, the inner one, the excluded one");
    assert_eq!(seen.reasons(), []);
}

#[test]
fn a_root_that_is_a_link_or_one_file_is_read_and_one_that_is_missing_is_a_gap() {
    let tree = Tree::new();
    tree.write("real/c.pem", certificate());
    symlink("real", tree.path().join("link")).unwrap();
    let seen = scan(|scope| scope.roots = vec![tree.path().join("link")]);
    assert_eq!(seen.of(Kind::Certificate).len(), 1);
    let seen = scan(|scope| scope.roots = vec![tree.path().join("real/c.pem")]);
    assert_eq!((seen.of(Kind::Certificate).len(), seen.coverage().asked), (1, 1));
    let seen = scan(|scope| scope.roots = vec![tree.path().join("missing")]);
    assert_eq!(seen.reasons(), [GapReason::ReadFailed]);
    assert!(seen.gaps(GapReason::ReadFailed)[0].detail.contains("does not exist"));
    assert_eq!(seen.coverage().not_read, 1);
}

#[test]
fn filesystems_of_the_kernel_are_never_entered() {
    for root in ["/proc", "/proc/self/fd", "/dev"] {
        let seen = scan(|scope| scope.roots = vec![root.into()]);
        assert_eq!(seen.reasons(), [GapReason::OtherFilesystem], "{root}");
        assert_eq!(seen.coverage().asked, 1);
    }
}

#[test]
fn a_cancelled_walk_ends_and_says_so() {
    let tree = Tree::new();
    tree.write("c.pem", certificate());
    let scope = FilesystemScope { roots: vec![tree.path()], ..FilesystemScope::default() };
    let cx = context(TlsScope::default(), scope);
    cx.cancelled.store(true, Ordering::Relaxed);
    let seen = collect("filesystem", &cx);
    assert_eq!((seen.kinds(), seen.reasons()), (vec![], vec![GapReason::RunEnded]));
}

#[test]
fn progress_and_coverage_count_the_same_places() {
    let tree = Tree::new();
    for number in 0..600 {
        tree.write(&format!("{}/{number}", number % 7), "nothing");
    }
    let scope = FilesystemScope { roots: vec![tree.path()], ..FilesystemScope::default() };
    let cx = context(TlsScope::default(), scope);
    let seen = collect("filesystem", &cx);
    assert_eq!((seen.coverage().asked, seen.coverage().octets), (600, 600 * 7));
    assert_eq!(cx.progress.asked.load(Ordering::Relaxed), 600);
    assert_eq!(cx.progress.done.load(Ordering::Relaxed), 600);
}
