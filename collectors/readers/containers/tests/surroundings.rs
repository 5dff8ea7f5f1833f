//! What lies around a ZIP and in none of its members, and members of one name.

mod shared;

use std::fs;
use std::io::Cursor;

use pki_containers::{Budget, Entry, Format, TAIL, Visit, open, recognise, recognise_end};
use pki_inventory::GapReason;
use shared::{Everything, LIMITS, everything, file, shell, streamed, tar};

const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\n";

fn made(command: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    shell(folder.path(), &format!("( {command} ) > out"));
    fs::read(folder.path().join("out")).expect("the file")
}

fn zip(name: &str) -> Vec<u8> {
    made(&format!("echo {name} > {name}; zip -q - {name}"))
}

fn opened(octets: &[u8]) -> Everything {
    let mut all = Everything::default();
    open(Format::Zip, &mut Cursor::new(octets), &mut Budget::new(LIMITS), &mut all);
    all
}

/// On a disk, which knows fewer places than memory does.
fn on_disk(octets: &[u8]) -> Everything {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.zip");
    fs::write(&path, octets).expect("written");
    let mut file = fs::File::open(path).expect("written");
    let mut all = Everything::default();
    open(Format::Zip, &mut file, &mut Budget::new(LIMITS), &mut all);
    all
}

fn tail(octets: &[u8]) -> &[u8] {
    &octets[octets.len().saturating_sub(TAIL)..]
}

#[test]
fn a_program_before_an_archive_does_not_hide_it() {
    let program = b"#!/bin/sh\nexec java -jar $0\n".repeat(4000);
    let plain = zip("x");
    // With offsets from the start of the archive, and moved as `zip -A` does.
    let joined = [&program[..], &plain].concat();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("in.zip"), &joined).expect("written");
    shell(folder.path(), "zip -qA in.zip");
    let moved = fs::read(folder.path().join("in.zip")).expect("written");
    assert_ne!(joined, moved);
    for archive in [joined, moved] {
        assert_eq!(recognise(&archive[..600]), None);
        assert_eq!(recognise_end(tail(&archive)), Some(Format::Zip));
        let all = opened(&archive);
        let head = format!("(octets 0 to {})", program.len());
        assert_eq!((all.names(), all.gaps.len()), (vec!["x", &head], 0));
        assert_eq!(all.find(&head).sha256, shared::sha256(&program));
    }
}

#[test]
fn archives_one_behind_the_other_are_all_read() {
    let archive = [zip("a"), zip("b"), zip("c")].concat();
    for all in [everything(&archive), streamed(&archive, LIMITS)] {
        let mut names: Vec<_> =
            all.names().iter().map(|name| name.rsplit("!/").next().unwrap()).collect();
        names.sort_unstable();
        assert_eq!((names, all.gaps.len()), (vec!["a", "b", "c"], 0));
    }
}

#[test]
fn what_follows_an_archive_is_handed_out_and_so_is_its_comment() {
    let plain = zip("x");
    let archive = [&plain[..], KEY].concat();
    let name = format!("(octets {} to {})", plain.len(), archive.len());
    let all = everything(&archive);
    assert_eq!((all.names(), all.gaps.len()), (vec!["x", &name], 0));
    assert_eq!(all.find(&name).sha256, shared::sha256(KEY));
    let mut commented = archive.clone();
    let length = u16::try_from(KEY.len()).unwrap();
    commented[plain.len() - 2..plain.len()].copy_from_slice(&length.to_le_bytes());
    assert_eq!(everything(&commented).find(&name).sha256, shared::sha256(KEY));
    assert_eq!(everything(&plain).names(), ["x"]);
    // What is too long to see the end is told.
    let far = [&plain[..], &[b'\n'; 70_000]].concat();
    assert_eq!(everything(&far).reasons(), [GapReason::Damaged]);
}

