//! Bombs, lies and damage.

mod shared;

use std::fs;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use pki_containers::{Budget, Format, Limits, open_stream};
use pki_inventory::GapReason;
use shared::{Everything, LIMITS, everything, file, member, octal, shell, streamed, tar, within};

fn packed(command: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    shell(folder.path(), &format!("( {command} ) > out"));
    fs::read(folder.path().join("out")).expect("the file")
}

#[test]
fn ten_gibibytes_of_zeros_end_at_the_ratio() {
    for tool in ["gzip -9", "zstd -q", "bzip2 -1", "xz -0"] {
        // A hundred times the same stream is one of ten gibibytes, and made sooner.
        let bomb = packed(&format!("head -c 100M /dev/zero | {tool}")).repeat(100);
        let start = Instant::now();
        let all = everything(&bomb);
        // Our own bzip2 is not optimised here.
        let most = if tool.starts_with("bzip2") { 20 } else { 2 };
        assert!(start.elapsed() < Duration::from_secs(most), "{tool}");
        assert_eq!(all.reasons(), [GapReason::LimitReached], "{tool}");
        let (place, _, detail) = &all.gaps[0];
        assert_eq!(place, "");
        assert!(detail.contains("`filesystem.archives.ratio` = 250"), "{detail}");
        assert!(all.entries[0].octets < 40 << 20, "{tool}: {}", all.entries[0].octets);
    }
}

#[test]
fn bombs_in_bombs_end_with_one_gap() {
    // As 42.zip: each level holds copies of the next.
    let bomb = packed(
        "head -c 64M /dev/zero > 0; zip -q a.zip 0
         for n in $(seq 16); do cp a.zip a$n.zip; done; zip -q b.zip a?*.zip
         for n in $(seq 16); do cp b.zip b$n.zip; done; zip -q - b?*.zip",
    );
    for all in [everything(&bomb), streamed(&bomb, LIMITS)] {
        assert_eq!(all.reasons(), [GapReason::LimitReached]);
        assert_eq!(all.gaps[0].0, "", "told for the file on disk");
    }
}

#[test]
fn octets_and_entries_have_limits() {
    let archive = tar(&[file("a", &"a".repeat(3000)), file("b", "b"), file("c", "c")]);
    let all = within(&archive, Limits { octets: 2500, ..LIMITS });
    assert_eq!(all.reasons(), [GapReason::LimitReached]);
    assert!(all.gaps[0].2.contains("`filesystem.archives.max_bytes` = 2500"), "{:?}", all.gaps);
    let all = within(&archive, Limits { entries: 2, ..LIMITS });
    assert_eq!(all.names(), ["a", "b"]);
    assert_eq!(all.reasons(), [GapReason::LimitReached]);
    assert!(all.gaps[0].2.contains("`filesystem.archives.max_entries` = 2"), "{:?}", all.gaps);
    let all = within(&archive, Limits { entries: 3, ..LIMITS });
    assert_eq!(all.gaps, []);
}

#[test]
fn the_depth_has_a_limit_for_each_archive_that_lies_too_deep() {
    let bomb =
        packed("echo x > x; zip -q 1 x; zip -q 2 1.zip; cp 2.zip 2b.zip; zip -q - 2.zip 2b.zip x");
    let all = within(&bomb, Limits { depth: 2, ..LIMITS });
    let places: Vec<_> = all.gaps.iter().map(|gap| gap.0.as_str()).collect();
    assert_eq!(places, ["2.zip!/1.zip!/", "2b.zip!/1.zip!/"]);
    assert_eq!(all.reasons(), [GapReason::LimitReached; 2]);
    assert_eq!(all.names(), ["x"]);
    // A tar that was made smaller is one archive, not two.
    let archive = packed("echo x > x; tar -cz x");
    assert_eq!(within(&archive, Limits { depth: 1, ..LIMITS }).names(), ["x"]);
}

#[test]
fn lies_about_sizes_and_overlaps_do_no_harm() {
    let plain = packed("seq 1000 > a; seq 1000 > b; zip -q - a b");
    // The size of `a` in the directory.
    let mut lying = plain.clone();
    let at = lying.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    lying[at + 24..at + 28].copy_from_slice(&7_u32.to_le_bytes());
    let all = everything(&lying);
    assert_eq!((all.names().len(), all.reasons()), (2, vec![GapReason::Damaged]));
    assert_eq!(all.gaps[0].0, "a");
    // Many names for one member.
    let record = plain[at..at + 46 + 1 + 24].to_vec();
    let mut many = plain[..at].to_vec();
    for _ in 0..60_000 {
        many.extend_from_slice(&record);
    }
    let size = u32::try_from(many.len() - at).unwrap();
    many.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    many.extend_from_slice(&60_000_u16.to_le_bytes().repeat(2));
    many.extend_from_slice(&size.to_le_bytes());
    many.extend_from_slice(&u32::try_from(at).unwrap().to_le_bytes());
    many.extend_from_slice(&[0, 0]);
    let start = Instant::now();
    let all = within(&many, Limits { ratio: 10, ..LIMITS });
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(all.reasons(), [GapReason::LimitReached]);
}

