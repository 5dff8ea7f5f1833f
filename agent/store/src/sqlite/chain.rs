//! The hash chain of ended runs.
//!
//! Each row of what a run saw is written as one JSON line and hashed; the sorted hashes are hashed
//! together, so the numbering of rows does not matter and another back end gets the same digest
//! for the same run. That digest, the run's own record and the digest of the run before make the
//! digest of the run.

use pki_inventory::{Coverage, Digest, Time};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use super::runs::{self, RunRow};
use super::{Fault, load, record};
use crate::{BrokenLink, Counts, Damage, Outcome, RunId};

/// Ends a run and links it to the one before. The caller holds the transaction and has made sure
/// that the run is open.
pub(super) fn seal(
    connection: &Connection,
    run: RunId,
    ended: Option<Time>,
    outcome: &Outcome,
) -> Result<Digest, Fault> {
    let (content, counts) = content(connection, run)?;
    let reason = match outcome {
        Outcome::Failed(reason) => Some(reason),
        _ => None,
    };
    let previous: Option<Vec<u8>> = connection
        .query_row(
            "SELECT digest FROM runs WHERE id < ?1 ORDER BY id DESC LIMIT 1",
            [run.0],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    connection.execute(
        "UPDATE runs SET ended = ?2, outcome = ?3, reason = ?4, assets = ?5, sightings = ?6,
           gaps = ?7, previous = ?8
         WHERE id = ?1",
        params![
            run.0,
            ended.map(|ended| ended.0),
            outcome.name(),
            reason,
            counts.assets.cast_signed(),
            counts.sightings.cast_signed(),
            counts.gaps.cast_signed(),
            previous,
        ],
    )?;
    let row = runs::row(connection, run)?
        .ok_or_else(|| Fault::Damaged(format!("run {run} went away while it was ended")))?;
    let digest = digest_of(connection, &row, content)?;
    connection
        .execute("UPDATE runs SET digest = ?2 WHERE id = ?1", params![run.0, digest.octets()])?;
    Ok(digest)
}

/// Walks the chain. The caller holds the transaction.
pub(super) fn verify(connection: &Connection) -> Result<Vec<BrokenLink>, Fault> {
    let rows = runs::rows(connection)?;
    let mut broken = Vec::new();
    let mut previous: Option<&[u8]> = None;
    for (at, row) in rows.iter().enumerate() {
        let mut report = |damage| broken.push(BrokenLink { run: row.id, damage });
        let Some(digest) = &row.digest else {
            // The newest run may be going on, or nobody has closed it yet.
            if at + 1 < rows.len() || row.outcome.is_some() {
                report(Damage::NotEnded);
            }
            continue;
        };
        if row.previous.as_deref() != previous {
            report(Damage::Unlinked);
        }
        let (content, counts) = content(connection, row.id)?;
        if row.counts != Some(counts)
            || digest_of(connection, row, content)?.octets()[..] != digest[..]
        {
            report(Damage::Edited);
        }
        previous = Some(digest);
    }
    verify_bodies(connection, &mut broken)?;
    verify_summaries(connection, &mut broken)?;
    broken.sort();
    broken.dedup();
    Ok(broken)
}

/// What the digest of a run is taken of, as one line of JSON in this order.
#[derive(Serialize)]
struct Link<'a> {
    run: i64,
    started: i64,
    scope: &'a str,
    config: String,
    agent: &'a str,
    ended: Option<i64>,
    outcome: Option<&'a str>,
    reason: Option<&'a str>,
    assets: u64,
    sightings: u64,
    gaps: u64,
    content: Digest,
    previous: Option<String>,
    /// Left out where it says nothing: the digests of runs of before this was kept stay what they
    /// are.
    #[serde(skip_serializing_if = "Option::is_none")]
    continues: Option<i64>,
}

/// How much of a scope was read, as it is hashed.
#[derive(Serialize)]
struct Covered {
    finished: Time,
    asked: u64,
    read: u64,
    not_read: u64,
    octets: u64,
    /// Left out where there is none, for the same reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged: Option<u64>,
}

