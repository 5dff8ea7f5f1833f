//! Files of older agents become files of this one, and keep what they say.

#[path = "../../../tests/store/certificate.rs"]
mod certificate;

use std::path::Path;

use pki_inventory::{Inventory, Observation, Place, Raw, Sighting, Time};

use super::super::record::{FIND_ASSET, FIND_FACTS, GAP, SIGHTING};
use super::*;
use crate::{Batch, RunEnd, RunStart, Selection, SqliteStore, Store as _, StoreError};

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
        let y: i64 = connection.query_row("SELECT y FROM b", [], |r| r.get(0)).expect("one row");
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
        assert_eq!((run.continues, store.scope(run.id).expect("loads").as_str()), (None, scope));
    }
}

/// Everything that these tables have, copied into a file of an older schema.
fn as_before_small_indexes(newer: &Path, older: &Path) {
    let mut connection = Connection::open(older).expect("opens");
    migrate(&mut connection, &STEPS[..3]).expect("the older agent's steps");
    let newer = newer.to_str().expect("a name");
    connection.pragma_update(None, "foreign_keys", false).expect("sets");
    connection.execute("ATTACH ?1 AS newer", [newer]).expect("attaches");
    let columns = |table: &str| -> Vec<String> {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        let mut statement = connection.prepare(&sql).expect("prepares");
        let names = statement.query_map([], |row| row.get(0)).expect("reads");
        names.collect::<Result<_, _>>().expect("names")
    };
    for table in [
        "scopes",
        "runs",
        "bodies",
        "texts",
        "assets",
        "run_assets",
        "sightings",
        "run_sightings",
        "gaps",
        "run_gaps",
        "coverage",
    ] {
        let columns = columns(table).join(", ");
        let copy = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}");
        connection.execute_batch(&copy).expect(&copy);
    }
}

#[test]
fn what_was_kept_under_large_indexes_is_the_same_under_small_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let (newer, older) = (folder.path().join("newer.db"), folder.path().join("older.db"));
    let start = RunStart {
        started: Time(7),
        scope: "{}".to_owned(),
        config_digest: Digest::of(b"configuration"),
        agent_version: "0.1.0".to_owned(),
    };
    // What does not parse is kept as the fact that it does not, a certificate as it is.
    let mut seen = Inventory::default();
    let whole = certificate::Wanted::host(1, &["a.test"], Time(1_800_000_000)).der();
    for (der, number) in [vec![0x30, 0], whole].into_iter().zip(1..) {
        let raw = Raw::Certificate(der);
        for path in ["/srv/a", "/srv/b"] {
            let place = Place::file(path).object(number);
            let sighting = Sighting::at(place, "filesystem", Time(7));
            seen.absorb(Observation::found(raw.clone(), sighting));
        }
    }
    let mut store = SqliteStore::open(&newer).expect("opens");
    for _ in 0..2 {
        let run = store.begin_run(&start).expect("begins");
        store.record(run, &Batch::from(&seen)).expect("records");
        store.end_run(run, Time(8), RunEnd::Completed).expect("ends");
    }
    let digests = |store: &SqliteStore| -> Vec<_> {
        store.runs().expect("lists").into_iter().map(|r| r.digest).collect()
    };
    let before = digests(&store);
    drop(store);
    as_before_small_indexes(&newer, &older);

    let mut store = SqliteStore::open(&older).expect("opens");
    assert_eq!(store.verify_chain().expect("verifies"), []);
    assert_eq!(digests(&store), before);
    assert_eq!(store.inventory(Selection::All).expect("loads"), seen);
    // What is seen again is known again, and nothing is kept twice.
    let run = store.begin_run(&start).expect("begins");
    store.record(run, &Batch::from(&seen)).expect("records");
    store.end_run(run, Time(8), RunEnd::Completed).expect("ends");
    assert_eq!(store.inventory(Selection::Run(run)).expect("loads"), seen);
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let number = |sql| store.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(number("SELECT count(*) FROM bodies"), Ok(2));
    assert_eq!(number("SELECT sum(is_encoding) FROM bodies"), Ok(1));
    assert_eq!(number("SELECT count(*) FROM assets"), Ok(2));
    assert_eq!(number("SELECT count(*) FROM sightings"), Ok(4));
    assert_eq!(number("PRAGMA foreign_keys"), Ok(1));
    let torn = number("SELECT count(*) FROM pragma_foreign_key_check");
    assert_eq!(torn, Ok(0));
}

#[test]
fn what_a_batch_looks_for_is_found_by_an_index() {
    let mut connection = Connection::open_in_memory().expect("opens");
    migrate(&mut connection, STEPS).expect("all steps");
    for (sql, index) in [
        (FIND_ASSET, "assets_by_digest"),
        (FIND_FACTS, "facts_by_digest"),
        (SIGHTING.find, "sqlite_autoindex_sightings_1"),
        (GAP.find, "sqlite_autoindex_gaps_1"),
    ] {
        let plan: String = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("prepares")
            .query_map(rusqlite::params_from_iter((0..sql_parameters(sql)).map(|_| "x")), |row| {
                row.get(3)
            })
            .expect("explains")
            .collect::<Result<Vec<String>, _>>()
            .expect("texts")
            .join("; ");
        assert!(plan.contains(index), "{plan}");
    }
}

fn sql_parameters(sql: &str) -> usize {
    (1..=3).filter(|number| sql.contains(&format!("?{number}"))).count()
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
