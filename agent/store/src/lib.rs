//! Keeps runs, what they saw, answers and assessments, and says what changed between two runs.
//!
//! The database stands behind one trait, [`Store`]; [`SqliteStore`] keeps it in one file of mode
//! 0600. Every batch is one transaction: an agent that is killed loses at most the batch it was
//! writing. What a run saw is kept for good, so any past run can be loaded exactly as it was, and
//! ended runs form a hash chain that [`Store::verify_chain`] walks.
//!
//! What this crate does not do: it reads no clock, collects nothing, judges nothing and holds no
//! private key; there is none in the types it takes. The chain shows edits, but not that the
//! newest runs were cut off, nor that somebody computed all digests anew: whoever must rule that
//! out keeps the newest [`RunRecord::digest`] elsewhere, in a printed report for example.
//!
//! ```
//! use pki_inventory::{Digest, Inventory, Observation, Place, Raw, Sighting, Time};
//! use pki_store::{Batch, RunEnd, RunStart, Selection, SqliteStore, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("store.db");
//! let mut seen = Inventory::default();
//! let place = Sighting::at(Place::file("/etc/ssl/broken.der"), "filesystem", Time(1_700_000_000));
//! seen.absorb(Observation::found(Raw::Certificate(vec![0x30, 0x00]), place));
//!
//! let mut store = SqliteStore::open(&path)?;
//! let run = store.begin_run(&RunStart {
//!     started: Time(1_700_000_000),
//!     scope: r#"{"filesystem":["/etc/ssl"]}"#.to_owned(),
//!     config_digest: Digest::of(b"the configuration"),
//!     agent_version: "0.1.0".to_owned(),
//! })?;
//! store.record(run, &Batch::from(&seen))?;
//! store.end_run(run, Time(1_700_000_060), RunEnd::Completed)?;
//!
//! assert_eq!(store.inventory(Selection::Run(run))?, seen);
//! assert!(store.verify_chain()?.is_empty());
//! # Ok(())
//! # }
//! ```

mod changes;
mod error;
mod record;
mod sqlite;

pub use changes::{Changes, Renewal};
pub use error::StoreError;
pub use record::{
    Answers, Assessment, AssessmentId, AssessmentRecord, Batch, BrokenLink, Counts, Damage,
    FileIndex, Outcome, RunEnd, RunId, RunRecord, RunStart, Unchanged,
};
pub use sqlite::SqliteStore;

use pki_inventory::{Coverage, Digest, GapReason, Inventory, Place, Time};

/// Which runs an inventory is loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// What this run saw, with first-seen times as known when it saw it.
    Run(RunId),
    /// The latest completed run; when none was ever completed, the latest one.
    Latest,
    /// What all runs saw, laid over each other.
    All,
}

/// The database behind the agent.
///
/// Methods that change something take `&mut self`: there is one writer. A web server that reads
/// while a run is going on opens a store of its own.
pub trait Store: Send {
    /// Begins a run. One that never ended is closed as [`Outcome::Interrupted`] first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] while another agent is in the middle of a run.
    fn begin_run(&mut self, start: &RunStart) -> Result<RunId, StoreError>;

    /// Begins a run that goes on with one that did not complete: what that one saw at the network
    /// places of [`Store::answered`], and why the others of them could not be read, is in it from
    /// the start. Everything else is looked at anew: files, names that had no address, places that
    /// the end of the run kept from being asked to the end. How much was read is counted anew, so
    /// that octets received before are not in it. A run that never ended is closed as with
    /// [`Store::begin_run`].
    ///
    /// # Errors
    ///
    /// [`StoreError::NotUnfinished`] when the previous one completed, [`StoreError::UnknownRun`],
    /// and [`StoreError::Busy`] while another agent is in the middle of a run.
    fn continue_run(&mut self, previous: RunId, start: &RunStart) -> Result<RunId, StoreError>;

    /// Writes what a run saw, all of it or, on any error, nothing. Writing a batch again changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::RunEnded`] when the run is over, [`StoreError::WrongId`] for an asset that is
    /// not what its id says, [`StoreError::UnknownRun`] when there is no run that
    /// [`Batch::unchanged`] could be taken over from.
    fn record(&mut self, run: RunId, batch: &Batch) -> Result<(), StoreError>;

    /// Ends a run and links it to the chain; returns the digest of its record.
    ///
    /// # Errors
    ///
    /// [`StoreError::RunEnded`] when it ended before.
    fn end_run(&mut self, run: RunId, ended: Time, end: RunEnd) -> Result<Digest, StoreError>;

