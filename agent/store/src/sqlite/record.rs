//! Writing what a run saw.
//!
//! A run may see a million things, so every statement counts: those that each of them needs are
//! prepared once for a batch, what is new is not looked for, and what repeats within a batch is
//! looked for once.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use pki_inventory::{
    Asset, AssetId, Body, Circumstances, Coverage, Digest, Gap, Kind, Sighting, Time,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, ToSql, params};

use super::load::{body_of, coverage_of};
use super::{Fault, files, runs};
use crate::{Batch, RunId, StoreError};

/// Writes a batch. The caller holds the transaction.
pub(super) fn record(connection: &Connection, run: RunId, batch: &Batch) -> Result<(), Fault> {
    runs::require_open(connection, run)?;
    let mut writer = Writer::of(connection, run)?;
    for asset in &batch.assets {
        let (row, is_new) = writer.asset(asset)?;
        for sighting in asset.sightings() {
            writer.sighting(row, is_new, sighting)?;
        }
    }
    for gap in &batch.gaps {
        writer.gap(gap)?;
    }
    for (collector, scope, coverage) in &batch.coverage {
        record_coverage(connection, run, collector, scope, coverage)?;
    }
    if let Some(unchanged) = &batch.unchanged {
        files::take_over(connection, &mut writer, unchanged)?;
    }
    Ok(())
}

/// The facts of an asset at one time: a row of `bodies`, and for what its place identifies when it
/// was looked at.
///
/// That instant differs in every run and the rest rarely does, so it is kept beside the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) body: i64,
    pub(super) observed: Option<i64>,
}

pub(super) const FIND_ASSET: &str = "SELECT id, body, observed FROM assets
    WHERE substr(sha256, 1, 8) = substr(?1, 1, 8) AND sha256 = ?1 AND kind = ?2";

pub(super) const FIND_FACTS: &str = "SELECT id FROM bodies
    WHERE is_encoding = 0 AND substr(sha256, 1, 8) = substr(?1, 1, 8) AND sha256 = ?1";

/// Writes into one run, with the statements for it at hand.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    run: RunId,
    find_asset: CachedStatement<'c>,
    insert_asset: CachedStatement<'c>,
    insert_body: CachedStatement<'c>,
    insert_in_run: CachedStatement<'c>,
    sightings: Upsert<'c>,
    gaps: Upsert<'c>,
    /// The rows of texts that were looked for.
    texts: BTreeMap<String, i64>,
}

