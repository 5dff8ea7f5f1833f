//! Archives that real programs made, against what these programs say is in them.

mod shared;

use std::fs;

use pki_containers::recognise;
use pki_inventory::GapReason;
use shared::{by_tools, everything, shell, streamed, tree};

/// Both ways of reading find what the tools find.
fn check(archive: &[u8], expected: &[(String, String)]) {
    let all = everything(archive);
    assert_eq!(all.gaps, []);
    assert_eq!(all.sorted(), expected);
    let all = streamed(archive, shared::LIMITS);
    assert_eq!(all.gaps, []);
    assert_eq!(all.sorted(), expected);
}

fn made(commands: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    tree(folder.path());
    let expected = by_tools(folder.path(), "tree");
    for command in commands.lines().map(str::trim).filter(|line| !line.is_empty()) {
        shell(folder.path(), &format!("( {command} ) > out"));
        check(&fs::read(folder.path().join("out")).expect("the file"), &expected);
    }
}

#[test]
fn tar_in_all_dialects_and_packings() {
    made(
        "tar --sort=name -C tree --format=gnu -c etc empty $(cd tree; echo n*)
         tar --sort=name -C tree --format=pax -c etc empty $(cd tree; echo n*)
         tar --sort=name -C tree --format=gnu -cz etc empty $(cd tree; echo n*)
         tar --sort=name -C tree --format=gnu -cJ ./etc ./empty ./$(cd tree; echo n*)
         tar --sort=name -C tree --format=pax -cj .
         tar --sort=name -C tree --format=pax -c --zstd .
         tar --sort=name -C tree -c . | zstd -19 --long=27 -q
         tar --sort=name -C tree -c . | xz -9e --check=sha256
         (tar -C tree -c --sort=name etc | gzip; tar -C tree -c --sort=name empty $(cd tree; echo n*) | gzip)
         (tar -C tree -c --sort=name etc; tar -C tree -c --sort=name empty $(cd tree; echo n*))
         tar --sort=name -P -c --transform='s,^tree,/,' --format=gnu tree",
    );
}

#[test]
fn links_are_no_entries() {
    let folder = tempfile::tempdir().expect("a folder");
    shell(folder.path(), "printf x > a; ln a b; ln -s /etc/shadow c; mkdir d; mkfifo e");
    for format in ["gnu", "pax", "ustar", "v7"] {
        shell(
            folder.path(),
            &format!("tar --format={format} -cf out a b c d $([ {format} = v7 ] || echo e)"),
        );
        let all = everything(&fs::read(folder.path().join("out")).expect("the file"));
        assert_eq!((all.names(), all.gaps.len()), (vec!["a"], 0), "{format}");
    }
}

#[test]
fn sparse_files_come_with_their_holes() {
    let folder = tempfile::tempdir().expect("a folder");
    shell(
        folder.path(),
        "mkdir tree; cd tree; truncate -s 40M s; for at in 1 7 90 500 9000; do
         printf key$at | dd of=s bs=4096 seek=$at conv=notrunc status=none; done; printf x > t",
    );
    let expected = by_tools(folder.path(), "tree");
    for how in ["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax"] {
        shell(folder.path(), &format!("tar -C tree -cS --format={how} s t > out"));
        let archive = fs::read(folder.path().join("out")).expect("the file");
        assert!(archive.len() < 100_000, "it is sparse");
        check(&archive, &expected);
    }
}

#[test]
fn cpio_and_initial_ram_disks() {
    let all = "cd tree; find . | LC_ALL=C sort";
    made(
        &format!(
            "{all} | cpio -o -H newc --quiet
             {all} | cpio -o -H crc --quiet
             {all} | cpio -o -H newc --quiet | gzip
             (cd tree; find etc | cpio -o -H newc --quiet; find empty n* | cpio -o -H newc --quiet | zstd -q)"
        ),
    );
}

#[test]
fn zip_in_its_kinds() {
    made(
        "cd tree; zip -q -r -y - .
         cd tree; zip -q -r -y -0 - .
         cd tree; zip -q -r -y -Z bzip2 - .
         cd tree; zip -q -r -y ../z .; (cat ../tree/etc/numbers ../z.zip) | tail -c +108895; rm ../z.zip
         cd tree; zip -q -r -y ../z .; cat ../z.zip; rm ../z.zip",
    );
}

#[test]
fn encrypted_entries_are_one_gap_with_their_number() {
    let folder = tempfile::tempdir().expect("a folder");
    shell(folder.path(), "echo a > a; echo b > b; echo c > c; zip -q -P secret z a b; zip -q z c");
    let all = everything(&fs::read(folder.path().join("z.zip")).expect("the file"));
    assert_eq!(all.names(), ["c"]);
    assert_eq!(all.reasons(), [GapReason::FormatNotRead]);
    assert!(all.gaps[0].2.starts_with("2 entries are encrypted; the first one is `a`"));
}

#[test]
fn a_zip_without_its_directory_is_read_up_to_the_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    tree(folder.path());
    for how in
        ["zip -q -r -y ../z . -x empty/link; cat ../z.zip", "zip -q -fd -r -y - . -x empty/link"]
    {
        shell(folder.path(), &format!("cd tree; rm -f ../z.zip; {how} > ../out"));
        let archive = fs::read(folder.path().join("out")).expect("the file");
        let directory = archive.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        let all = everything(&archive[..directory]);
        assert_eq!(all.sorted(), by_tools(folder.path(), "tree"), "{how} {:?}", all.gaps);
        assert_eq!(all.reasons(), [GapReason::Damaged]);
    }
}