    /// Every run, oldest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn runs(&self) -> Result<Vec<RunRecord>, StoreError>;

    /// What a run was to look at, as [`RunStart::scope`] said it. The same text is kept once.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`], and [`StoreError::Damaged`] when it is not what was written.
    fn scope(&self, run: RunId) -> Result<String, StoreError>;

    /// Every place where the records are not what was written, oldest run first; empty when all
    /// is well.
    ///
    /// # Errors
    ///
    /// When the database cannot be read; what can be read and is wrong is in the list.
    fn verify_chain(&self) -> Result<Vec<BrokenLink>, StoreError>;

    /// What was seen. The same selection of ended runs gives the same inventory for good.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`], [`StoreError::NoRuns`] for the latest of none, and
    /// [`StoreError::Damaged`] when what is stored is not what was written.
    fn inventory(&self, selection: Selection) -> Result<Inventory, StoreError>;

    /// How much of each scope a run read, by collector and scope: a small part of
    /// [`Store::inventory`] for who needs no more.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`], and when the database cannot be read.
    fn coverage(&self, run: RunId) -> Result<Vec<(String, String, Coverage)>, StoreError>;

    /// The network places that need not be asked again to go on with a run, sorted: `None` where
    /// a service answered, else why there was no answer. A place that the end of the run kept from
    /// being asked to the end is not among them, nor is a name whose addresses were not found.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`], and when the database cannot be read.
    fn answered(&self, run: RunId) -> Result<Vec<(Place, Option<GapReason>)>, StoreError>;

    /// The files that were read by the run whose index was kept last, if it completed and read as
    /// this reader does; `None` when every file is to be read.
    ///
    /// # Errors
    ///
    /// [`StoreError::DamagedIndex`] when it is not what was kept.
    fn file_index(&self, reader: Digest) -> Result<Option<FileIndex>, StoreError>;

    /// Keeps which files a run has read, in place of what was kept of any other run. `reader` says
    /// how files were read: whatever makes another reading of the same file makes another digest.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`], and when the database cannot be written.
    fn keep_file_index(
        &mut self,
        run: RunId,
        reader: Digest,
        key: [u64; 2],
        files: &[u64],
    ) -> Result<(), StoreError>;

    /// What a batch with these unchanged files takes over: each asset with one sighting, and the
    /// gaps, by file in the order given. For who tells it to others, as somebody tells it who reads
    /// the files now: nothing of it was seen before.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`], and as for [`Store::inventory`].
    fn taken_over(&self, unchanged: &Unchanged) -> Result<Batch, StoreError>;

    /// What changed from one run to a later one, which left out what `left_out` says.
    ///
    /// # Errors
    ///
    /// As for [`Store::inventory`].
    fn changes(
        &self,
        previous: RunId,
        current: RunId,
        left_out: &dyn Fn(&Place) -> bool,
    ) -> Result<Changes, StoreError> {
        let previous = self.inventory(Selection::Run(previous))?;
        let current = self.inventory(Selection::Run(current))?;
        Ok(Changes::between(&previous, &current, left_out))
    }

    /// Keeps for good that a login is refused, before it returns and even if the machine stops right
    /// after; it is said before the login is tried. The digest says how; the same one again changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    fn add_refused_login(&mut self, login: Digest, refused: Time) -> Result<(), StoreError>;

    /// Forgets one: it worked, or was not tried after all.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    fn remove_refused_login(&mut self, login: Digest) -> Result<(), StoreError>;

    /// Every login that was tried and did not work, sorted. None of them is to be tried again.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn refused_logins(&self) -> Result<Vec<Digest>, StoreError>;

    /// Keeps the answers as they are now and returns their digest. The same text as the latest
    /// one adds nothing to the history.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    fn save_answers(&mut self, saved: Time, text: &str) -> Result<Digest, StoreError>;

    /// Every version of the answers, oldest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn answers(&self) -> Result<Vec<Answers>, StoreError>;

    /// The answers as saved last; `None` when none ever were.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn latest_answers(&self) -> Result<Option<Answers>, StoreError>;

    /// Keeps an assessment.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownRun`] when it rests on a run that is not here.
    fn save_assessment(&mut self, assessment: &Assessment) -> Result<AssessmentId, StoreError>;

    /// Every assessment without its text, oldest first.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    fn assessments(&self) -> Result<Vec<AssessmentRecord>, StoreError>;

    /// One assessment.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownAssessment`].
    fn assessment(&self, id: AssessmentId) -> Result<Assessment, StoreError>;
}