impl<'c> Writer<'c> {
    fn of(connection: &'c Connection, run: RunId) -> Result<Self, Fault> {
        Ok(Self {
            connection,
            run,
            find_asset: connection.prepare_cached(FIND_ASSET)?,
            insert_asset: connection.prepare_cached(
                "INSERT INTO assets (sha256, kind, body, observed) VALUES (?1, ?2, ?3, ?4)",
            )?,
            insert_body: connection.prepare_cached(
                "INSERT INTO bodies (sha256, is_encoding, content) VALUES (?1, ?2, ?3)",
            )?,
            insert_in_run: connection.prepare_cached(
                "INSERT INTO run_assets (run, asset, body, observed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?,
            sightings: Upsert::of(connection, &SIGHTING)?,
            gaps: Upsert::of(connection, &GAP)?,
            texts: BTreeMap::new(),
        })
    }

    /// The row of an asset, and whether it is new.
    fn asset(&mut self, asset: &Asset) -> Result<(i64, bool), Fault> {
        let id = asset.id;
        if asset.body.kind() != id.kind {
            return Err(StoreError::WrongId { asset: id }.into());
        }
        let known = self
            .find_asset
            .query_row(params![id.sha256.octets(), id.kind.name()], |row| {
                Ok((row.get(0)?, Facts { body: row.get(1)?, observed: row.get(2)? }))
            })
            .optional()?;
        match known {
            // The encoding is the identity: there is nothing to compare.
            Some((row, facts)) if is_encoded(id.kind) => {
                self.lay_facts(id, row, facts, facts)?;
                Ok((row, false))
            }
            Some((row, summary)) => {
                let facts = self.facts(asset)?;
                self.lay_facts(id, row, facts, summary)?;
                Ok((row, false))
            }
            None => {
                let facts = self.facts(asset)?;
                let row = self.insert_asset.insert(params![
                    id.sha256.octets(),
                    id.kind.name(),
                    facts.body,
                    facts.observed
                ])?;
                self.insert_in_run(row, facts)?;
                Ok((row, true))
            }
        }
    }

    /// Lays these facts over those that are known of an asset, over all runs and within this one.
    pub(super) fn lay_facts(
        &mut self,
        id: AssetId,
        row: i64,
        facts: Facts,
        summary: Facts,
    ) -> Result<(), Fault> {
        let (connection, run) = (self.connection, self.run);
        if is_later(connection, id, facts, summary)? {
            connection
                .prepare_cached("UPDATE assets SET body = ?2, observed = ?3 WHERE id = ?1")?
                .execute(params![row, facts.body, facts.observed])?;
        }
        if self.insert_in_run(row, facts)? {
            return Ok(());
        }
        let before = connection
            .prepare_cached("SELECT body, observed FROM run_assets WHERE run = ?1 AND asset = ?2")?
            .query_row(params![run.0, row], |row| {
                Ok(Facts { body: row.get(0)?, observed: row.get(1)? })
            })?;
        if is_later(connection, id, facts, before)? {
            connection
                .prepare_cached(
                    "UPDATE run_assets SET body = ?3, observed = ?4 WHERE run = ?1 AND asset = ?2",
                )?
                .execute(params![run.0, row, facts.body, facts.observed])?;
        }
        Ok(())
    }

    /// Whether the run did not have the asset before.
    fn insert_in_run(&mut self, row: i64, facts: Facts) -> Result<bool, Fault> {
        let values = params![self.run.0, row, facts.body, facts.observed];
        Ok(self.insert_in_run.execute(values)? > 0)
    }

    /// Keeps the facts of an asset. Those of an encoding are asked for when the asset is new, and then
    /// nobody else has them.
    fn facts(&mut self, asset: &Asset) -> Result<Facts, Fault> {
        let (content, observed) = encode(asset)?;
        let sha256 = Digest::of(&content);
        let is_encoding = is_encoded(asset.id.kind);
        if is_encoding && sha256 != asset.id.sha256 {
            return Err(StoreError::WrongId { asset: asset.id }.into());
        }
        let known = match is_encoding {
            true => None,
            false => self
                .connection
                .prepare_cached(FIND_FACTS)?
                .query_row([sha256.octets()], |row| row.get(0))
                .optional()?,
        };
        let body = match known {
            Some(body) => body,
            None => self.insert_body.insert(params![sha256.octets(), is_encoding, content])?,
        };
        Ok(Facts { body, observed })
    }

    fn sighting(&mut self, row: i64, is_new: bool, sighting: &Sighting) -> Result<(), Fault> {
        let text = serde_json::to_string(&sighting.circumstances).map_err(|error| {
            Fault::Unwritable(format!("a sighting at {}: {error}", sighting.place))
        })?;
        let seen = self.seen(sighting.first_seen, sighting.last_seen, text)?;
        let place = sighting.place.to_string();
        let key: [&dyn ToSql; 3] = [&row, &place, &sighting.collector];
        // A new asset was seen nowhere before, and a sighting holds each place once.
        if is_new {
            return self.sightings.insert(self.run, key, seen);
        }
        self.sightings.upsert(self.connection, self.run, key, seen)
    }

    fn gap(&mut self, gap: &Gap) -> Result<(), Fault> {
        let seen = self.seen(gap.first_seen, gap.last_seen, gap.detail.clone())?;
        let (place, reason) = (gap.place.to_string(), gap.reason.to_string());
        let key: [&dyn ToSql; 3] = [&place, &gap.collector, &reason];
        self.gaps.upsert(self.connection, self.run, key, seen)
    }

    fn seen(&mut self, first: Time, last: Time, text: String) -> Result<Seen, Fault> {
        let (first, last) = (first.0, last.0);
        if let Some(&text) = self.texts.get(&text) {
            return Ok(Seen { first, last, text });
        }
        let known = self
            .connection
            .prepare_cached("SELECT id FROM texts WHERE text = ?1")?
            .query_row([&text], |row| row.get(0))
            .optional()?;
        let row = match known {
            Some(row) => row,
            None => {
                let mut insert =
                    self.connection.prepare_cached("INSERT INTO texts (text) VALUES (?1)")?;
                insert.insert([&text])?
            }
        };
        self.texts.insert(text, row);
        Ok(Seen { first, last, text: row })
    }

    /// Lays what a sighting says now over what all runs know of it, and over that of this run.
    pub(super) fn lay_sighting(&mut self, row: i64, seen: Seen, before: Seen) -> Result<(), Fault> {
        self.sightings.lay(self.connection, self.run, row, seen, before)
    }

    /// The same for a gap.
    pub(super) fn lay_gap(&mut self, row: i64, seen: Seen, before: Seen) -> Result<(), Fault> {
        self.gaps.lay(self.connection, self.run, row, seen, before)
    }
}

/// Whether these facts replace others of the same asset, as in [`pki_inventory::Inventory::add`]:
/// the later ones count, and of one instant the greater body.
fn is_later(c: &Connection, id: AssetId, facts: Facts, before: Facts) -> Result<bool, Fault> {
    let body = |facts: Facts| -> Result<Body, Fault> {
        let content: Vec<u8> = c
            .prepare_cached("SELECT content FROM bodies WHERE id = ?1")?
            .query_row([facts.body], |row| row.get(0))?;
        body_of(id, content, facts.observed)
    };
    match facts.observed.cmp(&before.observed) {
        Ordering::Greater => Ok(true),
        Ordering::Less => Ok(false),
        Ordering::Equal if facts.body == before.body => Ok(false),
        Ordering::Equal => Ok(body(facts)? > body(before)?),
    }
}

/// Kinds that are kept as the encoding whose digest is their identity.
pub(super) fn is_encoded(kind: Kind) -> bool {
    matches!(kind, Kind::Certificate | Kind::RevocationList | Kind::SigningRequest)
}

/// Kinds that their place or their name identifies: what is there later counts, not what is greater.
pub(super) fn is_at_place(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Authority
            | Kind::Automation
            | Kind::Configuration
            | Kind::DirectoryObject
            | Kind::Endpoint
            | Kind::Issuance
            | Kind::SecretKey
            | Kind::Template
            | Kind::Token
    )
}

