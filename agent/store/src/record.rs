//! What goes in and comes out besides the inventory: runs, batches, answers, assessments.

use std::fmt;
use std::str::FromStr;

use pki_inventory::{Asset, AssetId, Coverage, Digest, Gap, Inventory, Place, Time};

/// The number of a run; later runs have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// The number of an assessment; later ones have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssessmentId(pub i64);

/// What is known when a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStart {
    /// When it began.
    pub started: Time,
    /// What it is to look at, as JSON text.
    pub scope: String,
    /// SHA-256 of the configuration.
    pub config_digest: Digest,
    /// The version of the agent.
    pub agent_version: String,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// Everything asked for was looked at or is a gap.
    Completed,
    /// Somebody ended it early.
    Cancelled,
    /// It could not go on; the reason as a sentence.
    Failed(String),
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An agent is at it.
    Running,
    /// Everything asked for was looked at or is a gap.
    Completed,
    /// Somebody ended it early.
    Cancelled,
    /// It could not go on; the reason as a sentence.
    Failed(String),
    /// The agent went away in the middle of it. What it had written is kept.
    Interrupted,
}

/// A run as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Number.
    pub id: RunId,
    /// When it began.
    pub started: Time,
    /// SHA-256 of what it was to look at; [`Store::scope`](crate::Store::scope) has the text.
    pub scope: Digest,
    /// SHA-256 of the configuration.
    pub config_digest: Digest,
    /// The version of the agent.
    pub agent_version: String,
    /// The run it goes on with.
    pub continues: Option<RunId>,
    /// When it ended; nobody knows for an interrupted one.
    pub ended: Option<Time>,
    /// How it stands.
    pub outcome: Outcome,
    /// How much it saw, so far if it is running.
    pub counts: Counts,
    /// Digest of the record of the run before, once this one is in the chain.
    pub previous: Option<Digest>,
    /// Digest of this record, what the run saw and `previous`, once it is in the chain.
    pub digest: Option<Digest>,
}

/// How much a run saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Assets.
    pub assets: u64,
    /// Sightings of them.
    pub sightings: u64,
    /// Gaps.
    pub gaps: u64,
}

/// A portion of what a run saw; written as a whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Assets with the sightings that are new. One asset may come many times.
    pub assets: Vec<Asset>,
    /// What was not read.
    pub gaps: Vec<Gap>,
    /// Collector, scope and how much of it was read.
    pub coverage: Vec<(String, String, Coverage)>,
    /// Files that an earlier run read and that are as they were.
    pub unchanged: Option<Unchanged>,
}

/// Files that need not be read again: whatever an earlier run saw in them, gaps included, is seen
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchanged {
    /// The run that saw it.
    pub run: RunId,
    /// When it is seen again.
    pub at: Time,
    /// The files on disk, each as a whole. What lies in them as an object or within an archive is
    /// taken over with them; places that are no files come to nothing.
    pub places: Vec<Place>,
}

/// Which files a run has read, in the form in which the collector knows them again.
#[derive(Clone, PartialEq, Eq)]
pub struct FileIndex {
    /// The run.
    pub run: RunId,
    /// The key of the hashes. Whoever knows it can make files that are not read.
    pub key: [u64; 2],
    /// A hash for each file, in the order in which they were kept.
    pub files: Vec<u64>,
}

/// A place where the records are not what was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokenLink {
    /// The run.
    pub run: RunId,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What can be wrong with a run's record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Damage {
    /// The digest does not fit the record and what the run saw.
    Edited,
    /// It does not continue the run before it: one was removed, put in or replaced.
    Unlinked,
    /// Later runs exist and this one was never linked.
    NotEnded,
    /// The encoding kept of an asset has another digest.
    Asset(AssetId),
    /// The summary over all runs says something that no run said.
    Summary(String),
}

/// The answers of people, as the text of the file they were written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// When they were saved.
    pub saved: Time,
    /// SHA-256 of the text.
    pub sha256: Digest,
    /// The text.
    pub text: String,
}

/// One assessment with all it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The run it rests on.
    pub run: RunId,
    /// The instant it judges.
    pub as_of: Time,
    /// The version of the maturity model.
    pub model_version: String,
    /// SHA-256 of the policy it used.
    pub policy_digest: Digest,
    /// The assessment as JSON text.
    pub json: String,
}

/// One assessment, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentRecord {
    /// Number.
    pub id: AssessmentId,
    /// The run it rests on.
    pub run: RunId,
    /// The instant it judges.
    pub as_of: Time,
    /// The version of the maturity model.
    pub model_version: String,
    /// SHA-256 of the policy it used.
    pub policy_digest: Digest,
}

impl From<&Inventory> for Batch {
    /// Everything an inventory holds.
    fn from(inventory: &Inventory) -> Self {
        Self {
            assets: inventory.assets().cloned().collect(),
            gaps: inventory.gaps().cloned().collect(),
            coverage: inventory
                .coverage()
                .map(|(collector, scope, coverage)| {
                    (collector.to_owned(), scope.to_owned(), coverage.clone())
                })
                .collect(),
            unchanged: None,
        }
    }
}

impl fmt::Debug for FileIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileIndex({} files of run {})", self.files.len(), self.run)
    }
}

impl From<RunEnd> for Outcome {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Completed => Self::Completed,
            RunEnd::Cancelled => Self::Cancelled,
            RunEnd::Failed(reason) => Self::Failed(reason),
        }
    }
}

impl Outcome {
    /// The class of the outcome in a word: `running`, `completed`, `cancelled`, `failed` or
    /// `interrupted`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            other => f.pad(other.name()),
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| format!("`{text}` is not the number of a run (1, 2, …)"))
    }
}

impl fmt::Display for AssessmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BrokenLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {}: ", self.run)?;
        match &self.damage {
            Damage::Edited => f.write_str("its record or what it saw was edited after it ended"),
            Damage::Unlinked => f.write_str(
                "it does not continue the run before it: one was removed, put in or replaced",
            ),
            Damage::NotEnded => f.write_str("later runs exist, and this one was never ended"),
            Damage::Asset(asset) => write!(f, "the encoding kept of {asset} was edited"),
            Damage::Summary(what) => {
                write!(f, "the summary over all runs was edited: {what} differs from what runs saw")
            }
        }
    }
}
