//! Files that were read once and are as they were: which they are, and what lies in them.
//!
//! The index is no evidence: it only says what need not be read. What is taken over from the run
//! before is recorded like anything that a run saw, and is in the chain.

use pki_inventory::{Asset, Digest, Gap, Sighting, Time};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::record::{self, Facts, Seen, Writer};
use super::{Fault, load, runs};
use crate::{Batch, FileIndex, RunId, StoreError, Unchanged};

/// The index that was kept last, if it is of this reader and of a run that completed.
pub(super) fn index(
    connection: &Connection,
    reader: Digest,
    place: &str,
) -> Result<Option<FileIndex>, Fault> {
    type Kept = (i64, Vec<u8>, Vec<u8>, Vec<u8>);
    let kept: Option<Kept> = connection
        .prepare(
            "SELECT f.run, f.key, f.files, f.sha256 FROM file_index f JOIN runs r ON r.id = f.run
             WHERE f.reader = ?1 AND r.outcome = 'completed' ORDER BY f.run DESC LIMIT 1",
        )?
        .query_row([reader.octets()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((run, key, files, sha256)) = kept else { return Ok(None) };
    let run = RunId(run);
    let damaged = |what: &str| StoreError::DamagedIndex {
        place: place.to_owned(),
        run,
        what: what.to_owned(),
    };
    if digest_of(run, reader, &key, &files).octets()[..] != sha256[..] {
        return Err(damaged("it has another digest").into());
    }
    let (key, []) = key.as_chunks() else { return Err(damaged("its key is no key").into()) };
    let Ok(key) = <[[u8; 8]; 2]>::try_from(key) else {
        return Err(damaged("its key is no key").into());
    };
    let (hashes, []) = files.as_chunks() else {
        return Err(damaged("its end is missing").into());
    };
    let files = hashes.iter().map(|hash| u64::from_le_bytes(*hash)).collect();
    Ok(Some(FileIndex { run, key: key.map(u64::from_le_bytes), files }))
}

/// Keeps an index in place of any other. The caller holds the transaction.
pub(super) fn keep_index(
    connection: &Connection,
    run: RunId,
    reader: Digest,
    key: [u64; 2],
    files: &[u64],
) -> Result<(), Fault> {
    runs::require(connection, run)?;
    let key: Vec<u8> = key.iter().flat_map(|half| half.to_le_bytes()).collect();
    let files: Vec<u8> = files.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    let sha256 = digest_of(run, reader, &key, &files);
    connection.execute("DELETE FROM file_index", [])?;
    connection.execute(
        "INSERT INTO file_index (run, reader, key, files, sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![run.0, reader.octets(), key, files, sha256.octets()],
    )?;
    Ok(())
}

fn digest_of(run: RunId, reader: Digest, key: &[u8], files: &[u8]) -> Digest {
    let mut all = Vec::with_capacity(64 + key.len() + files.len());
    all.extend_from_slice(&run.0.to_le_bytes());
    all.extend_from_slice(reader.octets());
    // Lengths first: what is taken from one part and put to the other makes another text.
    all.extend_from_slice(&(key.len() as u64).to_le_bytes());
    all.extend_from_slice(key);
    all.extend_from_slice(files);
    Digest::of(&all)
}

/// Without what was seen in a file as a dump of a directory: such a file is read anew in every run.
///
/// The tables are taken in the order written (that is what CROSS JOIN means to SQLite): the places
/// of one file are few, and a run may have seen a million.
const SIGHTINGS: &str = "
    SELECT s.place, s.id, s.first_seen, s.last_seen, s.circumstances, r.circumstances, s.asset
    FROM sightings s CROSS JOIN run_sightings r ON r.run = ?1 AND r.sighting = s.id
    WHERE s.place >= ?2 AND s.place < ?3 AND s.collector <> 'directory'";
const GAPS: &str = "
    SELECT g.place, g.id, g.first_seen, g.last_seen, g.detail, r.detail
    FROM gaps g CROSS JOIN run_gaps r ON r.run = ?1 AND r.gap = g.id
    WHERE g.place >= ?2 AND g.place < ?3 AND g.collector <> 'directory'";

/// Records again, in the run of the writer, what another one saw in files that are as they were. The caller
/// holds the transaction.
pub(super) fn take_over(
    connection: &Connection,
    writer: &mut Writer<'_>,
    unchanged: &Unchanged,
) -> Result<(), Fault> {
    runs::require(connection, unchanged.run)?;
    for whole in wholes(unchanged) {
        // What is read here is written below.
        let sightings = in_file(connection, SIGHTINGS, unchanged.run, &whole, |row| {
            Ok((Again::of(row)?, row.get::<_, i64>(6)?))
        })?;
        for (again, asset) in sightings {
            take_over_facts(connection, writer, asset, unchanged)?;
            writer.lay_sighting(again.row, again.seen(unchanged.at), again.summary)?;
        }
        for again in in_file(connection, GAPS, unchanged.run, &whole, Again::of)? {
            writer.lay_gap(again.row, again.seen(unchanged.at), again.summary)?;
        }
    }
    Ok(())
}

/// A row of what is seen from a first to a last time: what all runs know of it, and the text that
/// the earlier run had.
struct Again {
    row: i64,
    summary: Seen,
    text: i64,
}

impl Again {
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        let summary = Seen { first: row.get(2)?, last: row.get(3)?, text: row.get(4)? };
        Ok(Self { row: row.get(1)?, summary, text: row.get(5)? })
    }

    fn seen(&self, at: Time) -> Seen {
        Seen { first: at.0, last: at.0, text: self.text }
    }
}

/// The asset as the earlier run had it.
fn take_over_facts(
    connection: &Connection,
    writer: &mut Writer<'_>,
    asset: i64,
    unchanged: &Unchanged,
) -> Result<(), Fault> {
    let known = connection
        .prepare_cached(
            "SELECT a.kind, a.sha256, a.body, a.observed, r.body, r.observed
             FROM assets a JOIN run_assets r ON r.asset = a.id WHERE a.id = ?1 AND r.run = ?2",
        )?
        .query_and_then(params![asset, unchanged.run.0], |row| -> Result<_, Fault> {
            let summary = Facts { body: row.get(2)?, observed: row.get(3)? };
            let facts = Facts { body: row.get(4)?, observed: row.get(5)? };
            Ok((load::asset_id(row, 0)?, summary, facts))
        })?
        .next()
        .transpose()?;
    let (id, summary, mut facts) = known.ok_or_else(|| {
        let run = unchanged.run;
        Fault::Damaged(format!("a sighting names asset row {asset}, which run {run} did not see"))
    })?;
    if record::is_at_place(id.kind) {
        facts.observed = Some(unchanged.at.0);
    }
    writer.lay_facts(id, asset, facts, summary)
}

/// What [`take_over`] would record, as seen now for the first time. The caller holds the transaction.
pub(super) fn taken_over(connection: &Connection, unchanged: &Unchanged) -> Result<Batch, Fault> {
    runs::require(connection, unchanged.run)?;
    let mut batch = Batch::default();
    for whole in wholes(unchanged) {
        batch.assets.extend(in_file(
            connection,
            "SELECT s.place, a.kind, a.sha256, b.content, ra.observed, s.collector, t.text
             FROM sightings s CROSS JOIN run_sightings r ON r.run = ?1 AND r.sighting = s.id
               CROSS JOIN assets a ON a.id = s.asset
               CROSS JOIN run_assets ra ON ra.run = ?1 AND ra.asset = a.id
               CROSS JOIN bodies b ON b.id = ra.body CROSS JOIN texts t ON t.id = r.circumstances
             WHERE s.place >= ?2 AND s.place < ?3 AND s.collector <> 'directory'",
            unchanged.run,
            &whole,
            |row| {
                let id = load::asset_id(row, 1)?;
                let observed = match record::is_at_place(id.kind) {
                    true => Some(unchanged.at.0),
                    false => row.get(4)?,
                };
                let (id, body) = load::parsed(id, row.get(3)?, observed)?;
                let mut asset = Asset::new(id, body);
                let text = row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?;
                asset.see(Sighting {
                    place: load::place(row, 0)?,
                    collector: row.get(5)?,
                    first_seen: unchanged.at,
                    last_seen: unchanged.at,
                    circumstances: load::from_json(text)?,
                });
                Ok(asset)
            },
        )?);
        batch.gaps.extend(in_file(
            connection,
            "SELECT g.place, g.collector, g.reason, t.text
             FROM gaps g CROSS JOIN run_gaps r ON r.run = ?1 AND r.gap = g.id
               CROSS JOIN texts t ON t.id = r.detail
             WHERE g.place >= ?2 AND g.place < ?3 AND g.collector <> 'directory'",
            unchanged.run,
            &whole,
            |row| {
                let reason = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
                Ok(Gap {
                    place: load::place(row, 0)?,
                    collector: row.get(1)?,
                    reason: load::reason(reason)?,
                    detail: row.get(3)?,
                    first_seen: unchanged.at,
                    last_seen: unchanged.at,
                })
            },
        )?);
    }
    Ok(batch)
}

/// The places of the files, as text.
fn wholes(unchanged: &Unchanged) -> impl Iterator<Item = String> {
    let places = unchanged.places.iter();
    places.filter(|place| place.outermost().as_ref() == Some(place)).map(ToString::to_string)
}

/// The rows of a run that lie in a file: at its place, as an object of it (`#1`), within it (`!/`).
/// Their place is the first column.
fn in_file<T>(
    connection: &Connection,
    sql: &str,
    run: RunId,
    whole: &str,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    // `$` follows on `#`, so these bounds leave what begins with the place and goes on with a space,
    // `!`, `"` or `#`. In the path of a file all of them are percent-encoded.
    let end = format!("{whole}$");
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![run.0, whole, end])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let place = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let rest = place.strip_prefix(whole).unwrap_or("?");
        if rest.is_empty() || rest.starts_with('#') || rest.starts_with("!/") {
            all.push(read(row)?);
        }
    }
    Ok(all)
}
