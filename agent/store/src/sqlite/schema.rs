//! The tables, and how a file comes to have them.
//!
//! `assets`, `sightings` and `gaps` say what was ever seen, with the summary over all runs; the
//! `run_` tables beside them say what each run saw, in rows of a few octets, so that every past
//! run can be loaded as it was. Encodings are kept once, under their digest; so are the texts that
//! repeat (circumstances of sightings, details of gaps) and the scopes of runs.

use pki_inventory::Digest;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, TransactionBehavior};

use super::Fault;

/// "PKIs"; marks a file as ours.
pub(super) const APPLICATION_ID: i64 = 0x504b_4973;

/// What brings a file from each schema to the next. A step that was released is never edited.
pub(super) const STEPS: &[&str] =
    &[FIRST, SCOPES_KEPT_ONCE, FILES_READ_ONCE, REFUSED_LOGINS, SMALL_INDEXES];

const FIRST: &str = "
    PRAGMA application_id = 0x504b4973;

    CREATE TABLE runs (
      id            INTEGER PRIMARY KEY,
      started       INTEGER NOT NULL,
      scope         TEXT NOT NULL,
      config_digest BLOB NOT NULL,
      agent_version TEXT NOT NULL,
      ended         INTEGER,
      outcome       TEXT CHECK (outcome IN ('completed', 'cancelled', 'failed', 'interrupted')),
      reason        TEXT,
      assets        INTEGER,
      sightings     INTEGER,
      gaps          INTEGER,
      previous      BLOB,
      digest        BLOB
    ) STRICT;

    CREATE TABLE bodies (
      id      INTEGER PRIMARY KEY,
      sha256  BLOB NOT NULL UNIQUE,
      content BLOB NOT NULL
    ) STRICT;

    CREATE TABLE texts (
      id   INTEGER PRIMARY KEY,
      text TEXT NOT NULL UNIQUE
    ) STRICT;

    CREATE TABLE assets (
      id       INTEGER PRIMARY KEY,
      sha256   BLOB NOT NULL,
      kind     TEXT NOT NULL,
      body     INTEGER NOT NULL REFERENCES bodies,
      observed INTEGER,
      UNIQUE (sha256, kind)
    ) STRICT;

    CREATE TABLE run_assets (
      run      INTEGER NOT NULL REFERENCES runs,
      asset    INTEGER NOT NULL REFERENCES assets,
      body     INTEGER NOT NULL REFERENCES bodies,
      observed INTEGER,
      PRIMARY KEY (run, asset)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sightings (
      id            INTEGER PRIMARY KEY,
      asset         INTEGER NOT NULL REFERENCES assets,
      place         TEXT NOT NULL,
      collector     TEXT NOT NULL,
      first_seen    INTEGER NOT NULL,
      last_seen     INTEGER NOT NULL,
      circumstances INTEGER NOT NULL REFERENCES texts,
      UNIQUE (asset, place, collector)
    ) STRICT;

    CREATE TABLE run_sightings (
      run           INTEGER NOT NULL REFERENCES runs,
      sighting      INTEGER NOT NULL REFERENCES sightings,
      first_seen    INTEGER NOT NULL,
      last_seen     INTEGER NOT NULL,
      circumstances INTEGER NOT NULL REFERENCES texts,
      PRIMARY KEY (run, sighting)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE gaps (
      id         INTEGER PRIMARY KEY,
      place      TEXT NOT NULL,
      collector  TEXT NOT NULL,
      reason     TEXT NOT NULL,
      first_seen INTEGER NOT NULL,
      last_seen  INTEGER NOT NULL,
      detail     INTEGER NOT NULL REFERENCES texts,
      UNIQUE (place, collector, reason)
    ) STRICT;

    CREATE TABLE run_gaps (
      run        INTEGER NOT NULL REFERENCES runs,
      gap        INTEGER NOT NULL REFERENCES gaps,
      first_seen INTEGER NOT NULL,
      last_seen  INTEGER NOT NULL,
      detail     INTEGER NOT NULL REFERENCES texts,
      PRIMARY KEY (run, gap)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE coverage (
      run       INTEGER NOT NULL REFERENCES runs,
      collector TEXT NOT NULL,
      scope     TEXT NOT NULL,
      finished  INTEGER NOT NULL,
      asked     INTEGER NOT NULL,
      read      INTEGER NOT NULL,
      not_read  INTEGER NOT NULL,
      octets    INTEGER NOT NULL,
      PRIMARY KEY (run, collector, scope)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE answers (
      id     INTEGER PRIMARY KEY,
      saved  INTEGER NOT NULL,
      sha256 BLOB NOT NULL,
      text   TEXT NOT NULL
    ) STRICT;

    CREATE TABLE assessments (
      id            INTEGER PRIMARY KEY,
      run           INTEGER NOT NULL REFERENCES runs,
      as_of         INTEGER NOT NULL,
      model_version TEXT NOT NULL,
      policy_digest BLOB NOT NULL,
      json          TEXT NOT NULL
    ) STRICT;
";

/// The scope of a run may name a hundred thousand targets, and is the same every night. Which run a
/// run goes on with has its own column: within the scope it would make another text of it.
const SCOPES_KEPT_ONCE: &str = "
    CREATE TABLE scopes (
      id     INTEGER PRIMARY KEY,
      sha256 BLOB NOT NULL UNIQUE,
      text   TEXT NOT NULL
    ) STRICT;
    INSERT INTO scopes (sha256, text) SELECT DISTINCT sha256(scope), scope FROM runs;
    ALTER TABLE runs ADD COLUMN scope_kept INTEGER REFERENCES scopes;
    UPDATE runs SET scope_kept = (SELECT id FROM scopes WHERE sha256 = sha256(runs.scope));
    ALTER TABLE runs DROP COLUMN scope;
    ALTER TABLE runs RENAME COLUMN scope_kept TO scope;
    ALTER TABLE runs ADD COLUMN continues INTEGER REFERENCES runs;
";

/// What lies in a file that has not changed is taken over from the run before, which is found by
/// its place. The index of files is kept of the newest run that has one; a new one takes its place.
const FILES_READ_ONCE: &str = "
    ALTER TABLE coverage ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX sightings_by_place ON sightings (place);
    CREATE TABLE file_index (
      run    INTEGER PRIMARY KEY REFERENCES runs,
      reader BLOB NOT NULL,
      key    BLOB NOT NULL,
      files  BLOB NOT NULL,
      sha256 BLOB NOT NULL
    ) STRICT;
";

/// Logins that a token refused, each by a digest of how it was tried: a second try in vain may lock
/// the token, so it is not made.
const REFUSED_LOGINS: &str = "
    CREATE TABLE refused_logins (
      sha256  BLOB PRIMARY KEY,
      refused INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Digests come in no order, so a batch writes anew nearly every page of an index over them, and the
/// size of these indexes is what a new asset costs. Eight octets tell a digest from others well
/// enough to be found. An encoding is found by its asset and needs no index of its own. Of a
/// sighting the place leads to the few rows that there are of it, so one index over places is
/// enough.
const SMALL_INDEXES: &str = "
    CREATE TABLE bodies_anew (
      id          INTEGER PRIMARY KEY,
      sha256      BLOB NOT NULL,
      is_encoding INTEGER NOT NULL,
      content     BLOB NOT NULL
    ) STRICT;
    INSERT INTO bodies_anew (id, sha256, is_encoding, content)
      SELECT id, sha256, substr(content, 1, 1) = x'30', content FROM bodies ORDER BY id;
    DROP TABLE bodies;
    ALTER TABLE bodies_anew RENAME TO bodies;
    CREATE INDEX facts_by_digest ON bodies (substr(sha256, 1, 8)) WHERE is_encoding = 0;

    CREATE TABLE assets_anew (
      id       INTEGER PRIMARY KEY,
      sha256   BLOB NOT NULL,
      kind     TEXT NOT NULL,
      body     INTEGER NOT NULL REFERENCES bodies,
      observed INTEGER
    ) STRICT;
    INSERT INTO assets_anew (id, sha256, kind, body, observed)
      SELECT id, sha256, kind, body, observed FROM assets ORDER BY id;
    DROP TABLE assets;
    ALTER TABLE assets_anew RENAME TO assets;
    CREATE INDEX assets_by_digest ON assets (substr(sha256, 1, 8));

    CREATE TABLE sightings_anew (
      id            INTEGER PRIMARY KEY,
      asset         INTEGER NOT NULL REFERENCES assets,
      place         TEXT NOT NULL,
      collector     TEXT NOT NULL,
      first_seen    INTEGER NOT NULL,
      last_seen     INTEGER NOT NULL,
      circumstances INTEGER NOT NULL REFERENCES texts,
      UNIQUE (place, asset, collector)
    ) STRICT;
    INSERT INTO sightings_anew
      (id, asset, place, collector, first_seen, last_seen, circumstances)
      SELECT id, asset, place, collector, first_seen, last_seen, circumstances
      FROM sightings ORDER BY id;
    DROP TABLE sightings;
    ALTER TABLE sightings_anew RENAME TO sightings;
";

/// The schema of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    /// Nothing in it.
    Empty,
    /// Ours, at this step.
    Ours(i64),
    /// Somebody else's.
    Foreign,
}

/// Says whose file this is, without changing it.
pub(super) fn look(connection: &Connection) -> Result<Schema, Fault> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    Ok(match (application, tables) {
        (APPLICATION_ID, _) => Schema::Ours(version),
        (0, 0) => Schema::Empty,
        _ => Schema::Foreign,
    })
}

/// The newest schema that these steps lead to.
pub(super) fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// Takes the steps that are missing, each with its number in one transaction. The number is read
/// inside the transaction: two agents may open a new file at once.
///
/// A table that is made anew keeps its rows and their numbers, and for as long as it is not there,
/// whatever refers to it refers to nothing. So references are not checked meanwhile, which SQLite
/// must be told before a transaction.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sha256", 1, flags, |arguments| {
        let text = arguments.get_raw(0).as_str()?;
        Ok(Digest::of(text.as_bytes()).octets().to_vec())
    })?;
    connection.pragma_update(None, "foreign_keys", false)?;
    for (number, step) in (1_i64..).zip(steps) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found < number {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()?;
        }
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

#[cfg(test)]
mod tests;