fn encode(asset: &Asset) -> Result<(Cow<'_, [u8]>, Option<i64>), Fault> {
    let id = asset.id;
    // Only endpoints say it themselves.
    let looked_at = asset.last_seen().map(|time| time.0);
    Ok(match &asset.body {
        Body::Certificate(certificate) => (Cow::Borrowed(&certificate.der), None),
        Body::RevocationList(list) => (Cow::Borrowed(&list.der), None),
        Body::SigningRequest(request) => (Cow::Borrowed(&request.der), None),
        Body::Endpoint(endpoint) => {
            (json(id, endpoint)?.into_bytes().into(), Some(endpoint.observed.0))
        }
        Body::Authority(authority) => (json(id, authority)?.into_bytes().into(), looked_at),
        Body::DirectoryObject(object) => (json(id, object)?.into_bytes().into(), looked_at),
        Body::Issuance(issuance) => (json(id, issuance)?.into_bytes().into(), looked_at),
        Body::Template(template) => (json(id, template)?.into_bytes().into(), looked_at),
        Body::Token(token) => (json(id, token)?.into_bytes().into(), looked_at),
        Body::SecretKey(key) => (json(id, key)?.into_bytes().into(), looked_at),
        Body::Automation(trace) => (json(id, trace)?.into_bytes().into(), looked_at),
        Body::Configuration(settings) => (json(id, settings)?.into_bytes().into(), looked_at),
        Body::Key(key) => (json(id, key)?.into_bytes().into(), None),
        Body::Keystore(keystore) => (json(id, keystore)?.into_bytes().into(), None),
        Body::TrustStore(store) => (json(id, store)?.into_bytes().into(), None),
        Body::Unparsed(unparsed) => (json(id, unparsed)?.into_bytes().into(), None),
    })
}