#[test]
fn tars_with_impossible_headers_are_damaged_after_what_came_before() {
    let before = file("before", "b");
    let minus = *b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE";
    let huge = *b"\x80\0\0\0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
    let far = *b"77777777777\0";
    let loops = member("x", b'x', &octal(12), b"12 path=abc\n").repeat(1000);
    for wrong in [
        member("x", b'0', &minus, b""),
        member("x", b'0', &huge, b""),
        member("x", b'0', &far, b"some"),
        member("x", b'L', &far, b"some"),
        loops,
        vec![b'x'; 512],
    ] {
        for read in [everything, |archive: &[u8]| streamed(archive, LIMITS)] {
            let all = read(&tar(&[before.clone(), wrong.clone()]));
            assert_eq!(all.names()[0], "before");
            assert_eq!(all.reasons(), [GapReason::Damaged], "{:?}", &wrong[..130]);
        }
    }
    let cut = tar(&[before, file("cut", &"c".repeat(5000))]);
    let all = everything(&cut[..3000]);
    assert_eq!(all.names(), ["before", "cut"]);
    assert_eq!(all.reasons(), [GapReason::Damaged]);
}

#[test]
fn a_sparse_file_without_end_ends_at_the_octets() {
    let archive = packed("truncate -s 1T s; tar -cS s");
    let all = within(&archive, Limits { octets: 50 << 20, ..LIMITS });
    assert_eq!(all.reasons(), [GapReason::LimitReached]);
    assert!(all.gaps[0].2.contains("max_bytes"));
}

#[test]
fn a_visitor_that_has_enough_ends_it() {
    let archive = tar(&[file("a", "a"), file("b", "b")]);
    let mut all = Everything { most: Some(1), ..Everything::default() };
    open_stream(Format::Tar, &mut archive.as_slice(), &mut Budget::new(LIMITS), &mut all);
    assert_eq!((all.names(), all.gaps.len()), (vec!["a"], 0));
}

#[test]
fn a_disk_that_fails_is_told_once_and_as_such() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let inner = tar(&[file("x", &"x".repeat(70_000))]);
    let archive = member("inner.tar", b'0', &octal(inner.len()), &inner);
    let mut input = archive[..2048].chain(Failing);
    let mut all = Everything::default();
    open_stream(Format::Tar, &mut input, &mut Budget::new(LIMITS), &mut all);
    let gap = (String::new(), GapReason::ReadFailed, "the disk is gone".to_owned());
    assert_eq!(all.gaps, [gap]);
}

#[test]
fn a_large_zip_in_an_archive_is_a_gap() {
    let archive = packed("head -c 70M /dev/urandom > n; zip -q -0 n.zip n; tar -c n.zip");
    let all = everything(&archive);
    assert_eq!(all.reasons(), [GapReason::TooLarge]);
    assert_eq!(all.gaps[0].0, "n.zip!/");
}

#[test]
fn the_signers_of_an_android_package_are_entries() {
    let plain = packed("echo x > x; zip -q - x");
    let at = plain.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let prefixed =
        |octets: &[u8]| [&u32::try_from(octets.len()).unwrap().to_le_bytes()[..], octets].concat();
    let certificates = [prefixed(b"first"), prefixed(b"second")].concat();
    let signed = [prefixed(b"digests"), prefixed(&certificates), prefixed(b"")].concat();
    let signer = [prefixed(&signed), prefixed(b"signatures"), prefixed(b"key")].concat();
    let value = [&0x7109_871A_u32.to_le_bytes()[..], &prefixed(&prefixed(&signer))].concat();
    let pair = [&(value.len() as u64).to_le_bytes()[..], &value].concat();
    let length = ((pair.len() + 24) as u64).to_le_bytes();
    let block = [&length[..], &pair, &length, b"APK Sig Block 42"].concat();
    let mut package = [&plain[..at], &block, &plain[at..]].concat();
    let end = package.len() - 22;
    let directory = u32::try_from(at + block.len()).unwrap();
    package[end + 16..end + 20].copy_from_slice(&directory.to_le_bytes());
    let all = everything(&package);
    assert_eq!(all.gaps, []);
    assert_eq!(all.names(), ["APK Signing Block/1.der", "APK Signing Block/2.der", "x"]);
    assert_eq!(all.find("APK Signing Block/2.der").sha256, shared::sha256(b"second"));
}

#[test]
fn large_archives_that_are_no_bombs_are_read_whole() {
    // More than the sixteen mebibytes before which the ratio is not looked at, on both sides.
    for tool in ["cat", "gzip -1", "zstd -q -1", "xz -0"] {
        let archive = packed(&format!("head -c 20M /dev/urandom > n; tar -c n | {tool}"));
        let all = everything(&archive);
        assert_eq!((all.gaps.len(), all.find("n").octets), (0, 20 << 20), "{tool}");
        let all = streamed(&archive, LIMITS);
        assert_eq!((all.gaps.len(), all.find("n").octets), (0, 20 << 20), "{tool}");
    }
}
