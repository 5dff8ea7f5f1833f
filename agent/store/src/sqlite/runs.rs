//! Runs: begun, ended, listed.

use pki_inventory::{Digest, Time};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Fault, chain, digest_from};
use crate::{Counts, Outcome, RunId, RunRecord, RunStart, StoreError};

/// A row of `runs` as it is stored.
pub(super) struct RunRow {
    pub(super) id: RunId,
    pub(super) started: i64,
    /// The digest of the scope; its text may be large. `None` when it was taken away.
    pub(super) scope: Option<Vec<u8>>,
    pub(super) config_digest: Vec<u8>,
    pub(super) agent_version: String,
    pub(super) ended: Option<i64>,
    pub(super) outcome: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) counts: Option<Counts>,
    pub(super) previous: Option<Vec<u8>>,
    pub(super) digest: Option<Vec<u8>>,
    pub(super) continues: Option<RunId>,
}

/// Begins a run, after closing what was interrupted. The caller holds the transaction and the
/// right to write.
pub(super) fn begin(
    connection: &Connection,
    start: &RunStart,
    continues: Option<RunId>,
) -> Result<RunId, Fault> {
    let open: Vec<i64> = connection
        .prepare("SELECT id FROM runs WHERE outcome IS NULL ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for run in open {
        chain::seal(connection, RunId(run), None, &Outcome::Interrupted)?;
    }
    let run = connection.query_row(
        "INSERT INTO runs (started, scope, config_digest, agent_version, continues)
         VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
        params![
            start.started.0,
            keep_scope(connection, &start.scope)?,
            start.config_digest.octets(),
            start.agent_version,
            continues.map(|run| run.0),
        ],
        |row| row.get(0),
    )?;
    Ok(RunId(run))
}

/// The row of a scope, which is kept once however many runs have it.
fn keep_scope(connection: &Connection, text: &str) -> Result<i64, Fault> {
    let sha256 = Digest::of(text.as_bytes());
    let known = connection
        .query_row("SELECT id FROM scopes WHERE sha256 = ?1", [sha256.octets()], |row| row.get(0))
        .optional()?;
    Ok(match known {
        Some(row) => row,
        None => connection
            .prepare("INSERT INTO scopes (sha256, text) VALUES (?1, ?2)")?
            .insert(params![sha256.octets(), text])?,
    })
}

/// The scope of a run, as it is kept; empty when it was taken away.
pub(super) fn scope_as_kept(connection: &Connection, run: RunId) -> Result<String, Fault> {
    let text = connection
        .prepare_cached(
            "SELECT s.text FROM runs r JOIN scopes s ON s.id = r.scope WHERE r.id = ?1",
        )?
        .query_row([run.0], |row| row.get(0))
        .optional()?;
    Ok(text.unwrap_or_default())
}

/// The scope of a run, which is what was written.
pub(super) fn scope(connection: &Connection, run: RunId) -> Result<String, Fault> {
    require(connection, run)?;
    let sha256 = row(connection, run)?.and_then(|row| row.scope).unwrap_or_default();
    let text = scope_as_kept(connection, run)?;
    if Digest::of(text.as_bytes()).octets()[..] == sha256[..] {
        Ok(text)
    } else {
        Err(Fault::Damaged(format!("the scope of run {run} has another digest")))
    }
}

/// Refuses a run that is over or was never begun.
pub(super) fn require_open(connection: &Connection, run: RunId) -> Result<(), Fault> {
    let outcome: Option<Option<String>> = connection
        .prepare_cached("SELECT outcome FROM runs WHERE id = ?1")?
        .query_row([run.0], |row| row.get(0))
        .optional()?;
    match outcome {
        None => Err(StoreError::UnknownRun { run }.into()),
        Some(Some(_)) => Err(StoreError::RunEnded { run }.into()),
        Some(None) => Ok(()),
    }
}

/// Refuses a run that was never begun.
pub(super) fn require(connection: &Connection, run: RunId) -> Result<(), Fault> {
    match require_open(connection, run) {
        Err(Fault::Refused(StoreError::RunEnded { .. })) => Ok(()),
        other => other,
    }
}