#[test]
fn single_streams_have_one_entry_without_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    shell(
        folder.path(),
        "head -c 500000 /dev/urandom > n; seq 1 400000 >> n; head -c 3000000 /dev/zero >> n; seq 5 >> n",
    );
    let plain = fs::read(folder.path().join("n")).expect("the file");
    for tool in [
        "gzip -c n",
        "xz -c n",
        "zstd -qc n",
        "bzip2 -c n",
        "bzip2 -1 -c n",
        "(head -c 1000000 n | gzip; tail -c +1000001 n | gzip; head -c 777 /dev/zero)",
        "(head -c 1000000 n | bzip2; tail -c +1000001 n | bzip2)",
        "(head -c 1000000 n | zstd -q; printf '\\x50\\x2a\\x4d\\x18\\x03\\0\\0\\0abc'; tail -c +1000001 n | zstd -q)",
        "(head -c 1000000 n | xz; tail -c +1000001 n | xz)",
    ] {
        shell(folder.path(), &format!("{tool} > out"));
        let archive = fs::read(folder.path().join("out")).expect("the file");
        let all = everything(&archive);
        assert_eq!(all.gaps, [], "{tool}");
        assert_eq!(all.sorted(), [(String::new(), shared::sha256(&plain))], "{tool}");
        // Cut in the middle it is damaged, and what came before is there.
        let all = everything(&archive[..archive.len() / 2]);
        assert_eq!(all.reasons(), [GapReason::Damaged], "{tool}");
        // Of zstd nothing comes out before its window is full, of bzip2 before the first block is
        // there; here neither happens.
        let is_late = tool.contains("zstd") || tool.contains("bzip2") && !tool.contains("-1");
        assert!(all.entries[0].octets > 0 || is_late, "{tool}");
        let followed = [archive, b"something else".to_vec()].concat();
        assert_eq!(everything(&followed).reasons(), [GapReason::Damaged], "{tool}");
    }
}

#[test]
fn packages_of_debian() {
    let folder = tempfile::tempdir().expect("a folder");
    tree(folder.path());
    let expected = by_tools(folder.path(), "tree");
    shell(
        folder.path(),
        "mkdir tree/DEBIAN; printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m <m@example.org>\\nDescription: d\\n' > tree/DEBIAN/control",
    );
    for packing in ["xz", "gzip", "zstd", "none"] {
        let listed = shell(
            folder.path(),
            &format!(
                "dpkg-deb --root-owner-group -Z{packing} -b tree p.deb >&2; dpkg-deb -c p.deb | grep -c ^-"
            ),
        );
        let archive = fs::read(folder.path().join("p.deb")).expect("the file");
        let all = everything(&archive);
        assert_eq!(all.gaps, []);
        let (control, installed): (Vec<_>, Vec<_>) =
            all.sorted().into_iter().partition(|(name, _)| name.starts_with("DEBIAN/"));
        assert_eq!(installed, expected);
        assert_eq!(installed.len(), listed.trim().parse::<usize>().unwrap());
        assert_eq!(control[0].0, "DEBIAN/control");
        assert_eq!(streamed(&archive, shared::LIMITS).sorted(), all.sorted());
    }
    shell(folder.path(), "printf x > x.o; ar rc libx.a x.o");
    assert_eq!(recognise(&fs::read(folder.path().join("libx.a")).expect("the file")), None);
}

#[test]
fn packages_of_rpm() {
    let folder = tempfile::tempdir().expect("a folder");
    shell(
        folder.path(),
        "mkdir -p tree/opt/p; seq 1 9999 > tree/opt/p/numbers; printf key > tree/opt/p/key.pem
         printf 'Name: p\\nVersion: 1\\nRelease: 1\\nSummary: s\\nLicense: l\\nBuildArch: noarch\\n%%description\\nd\\n%%install\\ncp -a '$PWD'/tree/. %%{buildroot}\\n%%files\\n/opt/p\\n' > p.spec",
    );
    let expected = by_tools(folder.path(), "tree");
    for payload in ["w9.gzdio", "w6.xzdio", "w3.zstdio", "w9.bzdio", "w6.lzdio", "w.ufdio"] {
        shell(
            folder.path(),
            &format!(
                "rpmbuild -bb --quiet --define \"_topdir $PWD/top\" --define '_binary_payload {payload}' p.spec; cp top/RPMS/noarch/p-1-1.noarch.rpm p.rpm"
            ),
        );
        let archive = fs::read(folder.path().join("p.rpm")).expect("the file");
        check(&archive, &expected);
    }
}

#[test]
fn a_signed_jar_hands_out_its_signer() {
    let folder = tempfile::tempdir().expect("a folder");
    shell(
        folder.path(),
        "printf x > A.class; zip -q a.jar A.class
         keytool -genkeypair -keystore k -storepass changeit -keyalg EC -alias a -dname CN=a 2>/dev/null
         jarsigner -keystore k -storepass changeit a.jar a > /dev/null
         zip -q shop.war a.jar",
    );
    let all = everything(&fs::read(folder.path().join("shop.war")).expect("the file"));
    assert_eq!(all.gaps, []);
    assert!(all.names().contains(&"a.jar!/META-INF/A.EC"), "{:?}", all.names());
}