#[test]
fn an_end_alone_is_no_archive() {
    let plain = zip("x");
    let end = plain[plain.len() - 22..].to_vec();
    let mut full = vec![0; 22];
    full[..4].copy_from_slice(b"PK\x05\x06");
    for octets in [&b""[..], b"PK\x05\x06", &full, &[&[b'x'; 500][..], &end].concat()] {
        assert_eq!(recognise_end(octets), None);
    }
    // One whose directory lies before what is seen of it, and is none: all of it is handed out.
    let mut lying = [vec![b'x'; 200_000], end].concat();
    let at = lying.len() - 22;
    lying[at + 12..at + 16].copy_from_slice(&150_000_u32.to_le_bytes());
    assert_eq!(recognise_end(tail(&lying)), Some(Format::Zip));
    let all = opened(&lying);
    assert_eq!(all.names(), ["(octets 0 to 200022)"]);
    assert_eq!(all.reasons(), [GapReason::Damaged]);
}

/// A directory record with its offset in eight octets.
fn far_away(plain: &[u8], offset: u64) -> Vec<u8> {
    let at = plain.windows(4).position(|it| it == b"PK\x01\x02").expect("a directory");
    let mut octets = plain.to_vec();
    let [name, further] = [28, 30].map(|field| usize::from(octets[at + field]));
    octets[at + 42..at + 46].fill(0xff);
    let field = [&[1, 0, 8, 0][..], &offset.to_le_bytes()].concat();
    octets[at + 30] = u8::try_from(further + field.len()).expect("few");
    octets.splice(at + 46 + name..at + 46 + name, field);
    let end = octets.len() - 22;
    octets[end + 12] += 12;
    octets
}

#[test]
fn a_member_that_is_said_to_lie_beyond_all_files_does_not_hide_the_others() {
    let plain = made("echo a > a; echo b > b; zip -q - a b");
    for offset in [(1 << 63) + 5, u64::MAX - 1, 1 << 40] {
        let all = on_disk(&far_away(&plain, offset));
        // What stands before the first member that is there is the one that was hidden.
        let [b, a] = all.names()[..] else { panic!("{:?}", all.names()) };
        assert!(b == "b" && a.starts_with("(octets 0 to ") && a.ends_with("!/a"), "{a} {b}");
        assert_eq!(all.reasons(), [GapReason::Damaged; 2]);
        assert_eq!(all.gaps[0].0, "a");
    }
}

#[test]
fn a_wide_record_that_is_said_to_lie_beyond_all_files_is_not_looked_for() {
    let plain = zip("x");
    let end = plain.len() - 22;
    let locator = [&b"PK\x06\x07"[..], &[0; 4], &[0xff; 8], &[1, 0, 0, 0]].concat();
    let all = on_disk(&[&plain[..end], &locator, &plain[end..]].concat());
    assert_eq!((all.names(), all.gaps.len()), (vec!["x"], 0));
}

#[test]
fn a_directory_that_ends_within_a_header_is_damaged() {
    let plain = zip("x");
    let at = plain.windows(4).position(|it| it == b"PK\x01\x02").expect("a directory");
    for left in [4, 28, 45] {
        let mut end = plain[plain.len() - 22..].to_vec();
        end[12] = left;
        let cut = [&plain[..at + usize::from(left)], &end].concat();
        let all = everything(&cut);
        // It names nothing, so all before it is handed out, and that is an archive without directory.
        assert_eq!(all.reasons(), [GapReason::Damaged; 2], "{left}");
        assert_eq!(all.names(), [format!("(octets 0 to {at})!/x")]);
    }
}

#[derive(Default)]
struct Repeats(Vec<(String, u32)>);

impl Visit for Repeats {
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        _: &mut dyn std::io::Read,
        _: &mut Budget,
    ) -> std::ops::ControlFlow<()> {
        self.0.push((String::from_utf8_lossy(entry.name).into_owned(), entry.repeat));
        std::ops::ControlFlow::Continue(())
    }

    fn gap(&mut self, _: Option<&[u8]>, _: GapReason, detail: String) {
        panic!("{detail}");
    }
}

#[test]
fn members_of_one_name_are_numbered() {
    let archive = tar(&[file("a", "1"), file("b", "2"), file("./a", "3"), file("a", "4")]);
    let mut all = Repeats::default();
    open(Format::Tar, &mut Cursor::new(&archive), &mut Budget::new(LIMITS), &mut all);
    let expected = [("a", 0), ("b", 0), ("a", 1), ("a", 2)];
    assert_eq!(all.0, expected.map(|(name, repeat)| (name.to_owned(), repeat)));
}