impl From<Coverage> for Covered {
    fn from(coverage: Coverage) -> Self {
        let Coverage { finished, asked, read, not_read, octets, unchanged } = coverage;
        let unchanged = (unchanged > 0).then_some(unchanged);
        Self { finished, asked, read, not_read, octets, unchanged }
    }
}

fn digest_of(connection: &Connection, row: &RunRow, content: Digest) -> Result<Digest, Fault> {
    let scope = runs::scope_as_kept(connection, row.id)?;
    let counts = row.counts.unwrap_or_default();
    let link = Link {
        run: row.id.0,
        started: row.started,
        scope: &scope,
        config: hex(&row.config_digest),
        agent: &row.agent_version,
        ended: row.ended,
        outcome: row.outcome.as_deref(),
        reason: row.reason.as_deref(),
        assets: counts.assets,
        sightings: counts.sightings,
        gaps: counts.gaps,
        content,
        previous: row.previous.as_deref().map(hex),
        continues: row.continues.map(|run| run.0),
    };
    Ok(Digest::of(line(&link)?.as_bytes()))
}

/// The digest of all that a run saw, and how much it was.
fn content(connection: &Connection, run: RunId) -> Result<(Digest, Counts), Fault> {
    let mut digests: Vec<[u8; 32]> = Vec::new();
    let mut count_before = 0;
    let mut counted = |digests: &[[u8; 32]]| {
        let more = digests.len() - count_before;
        count_before = digests.len();
        u64::try_from(more).unwrap_or(u64::MAX)
    };
    hash_rows(
        connection,
        run,
        "SELECT a.kind, a.sha256, b.sha256, r.observed
         FROM run_assets r JOIN assets a ON a.id = r.asset JOIN bodies b ON b.id = r.body
         WHERE r.run = ?1",
        &mut digests,
        |row| line(&("asset", text(row, 0)?, octets(row, 1)?, octets(row, 2)?, maybe(row, 3)?)),
    )?;
    let assets = counted(&digests);
    hash_rows(
        connection,
        run,
        "SELECT a.kind, a.sha256, s.place, s.collector, r.first_seen, r.last_seen, t.text
         FROM run_sightings r JOIN sightings s ON s.id = r.sighting
           JOIN assets a ON a.id = s.asset JOIN texts t ON t.id = r.circumstances
         WHERE r.run = ?1",
        &mut digests,
        |row| {
            let seen = (number(row, 4)?, number(row, 5)?);
            let what = (text(row, 0)?, octets(row, 1)?);
            line(&("sighting", what, text(row, 2)?, text(row, 3)?, seen, text(row, 6)?))
        },
    )?;
    let sightings = counted(&digests);
    hash_rows(
        connection,
        run,
        "SELECT g.place, g.collector, g.reason, r.first_seen, r.last_seen, t.text
         FROM run_gaps r JOIN gaps g ON g.id = r.gap JOIN texts t ON t.id = r.detail
         WHERE r.run = ?1",
        &mut digests,
        |row| {
            let seen = (number(row, 3)?, number(row, 4)?);
            line(&("gap", text(row, 0)?, text(row, 1)?, text(row, 2)?, seen, text(row, 5)?))
        },
    )?;
    let gaps = counted(&digests);
    hash_rows(
        connection,
        run,
        "SELECT collector, scope, finished, asked, read, not_read, octets, unchanged
         FROM coverage WHERE run = ?1",
        &mut digests,
        |row| {
            let coverage = load::coverage_of(row, 2)?;
            line(&("coverage", text(row, 0)?, text(row, 1)?, Covered::from(coverage)))
        },
    )?;
    digests.sort_unstable();
    Ok((Digest::of(digests.as_flattened()), Counts { assets, sightings, gaps }))
}