fn json(id: AssetId, facts: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(facts).map_err(|error| Fault::Unwritable(format!("{id}: {error}")))
}

/// The statements for one kind of thing that is seen from a first to a last time.
pub(super) struct Statements {
    pub(super) find: &'static str,
    insert: &'static str,
    update: &'static str,
    find_in_run: &'static str,
    insert_in_run: &'static str,
    update_in_run: &'static str,
    /// Whether of two texts of the same instant the first one counts.
    wins_tie: fn(&str, &str) -> Result<bool, Fault>,
}

pub(super) const SIGHTING: Statements = Statements {
    find: "SELECT id, first_seen, last_seen, circumstances FROM sightings
           WHERE asset = ?1 AND place = ?2 AND collector = ?3",
    insert: "INSERT INTO sightings (asset, place, collector, first_seen, last_seen, circumstances)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    update: "UPDATE sightings SET first_seen = ?2, last_seen = ?3, circumstances = ?4 WHERE id = ?1",
    find_in_run: "SELECT first_seen, last_seen, circumstances FROM run_sightings
                  WHERE run = ?1 AND sighting = ?2",
    insert_in_run: "INSERT INTO run_sightings (run, sighting, first_seen, last_seen, circumstances)
                    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    update_in_run: "UPDATE run_sightings SET first_seen = ?3, last_seen = ?4, circumstances = ?5
                    WHERE run = ?1 AND sighting = ?2",
    wins_tie: |text, before| {
        let read = |text: &str| -> Result<Circumstances, Fault> {
            serde_json::from_str(text)
                .map_err(|error| Fault::Damaged(format!("circumstances `{text}`: {error}")))
        };
        Ok(read(text)? > read(before)?)
    },
};

pub(super) const GAP: Statements = Statements {
    find: "SELECT id, first_seen, last_seen, detail FROM gaps
           WHERE place = ?1 AND collector = ?2 AND reason = ?3",
    insert: "INSERT INTO gaps (place, collector, reason, first_seen, last_seen, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    update: "UPDATE gaps SET first_seen = ?2, last_seen = ?3, detail = ?4 WHERE id = ?1",
    find_in_run: "SELECT first_seen, last_seen, detail FROM run_gaps WHERE run = ?1 AND gap = ?2",
    insert_in_run: "INSERT INTO run_gaps (run, gap, first_seen, last_seen, detail)
                    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    update_in_run: "UPDATE run_gaps SET first_seen = ?3, last_seen = ?4, detail = ?5
                    WHERE run = ?1 AND gap = ?2",
    wins_tie: |text, before| Ok(text > before),
};

/// From when to when, and the row of `texts` that says the rest, as of the later end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) text: i64,
}

/// The statements of one kind, prepared.
struct Upsert<'c> {
    sql: &'static Statements,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    insert_in_run: CachedStatement<'c>,
}

impl<'c> Upsert<'c> {
    fn of(connection: &'c Connection, sql: &'static Statements) -> Result<Self, Fault> {
        Ok(Self {
            sql,
            find: connection.prepare_cached(sql.find)?,
            insert: connection.prepare_cached(sql.insert)?,
            update: connection.prepare_cached(sql.update)?,
            insert_in_run: connection.prepare_cached(sql.insert_in_run)?,
        })
    }

