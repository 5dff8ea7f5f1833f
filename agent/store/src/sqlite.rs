//! The store in one SQLite file.
//!
//! Write-ahead logging lets readers read while a run writes and keeps every committed batch when
//! the agent is killed. A file beside the store, `<store>.lock`, is locked while a run is going
//! on; the operating system lets go of it when the process ends, however it ends. So a run that
//! is going on and one whose agent was killed can be told apart.

mod chain;
mod files;
mod kept;
mod load;
mod record;
mod resume;
mod runs;
mod schema;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pki_inventory::{Coverage, Digest, GapReason, Inventory, Place, Time};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, TransactionBehavior};

use self::schema::{STEPS, Schema};
use crate::{
    Answers, Assessment, AssessmentId, AssessmentRecord, Batch, BrokenLink, FileIndex, RunEnd,
    RunId, RunRecord, RunStart, Selection, Store, StoreError, Unchanged,
};

/// How long a write waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Digests come in no order, so a batch touches pages all over their index. A log of 32 MiB has such
/// a page copied into the file once for many batches. The cache holds that index for some hundred
/// thousand assets; beyond that the pages come from the cache of the operating system.
const WRITING: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 8192;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -12288;
";

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    may_write: bool,
    /// Held from the beginning to the end of a run.
    claim: Option<File>,
}

impl SqliteStore {
    /// Opens a store, or makes one: the file with mode 0600, missing folders with 0700.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotAStore`] for any other file, which stays as it is, and
    /// [`StoreError::NewerSchema`] for one of a later agent.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = absolute(path.as_ref())?;
        create(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(&path, flags)?;
        let known = schema::newest(STEPS);
        let is_older = match inspect(&connection, &path)? {
            Schema::Empty => false,
            Schema::Ours(found) => found < known,
            Schema::Foreign => return Err(foreign(path)),
        };
        // A run of the older agent that is going on writes into the tables as it knows them. Who
        // holds the lock may also just have made them newer.
        let claim = if is_older { Some(claim(&path)) } else { None };
        if let Some(Err(error)) = claim
            && inspect(&connection, &path)? != Schema::Ours(known)
        {
            return Err(error);
        }
        let ready = connection
            .execute_batch(WRITING)
            .map_err(Fault::from)
            .and_then(|()| schema::migrate(&mut connection, STEPS));
        ready.map_err(|fault| explain("prepare the tables", &path, fault))?;
        Ok(Self { connection, path, may_write: true, claim: None })
    }

