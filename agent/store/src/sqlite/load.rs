//! Reading back what runs saw.

use std::collections::BTreeMap;

use pki_inventory::{
    Asset, AssetId, Body, Certificate, Coverage, Digest, Endpoint, Gap, GapReason, Inventory, Kind,
    Place, RevocationList, Sighting, SigningRequest, StapleContent, Time, Unparsed,
};
use rusqlite::{Connection, Row, Rows};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::{Fault, digest};
use crate::RunId;

/// The statements that read one kind of row: of all runs, or of the run that is their parameter.
struct Statements {
    of_all: &'static str,
    of_run: &'static str,
}

const ASSETS: Statements = Statements {
    of_all: "SELECT a.id, a.kind, a.sha256, b.content, a.observed
             FROM assets a JOIN bodies b ON b.id = a.body",
    of_run: "SELECT a.id, a.kind, a.sha256, b.content, r.observed
             FROM run_assets r JOIN assets a ON a.id = r.asset JOIN bodies b ON b.id = r.body
             WHERE r.run = ?1",
};

const SIGHTINGS: Statements = Statements {
    of_all: "SELECT s.asset, s.place, s.collector, s.first_seen, s.last_seen, t.text
             FROM sightings s JOIN texts t ON t.id = s.circumstances",
    of_run: "SELECT s.asset, s.place, s.collector, r.first_seen, r.last_seen, t.text
             FROM run_sightings r JOIN sightings s ON s.id = r.sighting
               JOIN texts t ON t.id = r.circumstances
             WHERE r.run = ?1",
};

const GAPS: Statements = Statements {
    of_all: "SELECT g.place, g.collector, g.reason, t.text, g.first_seen, g.last_seen
             FROM gaps g JOIN texts t ON t.id = g.detail",
    of_run: "SELECT g.place, g.collector, g.reason, t.text, r.first_seen, r.last_seen
             FROM run_gaps r JOIN gaps g ON g.id = r.gap JOIN texts t ON t.id = r.detail
             WHERE r.run = ?1",
};

const COVERAGE: Statements = Statements {
    of_all: "SELECT collector, scope, finished, asked, read, not_read, octets, unchanged
             FROM coverage",
    of_run: "SELECT collector, scope, finished, asked, read, not_read, octets, unchanged
             FROM coverage WHERE run = ?1",
};

