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
pub(super) const STEPS: &[&str] = &[FIRST, SCOPES_KEPT_ONCE, FILES_READ_ONCE];

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
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sha256", 1, flags, |arguments| {
        let text = arguments.get_raw(0).as_str()?;
        Ok(Digest::of(text.as_bytes()).octets().to_vec())
    })?;
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
    use crate::{SqliteStore, Store as _, StoreError};

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
    fn a_store_of_the_first_schema_is_read_and_its_chain_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let scope = r#"{"tls":["192.0.2.0/24:443"]}"#;
        // The lines that the digest of what a run saw was taken of by that agent.
        let covered =
            r#"["coverage","tls","all",{"finished":8,"asked":3,"read":2,"not_read":1,"octets":5}]"#;
        let content = Digest::of(Digest::of(covered.as_bytes()).octets());
        let mut older = Connection::open(&path).expect("opens");
        migrate(&mut older, &STEPS[..1]).expect("the older agent's step");
        let config = Digest::of(b"configuration");
        let mut previous: Option<Digest> = None;
        for run in 1..=3 {
            // The line that the digest of a run was taken of by that agent.
            let link = serde_json::json!({"scope": scope}).to_string();
            let link = format!(
                "{{\"run\":{run},\"started\":7,{},\"config\":\"{config}\",\"agent\":\"0.1.0\",\
                 \"ended\":8,\"outcome\":\"completed\",\"reason\":null,\"assets\":0,\
                 \"sightings\":0,\"gaps\":0,\"content\":\"{content}\",\"previous\":{}}}",
                &link[1..link.len() - 1],
                previous.map_or("null".to_owned(), |digest| format!("\"{digest}\"")),
            );
            let digest = Digest::of(link.as_bytes());
            older
                .execute(
                    "INSERT INTO runs VALUES (?1, 7, ?2, ?3, '0.1.0', 8, 'completed', NULL,
                                              0, 0, 0, ?4, ?5)",
                    rusqlite::params![
                        run,
                        scope,
                        config.octets(),
                        previous.map(|digest| digest.octets().to_vec()),
                        digest.octets()
                    ],
                )
                .expect("inserts");
            older
                .execute("INSERT INTO coverage VALUES (?1, 'tls', 'all', 8, 3, 2, 1, 5)", [run])
                .expect("inserts");
            previous = Some(digest);
        }
        drop(older);

        let store = SqliteStore::open(&path).expect("opens");
        assert_eq!(store.verify_chain().expect("verifies"), []);
        let runs = store.runs().expect("lists");
        assert_eq!(runs.len(), 3);
        for run in runs {
            let coverage = store.coverage(run.id).expect("loads");
            let coverage = coverage.iter().map(|(.., c)| (c.read, c.unchanged));
            assert_eq!(coverage.collect::<Vec<_>>(), [(2, 0)]);
            assert_eq!(run.scope, Digest::of(scope.as_bytes()));
            assert_eq!(
                (run.continues, store.scope(run.id).expect("loads").as_str()),
                (None, scope)
            );
        }
    }

    #[test]
    fn a_store_of_an_older_agent_that_is_in_a_run_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut older = Connection::open(&path).expect("opens");
        migrate(&mut older, &STEPS[..1]).expect("the older agent's step");
        let lock = std::fs::File::create(folder.path().join("store.db.lock")).expect("makes it");
        lock.lock().expect("locks");
        let refused = SqliteStore::open(&path);
        assert!(matches!(refused, Err(StoreError::Busy { .. })), "{refused:?}");
        assert_eq!(version(&older), 1);
        drop(lock);
        SqliteStore::open(&path).expect("opens");
        assert_eq!(version(&older), newest(STEPS));
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
