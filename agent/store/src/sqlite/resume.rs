//! Going on with a run that did not complete.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::{GapReason, Place};
use rusqlite::{Connection, params};

use super::{Fault, load, runs};
use crate::{RunId, RunStart, StoreError};

/// Begins a run that holds from the start what the previous one saw. The caller holds the
/// transaction and the right to write.
///
/// What is copied says when it was seen, and the first time is the first of all runs, as with any
/// row of a run.
pub(super) fn begin(
    connection: &Connection,
    previous: RunId,
    start: &RunStart,
) -> Result<RunId, Fault> {
    let run = runs::begin(connection, start)?;
    require_unfinished(connection, previous)?;
    connection.execute(
        "INSERT INTO run_assets (run, asset, body, observed)
         SELECT ?1, asset, body, observed FROM run_assets WHERE run = ?2",
        [run.0, previous.0],
    )?;
    connection.execute(
        "INSERT INTO run_sightings (run, sighting, first_seen, last_seen, circumstances)
         SELECT ?1, r.sighting, min(r.first_seen, s.first_seen), r.last_seen, r.circumstances
         FROM run_sightings r JOIN sightings s ON s.id = r.sighting WHERE r.run = ?2",
        [run.0, previous.0],
    )?;
    // What the end of the run kept from being asked is asked now, and a collector that broke down
    // is started anew: neither is a gap of this run.
    connection.execute(
        "INSERT INTO run_gaps (run, gap, first_seen, last_seen, detail)
         SELECT ?1, r.gap, min(r.first_seen, g.first_seen), r.last_seen, r.detail
         FROM run_gaps r JOIN gaps g ON g.id = r.gap
         WHERE r.run = ?2 AND g.reason NOT IN (?3, ?4)",
        params![
            run.0,
            previous.0,
            GapReason::RunEnded.to_string(),
            GapReason::CollectorFailed.to_string()
        ],
    )?;
    Ok(run)
}

/// Whatever was open was closed as interrupted before this is asked.
fn require_unfinished(connection: &Connection, run: RunId) -> Result<(), Fault> {
    runs::require(connection, run)?;
    let (outcome, reason): (Option<String>, Option<String>) = connection
        .prepare_cached("SELECT outcome, reason FROM runs WHERE id = ?1")?
        .query_row([run.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let ended = match (outcome.as_deref(), reason) {
        (Some("interrupted" | "cancelled"), _) => return Ok(()),
        (Some(outcome), Some(reason)) => format!("{outcome}: {reason}"),
        (Some(outcome), None) => outcome.to_owned(),
        (None, _) => "nobody knows how".to_owned(),
    };
    Err(StoreError::NotUnfinished { run, ended }.into())
}

/// The network places of a run that have a terminal status. The caller holds the transaction.
pub(super) fn answered(
    connection: &Connection,
    run: RunId,
) -> Result<Vec<(Place, Option<GapReason>)>, Fault> {
    let mut known: BTreeMap<Place, Option<GapReason>> = BTreeMap::new();
    let mut broken_off = BTreeSet::new();
    let mut gaps = connection.prepare_cached(
        "SELECT g.place, g.reason FROM run_gaps r JOIN gaps g ON g.id = r.gap WHERE r.run = ?1",
    )?;
    let mut rows = gaps.query([run.0])?;
    while let Some(row) = rows.next()? {
        let place = load::place(row, 0)?;
        if !place.is_network() {
            continue;
        }
        let reason = load::reason(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        if reason == GapReason::RunEnded {
            broken_off.insert(place);
        } else {
            // Of two reasons at one place any will do; the lesser one does not depend on rows.
            let kept = known.entry(place).or_insert(Some(reason));
            *kept = (*kept).min(Some(reason));
        }
    }
    let mut endpoints = connection.prepare_cached(
        "SELECT s.place FROM run_sightings r JOIN sightings s ON s.id = r.sighting
           JOIN assets a ON a.id = s.asset
         WHERE r.run = ?1 AND a.kind = 'endpoint'",
    )?;
    let mut rows = endpoints.query([run.0])?;
    while let Some(row) = rows.next()? {
        let place = load::place(row, 0)?;
        if place.is_network() {
            known.insert(place, None);
        }
    }
    // A server that had shown something when the run was ended has not shown all.
    known.retain(|place, _| !broken_off.contains(place));
    Ok(known.into_iter().collect())
}