/// The latest completed run; when none was ever completed, the latest one.
pub(super) fn latest(connection: &Connection) -> Result<Option<RunId>, Fault> {
    let run = connection
        .query_row(
            "SELECT id FROM runs ORDER BY coalesce(outcome = 'completed', 0) DESC, id DESC LIMIT 1",
            [],
            |row| row.get(0).map(RunId),
        )
        .optional()?;
    Ok(run)
}

/// Every run. `is_running` tells whether a run without an end is going on.
pub(super) fn list(
    connection: &Connection,
    is_running: impl Fn() -> bool,
) -> Result<Vec<RunRecord>, Fault> {
    let rows = rows(connection)?;
    rows.into_iter().map(|row| record(connection, row, &is_running)).collect()
}

fn record(
    connection: &Connection,
    row: RunRow,
    is_running: impl Fn() -> bool,
) -> Result<RunRecord, Fault> {
    let outcome = match row.outcome.as_deref() {
        Some("completed") => Outcome::Completed,
        Some("cancelled") => Outcome::Cancelled,
        Some("failed") => Outcome::Failed(row.reason.unwrap_or_default()),
        None if is_running() => Outcome::Running,
        // The check of the column leaves only this one.
        None | Some(_) => Outcome::Interrupted,
    };
    let counts = match row.counts {
        Some(counts) => counts,
        None => count(connection, row.id)?,
    };
    Ok(RunRecord {
        id: row.id,
        started: Time(row.started),
        scope: digest_from(&row.scope.unwrap_or_default())?,
        config_digest: digest_from(&row.config_digest)?,
        agent_version: row.agent_version,
        continues: row.continues,
        ended: row.ended.map(Time),
        outcome,
        counts,
        previous: row.previous.as_deref().map(digest_from).transpose()?,
        digest: row.digest.as_deref().map(digest_from).transpose()?,
    })
}

fn count(connection: &Connection, run: RunId) -> Result<Counts, Fault> {
    let count = |table: &str| {
        connection.query_row(
            &format!("SELECT count(*) FROM {table} WHERE run = ?1"),
            [run.0],
            |row| row.get::<_, i64>(0).map(i64::cast_unsigned),
        )
    };
    Ok(Counts {
        assets: count("run_assets")?,
        sightings: count("run_sightings")?,
        gaps: count("run_gaps")?,
    })
}

const ROWS: &str = "SELECT r.id, started, s.sha256, config_digest, agent_version, ended, outcome,
                           reason, assets, sightings, gaps, previous, digest, continues
                    FROM runs r LEFT JOIN scopes s ON s.id = r.scope";

/// Every row, oldest first.
pub(super) fn rows(connection: &Connection) -> Result<Vec<RunRow>, Fault> {
    let mut statement = connection.prepare(&format!("{ROWS} ORDER BY r.id"))?;
    let rows = statement.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The row of one run.
pub(super) fn row(connection: &Connection, run: RunId) -> Result<Option<RunRow>, Fault> {
    let mut statement = connection.prepare(&format!("{ROWS} WHERE r.id = ?1"))?;
    Ok(statement.query_row([run.0], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let number = |column| row.get::<_, Option<i64>>(column).map(|n| n.map(i64::cast_unsigned));
    let counts = match (number(8)?, number(9)?, number(10)?) {
        (Some(assets), Some(sightings), Some(gaps)) => Some(Counts { assets, sightings, gaps }),
        _ => None,
    };
    Ok(RunRow {
        id: RunId(row.get(0)?),
        started: row.get(1)?,
        scope: row.get(2)?,
        config_digest: row.get(3)?,
        agent_version: row.get(4)?,
        ended: row.get(5)?,
        outcome: row.get(6)?,
        reason: row.get(7)?,
        counts,
        previous: row.get(11)?,
        digest: row.get(12)?,
        continues: row.get::<_, Option<i64>>(13)?.map(RunId),
    })
}