fn hash_rows(
    connection: &Connection,
    run: RunId,
    sql: &str,
    digests: &mut Vec<[u8; 32]>,
    write: impl Fn(&Row<'_>) -> Result<String, Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([run.0])?;
    while let Some(row) = rows.next()? {
        digests.push(*Digest::of(write(row)?.as_bytes()).octets());
    }
    Ok(())
}

/// The chain holds digests of encodings; here the encodings are held against those digests.
fn verify_bodies(connection: &Connection, broken: &mut Vec<BrokenLink>) -> Result<(), Fault> {
    let mut statement = connection.prepare("SELECT id, sha256, content FROM bodies")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, sha256): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let content = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        if Digest::of(content).octets()[..] != sha256[..] {
            report_body(connection, id, broken)?;
        }
    }
    // An encoding may also have been exchanged for another that is in order by itself.
    let mut statement = connection.prepare(
        "SELECT a.kind, a.sha256, min(r.run), b.sha256
         FROM run_assets r JOIN assets a ON a.id = r.asset JOIN bodies b ON b.id = r.body
         WHERE a.sha256 <> b.sha256 GROUP BY a.id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // An id that is none differs from what the run recorded; that is in the list already.
        let Ok(id) = load::asset_id(row, 0) else { continue };
        if record::is_encoded(id.kind) {
            broken.push(BrokenLink { run: RunId(row.get(2)?), damage: Damage::Asset(id) });
        }
    }
    Ok(())
}

fn report_body(
    connection: &Connection,
    body: i64,
    broken: &mut Vec<BrokenLink>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(
        "SELECT a.kind, a.sha256, min(r.run) FROM run_assets r JOIN assets a ON a.id = r.asset
         WHERE r.body = ?1 GROUP BY a.id",
    )?;
    let mut rows = statement.query([body])?;
    while let Some(row) = rows.next()? {
        let Ok(asset) = load::asset_id(row, 0) else { continue };
        broken.push(BrokenLink { run: RunId(row.get(2)?), damage: Damage::Asset(asset) });
    }
    Ok(())
}

/// The summary over all runs is kept beside what each run saw, for speed; it says nothing of its
/// own.
fn verify_summaries(connection: &Connection, broken: &mut Vec<BrokenLink>) -> Result<(), Fault> {
    for (what, sql) in [
        (
            "sighting at",
            "SELECT max(r.run), s.place FROM run_sightings r JOIN sightings s ON s.id = r.sighting
             GROUP BY s.id
             HAVING min(r.first_seen) <> s.first_seen OR max(r.last_seen) <> s.last_seen
               OR sum(r.last_seen = s.last_seen AND r.circumstances = s.circumstances) = 0",
        ),
        (
            "gap at",
            "SELECT max(r.run), g.place FROM run_gaps r JOIN gaps g ON g.id = r.gap GROUP BY g.id
             HAVING min(r.first_seen) <> g.first_seen OR max(r.last_seen) <> g.last_seen
               OR sum(r.last_seen = g.last_seen AND r.detail = g.detail) = 0",
        ),
        (
            "facts of",
            "SELECT max(r.run), a.kind || ':' || lower(hex(a.sha256))
             FROM run_assets r JOIN assets a ON a.id = r.asset GROUP BY a.id
             HAVING sum(r.body = a.body AND r.observed IS a.observed) = 0",
        ),
    ] {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let about = format!("{what} {}", text(row, 1)?);
            broken.push(BrokenLink { run: RunId(row.get(0)?), damage: Damage::Summary(about) });
        }
    }
    Ok(())
}

fn line(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Unwritable(error.to_string()))
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Fault> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn octets(row: &Row<'_>, column: usize) -> Result<String, Fault> {
    Ok(hex(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?))
}

fn number(row: &Row<'_>, column: usize) -> Result<i64, Fault> {
    Ok(row.get(column)?)
}

fn maybe(row: &Row<'_>, column: usize) -> Result<Option<i64>, Fault> {
    Ok(row.get(column)?)
}

fn hex(octets: &[u8]) -> String {
    // Every row of a run goes through here; formatting octet by octet took a third of the seal.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let mut text = String::with_capacity(2 * octets.len());
    text.extend(octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]));
    text
}
