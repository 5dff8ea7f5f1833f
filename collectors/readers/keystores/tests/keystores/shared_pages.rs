//! Databases of SQLite whose rows share their pages, as no program writes them: small files that are
//! gigabytes to whoever follows each row (SQLite file format, 1.5 and 1.6).

use std::time::{Duration, Instant};

use pki_encodings::Collected;
use pki_inventory::GapReason;
use pki_keystores::{Format, Passwords, Purse, read};

const PAGE: usize = 512;
const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;

fn varint(mut number: usize) -> Vec<u8> {
    let mut octets = vec![(number & 0x7f) as u8];
    while number > 0x7f {
        number >>= 7;
        octets.insert(0, (number & 0x7f) as u8 | 0x80);
    }
    octets
}

fn record(columns: &[&[u8]], texts: bool) -> Vec<u8> {
    let kind = if texts { 13 } else { 12 };
    let types: Vec<u8> =
        columns.iter().flat_map(|column| varint(2 * column.len() + kind)).collect();
    [varint(types.len() + 1), types, columns.concat()].concat()
}

#[derive(Default)]
struct File {
    /// Page 2 and those behind it.
    pages: Vec<Vec<u8>>,
}

impl File {
    fn add(&mut self, page: Vec<u8>) -> u32 {
        self.pages.push(page);
        u32::try_from(self.pages.len() + 1).expect("few pages")
    }

    /// A cell without its row number whose end lies on pages of its own: what comes before and after
    /// the number.
    fn spilled(&mut self, record: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let least = (PAGE - 12) * 32 / 255 - 23;
        let most = PAGE - 35;
        let local = least + (record.len() - least) % (PAGE - 4);
        let (local, rest) = record.split_at(if local <= most { local } else { least });
        let mut next = 0_u32;
        for chunk in rest.chunks(PAGE - 4).rev() {
            let mut page = [&next.to_be_bytes()[..], chunk].concat();
            page.resize(PAGE, 0);
            next = self.add(page);
        }
        (varint(record.len()), [local, &next.to_be_bytes()].concat())
    }

    /// The lower levels of a tree: the first cells, then so many rows that are all the same. Gives the
    /// pages that its root has to name, with the last row of each.
    fn tree(
        &mut self,
        first: &[Vec<u8>],
        (before, after): &(Vec<u8>, Vec<u8>),
        rows: usize,
    ) -> Vec<(u32, usize)> {
        let mut level = Vec::new();
        let mut cells: Vec<Vec<u8>> = Vec::new();
        let total = first.len() + rows;
        for row in 1..=total {
            let cell = match first.get(row - 1) {
                Some(record) => [varint(record.len()), varint(row), record.clone()].concat(),
                None => [before.clone(), varint(row), after.clone()].concat(),
            };
            cells.push(cell);
            let next = before.len() + after.len() + 6;
            let taken: usize = cells.iter().map(|cell| cell.len() + 2).sum();
            if row == total || row <= first.len() || 8 + taken + next > PAGE {
                level.push((self.add(page(LEAF, &std::mem::take(&mut cells), None, 0)), row));
            }
        }
        while level.len() > 40 {
            let groups: Vec<Vec<_>> = level.chunks(40).map(<[_]>::to_vec).collect();
            level = groups
                .iter()
                .map(|group| (self.add(interior(group, 0)), group[group.len() - 1].1))
                .collect();
        }
        level
    }

