//! The tables of NSS, out of octets in memory.

use std::io::Read as _;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, Statement, types::ValueRef};

/// Steps of SQLite's machine, in thousands, for all that one database is asked.
const MOST_STEPS: u32 = 10_000;

/// The same for its schema. A row of it takes about seven steps; NSS has about a dozen.
const MOST_SCHEMA_STEPS: u32 = 3;

/// Octets of one value while the schema is read, and after it. Whatever its length, SQLite copies a
/// value out of its pages, and all rows can share the same pages. Certificates have a few thousand.
const LONGEST_IN_SCHEMA: i32 = 64 << 10;
const LONGEST: i32 = 1 << 20;

/// Objects of one table.
const MOST_ROWS: usize = 10_000;

/// Octets that SQLite may walk through in a table whose rows may share pages: each row can lead it
/// through the whole file.
const MOST_WALKED: usize = 1 << 30;

/// What NSS writes for an attribute that is there and empty (`sdb.c`).
const EMPTY: &[u8] = &[0xa5, 0x00, 0x5a];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Public,
    Private,
    Meta,
}

pub(super) struct Database {
    connection: Connection,
    /// With whether every page of it belongs to one row only.
    tables: Vec<(Table, bool)>,
    /// Octets of the file: what is in it cannot be more, unless objects share them.
    length: usize,
}

/// What is read of an object. Columns are named after the numbers of attributes (PKCS#11).
#[derive(Default)]
pub(super) struct Row {
    pub(super) class: u32,
    pub(super) label: Option<String>,
    /// CKA_VALUE: the certificate, or the encrypted secret.
    pub(super) value: Option<Vec<u8>>,
    pub(super) key_type: Option<u32>,
    /// CKA_MODULUS.
    pub(super) modulus: Option<Vec<u8>>,
    /// CKA_PUBLIC_EXPONENT.
    pub(super) exponent: Option<Vec<u8>>,
    /// CKA_PRIVATE_EXPONENT: encrypted.
    pub(super) exponent_of_private: Option<Vec<u8>>,
    /// CKA_EC_PARAMS.
    pub(super) parameters: Option<Vec<u8>>,
    /// CKA_EC_POINT.
    pub(super) point: Option<Vec<u8>>,
}

const COLUMNS: [&str; 9] = ["a0", "a3", "a11", "a100", "a120", "a122", "a123", "a180", "a181"];

impl Table {
    const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Meta];

    fn name(self) -> &'static str {
        match self {
            Self::Public => "nssPublic",
            Self::Private => "nssPrivate",
            Self::Meta => "metaData",
        }
    }
}

impl Database {
    /// Lays a copy of the octets into SQLite.
    pub(super) fn open(octets: &[u8]) -> Result<Self, String> {
        let connection = connect(octets).map_err(|error| sentence(&error))?;
        let mut tables = Vec::new();
        for table in Table::ALL {
            let sql = plain(&connection, table).map_err(|error| sentence(&error))?;
            tables.extend(sql.map(|sql| (table, is_sound(&connection, table, &sql))));
        }
        Ok(Self { connection, tables, length: octets.len() })
    }

    pub(super) fn has(&self, table: Table) -> bool {
        self.tables.iter().any(|(there, _)| *there == table)
    }

    /// How many rows of a table may be asked for.
    fn most(&self, table: Table) -> usize {
        if self.tables.contains(&(table, true)) {
            MOST_ROWS
        } else {
            (MOST_WALKED / self.length.max(1)).clamp(1, MOST_ROWS)
        }
    }

    /// Every object of a table, in the order of the table; how many there were, and whether there may
    /// be more.
    pub(super) fn rows(
        &self,
        table: Table,
        each: &mut dyn FnMut(Row),
    ) -> Result<(usize, bool), String> {
        if !self.has(table) {
            return Ok((0, false));
        }
        self.read_rows(table, each).map_err(|error| sentence(&error))
    }