    /// Joins what is seen now with what was seen before, over all runs and within this one. The rows
    /// of a run begin at the first time of all runs so far, so a past run keeps saying what was known
    /// then.
    fn upsert(
        &mut self,
        c: &Connection,
        run: RunId,
        key: [&dyn ToSql; 3],
        seen: Seen,
    ) -> Result<(), Fault> {
        let known: Option<(i64, Seen)> = self
            .find
            .query_row(&key[..], |row| {
                let seen = Seen { first: row.get(1)?, last: row.get(2)?, text: row.get(3)? };
                Ok((row.get(0)?, seen))
            })
            .optional()?;
        match known {
            Some((row, before)) => self.lay(c, run, row, seen, before),
            None => self.insert(run, key, seen),
        }
    }

    /// What was never seen before.
    fn insert(&mut self, run: RunId, key: [&dyn ToSql; 3], seen: Seen) -> Result<(), Fault> {
        let [one, two, three] = key;
        let row = self.insert.insert(params![one, two, three, seen.first, seen.last, seen.text])?;
        self.insert_in_run(run, row, seen)?;
        Ok(())
    }

    /// Lays what is seen now over the row of what was seen before by all runs, and over that of this
    /// run.
    fn lay(
        &mut self,
        c: &Connection,
        run: RunId,
        row: i64,
        seen: Seen,
        before: Seen,
    ) -> Result<(), Fault> {
        let joined = join(c, self.sql, before, seen)?;
        if joined != before {
            self.update.execute(params![row, joined.first, joined.last, joined.text])?;
        }
        let seen = Seen { first: joined.first, ..seen };
        if self.insert_in_run(run, row, seen)? {
            return Ok(());
        }
        let before =
            c.prepare_cached(self.sql.find_in_run)?.query_row(params![run.0, row], |row| {
                Ok(Seen { first: row.get(0)?, last: row.get(1)?, text: row.get(2)? })
            })?;
        let joined = join(c, self.sql, before, seen)?;
        if joined != before {
            c.prepare_cached(self.sql.update_in_run)?.execute(params![
                run.0,
                row,
                joined.first,
                joined.last,
                joined.text
            ])?;
        }
        Ok(())
    }

    /// Whether the run did not have it before.
    fn insert_in_run(&mut self, run: RunId, row: i64, seen: Seen) -> Result<bool, Fault> {
        let values = params![run.0, row, seen.first, seen.last, seen.text];
        Ok(self.insert_in_run.execute(values)? > 0)
    }
}

/// Earliest first, latest last, text of the later one, as the inventory joins.
fn join(c: &Connection, sql: &Statements, before: Seen, seen: Seen) -> Result<Seen, Fault> {
    let text = |row: i64| -> Result<String, Fault> {
        Ok(c.prepare_cached("SELECT text FROM texts WHERE id = ?1")?
            .query_row([row], |row| row.get(0))?)
    };
    let wins = match seen.last.cmp(&before.last) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal if seen.text == before.text => false,
        Ordering::Equal => (sql.wins_tie)(&text(seen.text)?, &text(before.text)?)?,
    };
    Ok(Seen {
        first: seen.first.min(before.first),
        last: seen.last.max(before.last),
        text: if wins { seen.text } else { before.text },
    })
}

fn record_coverage(
    c: &Connection,
    run: RunId,
    collector: &str,
    scope: &str,
    coverage: &Coverage,
) -> Result<(), Fault> {
    let before = c
        .prepare_cached(
            "SELECT finished, asked, read, not_read, octets, unchanged FROM coverage
             WHERE run = ?1 AND collector = ?2 AND scope = ?3",
        )?
        .query_row(params![run.0, collector, scope], |row| coverage_of(row, 0))
        .optional()?;
    if before.is_some_and(|before| before >= *coverage) {
        return Ok(());
    }
    // SQLite counts to 2^63; the cast there and back is exact for what lies above.
    c.prepare_cached(
        "INSERT OR REPLACE INTO coverage
           (run, collector, scope, finished, asked, read, not_read, octets, unchanged)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        run.0,
        collector,
        scope,
        coverage.finished.0,
        coverage.asked.cast_signed(),
        coverage.read.cast_signed(),
        coverage.not_read.cast_signed(),
        coverage.octets.cast_signed(),
        coverage.unchanged.cast_signed(),
    ])?;
    Ok(())
}