    /// Opens a store that is there, without ever writing to it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoStore`], and as for [`SqliteStore::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = absolute(path.as_ref())?;
        if let Err(error) = std::fs::metadata(&path) {
            return Err(match error.kind() {
                io::ErrorKind::NotFound => StoreError::NoStore { path },
                _ => StoreError::File { what: "read", path, source: error },
            });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(&path, flags)?;
        let known = schema::newest(STEPS);
        match inspect(&connection, &path)? {
            Schema::Ours(found) if found < known => {
                Err(StoreError::OlderSchema { path, found, known })
            }
            Schema::Ours(_) => Ok(Self { connection, path, may_write: false, claim: None }),
            Schema::Empty => Err(StoreError::NotAStore { path, why: "it is empty".to_owned() }),
            Schema::Foreign => Err(foreign(path)),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let read = || {
            // One transaction: what is read is what was there at one instant.
            let transaction = self.connection.unchecked_transaction()?;
            work(&transaction)
        };
        read().map_err(|fault| explain(what, &self.path, fault))
    }

    fn write<T>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.require_writing()?;
        let write = || {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        write().map_err(|fault| explain(what, &self.path, fault))
    }

    /// Begins a run in one way or the other, with the right to.
    fn begin(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<RunId, Fault>,
    ) -> Result<RunId, StoreError> {
        self.require_writing()?;
        let claim = match self.claim.take() {
            Some(claim) => claim,
            None => claim(&self.path)?,
        };
        let run = self.write("begin a run", work)?;
        self.claim = Some(claim);
        Ok(run)
    }

    /// Changes how this connection works. Inside a transaction nothing would change.
    fn set(&self, what: &'static str, to: &'static str) -> Result<(), StoreError> {
        let set = self.connection.pragma_update(None, what, to);
        set.map_err(|error| explain("write", &self.path, error.into()))
    }

    fn require_writing(&self) -> Result<(), StoreError> {
        if self.may_write { Ok(()) } else { Err(StoreError::ReadOnly { place: self.place() }) }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether some agent, this one included, is in the middle of a run.
    fn is_running(&self) -> bool {
        self.claim.is_some()
            || File::open(lock_path(&self.path))
                .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl Store for SqliteStore {
    fn begin_run(&mut self, start: &RunStart) -> Result<RunId, StoreError> {
        self.begin(|connection| runs::begin(connection, start, None))
    }

    fn continue_run(&mut self, previous: RunId, start: &RunStart) -> Result<RunId, StoreError> {
        self.begin(|connection| resume::begin(connection, previous, start))
    }

    fn record(&mut self, run: RunId, batch: &Batch) -> Result<(), StoreError> {
        // Every row that is referred to here was found or written in the same transaction. A new asset
        // refers to nine, and SQLite would look for each of them once more.
        self.set("foreign_keys", "OFF")?;
        let done =
            self.write("record what was seen", |connection| record::record(connection, run, batch));
        self.set("foreign_keys", "ON")?;
        done
    }

    fn end_run(&mut self, run: RunId, ended: Time, end: RunEnd) -> Result<Digest, StoreError> {
        let digest = self.write("end a run", |connection| {
            runs::require_open(connection, run)?;
            chain::seal(connection, run, Some(ended), &end.into())
        })?;
        self.claim = None;
        Ok(digest)
    }

    fn runs(&self) -> Result<Vec<RunRecord>, StoreError> {
        self.read("list the runs", |connection| runs::list(connection, || self.is_running()))
    }

    fn scope(&self, run: RunId) -> Result<String, StoreError> {
        self.read("load the scope of a run", |connection| runs::scope(connection, run))
    }

    fn verify_chain(&self) -> Result<Vec<BrokenLink>, StoreError> {
        self.read("verify the runs", chain::verify)
    }

    fn inventory(&self, selection: Selection) -> Result<Inventory, StoreError> {
        self.read("load what was seen", |connection| {
            let run = match selection {
                Selection::All => None,
                Selection::Run(run) => Some(run),
                Selection::Latest => {
                    let none = || StoreError::NoRuns { place: self.place() };
                    Some(runs::latest(connection)?.ok_or_else(none)?)
                }
            };
            if let Some(run) = run {
                runs::require(connection, run)?;
            }
            load::inventory(connection, run)
        })
    }

    fn coverage(&self, run: RunId) -> Result<Vec<(String, String, Coverage)>, StoreError> {
        self.read("load how much was read", |connection| {
            runs::require(connection, run)?;
            load::coverage(connection, run)
        })
    }

    fn answered(&self, run: RunId) -> Result<Vec<(Place, Option<GapReason>)>, StoreError> {
        self.read("load what was answered", |connection| {
            runs::require(connection, run)?;
            resume::answered(connection, run)
        })
    }

    fn file_index(&self, reader: Digest) -> Result<Option<FileIndex>, StoreError> {
        self.read("load the index of files", |connection| {
            files::index(connection, reader, &self.place())
        })
    }

    fn keep_file_index(
        &mut self,
        run: RunId,
        reader: Digest,
        key: [u64; 2],
        files: &[u64],
    ) -> Result<(), StoreError> {
        self.write("keep the index of files", |connection| {
            files::keep_index(connection, run, reader, key, files)
        })
    }

    fn taken_over(&self, unchanged: &Unchanged) -> Result<Batch, StoreError> {
        self.read("load what lies in unchanged files", |connection| {
            files::taken_over(connection, unchanged)
        })
    }

    fn add_refused_login(&mut self, login: Digest, refused: Time) -> Result<(), StoreError> {
        // A login that is forgotten is tried again. This one write outlasts a loss of power.
        self.set("synchronous", "FULL")?;
        let done = self.write("keep a refused login", |connection| {
            kept::add_refused_login(connection, login, refused)
        });
        self.set("synchronous", "NORMAL")?;
        done
    }

    fn remove_refused_login(&mut self, login: Digest) -> Result<(), StoreError> {
        self.write("forget a login that worked", |connection| {
            kept::remove_refused_login(connection, login)
        })
    }

    fn refused_logins(&self) -> Result<Vec<Digest>, StoreError> {
        self.read("load the refused logins", kept::refused_logins)
    }

    fn save_answers(&mut self, saved: Time, text: &str) -> Result<Digest, StoreError> {
        self.write("save the answers", |connection| kept::save_answers(connection, saved, text))
    }

    fn answers(&self) -> Result<Vec<Answers>, StoreError> {
        self.read("load the answers", kept::answers)
    }

    fn latest_answers(&self) -> Result<Option<Answers>, StoreError> {
        self.read("load the answers", kept::latest_answers)
    }

    fn save_assessment(&mut self, assessment: &Assessment) -> Result<AssessmentId, StoreError> {
        self.write("save an assessment", |connection| kept::save_assessment(connection, assessment))
    }

    fn assessments(&self) -> Result<Vec<AssessmentRecord>, StoreError> {
        self.read("list the assessments", kept::assessments)
    }

    fn assessment(&self, id: AssessmentId) -> Result<Assessment, StoreError> {
        self.read("load an assessment", |connection| kept::assessment(connection, id))
    }
}

/// SQLite takes some names, such as `:memory:`, for something else than a file; an absolute path
/// is never one of them.
fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(|source| StoreError::File {
        what: "find",
        path: path.to_owned(),
        source,
    })
}

/// SQLite would make the file readable by others where the umask lets it; the log files beside it
/// take their mode from it.
fn create(path: &Path) -> Result<(), StoreError> {
    let refused =
        |what, path: &Path, source| StoreError::File { what, path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| refused("create the folder", folder, source))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(refused("create", path, source)),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connected = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    connected().map_err(|error: rusqlite::Error| explain("open a store", path, error.into()))
}

fn inspect(connection: &Connection, path: &Path) -> Result<Schema, StoreError> {
    let schema = schema::look(connection).map_err(|fault| explain("read", path, fault))?;
    let known = schema::newest(STEPS);
    match schema {
        Schema::Ours(found) if found > known => {
            Err(StoreError::NewerSchema { path: path.to_owned(), found, known })
        }
        other => Ok(other),
    }
}

fn foreign(path: PathBuf) -> StoreError {
    StoreError::NotAStore { path, why: "it is an SQLite file of another program".to_owned() }
}

/// Takes the right to run on a store, unless another agent has it.
fn claim(store: &Path) -> Result<File, StoreError> {
    let path = lock_path(store);
    let refused = |source| StoreError::File { what: "lock", path: path.clone(), source };
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(refused)?;
    // A reader that asks whether a run is going on holds the lock for an instant.
    for _ in 0..20 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(25)),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
    }
    Err(StoreError::Busy { place: store.display().to_string() })
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// What goes wrong inside; the file and what was being done are added at the border.
#[derive(Debug)]
enum Fault {
    Sqlite(rusqlite::Error),
    /// What is stored is not what was written.
    Damaged(String),
    /// An encoding that no longer parses.
    Unparsed(String),
    /// Something that cannot be put into text.
    Unwritable(String),
    /// The caller asked for what cannot be.
    Refused(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

fn explain(what: &'static str, path: &Path, fault: Fault) -> StoreError {
    let place = path.display().to_string();
    let error = match fault {
        Fault::Refused(error) => return error,
        Fault::Damaged(what) | Fault::Unparsed(what) => return StoreError::Damaged { place, what },
        Fault::Unwritable(text) => {
            return StoreError::Failed { what, place, source: text.into() };
        }
        Fault::Sqlite(error) => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore {
            path: path.to_owned(),
            why: "it is not an SQLite file".to_owned(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { place },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { place },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { place, what: error.to_string() },
        _ => StoreError::Failed { what, place, source: Box::new(error) },
    }
}

/// A digest from a column of 32 octets.
fn digest(row: &Row<'_>, column: usize) -> Result<Digest, Fault> {
    digest_from(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}

fn digest_from(octets: &[u8]) -> Result<Digest, Fault> {
    let text: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    text.parse().map_err(|_| Fault::Damaged(format!("`{text}` is not a SHA-256 digest")))
}
