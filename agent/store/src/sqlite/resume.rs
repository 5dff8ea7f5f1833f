//! Going on with a run that did not complete.
//!
//! Only what the network showed is carried over. Trees are walked anew, and what was seen there the
//! first time would lie beside what is there now; so would the gap of a name that has an address by
//! now.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use pki_inventory::{GapReason, Place};
use rusqlite::{Connection, params};

use super::{Fault, load, runs};
use crate::{RunId, RunStart, StoreError};

/// Begins a run that holds from the start what the previous one saw on the network. The caller
/// holds the transaction and the right to write.
///
/// What is copied says when it was seen, and the first time is the first of all runs, as with any
/// row of a run.
pub(super) fn begin(
    connection: &Connection,
    previous: RunId,
    start: &RunStart,
) -> Result<RunId, Fault> {
    runs::require(connection, previous)?;
    let run = runs::begin(connection, start, Some(previous))?;
    require_unfinished(connection, previous)?;
    // A place whose asking was cut off, by the end of the run or by that of the agent, is asked
    // again; what it had shown until then must not stay beside the new answer.
    connection.execute(
        "INSERT INTO run_sightings (run, sighting, first_seen, last_seen, circumstances)
         SELECT ?1, r.sighting, min(r.first_seen, s.first_seen), r.last_seen, r.circumstances
         FROM run_sightings r JOIN sightings s ON s.id = r.sighting
         WHERE r.run = ?2 AND s.collector <> 'directory'
           AND s.place IN (SELECT e.place FROM run_sightings b JOIN sightings e ON e.id = b.sighting
                             JOIN assets a ON a.id = e.asset
                           WHERE b.run = ?2 AND a.kind = 'endpoint')
           AND s.place NOT IN (SELECT g.place FROM run_gaps b JOIN gaps g ON g.id = b.gap
                               WHERE b.run = ?2 AND g.reason = ?3)",
        params![run.0, previous.0, GapReason::RunEnded.to_string()],
    )?;
    connection.execute(
        "INSERT INTO run_assets (run, asset, body, observed)
         SELECT ?1, asset, body, observed FROM run_assets
         WHERE run = ?2 AND asset IN (SELECT s.asset FROM run_sightings r
                                      JOIN sightings s ON s.id = r.sighting WHERE r.run = ?1)",
        [run.0, previous.0],
    )?;
    let gaps = Gaps::of(connection, previous)?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO run_gaps (run, gap, first_seen, last_seen, detail)
         SELECT ?1, r.gap, min(r.first_seen, g.first_seen), r.last_seen, r.detail
         FROM run_gaps r JOIN gaps g ON g.id = r.gap WHERE r.run = ?2 AND r.gap = ?3",
    )?;
    for (gap, place, _) in &gaps.lasting {
        if !gaps.broken_off.contains(place) {
            insert.execute(params![run.0, previous.0, gap])?;
        }
    }
    Ok(run)
}

/// Whatever was open was closed as interrupted before this is asked. What a failed run had recorded
/// is whole as well: batches are recorded as a whole or not at all.
fn require_unfinished(connection: &Connection, run: RunId) -> Result<(), Fault> {
    let outcome: Option<String> = connection
        .prepare_cached("SELECT outcome FROM runs WHERE id = ?1")?
        .query_row([run.0], |row| row.get(0))?;
    let ended = match outcome.as_deref() {
        Some("interrupted" | "cancelled" | "failed") => return Ok(()),
        Some(outcome) => outcome.to_owned(),
        None => "nobody knows how".to_owned(),
    };
    Err(StoreError::NotUnfinished { run, ended }.into())
}

/// The gaps of a run at network places. A directory is read again as a whole: that its server could
/// not be asked for entries says nothing of whether it was asked for its certificate.
struct Gaps {
    /// Row, place and reason of those that the end of the run is not the reason of, without names
    /// whose addresses were not found: they are looked up again.
    lasting: Vec<(i64, Place, GapReason)>,
    /// Places that the end of the run kept from being asked to the end.
    broken_off: BTreeSet<Place>,
}

impl Gaps {
    fn of(connection: &Connection, run: RunId) -> Result<Self, Fault> {
        let (mut lasting, mut broken_off) = (Vec::new(), BTreeSet::new());
        let mut statement = connection.prepare_cached(
            "SELECT g.id, g.place, g.reason FROM run_gaps r JOIN gaps g ON g.id = r.gap
             WHERE r.run = ?1 AND g.collector <> 'directory'",
        )?;
        let mut rows = statement.query([run.0])?;
        while let Some(row) = rows.next()? {
            let place = load::place(row, 1)?;
            let Place::Tls { host, .. } = &place else { continue };
            let reason = load::reason(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
            match reason {
                GapReason::RunEnded => drop(broken_off.insert(place)),
                GapReason::CollectorFailed => {}
                GapReason::NameNotResolved | GapReason::TimedOut if !is_address(host) => {}
                reason => lasting.push((row.get(0)?, place, reason)),
            }
        }
        Ok(Self { lasting, broken_off })
    }
}

/// Whether the host of a place is an address and not a name.
fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

/// The network places of a run that have a terminal status. The caller holds the transaction.
pub(super) fn answered(
    connection: &Connection,
    run: RunId,
) -> Result<Vec<(Place, Option<GapReason>)>, Fault> {
    let mut known: BTreeMap<Place, Option<GapReason>> = BTreeMap::new();
    let Gaps { lasting, broken_off } = Gaps::of(connection, run)?;
    for (_, place, reason) in lasting {
        // Of two reasons at one place any will do; the lesser one does not depend on rows.
        let kept = known.entry(place).or_insert(Some(reason));
        *kept = (*kept).min(Some(reason));
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