    fn read_rows(
        &self,
        table: Table,
        each: &mut dyn FnMut(Row),
    ) -> rusqlite::Result<(usize, bool)> {
        let there = columns(&self.connection, table)?;
        // An attribute that no object has may have no column.
        let wanted =
            COLUMNS.map(|name| if there.iter().any(|at| at == name) { name } else { "NULL" });
        let name = table.name();
        // A LIMIT and no ORDER BY: whatever is damaged, what comes before it is read.
        let most = self.most(table);
        let query = format!("SELECT {} FROM main.{name} LIMIT {most}", wanted.join(", "));
        let mut statement = self.connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let (mut left, mut count) = (self.length, 0);
        while let Some(row) = rows.next()? {
            let mut octets = |at: usize| -> rusqlite::Result<Option<Vec<u8>>> {
                let octets = match row.get_ref(at)? {
                    ValueRef::Blob(octets) | ValueRef::Text(octets) if octets != EMPTY => octets,
                    _ => return Ok(None),
                };
                left = left.checked_sub(octets.len()).ok_or(rusqlite::Error::InvalidQuery)?;
                Ok(Some(octets.to_vec()))
            };
            each(Row {
                class: octets(0)?.as_deref().and_then(number).unwrap_or(u32::MAX),
                label: octets(1)?.map(|label| String::from_utf8_lossy(&label).into_owned()),
                value: octets(2)?,
                key_type: octets(3)?.as_deref().and_then(number),
                modulus: octets(4)?,
                exponent: octets(5)?,
                exponent_of_private: octets(6)?,
                parameters: octets(7)?,
                point: octets(8)?,
            });
            count += 1;
        }
        Ok((count, count == most))
    }

    /// The salt of the whole database, and something encrypted under its password.
    pub(super) fn password(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.has(Table::Meta) {
            return None;
        }
        let most = self.most(Table::Meta);
        let query = format!(
            "SELECT item1, item2 FROM (SELECT id, item1, item2 FROM main.metaData LIMIT {most}) \
             WHERE id = 'password' LIMIT 1"
        );
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.connection.query_row(&query, [], read).ok()
    }
}

/// Numbers are of four octets, the high one first, on every machine.
fn number(octets: &[u8]) -> Option<u32> {
    octets.try_into().ok().map(u32::from_be_bytes)
}

fn connect(octets: &[u8]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory_with_flags(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // A database left in the mode of write-ahead logs (SQLite file format, 1.3.3) cannot be opened
    // without files; what is in the main file reads the same without the log.
    let head = octets.get(..18).unwrap_or_default();
    let tail = octets.get(20..).unwrap_or_default();
    let patched = head.chain(&[1, 1][..]).chain(tail);
    connection.deserialize_read_exact("main", patched, head.len() + 2 + tail.len(), true)?;
    for (which, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, LONGEST_IN_SCHEMA),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 * 1024),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 20),
        (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    ] {
        connection.set_limit(which, most)?;
    }
    for (which, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(which, on)?;
    }
    connection.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA query_only = ON; \
         PRAGMA temp_store = MEMORY;",
    )?;
    allow(&mut connection, MOST_SCHEMA_STEPS)?;
    // The first statement that needs the schema reads it.
    connection.prepare("SELECT 1 FROM main.sqlite_schema LIMIT 1")?;
    allow(&mut connection, MOST_STEPS)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    Ok(connection)
}

/// Bounds the thousands of steps from here on.
fn allow(connection: &mut Connection, most: u32) -> rusqlite::Result<()> {
    let mut steps = 0;
    connection.progress_handler(
        1000,
        Some(move || {
            steps += 1;
            steps > most
        }),
    )
}

/// Whether SQLite may go through all rows: no page belongs to two of them, so that all of them
/// together are no longer than the file. Only what computes nothing is checked (SQL has other
/// parentheses for that), since the check computes it.
fn is_sound(connection: &Connection, table: Table, sql: &str) -> bool {
    let check = || {
        let query = format!("PRAGMA main.quick_check({})", table.name());
        connection.query_row(&query, [], |row| Ok(row.get_ref(0)?.as_bytes()? == b"ok"))
    };
    sql.matches('(').count() == 1 && check().unwrap_or(false)
}

/// How a table was made, if this name is that of a table and of nothing else.
fn plain(connection: &Connection, table: Table) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(
        "SELECT type, sql FROM main.sqlite_schema WHERE lower(name) = lower(?1) LIMIT 2",
    )?;
    let mut rows = statement.query([table.name()])?;
    let mut plain = None;
    while let Some(row) = rows.next()? {
        let (kind, sql) = (text(row.get_ref(0)?), text(row.get_ref(1)?));
        if plain.is_some()
            || kind != "table"
            || !sql.to_ascii_uppercase().starts_with("CREATE TABLE")
        {
            return Ok(None);
        }
        plain = Some(sql.to_owned());
    }
    Ok(plain)
}

/// The columns that hold something; those that are computed are left out.
fn columns(connection: &Connection, table: Table) -> rusqlite::Result<Vec<String>> {
    let mut statement: Statement<'_> =
        connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
    let mut rows = statement.query([table.name()])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        names.push(text(row.get_ref(0)?).to_owned());
    }
    Ok(names)
}

fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap_or_default()
}

/// Errors of SQLite quote names from the schema, which a stranger chose: only the class is told.
fn sentence(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(code) => format!("SQLite does not read it: {code:?}"),
        None => "SQLite does not read it as promised".to_owned(),
    }
}
