//! Why the store could not do what it was asked.

use std::io;
use std::path::PathBuf;

use pki_inventory::AssetId;

use crate::{AssessmentId, RunId};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no file to read from.
    #[error("there is no store at {}; a scan makes one", path.display())]
    NoStore {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a store: {why}; name another file, this one was not touched", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// A later version of the agent wrote the file.
    #[error(
        "{} has schema {found} and this agent knows schemas up to {known}; use a newer agent",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema of this agent.
        known: i64,
    },
    /// An earlier version of the agent wrote the file and it may not be changed.
    #[error(
        "{} has schema {found} and is opened for reading only; open it for writing once, that \
         brings it to schema {known}",
        path.display()
    )]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema of this agent.
        known: i64,
    },
    /// The operating system refused a file or folder.
    #[error("could not {what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Somebody else is writing.
    #[error("another agent is in the middle of a run or a write on {place}; wait until it is done")]
    Busy {
        /// The database.
        place: String,
    },
    /// The store was opened for reading.
    #[error("{place} may only be read; it was opened so, or its file is write-protected")]
    ReadOnly {
        /// The database.
        place: String,
    },
    /// The latest run was asked for and there is none.
    #[error("{place} holds no run yet; a scan makes one")]
    NoRuns {
        /// The database.
        place: String,
    },
    /// No run has this number.
    #[error("there is no run {run} in this store")]
    UnknownRun {
        /// The number.
        run: RunId,
    },
    /// The run is over.
    #[error("run {run} has ended; nothing can be added to it")]
    RunEnded {
        /// The number.
        run: RunId,
    },
    /// A run that cannot be gone on with.
    #[error(
        "run {run} cannot be gone on with, only one that was interrupted, cancelled or failed: it \
         ended as {ended}"
    )]
    NotUnfinished {
        /// The number.
        run: RunId,
        /// How it ended.
        ended: String,
    },
    /// No assessment has this number.
    #[error("there is no assessment {id} in this store")]
    UnknownAssessment {
        /// The number.
        id: AssessmentId,
    },
    /// An asset was handed in under an id that is not its own.
    #[error("the asset handed in as {asset} is none: its encoding has another digest or kind")]
    WrongId {
        /// The id.
        asset: AssetId,
    },
    /// What is stored is not what was written.
    #[error("{place} is damaged: {what}; restore it from a backup")]
    Damaged {
        /// The database.
        place: String,
        /// What was found.
        what: String,
    },
    /// The index of files is not what was kept.
    #[error(
        "the index of the files that run {run} read, in {place}, is damaged: {what}; the next \
         completed scan reads every file and keeps a new one"
    )]
    DamagedIndex {
        /// The database.
        place: String,
        /// The run it is of.
        run: RunId,
        /// What was found.
        what: String,
    },
    /// The database failed.
    #[error("could not {what} in {place}: {source}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// The database.
        place: String,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