    fn finish(self, mut first: Vec<u8>) -> Vec<u8> {
        let count = u32::try_from(self.pages.len() + 1).expect("few pages");
        first[..16].copy_from_slice(b"SQLite format 3\0");
        first[16..18].copy_from_slice(&512_u16.to_be_bytes());
        first[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
        for (at, number) in [(24, 1), (28, count), (40, 1), (44, 4), (56, 1), (92, 1)] {
            first[at..at + 4].copy_from_slice(&u32::to_be_bytes(number));
        }
        [first, self.pages.concat()].concat()
    }
}

fn page(kind: u8, cells: &[Vec<u8>], right: Option<u32>, offset: usize) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let header = offset + if right.is_some() { 12 } else { 8 };
    let mut end = PAGE;
    for (at, cell) in cells.iter().enumerate() {
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(cell);
        let pointer = u16::try_from(end).expect("small");
        page[header + 2 * at..header + 2 * at + 2].copy_from_slice(&pointer.to_be_bytes());
    }
    assert!(header + 2 * cells.len() <= end, "the cells fit");
    page[offset] = kind;
    let count = u16::try_from(cells.len()).expect("few cells");
    page[offset + 3..offset + 5].copy_from_slice(&count.to_be_bytes());
    let end = u16::try_from(end).expect("small");
    page[offset + 5..offset + 7].copy_from_slice(&end.to_be_bytes());
    if let Some(right) = right {
        page[offset + 8..offset + 12].copy_from_slice(&right.to_be_bytes());
    }
    page
}

fn interior(level: &[(u32, usize)], offset: usize) -> Vec<u8> {
    let [left @ .., (right, _)] = level else { panic!("a tree has pages") };
    let cells: Vec<Vec<u8>> = left
        .iter()
        .map(|(page, row)| [page.to_be_bytes().to_vec(), varint(*row)].concat())
        .collect();
    page(INTERIOR, &cells, Some(*right), offset)
}

/// The row of the schema for a table of NSS.
fn table(root: u32) -> Vec<u8> {
    let root = [u8::try_from(root >> 8).expect("few pages"), (root & 0xff) as u8];
    let sql = b"CREATE TABLE nssPublic (id, a0, a11)";
    let texts: [&[u8]; 3] = [b"table", b"nssPublic", b"nssPublic"];
    let mut types: Vec<u8> = texts.iter().flat_map(|text| varint(2 * text.len() + 13)).collect();
    // A number of two octets.
    types.push(2);
    types.extend(varint(2 * sql.len() + 13));
    [varint(types.len() + 1), types, texts.concat(), root.to_vec(), sql.to_vec()].concat()
}

fn timed(octets: &[u8]) -> (Duration, Collected) {
    let mut found = Collected::default();
    let begun = Instant::now();
    let purse = Purse::default();
    let passwords = Passwords { configured: &[], well_known: false, purse: &purse };
    read(Format::Sqlite, octets, passwords, &mut found);
    (begun.elapsed(), found)
}

#[test]
fn a_schema_whose_rows_share_one_long_value_is_left_in_time() {
    for (length, rows, why) in
        [(40_000, 60_000, "OperationInterrupted"), (3_000_000, 20_000, "TooBig")]
    {
        let mut file = File::default();
        let empty = file.add(page(LEAF, &[], None, 0));
        let long = vec![b'y'; length];
        let name = b"sqlite_autoindex_nssPublic_1";
        let cell = file.spilled(&record(&[b"index", name, &long, b"", b""], true));
        let level = file.tree(&[table(empty)], &cell, rows);
        let octets = file.finish(interior(&level, 100));
        let (time, found) = timed(&octets);
        assert!(time < Duration::from_secs(5), "{length} octets in {rows} rows: {time:?}");
        let [(GapReason::Damaged, detail)] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
        assert!(detail.ends_with(why), "{detail}");
    }
}

#[test]
fn objects_that_lie_behind_one_long_value_are_left_in_time() {
    for (length, rows) in [(20_000, 9000), (6_000_000, 9000)] {
        let mut file = File::default();
        // The class stands behind the long value: SQLite walks over it for every row.
        let long = vec![0; length];
        let cell = file.spilled(&record(&[&long, &[0, 0, 0, 4], b""], false));
        let level = file.tree(&[], &cell, rows);
        let root = file.add(interior(&level, 0));
        let record = table(root);
        let schema = [varint(record.len()), varint(1), record].concat();
        let octets = file.finish(page(LEAF, &[schema], None, 100));
        let (time, found) = timed(&octets);
        assert!(time < Duration::from_secs(5), "{length} octets in {rows} rows: {time:?}");
        let [(GapReason::LimitReached, detail)] = &found.gaps[..] else {
            panic!("{:?}", found.gaps)
        };
        assert!(detail.contains("beyond the first"), "{detail}");
    }
}
