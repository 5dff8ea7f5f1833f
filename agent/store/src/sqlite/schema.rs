//! The tables, and how a file comes to have them.
//!
//! `assets`, `sightings` and `gaps` say what was ever seen, with the summary over all runs; the
//! `run_` tables beside them say what each run saw, in rows of a few octets, so that every past
//! run can be loaded as it was. Encodings are kept once, under their digest; so are the texts that
//! repeat (circumstances of sightings, details of gaps).

use rusqlite::{Connection, TransactionBehavior};

use super::Fault;

/// "PKIs"; marks a file as ours.
pub(super) const APPLICATION_ID: i64 = 0x504b_4973;

/// What brings a file from each schema to the next. A step that was released is never edited.
pub(super) const STEPS: &[&str] = &["
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
"];

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
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
    for (number, step) in (1_i64..).zip(steps) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found < number {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &[&str] = &[
        "PRAGMA application_id = 0x504b4973; CREATE TABLE a (x); INSERT INTO a VALUES (1)",
        "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1",
        "CREATE TABLE b AS SELECT y FROM a",
    ];

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number")
    }

    #[test]
    fn steps_are_taken_once_and_in_order_from_wherever_a_file_stands() {
        for have in 0..=THREE.len() {
            let mut connection = Connection::open_in_memory().expect("opens");
            migrate(&mut connection, &THREE[..have]).expect("the older agent's steps");
            migrate(&mut connection, THREE).expect("the rest");
            migrate(&mut connection, THREE).expect("nothing to do");
            assert_eq!(version(&connection), 3);
            let y: i64 =
                connection.query_row("SELECT y FROM b", [], |r| r.get(0)).expect("one row");
            assert_eq!(y, 2);
            assert_eq!(look(&connection).expect("readable"), Schema::Ours(3));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_schema_before_it() {
        let mut connection = Connection::open_in_memory().expect("opens");
        let steps = [THREE[0], "CREATE TABLE c (x); CREATE TABLE a (x)"];
        assert!(migrate(&mut connection, &steps).is_err(), "table a is there already");
        assert_eq!(version(&connection), 1);
        assert!(connection.prepare("SELECT * FROM c").is_err(), "half a step was kept");
    }

    #[test]
    fn the_present_steps_make_a_store() {
        let mut connection = Connection::open_in_memory().expect("opens");
        assert_eq!(look(&connection).expect("readable"), Schema::Empty);
        migrate(&mut connection, STEPS).expect("all steps");
        assert_eq!(look(&connection).expect("readable"), Schema::Ours(newest(STEPS)));
        connection.execute_batch("PRAGMA application_id = 7").expect("set");
        assert_eq!(look(&connection).expect("readable"), Schema::Foreign);
    }
}
