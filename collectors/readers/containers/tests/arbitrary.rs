//! Whatever the octets: no panic, and an end.

mod shared;

use std::fs;
use std::io::Cursor;
use std::sync::LazyLock;

use pki_containers::{Budget, Format, Limits, open, open_stream, recognise};
use proptest::prelude::*;
use shared::{Everything, shell, tree};

const SMALL: Limits = Limits { depth: 3, ratio: 50, octets: 4 << 20, entries: 200 };
const FORMATS: [Format; 9] = [
    Format::Zip,
    Format::Tar,
    Format::Gzip,
    Format::Xz,
    Format::Zstd,
    Format::Bzip2,
    Format::Deb,
    Format::Rpm,
    Format::Cpio,
];

/// Small archives of all formats.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    tree(folder.path());
    shell(folder.path(), "head -c 3000 tree/etc/numbers > n; mv n tree/etc/numbers; head -c 2000 tree/etc/ssl/private/noise.bin > n; mv n tree/etc/ssl/private/noise.bin; truncate -s 1M tree/etc/holes
      mkdir -p blobs/sha256; tar -cf blobs/sha256/aa tree; printf '{\"layers\":[{\"digest\":\"sha256:aa\"},{\"digest\":\"sha256:aa\"}]}' > blobs/sha256/bb
      printf '{\"manifests\":[{\"digest\":\"sha256:bb\"}]}' > index.json; printf '[{\"Layers\":[\"blobs/sha256/aa\"]}]' > manifest.json
      mkdir -p d/DEBIAN; printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m <m@example.org>\\nDescription: d\\n' > d/DEBIAN/control; cp -a tree d");
    [
        "tar -c tree",
        "tar -cS --format=gnu tree",
        "tar -cS --format=pax tree",
        "tar -cz tree",
        "tar -cJ tree",
        "tar -cj tree",
        "tar -c --zstd tree",
        "zip -qr - tree",
        "zip -qr -Z bzip2 - tree",
        "find tree | cpio -o -H newc --quiet",
        "tar -c manifest.json index.json blobs",
        "tar -cz index.json blobs",
        "dpkg-deb --root-owner-group -Zxz -b d p.deb >&2; cat p.deb",
    ]
    .iter()
    .map(|command| {
        shell(folder.path(), &format!("( {command} ) > out"));
        fs::read(folder.path().join("out")).expect("the file")
    })
    .collect()
});

fn read(octets: &[u8], format: Option<Format>) {
    let recognised = recognise(&octets[..octets.len().min(600)]);
    if let Some(format) = format.or(recognised) {
        let mut budget = Budget::new(SMALL);
        open(format, &mut Cursor::new(octets), &mut budget, &mut Everything::default());
        assert!(budget.octets() <= SMALL.octets + (1 << 20) && budget.entries() <= SMALL.entries);
        let mut budget = Budget::new(SMALL);
        open_stream(format, &mut &*octets, &mut budget, &mut Everything::default());
        assert!(budget.octets() <= SMALL.octets + (1 << 20) && budget.entries() <= SMALL.entries);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..2000), format in 0..FORMATS.len()) {
        read(&octets, Some(FORMATS[format]));
        read(&octets, None);
    }

    #[test]
    fn archives_with_a_few_octets_changed(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut octets = seed.get(&SEEDS).clone();
        for (at, octet, is_early) in changes {
            // The beginning has the headers, and is hit more often than its length deserves.
            let length = if is_early { octets.len().min(1024) } else { octets.len() };
            let at = at.index(length);
            octets[at] = octet;
        }
        if let Some(cut) = cut {
            octets.truncate(cut.index(octets.len()));
        }
        read(&octets, None);
    }
}
