//! Whatever lies on a disk: the run ends, and each thing is listed with a reason.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

use pkimm_tests::agent::{Home, finish};
use pkimm_tests::certificates::{Authority, Order, path};
use pkimm_tests::facts;
use serde_json::{Value, json};

use crate::files::place;

/// What must not be exceeded, whatever is on the disk.
const MOST_MEMORY: u64 = 200 * 1024 * 1024;

/// A tree with one good certificate in it.
fn tree(home: &Home) -> String {
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("good.test"));
    home.write("tree/good.pem", fs::read(&leaf.certificate).unwrap());
    leaf.sha256()
}

/// Scans the tree: it ends, and the good certificate is found whatever lies beside it.
fn scan(home: &Home, good: &str) -> (Vec<Value>, Vec<Value>) {
    let root = home.path().join("tree");
    let outcome = home.agent(&["run", "--root", path(&root)]).expect_code(0);
    assert!(outcome.took < Duration::from_secs(60), "{:?}", outcome.took);
    assert!(outcome.peak_rss < MOST_MEMORY, "{} octets", outcome.peak_rss);
    let inventory = home.inventory();
    let _ = facts::with_digest(&inventory, "certificate", good);
    (inventory, home.gaps())
}

#[test]
fn what_is_no_regular_file_is_a_gap_and_never_opened() {
    let home = Home::new();
    let good = tree(&home);
    let fifo = home.path().join("tree/fifo.pem");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let socket = home.path().join("tree/socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let (_, gaps) = scan(&home, &good);
    for (file, what) in [(&fifo, "a FIFO"), (&socket, "a socket")] {
        let gap = facts::gap_at(&gaps, &place(file));
        let detail = format!("{what}; opening it could wait for ever or change something");
        let expected =
            json!({"reason": "not-regular-file", "collector": "filesystem", "detail": detail});
        facts::assert_facts("the gap", gap, &expected);
    }
    assert_eq!(gaps.len(), 2);
}

#[test]
fn links_that_lead_in_circles_are_gaps_and_links_that_lead_out_too() {
    let home = Home::new();
    let good = tree(&home);
    let at = |name: &str| home.path().join("tree").join(name);
    let outside = home.write("outside.pem", "-----BEGIN CERTIFICATE-----\n");
    symlink(at("itself"), at("itself")).unwrap();
    symlink(at("b"), at("a")).unwrap();
    symlink(at("a"), at("b")).unwrap();
    symlink("..", at("up")).unwrap();
    symlink(at("."), at("here")).unwrap();
    symlink(&outside, at("out")).unwrap();
    symlink(at("good.pem"), at("inside")).unwrap();
    symlink(at("nothing"), at("dangling")).unwrap();
    let (inventory, gaps) = scan(&home, &good);
    let tree = home.path().join("tree");
    let back = format!("the link leads back to {}, a folder it lies in", tree.display());
    let above = format!("the link leads back to {}, a folder it lies in", home.path().display());
    let out = format!(
        "the link leads to {}, which is not in the scope; add it to the roots to have it read",
        outside.display()
    );
    for (name, reason, detail) in [
        ("itself", "link-loop", "the link leads back to itself"),
        ("a", "link-loop", "the link leads back to itself"),
        ("b", "link-loop", "the link leads back to itself"),
        ("up", "link-loop", above.as_str()),
        ("here", "link-loop", back.as_str()),
        ("out", "link-out-of-scope", out.as_str()),
    ] {
        let gap = facts::gap_at(&gaps, &place(&at(name)));
        facts::assert_facts(name, gap, &json!({"reason": reason, "detail": detail}));
    }
    assert_eq!(
        gaps.len(),
        6,
        "the target inside is read at its own place, and nothing has no content"
    );
    assert_eq!(inventory.len(), 1);
}

#[test]
fn what_we_may_not_read_is_a_gap_with_what_to_do() {
    let home = Home::new();
    let good = tree(&home);
    let file = home.write("tree/secret.pem", "-----BEGIN CERTIFICATE-----\n");
    let folder = home.folder("tree/locked");
    home.write("tree/locked/inner.pem", "x");
    for path in [&file, &folder] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let root = home.path().join("tree");
    let outcome = finish(home.command_as_nobody(&["run", "--root", path(&root)])).expect_code(0);
    assert!(outcome.stdout.contains("permission-denied"), "{}", outcome.stdout);
    let gaps = finish(home.command_as_nobody(&["inventory", "export", "--gaps"])).expect_code(0);
    let inventory = finish(home.command_as_nobody(&["inventory", "export"])).expect_code(0);
    // Whoever cleans up may not read it either.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();

    let gaps = gaps.lines();
    for path in [&file, &folder] {
        let expected = json!({
            "reason": "permission-denied",
            "detail": "permission denied; run as root or give the agent CAP_DAC_READ_SEARCH",
        });
        facts::assert_facts("the gap", facts::gap_at(&gaps, &place(path)), &expected);
    }
    assert_eq!(gaps.len(), 2);
    let _ = facts::with_digest(&inventory.lines(), "certificate", &good);
}

#[test]
fn what_is_broken_is_listed_with_what_is_wrong_with_it() {
    let home = Home::new();
    let good = tree(&home);
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("broken.test"));
    let der = leaf.der();
    let length = der.len();
    let pem = fs::read_to_string(&leaf.certificate).unwrap();
    // Looks like a certificate, but its first day is in month 99.
    let mut bent = der.clone();
    let day = memchr::memmem::find(&der, b"260101000000Z").unwrap();
    bent[day + 2..day + 4].copy_from_slice(b"99");
    // Looks like nothing: what has to be a SEQUENCE is none.
    let mut bare = der.clone();
    bare[4] ^= 0x1f;
    let half = &pem[..pem.len() / 2];
    let noise: Vec<u8> =
        (0_u32..100_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (name, content) in [
        ("truncated.der", &der[..length - 7]),
        ("bent.der", &bent),
        ("bare.der", &bare),
        ("half.pem", half.as_bytes()),
        ("letters.pem", b"-----BEGIN CERTIFICATE-----\nQUJD\n****\n-----END CERTIFICATE-----\n"),
        ("empty.pem", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        ("nothing.pem", b""),
        ("noise.pem", &noise),
        ("prose.txt", b"A file may say -----BEGIN CERTIFICATE----- in the middle of a line.\n"),
    ] {
        home.write(&format!("tree/{name}"), content);
    }
    let (inventory, gaps) = scan(&home, &good);
    let at = |name: &str| place(&home.path().join("tree").join(name));
    let truncated =
        format!("the encoding announces {length} octets and the file ends after {}", length - 7);
    for (name, error) in [
        ("truncated.der", truncated.as_str()),
        ("half.pem", "`CERTIFICATE`: "),
        ("letters.pem", "`CERTIFICATE`: "),
        ("empty.pem", "`CERTIFICATE`: nothing is between its BEGIN and END lines"),
        ("bent.der", ""),
    ] {
        let unparsed = facts::at(&inventory, "unparsed", &at(name));
        facts::assert_facts(name, &unparsed["facts"], &json!({"claimed": "certificate"}));
        let told = unparsed["facts"]["error"].as_str().unwrap();
        assert!(!told.is_empty() && told.starts_with(error), "{name}: {told}");
    }
    for (name, ending) in [("noise.pem", "pem"), ("bare.der", "der")] {
        let detail = format!(
            "named like cryptographic material (.{ending}), but holds none of the formats known here"
        );
        let expected = json!({"reason": "unrecognised", "detail": detail});
        facts::assert_facts(name, facts::gap_at(&gaps, &at(name)), &expected);
    }
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!(inventory.len(), 6, "prose and an empty file hold nothing");
}

#[test]
fn a_hundred_megabytes_of_begin_lines_end_soon_and_in_little_memory() {
    let home = Home::new();
    let good = tree(&home);
    let line = "-----BEGIN CERTIFICATE-----\n";
    let file = home.write("tree/begin.pem", line.repeat(100 * 1024 * 1024 / line.len()));
    let (inventory, gaps) = scan(&home, &good);
    // The first ones are listed, and the rest is counted.
    let listed = facts::of_kind(&inventory, "unparsed");
    assert_eq!(listed.len(), 1, "they are all the same");
    assert_eq!(facts::places(listed[0]).len(), 16);
    let more = 100 * 1024 * 1024 / line.len() - 16;
    let detail = format!("{more} more broken objects; the first 16 are listed as unparsed");
    let expected = json!({"reason": "limit-reached", "detail": detail});
    facts::assert_facts("the gap", facts::gap_at(&gaps, &place(&file)), &expected);
}

#[test]
fn what_lies_beyond_the_limit_of_one_file_is_a_gap() {
    let home = Home::new();
    let good = tree(&home);
    let text = home.read("tree/good.pem");
    let file = home.write("tree/large.txt", format!("{text}{}", "text\n".repeat(20_000)));
    home.write("small.toml", "[filesystem]\nmax_file_bytes = 8192\n");
    let _ = home.agent(&["scan", "--config", "small.toml", "--root", "tree"]).expect_code(0);
    let size = fs::metadata(&file).unwrap().len();
    let detail = format!("{size} octets; the first 8192 were read (`max_file_bytes`)");
    let expected = json!({"reason": "too-large", "detail": detail});
    facts::assert_facts("the gap", facts::gap_at(&home.gaps(), &place(&file)), &expected);
    let inventory = home.inventory();
    let found = facts::with_digest(&inventory, "certificate", &good);
    assert_eq!(facts::places(found).len(), 2, "what is within the limit is found");
}

#[test]
fn names_that_are_no_text_are_read_and_written_as_uris() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("odd.test"));
    let name = OsStr::from_bytes(b"gr\xfc\xdf #1?\n%.pem");
    fs::create_dir_all(home.path().join("tree")).unwrap();
    fs::copy(&leaf.certificate, home.path().join("tree").join(name)).unwrap();
    let (inventory, _) = scan(&home, &leaf.sha256());
    let expected = format!("{}/gr%FC%DF%20%231%3F%0A%25.pem", place(&home.path().join("tree")));
    assert_eq!(facts::places(&inventory[0]), [expected]);
}
