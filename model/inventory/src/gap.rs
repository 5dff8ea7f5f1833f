//! What was asked for and not read, and how much was.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Place, Time};

/// A place that was asked for and could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Where.
    pub place: Place,
    /// The collector that tried.
    pub collector: String,
    /// Why not, as a class that can be counted.
    pub reason: GapReason,
    /// Why not, in a sentence with what to do where there is something to do.
    pub detail: String,
    /// When it was first not read.
    pub first_seen: Time,
    /// When it was last not read.
    pub last_seen: Time,
}

/// The classes of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GapReason {
    /// The collector stopped as a whole.
    CollectorFailed,
    /// An archive, image or database that does not hold what its format promises; what could be
    /// read of it is in the inventory.
    Damaged,
    /// A format that is recognised but not read yet.
    FormatNotRead,
    /// TLS began and broke for a reason that is not an answer.
    HandshakeFailed,
    /// A limit of the configuration was reached.
    LimitReached,
    /// A symbolic link that leads back to itself or to a folder it lies in.
    LinkLoop,
    /// A symbolic link that leads out of what was asked for.
    LinkOutOfScope,
    /// A token or server refused the login, or it was not tried; the detail says which.
    LoginRefused,
    /// What is private on a token was not to be seen: no PIN is configured for it.
    LoginRequired,
    /// A PKCS #11 module crashed, hung or answered what the standard does not allow.
    ModuleFailed,
    /// A name without an address.
    NameNotResolved,
    /// Something that is not a regular file, such as a FIFO; opening it could block.
    NotRegularFile,
    /// Another filesystem begins here and was not asked for.
    OtherFilesystem,
    /// The operating system did not let us.
    PermissionDenied,
    /// Reading failed.
    ReadFailed,
    /// The connection was refused: nothing listens there.
    Refused,
    /// The run was ended before this was asked.
    RunEnded,
    /// The deadline passed.
    TimedOut,
    /// Larger than what is read; the part that was read is in the inventory.
    TooLarge,
    /// Named like cryptographic material, but the content is none that is known here.
    Unrecognised,
    /// No way to the address.
    Unreachable,
}

/// How much of one scope was read in a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Coverage {
    /// When the scope was done with; the later of two is the one that is kept.
    pub finished: Time,
    /// Places of this scope that were asked for.
    pub asked: u64,
    /// Places that were read, or seen to hold nothing (a refused port of a range).
    pub read: u64,
    /// Places that were not read; each is a gap.
    pub not_read: u64,
    /// Octets read.
    pub octets: u64,
    /// Of the places read: files that an earlier run read and that have not changed since. What it
    /// saw in them is taken over, they were not opened again.
    #[serde(default)]
    pub unchanged: u64,
}

impl Coverage {
    /// Not read ÷ asked; `None` when nothing was asked.
    #[must_use]
    pub fn gap_share(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        (self.asked > 0).then(|| self.not_read as f64 / self.asked as f64)
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CollectorFailed => "collector-failed",
            Self::Damaged => "damaged",
            Self::FormatNotRead => "format-not-read",
            Self::HandshakeFailed => "handshake-failed",
            Self::LimitReached => "limit-reached",
            Self::LinkLoop => "link-loop",
            Self::LinkOutOfScope => "link-out-of-scope",
            Self::LoginRefused => "login-refused",
            Self::LoginRequired => "login-required",
            Self::ModuleFailed => "module-failed",
            Self::NameNotResolved => "name-not-resolved",
            Self::NotRegularFile => "not-regular-file",
            Self::OtherFilesystem => "other-filesystem",
            Self::PermissionDenied => "permission-denied",
            Self::ReadFailed => "read-failed",
            Self::Refused => "refused",
            Self::RunEnded => "run-ended",
            Self::TimedOut => "timed-out",
            Self::TooLarge => "too-large",
            Self::Unrecognised => "unrecognised",
            Self::Unreachable => "unreachable",
        })
    }
}