/// Loads one run, or all of them for `None`. The caller holds the transaction.
pub(super) fn inventory(connection: &Connection, run: Option<RunId>) -> Result<Inventory, Fault> {
    let mut inventory = Inventory::default();
    let mut assets: BTreeMap<i64, Asset> = BTreeMap::new();
    each(connection, &ASSETS, run, |row| {
        let (id, body) = parsed(asset_id(row, 1)?, row.get(3)?, row.get(4)?)?;
        assets.insert(row.get(0)?, Asset::new(id, body));
        Ok(())
    })?;
    each(connection, &SIGHTINGS, run, |row| {
        let number: i64 = row.get(0)?;
        let asset = assets.get_mut(&number).ok_or_else(|| {
            Fault::Damaged(format!(
                "a sighting names asset row {number}, which the run did not see"
            ))
        })?;
        asset.see(Sighting {
            place: place(row, 1)?,
            collector: row.get(2)?,
            first_seen: Time(row.get(3)?),
            last_seen: Time(row.get(4)?),
            circumstances: from_json(row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?)?,
        });
        Ok(())
    })?;
    assets.into_values().for_each(|asset| inventory.add(asset));
    each(connection, &GAPS, run, |row| {
        inventory.add_gap(Gap {
            place: place(row, 0)?,
            collector: row.get(1)?,
            reason: reason(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?,
            detail: row.get(3)?,
            first_seen: Time(row.get(4)?),
            last_seen: Time(row.get(5)?),
        });
        Ok(())
    })?;
    each(connection, &COVERAGE, run, |row| {
        inventory.add_coverage(row.get(0)?, row.get(1)?, coverage_of(row, 2)?);
        Ok(())
    })?;
    Ok(inventory)
}

/// Loads how much of each scope a run read.
pub(super) fn coverage(
    connection: &Connection,
    run: RunId,
) -> Result<Vec<(String, String, Coverage)>, Fault> {
    let mut all = Vec::new();
    each(connection, &COVERAGE, Some(run), |row| {
        all.push((row.get(0)?, row.get(1)?, coverage_of(row, 2)?));
        Ok(())
    })?;
    all.sort();
    Ok(all)
}

fn each(
    connection: &Connection,
    sql: &Statements,
    run: Option<RunId>,
    mut take: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement =
        connection.prepare_cached(if run.is_some() { sql.of_run } else { sql.of_all })?;
    let mut rows: Rows<'_> = match run {
        Some(run) => statement.query([run.0])?,
        None => statement.query([])?,
    };
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

/// The asset as the inventory would file it today: an encoding that a parser of the past accepted
/// and that of today does not is unparsed, not lost.
pub(super) fn parsed(
    id: AssetId,
    content: Vec<u8>,
    observed: Option<i64>,
) -> Result<(AssetId, Body), Fault> {
    let length = content.len();
    match body_of(id, content, observed) {
        Err(Fault::Unparsed(error)) => {
            let unparsed = Unparsed { claimed: id.kind.name().to_owned(), length, error };
            Ok((AssetId::new(Kind::Unparsed, id.sha256), Body::Unparsed(unparsed)))
        }
        body => body.map(|body| (id, body)),
    }
}

/// Makes the facts of an asset from what is kept of them.
pub(super) fn body_of(id: AssetId, content: Vec<u8>, observed: Option<i64>) -> Result<Body, Fault> {
    if super::record::is_encoded(id.kind) && Digest::of(&content) != id.sha256 {
        return Err(Fault::Damaged(format!("the encoding kept of {id} has another digest")));
    }
    let text = || {
        std::str::from_utf8(&content)
            .map_err(|error| Fault::Damaged(format!("the facts kept of {id}: {error}")))
    };
    Ok(match id.kind {
        Kind::Certificate => {
            Body::Certificate(Box::new(Certificate::parse(content).map_err(Fault::Unparsed)?))
        }
        Kind::RevocationList => {
            Body::RevocationList(Box::new(RevocationList::parse(content).map_err(Fault::Unparsed)?))
        }
        Kind::SigningRequest => {
            Body::SigningRequest(Box::new(SigningRequest::parse(content).map_err(Fault::Unparsed)?))
        }
        Kind::Endpoint => {
            let observed = observed
                .ok_or_else(|| Fault::Damaged(format!("{id} does not say when it was asked")))?;
            Body::Endpoint(Endpoint { observed: Time(observed), ..endpoint(text()?)? })
        }
        Kind::Authority => Body::Authority(from_json(text()?)?),
        Kind::Automation => Body::Automation(from_json(text()?)?),
        Kind::Configuration => Body::Configuration(from_json(text()?)?),
        Kind::DirectoryObject => Body::DirectoryObject(from_json(text()?)?),
        Kind::Issuance => Body::Issuance(from_json(text()?)?),
        Kind::Key => Body::Key(from_json(text()?)?),
        Kind::Keystore => Body::Keystore(from_json(text()?)?),
        Kind::Template => Body::Template(from_json(text()?)?),
        Kind::SecretKey => Body::SecretKey(from_json(text()?)?),
        Kind::Token => Body::Token(from_json(text()?)?),
        Kind::TrustStore => Body::TrustStore(from_json(text()?)?),
        Kind::Unparsed => Body::Unparsed(from_json(text()?)?),
    })
}

/// The facts of an endpoint. Agents before the schema of stapled responses kept their digests alone;
/// what is kept of a run is never written anew, so this is made good in reading.
fn endpoint(text: &str) -> Result<Endpoint, Fault> {
    let kept = match from_json(text) {
        Ok(endpoint) => return Ok(endpoint),
        Err(fault) => fault,
    };
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text) else { return Err(kept) };
    let staple = value.get_mut("staple").and_then(serde_json::Value::as_object_mut);
    let Some(staple) = staple.filter(|staple| !staple.contains_key("content")) else {
        return Err(kept);
    };
    let content = StapleContent::Unreadable("only its digest was kept".to_owned());
    let Ok(content) = serde_json::to_value(content) else { return Err(kept) };
    staple.insert("content".to_owned(), content);
    serde_json::from_value(value).map_err(|_| kept)
}

/// Kind and digest from two neighbouring columns.
pub(super) fn asset_id(row: &Row<'_>, column: usize) -> Result<AssetId, Fault> {
    let kind = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(AssetId::new(kind.parse().map_err(Fault::Damaged)?, digest(row, column + 1)?))
}

/// Coverage from six neighbouring columns.
pub(super) fn coverage_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Coverage> {
    let number = |offset| row.get::<_, i64>(column + offset).map(i64::cast_unsigned);
    Ok(Coverage {
        finished: Time(row.get(column)?),
        asked: number(1)?,
        read: number(2)?,
        not_read: number(3)?,
        octets: number(4)?,
        unchanged: number(5)?,
    })
}

/// A place from a column.
pub(super) fn place(row: &Row<'_>, column: usize) -> Result<Place, Fault> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    text.parse().map_err(|error| Fault::Damaged(format!("{error}")))
}

/// The reason of a gap.
pub(super) fn reason(text: &str) -> Result<GapReason, Fault> {
    let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
    GapReason::deserialize(text)
        .map_err(|error| Fault::Damaged(format!("reason of a gap: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Damaged(format!("`{text}`: {error}")))
}
